//go:build linux

package lab

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// installCondaSession adds the module by which conda's own code reaches its
// channels, on top of the stand-in; more is Python that has the last word.
func (s *Sandbox) installCondaSession(more string) {
	s.t.Helper()
	const site = "/usr/lib/python3/dist-packages/conda/"
	for _, dir := range []string{"", "base/", "gateways/", "gateways/connection/"} {
		s.Write(site+dir+"__init__.py", "")
	}
	s.Write(site+"base/context.py", "def reset_context():\n    pass\n")
	s.Write(site+"gateways/connection/session.py", `import requests, runpy
conda = runpy.run_path("`+CondaBase+`/bin/conda")
class CondaSession(requests.Session):
    def __init__(self):
        requests.adapters.DEFAULT_CA_BUNDLE_PATH = conda["BUNDLE"]
        super().__init__()
        self.verify = conda["ssl_verify"]()
        self.proxies.update(conda["effective"]("proxy_servers", {}))
`+more)
}

// said is what the document says of the clients' own word.
type said struct {
	Run *struct {
		State string
		Steps []struct {
			Fix, Status string
			Verified    []string
		}
	}
	Probes, Disagreements []struct{ Client, Path, URL, Expected, Answer, Words string }
}

func (s *Sandbox) said(args ...string) said {
	s.t.Helper()
	r := s.Trustfix(append(args, "--json")...)
	var doc said
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil {
		s.t.Fatalf("not a JSON document: %v\n%s", err, r)
	}
	return doc
}

// After a repair the client that was broken is asked itself, and the line of
// the step says what it reaches.
func TestClientsProveRepairs(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.InstallConda()
	s.installCondaSession("")
	s.Write("/root/.condarc", "channels:\n  - defaults\nssl_verify: false\n")
	s.Write("/root/.config/pip/pip.conf", "[global]\ntrusted-host = pypi.org\n")
	s.Write("/root/.curlrc", "insecure\n")
	before := s.Snapshot()

	r := s.Trustfix("--apply", "--lang", "en")
	for _, want := range []string{"verified: conda reaches repo.anaconda.com", "verified: pip reaches pypi.org", "verified: curl reaches "} {
		if !strings.Contains(r.Stdout, want) {
			t.Errorf("%q is missing:\n%s", want, r)
		}
	}
	if r.Code != 0 || strings.Contains(r.Stdout, "otherwise than trustfix") {
		t.Errorf("%s", r)
	}
	rollback := func() {
		t.Helper()
		if r := s.Trustfix("rollback"); r.Code != 0 {
			t.Fatalf("rollback: %s", r)
		}
		if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
			t.Fatalf("not byte for byte, the clients included:\n%s", strings.Join(d, "\n"))
		}
	}
	rollback()

	doc := s.said("--apply")
	var all []string
	for _, step := range doc.Run.Steps {
		all = append(all, step.Verified...)
	}
	if want := "conda " + CondaBase + " reaches https://repo.anaconda.com/pkgs/main"; !slices.Contains(all, want) {
		t.Errorf("%q is not among %q", want, all)
	}
	rollback()

	doc = s.said("--apply", "--probe-clients=false")
	if len(doc.Probes) > 0 || slices.ContainsFunc(doc.Run.Steps, func(x struct {
		Fix, Status string
		Verified    []string
	},
	) bool {
		return len(x.Verified) > 0
	}) {
		t.Errorf("clients were run: %+v", doc)
	}
	rollback()
	if doc := s.said(); len(doc.Probes) > 0 {
		t.Errorf("a diagnosis ran clients: %+v", doc.Probes)
	}
}

// What a client says against the judgement is shown, and takes nothing back.
func TestClientDisagrees(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.InstallConda()
	s.Write("/root/empty.pem", "")
	s.installCondaSession("        import ssl\n        raise requests.exceptions.SSLError(ssl.SSLCertVerificationError(1, 'certificate verify failed: unable to get local issuer certificate'))\n")
	s.Write("/root/.condarc", "channels:\n  - defaults\nssl_verify: false\n")
	doc := s.said("--apply")
	if doc.Run == nil || doc.Run.State != "applied" || strings.Contains(s.Read("/root/.condarc"), "false") {
		t.Errorf("the repair did not stay: %+v", doc.Run)
	}
	found := false
	for _, d := range doc.Disagreements {
		found = found || d.Client == "conda" && d.Expected == "accepts" && d.Answer == "refuses" && strings.Contains(d.Words, "certificate verify failed")
	}
	if !found {
		t.Errorf("the disagreement is hidden: %+v", doc.Disagreements)
	}
	r := s.Trustfix("--probe-clients", "--lang", "en")
	if !strings.Contains(r.Stdout, "conda (/opt/conda) refuses repo.anaconda.com") {
		t.Errorf("the disagreement is not told:\n%s", r)
	}
}

// Root runs a user's interpreter as that user only.
func TestUsersInterpreterRunsAsTheUser(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	s.WriteAs(linHome+"/venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\nversion = 3.11.2\n")
	s.WriteAs(linHome+"/venv/bin/python", "#!/bin/sh\nid -u >>"+linHome+"/ran\nenv >>"+linHome+"/seen\nexec /usr/bin/python3 \"$@\"\n")
	const site = linHome + "/venv/lib/python3.11/site-packages"
	s.WriteAs(site+"/pip-23.0.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pip\nVersion: 23.0.1\n")
	s.WriteAs(linHome+"/venv/pip.conf", "[global]\ntrusted-host = pypi.org\n")
	s.Must("chmod 755 " + linHome + "/venv/bin/python; cp -r /usr/lib/python3/dist-packages/pip " + site + "; chown -R lin " + linHome + "/venv")
	doc := s.said("--apply", "--only", "verify-off")
	if doc.Run == nil || len(doc.Run.Steps) != 1 || !slices.Equal(doc.Run.Steps[0].Verified, []string{"pip " + linHome + "/venv reaches https://pypi.org/simple/"}) {
		t.Fatalf("not proven: %+v", doc)
	}
	lin := strings.TrimSpace(s.Must("id -u lin"))
	for _, uid := range strings.Fields(s.Read(linHome + "/ran")) {
		if uid != lin {
			t.Errorf("ran as %s", uid)
		}
	}
	if seen := s.Read(linHome + "/seen"); !strings.Contains(seen, "HOME="+linHome+"\n") {
		t.Errorf("environment:\n%s", seen)
	}
}

// Before verification comes back behind an interceptor, the person reads that
// conda will then refuse its channels, and what the choices are.
func TestRefusalIsAnnounced(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{"repo.anaconda.com": Intercept}})
	s.InstallConda()
	s.Write("/root/.condarc", "channels:\n  - defaults\nssl_verify: false\n")
	r := s.Trustfix("--lang", "en", "--only", "verify-off")
	out := strings.Join(strings.Fields(r.Stdout), " ")
	for _, want := range []string{"once it verifies again, conda will refuse repo.anaconda.com", "(server-intercepted)", "your choices: another server, or --trust-ca SHA256 once you have checked its CA"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, r)
		}
	}
}
