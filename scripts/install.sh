#!/bin/sh
# Installs trustfix from a release source, or takes it away again.
#
# Everything is inside functions and the last line calls them: a download that
# was cut short runs nothing. What is installed is what the release key signed:
# the manifest's minisign signature is checked with minisign or openssl, then
# the archive's size and SHA-256. TLS is not part of that argument, so a mirror,
# a file on a stick or a plain directory are as good as the release page.
#
# The release job fills in the two lines below; both can be given by hand.
TRUSTFIX_RELEASES=${TRUSTFIX_RELEASES:-@RELEASES@}
TRUSTFIX_KEYS=${TRUSTFIX_KEYS:-@KEYS@}

usage() {
  cat <<'USAGE'
usage: install.sh [--source URL] [--from-dir DIR] [--version X] [--prefix DIR]
       install.sh --uninstall [--prefix DIR] [--purge] [--state-dir DIR]

  --source URL    release source (https); or TRUSTFIX_RELEASES
  --from-dir DIR  no network: manifest.json, manifest.json.minisig and the
                  archive lie in DIR
  --version X     refuse any other version than X; an older one than is
                  installed is put in its place only if it is named so
  --prefix DIR    install DIR/bin/trustfix (default: /usr/local as root, else
                  ~/.local)
  --key KEY       minisign public key of the releases; or TRUSTFIX_KEYS
  --uninstall     remove the program; --purge removes its state (the journal
                  and the backups of every run) too, from --state-dir if it was
                  kept in another place than the usual one

Where GitHub is slow, --source takes any https directory that holds a copy of the
release's files; where TLS is broken or there is no network, fetch them on another
machine and use --from-dir. The release also has packages (deb, rpm, apk), which
the system's own tools install: dpkg -i, rpm -U, apk add --allow-untrusted.
USAGE
}

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

size() { wc -c <"$1" | tr -d ' '; }

# fetch URL FILE LIMIT: https only, also after a redirect, bounded in size: old
# curls, and wget, would write an answer without an end until the disk is full.
# Slow is no reason to give up, silent is.
fetch() {
  case $1 in https://*) ;; *) fail "$1 is not https" ;; esac
  have curl || have wget || fail "neither curl nor wget is here; fetch the files another way and use --from-dir"
  (
    ulimit -f "$(($3 / 512 + 1))" # blocks of 512 bytes, of 1024 in bash
    if have curl; then
      curl --proto '=https' --tlsv1.2 -fsSL --retry 2 --connect-timeout 30 --speed-limit 500 --speed-time 60 --max-time 3600 \
        --max-filesize "$3" -o "$2" -- "$1"
    else
      # wget may follow a redirect to http, and busybox's does not check who
      # answers: the signature decides what is installed, here as everywhere.
      wget -q -T 60 -O "$2" "$1"
    fi
  ) || fail "cannot fetch $1.
  If the TLS of this machine is what is broken: take the three files from another
  machine and run  install.sh --from-dir DIR  (nothing needs to be switched off)."
}

# get NAME FILE LIMIT: one file of the release.
get() {
  if [ -n "$from" ]; then
    [ -f "$from/$1" ] || fail "$from/$1 is missing"
    cp -- "$from/$1" "$2"
  else
    fetch "${source%/}/$1" "$2" "$3"
  fi
  [ "$(size "$2")" -le "$3" ] || fail "$1 is larger than the $3 bytes that it may have"
}

# sha256 FILE prints it, or nothing where nothing can tell.
sha256() {
  if have sha256sum; then sha256sum <"$1" | cut -d' ' -f1
  elif have shasum; then shasum -a 256 <"$1" | cut -d' ' -f1
  elif have openssl; then openssl dgst -sha256 -r <"$1" | cut -d' ' -f1; fi
}

# is FILE SHA256: never true where either of them is not known.
is() {
  actual=$(sha256 "$1")
  [ "${#actual}" = 64 ] && [ "$actual" = "$2" ]
}

# unbase64 reads base64 and writes bytes.
unbase64() { openssl base64 -d -A; }

# bytes FILE SKIP COUNT
bytes() { tail -c "+$(($2 + 1))" "$1" | head -c "$3"; }

