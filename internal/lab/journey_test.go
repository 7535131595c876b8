//go:build linux

package lab

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// What people come with, and what they read. Each journey is read in both
// languages, and every command that the text offers is one that works.

// reads runs trustfix in both languages and returns the English text. What
// holds for every text: the verdict first, no line wider than a terminal but a
// command to copy, nothing broken inside a word, no sentence twice in a finding.
func (s *Sandbox) reads(c Cmd, want int) string {
	s.t.Helper()
	var english string
	for _, lang := range []string{"zh", "en"} {
		c := c
		c.Argv = append(c.Argv[:len(c.Argv):len(c.Argv)], "--lang", lang)
		r := s.Exec(c)
		if r.Code != want || r.Stderr != "" {
			s.t.Errorf("%v: not exit %d: %s", c.Argv, want, r)
		}
		english = r.Stdout
		if !strings.HasPrefix(r.Stdout, "trustfix ") {
			s.t.Errorf("no headline: %s", r)
		}
		if n := strings.Count(r.Stdout, "Still there:") + strings.Count(r.Stdout, "仍然存在："); n > 1 {
			s.t.Errorf("said twice: %s", r)
		}
		findings, _, _ := strings.Cut(r.Stdout, "\n\nrun ")
		seen := map[string]bool{}
		for line := range strings.Lines(findings) {
			if line = strings.TrimRight(line, "\n"); line == "" {
				clear(seen) // two servers may want the same advice
			}
			command := commandLine.MatchString(line)
			if utf8.RuneCountInString(line) > 80 && !command {
				s.t.Errorf("wider than a terminal: %q", line)
			}
			if text := strings.TrimSpace(line); strings.HasSuffix(text, "-") || len(text) > 30 && seen[text] {
				s.t.Errorf("broken inside a word, or said twice: %q\n%s", line, r)
			} else if len(text) > 30 && !strings.HasPrefix(text, "https://") {
				seen[text] = true
			}
		}
	}
	return english
}

var commandLine = regexp.MustCompile(`^\s+(sudo )?(trustfix|RUN) |^\S.*: +trustfix `)

// offered is the one command of a text that starts so.
func (s *Sandbox) offered(said, start string) []string {
	s.t.Helper()
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, start) {
			return strings.Fields(line)
		}
	}
	s.t.Fatalf("no line %q…:\n%s", start, said)
	return nil
}

func asLin(args ...string) Cmd {
	c := TrustfixCmd(args...)
	c.User = "lin"
	return c
}

// A campus mirror whose certificate has ended, and the line that a colleague
// gave against it.
func TestJourneyCampusMirror(t *testing.T) {
	t.Parallel()
	const condarc = "channels:\n  - defaults\nshow_channel_urls: true\ndefault_channels:\n  - https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main\nssl_verify: false\n"
	s := Start(t, Config{Hosts: Hosts{"mirrors.tuna.tsinghua.edu.cn": Expired}})
	s.InstallConda()
	s.WriteAs(linHome+"/.condarc", condarc)
	before := s.Snapshot()
	said := s.reads(asLin(), 3)
	for _, want := range []string{
		"~/.condarc:6 says `ssl_verify: false`", "once it verifies again, conda will refuse mirrors.tuna.tsinghua.edu.cn",
		"the server's certificate expired 9 days ago", "Tell the operator", "mirrors.ustc.edu.cn", "trustfix --apply",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %s\n%s", want, said)
		}
	}
	s.reads(asLin("--dry-run"), 3)
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed:\n%s", strings.Join(d, "\n"))
	}
	r := s.Exec(asLin("--apply"))
	if r.Code != 3 || !strings.Contains(r.Stdout, "Still there:") || s.Read(linHome+"/.condarc") != strings.TrimSuffix(condarc, "ssl_verify: false\n") {
		t.Errorf("%s\n%s", s.Read(linHome+"/.condarc"), r)
	}
	s.reads(asLin(), 3) // the server's fault remains, and is still not repaired here
	// Whoever wants it back gets it back, and is told what that means.
	r = s.Exec(asLin("rollback"))
	if r.Code != 0 || !strings.Contains(r.Stdout, "verification is off again") || !strings.Contains(r.Stdout, "~/.condarc") || s.Read(linHome+"/.condarc") != condarc {
		t.Errorf("%s", r)
	}
}

// A slim container: no ca-certificates, no network, no root.
func TestJourneySlimContainer(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.Must("dpkg --purge --force-depends ca-certificates >/dev/null 2>&1; rm -rf /etc/ssl/certs /usr/share/ca-certificates; touch /.dockerenv; : >/etc/hosts; echo nameserver 127.0.0.9 >/etc/resolv.conf")
	before := s.Snapshot()
	said := s.reads(asLin("--apply"), 3)
	for _, want := range []string{"The system's root certificates are missing", "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates", "Nothing was changed."} {
		if !strings.Contains(said, want) {
			t.Errorf("not said: %s\n%s", want, said)
		}
	}
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed:\n%s", strings.Join(d, "\n"))
	}
	// The line for an administrator, as root of the container would run it.
	line := s.offered(said, "sudo trustfix ")
	if r := s.Exec(Cmd{Argv: append([]string{Program}, line[2:]...)}); r.Code != 0 && r.Code != 3 || !s.Exists(bundle) {
		t.Errorf("%s", r)
	}
}

