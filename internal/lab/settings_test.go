//go:build linux

package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// condarcs are the layers of conda's configuration that root can have.
var condarcs = []string{
	"/etc/conda/.condarc", "/etc/conda/condarc", "/etc/conda/condarc.d/lab.yml",
	"/var/lib/conda/.condarc", "/var/lib/conda/condarc",
	CondaBase + "/.condarc", CondaBase + "/condarc", CondaBase + "/condarc.d/a.yaml",
	"/root/.config/conda/.condarc", "/root/.conda/.condarc", "/root/.conda/condarc.d/b.yml", "/root/.condarc",
}

// offs are the spellings of "do not verify", as whole lines.
var offs = []string{
	"ssl_verify: false", "ssl_verify: False", "ssl_verify: FALSE", "ssl_verify: no", `ssl_verify: "no"`, "ssl_verify: off",
	"ssl_verify: n", "ssl_verify: 0", `ssl_verify: "0"`, "ssl_verify: 0.0", "ssl_verify: none",
	"ssl_verify:", "ssl_verify: ~", "ssl_verify: null", `ssl_verify: ""`, "verify_ssl: false",
}

// Every layer of condarc in every spelling: each is found with its line, each
// is taken back, no other byte changes, and rollback restores all of them.
func TestCondaVerifyOffEverywhere(t *testing.T) {
	t.Parallel()
	const before, after = "# kept: a comment\r\nchannels:   [ defaults ]\r\n", "\r\nalways_yes: true   # and its spaces\r\n# no newline at the end"
	s := Start(t, Config{})
	s.InstallConda()
	for round := range offs {
		if testing.Short() && round > 1 {
			break
		}
		written := map[string]string{}
		for i, path := range condarcs {
			written[path] = before + offs[(round+i)%len(offs)] + after
			s.Write(path, written[path])
		}
		snapshot := s.Snapshot()
		doc := s.Diagnose(0, "--apply", "--offline", "--only", "verify-off")
		for _, path := range condarcs {
			where := path + ":3"
			if !slices.ContainsFunc(doc.Find("verify-off"), func(f Finding) bool { return f.Where == where }) {
				t.Errorf("round %d: %q at %s was not found", round, offs[(round)%len(offs)], where)
			}
			now := s.Read(path)
			rest := strings.ReplaceAll(now, "ssl_verify: true", "")
			if rest != before+after && rest != before+strings.TrimPrefix(after, "\r\n") {
				t.Errorf("round %d: %s: %q became %q", round, path, written[path], now)
			}
		}
		if n := len(doc.Find("verify-off")); n != len(condarcs) {
			t.Errorf("round %d: %d findings for %d places:\n%s", round, n, len(condarcs), doc)
		}
		if r := s.Run(CondaBase+"/bin/conda", "config", "--show", "ssl_verify"); strings.TrimSpace(r.Stdout) != "ssl_verify: True" {
			t.Errorf("round %d: conda says %s", round, r)
		}
		if r := s.Trustfix("rollback"); r.Code != 0 {
			t.Fatalf("round %d: rollback: %s", round, r)
		}
		if d := s.Changes(snapshot, "/var/lib/trustfix"); len(d) > 0 {
			t.Fatalf("round %d: not byte for byte:\n%s", round, strings.Join(d, "\n"))
		}
	}
}

// With the channel's server in order, the real client works before, and after
// verification is back; behind an interceptor the person is told beforehand
// that it will not.
func TestCondaVerifyOffAndTheClient(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.InstallConda()
	s.Write("/root/.condarc", "channels:\n  - defaults\nssl_verify: false\n")
	s.Clients(true, s.CondaSearch())
	doc := s.Diagnose(0, "--apply")
	if doc.Run == nil || doc.Run.State != "applied" {
		t.Fatalf("not applied:\n%s", doc)
	}
	if got := s.Read("/root/.condarc"); got != "channels:\n  - defaults\n" {
		t.Errorf("condarc: %q", got)
	}
	s.Clients(true, s.CondaSearch())

	s.Map(Hosts{"repo.anaconda.com": Intercept}, nil)
	s.Write("/root/.condarc", "channels:\n  - defaults\nssl_verify: false\n")
	s.Clients(true, s.CondaSearch())
	if r := s.Trustfix(); r.Code != 3 || !strings.Contains(r.Stdout, "Zcorp") || !strings.Contains(r.Stdout, "--trust-ca") {
		t.Errorf("the choice is not explained:\n%s", r)
	}
	// Verification comes back all the same: that the client then rightly refuses
	// the server is what it is for.
	doc = s.Diagnose(3, "--apply")
	if got := s.Read("/root/.condarc"); got != "channels:\n  - defaults\n" || len(doc.Find("server-intercepted")) == 0 {
		t.Errorf("condarc: %q\n%s", got, doc)
	}
	s.Clients(false, s.CondaSearch())
}

