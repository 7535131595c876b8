package platform

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// familyByID are the os-release IDs whose family is certain. kylin and uos are
// not among them: both names stand for a deb and for an rpm system.
var familyByID = func() map[string]Family {
	m := map[string]Family{}
	for family, ids := range map[Family]string{
		Debian:  "debian ubuntu raspbian kali linuxmint pop zorin elementary neon deepin devuan mx pureos parrot trisquel tails peppermint lmde proxmox armbian ubuntu-core",
		RedHat:  "rhel centos rocky almalinux nobara ol fedora amzn openeuler hce anolis tencentos azurelinux mariner scientific cloudlinux virtuozzo eurolinux miraclelinux circle bluefin bazzite aurora ultramarine opencloudos alinux",
		Alpine:  "alpine postmarketos wolfi chainguard chimera adelie",
		SUSE:    "opensuse opensuse-leap opensuse-tumbleweed opensuse-microos opensuse-aeon opensuse-kalpa opensuse-slowroll sles sled sle sles_sap sle-micro suse suse-microos sl-micro slem",
		Arch:    "arch manjaro cachyos steamos archarm endeavouros garuda artix arcolinux",
		Photon:  "photon",
		NixOS:   "nixos",
		Flatcar: "flatcar coreos",
		Void:    "void",
		Gentoo:  "gentoo funtoo calculate",
	} {
		for id := range strings.FieldsSeq(ids) {
			m[id] = family
		}
	}
	return m
}()

// layouts are paths that only one family's trust tooling has (reference:
// the distributions' packages), looked for in this order.
var layouts = []struct {
	family Family
	any    []string
}{
	{RedHat, []string{"/etc/pki/ca-trust"}},
	{SUSE, []string{"/etc/pki/trust", "/usr/share/pki/trust", "/var/lib/ca-certificates/ca-bundle.pem"}},
	{Arch, []string{"/etc/ca-certificates/trust-source", "/etc/ca-certificates/extracted"}},
	{Photon, []string{"/usr/bin/rehash_ca_certificates.sh"}},
}

// managers are the package managers' own files: what decides where the trust
// tooling is missing or shared (Debian, Alpine, Void and Gentoo all have
// update-ca-certificates with /etc/ca-certificates.conf).
var managers = []struct {
	family Family
	any    []string
}{
	{Alpine, []string{"/lib/apk/db", "/usr/lib/apk/db", "/etc/apk/repositories"}},
	{Void, []string{"/var/db/xbps", "/usr/bin/xbps-install"}},
	{Arch, []string{"/var/lib/pacman", "/etc/pacman.conf"}},
	{Gentoo, []string{"/etc/portage", "/usr/bin/emerge"}},
	{SUSE, []string{"/etc/zypp", "/usr/bin/zypper"}},
	{Debian, []string{"/var/lib/dpkg/status", "/var/lib/dpkg/status.d", "/usr/bin/dpkg"}},
	{RedHat, []string{"/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/bin/rpm"}},
}

// DetectDistro tells the distribution from its files: tools and layout first,
// os-release second, since derivatives name themselves freely.
func DetectDistro(goos string, files Files, env Env) Distro {
	exists := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { _, err := files.Stat(n); return err == nil })
	}
	switch goos {
	case "darwin":
		return darwinDistro(files)
	case "windows":
		return Distro{ID: "windows", Family: Windows, Pretty: "Windows"}
	}
	var rel map[string]string
	for _, name := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		if data, err := files.ReadFile(name); err == nil {
			rel = parseOSRelease(data)
			break
		}
	}
	d := Distro{
		ID: strings.ToLower(rel["ID"]), Version: rel["VERSION_ID"], Codename: rel["VERSION_CODENAME"],
		Like: strings.Fields(strings.ToLower(rel["ID_LIKE"])), Pretty: cmp.Or(rel["PRETTY_NAME"], rel["NAME"]),
	}
	if rel == nil {
		legacyRelease(files, &d)
	}
	d.Family = family(d, rel, exists, env)
	if d.Family == Termux && d.ID == "" {
		d.ID, d.Pretty = "termux", "Termux"
	}
	d.Managed = managed(d, files, exists, env)
	d.Pretty = cmp.Or(d.Pretty, strings.TrimSpace(d.ID+" "+d.Version))
	return d
}

