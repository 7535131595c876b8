//go:build linux

package lab

import (
	"regexp"
	"strings"
	"testing"
)

// Without rights: what is the user's is repaired, the rest is one exact line
// for an administrator, and the exit code says that something is left.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.InstallConda()
	s.Must("rm " + bundle)
	s.Write("/etc/pip.conf", "[global]\ntrusted-host = pypi.org\n")
	s.WriteAs(linHome+"/.condarc", "ssl_verify: false # slow mirror\nchannels: [defaults]\n")
	before := s.Snapshot()

	as := func(args ...string) Cmd { c := TrustfixCmd(args...); c.User = "lin"; return c }
	r := s.Exec(as("--apply", "--lang", "en"))
	if r.Code != 3 {
		t.Errorf("%s", r)
	}
	if got := s.Read(linHome + "/.condarc"); strings.Contains(got, "ssl_verify") || !strings.Contains(got, "channels: [defaults]\n") {
		t.Errorf("lin's condarc: %q", got)
	}
	for _, d := range s.Changes(before) {
		if !strings.HasPrefix(d, linHome) {
			t.Errorf("not lin's: %s", d)
		}
	}
	line := regexp.MustCompile(`(?m)^\s*sudo (\S*trustfix) (.*--apply.*--only .*)$`).FindStringSubmatch(r.Stdout)
	if line == nil {
		t.Fatalf("no line to copy:\n%s", r)
	}
	// The line works as it is, for the person whom it is for.
	admin := s.Exec(Cmd{Argv: []string{"/bin/sh", "-c", line[1] + " " + line[2] + " --reference-roots +" + ReferenceRoots}})
	if admin.Code != 0 {
		t.Errorf("the line's exit code: %s", admin)
	}
	s.Clients(true, Curl("pypi.org"), Pip(""))
	if got := s.Read("/etc/pip.conf"); strings.Contains(got, "trusted-host") {
		t.Errorf("pip.conf: %q", got)
	}
	if r := s.Exec(as()); r.Code != 0 {
		t.Errorf("lin, afterwards: %s", r)
	}

	// Each rolls back their own.
	if r := s.Exec(as("rollback")); r.Code != 0 {
		t.Errorf("lin's rollback: %s", r)
	}
	if got := s.Read(linHome + "/.condarc"); !strings.HasPrefix(got, "ssl_verify: false # slow mirror\n") {
		t.Errorf("lin's condarc: %q", got)
	}
	if r := s.Trustfix("rollback"); r.Code != 0 {
		t.Errorf("root's rollback: %s", r)
	}
	if d := s.Changes(before, append(packageState, linHome+"/.local")...); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}
