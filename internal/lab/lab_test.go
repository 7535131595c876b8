//go:build linux

package lab

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// A sandbox without any fault is a machine on which every client is content,
// and on which trustfix finds nothing, changes nothing and asks nobody but the
// configured servers and the time servers.
func TestHealthySandbox(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.InstallConda()
	before := s.Snapshot()
	s.Clients(true, Curl("pypi.org"), Requests("conda.anaconda.org"), Urllib("pypi.org"), Git("github.com"), Pip(""), s.CondaSearch())
	s.World.Forget()
	doc := s.Diagnose(0)
	if len(doc.Errors()) > 0 {
		t.Errorf("something is wrong:\n%s", doc)
	}
	for _, e := range doc.Endpoints {
		if e.Verdict != "ok" || e.Fault != "none" {
			t.Errorf("endpoint: %+v", e)
		}
	}
	if len(doc.Endpoints) < 2 || doc.Clock.Source != "ntp" {
		t.Errorf("endpoints: %+v, clock: %+v", doc.Endpoints, doc.Clock)
	}
	if doc := s.Diagnose(0, "--apply"); doc.Run != nil {
		t.Errorf("a run for nothing:\n%s", doc)
	}
	for _, args := range [][]string{{}, {"--dry-run"}, {"clients"}, {"history"}, {"explain", "verify-off"}, {"version"}} {
		if r := s.Trustfix(args...); r.Code != 0 || strings.Contains(r.Stderr, "goroutine ") {
			t.Errorf("trustfix %v: %s", args, r)
		}
	}
	if c := s.Changes(before); len(c) > 0 {
		t.Errorf("changed:\n%s", strings.Join(c, "\n"))
	}
	s.stayedHome("repo.anaconda.com")
	s.World.Forget()
	s.Diagnose(0, "--offline")
	if e := s.World.Events(); len(e) > 0 {
		t.Errorf("--offline asked: %v", e)
	}
}

// What is written to the journal of a sandbox is not on the machine.
func TestNothingReachesTheMachine(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.Write("/etc/trustfix-lab-was-here", "x")
	s.Write("/tmp/trustfix-lab-was-here", "x")
	for _, p := range []string{"/etc/trustfix-lab-was-here", "/tmp/trustfix-lab-was-here"} {
		if _, err := os.Lstat(p); err == nil {
			t.Errorf("%s is on the machine", p)
		}
	}
	if !slices.ContainsFunc(s.Changes(Tree{}), func(c string) bool {
		return strings.HasPrefix(c, "/etc/trustfix-lab-was-here: absent -> -rw-r--r-- 0:0 1 bytes")
	}) {
		t.Error("the sandbox does not see its own change")
	}
	if r := s.Run("/bin/sh", "-c", `date -s "@$(date +%s)"`); r.Code == 0 {
		t.Fatal("a sandbox may set the clock")
	}
	if r := s.Run("curl", "-sS", "--max-time", "2", "http://192.0.2.1/"); r.Code == 0 {
		t.Error("a sandbox reaches the network")
	}
}
