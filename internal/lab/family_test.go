//go:build linux

package lab

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// A sandbox of each family is a healthy system of it: its clients trust the
// world and refuse an interceptor, and trustfix finds nothing.
func TestFamilies(t *testing.T) {
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family, Hosts: Hosts{"intercepted.example": Intercept}})
			for _, host := range []string{"pypi.org", "intercepted.example"} {
				s.Clients(host == "pypi.org", Curl(host), Urllib(host))
			}
			doc := s.Diagnose(0)
			for _, f := range doc.Errors() {
				t.Errorf("something is wrong: %s", f)
			}
			if len(doc.Stores) != 1 || doc.Stores[0].Status != "ok" || doc.Stores[0].Path != familyBundles[family] {
				t.Errorf("stores: %+v", doc.Stores)
			}
		})
	}
}

var familyBundles = map[Suite]string{
	Fedora: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	SUSE:   "/var/lib/ca-certificates/ca-bundle.pem",
	Arch:   "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
	Alpine: "/etc/ssl/certs/ca-certificates.crt",
}

// familySources are where each keeps what its tool reads, and familyAnchors
// and familyBlocklists the administrator's own.
var (
	familySources = map[Suite]string{
		Fedora: "/usr/share/pki/ca-trust-source", SUSE: "/usr/share/pki/trust", Arch: "/usr/share/ca-certificates/trust-source", Alpine: "/usr/share/ca-certificates/mozilla",
	}
	familyAnchors = map[Suite]string{
		Fedora: "/etc/pki/ca-trust/source/anchors", SUSE: "/etc/pki/trust/anchors", Arch: "/etc/ca-certificates/trust-source/anchors", Alpine: "/usr/local/share/ca-certificates",
	}
	familyTools = map[Suite]string{
		Fedora: "update-ca-trust extract", SUSE: "update-ca-certificates", Arch: "update-ca-trust", Alpine: "update-ca-certificates",
	}
	familyBlocklists = map[Suite]string{
		Fedora: "/etc/pki/ca-trust/source/blocklist", SUSE: "/etc/pki/trust/blocklist", Arch: "/etc/ca-certificates/trust-source/blocklist",
	}
)

// familyState is what the package managers keep of their own work.
var familyState = append(slices.Clone(packageState), "/var/lib/rpm", "/var/lib/dnf", "/var/lib/zypp", "/var/lib/pacman", "/etc/zypp", "/var/lib/YaST2", "/etc/ld.so.cache")

// The store of each family is broken in every way; the real clients fail;
// trustfix repairs it with the family's own tool or package manager; they work;
// a second apply does nothing; rollback brings the broken state back byte for byte.
func TestBrokenStoreOfFamilies(t *testing.T) {
	for _, family := range Families {
		gone := "rm -rf " + familySources[family] + "/* " + familyBundles[family]
		if family == Alpine { // without a package, links that lead nowhere stay so
			gone += "; find /etc/ssl/certs -type l -delete"
		}
		bundle, sources, tool := familyBundles[family], familySources[family], familyTools[family]
		for _, c := range []struct {
			name, how    string
			finding, fix string
			args         []string
			clients      []Cmd // that fail before
		}{
			{name: "removed", how: "rm " + bundle, finding: "store-missing", fix: "rebuild-store"},
			{name: "emptied", how: ": >" + bundle, finding: "store-empty", fix: "rebuild-store"},
			{name: "truncated", how: "truncate -s 3000 " + bundle, finding: "store-corrupt", fix: "rebuild-store"},
			{name: "unreadable", how: "chmod 000 " + bundle, finding: "store-unreadable", fix: "rebuild-store", clients: []Cmd{{Argv: Curl("pypi.org").Argv, User: "lin"}}},
			{name: "a dangling link", how: "ln -sf /nonexistent/bundle.crt " + bundle, finding: "store-missing", fix: "rebuild-store"},
			{name: "no sources", how: gone, finding: "store-missing", fix: "reinstall-store"},
			{name: "no sources offline", how: gone, finding: "store-missing", fix: "reinstall-store", args: []string{"--offline"}},
			{name: "sources emptied and rebuilt", how: "find " + sources + " -type f -exec truncate -s 0 {} +; " + tool + "; : >" + bundle, finding: "store-empty", fix: "reinstall-store"},
		} {
			t.Run(string(family)+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				s := Start(t, Config{Suite: family})
				if c.clients == nil {
					c.clients = []Cmd{Curl("pypi.org")} // Python reads the hashed directory too
				}
				s.Must(c.how)
				s.repairs(c.finding, c.fix, c.clients, c.args...)
			})
		}
	}
}

