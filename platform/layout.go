package platform

import (
	"path"
	"slices"
)

// StoreLayout is where a family of systems keeps the trust store of the
// operating system, and its own means to change it (reference/os.md §1b).
// Paths are logical. Lists of programs are argument vectors for the Runner.
type StoreLayout struct {
	Family  Family
	Bundle  string   // the file that programs read in the end
	Aliases []string // other names for Bundle that programs have compiled in; links where the family makes them
	HashDir string   // directory of <subject hash>.N links that OpenSSL and GnuTLS read, "" where there is none
	Hashes  bool     // the rebuild keeps HashDir in step: links missing there are a fault

	Conf    string   // file that selects certificates under Sources, "!" deselects (Debian's format), or ""
	Sources []string // directories of the distribution's certificates that Rebuild reads

	Anchors     string // directory for the administrator's own CAs, "" when there is none
	AnchorExt   string // extension a file there needs: ".crt"; "" any
	AnchorFlat  bool   // subdirectories of Anchors are not read
	AnchorMulti bool   // one file may hold several certificates without losing hash links

	Blocklist []string // directories whose certificates are refused (p11-kit); the first is written to
	Rebuild   []string // makes Bundle and HashDir from Sources, Conf and Anchors
	Fresh     []string // the same from nothing: hash links too; equal to Rebuild where it always is
	Packages  []string // that own the store, the one with the certificates last

	Managed string   // generated or read-only: as in Distro.Managed, or "" when Rebuild and files may be used
	Recipe  []string // what such a system wants instead: option or command lines, in order
}

// SelectPath is the path below a directory of Sources that a line of Conf names, or "".
func (l *StoreLayout) SelectPath(name string) string {
	if l.Conf == "" || len(l.Sources) == 0 {
		return ""
	}
	return path.Join(l.Sources[0], name)
}

// AfterInstall is what Fresh will be once the package is installed.
func (l *StoreLayout) AfterInstall() []string { return storeLayouts[l.Family].Fresh }

const debianBundle = "/etc/ssl/certs/ca-certificates.crt"

