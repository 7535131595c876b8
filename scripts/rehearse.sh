#!/usr/bin/env bash
# Rehearses a release on this machine, with a throw-away key: build two
# versions, sign their manifests, serve them on loopback https, install the
# first with the installer under every shell, update to the second, go back,
# uninstall. Nothing outside a temporary directory is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in go minisign openssl curl; do
  command -v "$tool" >/dev/null || { echo "rehearse.sh: $tool is missing"; exit 1; }
done
case $(uname -m) in x86_64 | amd64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) echo "no release for $(uname -m)"; exit 1 ;; esac
os=$(uname -s | tr '[:upper:]' '[:lower:]')

work=$(mktemp -d) server=''
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
fail() { echo "rehearse.sh: $*" >&2; exit 1; }
says() { [ "$1" = "$2" ] || fail "got \"$1\", want \"$2\""; }
# refused CODE COMMAND…: it has to fail with that code.
refused() {
  local want=$1 code=0
  shift
  "$@" >"$work/out" 2>&1 || code=$?
  [ "$code" = "$want" ] || { cat "$work/out"; fail "$* ended with $code, want $want"; }
}

# Keys: the release's, and a stranger's. -W: no password.
for key in ours stranger; do
  minisign -G -W -p "$work/$key.pub" -s "$work/$key.key" >/dev/null
done
keys=$(tail -n 1 "$work/ours.pub")
stranger=$(tail -n 1 "$work/stranger.pub")

for version in 1.0.0 1.1.0; do
  mkdir -p "$work/www/$version" "$work/build"
  CGO_ENABLED=0 go build -buildvcs=false -trimpath -tags=urfave_cli_no_docs -o "$work/build/trustfix" \
    -ldflags "-s -w -X main.version=$version -X main.releaseKeys=$keys" .
  tar -czf "$work/www/$version/trustfix_${version}_${os}_$arch.tar.gz" -C "$work/build" trustfix
  : >"$work/www/$version/checksums.txt"
  TRUSTFIX_SIGNING_KEY=$work/ours.key bash scripts/manifest.sh "$version" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$work/www/$version/checksums.txt" >/dev/null
done
mkdir "$work/www/forged"
cp "$work"/www/1.1.0/* "$work/www/forged/"
minisign -S -s "$work/stranger.key" -m "$work/www/forged/manifest.json" -x "$work/www/forged/manifest.json.minisig" >/dev/null

# A loopback https server with a certificate that only this rehearsal trusts.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=trustfix rehearsal' \
  -addext 'subjectAltName=IP:127.0.0.1' -keyout "$work/tls.key" -out "$work/tls.pem" 2>/dev/null
(cd "$work/www" && exec openssl s_server -accept 127.0.0.1:0 -cert "$work/tls.pem" -key "$work/tls.key" -WWW) >"$work/server.log" 2>&1 &
server=$!
port=''
for _ in $(seq 100); do
  port=$(sed -n 's/^ACCEPT 127\.0\.0\.1:\([0-9]*\)$/\1/p' "$work/server.log")
  [ -z "$port" ] || break
  sleep 0.1
done
[ -n "$port" ] || fail "the server did not start: $(cat "$work/server.log")"
base=https://127.0.0.1:$port
export CURL_CA_BUNDLE=$work/tls.pem SSL_CERT_FILE=$work/tls.pem HOME=$work/home XDG_STATE_HOME=$work/home/state
mkdir "$HOME"

# The same tools less some, to see the installer's other ways.
without() {
  local dir=$work/without f
  rm -rf "$dir"
  mkdir "$dir"
  for f in /usr/local/bin /usr/bin /bin; do
    ln -sf "$f"/* "$dir/"
  done
  for f in "$@"; do rm -f "$dir/$f"; done
}

shells=()
for shell in dash bash 'busybox sh' 'bash --posix'; do
  ! command -v "${shell%% *}" >/dev/null || shells+=("$shell")
done
for shell in "${shells[@]}"; do
  echo "-- $shell"
  read -ra sh <<<"$shell"
  run() { "${sh[@]}" scripts/install.sh --prefix "$work/prefix" --state-dir "$work/state" "$@"; }
  tf() { "$trustfix" "$@" --state-dir "$work/state"; }
  refused 1 run --source "$base/1.0.0"                                       # no key
  refused 1 run --source "$base/1.0.0" --key "$stranger"                     # another key
  refused 1 run --source "$base/forged" --key "$keys"                        # another signature
  refused 1 run --source "http://127.0.0.1:$port/1.0.0" --key "$keys"        # not https
  refused 1 run --source "$base/1.0.0" --key "$keys" --version 1.1.0         # another version
  CURL_CA_BUNDLE=/dev/null refused 1 run --source "$base/1.0.0" --key "$keys" # TLS is checked
  refused 2 run --nonsense
  [ ! -e "$work/prefix/bin/trustfix" ] || fail 'something refused was installed'
  for less in '' minisign; do
    # shellcheck disable=SC2086 # a list of names
    without $less
    PATH=$work/without run --source "$base/1.0.0" --key "$stranger,$keys" >/dev/null
    says "$("$work/prefix/bin/trustfix" version)" 'trustfix 1.0.0'
    PATH=$work/without refused 1 run --source "$base/forged" --key "$keys"
    rm "$work/prefix/bin/trustfix"
  done
  # Neither minisign nor openssl: nothing without a sum that a person confirmed.
  without minisign openssl
  PATH=$work/without refused 1 run --from-dir "$work/www/1.0.0" --key "$keys"
  TRUSTFIX_MANIFEST_SHA256=$(sha256sum <"$work/www/1.0.0/manifest.json" | cut -d' ' -f1) PATH=$work/without run --from-dir "$work/www/1.0.0" --key "$keys" >/dev/null
  says "$("$work/prefix/bin/trustfix" version)" 'trustfix 1.0.0'
  run --uninstall >/dev/null
  run --from-dir "$work/www/1.0.0" --key "$keys" >/dev/null
  [ -z "$(find "$work/prefix" -name '.trustfix*')" ] || fail 'something was left behind'

  trustfix=$work/prefix/bin/trustfix
  refused 1 tf update                                 # no source was compiled in
  refused 1 tf update --source "$base/forged"
  refused 3 tf update --check --source "$base/1.1.0"
  tf update --check --source "$base/1.0.0" >/dev/null
  tf update --source "$base/1.1.0" >/dev/null
  says "$("$trustfix" version)" 'trustfix 1.1.0'
  refused 1 tf update --source "$base/1.0.0"          # never back by itself
  tf update --rollback >/dev/null
  says "$("$trustfix" version)" 'trustfix 1.0.0'
  refused 1 tf update --rollback                      # there is no version before
  tf update --from-file "$work/www/1.1.0/trustfix_1.1.0_${os}_$arch.tar.gz" --manifest "$work/www/1.1.0/manifest.json" --offline >/dev/null
  says "$("$trustfix" version)" 'trustfix 1.1.0'
  tf update --allow-downgrade --version 1.0.0 --source "$base/1.0.0" >/dev/null
  says "$("$trustfix" version)" 'trustfix 1.0.0'
  run --uninstall </dev/null >/dev/null
  [ -z "$(find "$work/prefix" -type f)" ] || fail 'the uninstaller left something of the program'
  [ -d "$work/state" ] || fail 'the uninstaller took the state unasked'
  run --from-dir "$work/www/1.0.0" --key "$keys" >/dev/null
  run --uninstall --purge >/dev/null
  [ ! -e "$work/state" ] || fail '--purge left the state'
done
echo 'rehearsal: installed, updated, rolled back and uninstalled'
