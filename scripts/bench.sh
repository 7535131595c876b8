#!/usr/bin/env bash
# Measures what docs/benchmarks.md says and prints it as Markdown: start-up
# beside a Go hello world in the same run, a whole offline diagnosis of this
# machine and of trees with a thousand and ten thousand conda environments,
# memory, the binary's size and what each dependency costs in it.
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

# measure NAME COMMAND…: minimum and median wall time, least CPU time (which
# other work on the machine disturbs less), greatest memory.
measure() {
  local name=$1
  shift
  for ((i = 0; i < runs; i++)); do
    # shellcheck disable=SC2016 # the inner shell expands it
    /usr/bin/time -f '%U %S %M' -o "$work/t" -- env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$HOME" \
      bash -c 's=$EPOCHREALTIME; "$@" >/dev/null 2>&1 || true; e=$EPOCHREALTIME; echo $(( ${e/./} - ${s/./} )) >>"$0"' "$work/us" "$@"
    tail -n 1 "$work/t" | awk -v kb="$work/kb" -v cpu="$work/cpu" '{print ($1 + $2) * 1000 >>cpu; print $3 >>kb}'
  done
  sort -n "$work/us" | awk -v name="$name" -v kb="$(sort -n "$work/kb" | tail -n 1)" -v cpu="$(sort -n "$work/cpu" | head -n 1)" \
    '{v[NR]=$1} END {printf "| %s | %.1f | %.1f | %.0f | %.0f |\n", name, v[1]/1000, v[int((NR+1)/2)]/1000, cpu, kb/1024}'
  rm -f "$work/us" "$work/kb" "$work/cpu"
}

# environments DIR N: a root with a conda of N environments and 0.3 N virtual
# environments, each with its own certifi and pip, a condarc of 5,000 lines and
# an npmrc of 20,000.
environments() {
  local root=$1 n=$2 i
  local base=$1/root/miniconda3
  python() { # PREFIX MINOR
    local site=$1/lib/python$2/site-packages d
    mkdir -p "$site/certifi" "$site/pip/_vendor/certifi"
    for d in certifi-2024.7.4 requests-2.31.0 urllib3-2.2.0 pip-24.0 numpy-1.26.0 idna-3.6; do
      mkdir "$site/$d.dist-info"
    done
    printf 'def where(): pass\n' >"$site/certifi/core.py"
    cp "$work/roots.pem" "$site/certifi/cacert.pem"
    cp "$work/roots.pem" "$site/pip/_vendor/certifi/cacert.pem"
  }
  mkdir -p "$root/etc" "$root/root/.conda" "$root/root/.virtualenvs" "$base/condabin" "$base/conda-meta" "$base/envs" "$root/env/conda-meta" "$root/venv"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
  touch "$base/condabin/conda" "$base"/conda-meta/{history,conda-24.1.0-py311_0.json,python-3.11.7-h1.json,openssl-3.0.13-h1.json}
  python "$base" 3.11
  touch "$root"/env/conda-meta/{history,python-3.10.13-h1.json,openssl-1.1.1w-h1.json}
  python "$root/env" 3.10
  printf 'home = /usr/bin\nversion = 3.11.2\n' >"$root/venv/pyvenv.cfg"
  python "$root/venv" 3.11
  for ((i = 0; i < n; i++)); do
    cp -r "$root/env" "$base/envs/e$i"
    echo "/root/miniconda3/envs/e$i" >>"$root/root/.conda/environments.txt"
    if ((i % 10 < 3)); then cp -r "$root/venv" "$root/root/.virtualenvs/v$i"; fi
  done
  rm -r "$root/env" "$root/venv"
  { echo 'channels:'; seq -f '  - https://mirror.example/%.0f' 5000; echo 'ssl_verify: false'; } >"$root/root/.condarc"
  { seq -f 'key%.0f=value' 20000; echo 'strict-ssl=false'; } >"$root/root/.npmrc"
}

printf '| command | min ms | median ms | CPU ms | max RSS MB |\n|---|---|---|---|---|\n'
measure 'Go hello world' "$work/hello/hello"
measure 'trustfix version' "$work/trustfix" version
measure 'trustfix --offline --json' "$work/trustfix" --offline --json

cat /etc/ssl/certs/ca-certificates.crt >"$work/roots.pem"
for n in 1000 10000; do
  environments "$work/root$n" "$n"
  measure "the same, --root of $n environments" "$work/trustfix" --offline --json --root "$work/root$n"
  if [ "$(id -u)" = 0 ]; then
    cp "$work/trustfix" "$work/root$n/trustfix"
    measure "the same, in that root" "$(command -v chroot)" "$work/root$n" /trustfix --offline --json
  fi
  rm -rf "$work/root$n"
done

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
