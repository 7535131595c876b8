package detect

import (
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// asked is a machine with one conda, whose program answers as a test says.
type asked struct {
	*platform.Host
	report *Report

	mu   sync.Mutex
	cmds []platform.Cmd
}

// The last line of what requests prints when a certificate is refused.
const certRefused = "requests.exceptions.SSLError: HTTPSConnectionPool(host='repo.test', port=443): Max retries exceeded with url: /main (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1007)')))"

// newAsked has conda talk to repo.test, whose CA it trusts or not. Files are
// added to the tree as a txtar archive.
func newAsked(t *testing.T, trusted bool, condarc, files string, answer platformtest.Program, opts ...platformtest.Option) *asked {
	t.Helper()
	ca, other := platformtest.NewCA(t, "Known CA", nil), platformtest.NewCA(t, "Other CA", nil)
	leaf := ca.Leaf(t, "repo.test")
	roots := other
	if trusted {
		roots = ca
	}
	tree := `
-- root/.condarc --
channels: [https://repo.test/main]
` + condarc + `
-- opt/conda/conda-meta/conda-24.1.0-py311_0.json --
{}
-- opt/conda/conda-meta/python-3.11.7-h_0.json --
{}
-- opt/conda/lib/python3.11/site-packages/certifi-2024.2.2.dist-info/METADATA --
-- opt/conda/lib/python3.11/site-packages/certifi/cacert.pem --
` + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: roots.Cert.Raw})) + files
	a := &asked{}
	program := answer
	program.Optional = true
	program.Do = func(_ *platform.Host, c platform.Cmd) (platform.Output, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.cmds = append(a.cmds, c)
		if answer.Code != 0 {
			return platform.Output{}, &platform.ExitError{Argv: c.Argv, Code: answer.Code, Stderr: answer.Stderr}
		}
		return platform.Output{}, answer.Err
	}
	opts = append([]platformtest.Option{
		platformtest.OS("linux"), platformtest.NotElevated(),
		platformtest.Network(&platformtest.Net{Handshakes: map[string]platformtest.Handshake{"repo.test": platformtest.ServedCerts(leaf)}}),
		platformtest.Script(platformtest.Programs{"/opt/conda/bin/python": program}),
	}, opts...)
	a.Host = platformtest.New(t, tree, opts...)
	inv, err := client.Resolve(t.Context(), a.View)
	if err != nil {
		t.Fatal(err)
	}
	a.report = &Report{Inventory: inv, Clients: inv.Clients, Options: Options{Refs: bundles.NewRoots(ca.Cert)}}
	gatherEndpoints(t.Context(), a.View, a.report)
	return a
}

// find is the first finding with an id among those of the settings.
func (a *asked) find(t *testing.T, id string) Finding {
	t.Helper()
	for _, c := range settingsChecks {
		found, err := c.Run(t.Context(), a.View, a.report)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if f.ID == id {
				return f
			}
		}
	}
	t.Fatalf("no %s", id)
	return Finding{}
}

func TestProbesConfirmOrContradict(t *testing.T) {
	refused := platformtest.Program{Code: 1, Stderr: "Traceback (most recent call last):\n" + certRefused}
	for _, tc := range []struct {
		name      string
		trusted   bool
		answer    platformtest.Program
		want      Answer
		disagrees bool
	}{
		{"accepts as expected", true, platformtest.Program{}, Accepts, false},
		{"refuses as expected", false, refused, Refuses, false},
		{"refuses what it should accept", true, refused, Refuses, true},
		{"accepts what it should refuse", false, platformtest.Program{}, Accepts, true},
		{"cannot be run", true, platformtest.Program{Err: platform.ErrUntrustedProgram}, Unknown, false},
		{"lacks a module", true, platformtest.Program{Code: 1, Stderr: "ModuleNotFoundError: No module named 'conda'"}, Unknown, false},
		{"no way there", true, platformtest.Program{Code: 1, Stderr: "requests.exceptions.ConnectionError: [Errno 111] Connection refused"}, Unknown, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAsked(t, tc.trusted, "", "", tc.answer)
			var got []Probe
			for _, p := range probeClients(t.Context(), a.View, a.report) {
				if p.Client == "conda" {
					got = append(got, p)
				}
			}
			expected := Refuses
			if tc.trusted {
				expected = Accepts
			}
			if len(got) != 1 || got[0].Expected != expected || got[0].Answer != tc.want || got[0].Disagrees() != tc.disagrees {
				t.Fatalf("got %+v", got)
			}
			if len(Disagreements(got)) == 1 != tc.disagrees {
				t.Errorf("disagreements: %+v", Disagreements(got))
			}
			if (got[0].Answer == Accepts) != (got[0].Words == "") {
				t.Errorf("words: %q", got[0].Words)
			}
			if got[0].Answer == Refuses && !strings.HasPrefix(got[0].Words, "requests.exceptions.SSLError") {
				t.Errorf("not the client's own words: %q", got[0].Words)
			}
		})
	}
}

