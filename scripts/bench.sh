#!/usr/bin/env bash
# Measures what docs/benchmarks.md says and prints it as Markdown: start-up
# beside a Go hello world in the same run, a whole offline diagnosis of this
# machine, memory, the binary's size and what each dependency costs in it.
# Usage: scripts/bench.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-30}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false

go build -trimpath -ldflags='-s -w' -o "$work/trustfix" .
go build -trimpath -o "$work/symbols" .
mkdir "$work/hello"
printf 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n' >"$work/hello/main.go"
go build -trimpath -ldflags='-s -w' -o "$work/hello/hello" "$work/hello/main.go"

# measure NAME COMMAND…: minimum and median wall time, greatest memory.
measure() {
  local name=$1
  shift
  for ((i = 0; i < runs; i++)); do
    # shellcheck disable=SC2016 # the inner shell expands it
    /usr/bin/time -f '%e %M' -o "$work/t" -- env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$HOME" \
      bash -c 's=$EPOCHREALTIME; "$@" >/dev/null 2>&1 || true; e=$EPOCHREALTIME; echo $(( ${e/./} - ${s/./} )) >>"$0"' "$work/us" "$@"
    awk '{print $2}' "$work/t" >>"$work/kb"
  done
  sort -n "$work/us" | awk -v name="$name" -v kb="$(sort -n "$work/kb" | tail -n 1)" \
    '{v[NR]=$1} END {printf "| %s | %.1f | %.1f | %.0f |\n", name, v[1]/1000, v[int((NR+1)/2)]/1000, kb/1024}'
  rm -f "$work/us" "$work/kb"
}

printf '| command | min ms | median ms | max RSS MB |\n|---|---|---|---|\n'
measure 'Go hello world' "$work/hello/hello"
measure 'trustfix version' "$work/trustfix" version
measure 'trustfix --offline --json' "$work/trustfix" --offline --json

printf '\nbinary: %.1f MB (stripped, %s)\n\n' "$(stat -c %s "$work/trustfix" | awk '{print $1/1e6}')" "$(go env GOOS)/$(go env GOARCH)"
printf '| module | kB of code and data |\n|---|---|\n'
go version -m "$work/symbols" | awk '$1 == "dep" {print $2}' >"$work/deps"
go tool nm -size "$work/symbols" | awk '
  NR == FNR { deps[$1]; next }
  $3 ~ /^[TtRrDd]$/ && $2 < 4000000 { # code, constants, data; a larger symbol is zeroed memory, which costs no bytes
    name = $4
    gsub(/%2e/, ".", name)
    m = "the standard library, the runtime and tables"
    if (name ~ /trustfix\// || name ~ /^main\./) m = "trustfix"
    for (d in deps) if (index(name, d "/") || index(name, d ".")) { m = d; break }
    size[m] += $2
  }
  END { for (m in size) if (size[m] > 20000) printf "%d | %s\n", size[m] / 1000, m }' "$work/deps" - |
  sort -rn | awk -F' [|] ' '{print "| " $2 " | " $1 " |"}'
