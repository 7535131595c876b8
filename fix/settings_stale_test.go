package fix

import (
	"context"
	"crypto/x509"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform/platformtest"
)

// staleInput is a system whose client of that name refuses a server for lack of a root.
func staleInput(t *testing.T, tree, name string, root *x509.Certificate, env map[string]string) *Input {
	t.Helper()
	h := platformtest.New(t, tree, platformtest.Env(env))
	r, err := detect.Run(context.Background(), h.View, detect.Options{Refs: bundles.NewRoots(root), Offline: true, Only: []string{"none"}})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Clients, func(c *client.Client) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no %s", name)
	}
	c := r.Clients[i]
	r.Endpoints = []*detect.Endpoint{{
		URL: "https://pypi.org/simple/", Parsed: &url.URL{Scheme: "https", Host: "pypi.org"},
		Reference: chain.Verdict{OK: true, Root: root},
		Clients:   []detect.ClientVerdict{{Client: c, Cause: "ca-bundle-stale", Fault: chain.FaultClient}},
	}}
	fix := map[string]string{"pip": "upgrade-certifi"}[string(c.Trust.Owner)]
	if fix == "" {
		fix = "refresh-bundle"
	}
	r.Findings = []detect.Finding{{
		ID: "ca-bundle-stale", Severity: detect.Error, Client: c.Name, Subject: c.Path, Where: c.Trust.Path, Action: detect.Auto, Fix: fix,
	}}
	r.Options.Only = nil
	return &Input{View: h.View, Report: r}
}

func planned(t *testing.T, in *Input) *Step {
	t.Helper()
	p, err := makePlan(context.Background(), in, settingsFixes)
	if err != nil || len(p.Steps) != 1 {
		t.Fatal(p, err)
	}
	return p.Steps[0]
}

const staleVenv = `
-- root/.venvs/a/pyvenv.cfg --
home = /opt/py/bin
version = 3.11.2
-- root/.venvs/a/bin/python --
-- root/.venvs/a/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA --
-- root/.venvs/a/lib/python3.11/site-packages/certifi-2019.11.28.dist-info/METADATA --
-- root/.venvs/a/lib/python3.11/site-packages/certifi/cacert.pem --
`

// certifi is upgraded by the environment's own pip, which trusts the reference
// roots for it; what it replaces is recorded, what it adds is taken away again.
func TestUpgradeCertifi(t *testing.T) {
	root := newCA(t, "New Root")
	const site = "/root/.venvs/a/lib/python3.11/site-packages"
	s := planned(t, staleInput(t, "mode 0755 /root/.venvs/a/bin/python\n"+staleVenv+"-- root/.venvs/a/lib/python3.11/site-packages/pip-23.0.dist-info/METADATA --\n", "requests", root,
		map[string]string{"HTTPS_PROXY": "http://proxy.example:3128"}))
	if s.Manual != nil {
		t.Fatal(s.Manual)
	}
	a := s.Actions[0]
	argv := strings.Join(a.Do[0].Argv, " ")
	if !strings.HasPrefix(argv, "/root/.venvs/a/bin/python -I -m pip install --upgrade") || !strings.Contains(argv, "--cert {roots.pem} certifi") {
		t.Errorf("runs %s", argv)
	}
	if !slices.Contains(a.Do[0].Env, "HTTPS_PROXY=http://proxy.example:3128") {
		t.Errorf("without the proxy: %v", a.Do[0].Env)
	}
	if !strings.Contains(string(a.Temp["roots.pem"]), "New Root") {
		t.Error("the download is not verified with the reference roots")
	}
	if want := []string{site + "/certifi", site + "/certifi-2019.11.28.dist-info"}; !slices.Equal(a.Touches, want) {
		t.Errorf("touches %v, want %v", a.Touches, want)
	}
	if undo := a.Undo[0].Argv; undo[3] != tidy || undo[4] != site || undo[5] != "certifi-2019.11.28.dist-info" {
		t.Errorf("undo is %v", undo)
	}
}

// Nothing is run as root that others can write, and nothing without a pip.
func TestUpgradeCertifiByHand(t *testing.T) {
	pip := "-- root/.venvs/a/lib/python3.11/site-packages/pip-23.0.dist-info/METADATA --\n"
	for name, tree := range map[string]string{
		"no pip":                       "mode 0755 /root/.venvs/a/bin/python\n" + staleVenv,
		"a Python that others replace": "mode 0777 /root/.venvs/a/bin/python\n" + staleVenv + pip,
		"packages that others replace": "mode 0755 /root/.venvs/a/bin/python\nmode 0777 /root/.venvs/a/lib/python3.11/site-packages\n" + staleVenv + pip,
	} {
		t.Run(name, func(t *testing.T) {
			if s := planned(t, staleInput(t, tree, "requests", newCA(t, "New Root"), nil)); s.Manual == nil || len(s.Actions) > 0 {
				t.Errorf("planned %v", s.Actions)
			}
		})
	}
}

// A bundle of nobody's package gets the root that a server needs, if it is
// newer than the bundle. An older one was left out by somebody.
func TestRefreshBundle(t *testing.T) {
	old := newCA(t, "Old Root")
	recent := reissue(t, "New Root", time.Unix(1.75e9, 0))
	tree := func(in *x509.Certificate) string {
		return "-- root/.venvs/a/pyvenv.cfg --\nversion = 3.11.2\n-- root/.venvs/a/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA --\n" +
			"-- srv/bundle.pem --\n" + pemText(in)
	}
	env := map[string]string{"REQUESTS_CA_BUNDLE": "/srv/bundle.pem"}
	s := planned(t, staleInput(t, tree(old), "requests", recent, env))
	if s.Manual != nil {
		t.Fatal(s.Manual)
	}
	if got := string(s.Actions[0].After.Data); !strings.HasPrefix(got, pemText(old)) || !strings.Contains(got, pemBody(recent)) {
		t.Errorf("wrote %s", got)
	}
	if s := planned(t, staleInput(t, tree(recent), "requests", old, env)); s.Manual == nil {
		t.Error("a root that somebody left out was added")
	}
}

func pemBody(c *x509.Certificate) string {
	_, body, _ := strings.Cut(pemText(c), "-----BEGIN")
	return strings.TrimSpace(body)
}