func TestProbeRunsInACleanEnvironment(t *testing.T) {
	a := newAsked(t, true, "", "", platformtest.Program{}, platformtest.Env(map[string]string{
		"PYTHONPATH": "/evil", "LD_PRELOAD": "/evil.so", "AWS_SECRET_ACCESS_KEY": "secret", "https_proxy": "", "CONDARC": "/root/.condarc",
	}))
	probeClients(t.Context(), a.View, a.report)
	if len(a.cmds) == 0 {
		t.Fatal("nothing was run")
	}
	for _, c := range a.cmds {
		if c.Timeout != probeLimit || !slices.Contains(c.Argv, "-I") || !slices.Contains(c.Argv, "-B") || !slices.Contains(c.Env, "NETRC=/dev/null") {
			t.Errorf("ran %v with %v for %v", c.Argv, c.Env, c.Timeout)
		}
		for _, kv := range c.Env {
			for _, bad := range []string{"PYTHON", "LD_", "AWS_"} {
				if strings.HasPrefix(kv, bad) {
					t.Errorf("passed on: %s", kv)
				}
			}
		}
	}
}

func TestProveAfterVerifyIsRestored(t *testing.T) {
	a := newAsked(t, true, "ssl_verify: false\n", "", platformtest.Program{})
	for _, p := range probeClients(t.Context(), a.View, a.report) {
		if p.Client == "conda" {
			t.Fatalf("asked while it does not verify: %+v", p)
		}
	}
	f := a.find(t, "verify-off")
	prover := NewProver(a.report)
	if got := prover.Prove(t.Context(), a.View, []Finding{{ID: "verify-off", Setting: &client.Setting{Client: "npm"}}}); len(got) != 0 {
		t.Fatalf("a step for another client was put to this one: %+v", got)
	}
	platformtest.WriteFile(a.Host, "/root/.condarc", "channels: [https://repo.test/main]\n")
	got := prover.Prove(t.Context(), a.View, []Finding{f})
	if len(got) != 1 || got[0].Verified() != "conda /opt/conda reaches https://repo.test/main" || got[0].Answer != Accepts {
		t.Fatalf("got %+v", got)
	}
}

// What stays refused after a repair is the endpoint's own fault: it proves
// nothing, and nobody is asked.
func TestProveLeavesWhatIsRefused(t *testing.T) {
	a := newAsked(t, false, "ssl_verify: false\n", "", platformtest.Program{})
	f := a.find(t, "verify-off")
	platformtest.WriteFile(a.Host, "/root/.condarc", "channels: [https://repo.test/main]\n")
	if got := NewProver(a.report).Prove(t.Context(), a.View, []Finding{f}); len(got) != 0 {
		t.Fatalf("got %+v", got)
	}
}

// The process still has the variable; a new shell will not.
func TestProveAsANewShell(t *testing.T) {
	a := newAsked(t, true, "", "-- root/.bashrc --\nexport REQUESTS_CA_BUNDLE=/gone.pem\n", platformtest.Program{},
		platformtest.Env(map[string]string{"REQUESTS_CA_BUNDLE": "/gone.pem"}))
	f := a.find(t, "ca-path-missing")
	if f.Where != "/root/.bashrc:1" {
		t.Fatalf("found at %s", f.Where)
	}
	platformtest.WriteFile(a.Host, "/root/.bashrc", "")
	got := NewProver(a.report).Prove(t.Context(), a.View, []Finding{f})
	if len(got) == 0 || got[0].Expected != Accepts || got[0].Answer != Accepts {
		t.Fatalf("got %+v", got)
	}
	for _, c := range a.cmds {
		if slices.ContainsFunc(c.Env, func(kv string) bool { return strings.HasPrefix(kv, "REQUESTS_CA_BUNDLE=") }) {
			t.Errorf("the variable was passed on: %v", c.Env)
		}
	}
}