// storeLayouts are the families' stores; StoreLayout adapts a copy to what is there.
var storeLayouts = map[Family]StoreLayout{
	Debian: {
		Bundle: debianBundle, Aliases: []string{"/usr/lib/ssl/cert.pem"}, HashDir: "/etc/ssl/certs", Hashes: true,
		Conf: "/etc/ca-certificates.conf", Sources: []string{"/usr/share/ca-certificates"},
		Anchors: "/usr/local/share/ca-certificates", AnchorExt: ".crt",
		Rebuild: []string{"update-ca-certificates"}, Fresh: []string{"update-ca-certificates", "--fresh"},
		Packages: []string{"ca-certificates"},
	},
	Alpine: {
		Bundle: debianBundle, Aliases: []string{"/etc/ssl/cert.pem", "/etc/ssl1.1/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt"}, HashDir: "/etc/ssl/certs",
		Conf: "/etc/ca-certificates.conf", Sources: []string{"/usr/share/ca-certificates"},
		Anchors: "/usr/local/share/ca-certificates", AnchorFlat: true,
		Rebuild: []string{"update-ca-certificates"}, Fresh: []string{"update-ca-certificates", "--fresh"},
		Packages: []string{"ca-certificates", "ca-certificates-bundle"},
	},
	RedHat: {
		Bundle:  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		Aliases: []string{"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/cert.pem", "/etc/ssl/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-certificates.crt", debianBundle, "/etc/ssl/cert.pem"},
		HashDir: "/etc/pki/ca-trust/extracted/pem/directory-hash",
		Sources: []string{"/usr/share/pki/ca-trust-source"},
		Anchors: "/etc/pki/ca-trust/source/anchors", AnchorFlat: true, AnchorMulti: true,
		Blocklist: []string{"/etc/pki/ca-trust/source/blocklist", "/etc/pki/ca-trust/source/blacklist"},
		Rebuild:   []string{"update-ca-trust", "extract"}, Fresh: []string{"update-ca-trust", "extract"},
		Packages: []string{"ca-certificates"},
	},
	SUSE: {
		Bundle: "/var/lib/ca-certificates/ca-bundle.pem", Aliases: []string{"/etc/ssl/ca-bundle.pem", debianBundle}, HashDir: "/etc/ssl/certs",
		Sources: []string{"/usr/share/pki/trust"},
		Anchors: "/etc/pki/trust/anchors", AnchorFlat: true, AnchorMulti: true,
		Blocklist: []string{"/etc/pki/trust/blocklist", "/etc/pki/trust/blacklist"},
		Rebuild:   []string{"update-ca-certificates"}, Fresh: []string{"update-ca-certificates", "-f"},
		Packages: []string{"ca-certificates", "ca-certificates-mozilla"},
	},
	Arch: {
		Bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem", Aliases: []string{"/etc/ssl/cert.pem", debianBundle}, HashDir: "/etc/ssl/certs",
		Sources: []string{"/usr/share/ca-certificates/trust-source"},
		Anchors: "/etc/ca-certificates/trust-source/anchors", AnchorFlat: true, AnchorMulti: true,
		Blocklist: []string{"/etc/ca-certificates/trust-source/blocklist", "/etc/ca-certificates/trust-source/blacklist"},
		Rebuild:   []string{"update-ca-trust"}, Fresh: []string{"update-ca-trust"},
		Packages: []string{"ca-certificates-utils", "ca-certificates", "ca-certificates-mozilla"},
	},
	Photon: {
		Bundle: "/etc/pki/tls/certs/ca-bundle.crt", HashDir: "/etc/ssl/certs",
		Anchors: "/etc/ssl/certs", AnchorExt: ".pem", AnchorFlat: true, AnchorMulti: true,
		Rebuild: []string{"rehash_ca_certificates.sh"}, Fresh: []string{"rehash_ca_certificates.sh"},
		Packages: []string{"ca-certificates", "ca-certificates-pki"},
	},
	NixOS: {
		Bundle: debianBundle, Aliases: []string{"/etc/ssl/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-bundle.crt"},
		Managed: "nixos", Recipe: []string{`security.pki.certificateFiles = [ ./ca.pem ];`, "nixos-rebuild switch"},
	},
	Flatcar: {
		Bundle: debianBundle, HashDir: "/etc/ssl/certs", Sources: []string{"/usr/share/ca-certificates"},
		Anchors: "/etc/ssl/certs", AnchorExt: ".pem", AnchorFlat: true, AnchorMulti: true,
		Rebuild: []string{"update-ca-certificates"}, Fresh: []string{"update-ca-certificates"},
	},
	Termux: {
		Bundle:   "/data/data/com.termux/files/usr/etc/tls/cert.pem",
		Packages: []string{"ca-certificates"},
	},
	Unknown: {},
}

func init() {
	for _, f := range []Family{Void, Gentoo} { // Debian's own script
		l := storeLayouts[Debian]
		if f == Gentoo {
			l.Packages = []string{"app-misc/ca-certificates"}
		}
		storeLayouts[f] = l
	}
}

// knownBundles are where programs of any Linux look; Go's list and more.
var knownBundles = []string{
	debianBundle, "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem", "/var/lib/ca-certificates/ca-bundle.pem",
}

// toolDirs are where distributions put the rebuild tools.
var toolDirs = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"}

// StoreLayout is the layout of this system's trust store, or nil where it is
// not a matter of files (macOS, Windows) or not known and nothing is there.
// It looks at files and runs nothing. Rebuild is empty when its tool is not
// installed.
func (v *View) StoreLayout() *StoreLayout {
	if v.OS != "linux" {
		return nil
	}
	family := v.Distro.Family
	l, known := storeLayouts[family]
	if !known {
		l = storeLayouts[Unknown]
	}
	l.Family = family
	if l.Bundle == "" {
		i := slices.IndexFunc(knownBundles, v.present)
		if i < 0 {
			return nil
		}
		l.Bundle = knownBundles[i]
		l.Aliases = slices.DeleteFunc(slices.Clone(knownBundles), func(p string) bool { return p == l.Bundle })
	}
	v.adapt(&l)
	if v.tool(l.Rebuild) == "" {
		l.Rebuild, l.Fresh = nil, nil
	}
	if v.Distro.Managed != "" && l.Managed == "" {
		v.manage(&l)
	}
	return &l
}

