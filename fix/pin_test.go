package fix

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

const pinHost = "mirror.example.edu.cn"

// campus is a machine with a conda and a pip that use one mirror.
type campus struct {
	t       *testing.T
	host    *platform.Host
	net     *platformtest.Net
	options detect.Options
	tree    string
	before  string

	root, other, inter *platformtest.CA
}

// newCampus makes the machine; tree has more files and directives.
func newCampus(t *testing.T, tree string, opts ...platformtest.Option) *campus {
	t.Helper()
	c := &campus{t: t, root: platformtest.NewCA(t, "Public Root", nil), other: platformtest.NewCA(t, "Other Root", nil)}
	c.inter = platformtest.NewCA(t, "Issuing CA", c.root)
	c.net = &platformtest.Net{
		Handshakes: map[string]platformtest.Handshake{
			"repo.anaconda.com": platformtest.ServedCerts(c.root.Leaf(t, "repo.anaconda.com")),
			"pypi.org":          platformtest.ServedCerts(c.root.Leaf(t, "pypi.org")),
		},
		Times: map[string]platformtest.Time{},
		Gets:  map[string]platformtest.Get{"http://aia.example/int.crt": {Response: &platform.Response{Status: 200, Body: c.inter.Cert.Raw}}},
	}
	for _, s := range []string{"a.example", "b.example", "c.example"} {
		c.net.Times[s] = platformtest.Time{Sample: platform.Sample{RootDistance: 10 * time.Millisecond}}
	}
	roots := string(bundles.Assemble(nil, c.root.Cert, c.other.Cert))
	tree += "-- etc/os-release --\nID=debian\nVERSION_ID=12\n" +
		"-- opt/conda/conda-meta/history --\n" +
		"-- opt/conda/conda-meta/conda-24.11.3-py311_0.json --\n{}\n" +
		"-- opt/conda/conda-meta/python-3.11.9-h955ad1f_0.json --\n{}\n" +
		"-- opt/conda/bin/python3.11 --\n" +
		"-- opt/conda/bin/conda --\n#!/opt/conda/bin/python\n" +
		"-- opt/conda/lib/python3.11/site-packages/certifi/cacert.pem --\n" + roots +
		"-- opt/conda/lib/python3.11/site-packages/certifi/core.py --\n" +
		"-- opt/conda/lib/python3.11/site-packages/certifi-2024.8.30.dist-info/METADATA --\nName: certifi\nVersion: 2024.8.30\n" +
		"-- opt/conda/ssl/cacert.pem --\n" + roots +
		"-- root/.conda/environments.txt --\n/opt/conda\n"
	c.tree = tree
	c.host = platformtest.New(t, tree, append(opts, platformtest.OS("linux"), platformtest.Network(c.net))...)
	c.options = detect.Options{
		Refs: bundles.NewRoots(c.root.Cert, c.other.Cert), NTP: []string{"a.example", "b.example", "c.example"},
		Skip: []string{"store-missing", "store-empty", "clock-unsynced"},
	}
	c.before = platformtest.Contents(c.host)
	return c
}

func (c *campus) serve(ders ...[]byte) {
	c.net.Handshakes[pinHost] = platformtest.ServedCerts(ders...)
}

func (c *campus) forgetful() {
	c.serve(c.inter.Leaf(c.t, pinHost, aia))
}

func aia(x *x509.Certificate) { x.IssuingCertificateURL = []string{"http://aia.example/int.crt"} }

