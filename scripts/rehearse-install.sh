#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2034 # variables are shared with rehearse.sh
# The part of the rehearsal on a user's machine; sourced by rehearse.sh. Every
# shell, every program that can fetch, every program that can check a signature.

# without NAME…: the same tools less some, to see the installer's other ways.
without() {
  local dir=$work/without f
  rm -rf "$dir"
  mkdir "$dir"
  for f in /usr/local/bin /usr/bin /bin; do
    ln -sf "$f"/* "$dir/"
  done
  for f in "$@"; do rm -f "$dir/$f"; done
}

shells=()
for shell in dash bash 'busybox sh' 'bash --posix'; do
  if command -v "${shell%% *}" >/dev/null; then shells+=("$shell"); elif [ -n "${CI:-}" ]; then fail "$shell is missing"; fi
done
bar=1.0.0 new=1.1.0
for shell in "${shells[@]}"; do
  echo "-- $shell"
  read -ra sh <<<"$shell"
  run() { "${sh[@]}" scripts/install.sh --prefix "$work/prefix" --state-dir "$work/state" "$@"; }
  tf() { "$trustfix" "$@" --state-dir "$work/state"; }
  refused 1 run --source "$base/$bar"                                             # no key
  refused 1 run --source "$base/$bar" --key "$(public stranger)"                  # another key
  refused 1 run --source "$base/forged" --key "$keys"                             # another signature
  refused_for 'is not https' 1 run --source "http://${base#https://}/$bar" --key "$keys"
  refused_for 'not 1.1.0' 1 run --source "$base/$bar" --key "$keys" --version 1.1.0
  CURL_CA_BUNDLE=/dev/null refused_for '--from-dir' 1 run --source "$base/$bar" --key "$keys" # TLS is checked, and the way round it named
  refused 2 run --nonsense
  [ ! -e "$work/prefix/bin/trustfix" ] || fail 'something refused was installed'

  # With curl, with wget; with minisign, with openssl.
  for fetch in wget curl; do # less that one
    tool wget || break
    # busybox's shell takes its own wget, whatever the path says, and the one of
    # its static build dies in TLS: "Segmentation fault", not ours to mend.
    [[ $fetch/$shell != curl/busybox* ]] || continue
    for less in '' minisign; do
      # shellcheck disable=SC2086 # perhaps no name
      without $fetch $less
      PATH=$work/without run --source "$base/$bar" --key "$(public stranger),$keys" >"$work/out"
      grep -qF 'signature and checksums verified' "$work/out" || fail 'what was verified is not said'
      says "$("$work/prefix/bin/trustfix" version)" "trustfix $bar"
      for bad in forged legacy; do
        PATH=$work/without refused_for 'signature is not by the release key' 1 run --source "$base/$bad" --key "$keys"
      done
      says "$("$work/prefix/bin/trustfix" version)" "trustfix $bar"
      rm "$work/prefix/bin/trustfix"
    done
  done
  # Neither minisign nor openssl: nothing without a sum that a person confirmed.
  without minisign openssl
  sum=$(sha256sum <"$work/www/$bar/manifest.json" | cut -d' ' -f1)
  PATH=$work/without refused_for "$sum" 1 run --from-dir "$work/www/$bar" --key "$keys"
  TRUSTFIX_MANIFEST_SHA256=${sum//[0-9]/0} PATH=$work/without refused 1 run --from-dir "$work/www/$bar" --key "$keys"
  TRUSTFIX_MANIFEST_SHA256=$sum PATH=$work/without run --from-dir "$work/www/$bar" --key "$keys" >"$work/out"
  ! grep -qF 'signature and checksums verified' "$work/out" || fail 'it says that it verified what it could not'
  says "$("$work/prefix/bin/trustfix" version)" "trustfix $bar"
  run --uninstall >/dev/null
  # No way to fetch: files from a stick.
  without curl wget
  PATH=$work/without refused_for '--from-dir' 1 run --source "$base/$bar" --key "$keys"
  PATH=$work/without run --from-dir "$work/www/$bar" --key "$keys" >/dev/null
  [ -z "$(find "$work/prefix" -name '.trustfix*')" ] || fail 'something was left behind'

  trustfix=$work/prefix/bin/trustfix
  refused 1 tf update --source "$base/forged"
  refused_for "$(id stranger)" 1 tf update --source "$base/forged"
  refused_for 'older kind' 1 tf update --source "$base/legacy"
  refused 3 tf update --check                         # the source that was compiled in: the forge's API
  grep -qF "$(id ours)" "$work/out" || fail '--check does not show the keys'
  refused 3 tf update --check --source "$latest"      # the same as a plain directory
  tf update --check --source "$base/$bar" >/dev/null
  tf update >/dev/null
  says "$("$trustfix" version)" "trustfix $new"
  refused 1 tf update --source "$base/$bar"           # never back by itself
  tf update --rollback >/dev/null
  says "$("$trustfix" version)" "trustfix $bar"
  refused 1 tf update --rollback                      # there is no version before
  tf update --from-file "$dist/trustfix_${new}_${os}_$arch.tar.gz" --manifest "$dist/manifest.json" --offline >/dev/null
  says "$("$trustfix" version)" "trustfix $new"
  tf update --allow-downgrade --version "$bar" --source "$base/$bar" >/dev/null
  says "$("$trustfix" version)" "trustfix $bar"
  run --uninstall </dev/null >/dev/null
  [ -z "$(find "$work/prefix" -type f)" ] || fail 'the uninstaller left something of the program'
  [ -d "$work/state" ] || fail 'the uninstaller took the state unasked'
  # The installer as it was published knows source and keys by itself.
  curl -fsS "$latest/install.sh" | "${sh[@]}" -s -- --prefix "$work/prefix" --state-dir "$work/state" >/dev/null
  says "$("$trustfix" version)" "trustfix $new"
  # … and one that was cut short does nothing at all.
  curl -fsS "$latest/install.sh" | head -n -3 | "${sh[@]}" -s -- --prefix "$work/cut" >/dev/null 2>&1 || :
  [ ! -e "$work/cut" ] || fail 'half an installer did something'
  run --uninstall --purge >/dev/null
  [ ! -e "$work/state" ] || fail '--purge left the state'
done