// Every file and section of pip's configuration.
func TestPipTrustedHostEverywhere(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{"mirror.example": Good}})
	const venv = "/root/venv"
	s.Write(venv+"/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n")
	s.Write(venv+"/lib/python3.11/site-packages/pip-23.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pip\nVersion: 23.0.1\n")
	s.Must("cp -r /usr/lib/python3/dist-packages/pip " + venv + "/lib/python3.11/site-packages/; mkdir " + venv + "/bin; ln -s /usr/bin/python3 " + venv + "/bin/python3; ln -s python3 " + venv + "/bin/python")
	files := []string{"/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/root/.pip/pip.conf", "/root/.config/pip/pip.conf", venv + "/pip.conf"}
	for round, key := range []string{"trusted-host = mirror.example", "trusted_host=mirror.example", "Trusted-Host:mirror.example", "trusted-host =\n    mirror.example\n    pypi.org"} {
		section := []string{"global", "install", "download", "global"}[round]
		before, after := "# pip\n[list]\nformat = columns\n["+section+"]\n", "\ntimeout = 60\n"
		for _, f := range files {
			s.Write(f, before+key+after)
		}
		snapshot := s.Snapshot()
		doc := s.Diagnose(0, "--apply", "--offline", "--only", "verify-off")
		for _, f := range files {
			if !slices.ContainsFunc(doc.Find("verify-off"), func(x Finding) bool { return x.Where == f+":5" }) {
				t.Errorf("%q in [%s] of %s was not found:\n%s", key, section, f, doc)
			}
			if got := s.Read(f); got != before+strings.TrimPrefix(after, "\n") {
				t.Errorf("%s became %q", f, got)
			}
		}
		if n := len(doc.Find("verify-off")); n != len(files) {
			t.Errorf("%d findings for %d places:\n%s", n, len(files), doc)
		}
		if r := s.Trustfix("rollback"); r.Code != 0 {
			t.Fatalf("rollback: %s", r)
		}
		if d := s.Changes(snapshot, "/var/lib/trustfix"); len(d) > 0 {
			t.Fatalf("not byte for byte:\n%s", strings.Join(d, "\n"))
		}
	}
}

// A variable that names a bundle which does not exist, in each place where
// such a variable can be set.
func TestDeadCAVariableEverywhere(t *testing.T) {
	t.Parallel()
	const dead = "/root/tuna.cert.pem"
	shell := func(name string) string { return "# mine\nexport " + name + "=" + dead + "\nalias ll='ls -l'\n" }
	plain := func(name string) string { return "# mine\n" + name + "=" + dead + "\nEDITOR=vi\n" }
	places := []struct {
		file string
		text func(string) string
	}{
		{"/etc/environment", plain},
		{"/etc/profile", shell},
		{"/etc/profile.d/ca.sh", shell},
		{"/etc/bash.bashrc", shell},
		{"/root/.bashrc", shell},
		{"/root/.profile", shell},
		{"/root/.bash_profile", shell},
		{"/root/.zshrc", shell},
		{"/etc/environment.d/50-ca.conf", plain},
		{"/root/.config/environment.d/ca.conf", plain},
		{CondaBase + "/etc/conda/activate.d/ca.sh", shell},
	}
	for _, variable := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		t.Run(variable, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.InstallConda()
			for _, p := range places {
				s.Write(p.file, p.text(variable))
			}
			s.Write(CondaBase+"/conda-meta/state", fmt.Sprintf("{\"env_vars\": {\"KEEP\": \"1\", %q: %q}}\n", variable, dead))
			before := s.Snapshot()
			shellClient := func(c Cmd) Cmd {
				return Cmd{Argv: append([]string{"/bin/bash", "-c", `. /root/.bashrc; exec "$@"`, "bash"}, c.Argv...)}
			}
			clients := map[string]Cmd{"SSL_CERT_FILE": shellClient(Urllib("pypi.org")), "REQUESTS_CA_BUNDLE": shellClient(Requests("pypi.org")), "CURL_CA_BUNDLE": shellClient(Curl("pypi.org"))}
			if variable != "SSL_CERT_FILE" { // OpenSSL skips a missing file and keeps the directory
				s.Clients(false, clients[variable])
			}
			doc := s.Diagnose(0, "--apply", "--only", "ca-path-missing")
			for _, p := range places {
				if !slices.ContainsFunc(doc.Find("ca-path-missing"), func(f Finding) bool { return f.Where == p.file+":2" }) {
					t.Errorf("%s was not found", p.file)
				}
				want := p.text(variable)
				lines := strings.SplitAfter(want, "\n")
				if got := s.Read(p.file); got != lines[0]+lines[2] {
					t.Errorf("%s became %q", p.file, got)
				}
			}
			if got := s.Read(CondaBase + "/conda-meta/state"); strings.Contains(got, variable) || !strings.Contains(got, `"KEEP": "1"`) {
				t.Errorf("conda-meta/state became %q", got)
			}
			s.Clients(true, clients[variable])
			if r := s.Trustfix("rollback"); r.Code != 0 {
				t.Fatalf("rollback: %s", r)
			}
			if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
				t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
			}
		})
	}
}

