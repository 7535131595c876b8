//go:build linux

package lab

import (
	"regexp"
	"slices"
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

// Under sudo it is about the person who called it: their files are repaired
// and stay theirs, and what they could have planted does not run as root.
func TestUnderSudo(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	const planted = "#!/bin/sh\nid -u >>/tmp/ran\nexit 1\n"
	base := linHome + "/miniconda3"
	s.WriteAs(base+"/conda-meta/history", "")
	s.WriteAs(linHome+"/venv/pyvenv.cfg", "home = "+base+"/bin\nversion = 3.11.2\n")
	s.WriteAs(linHome+"/venv/lib/python3.11/site-packages/pip-23.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pip\nVersion: 23.0.1\n")
	for _, p := range []string{base + "/bin/python", base + "/bin/conda", linHome + "/venv/bin/python", linHome + "/venv/bin/pip", linHome + "/bin/curl", linHome + "/bin/apt-get", linHome + "/.local/bin/git"} {
		s.WriteAs(p, planted)
		s.Must("chmod 755 " + p)
	}
	s.WriteAs(linHome+"/.condarc", "ssl_verify: false\nchannels: [defaults]\n")
	s.Must(": >/tmp/ran; chmod 666 /tmp/ran; rm " + bundle)
	before := s.Snapshot()
	c := TrustfixCmd("--apply", "--json")
	c.Env = []string{"SUDO_USER=lin", "SUDO_UID=20001", "SUDO_GID=20001", "PATH=" + linHome + "/bin:" + linHome + "/.local/bin:" + base + "/bin:" + sandboxPath}
	r := s.Exec(c)
	if r.Code != 0 && r.Code != 3 {
		t.Fatalf("%s", r)
	}
	if got := s.Read(linHome + "/.condarc"); got != "channels: [defaults]\n" {
		t.Errorf("lin's condarc: %q", got)
	}
	if is, was := s.Snapshot()[linHome+"/.condarc"], before[linHome+"/.condarc"]; is.UID != was.UID || is.GID != was.GID || is.Mode != was.Mode {
		t.Errorf("lin's condarc: %s, was %s", is, was)
	}
	s.Clients(true, Curl("pypi.org"))
	if ran := strings.Fields(s.Read("/tmp/ran")); slices.Contains(ran, "0") {
		t.Errorf("planted programs ran as %v", ran)
	}
	for _, d := range s.Changes(before) {
		if strings.HasPrefix(d, linHome) && strings.Contains(d, " 0:0") && !strings.Contains(d, "absent -> d") {
			t.Errorf("root's file in lin's home: %s", d)
		}
	}
	c = TrustfixCmd("rollback")
	c.Env = []string{"SUDO_USER=lin", "SUDO_UID=20001", "SUDO_GID=20001"}
	if r := s.Exec(c); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, packageState...); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}
