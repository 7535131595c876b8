#!/usr/bin/env bash
# Writes completions and the man page for the packages. For the release job.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?usage: docs.sh VERSION}
# The tool runs on this machine, whatever is being built for another.
unset GOOS GOARCH
mkdir -p build/docs
go build -o build/docs-tool ./internal/cli/docs
for kind in bash zsh fish powershell man; do
  case $kind in
    bash) file=trustfix.bash ;; zsh) file=_trustfix ;; fish) file=trustfix.fish ;; powershell) file=trustfix.ps1 ;; man) file=trustfix.1 ;;
  esac
  build/docs-tool "$kind" "$version" >"build/docs/$file"
done
# -n: no time and no name in the archive, so that it is the same every time.
rm build/docs-tool
gzip -9nf <build/docs/trustfix.1 >build/docs/trustfix.1.gz