func (c *campus) diagnose() *detect.Report {
	c.t.Helper()
	r, err := detect.Run(c.t.Context(), c.host.View, c.options)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *campus) plan(make func(context.Context, *Input) (*Plan, error)) *Plan {
	c.t.Helper()
	p, err := make(c.t.Context(), &Input{View: c.host.View, Report: c.diagnose()})
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// apply carries a plan out and requires that it stood.
func (c *campus) apply(make func(context.Context, *Input) (*Plan, error)) *Run {
	c.t.Helper()
	p := c.plan(make)
	run, err := Apply(c.t.Context(), c.host, p, ApplyOptions{
		Verify: func(ctx context.Context, v *platform.View, s *Step) ([]detect.Finding, error) {
			return detect.Recheck(ctx, v, c.options, s.Of(p.report))
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if run == nil || run.State != RunApplied {
		c.t.Fatalf("run %+v of plan:\n%s", run, dryRun(p))
	}
	return run
}

func (c *campus) read(name string) string {
	c.t.Helper()
	data, err := c.host.Files.ReadFile(name)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

// holds checks that a bundle has just these certificates.
func (c *campus) holds(name string, want ...*x509.Certificate) {
	c.t.Helper()
	var got []string
	for rest := []byte(c.read(name)); ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		got = append(got, bundles.Fingerprint(b.Bytes))
	}
	var prints []string
	for _, w := range want {
		prints = append(prints, bundles.Fingerprint(w.Raw))
	}
	slices.Sort(got)
	slices.Sort(prints)
	if !slices.Equal(got, prints) {
		c.t.Errorf("%s holds %v, want %v:\n%s", name, got, prints, c.read(name))
	}
}

func (c *campus) unchanged() {
	c.t.Helper()
	if d := platformtest.Diff(c.before, platformtest.Contents(c.host)); d != "" {
		c.t.Errorf("the tree changed:\n%s", d)
	}
}

func (c *campus) rollback() {
	c.t.Helper()
	if _, err := Rollback(c.t.Context(), c.host, "", false); err != nil {
		c.t.Fatal(err)
	}
	c.unchanged()
}

const condarc = "# campus\nchannels:\n  - https://" + pinHost + "/anaconda/pkgs/main\n"

// The server forgot its intermediate; conda gets it, verified, with its own
// public roots and no server's certificate.
func TestPinOfMissingIntermediate(t *testing.T) {
	for _, tc := range []struct {
		name, tree  string
		file, after string // the setting's file, and what it becomes
		pin         string
	}{
		{
			"no setting", "-- root/.condarc --\n" + condarc,
			"/root/.condarc", condarc + "ssl_verify: /root/.conda/trustfix-pin.pem\n", "/root/.conda/trustfix-pin.pem",
		},
		{
			"verification was off: both repairs of one file", "-- root/.condarc --\nssl_verify: false\n" + condarc,
			"/root/.condarc", condarc + "ssl_verify: /root/.conda/trustfix-pin.pem\n", "/root/.conda/trustfix-pin.pem",
		},
		{
			"a setting that says true", "-- root/.condarc --\n" + condarc + "ssl_verify: true # yes\n",
			"/root/.condarc", condarc + "ssl_verify: /root/.conda/trustfix-pin.pem # yes\n", "/root/.conda/trustfix-pin.pem",
		},
		{
			"the installation's own condarc wins", "-- opt/conda/.condarc --\nssl_verify: true\n-- root/.condarc --\n" + condarc,
			"/opt/conda/.condarc", "ssl_verify: /opt/conda/trustfix-pin.pem\n", "/opt/conda/trustfix-pin.pem",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampus(t, tc.tree)
			c.forgetful()
			c.apply(Make)
			if got := c.read(tc.file); got != tc.after {
				t.Errorf("%s reads\n%s\nwant\n%s", tc.file, got, tc.after)
			}
			c.holds(tc.pin, c.root.Cert, c.other.Cert, c.inter.Cert)
			p, ok := detect.ReadPin(tc.pin, []byte(c.read(tc.pin)))
			if !ok || p.Base != "/opt/conda/lib/python3.11/site-packages/certifi/cacert.pem" || !slices.Equal(p.Hosts, []string{pinHost}) || len(p.Pinned) != 1 || p.Pinned[0].Name != "Issuing CA" {
				t.Errorf("the pin says of itself %+v", p)
			}
			if again := c.plan(Make); again.Possible() != 0 {
				t.Errorf("a second apply would do:\n%s", dryRun(again))
			}
			c.rollback()
		})
	}
}

// pip takes the same from its own configuration.
func TestPinForPip(t *testing.T) {
	c := newCampus(t, `
-- usr/bin/python3.11 --
-- usr/lib/python3.11/os.py --
-- root/venv/pyvenv.cfg --
home = /usr/bin
version = 3.11.2
-- root/venv/bin/python --
-- root/venv/lib/python3.11/site-packages/pip/__init__.py --
__version__ = "23.0.1"
-- root/venv/lib/python3.11/site-packages/pip-23.0.1.dist-info/METADATA --
Name: pip
Version: 23.0.1
-- root/.config/pip/pip.conf --
[global]
index-url = https://`+pinHost+`/pypi/simple
`, platformtest.Env(map[string]string{"VIRTUAL_ENV": "/root/venv"}))
	c.forgetful()
	r := c.diagnose()
	if !slices.ContainsFunc(r.Endpoints, func(e *detect.Endpoint) bool { return e.Name() == pinHost && len(e.UsedBy) > 0 }) {
		t.Fatalf("no pip uses the mirror: %+v", r.Clients)
	}
	c.apply(Make)
	const pin = "/root/.config/pip/trustfix-pin.pem"
	if got, want := c.read("/root/.config/pip/pip.conf"), "[global]\nindex-url = https://"+pinHost+"/pypi/simple\ncert = "+pin+"\n"; got != want {
		t.Errorf("pip.conf reads\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(c.read(pin), "# client pip\n") {
		t.Errorf("%s", c.read(pin))
	}
	c.rollback()
}

// A variable beats every file, so no file is changed in vain.
func TestPinAndAVariableThatBeatsIt(t *testing.T) {
	c := newCampus(t, "-- root/.condarc --\n"+condarc+"-- etc/corp.pem --\n", platformtest.Env(map[string]string{"REQUESTS_CA_BUNDLE": "/opt/conda/ssl/cacert.pem"}))
	c.forgetful()
	p := c.plan(Make)
	i := slices.IndexFunc(p.Steps, func(s *Step) bool { return s.Fix == writePin })
	if i < 0 || p.Steps[i].Manual == nil || !strings.Contains(p.Steps[i].Manual.Why.String(), "REQUESTS_CA_BUNDLE") {
		t.Errorf("plan:\n%s", dryRun(p))
	}
	c.unchanged()
}

// Consent is to one SHA-256; what it names goes to the clients that need it.
func TestPrivateCA(t *testing.T) {
	private := platformtest.NewCA(t, "Campus Root", nil)
	fp := bundles.Fingerprint(private.Cert.Raw)
	c := newCampus(t, "-- root/.condarc --\n"+condarc, platformtest.NotElevated())
	c.serve(private.Leaf(t, pinHost), private.Cert.Raw)
	for _, other := range []string{"", bundles.Fingerprint(c.other.Cert.Raw), bundles.Fingerprint(c.net.Handshakes[pinHost].Served.Certs[0])} {
		c.options.Consented = nil
		if other != "" {
			c.options.Consented = []string{other}
		}
		if p := c.plan(Make); p.Possible() != 0 {
			t.Errorf("with consent to %q:\n%s", other, dryRun(p))
		}
	}
	c.options.Consented = []string{bundles.FormatFingerprint(fp)}
	c.apply(Make)
	c.holds("/root/.conda/trustfix-pin.pem", c.root.Cert, c.other.Cert, private.Cert)
	c.rollback()
}

func TestPinCommands(t *testing.T) {
	c := newCampus(t, "-- opt/campus.pem --\n-- root/.condarc --\nssl_verify: /opt/conda/ssl/cacert.pem\nchannels:\n  - https://"+pinHost+"/main\n  - https://second.example.edu.cn/free\n")
	c.forgetful()
	second := platformtest.NewCA(t, "Second CA", c.root)
	c.net.Handshakes["second.example.edu.cn"] = platformtest.ServedCerts(second.Leaf(t, "second.example.edu.cn"), second.Cert.Raw)
	const pin = "/root/.conda/trustfix-pin.pem"

	c.apply(PinPlan([]string{pinHost}))
	c.holds(pin, c.root.Cert, c.other.Cert, c.inter.Cert)
	c.apply(PinPlan([]string{"second.example.edu.cn"}))
	c.holds(pin, c.root.Cert, c.other.Cert, c.inter.Cert, second.Cert)

	c.apply(UnpinPlan([]string{pinHost}))
	c.holds(pin, c.root.Cert, c.other.Cert, second.Cert)
	c.apply(UnpinPlan(nil))
	if exists(c.host.View, pin) {
		t.Error("the pin is still there")
	}
	if got := c.read("/root/.condarc"); !strings.HasPrefix(got, "ssl_verify: /opt/conda/ssl/cacert.pem\n") {
		t.Errorf("the setting does not name what it named before:\n%s", got)
	}
	if p := c.plan(UnpinPlan(nil)); p.Possible() != 0 || len(p.Steps) != 0 {
		t.Errorf("a second unpin would do:\n%s", dryRun(p))
	}
}

// A configuration that cannot be read may name a pin: unpin says so, and is not
// done.
func TestUnpinUnread(t *testing.T) {
	c := newCampus(t, "-- root/.condarc --\n"+condarc+"-- root/.config/pip/pip.conf --\n[global]\nindex-url = https://"+pinHost+"/simple\n")
	c.forgetful()
	c.apply(PinPlan([]string{pinHost}))
	whole := c.host.Files
	c.host.Files = &failingDisk{Files: whole, path: "/root/.config/pip/pip.conf", read: map[string]bool{}}
	p := c.plan(UnpinPlan(nil))
	if len(p.Steps) != 2 || p.Possible() != 1 || p.Steps[1].Manual == nil || !strings.Contains(p.Steps[1].Manual.Why.String(), "/root/.config/pip/pip.conf") {
		t.Errorf("planned:\n%s", dryRun(p))
	}
	c.host.Files = whole
	if p := c.plan(UnpinPlan(nil)); len(p.Steps) != 1 || p.Possible() != 1 {
		t.Errorf("planned:\n%s", dryRun(p))
	}
}

func TestPinRefuses(t *testing.T) {
	c := newCampus(t, "-- root/.condarc --\n"+condarc)
	for name, tc := range map[string]struct {
		host  string
		serve func()
	}{
		"a private CA without consent": {pinHost, func() {
			private := platformtest.NewCA(t, "Campus Root", nil)
			c.serve(private.Leaf(t, pinHost), private.Cert.Raw)
		}},
		"an expired certificate": {pinHost, func() {
			c.serve(c.root.Leaf(t, pinHost, platformtest.Between(platformtest.ValidFrom, platformtest.DefaultNow.AddDate(0, 0, -1))))
		}},
		"an intermediate that nobody gives": {pinHost, func() { c.serve(c.inter.Leaf(t, pinHost)) }},
		"a host that nobody uses":           {"elsewhere.example", c.forgetful},
	} {
		t.Run(name, func(t *testing.T) {
			tc.serve()
			p := c.plan(PinPlan([]string{tc.host}))
			if p.Possible() != 0 || len(p.Steps) != 1 || p.Steps[0].Manual == nil || p.Steps[0].Manual.Why.IsZero() {
				t.Errorf("plan:\n%s", dryRun(p))
			}
			c.unchanged()
		})
	}
}

// The server changed its intermediate: the pin is not renewed by itself.
func TestPinMismatch(t *testing.T) {
	c := newCampus(t, "-- root/.condarc --\n"+condarc)
	c.forgetful()
	c.apply(Make)
	pinned := c.read("/root/.conda/trustfix-pin.pem")

	old := c.inter
	c.inter = platformtest.NewCA(t, "Issuing CA 2", c.root)
	c.net.Gets["http://aia.example/int.crt"] = platformtest.Get{Response: &platform.Response{Status: 200, Body: c.inter.Cert.Raw}}
	c.forgetful()
	r := c.diagnose()
	i := slices.IndexFunc(r.Findings, func(f detect.Finding) bool { return f.ID == "pin-mismatch" })
	if i < 0 {
		t.Fatalf("findings: %+v", r.Findings)
	}
	var said strings.Builder
	for _, e := range r.Findings[i].Evidence {
		said.WriteString(e.String() + "\n")
	}
	for _, ca := range []*platformtest.CA{old, c.inter} {
		if fp := bundles.FormatFingerprint(bundles.Fingerprint(ca.Cert.Raw)); !strings.Contains(said.String(), fp) {
			t.Errorf("%s is not shown in\n%s", fp, said.String())
		}
	}
	if p := c.plan(Make); p.Possible() != 0 || c.read("/root/.conda/trustfix-pin.pem") != pinned {
		t.Errorf("it would be renewed by itself:\n%s", dryRun(p))
	}
	if p := c.plan(RenewPlan()); p.Possible() != 0 {
		t.Errorf("it would be renewed every night:\n%s", dryRun(p))
	}
	c.apply(PinPlan([]string{pinHost}))
	c.holds("/root/.conda/trustfix-pin.pem", c.root.Cert, c.other.Cert, c.inter.Cert)
}

func TestPinAge(t *testing.T) {
	for days, want := range map[int]string{40: "", 20: "pin-expiring", -1: "pin-expired"} {
		c := newCampus(t, "-- root/.condarc --\n"+condarc+"ssl_verify: /root/.conda/trustfix-pin.pem\n")
		c.forgetful()
		p := detect.Pin{Client: "conda", Hosts: []string{pinHost}, Base: "/x", Pinned: []detect.PinnedCert{{
			SHA256: bundles.Fingerprint(c.inter.Cert.Raw), Until: platformtest.DefaultNow.AddDate(0, 0, days), Hosts: []string{pinHost}, Name: "Issuing CA",
		}}}
		platformtest.WriteFile(c.host, "/root/.conda/trustfix-pin.pem", p.Header()+string(bundles.Assemble(nil, c.root.Cert, c.inter.Cert)))
		got := ""
		for _, f := range c.diagnose().Findings {
			if strings.HasPrefix(f.ID, "pin-") {
				got += f.ID
			}
		}
		if got != want {
			t.Errorf("%d days: %q, want %q", days, got, want)
		}
	}
}
