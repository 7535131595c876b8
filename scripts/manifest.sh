#!/usr/bin/env bash
# Makes dist/manifest.json over the archives beside the checksums file, and
# signs it: the one document that people's machines believe. TRUSTFIX_SIGNING_KEY
# names the minisign secret key; minisign asks for its password on the terminal
# or reads it from stdin. TRUSTFIX_REVOKED and TRUSTFIX_REVOKED_KEYS are lists
# separated by commas.
set -euo pipefail
shopt -s nullglob
version=${1:?usage: manifest.sh VERSION RELEASED CHECKSUMS}
released=${2:?} dist=$(cd "$(dirname "${3:?}")" && pwd)
cd "$(dirname "$0")/.."
: "${TRUSTFIX_SIGNING_KEY:?names the minisign secret key}"
unset GOOS GOARCH

go run ./internal/release/manifest -version "$version" -released "$released" \
  -revoked "${TRUSTFIX_REVOKED:-}" -revoked-keys "${TRUSTFIX_REVOKED_KEYS:-}" \
  "$dist"/trustfix_"$version"_*.tar.gz "$dist"/trustfix_"$version"_*.zip >"$dist/manifest.json"
minisign -S -s "$TRUSTFIX_SIGNING_KEY" -m "$dist/manifest.json" -x "$dist/manifest.json.minisig" -t "trustfix $version"