# verified FILE: FILE.minisig is a signature of FILE by one of the keys.
verified() {
  [ -n "$(sha256 "$1")" ] || fail "no sha256sum, shasum or openssl: the download cannot be checked"
  checked='signature and checksums verified'
  if have minisign; then
    for key in $(printf %s "$keys" | tr ',' ' '); do
      minisign -V -H -q -m "$1" -P "$key" >/dev/null 2>&1 && return 0
    done
    return 1
  fi
  if have openssl && openssl dgst -list 2>/dev/null | grep -q blake2b512 &&
    openssl pkeyutl -help 2>&1 | grep -q -- -rawin; then
    sed -n 2p "$1.minisig" | unbase64 >"$work/sig" || return 1
    sed -n 4p "$1.minisig" | unbase64 >"$work/gsig" || return 1
    [ "$(bytes "$work/sig" 0 2)" = ED ] || return 1 # releases are signed over the hash
    openssl dgst -blake2b512 -binary <"$1" >"$work/signed" || return 1
    { bytes "$work/sig" 10 64; sed -n 's/^trusted comment: //p' "$1.minisig" | head -n 1 | tr -d '\r\n'; } >"$work/global"
    bytes "$work/sig" 10 64 >"$work/sig64"
    for key in $(printf %s "$keys" | tr ',' ' '); do
      printf %s "$key" | unbase64 >"$work/key" || continue
      # The DER prefix of an Ed25519 public key, then its 32 bytes.
      { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; bytes "$work/key" 10 32; } >"$work/key.der"
      openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/signed" -sigfile "$work/sig64" >/dev/null 2>&1 &&
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/global" -sigfile "$work/gsig" >/dev/null 2>&1 &&
        return 0
    done
    return 1
  fi
  say "Neither minisign nor an openssl that knows Ed25519 (3.0 or newer) is here, so the"
  say "signature cannot be checked on this machine. Check it on another one:"
  say "  minisign -Vm manifest.json -P ${keys%%,*}"
  say "and compare there:  sha256sum manifest.json"
  say "  $(sha256 "$1")  manifest.json"
  say "Then run this again with TRUSTFIX_MANIFEST_SHA256 set to the sum you confirmed."
  checked='checksums verified; the signature was confirmed by you'
  is "$1" "${TRUSTFIX_MANIFEST_SHA256:-}"
}