// What trustfix says of conda's effective state is what conda says.
func TestCondaAgreesWithTheClient(t *testing.T) {
	t.Parallel()
	const final = "ssl_verify: true #!final\n"
	s := Start(t, Config{})
	s.InstallConda()
	for _, c := range []struct {
		name  string
		files map[string]string
		set   string // the layer that decides
	}{
		{"nothing", nil, ""},
		{"the user beats the installation", map[string]string{CondaBase + "/.condarc": "ssl_verify: true\n", "/root/.condarc": "# x\nssl_verify: false\n"}, "/root/.condarc:2"},
		{"the user beats the system", map[string]string{"/etc/conda/.condarc": "ssl_verify: false\n", "/root/.condarc": "ssl_verify: true\n"}, "/root/.condarc:1"},
		{"final beats the user", map[string]string{"/etc/conda/.condarc": final, "/root/.condarc": "ssl_verify: false\n"}, "/etc/conda/.condarc:1"},
		{"the first final wins", map[string]string{"/etc/conda/.condarc": "ssl_verify: false #!final\n", "/root/.condarc": final}, "/etc/conda/.condarc:1"},
		{"this is not final", map[string]string{"/etc/conda/.condarc": "ssl_verify: true # !final\n", "/root/.condarc": "ssl_verify: false\n"}, "/root/.condarc:1"},
		{"by name in a directory", map[string]string{"/root/.conda/condarc.d/a.yml": "ssl_verify: false\n", "/root/.conda/condarc.d/b.yml": "ssl_verify: true\n"}, "/root/.conda/condarc.d/b.yml:1"},
		{"other endings are not read", map[string]string{"/root/.conda/condarc.d/z.conf": "ssl_verify: false\n"}, ""},
		{"a file", map[string]string{"/root/.condarc": "ssl_verify: " + CondaBundle + "\n"}, "/root/.condarc:1"},
		{"a spelling of another tool", map[string]string{"/root/.condarc": "ssl-verify: false\nSSL_VERIFY: false\n"}, ""},
	} {
		for path, text := range c.files {
			s.Write(path, text)
		}
		var says string
		for i, conda := range s.Condas() {
			s.UseConda(conda)
			word := strings.TrimSpace(strings.TrimPrefix(s.Run(CondaBase+"/bin/conda", "config", "--show", "ssl_verify").Stdout, "ssl_verify: "))
			if i > 0 && word != says {
				t.Errorf("%s: conda %s says %s, the stand-in %s", c.name, conda, word, says)
			}
			says = word
		}
		r := s.Exec(TrustfixCmd("--offline", "--json"))
		var doc Report
		if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		found := false
		for _, x := range doc.Clients {
			if x.Name != "conda" || x.Path != CondaBase {
				continue
			}
			found = true
			want := "on"
			if says == "False" {
				want = "off"
			}
			if x.Verify != want || strings.HasPrefix(says, "/") && (x.Trust.SetBy != c.set || x.Trust.Path != says) {
				t.Errorf("%s: conda says %s, trustfix says %+v", c.name, says, x)
			}
			if off := doc.Find("verify-off"); want == "off" && !slices.ContainsFunc(off, func(f Finding) bool { return f.Where == c.set }) {
				t.Errorf("%s: %s decides, not\n%s", c.name, c.set, doc)
			}
		}
		if !found {
			t.Errorf("%s: no conda:\n%s", c.name, r.Stdout)
		}
		for path := range c.files {
			s.Must("rm " + path)
		}
	}
}
