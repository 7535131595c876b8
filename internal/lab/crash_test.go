//go:build linux

package lab

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hold makes update-ca-certificates wait in its hook, in the middle of an
// apply, until the returned function is called.
func (s *Sandbox) hold() (release func()) {
	s.t.Helper()
	s.Write("/etc/ca-certificates/update.d/hold", "#!/bin/sh\n: >/run/holding\nwhile [ -e /run/hold ]; do sleep 0.05; done\ncat >/dev/null\n")
	s.Must("chmod 755 /etc/ca-certificates/update.d/hold; : >/run/hold")
	return func() { s.Must("rm -f /run/hold /run/holding") }
}

// until waits for a condition; the test fails when it does not come true.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// kill -9 in the middle of the package manager's work: nobody is confused, a
// second run is refused meanwhile, and the next one recovers and says how.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	release := s.hold()
	s.Write("/root/.config/pip/pip.conf", "[global]\ntrusted-host = pypi.org\n")
	s.Must("rm " + bundle)
	before := s.Snapshot()
	p, err := s.Start(TrustfixCmd("--apply"))
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the store is being rebuilt", func() bool { return s.Exists("/run/holding") })

	if r := s.Trustfix("--apply"); r.Code != 6 {
		t.Errorf("a second run at the same time: %s", r)
	}
	if r := s.Trustfix("rollback"); r.Code != 6 {
		t.Errorf("a rollback at the same time: %s", r)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	release()
	until(t, "the package manager has ended", func() bool { return s.Run("pgrep", "-f", "apt-get|dpkg|update-ca-cert").Code != 0 })

	if doc := s.Diagnose(3); len(doc.Find("run-interrupted")) != 1 {
		t.Errorf("the interrupted run is not reported:\n%s", doc)
	}
	r := s.Trustfix("--apply", "--lang", "en")
	if r.Code != 0 || !strings.Contains(r.Stdout, "cut short") {
		t.Fatalf("recovery: %s", r)
	}
	t.Logf("recovered:\n%s", r.Stdout)
	s.Clients(true, Curl("pypi.org"), Pip(""))
	if got := s.Read("/root/.config/pip/pip.conf"); strings.Contains(got, "trusted-host") {
		t.Errorf("pip.conf: %q", got)
	}
	s.rollbackAll()
	if d := s.Changes(before, packageState...); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}

// rollbackAll rolls back until there is nothing left to roll back.
func (s *Sandbox) rollbackAll() {
	s.t.Helper()
	for range 5 {
		before := s.Snapshot()
		if r := s.Trustfix("rollback"); r.Code != 0 {
			s.t.Fatalf("rollback: %s", r)
		}
		if len(s.Changes(before, "/var/lib/trustfix")) == 0 {
			return
		}
	}
	s.t.Error("rollback does not end")
}

// kill -9 at many moments of an apply that edits many files: every file is as
// before or as after, and the next run brings order.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.InstallConda()
	const off = "# mine\nssl_verify: false\nalways_yes: true\n"
	const on = "# mine\nalways_yes: true\n"
	for _, f := range condarcs {
		s.Write(f, off)
	}
	before := s.Snapshot()
	whole := s.Exec(TrustfixCmd("--apply", "--offline"))
	if whole.Code != 0 {
		t.Fatalf("apply: %s", whole)
	}
	s.rollbackAll()
	const moments = 12
	states := map[string]int{}
	for i := range moments {
		p, err := s.Start(TrustfixCmd("--apply", "--offline"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole.Took * time.Duration(i+1) / (moments + 1))
		_ = p.Kill()
		if _, err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, f := range condarcs {
			switch s.Read(f) {
			case on:
				done++
			case off:
			default:
				t.Fatalf("moment %d: %s is neither: %q", i, f, s.Read(f))
			}
		}
		switch done {
		case 0:
			states["nothing done"]++
		case len(condarcs):
			states["everything done"]++
		default:
			states["some done"]++
		}
		r := s.Trustfix("--apply", "--offline")
		if r.Code != 0 {
			t.Fatalf("moment %d: the next run: %s", i, r)
		}
		for _, f := range condarcs {
			if s.Read(f) != on {
				t.Fatalf("moment %d: %s after the next run: %q", i, f, s.Read(f))
			}
		}
		s.rollbackAll()
		if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
			t.Fatalf("moment %d: not byte for byte:\n%s", i, strings.Join(d, "\n"))
		}
	}
	t.Log(states)

	// The same of a rollback: repeated, it ends where it would have ended.
	if r := s.Trustfix("--apply", "--offline"); r.Code != 0 {
		t.Fatalf("apply: %s", r)
	}
	whole = s.Trustfix("rollback")
	for i := range moments / 2 {
		if r := s.Trustfix("--apply", "--offline"); r.Code != 0 {
			t.Fatalf("rollback %d: apply: %s", i, r)
		}
		p, err := s.Start(TrustfixCmd("rollback"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole.Took * time.Duration(i+1) / (moments/2 + 1))
		_ = p.Kill()
		if _, err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		s.rollbackAll()
		if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
			t.Fatalf("rollback %d: not byte for byte:\n%s", i, strings.Join(d, "\n"))
		}
	}
}

// A disk that is full where the file is, or where the journal is: the file is
// as before, and it is said.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const off = "ssl_verify: false\nchannels: [defaults]\n"
	for name, dir := range map[string]string{"the file's": "/root", "the journal's": "/var/lib/trustfix"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.InstallConda()
			s.Must("mkdir -p " + dir)
			if err := s.in(func() error { return unix.Mount("full", dir, "tmpfs", 0, "size=64k,mode=700") }); err != nil {
				t.Fatal(err)
			}
			s.Write("/root/.condarc", off)
			s.Must("cat /dev/zero >" + dir + "/filler 2>/dev/null || true")
			r := s.Trustfix("--apply", "--offline")
			if r.Code == 0 || r.Code == 2 || strings.Contains(r.Stderr, "goroutine ") {
				t.Errorf("on a full disk: %s", r)
			}
			if !strings.Contains(r.Stdout+r.Stderr, "space") {
				t.Errorf("the reason is not named: %s", r)
			}
			if got := s.Read("/root/.condarc"); got != off {
				t.Errorf("condarc became %q", got)
			}
			s.Must("rm " + dir + "/filler")
			if r := s.Trustfix("--apply", "--offline"); r.Code != 0 {
				t.Errorf("with space again: %s", r)
			}
			if got := s.Read("/root/.condarc"); got != "channels: [defaults]\n" {
				t.Errorf("condarc became %q", got)
			}
			s.rollbackAll()
			if got := s.Read("/root/.condarc"); got != off {
				t.Errorf("condarc became %q", got)
			}
		})
	}
}