func family(d Distro, rel map[string]string, exists func(...string) bool, env Env) Family {
	byID := familyFromRelease(d, rel)
	switch {
	case strings.Contains(env["PREFIX"], "/com.termux/") || exists("/data/data/com.termux/files/usr"):
		return Termux
	case exists("/etc/NIXOS"):
		return NixOS
	case byID == NixOS || byID == Flatcar || byID == Photon:
		return byID
	}
	for _, table := range [][]struct {
		family Family
		any    []string
	}{layouts, managers} {
		var found []Family
		for _, l := range table {
			if exists(l.any...) {
				found = append(found, l.family)
			}
		}
		if slices.Contains(found, byID) {
			return byID
		}
		if len(found) > 0 {
			return found[0]
		}
	}
	return byID
}

func familyFromRelease(d Distro, rel map[string]string) Family {
	if d.ID == "kylin" || d.ID == "uos" {
		switch {
		case slices.Contains(d.Like, "debian") || d.Codename == "eagle" || strings.HasPrefix(d.Version, "v"):
			return Debian
		case rel["PLATFORM_ID"] != "" || d.Codename == "kongzi" || d.Codename == "fuyu" || strings.HasPrefix(d.Version, "V"):
			return RedHat
		}
	}
	for _, id := range append([]string{d.ID}, d.Like...) {
		if f, ok := familyByID[id]; ok {
			return f
		}
	}
	return Unknown
}

var releaseVersion = regexp.MustCompile(`\d+(\.\d+)*`)

// legacyRelease reads what systems older than os-release have.
func legacyRelease(files Files, d *Distro) {
	for _, l := range []struct{ file, id string }{
		{"/etc/redhat-release", "rhel"}, {"/etc/SuSE-release", "sles"}, {"/etc/alpine-release", "alpine"}, {"/etc/debian_version", "debian"},
	} {
		data, err := files.ReadFile(l.file)
		if err != nil {
			continue
		}
		line, _, _ := strings.Cut(string(data), "\n")
		d.ID, d.Pretty, d.Version = l.id, strings.TrimSpace(line), releaseVersion.FindString(line)
		if strings.HasPrefix(strings.ToLower(line), "centos") {
			d.ID = "centos"
		}
		return
	}
}

// managed names what generates the system or keeps it read-only, so that
// changing its files would be lost or refused.
func managed(d Distro, files Files, exists func(...string) bool, env Env) string {
	if bundle, err := files.Resolve("/etc/ssl/certs/ca-certificates.crt"); err == nil {
		switch {
		case strings.HasPrefix(bundle, "/nix/store/"):
			return "nixos"
		case strings.HasPrefix(bundle, "/gnu/store/"):
			return "guix"
		}
	}
	switch {
	case d.Family == NixOS:
		return "nixos"
	case d.ID == "guix" || exists("/etc/guix-release"):
		return "guix"
	case exists("/run/ostree-booted", "/sysroot/ostree/repo", "/ostree/repo"):
		return "ostree"
	case env["TRANSACTIONAL_UPDATE"] != "" || exists("/etc/transactional-update.conf", "/usr/sbin/transactional-update") ||
		slices.Contains([]string{"opensuse-microos", "suse-microos", "sle-micro", "sl-micro", "slem", "opensuse-aeon", "opensuse-kalpa"}, d.ID):
		return "transactional"
	case d.Family == Flatcar:
		return "flatcar"
	case slices.Contains([]string{"talos", "bottlerocket", "cos", "ubuntu-core"}, d.ID):
		return d.ID
	case d.Family == Debian && exists("/var/lib/dpkg/status.d") && !exists("/bin/sh", "/usr/bin/dpkg"):
		return "distroless"
	}
	return ""
}

var plistVersion = regexp.MustCompile(`<key>ProductVersion</key>\s*<string>([^<]+)</string>`)

func darwinDistro(files Files) Distro {
	d := Distro{ID: "macos", Family: Darwin, Pretty: "macOS"}
	if data, err := files.ReadFile("/System/Library/CoreServices/SystemVersion.plist"); err == nil {
		if m := plistVersion.FindSubmatch(data); m != nil {
			d.Version = string(m[1])
			d.Pretty = "macOS " + d.Version
		}
	}
	return d
}