// Everything behind a company's proxy is broken at once. Nothing changes
// before the person has named its CA; the line that the text offers does it.
func TestJourneyCorporateProxy(t *testing.T) {
	t.Parallel()
	intercepted := Hosts{}
	for _, h := range []string{"pypi.org", "files.pythonhosted.org", "conda.anaconda.org", "repo.anaconda.com", "github.com", npmHost} {
		intercepted[h] = Intercept
	}
	s := Start(t, Config{Hosts: intercepted})
	s.InstallConda()
	s.WriteAs(linHome+"/.gitconfig", "[user]\n\tname = Lin\n[url \"https://github.com/\"]\n\tinsteadOf = gh:\n")
	s.WriteAs(linHome+"/work/.git/config", "[remote \"origin\"]\n\turl = gh:lin/x.git\n")
	s.WriteAs(linHome+"/work/.git/HEAD", "ref: refs/heads/main\n")
	before := s.Snapshot()
	as := func(c Cmd) Cmd { c.User, c.Dir = "lin", linHome+"/work"; return c }
	clients := []Cmd{as(Pip("")), as(s.CondaSearch()), as(Git("github.com"))}
	if s.Run("sh", "-c", "command -v npm").Code == 0 {
		npm := as(Npm())
		npm.Argv = append(npm.Argv, "--cache=/tmp/npm-lin")
		clients = append(clients, npm)
	}
	s.Clients(false, clients...)
	said := s.reads(as(TrustfixCmd("--apply")), 3)
	if d := s.Changes(before, "/tmp"); len(d) > 0 {
		t.Errorf("changed without consent:\n%s", strings.Join(d, "\n"))
	}
	for _, want := range []string{`is re-signed by "Zcorp Root CA"`, "Compare the SHA-256 in the command below", "stop, this may be an attack"} {
		if !strings.Contains(strings.Join(strings.Fields(said), " "), want) {
			t.Errorf("not said: %s\n%s", want, said)
		}
	}
	r := s.Exec(as(TrustfixCmd(s.offered(said, "trustfix --apply --trust-ca ")[1:]...)))
	if r.Code != 0 {
		t.Fatalf("%s", r)
	}
	// All that was done is said, not only the first of it.
	_, done, _ := strings.Cut(r.Stdout, "\nrun ")
	for _, file := range []string{"~/.condarc", "~/.gitconfig", "~/.config/pip/pip.conf"} {
		if !strings.Contains(done, file) {
			t.Errorf("%s is not among what was done:\n%s", file, done)
		}
	}
	s.Clients(true, clients...)
	again := s.Exec(as(TrustfixCmd("--apply", "--trust-ca", s.World.pki.CA("corp").SHA256())))
	if again.Code != 0 || strings.Contains(again.Stdout, "! ") {
		t.Errorf("the second time: %s", again)
	}
	s.reads(as(TrustfixCmd()), 0)
	if r := s.Exec(as(TrustfixCmd("rollback"))); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, "/tmp", linHome+"/.local", linHome+"/.npm", linHome+"/.cache"); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}

// One dead path in three profiles is one thing to read and three places.
func TestJourneyThreeProfiles(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	for _, f := range []string{"/.bashrc", "/.profile", "/.zshrc"} {
		s.WriteAs(linHome+f, "# mine\nexport REQUESTS_CA_BUNDLE=/home/lin/old/corp.pem\nexport EDITOR=vi\n")
	}
	before := s.Snapshot()
	dead := asLin("--apply")
	dead.Env = []string{"REQUESTS_CA_BUNDLE=/home/lin/old/corp.pem"}
	requests := Requests("pypi.org")
	requests.User, requests.Env = "lin", dead.Env
	s.Clients(false, requests)
	r := s.Exec(dead)
	if r.Code != 0 || strings.Count(r.Stdout, "is told to read its roots from a file that does not exist") != 1 || !strings.Contains(r.Stdout, "Open a new shell") {
		t.Errorf("%s", r)
	}
	for _, f := range []string{"/.bashrc", "/.profile", "/.zshrc"} {
		if !strings.Contains(r.Stdout, "~"+f+":2") || s.Read(linHome+f) != "# mine\nexport EDITOR=vi\n" {
			t.Errorf("%s: %q\n%s", f, s.Read(linHome+f), r)
		}
	}
	// The shell that is open still has it: that is said, with the line for it.
	old := asLin()
	old.Env = dead.Env
	if said := s.reads(old, 3); !strings.Contains(said, "unset REQUESTS_CA_BUNDLE") || !strings.Contains(strings.Join(strings.Fields(said), " "), "a new shell is enough") {
		t.Errorf("%s", said)
	}
	s.reads(asLin(), 0)
	if r := s.Exec(asLin("rollback")); r.Code != 0 {
		t.Errorf("%s", r)
	}
	if d := s.Changes(before, linHome+"/.local"); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}