# field NAME: a string or number of the JSON object on stdin.
# The value may be quoted; the name is matched with its quotes.
field() { sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\{0,1\}\([^\",}]*\).*/\1/p" | head -n 1 | tr -d ' '; }

system() {
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail "there is no release for $(uname -s); Windows has install.ps1" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no release for $(uname -m)" ;;
  esac
}

# mine FILE: a program of this very user. Root runs nothing that another user
# could have written.
# shellcheck disable=SC3067 # dash, bash and busybox have -O; without it nothing is run
mine() { [ -x "$1" ] && [ -O "$1" ]; }

# older A B: version A comes before B. What follows a - is passed over.
older() {
  set -- "${1%%-*}" "${2%%-*}"
  [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "$1" ]
}

uninstall() {
  [ -e "$target" ] || [ -L "$target" ] || fail "$target is not there"
  if [ -n "$state" ]; then :; elif [ "$(id -u)" = 0 ]; then state=/var/lib/trustfix
  else state=${XDG_STATE_HOME:-${HOME:?is not set: say with --state-dir where the state is}/.local/state}/trustfix; fi
  # A timer must not go on calling what is gone.
  ! mine "$target" || "$target" schedule remove </dev/null >/dev/null 2>&1 || :
  rm -f -- "$target" "$target.prev"
  say "removed $target"
  [ -d "$state" ] || return 0
  if [ ! -e "$state/lock" ] && [ ! -e "$state/releases.json" ] && [ ! -e "$state/newest.json" ]; then
    say "left $state alone: it is not a state directory of trustfix"
    return 0
  fi
  if [ -z "$purge" ] && [ -t 0 ]; then
    printf 'Remove %s too? It holds the way back from every repair. [y/N] ' "$state"
    read -r answer || answer=''
    case $answer in y | Y | yes) purge=yes ;; esac
  fi
  if [ -n "$purge" ]; then
    rm -rf -- "$state"
    say "removed $state"
  else
    say "kept $state (the way back from every repair); --purge removes it"
  fi
}

install() {
  [ -n "$source$from" ] || fail "no release source: --source URL, --from-dir DIR or TRUSTFIX_RELEASES"
  [ -n "$keys" ] || fail "no release key: --key KEY or TRUSTFIX_KEYS (it stands in the README and in SECURITY.md)"
  system
  get manifest.json "$work/manifest.json" 1000000
  get manifest.json.minisig "$work/manifest.json.minisig" 4096
  verified "$work/manifest.json" || fail "the manifest's signature is not by the release key: nothing was installed.
  Either the mirror is out of order or somebody is tampering; try another source."

  version=$(field version <"$work/manifest.json")
  case $version in '' | *[!0-9A-Za-z.+-]*) fail "the manifest names no version" ;; esac
  [ "$(field product <"$work/manifest.json")" = trustfix ] || fail "this manifest is not trustfix's"
  [ -z "$want" ] || [ "$want" = "$version" ] || fail "the source has version $version, not $want"
  if tr -d ' \n' <"$work/manifest.json" | sed -n 's/.*"revoked":\[\([^]]*\)\].*/\1/p' | grep -qF "\"$version\""; then
    fail "version $version was revoked by its makers"
  fi
  # One object of the asset list a line, whatever the manifest's layout.
  name=trustfix_${version}_${os}_$arch.tar.gz
  asset=$(tr -d '\n' <"$work/manifest.json" | tr '}' '\n' | grep -F "\"$name\"" | head -n 1) || :
  [ -n "$asset" ] || fail "version $version has no archive for $os $arch"
  size=$(printf '%s\n' "$asset" | field size)
  sum=$(printf '%s\n' "$asset" | field sha256)
  binary=$(printf '%s\n' "$asset" | field binarySha256)
  case $size in '' | *[!0-9]*) fail "the manifest names no size for $name" ;; esac

  get "$name" "$work/archive" "$size"
  [ "$(size "$work/archive")" = "$size" ] || fail "$name is not $size bytes long"
  is "$work/archive" "$sum" || fail "$name is not what the release key signed"
  tar -xzOf "$work/archive" trustfix >"$work/trustfix" || fail "$name holds no program"
  is "$work/trustfix" "$binary" || fail "the program in $name is not what the release key signed"

  mkdir -p "$prefix/bin" || fail "cannot make $prefix/bin: run this as root, or name another place with --prefix"
  [ ! -d "$target" ] || fail "$target is a directory"
  [ ! -L "$target" ] || fail "$target is a link: who put it there (a package manager?) has to replace it, or to remove it first"
  # Who serves releases must not be able to bring an old one back.
  if [ -z "$want" ] && mine "$target" && had=$("$target" version 2>/dev/null) && older "$version" "${had#trustfix }"; then
    fail "$target is ${had#trustfix }, newer than $version; --version $version puts the older one there"
  fi
  # Beside the target, then one rename: never a moment with half a program.
  if ! new=$(mktemp "$prefix/bin/.trustfix.XXXXXX") || ! cat <"$work/trustfix" >"$new"; then
    fail "cannot write to $prefix/bin: run this as root, or name another place with --prefix"
  fi
  chmod 755 "$new"
  got=$("$new" version) || fail "the program does not run here"
  [ "$got" = "trustfix $version" ] || fail "the program says it is \"$got\", the manifest says $version"
  sync "$new" 2>/dev/null || : # old ones take no names
  mv -f -- "$new" "$target"
  new=''
  say "installed $target $version ($checked)"
  case :$PATH: in *:"$prefix/bin":*) ;; *) say "add $prefix/bin to your PATH" ;; esac
  say "next:  trustfix"
}

main() {
  set -eu
  umask 022
  case $TRUSTFIX_RELEASES in @*) TRUSTFIX_RELEASES= ;; esac
  case $TRUSTFIX_KEYS in @*) TRUSTFIX_KEYS= ;; esac
  source=$TRUSTFIX_RELEASES keys=$TRUSTFIX_KEYS from='' want='' prefix='' purge='' state='' action=install
  while [ $# -gt 0 ]; do
    case $1 in
      --source | --from-dir | --version | --prefix | --key | --state-dir)
        [ $# -gt 1 ] || { usage >&2; exit 2; }
        case $1 in
          --source) source=$2 ;; --from-dir) from=$2 ;; --version) want=${2#v} ;; --prefix) prefix=$2 ;; --key) keys=$2 ;; --state-dir) state=$2 ;;
        esac
        shift 2 ;;
      --uninstall) action=uninstall; shift ;;
      --purge) purge=yes; shift ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; exit 2 ;;
    esac
  done
  if [ -z "$prefix" ]; then
    if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=${HOME:?is not set: name a place with --prefix}/.local; fi
  fi
  case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
  target=$prefix/bin/trustfix
  work=$(mktemp -d) || fail "cannot make a temporary directory: name a place that can be written with TMPDIR"
  new=''
  trap 'rm -rf -- "$work"; [ -z "$new" ] || rm -f -- "$new"' EXIT
  trap 'exit 130' HUP INT TERM
  "$action"
}

main "$@"
