package detect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform/platformtest"
)

// settingsReport is the offline inventory of a system with these files.
func settingsReport(t *testing.T, files map[string]string, env map[string]string, refs *bundles.Roots) (*Report, func(run func(context.Context) ([]Finding, error)) string) {
	t.Helper()
	a := &txtar.Archive{}
	for name, data := range files {
		a.Files = append(a.Files, txtar.File{Name: strings.TrimPrefix(name, "/"), Data: []byte(data)})
	}
	h := platformtest.New(t, a, platformtest.Env(env))
	inv, err := client.Resolve(context.Background(), h.View)
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{Inventory: inv, Clients: inv.Clients, Options: Options{Refs: refs}}
	show := func(run func(context.Context) ([]Finding, error)) string {
		t.Helper()
		fs, err := run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range fs {
			fmt.Fprintf(&b, "%s %s %s %s %s\n", f.Severity, f.ID, f.Client, f.Where, f.Action)
		}
		return b.String()
	}
	return r, show
}

const pipFile = "/root/.venvs/a/lib/python3.11/site-packages/pip-23.0.dist-info/METADATA"

var aVenv = map[string]string{"/root/.venvs/a/pyvenv.cfg": "home = /opt/py/bin\nversion = 3.11.2\n", pipFile: ""}

func with(base map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for k, v := range base {
		out[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// What a setting leads to is judged by its content and by what it replaces.
func TestCAPaths(t *testing.T) {
	public, private := platformtest.Root(t, "Public Root"), platformtest.Root(t, "Corp Root")
	refs := bundles.NewRoots(public)
	glued := strings.Replace(platformtest.PEM(public, private), "-----END CERTIFICATE-----\n-----BEGIN", "-----END CERTIFICATE----------BEGIN", 1)
	for name, tt := range map[string]struct {
		env   map[string]string
		files map[string]string
		want  string
	}{
		"complete":                      {map[string]string{"PIP_CERT": "/b.pem"}, with(aVenv, "/b.pem", platformtest.PEM(public, private)), ""},
		"only a private CA":             {map[string]string{"PIP_CERT": "/b.pem"}, with(aVenv, "/b.pem", platformtest.PEM(private)), "error ca-path-partial pip env:PIP_CERT manual\n"},
		"gem adds a private CA":         {map[string]string{"SSL_CERT_FILE": "/a.pem"}, map[string]string{"/usr/bin/gem": "", "/root/.gemrc": ":ssl_ca_cert: /b.pem\n", "/a.pem": platformtest.PEM(public), "/b.pem": platformtest.PEM(private)}, ""},
		"private, before pip is there":  {map[string]string{"PIP_CERT": "/b.pem"}, map[string]string{"/b.pem": platformtest.PEM(private)}, "error ca-path-partial pip env:PIP_CERT manual\n"},
		"private, only private servers": {map[string]string{"PIP_CERT": "/b.pem", "PIP_INDEX_URL": "https://pypi.corp.example/simple"}, with(aVenv, "/b.pem", platformtest.PEM(private)), ""},
		"private, but added":            {map[string]string{"NODE_EXTRA_CA_CERTS": "/b.pem"}, map[string]string{"/b.pem": platformtest.PEM(private)}, ""},
		"empty file":                    {map[string]string{"SSL_CERT_FILE": "/b.pem"}, map[string]string{"/b.pem": ""}, "error ca-path-invalid python env:SSL_CERT_FILE manual\n"},
		"no certificate in it":          {map[string]string{"SSL_CERT_FILE": "/b.pem"}, map[string]string{"/b.pem": "hello\n"}, "error ca-path-invalid python env:SSL_CERT_FILE manual\n"},
		"blocks glued together":         {map[string]string{"SSL_CERT_FILE": "/b.pem"}, map[string]string{"/b.pem": glued}, "error ca-path-invalid python env:SSL_CERT_FILE manual\n"},
		"cut in the middle":             {map[string]string{"SSL_CERT_FILE": "/b.pem"}, map[string]string{"/b.pem": platformtest.PEM(public) + platformtest.PEM(private)[:200]}, "error ca-path-invalid python env:SSL_CERT_FILE manual\n"},
		"UTF-16":                        {map[string]string{"SSL_CERT_FILE": "/b.pem"}, map[string]string{"/b.pem": "\xff\xfe-\x00-\x00"}, "error ca-path-invalid python env:SSL_CERT_FILE manual\n"},
		"directory without hashes":      {map[string]string{"SSL_CERT_DIR": "/d"}, map[string]string{"/d/a.pem": platformtest.PEM(public)}, "error ca-path-invalid python env:SSL_CERT_DIR manual\n"},
		"directory with hashes":         {map[string]string{"SSL_CERT_DIR": "/d"}, map[string]string{"/d/0a1b2c3d.0": platformtest.PEM(public)}, ""},
		"a list with one that works":    {map[string]string{"SSL_CERT_DIR": "/gone:/d"}, map[string]string{"/d/0a1b2c3d.0": platformtest.PEM(public)}, ""},
		"a list with none that works":   {map[string]string{"SSL_CERT_DIR": "/gone:/also"}, nil, "error ca-path-missing python env:SSL_CERT_DIR manual\n"},
		"a relative path":               {map[string]string{"PIP_CERT": "b.pem"}, nil, ""},
		"conda expands no tilde":        {nil, map[string]string{"/root/.condarc": "ssl_verify: ~/b.pem\n"}, "error ca-path-invalid conda /root/.condarc:1 auto\n"},
		"conda knows no <system>":       {nil, map[string]string{"/root/.condarc": "ssl_verify: <system>\n"}, "error ca-path-invalid conda /root/.condarc:1 auto\n"},
		"conda's truststore":            {nil, map[string]string{"/root/.condarc": "ssl_verify: truststore\n"}, ""},
		"npm's empty ca":                {nil, map[string]string{"/root/.npmrc": "ca=\n"}, "error ca-path-invalid npm /root/.npmrc:1 auto\n"},
		"a Java store that is cut":      {map[string]string{"JAVA_TOOL_OPTIONS": "-Djavax.net.ssl.trustStore=/x.jks"}, map[string]string{"/x.jks": "\xfe\xed\xfe\xed"}, "error ca-path-invalid java env:JAVA_TOOL_OPTIONS manual\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h := platformtest.New(t, "-- etc/hostname --\nx\n")
			r, show := settingsReport(t, tt.files, tt.env, refs)
			if got := show(func(ctx context.Context) ([]Finding, error) { return caPaths(ctx, h.View, r) }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A setting that names the system's own bundle is right: the bundle has to
// come back, the setting stays.
func TestCAPathOfStore(t *testing.T) {
	h := platformtest.New(t, "-- etc/hostname --\nx\n")
	r, _ := settingsReport(t, nil, map[string]string{"SSL_CERT_FILE": bundleFile}, bundles.NewRoots())
	r.Stores = []*Store{{Name: "system", Path: bundleFile, Status: StoreMissing}}
	fs, err := caPaths(context.Background(), h.View, r)
	if err != nil || len(fs) != 1 {
		t.Fatal(fs, err)
	}
	if f := fs[0]; f.CausedBy != "store-missing" || f.Fix != "" || f.Action != None {
		t.Errorf("got cause %q, fix %q, action %q", f.CausedBy, f.Fix, f.Action)
	}
}

func TestCAConflict(t *testing.T) {
	a, b := platformtest.PEM(platformtest.Root(t, "A")), platformtest.PEM(platformtest.Root(t, "B"))
	conda := map[string]string{"/opt/conda/conda-meta/conda-24.1.0-py311_0.json": "", "/opt/conda/condabin/conda": "", "/root/.condarc": "ssl_verify: /a.pem\n", "/a.pem": a, "/b.pem": b, "/copy.pem": a}
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"REQUESTS_CA_BUNDLE beats ssl_verify": {map[string]string{"REQUESTS_CA_BUNDLE": "/b.pem"}, "warning ca-conflict conda /root/.condarc:1 manual\n"},
		"both name the same roots":            {map[string]string{"REQUESTS_CA_BUNDLE": "/copy.pem"}, ""},
		"one setting alone":                   {nil, ""},
		"an ordinary override":                {map[string]string{"CONDA_SSL_VERIFY": "/b.pem"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := platformtest.New(t, "-- etc/hostname --\nx\n")
			r, show := settingsReport(t, conda, tt.env, nil)
			if got := show(func(ctx context.Context) ([]Finding, error) { return caConflict(ctx, h.View, r) }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// An old bundle is information until a server that is used needs a root that
// is not in it. Two environments with the same file are one place.
func TestCABundleStale(t *testing.T) {
	old, recent := platformtest.Root(t, "Old Root"), platformtest.Root(t, "New Root")
	refs := bundles.NewRoots(old, recent)
	site := "/root/.venvs/a/lib/python3.11/site-packages/"
	files := with(aVenv, site+"pip/_vendor/certifi/cacert.pem", platformtest.PEM(old), site+"certifi-2020.1.1.dist-info/METADATA", "",
		site+"certifi/cacert.pem", platformtest.PEM(old, recent), site+"requests-2.31.0.dist-info/METADATA", "")
	h := platformtest.New(t, "-- etc/hostname --\nx\n")
	r, show := settingsReport(t, files, nil, refs)
	run := func(ctx context.Context) ([]Finding, error) { return caBundleStale(ctx, h.View, r) }
	where := site + "pip/_vendor/certifi/cacert.pem"
	if got, want := show(run), "info ca-bundle-stale pip "+where+" manual\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var pip *client.Client
	for _, c := range r.Clients {
		if c.Name == "pip" {
			pip = c
		}
	}
	r.Endpoints = []*Endpoint{{
		URL: "https://pypi.org/simple/", Parsed: &url.URL{Scheme: "https", Host: "pypi.org"},
		Reference: chain.Verdict{OK: true, Root: recent},
		Clients:   []ClientVerdict{{Client: pip, Cause: "ca-bundle-stale", Fault: chain.FaultClient}},
	}}
	if got := show(run); !strings.HasPrefix(got, "error ca-bundle-stale pip "+where) {
		t.Errorf("got %q", got)
	}
	// A root that somebody put into the file would be lost by an update.
	r.Endpoints = []*Endpoint{{
		Parsed:  &url.URL{Scheme: "https", Host: "pypi.corp.example"},
		Clients: []ClientVerdict{{Client: pip, Now: chain.Verdict{OK: true, Root: platformtest.Root(t, "Corp Root")}}},
	}}
	if got, want := show(run), "warning ca-bundle-stale pip "+where+" manual\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Old libraries are information until an endpoint fails because of them.
func TestRuntimes(t *testing.T) {
	files := map[string]string{
		"/opt/conda/conda-meta/conda-4.5.0-py27_0.json":     "",
		"/opt/conda/conda-meta/python-2.7.14-h.json":        "",
		"/opt/conda/conda-meta/openssl-1.0.2u-h.json":       "",
		"/opt/conda/condabin/conda":                         "",
		"/opt/old/conda-meta/python-2.7.8-0.json":           "",
		"/opt/old/conda-meta/openssl-1.0.0-0.json":          "",
		"/opt/conda/envs/x/conda-meta/python-3.12.0-h.json": "", "/opt/conda/envs/x/conda-meta/openssl-3.2.0-h.json": "",
		"/usr/lib/jvm/java-7/bin/java": "", "/usr/lib/jvm/java-7/release": "JAVA_VERSION=\"1.7.0_80\"\n",
		"/usr/lib/jvm/java-8/bin/java": "", "/usr/lib/jvm/java-8/release": "JAVA_VERSION=\"1.8.0_392\"\n",
		"/root/.conda/environments.txt": "/opt/old\n",
	}
	h := platformtest.New(t, "-- etc/hostname --\nx\n")
	r, show := settingsReport(t, files, nil, nil)
	oldSSL := func(ctx context.Context) ([]Finding, error) { return opensslOld(ctx, h.View, r) }
	if got, want := show(oldSSL), "info openssl-old conda /opt/conda manual\ninfo openssl-old python /opt/old manual\n"; got != want {
		t.Errorf("openssl-old: got\n%swant\n%s", got, want)
	}
	if got, want := show(func(ctx context.Context) ([]Finding, error) { return tlsOld(ctx, h.View, r) }),
		"info tls-old python /opt/old manual\ninfo tls-old java /usr/lib/jvm/java-7 manual\n"; got != want {
		t.Errorf("tls-old: got\n%swant\n%s", got, want)
	}
	r.Endpoints = []*Endpoint{{Parsed: &url.URL{Scheme: "https", Host: "conda.example"}, Clients: []ClientVerdict{{Client: r.Clients[0], Cause: "openssl-old"}}}}
	if got := show(oldSSL); !strings.HasPrefix(got, "error openssl-old conda /opt/conda manual\n") {
		t.Errorf("got %q", got)
	}
}

func TestClientCertExpired(t *testing.T) {
	h := platformtest.New(t, "-- etc/hostname --\nx\n")
	now := h.Now()
	cert := func(until time.Time) string {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tmpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "lin"}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	for name, tt := range map[string]struct {
		until time.Time
		want  string
	}{
		"expired": {now.AddDate(0, 0, -1), "error client-cert-expired conda /root/.condarc:1 manual\n"},
		"valid":   {now.AddDate(0, 0, 1), ""},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"/root/.condarc": "client_ssl_cert: /c.pem\n", "/c.pem": cert(tt.until)}
			a := &txtar.Archive{}
			for n, d := range files {
				a.Files = append(a.Files, txtar.File{Name: n[1:], Data: []byte(d)})
			}
			h := platformtest.New(t, a)
			r, show := settingsReport(t, files, nil, nil)
			if got := show(func(ctx context.Context) ([]Finding, error) { return clientCertExpired(ctx, h.View, r) }); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Written shows a setting as people know it from its file, without secrets.
func TestWritten(t *testing.T) {
	r, _ := settingsReport(t, map[string]string{
		"/root/.condarc":                 "ssl_verify:   false # x\nchannels:\n  - https://u:p@h.example/t/tok/x\n",
		"/root/.config/pip/pip.conf":     "[global]\nindex-url = https://u:p@h.example/simple\n",
		"/etc/apt/apt.conf":              "Acquire::https::Verify-Peer \"false\";\n",
		"/root/.config/fish/config.fish": "set -gx GIT_SSL_NO_VERIFY 1\n",
	}, map[string]string{"PIP_EXTRA_INDEX_URL": "https://u:p@h.example/"}, nil)
	var got []string
	for _, s := range r.Inventory.Settings {
		got = append(got, Written(s))
	}
	want := "PIP_EXTRA_INDEX_URL=https://***@h.example/\n"
	for _, w := range []string{"ssl_verify: false", "- https://***@h.example/t/***/x", "index-url = https://***@h.example/simple", `Acquire::https::Verify-Peer "false"`, "set GIT_SSL_NO_VERIFY 1", strings.TrimSpace(want)} {
		if !strings.Contains(strings.Join(got, "\n"), w) {
			t.Errorf("%q is not among %q", w, got)
		}
	}
}
