//go:build linux

package lab

import (
	"strings"
	"testing"
)

const bundle = "/etc/ssl/certs/ca-certificates.crt"

// packageState is what a package manager keeps of its own work. It is never
// restored as files (PRODUCT.md §6), and trustfix keeps its journal.
var packageState = []string{"/var/lib/dpkg", "/var/lib/apt", "/var/cache", "/var/log", "/var/lib/trustfix"}

// The OS store is broken in every way a person manages to; the real clients
// fail; trustfix repairs it with the real apt; they work; rollback brings back
// the broken state byte for byte.
func TestBrokenStore(t *testing.T) {
	t.Parallel()
	asLin := func(c Cmd) Cmd { c.User = "lin"; return c }
	// Reads the hashed directory only: its file does not exist.
	directory := Urllib("pypi.org")
	directory.Env = []string{"SSL_CERT_FILE=/nonexistent"}
	everyone := []Cmd{Curl("pypi.org"), Pip(""), Requests("pypi.org")}
	for _, c := range []struct {
		name, how string
		finding   string
		clients   []Cmd
	}{
		{name: "removed", how: "rm " + bundle, finding: "store-missing", clients: everyone},
		{name: "emptied", how: ": >" + bundle, finding: "store-empty", clients: everyone},
		{name: "truncated", how: "truncate -s 3000 " + bundle, finding: "store-corrupt", clients: everyone},
		{name: "unreadable", how: "chmod 000 " + bundle, finding: "store-unreadable", clients: []Cmd{asLin(Curl("pypi.org")), asLin(Requests("pypi.org"))}},
		{name: "a dangling link", how: "ln -sf /nonexistent/bundle.crt " + bundle, finding: "store-missing", clients: everyone},
		{name: "hash links gone", how: "find /etc/ssl/certs -type l -name '*.[0-9]' -delete", finding: "store-unindexed", clients: []Cmd{directory}},
		{name: "everything deselected", how: "sed -i 's/^[^#!]/!&/' /etc/ca-certificates.conf; update-ca-certificates >/dev/null 2>&1; : >" + bundle, finding: "store-deselected", clients: everyone},
		{name: "no certificates at all", how: "rm -rf /usr/share/ca-certificates/mozilla /etc/ssl/certs/*", finding: "store-missing", clients: everyone},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.Must(c.how)
			broken := s.Snapshot()
			s.Clients(false, c.clients...)

			found := s.Diagnose(3)
			if len(found.Find(c.finding)) != 1 {
				t.Errorf("no %s:\n%s", c.finding, found)
			}
			if d := s.Changes(broken); len(d) > 0 {
				t.Errorf("a diagnosis changed:\n%s", strings.Join(d, "\n"))
			}

			applied := s.Diagnose(0, "--apply")
			if applied.Run == nil || applied.Run.State != "applied" {
				t.Fatalf("not applied:\n%s", applied)
			}
			s.Clients(true, c.clients...)
			s.Clients(true, everyone...)
			repaired := s.Snapshot()
			if again := s.Diagnose(0, "--apply"); again.Run != nil {
				t.Errorf("applied twice:\n%s", again)
			}
			if d := s.Changes(repaired, "/var/lib/trustfix"); len(d) > 0 {
				t.Errorf("the second apply changed:\n%s", strings.Join(d, "\n"))
			}

			if r := s.Trustfix("rollback"); r.Code != 0 {
				t.Fatalf("rollback: %s", r)
			}
			if d := s.Changes(broken, packageState...); len(d) > 0 {
				t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
			}
			s.Clients(false, c.clients...)
		})
	}
}

// The mirror that could repair the store is itself behind https, which needs
// the store. trustfix verifies it with its own roots, for that one command.
func TestBrokenStoreBehindHTTPS(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.Write("/etc/apt/sources.list", "deb [trusted=yes] https://"+mirror+"/debian ./\n")
	s.Must("apt-get -qq update; rm -rf /usr/share/ca-certificates/mozilla /etc/ssl/certs/*")
	if r := s.Run("apt-get", "-y", "-qq", "-o", "Acquire::Retries=0", "install", "--reinstall", "--download-only", "ca-certificates"); r.Code == 0 {
		t.Fatalf("apt trusts the mirror: %s", r)
	}
	doc := s.Diagnose(0, "--apply")
	if doc.Run == nil || !strings.Contains(doc.String(), "reinstall-store") {
		t.Fatalf("not repaired by the package manager:\n%s", doc)
	}
	s.Clients(true, Curl("pypi.org"), Pip(""), Requests("pypi.org"))
	asked := false
	for _, e := range s.World.Events("request") {
		asked = asked || e.Name == mirror && strings.Contains(e.Detail, "ca-certificates_")
	}
	if !asked {
		t.Error("the package did not come from the mirror")
	}
	s.Must("apt-get -qq -y install --reinstall ca-certificates >/dev/null 2>&1") // apt itself verifies again
	if r := s.Run("grep", "-rl", "CaInfo\\|Verify-Peer", "/etc/apt"); r.Stdout != "" {
		t.Errorf("left in apt's configuration: %s", r)
	}

	// The same behind an interceptor: its word is not taken.
	s.Must("rm -rf /usr/share/ca-certificates/mozilla /etc/ssl/certs/* /var/cache/apt/archives/*.deb")
	s.Map(Hosts{mirror: Intercept}, nil)
	s.World.Forget()
	s.Trustfix("--apply")
	for _, e := range s.World.Events("request") {
		if e.Name == mirror {
			t.Errorf("the interceptor was asked: %s", e)
		}
	}
}

// No package manager, or one that can bring nothing: the roots inside trustfix.
func TestBrokenStoreWithoutPackages(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]string{
		"no package manager":     "rm -f /usr/bin/apt-get /usr/bin/apt /usr/bin/dpkg",
		"an empty repository":    ": >/etc/apt/sources.list; apt-get -qq update",
		"no network and no tool": "rm -f /usr/sbin/update-ca-certificates /usr/bin/apt-get /usr/bin/apt /usr/bin/dpkg",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.Must(how + "; rm -rf /usr/share/ca-certificates/mozilla /etc/ssl/certs/*")
			before := s.Snapshot()
			s.Clients(false, Curl("pypi.org"))
			doc := s.Diagnose(0, "--apply")
			if doc.Run == nil {
				t.Fatalf("not repaired:\n%s", doc)
			}
			s.Clients(true, Curl("pypi.org"), Requests("conda.anaconda.org"), Pip(""))
			s.Map(Hosts{"pypi.org": Intercept}, nil)
			s.Clients(false, Curl("pypi.org"))
			s.Map(nil, nil)
			if r := s.Trustfix("rollback"); r.Code != 0 {
				t.Fatalf("rollback: %s", r)
			}
			if d := s.Changes(before, append(packageState, "/etc/hosts")...); len(d) > 0 {
				t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
			}
		})
	}
}
