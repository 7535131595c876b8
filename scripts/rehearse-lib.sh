#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2034 # variables are shared with rehearse.sh
# What the parts of the rehearsal share; sourced by them, no program.

# Nothing of this machine's own trust settings may leak in.
unset SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE HTTPS_PROXY https_proxy ALL_PROXY all_proxy
unset "${!TRUSTFIX_@}"
case $(uname -m) in x86_64 | amd64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) echo "no release for $(uname -m)"; exit 1 ;; esac
os=$(uname -s | tr '[:upper:]' '[:lower:]')

fail() { echo "rehearsal: $*" >&2; exit 1; }
says() { [ "$1" = "$2" ] || fail "got \"$1\", want \"$2\""; }
# refused CODE COMMAND…: it has to fail with that code.
refused() {
  local want=$1 code=0
  shift
  "$@" >"$work/out" 2>&1 || code=$?
  [ "$code" = "$want" ] || { cat "$work/out"; fail "$* ended with $code, want $want"; }
}
# refused_for WORDS CODE COMMAND…: … and say why.
refused_for() {
  local words=$1
  shift
  refused "$@"
  grep -qF -- "$words" "$work/out" || { cat "$work/out"; fail "${*:2} does not say \"$words\""; }
}

# tool NAME: is it here? CI has to have it.
tool() {
  command -v "$1" >/dev/null && return 0
  [ -z "${CI:-}" ] || fail "$1 is missing: scripts/ci-setup.sh installs it"
  echo "   (no $1 here)"
  return 1
}

# new_key NAME: a throw-away key. -W: no password.
new_key() { minisign -G -W -p "$work/$1.pub" -s "$work/$1.key" >/dev/null; }
public() { tail -n 1 "$work/$1.pub"; }
id() { sed -n '1s/.*\([0-9A-F]\{16\}\)$/\1/p' "$work/$1.pub"; }

# plain VERSION SIGNER KEYS: a release for this machine in a plain directory.
plain() {
  mkdir -p "$work/www/$1" "$work/build"
  CGO_ENABLED=0 go build -buildvcs=false -trimpath -tags=urfave_cli_no_docs -o "$work/build/trustfix" \
    -ldflags "-s -w -X main.version=$1 -X main.releaseKeys=$3 -X main.releaseSource=${4:-}" .
  tar -czf "$work/www/$1/trustfix_$1_${os}_$arch.tar.gz" -C "$work/build" trustfix
  : >"$work/www/$1/checksums.txt"
  TRUSTFIX_RELEASE_KEYS=$3 TRUSTFIX_SIGNING_KEY=$work/$2.key bash scripts/manifest.sh \
    "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$work/www/$1/checksums.txt" >/dev/null
}
