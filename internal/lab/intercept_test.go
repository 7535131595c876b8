//go:build linux

package lab

import (
	"strings"
	"testing"
)

// A proxy re-signs what every client sees. It is named; nothing changes until
// the user has named its CA.
func TestInterception(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{"pypi.org": Intercept, "files.pythonhosted.org": Intercept, "conda.anaconda.org": Intercept, "repo.anaconda.com": Intercept, npmHost: Intercept}})
	s.InstallConda()
	before := s.Snapshot()
	clients := []Cmd{Pip(""), s.CondaSearch()}
	if s.Run("sh", "-c", "command -v npm").Code == 0 { // has its roots compiled in
		clients = append(clients, Npm())
	}
	s.Clients(false, clients...)

	doc := s.Diagnose(3, "--apply")
	found := doc.Find("server-intercepted")
	if len(found) == 0 || !strings.Contains(doc.String(), "Zcorp") || found[0].Action != "consent" {
		t.Errorf("not named:\n%s", doc)
	}
	for _, e := range doc.Endpoints {
		if e.Fault != "network" {
			t.Errorf("blamed: %+v", e)
		}
	}
	if d := s.Changes(before); len(d) > 0 || doc.Run != nil {
		t.Errorf("changed without consent:\n%s", strings.Join(d, "\n"))
	}
	// Somebody else's fingerprint is no consent.
	s.Diagnose(3, "--apply", "--trust-ca", s.World.pki.CA("campus").SHA256())
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed with consent to another CA:\n%s", strings.Join(d, "\n"))
	}

	doc = s.Diagnose(0, "--apply", "--trust-ca", s.World.pki.CA("corp").SHA256())
	if doc.Run == nil {
		t.Fatalf("no run:\n%s", doc)
	}
	s.Clients(true, clients...)
	s.Clients(true, Curl("pypi.org"), Requests("conda.anaconda.org"))
	if r := s.Trustfix("rollback"); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, packageState...); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
	s.Clients(false, clients...)
}
