#!/usr/bin/env bash
# Writes the ids and fingerprints of the release keys into README and SECURITY,
# from TRUSTFIX_RELEASE_KEYS, the very keys that the build compiles in. With
# --check it changes nothing and fails where a document says anything else; a
# build without keys releases nothing, so then there is nothing to check.
set -euo pipefail
cd "$(dirname "$0")/.."
unset GOOS GOARCH
keys=${TRUSTFIX_RELEASE_KEYS:-}
[ -n "$keys" ] || [ "${1:-}" != --check ] || exit 0
new=$(mktemp)
trap 'rm -f "$new"' EXIT
for file in README.md README.zh-CN.md SECURITY.md; do
  go run ./internal/release/keys -keys "$keys" "$file" >"$new"
  if [ "${1:-}" != --check ]; then
    cat "$new" >"$file"
  elif ! diff -u "$file" "$new"; then
    echo "$file does not show the keys that are compiled in: run scripts/keys.sh, and commit" >&2
    exit 1
  fi
done