// adapt follows the generations of a family.
func (v *View) adapt(l *StoreLayout) {
	switch l.Family {
	case RedHat:
		// EL6, or p11-kit not enabled: the classic file is the store.
		if !v.dir("/etc/pki/ca-trust") && v.tool(l.Rebuild) == "" {
			l.Bundle, l.HashDir, l.Blocklist, l.Sources = "/etc/pki/tls/certs/ca-bundle.crt", "", nil, nil
			l.Aliases = []string{"/etc/pki/tls/cert.pem", "/etc/ssl/certs/ca-bundle.crt"}
		}
		if v.dir(l.HashDir) {
			l.Hashes = true
		} else {
			l.HashDir = ""
		}
		// The vendor's own blocklist counts for nothing here; only one of the two
		// names is the directory that p11-kit reads (renamed in 0.24).
		if len(l.Blocklist) == 2 && v.dir(l.Blocklist[1]) && !v.dir(l.Blocklist[0]) {
			slices.Reverse(l.Blocklist[:2:2])
		}
	case Alpine:
		// c_rehash runs from a hook that only the full package has.
		l.Hashes = v.tool(l.Rebuild) != "" && (v.present("/etc/ca-certificates/update.d/certhash") || v.present("/usr/bin/c_rehash"))
	case SUSE:
		// SLES 11 has no generated bundle: only the hashed directory.
		l.Hashes = v.dir("/var/lib/ca-certificates/pem")
	case Arch:
		l.Hashes = v.tool(l.Rebuild) != ""
	}
}

// manage turns a layout into one that is only looked at, with the recipe that
// such a system wants.
func (v *View) manage(l *StoreLayout) {
	switch v.Distro.Managed {
	case "ostree":
		// /etc is ordinary there: anchors and the rebuild work, packages do not.
		l.Packages = nil
		return
	case "transactional":
		l.Recipe = []string{"transactional-update run update-ca-certificates", "reboot"}
	case "flatcar":
		return // its own tool works on /etc
	case "talos":
		l.Recipe = []string{"kind: TrustedRootsConfig", "talosctl apply-config"}
	case "bottlerocket":
		l.Recipe = []string{"apiclient set pki.my-ca.data=BASE64 pki.my-ca.trusted=true"}
	case "nixos":
		l.Recipe = storeLayouts[NixOS].Recipe
	case "guix":
		l.Recipe = []string{"(packages (cons nss-certs %base-packages))", "guix system reconfigure /etc/config.scm"}
	case "distroless":
		l.Recipe = []string{"COPY ca-certificates.crt " + l.Bundle}
	}
	l.Managed = v.Distro.Managed
}

// Tool is where a program stands in this tree's system directories, or "".
// It runs nothing, and finds what only root could run by chroot, too.
func (v *View) Tool(name string) string {
	for _, d := range toolDirs {
		p := path.Join(d, name)
		if img, err := v.Files.Stat(p); err == nil && img.Kind == File && img.Mode&0o111 != 0 {
			return p
		}
	}
	return ""
}

func (v *View) tool(argv []string) string {
	if len(argv) == 0 {
		return ""
	}
	return v.Tool(argv[0])
}

func (v *View) dir(name string) bool {
	img, err := v.Files.Stat(name)
	return name != "" && err == nil && img.Kind == DirKind
}

// present says that something has this name, a dangling link too.
func (v *View) present(name string) bool {
	img, err := v.Files.Snapshot(name)
	return err == nil && img.Kind != Absent
}
