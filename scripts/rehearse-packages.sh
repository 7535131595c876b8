#!/usr/bin/env bash
# shellcheck disable=SC2154,SC2034 # variables are shared with rehearse.sh
# The part of the rehearsal that looks into what goreleaser made and published;
# sourced by rehearse.sh. What has no tool here is said, and in CI it is there.
echo '-- packages'
has() { # LIST NAME…
  local list=$1 name
  shift
  for name in "$@"; do grep -qE "(^|[ /])$name\$" <<<"$list" || fail "$name is missing in:
$list"; done
}
sum() { sha256sum <"$1" | cut -d' ' -f1; }

minisign -V -H -q -m "$dist/manifest.json" -P "$(public ours)" || fail 'the manifest is not signed by the release key'
(cd "$dist" && sha256sum --quiet -c checksums.txt)
for system in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64 windows_arm64; do
  archive=trustfix_1.1.0_$system.tar.gz program=trustfix
  case $system in windows*) archive=trustfix_1.1.0_$system.zip program=trustfix.exe ;; esac
  grep -qF "$(sum "$dist/$archive")" "$dist/manifest.json" || fail "the manifest does not know $archive"
  if [ "$program" = trustfix ]; then list=$(tar -tzf "$dist/$archive"); else list=$(python3 -m zipfile -l "$dist/$archive" | awk 'NR > 1 {print $1}'); fi
  has "$list" "$program" LICENSE README.md README.zh-CN.md docs/trustfix.bash docs/_trustfix docs/trustfix.fish docs/trustfix.ps1 docs/trustfix.1
  python3 - "$dist/trustfix_1.1.0_$system.cdx.json" <<'PY'
import json, sys
bom = json.load(open(sys.argv[1]))
assert bom["bomFormat"] == "CycloneDX" and bom["metadata"]["component"]["version"] == "1.1.0", bom["metadata"]
assert len(bom["components"]) > 10 and any(c["name"] == "aead.dev/minisign" for c in bom["components"]), bom["components"]
PY
done
# What is published is all that docs/releasing.md lists, and what was built.
published=$(curl --cacert "$work/tls.pem" -fsS "$repository/releases" | python3 -c 'import json,sys; print("\n".join(a["name"] for a in json.load(sys.stdin)[0]["assets"]))')
# shellcheck disable=SC2046 # names without spaces
has "$published" manifest.json manifest.json.minisig checksums.txt install.sh install.ps1 \
  $(find "$dist" -maxdepth 1 -name 'trustfix[-_]*' -type f -printf '%f\n')
curl --cacert "$work/tls.pem" -fsS "$latest/install.sh" | grep -F "$keys" >/dev/null || fail 'the published installer has no keys'

mkdir "$work/unpacked"
tar -xzf "$dist/trustfix_1.1.0_${os}_$arch.tar.gz" -C "$work/unpacked"
says "$("$work/unpacked/trustfix" version)" 'trustfix 1.1.0'
# The keys of the program are those of the documents beside it.
for key in ours next; do
  sum=$(printf %s "$(public $key)" | openssl base64 -d -A | sha256sum | cut -d' ' -f1)
  for text in "$("$work/unpacked/trustfix" version -v)" "$(cat "$work/unpacked/README.md")" "$(cat "$work/first/SECURITY.md")"; do
    [[ $text = *"$(id $key)"*"$sum"* ]] || fail "the fingerprint of $key is not everywhere"
  done
done
bash -n "$work/unpacked/docs/trustfix.bash"
! command -v zsh >/dev/null || zsh -n "$work/unpacked/docs/_trustfix"
! command -v fish >/dev/null || fish -n "$work/unpacked/docs/trustfix.fish"
grep -q '^\.TH ' "$work/unpacked/docs/trustfix.1" || fail 'no man page'

files='usr/bin/trustfix
usr/share/bash-completion/completions/trustfix
usr/share/zsh/site-functions/_trustfix
usr/share/fish/vendor_completions.d/trustfix.fish
usr/share/man/man1/trustfix.1.gz
usr/share/doc/trustfix/copyright'
for deb in "$dist"/*.deb; do
  # shellcheck disable=SC2086 # a list of names
  has "$(dpkg-deb -c "$deb")" $files
  says "$(dpkg-deb -f "$deb" Package Version | tr '\n' ' ')" 'Package: trustfix Version: 1.1.0 '
done
dpkg-deb -x "$dist/trustfix_1.1.0_$arch.deb" "$work/deb"
says "$("$work/deb/usr/bin/trustfix" version)" 'trustfix 1.1.0'
# Removing the package keeps the way back from every repair.
! dpkg-deb -c "$dist/trustfix_1.1.0_$arch.deb" | grep var/lib >/dev/null || fail 'the package owns the state directory'
if tool rpm; then
  for rpm in "$dist"/*.rpm; do
    # shellcheck disable=SC2086 # a list of names
    has "$(rpm --dbpath "$work/rpmdb" -qlp "$rpm")" $files
    rpm --dbpath "$work/rpmdb" -K --nosignature "$rpm" | grep 'digests OK' >/dev/null || fail "$rpm has no digests"
  done
fi
for apk in "$dist"/*.apk; do # two or three gzip streams, one tar
  # shellcheck disable=SC2086 # a list of names
  has "$(tar -tzf "$apk" 2>/dev/null)" .PKGINFO $files
done

# The package managers' own files, as they were pushed, name what was built.
tap=$work/repos/rehearsal/homebrew-tap/Casks/trustfix.rb
bucket=$work/repos/rehearsal/scoop-bucket/trustfix.json
pkgbuild=$dist/aur/trustfix-bin.pkgbuild
mapfile -t winget < <(find "$work/repos/rehearsal/winget-pkgs" -name '*.yaml')
[ ${#winget[@]} = 3 ] || fail "winget got ${#winget[@]} files"
for system in linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz; do
  grep -qF "$(sum "$dist/trustfix_1.1.0_$system")" "$tap" || fail "the cask does not know $system"
done
for system in amd64 arm64; do
  sum=$(sum "$dist/trustfix_1.1.0_windows_$system.zip")
  grep -qF "$sum" "$bucket" || fail "scoop does not know $system"
  grep -qiF "$sum" "${winget[@]}" || fail "winget does not know $system"
  grep -qF "$(sum "$dist/trustfix_1.1.0_linux_$system.tar.gz")" "$pkgbuild" || fail "the AUR does not know $system"
done
python3 -m json.tool "$bucket" >/dev/null
bash -n "$pkgbuild"
if tool ruby; then
  ruby -c "$tap" >/dev/null
  ruby -ryaml -e 'ARGV.each { |f| YAML.load_file(f) or abort f }' "${winget[@]}"
fi
