#!/usr/bin/env bash
# Rehearses a release on this machine with throw-away keys: goreleaser builds,
# signs and publishes it to a forge on loopback https; the packages are looked
# into and built a second time; the installer installs under every shell; an
# installed version updates, goes back and is uninstalled; the keys are rotated
# and one is revoked. Nothing outside a temporary directory is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in go goreleaser minisign openssl curl git dpkg-deb; do
  command -v "$tool" >/dev/null || { echo "rehearse.sh: $tool is missing"; exit 1; }
done
work=$(mktemp -d) server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
# shellcheck source=scripts/rehearse-lib.sh
. scripts/rehearse-lib.sh
for key in ours next stranger; do new_key "$key"; done
keys=$(public ours),$(public next)

# A forge with a certificate that only this rehearsal trusts.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=trustfix rehearsal' \
  -addext 'subjectAltName=IP:127.0.0.1' -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
mkdir "$work/www" "$work/repos" "$work/home"
go build -o "$work/forge" ./internal/lab/forge
"$work/forge" -cert "$work/tls.pem" -key "$work/tls.key" -dir "$work/www" -repos "$work/repos" >"$work/address" 2>"$work/forge.log" &
server=$!
for _ in $(seq 100); do [ ! -s "$work/address" ] || break; sleep 0.1; done
base=$(cat "$work/address")
[ -n "$base" ] || fail "the forge did not start: $(cat "$work/forge.log")"
repository=$base/api/v3/repos/rehearsal/trustfix
latest=$base/rehearsal/trustfix/releases/latest/download

# The tree as it stands, as a repository of its own with a tag.
copy() { # DIR
  mkdir "$1"
  git ls-files -z --cached --others --exclude-standard | xargs -0 tar -c --ignore-failed-read 2>/dev/null | tar -x -C "$1"
  printf 'github_urls: {api: "%s/api/v3/", upload: "%s/api/uploads/", download: "%s"}\n' "$base" "$base" "$base" >>"$1/.goreleaser.yaml"
}
commit() { # DIR TAG
  git -C "$1" init -q -b main
  git -C "$1" add -A
  GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z \
    git -C "$1" -c user.name=rehearsal -c user.email=rehearsal@example.invalid commit -q -m rehearsal
  git -C "$1" tag "$2"
  git -C "$1" remote add origin "https://example.invalid/rehearsal/trustfix.git"
}
job() { # DIR COMMAND…: with what docs/releasing.md lists as the job's settings
  env -C "$1" TRUSTFIX_RELEASE_KEYS="$keys" TRUSTFIX_RELEASE_SOURCE="$repository" TRUSTFIX_RELEASE_DIRECTORY="$latest" \
    TRUSTFIX_OWNER=rehearsal TRUSTFIX_SIGNING_KEY="${signer:-$work/ours.key}" GITHUB_TOKEN=throw-away SSL_CERT_FILE="$work/tls.pem" "${@:2}"
}

echo '-- goreleaser'
copy "$work/first"
refused 1 job "$work/first" bash scripts/keys.sh --check # the documents do not show the keys yet
job "$work/first" bash scripts/keys.sh
job "$work/first" bash scripts/keys.sh --check
for file in README.md README.zh-CN.md SECURITY.md; do
  grep -qF "$(public ours)" "$work/first/$file" || fail "$file does not show the key"
done
commit "$work/first" v1.1.0
job "$work/first" goreleaser release --clean >"$work/goreleaser.log" 2>&1 || { tail -n 30 "$work/goreleaser.log"; cat "$work/forge.log"; fail 'no release'; }
dist=$work/first/dist
# It is a draft until a person publishes it: nobody finds it.
says "$(curl --cacert "$work/tls.pem" -fsS "$repository/releases")" '[]'
curl --cacert "$work/tls.pem" -fsS -X PATCH -d '{"draft":false}' "$repository/releases/1" >"$work/release.json"
# shellcheck source=scripts/rehearse-packages.sh
. scripts/rehearse-packages.sh

if [ "${REHEARSE:-}" != short ]; then
  echo '-- the same bytes from another directory, and with an empty cache'
  copy "$work/second"
  job "$work/second" bash scripts/keys.sh
  commit "$work/second" v1.1.0
  job "$work/second" goreleaser release --clean --skip=sign,publish >"$work/goreleaser.log" 2>&1 || { tail -n 30 "$work/goreleaser.log"; fail 'no second build'; }
  for file in "$dist"/*.{tar.gz,zip,deb,rpm,apk,cdx.json}; do
    cmp "$file" "$work/second/dist/${file##*/}" || fail "${file##*/} is not reproducible"
  done
  GOCACHE=$work/cache job "$work/second" goreleaser build --clean --single-target --skip=before >"$work/goreleaser.log" 2>&1 || { tail -n 30 "$work/goreleaser.log"; fail 'no third build'; }
  tar -xzOf "$dist/trustfix_1.1.0_${os}_$arch.tar.gz" trustfix | cmp - "$work/second/dist/trustfix_${os}_$arch"*/trustfix || fail 'an empty cache gives another program'
  chmod -R u+w "$work/cache"
  rm -rf "$work/cache" "$work/second"
fi

# From here on a user's machine: other releases in plain directories, some of
# them forged.
export HOME=$work/home XDG_STATE_HOME=$work/home/state GOCACHE=${GOCACHE:-$(go env GOCACHE)} GOPATH=${GOPATH:-$(go env GOPATH)}
printf 'ca_certificate=%s\n' "$work/tls.pem" >"$HOME/.wgetrc" # what CURL_CA_BUNDLE is to curl
plain 1.0.0 ours "$keys" "$repository"
mkdir "$work/www/forged" "$work/www/legacy"
cp "$work"/www/1.0.0/* "$work/www/forged/"
cp "$work"/www/1.0.0/* "$work/www/legacy/"
minisign -S -s "$work/stranger.key" -m "$work/www/forged/manifest.json" -x "$work/www/forged/manifest.json.minisig" >/dev/null
minisign -S -l -s "$work/ours.key" -m "$work/www/legacy/manifest.json" -x "$work/www/legacy/manifest.json.minisig" >/dev/null
export CURL_CA_BUNDLE=$work/tls.pem SSL_CERT_FILE=$work/tls.pem
# shellcheck source=scripts/rehearse-install.sh
. scripts/rehearse-install.sh
# shellcheck source=scripts/rehearse-keys.sh
. scripts/rehearse-keys.sh
echo 'rehearsal: released, installed, updated, rolled back, uninstalled; keys rotated and revoked'