// repairs is the whole way there and back. Arguments that are paths are what
// the rollback may leave.
func (s *Sandbox) repairs(finding, fix string, clients []Cmd, args ...string) {
	s.t.Helper()
	broken := s.Snapshot()
	s.Clients(false, clients...)
	args, except := split(args)
	found := s.Diagnose(3, args...)
	if len(found.Find(finding)) != 1 {
		s.t.Errorf("no %s:\n%s", finding, found)
	}
	if d := s.Changes(broken); len(d) > 0 {
		s.t.Errorf("a diagnosis changed:\n%s", strings.Join(d, "\n"))
	}
	applied := s.Diagnose(0, append([]string{"--apply"}, args...)...)
	if applied.Run == nil || applied.Run.State != "applied" || !strings.Contains(applied.String(), fix) {
		s.t.Fatalf("not applied, or not by %s:\n%s", fix, applied)
	}
	s.Clients(true, clients...)
	s.Clients(true, Curl("pypi.org"), Urllib("pypi.org"))
	repaired := s.Snapshot()
	if again := s.Diagnose(0, append([]string{"--apply"}, args...)...); again.Run != nil {
		s.t.Errorf("applied twice:\n%s", again)
	}
	if d := s.Changes(repaired, "/var/lib/trustfix"); len(d) > 0 {
		s.t.Errorf("the second apply changed:\n%s", strings.Join(d, "\n"))
	}
	if r := s.Trustfix("rollback"); r.Code != 0 {
		s.t.Fatalf("rollback: %s", r)
	}
	if d := s.Changes(broken, append(except, familyState...)...); len(d) > 0 {
		s.t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
	s.Clients(false, clients...)
}

// split tells paths that a rollback may leave from arguments of trustfix.
func split(all []string) (args, except []string) {
	for _, a := range all {
		if strings.HasPrefix(a, "/") {
			except = append(except, a)
		} else {
			args = append(args, a)
		}
	}
	return args, except
}

// The package manager's own mirror is behind https, which needs the store.
func TestBrokenStoreBehindHTTPSOfFamilies(t *testing.T) {
	for _, family := range Families {
		if family == Alpine {
			continue // no package manager
		}
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family})
			s.Must("sed -i 's#\\(file\\|dir\\)://\\?/srv/repo#https://" + mirror + "/debian#' /etc/yum.repos.d/*.repo /etc/zypp/repos.d/*.repo /etc/pacman.conf 2>/dev/null || true")
			s.Must("rm -rf " + familySources[family] + "/* " + familyBundles[family])
			s.repairs("store-missing", "reinstall-store", []Cmd{Curl("pypi.org")})
			asked := false
			for _, e := range s.World.Events("request") {
				asked = asked || e.Name == mirror && strings.Contains(e.Detail, "/ca-certificates")
			}
			if !asked {
				t.Errorf("the package did not come from the mirror: %v", s.World.Events("request"))
			}

			// The same behind an interceptor: its word is not taken.
			s.Map(Hosts{mirror: Intercept}, nil)
			s.World.Forget()
			s.Trustfix("--apply")
			for _, e := range s.World.Events("request") {
				if e.Name == mirror {
					t.Errorf("the interceptor was asked: %s", e)
				}
			}
		})
	}
}

// The package is not installed at all.
func TestInstallStoreOfFamilies(t *testing.T) {
	for family, how := range map[Suite]string{
		Fedora: "rpm -e --nodeps ca-certificates",
		SUSE:   "rpm -e --nodeps ca-certificates ca-certificates-mozilla",
		Arch:   "pacman -Rdd --noconfirm ca-certificates ca-certificates-mozilla ca-certificates-utils >/dev/null",
	} {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family})
			s.Must(how + "; rm -f " + familyBundles[family])
			// Whether rpm has a package cannot be asked without writing to its
			// database: there the package stays, and what is not about trust of it.
			s.repairs("store-missing", "install-store", []Cmd{Curl("pypi.org")}, "/usr/bin/update-ca-trust", "/etc/pki/tls", "/usr/sbin/update-ca-certificates")
		})
	}
}

// One root that the package ships lies on the administrator's blocklist: it is
// theirs to say, and only its fingerprint brings it back.
func TestBlockedRootOfFamilies(t *testing.T) {
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family})
			root := s.World.pki.CA("root")
			if family == Alpine {
				s.Must("sed -i 's|^mozilla/" + mozillaName("root") + "|!&|' /etc/ca-certificates.conf")
			} else {
				s.Write(familyBlocklists[family]+"/blocked.pem", root.PEM())
			}
			s.Must(familyTools[family])
			before := s.Snapshot()
			s.Clients(false, Curl("pypi.org"), Urllib("pypi.org"))
			doc := s.Diagnose(3, "--apply")
			if found := doc.Find("store-deselected"); len(found) != 1 || found[0].Action != "consent" || doc.Run != nil {
				t.Errorf("not left to its owner:\n%s", doc)
			}
			if d := s.Changes(before); len(d) > 0 {
				t.Errorf("changed without consent:\n%s", strings.Join(d, "\n"))
			}
			s.repairs("store-deselected", "reselect-roots", []Cmd{Curl("pypi.org"), Urllib("pypi.org")}, "--trust-ca", root.SHA256())
		})
	}
}

