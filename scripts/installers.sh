#!/usr/bin/env bash
# Writes the installers with the source and the keys of this release filled in.
# For the release job; without the two variables they are left empty, and the
# installers ask for them.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
for file in install.sh install.ps1; do
  text=$(cat "scripts/$file"; printf .)
  text=${text//@RELEASES@/${TRUSTFIX_RELEASE_DIRECTORY:-}}
  text=${text//@KEYS@/${TRUSTFIX_RELEASE_KEYS:-}}
  printf %s "${text%.}" >"build/$file"
done
