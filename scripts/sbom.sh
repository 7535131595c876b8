#!/usr/bin/env bash
# Writes the bill of materials of one built program. For the release job.
set -euo pipefail
program=$(realpath "${1:?usage: sbom.sh PROGRAM DOCUMENT VERSION}") document=$(realpath "${2:?}") version=${3:?}
cd "$(dirname "$0")/.."
unset GOOS GOARCH
go run ./internal/release/sbom -version "$version" -sha256 "$(sha256sum <"$program" | cut -d" " -f1)" "$program" >"$document"
