#!/usr/bin/env bash
# Everything that has to pass before a change lands. CI calls this and nothing
# else; `scripts/check.sh quick` leaves out what takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

# The machine's own trust settings must not leak into a build or a test.
unset SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT NODE_EXTRA_CA_CERTS GIT_SSL_CAINFO AWS_CA_BUNDLE NIX_SSL_CERT_FILE
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false
tools=${XDG_CACHE_HOME:-$HOME/.cache}/trustfix-tools/bin
export PATH=$tools:$PATH
quick=${1:-}

step() { printf '\n== %s (%ss)\n' "$*" "$SECONDS"; }

step gofmt
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || { echo "not formatted: $unformatted"; exit 1; }

step go mod tidy
go mod tidy -diff

for os in linux darwin windows; do
  step "vet $os"
  GOOS=$os go vet ./...
done

if command -v golangci-lint >/dev/null; then
  for os in linux darwin windows; do
    step "lint $os"
    GOOS=$os golangci-lint run ./...
  done
elif [ -n "${CI:-}" ]; then
  echo 'golangci-lint is missing: scripts/ci-setup.sh installs it'; exit 1
fi

step shellcheck
if command -v shellcheck >/dev/null; then
  shellcheck .ci/run scripts/*.sh
elif [ -n "${CI:-}" ]; then
  echo 'shellcheck is missing'; exit 1
fi

step PowerShell
if command -v node >/dev/null && [ -d "$tools/../powershell/node_modules" ]; then
  NODE_PATH=$tools/../powershell/node_modules node scripts/powershell.cjs scripts/install.ps1
elif [ -n "${CI:-}" ]; then
  echo 'node or the grammar of PowerShell is missing: scripts/ci-setup.sh installs it'; exit 1
fi

# The README promises one command that passes all tests: run that very line.
tests=$(sed -n 's/^ *\(go test .*\)$/\1/p' README.md | head -n 1)
[ -n "$tests" ] || { echo 'README.md names no test command'; exit 1; }
step "$tests"
eval "$tests"

[ "$quick" != quick ] || exit 0

step race detector
CGO_ENABLED=1 go test -race -short -shuffle=on ./...

# Every system call of the released program that changes something, killed; of
# the errors a sample. All of them: CRASH_POINTS=all, docs/reliability.md.
step crash
if [ "$(id -u)" = 0 ] && [ "$(uname -sm)" = 'Linux x86_64' ]; then
  CRASH_POINTS="kill" go test -count=1 -timeout 30m ./internal/crash
fi

# Their own step, because they take minutes: every other release of Debian, and
# what each real client does with each faulty chain.
step real clients of four Debian releases
TRUSTFIX_LAB_SUITES=1 go test -count=1 -timeout 60m ./internal/lab

step fuzz
out=$(mktemp)
trap 'rm -f "$out"' EXIT
git grep -oE '^func Fuzz[A-Za-z0-9_]+' -- '*_test.go' | while IFS=: read -r file name; do
  go test -run='^$' -fuzz="^${name#func }\$" -fuzztime="${FUZZTIME:-10000x}" "./$(dirname "$file")" >"$out" 2>&1 || { cat "$out"; exit 1; }
  echo "$(dirname "$file") ${name#func } ok"
done

step cross-compile
for os in linux darwin windows; do
  for arch in amd64 arm64; do
    GOOS=$os GOARCH=$arch go build -trimpath -ldflags='-s -w' -o /dev/null .
  done
done

step goreleaser
if command -v goreleaser >/dev/null; then
  goreleaser check # the rehearsal below runs it
elif [ -n "${CI:-}" ]; then
  echo 'goreleaser is missing: scripts/ci-setup.sh installs it'; exit 1
fi

step release rehearsal
if command -v goreleaser >/dev/null && command -v minisign >/dev/null && command -v curl >/dev/null; then
  bash scripts/rehearse.sh
elif [ -n "${CI:-}" ]; then
  echo 'goreleaser, minisign or curl is missing: scripts/ci-setup.sh installs them'; exit 1
fi

step 'all passed'