// A variable that files set reaches the program as it would in a new shell.
func TestProbeSeesVariablesOfFiles(t *testing.T) {
	a := newAsked(t, true, "", "-- root/.bashrc --\nexport REQUESTS_CA_BUNDLE=$HOME/ca.pem\n", platformtest.Program{})
	platformtest.WriteFile(a.Host, "/root/ca.pem", platformtest.Read(a.Host, "/opt/conda/lib/python3.11/site-packages/certifi/cacert.pem"))
	probeClients(t.Context(), a.View, a.report)
	if len(a.cmds) == 0 || !slices.Contains(a.cmds[0].Env, "REQUESTS_CA_BUNDLE=/root/ca.pem") {
		t.Fatalf("ran %+v", a.cmds)
	}
}

// owned gives what stands below a directory to a user.
type owned struct {
	platform.Files
	dir      string
	uid, gid int
	mode     uint32
}

func (o owned) see(name string, img platform.Image) platform.Image {
	img.UID, img.GID = 0, 0
	img.Mode &^= 0o022
	if strings.HasPrefix(name, o.dir) {
		img.UID, img.GID, img.Mode = o.uid, o.gid, img.Mode|o.mode
	}
	return img
}

func (o owned) Stat(name string) (platform.Image, error) {
	img, err := o.Files.Stat(name)
	return o.see(name, img), err
}

func (o owned) Snapshot(name string) (platform.Image, error) {
	img, err := o.Files.Snapshot(name)
	return o.see(name, img), err
}

func TestRootRunsNothingThatOthersWrote(t *testing.T) {
	lin := platform.User{Name: "lin", UID: 1000, GID: 1000, Home: "/home/lin"}
	home := map[string]string{"": "/root", "lin": "/home/lin"}
	for _, tc := range []struct {
		name  string
		files owned
		user  platform.User // whose configuration is examined
		as    string        // user that it runs as; "" nobody
		runs  bool
	}{
		{"root's own", owned{dir: "/none"}, platform.User{Name: "root", Home: "/root"}, "", true},
		{"root's own, under sudo", owned{dir: "/none"}, lin, "lin", true},
		{"a user's", owned{dir: "/opt/conda", uid: 1000, gid: 1000}, platform.User{Name: "root", Home: "/root"}, "lin", true},
		{"nobody's known", owned{dir: "/opt/conda", uid: 4242}, platform.User{Name: "root", Home: "/root"}, "", false},
		{"a user's modules in root's program", owned{dir: "/opt/conda/lib/python3.11/site-packages", uid: 1000, gid: 1000}, platform.User{Name: "root", Home: "/root"}, "lin", true},
		{"modules anybody can write", owned{dir: "/opt/conda/lib/python3.11/site-packages", mode: 0o002}, platform.User{Name: "root", Home: "/root"}, "", false},
		{"modules a group can write", owned{dir: "/opt/conda/lib/python3.11/site-packages", gid: 50, mode: 0o020}, platform.User{Name: "root", Home: "/root"}, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAsked(t, true, "", "-- home/lin/.condarc --\nchannels: [https://repo.test/main]\n", platformtest.Program{})
			tc.files.Files = a.Files
			a.Files, a.Elevated, a.User, a.Users = tc.files, true, tc.user, []platform.User{lin}
			p := newProber(a.View, a.report.Endpoints, nil, a.report.Inventory)
			conda := slices.IndexFunc(a.report.Clients, func(c *client.Client) bool { return c.Name == "conda" })
			q, ok := p.ask(a.report.Clients[conda], func(*Endpoint, Answer) bool { return false }, true)
			if !ok {
				t.Fatal("nothing to ask")
			}
			got := p.run(t.Context(), []question{q})[0]
			if tc.runs != (got.Answer == Accepts) || tc.runs != (len(a.cmds) == 1) {
				t.Fatalf("got %+v after %+v", got, a.cmds)
			}
			as := ""
			if tc.runs && a.cmds[0].As != nil {
				as = a.cmds[0].As.Name
			}
			if tc.runs && !slices.Contains(a.cmds[0].Env, "HOME="+home[as]) {
				t.Errorf("ran with %v", a.cmds[0].Env)
			}
			if as != tc.as {
				t.Errorf("ran as %q, want %q", as, tc.as)
			}
		})
	}
}