// A corporate CA, with consent, goes where this family's administrators put it.
func TestPrivateCAOfFamilies(t *testing.T) {
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family, Hosts: Hosts{"intern.example": Private}})
			ca, target := s.World.pki.CA("campus"), []string{"--target", "https://intern.example/"}
			before := s.Snapshot()
			if doc := s.Diagnose(3, append(target, "--apply")...); doc.Run != nil {
				t.Errorf("trusted without consent:\n%s", doc)
			}
			if d := s.Changes(before); len(d) > 0 {
				t.Errorf("changed without consent:\n%s", strings.Join(d, "\n"))
			}
			s.repairs("server-private-ca", "add-private-ca", []Cmd{Curl("intern.example"), Urllib("intern.example")}, append(target, "--trust-ca", ca.SHA256())...)
			s.Diagnose(0, append(target, "--apply", "--trust-ca", ca.SHA256())...)
			if !strings.Contains(s.Must("ls "+familyAnchors[family]), ".") {
				t.Errorf("nothing in %s", familyAnchors[family])
			}
		})
	}
}

// A root whose key everybody has stands among the administrator's own.
func TestCompromisedRootOfFamilies(t *testing.T) {
	pem, err := os.ReadFile("../../bundles/testdata/badssl/ca-superfish.crt")
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family})
			s.Write(familyAnchors[family]+"/superfish.crt", string(pem))
			s.Must(familyTools[family])
			before := s.Snapshot()
			count := "grep -c BEGIN " + familyBundles[family]
			was := s.Must(count)
			doc := s.Diagnose(0, "--apply")
			if len(doc.Find("store-compromised-root")) != 1 || doc.Run == nil || !strings.Contains(doc.String(), "distrust-root") {
				t.Fatalf("not distrusted:\n%s", doc)
			}
			if is := s.Must(count); is == was {
				t.Errorf("the bundle still has it: %s", is)
			}
			s.Clients(true, Curl("pypi.org"), Urllib("pypi.org"))
			if again := s.Diagnose(0, "--apply"); again.Run != nil {
				t.Errorf("applied twice:\n%s", again)
			}
			if r := s.Trustfix("rollback"); r.Code != 0 {
				t.Fatalf("rollback: %s", r)
			}
			if d := s.Changes(before, familyState...); len(d) > 0 {
				t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
			}
		})
	}
}

// The hash links are gone, which only readers of the directory notice.
func TestUnindexedStoreOfFamilies(t *testing.T) {
	for family, dir := range map[Suite]string{
		Fedora: "/etc/pki/ca-trust/extracted/pem/directory-hash", SUSE: "/var/lib/ca-certificates/pem", Arch: "/etc/ssl/certs", Alpine: "/etc/ssl/certs",
	} {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family})
			s.Must("find " + dir + "/ -name '*.[0-9]' -delete")
			reader := Urllib("pypi.org")
			reader.Env = []string{"SSL_CERT_FILE=/nonexistent", "SSL_CERT_DIR=" + dir}
			s.repairs("store-unindexed", "rebuild-store", []Cmd{reader})
		})
	}
}

// The package's list is old and lacks the root that a configured server needs:
// the newest package brings it.
func TestStaleStoreOfFamilies(t *testing.T) {
	for _, family := range Families {
		t.Run(string(family), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: family})
			if family == Alpine {
				s.Must("rm /usr/share/ca-certificates/mozilla/" + mozillaName("root"))
			} else { // objects are divided by their header
				s.Must(`f=$(find ` + familySources[family] + ` -name '*.p11-kit'); awk 'BEGIN{RS="\\[p11-kit-object-v1\\]\n"; ORS=""} NR>1 && !/label: "` + strings.TrimSuffix(mozillaName("root"), ".crt") + `"/ {print "[p11-kit-object-v1]\n" $0}' "$f" >/tmp/new && cat /tmp/new >"$f"`)
			}
			s.Must(familyTools[family])
			s.repairs("store-stale", "reinstall-store", []Cmd{Curl("pypi.org"), Urllib("pypi.org")})
		})
	}
}
