#!/usr/bin/env bash
# Makes dist/manifest.json over the archives beside the checksums file, and
# signs it: the one document that people's machines believe. TRUSTFIX_SIGNING_KEY
# names the minisign secret key; minisign asks for its password on the terminal
# or reads it from stdin. What it signed is checked with TRUSTFIX_RELEASE_KEYS,
# the keys that this release compiles in: a release that does not believe its own
# manifest would cut everybody off who installs it. TRUSTFIX_REVOKED and TRUSTFIX_REVOKED_KEYS are lists
# separated by commas.
set -euo pipefail
shopt -s nullglob
version=${1:?usage: manifest.sh VERSION RELEASED CHECKSUMS}
released=${2:?} dist=$(cd "$(dirname "${3:?}")" && pwd)
cd "$(dirname "$0")/.."
: "${TRUSTFIX_SIGNING_KEY:?names the minisign secret key}" "${TRUSTFIX_RELEASE_KEYS:?are the public keys, CURRENT,NEXT}"
unset GOOS GOARCH

go run ./internal/release/manifest -version "$version" -released "$released" \
  -revoked "${TRUSTFIX_REVOKED:-}" -revoked-keys "${TRUSTFIX_REVOKED_KEYS:-}" \
  "$dist"/trustfix_"$version"_*.tar.gz "$dist"/trustfix_"$version"_*.zip >"$dist/manifest.json"
minisign -S -s "$TRUSTFIX_SIGNING_KEY" -m "$dist/manifest.json" -x "$dist/manifest.json.minisig" -t "trustfix $version"

for key in ${TRUSTFIX_RELEASE_KEYS//,/ }; do
  # -H: over the hash, as every minisign since 0.10 makes it unasked.
  ! minisign -V -H -q -m "$dist/manifest.json" -x "$dist/manifest.json.minisig" -P "$key" 2>/dev/null || exit 0
done
rm "$dist/manifest.json.minisig"
echo "manifest.sh: $TRUSTFIX_SIGNING_KEY is none of the keys that this release compiles in" >&2
exit 1
