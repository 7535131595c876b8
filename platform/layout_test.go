package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// layoutView is a Linux system made of the named files: "path", "path=content",
// "path -> link text", "path*" for a program, "path/" for a directory.
func layoutView(t *testing.T, files ...string) *View {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		name, data, _ := strings.Cut(f, "=")
		mode := os.FileMode(0o644)
		if n, ok := strings.CutSuffix(name, "*"); ok {
			name, mode = n, 0o755
		}
		name, to, link := strings.Cut(name, " -> ")
		p := filepath.Join(root, name)
		err := os.MkdirAll(filepath.Dir(p), 0o755)
		switch {
		case err != nil:
		case link:
			err = os.Symlink(to, p)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(p, 0o755)
		default:
			err = os.WriteFile(p, []byte(data), mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tree, err := openTree(root, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return &View{OS: "linux", Root: root, Rooted: true, Files: tree, Env: Env{}, Distro: DetectDistro("linux", tree, Env{})}
}

func TestStoreLayout(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   []string
		bundle  string
		rebuild string
		hashDir string // with "!" when the rebuild does not keep it
		managed string
	}{
		{
			"debian",
			[]string{"etc/os-release=ID=debian", "var/lib/dpkg/status", "usr/sbin/update-ca-certificates*"},
			"/etc/ssl/certs/ca-certificates.crt", "update-ca-certificates", "/etc/ssl/certs", "",
		},
		{
			"debian without the package",
			[]string{"etc/os-release=ID=debian", "var/lib/dpkg/status"},
			"/etc/ssl/certs/ca-certificates.crt", "", "/etc/ssl/certs", "",
		},
		{
			"void",
			[]string{"etc/os-release=ID=void", "usr/bin/xbps-install*", "usr/bin/update-ca-certificates*"},
			"/etc/ssl/certs/ca-certificates.crt", "update-ca-certificates", "/etc/ssl/certs", "",
		},
		{
			"alpine base",
			[]string{"etc/os-release=ID=alpine", "etc/apk/repositories"},
			"/etc/ssl/certs/ca-certificates.crt", "", "!/etc/ssl/certs", "",
		},
		{
			"alpine",
			[]string{"etc/os-release=ID=alpine", "etc/apk/repositories", "usr/sbin/update-ca-certificates*", "etc/ca-certificates/update.d/certhash*"},
			"/etc/ssl/certs/ca-certificates.crt", "update-ca-certificates", "/etc/ssl/certs", "",
		},
		{
			"fedora 44",
			[]string{"etc/os-release=ID=fedora", "etc/pki/ca-trust/extracted/pem/directory-hash/", "usr/bin/update-ca-trust*"},
			"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "update-ca-trust extract", "/etc/pki/ca-trust/extracted/pem/directory-hash", "",
		},
		{
			"el8",
			[]string{"etc/os-release=ID=rocky", "etc/pki/ca-trust/source/blacklist/", "usr/bin/update-ca-trust*"},
			"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "update-ca-trust extract", "!", "",
		},
		{
			"el6",
			[]string{"etc/redhat-release=CentOS release 6.10 (Final)", "etc/pki/tls/certs/ca-bundle.crt"},
			"/etc/pki/tls/certs/ca-bundle.crt", "", "!", "",
		},
		{
			"opensuse",
			[]string{"etc/os-release=ID=opensuse-leap", "etc/pki/trust/anchors/", "var/lib/ca-certificates/pem/", "usr/sbin/update-ca-certificates*"},
			"/var/lib/ca-certificates/ca-bundle.pem", "update-ca-certificates", "/etc/ssl/certs", "",
		},
		{
			"arch",
			[]string{"etc/os-release=ID=arch", "etc/ca-certificates/trust-source/anchors/", "usr/bin/update-ca-trust*"},
			"/etc/ca-certificates/extracted/tls-ca-bundle.pem", "update-ca-trust", "/etc/ssl/certs", "",
		},
		{
			"nixos",
			[]string{"etc/NIXOS", "etc/ssl/certs/ca-certificates.crt -> /nix/store/x/ca-bundle.crt"},
			"/etc/ssl/certs/ca-certificates.crt", "", "!", "nixos",
		},
		{
			"nix store under another name",
			[]string{"etc/os-release=ID=foo", "nix/store/x/ca-bundle.crt", "etc/ssl/certs/ca-certificates.crt -> /nix/store/x/ca-bundle.crt"},
			"/etc/ssl/certs/ca-certificates.crt", "", "!", "nixos",
		},
		{
			"silverblue",
			[]string{"etc/os-release=ID=fedora", "ostree/repo/", "etc/pki/ca-trust/extracted/", "usr/bin/update-ca-trust*"},
			"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "update-ca-trust extract", "!", "",
		},
		{
			"microos",
			[]string{"etc/os-release=ID=opensuse-microos", "etc/pki/trust/anchors/", "usr/sbin/update-ca-certificates*"},
			"/var/lib/ca-certificates/ca-bundle.pem", "update-ca-certificates", "!/etc/ssl/certs", "transactional",
		},
		{
			"unknown with a bundle",
			[]string{"etc/os-release=ID=buildroot", "etc/ssl/cert.pem"},
			"/etc/ssl/cert.pem", "", "!", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := layoutView(t, tt.files...)
			l := v.StoreLayout()
			if l == nil {
				t.Fatalf("no layout for family %q", v.Distro.Family)
			}
			hashDir := l.HashDir
			if !l.Hashes {
				hashDir = "!" + hashDir
			}
			if l.Bundle != tt.bundle || strings.Join(l.Rebuild, " ") != tt.rebuild || hashDir != tt.hashDir || l.Managed != tt.managed {
				t.Errorf("bundle %s, rebuild %q, hashes %s, managed %q", l.Bundle, l.Rebuild, hashDir, l.Managed)
			}
			if l.Managed != "" && len(l.Recipe) == 0 {
				t.Error("a managed store needs a recipe")
			}
			if len(l.Rebuild) > 0 && (l.Anchors == "" || len(l.Fresh) == 0) {
				t.Errorf("a rebuild without anchors or fresh: %+v", l)
			}
		})
	}
	if l := layoutView(t, "etc/os-release=ID=buildroot").StoreLayout(); l != nil {
		t.Errorf("nothing known and nothing there: %+v", l)
	}
	if l := (&View{OS: "darwin"}).StoreLayout(); l != nil {
		t.Errorf("macOS keeps its store in keychains: %+v", l)
	}
}

// Only one of the two names is the directory that p11-kit reads.
func TestStoreLayoutBlocklist(t *testing.T) {
	for dir, want := range map[string]string{"blacklist": "/etc/pki/ca-trust/source/blacklist", "blocklist": "/etc/pki/ca-trust/source/blocklist"} {
		for range 2 { // the table itself must not change
			l := layoutView(t, "etc/os-release=ID=rocky", "etc/pki/ca-trust/source/"+dir+"/", "usr/bin/update-ca-trust*").StoreLayout()
			if l.Blocklist[0] != want {
				t.Errorf("%s: %v", dir, l.Blocklist)
			}
		}
	}
}

func TestPackageManager(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  string // name and repositories
	}{
		{"apt", []string{
			"etc/os-release=ID=debian", "var/lib/dpkg/status", "usr/bin/apt-get*", "usr/bin/dnf*",
			"etc/apt/sources.list=# deb http://no\ndeb [arch=amd64 signed-by=/x] https://mirror.example/debian bookworm main # c\ndeb-src http://src x y\n",
			"etc/apt/sources.list.d/local.list=deb [trusted=yes] file:/srv/repo ./\n",
			"etc/apt/sources.list.d/debian.sources=Types: deb deb-src\nURIs: http://deb.example/debian\n  http://deb2.example/debian\nSuites: trixie\n\nEnabled: no\nTypes: deb\nURIs: http://off.example/\n",
			"etc/apt/sources.list.d/ignored.save=deb http://ignored x y\n",
		}, "apt https://mirror.example/debian file:/srv/repo http://deb.example/debian http://deb2.example/debian"},
		{"dnf", []string{
			"etc/os-release=ID=fedora", "etc/pki/ca-trust/", "usr/bin/dnf*", "usr/bin/yum -> dnf",
			"etc/yum.repos.d/a.repo=[a]\nmetalink=https://mirrors.example/metalink?repo=a&arch=$basearch\n[b]\nenabled=0\nbaseurl=https://off.example/\n[c]\nbaseurl=https://one.example/$releasever/\n  file:///srv/repo\n#baseurl=http://no\n",
		}, "dnf https://mirrors.example/metalink?repo=a&arch=basearch https://one.example/releasever/ file:///srv/repo"},
		{
			"apk",
			[]string{"etc/os-release=ID=alpine", "sbin/apk*", "etc/apk/repositories=https://cdn.example/v3.22/main\n#http://no\n@edge https://edge.example/x\n/media/cdrom\n"},
			"apk https://cdn.example/v3.22/main https://edge.example/x file:///media/cdrom",
		},
		{
			"pacman",
			[]string{"etc/os-release=ID=arch", "usr/bin/pacman*", "etc/pacman.d/mirrorlist=#Server = https://no\nServer = https://arch.example/$repo/os/$arch\n"},
			"pacman https://arch.example/repo/os/arch",
		},
		{"none", []string{"etc/os-release=ID=debian", "var/lib/dpkg/status"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pm := layoutView(t, tt.files...).PackageManager()
			got := ""
			if pm != nil {
				got = pm.Name
				for _, u := range pm.Sources {
					got += " " + u.String()
				}
				if pm.Lists != (pm.Name != "apt") {
					t.Errorf("lists: %v", pm.Lists)
				}
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestPackageInstalled(t *testing.T) {
	status := "Package: ca-certificates\nStatus: install ok installed\nVersion: 1\n\nPackage: openssl\nStatus: deinstall ok config-files\n"
	for _, tt := range []struct {
		files            []string
		pkg              string
		installed, known bool
	}{
		{[]string{"var/lib/dpkg/status=" + status}, "ca-certificates", true, true},
		{[]string{"var/lib/dpkg/status=" + status}, "openssl", false, true},
		{[]string{"var/lib/dpkg/status=" + status}, "ca-cert", false, true},
		{[]string{"lib/apk/db/installed=C:x\nP:ca-certificates-bundle\nV:1\n"}, "ca-certificates-bundle", true, true},
		{[]string{"lib/apk/db/installed=C:x\nP:ca-certificates-bundle\nV:1\n"}, "ca-certificates", false, true},
		{[]string{"var/lib/pacman/local/ca-certificates-mozilla-3.110-1/"}, "ca-certificates-mozilla", true, true},
		{[]string{"var/lib/pacman/local/ca-certificates-mozilla-3.110-1/"}, "ca-certificates", false, true},
		{[]string{"var/lib/rpm/rpmdb.sqlite"}, "ca-certificates", false, false},
	} {
		installed, known := layoutView(t, tt.files...).PackageInstalled(tt.pkg)
		if installed != tt.installed || known != tt.known {
			t.Errorf("%s in %.60q: %v, %v", tt.pkg, tt.files, installed, known)
		}
	}
}