// What root's own program would load from elsewhere counts as well: packages
// among its modules, directories that a .pth file adds, the standard library
// that pyvenv.cfg names, the project that it is started in.
func TestNobodyRunsWhatOthersWrote(t *testing.T) {
	lin := platform.User{Name: "lin", UID: 1000, GID: 1000, Home: "/home/lin"}
	root := platform.User{Name: "root", Home: "/root"}
	const site = "/opt/conda/lib/python3.11/site-packages/"
	mallory := func(dir string) owned { return owned{dir: dir, uid: 1001, gid: 1001} }
	for _, tc := range []struct {
		name  string
		files map[string]string
		owned owned
		user  platform.User
		cwd   string
		runs  bool
	}{
		{"a package in root's modules", map[string]string{site + "requests/__init__.py": ""}, mallory(site + "requests"), root, "", false},
		{"a .pth file adds a user's directory", map[string]string{site + "easy-install.pth": "# x\n/srv/proj\n", "/srv/proj/sitecustomize.py": ""}, mallory("/srv/proj"), root, "", false},
		{"and by a name from there", map[string]string{site + "x.pth": "../../../../../srv/proj", "/srv/proj/x.py": ""}, mallory("/srv/proj"), root, "", false},
		{"a .pth file adds root's own", map[string]string{site + "x.pth": "import sys\n/srv/proj\n", "/srv/proj/x.py": ""}, mallory("/nowhere"), root, "", true},
		{"a .pth file adds nothing that is there", map[string]string{site + "x.pth": "/srv/none\n"}, mallory("/nowhere"), root, "", true},
		{"modules anybody can write, under sudo", nil, owned{dir: site, mode: 0o002}, lin, "", false},
		{"a .pth file adds another's, under sudo", map[string]string{site + "x.pth": "/srv/proj", "/srv/proj/x.py": ""}, mallory("/srv/proj"), lin, "", false},
		{"in a project of another's", nil, mallory("/srv"), root, "/srv/proj", false},
		{"in a project that anybody can write to", nil, owned{dir: "/srv", mode: 0o002}, root, "/srv/proj", false},
		{"in a project of another's, under sudo", nil, mallory("/srv"), lin, "/srv/proj", false},
		{"in a project of root's", nil, mallory("/nowhere"), root, "/srv/proj", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAsked(t, true, "", "-- home/lin/.condarc --\nchannels: [https://repo.test/main]\n-- srv/proj/x --\n", platformtest.Program{})
			for name, content := range tc.files {
				platformtest.WriteFile(a.Host, name, content)
			}
			tc.owned.Files = a.Files
			a.Files, a.Elevated, a.User, a.Users = tc.owned, true, tc.user, []platform.User{lin}
			p := newProber(a.View, a.report.Endpoints, nil, a.report.Inventory)
			conda := a.report.Clients[slices.IndexFunc(a.report.Clients, func(c *client.Client) bool { return c.Name == "conda" })]
			conda.Dir = tc.cwd
			_, err := p.runAs(conda, "/opt/conda/bin/python")
			if (err == nil) != tc.runs {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNoProbesOffline(t *testing.T) {
	a := newAsked(t, true, "", "", platformtest.Program{})
	r, err := Run(t.Context(), a.View, Options{Offline: true, ProbeClients: true, Refs: a.report.Options.Refs})
	if err != nil || len(r.Probes) > 0 || len(a.cmds) > 0 {
		t.Fatalf("%v: %+v, ran %v", err, r.Probes, a.cmds)
	}
}

// However many instances there are, few are run, of every kind one first.
func TestProbesAreBounded(t *testing.T) {
	var qs []question
	for i := range 1000 {
		qs = append(qs, question{Probe: Probe{Client: "pip", Path: fmt.Sprint(i)}, c: &client.Client{}, rank: 3})
	}
	qs = append(qs, question{Probe: Probe{Client: "curl"}, c: &client.Client{}}, question{Probe: Probe{Client: "git"}, c: &client.Client{}})
	got := chosen(qs, probesBefore)
	kinds := map[string]int{}
	for _, q := range got {
		kinds[q.Client]++
	}
	if len(got) != probesBefore || kinds["curl"] != 1 || kinds["git"] != 1 {
		t.Errorf("chosen: %v", kinds)
	}
	if len(chosen(qs[:2], 5)) != 2 {
		t.Error("two questions are two")
	}
}

func TestHeard(t *testing.T) {
	for _, tc := range []struct {
		client string
		code   int
		stderr string
		want   Answer
	}{
		{"curl", 0, "", Accepts},
		{"curl", 22, "curl: (22) The requested URL returned error: 404", Accepts},
		{"curl", 60, "curl: (60) SSL certificate problem: unable to get local issuer certificate", Refuses},
		{"curl", 77, "curl: (77) error setting certificate file: /gone.pem", Refuses},
		{"curl", 6, "curl: (6) Could not resolve host: repo.test", Unknown},
		{"curl", 28, "curl: (28) Connection timed out after 10000 milliseconds", Unknown},
		{"wget", 8, "https://repo.test/: 404 Not Found", Accepts},
		{"wget", 5, "ERROR: The certificate of 'repo.test' is not trusted.", Refuses},
		{"wget", 4, "failed: Connection refused.", Unknown},
		{"git", 128, "fatal: repository 'https://repo.test/' not found", Accepts},
		{"git", 128, "fatal: unable to access 'https://repo.test/': The requested URL returned error: 403", Accepts},
		{"git", 128, "fatal: unable to access 'https://repo.test/': server certificate verification failed. CAfile: none CRLfile: none", Refuses},
		{"git", 128, "fatal: unable to access 'https://repo.test/': Could not resolve host: repo.test", Unknown},
		{"node", 1, "SELF_SIGNED_CERT_IN_CHAIN: self-signed certificate in certificate chain", Refuses},
		{"node", 1, "ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:443", Unknown},
		{"npm", 1, "npm error code E404\nnpm error 404 Not Found", Accepts},
		{"npm", 1, "npm error code UNABLE_TO_GET_ISSUER_CERT_LOCALLY\nnpm error Log files were not written", Refuses},
		{"pip", 1, "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /gone.pem", Refuses},
		{"python", 1, "ssl.CertificateError: hostname 'a.test' doesn't match 'b.test'", Refuses},
		{"python", 1, "ImportError: No module named ssl", Unknown},
	} {
		var err error
		if tc.code != 0 {
			err = &platform.ExitError{Code: tc.code, Stderr: tc.stderr}
		}
		a := (&client.Client{Name: tc.client, Row: client.ByName(tc.client)}).Asking()
		if got, words := heard(a, platform.Output{Code: tc.code, Stderr: tc.stderr}, err); got != tc.want {
			t.Errorf("%s %d %q: %s (%s), want %s", tc.client, tc.code, tc.stderr, got, words, tc.want)
		}
	}
	if got, _ := heard(&client.Ask{}, platform.Output{}, errors.New("did not finish within 15s")); got != Unknown {
		t.Errorf("a timeout is %s", got)
	}
	if _, words := heard(&client.Ask{}, platform.Output{}, &platform.ExitError{Code: 1, Stderr: "cannot get https://user:secret@repo.test/"}); strings.Contains(words, "secret") {
		t.Errorf("printed: %s", words)
	}
}

// Before verification is restored the person is told who will be refused and
// what can be done about it.
func TestWillRefuse(t *testing.T) {
	for _, tc := range []struct {
		fault     chain.Fault
		cause     string
		says      string
		choice    string
		consented bool
	}{
		{chain.FaultServer, "server-expired", "nothing on this machine", "another mirror", false},
		{chain.FaultPrivateCA, "server-private-ca", "no root that conda trusts", "--trust-ca", false},
		{chain.FaultNetwork, "server-intercepted", "no root that conda trusts", "--trust-ca", false},
		{chain.FaultPrivateCA, "server-private-ca", "", "", true},
		{chain.FaultClient, "ca-bundle-stale", "", "", false},
	} {
		s := &client.Setting{Client: "conda", Role: client.RoleVerify, Off: true}
		c := &client.Client{Name: "conda", Verify: "off", Settings: []*client.Setting{s}}
		ca := platformtest.NewCA(t, "Private CA", nil)
		e, err := ParseTarget("https://repo.test/main")
		if err != nil {
			t.Fatal(err)
		}
		e.Fault, e.Cause, e.CA, e.Chain = tc.fault, tc.cause, ca.Cert, []chain.Info{{}}
		e.Clients = []ClientVerdict{{Client: c}}
		r := &Report{Endpoints: []*Endpoint{e}}
		if tc.consented {
			r.Options.Consented = []string{bundles.Fingerprint(ca.Cert.Raw)}
		}
		got := willRefuse(r, s)
		if tc.says == "" {
			if got != nil {
				t.Errorf("%s: %v", tc.cause, got)
			}
			continue
		}
		if len(got) != 2 || !strings.Contains(got[0].String(), tc.says) || !strings.Contains(got[0].String(), "repo.test") || !strings.Contains(got[1].String(), tc.choice) {
			t.Errorf("%s: %v", tc.cause, got)
		}
		if other := willRefuse(r, &client.Setting{Client: "npm"}); other != nil {
			t.Errorf("another client's switch: %v", other)
		}
	}
}
