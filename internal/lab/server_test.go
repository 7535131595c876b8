//go:build linux

package lab

import (
	"strings"
	"testing"
)

// What is not this machine's fault is named and left alone.
func TestServerAtFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault     Fault
		id, blame string
		advice    string // something the operator has to be told
	}{
		{Expired, "server-expired", "server", "renew"},
		{NotYet, "server-not-yet-valid", "server", ""},
		{WrongHost, "server-hostname", "server", "other.example"},
		{Forged, "server-forged", "server", ""},
		{Constrained, "server-constraint", "server", ""},
		{WeakKey, "server-weak", "server", ""},
		{ClientOnly, "server-constraint", "server", ""},
		{TLS10, "server-tls-old", "server", ""},
		{PlainHTTP, "net-not-tls", "network", ""},
		{Reset, "net-reset", "network", ""},
		{Refused, "net-refused", "network", ""},
		{Hang, "net-timeout", "network", ""},
		{NoName, "net-dns", "network", ""},
	} {
		t.Run(c.id+" "+string(c.fault), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Hosts: Hosts{mirror: c.fault}})
			s.Write("/root/.config/pip/pip.conf", "[global]\nindex-url = https://"+mirror+"/pypi/simple\n")
			before := s.Snapshot()
			s.Clients(false, Pip(""))
			s.World.Forget()
			doc := s.Diagnose(3, "--apply", "--timeout", "5s")
			found := doc.Find(c.id)
			if len(found) != 1 || !strings.Contains(found[0].Where+found[0].Subject, mirror) || found[0].Fix != "" && found[0].Action == "auto" {
				t.Errorf("not named:\n%s", doc)
			}
			if len(doc.Errors()) != 1 {
				t.Errorf("one thing is wrong, not:\n%s", doc)
			}
			blamed := false
			for _, e := range doc.Endpoints {
				if strings.Contains(e.URL, mirror) {
					blamed = true
					if e.Fault != c.blame || e.Cause != c.id || e.Verdict == "ok" {
						t.Errorf("endpoint: %+v", e)
					}
				}
			}
			if !blamed {
				t.Error("the mirror is not among the endpoints")
			}
			if doc.Run != nil {
				t.Errorf("a run:\n%s", doc)
			}
			if d := s.Changes(before); len(d) > 0 {
				t.Errorf("changed:\n%s", strings.Join(d, "\n"))
			}
			text := s.Trustfix("--timeout", "5s")
			if text.Code != 3 || !strings.Contains(text.Stdout, c.id) || !strings.Contains(text.Stdout, mirror) || !strings.Contains(text.Stdout, c.advice) {
				t.Errorf("for people: %s", text)
			}
			s.stayedHome(mirror)
		})
	}
}

// stayedHome fails the test when anything was asked of a name that is neither
// configured, nor a default of a client that is installed, nor a time server.
func (s *Sandbox) stayedHome(configured ...string) {
	s.t.Helper()
	known := strings.Join(append(append(append(configured, "pypi.org", npmHost, aiaHost), timeServers...), dateServers...), " ")
	for _, e := range s.World.Events("dns", "hello", "request", "proxy") {
		if name := strings.TrimSuffix(e.Name, "."); name != "" && !strings.Contains(known, strings.TrimSuffix(name, ":443")) {
			s.t.Errorf("asked for %s", e)
		}
	}
}
