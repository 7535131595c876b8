package bundles

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// ca makes a self-signed certificate.
func ca(t testing.TB, name pkix.Name) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(1.7e9, 0), NotAfter: time.Unix(2.5e9, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReference(t *testing.T) {
	r := Reference()
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`x509roots/fallback v0\.0\.0-(\d{4})(\d\d)(\d\d)`).FindSubmatch(mod)
	if m == nil || fmt.Sprintf("%s-%s-%s", m[1], m[2], m[3]) != r.Date.Format(time.DateOnly) {
		t.Errorf("referenceDate is %s, go.mod has %s", r.Date.Format(time.DateOnly), m[0])
	}
	if r.Len() < 100 {
		t.Errorf("%d reference roots", r.Len())
	}
	constrained := 0
	for _, root := range r.All() {
		if d, bad := Compromised(root.Cert); bad {
			t.Errorf("reference root %s is distrusted: %+v", Name(root.Cert), d)
		}
		if root.Constraint != nil {
			constrained++
			late := &x509.Certificate{NotBefore: r.Date}
			if root.Constraint([]*x509.Certificate{late}) == nil {
				t.Errorf("%s: the constraint accepts a certificate of %s", Name(root.Cert), late.NotBefore)
			}
		}
	}
	if constrained == 0 {
		t.Error("no root carries its distrust-after constraint")
	}
	extra := ca(t, pkix.Name{CommonName: "Extra"})
	w := r.With(extra, extra)
	if w.Len() != r.Len()+1 || !w.Has(Fingerprint(extra.Raw)) || r.Has(Fingerprint(extra.Raw)) || !w.Date.Equal(r.Date) {
		t.Error("With has to add one root to a copy")
	}
}

func TestReadRoots(t *testing.T) {
	cert := ca(t, pkix.Name{CommonName: "A"})
	r, c := ReadRoots([]byte(block("CERTIFICATE", cert.Raw)))
	if r.Len() != 1 || !r.Has(Fingerprint(cert.Raw)) || len(c.Problems) != 0 {
		t.Errorf("%d roots, %q", r.Len(), kinds(c.Problems))
	}
	if r, c := ReadRoots([]byte("no roots\n")); r.Len() != 0 || c.Find(ProblemNone) == nil {
		t.Error("a file without roots has to say so")
	}
}

func TestAssemble(t *testing.T) {
	a, b := ca(t, pkix.Name{CommonName: "A"}), ca(t, pkix.Name{CommonName: "evil\n-----BEGIN CERTIFICATE-----"})
	base := "# mine\n" + strings.TrimSuffix(block("CERTIFICATE", a.Raw), "\n")
	got := Assemble([]byte(base), a, b, b)
	c := Read(got)
	if len(c.Problems) != 0 || len(c.Certs) != 2 || got[len(got)-1] != '\n' || !bytes.HasPrefix(got, []byte(base)) {
		t.Errorf("%d certificates, %q in\n%s", len(c.Certs), kinds(c.Problems), got)
	}
	if want := "# SHA-256 " + FormatFingerprint(Fingerprint(b.Raw)); !bytes.Contains(got, []byte(want)) {
		t.Errorf("no %q in\n%s", want, got)
	}
	if again := Assemble(got, a, b); !bytes.Equal(again, got) {
		t.Error("assembling twice has to change nothing")
	}
}

func TestParseFingerprint(t *testing.T) {
	fp := strings.Repeat("3a91", 16)
	for _, s := range []string{
		fp, strings.ToUpper(fp), FormatFingerprint(fp), "SHA256:" + fp, "sha256 Fingerprint=" + FormatFingerprint(fp),
		"  SHA-256 " + FormatFingerprint(fp) + "\n", strings.ReplaceAll(FormatFingerprint(fp), ":", " "),
	} {
		if got, err := ParseFingerprint(s); err != nil || got != fp {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", fp[:62], fp + "00", "SHA1:" + fp[:40], strings.Replace(fp, "3", "g", 1), fp[:40]} {
		if got, err := ParseFingerprint(s); !errors.Is(err, ErrFingerprint) {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
}

func TestCompromised(t *testing.T) {
	files, err := filepath.Glob("testdata/badssl/*.crt")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	opaque := 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c := Read(data)
		for _, der := range c.Opaque { // Go parses not all of them
			if d, ok := CompromisedPrint(Fingerprint(der)); !ok || d.Reason != KeyPublic {
				t.Errorf("%s: %+v, %v", f, d, ok)
			}
		}
		if len(c.Certs) == 0 {
			opaque++
			continue
		}
		cert := c.Certs[0].Certificate
		if d, ok := Compromised(cert); !ok || d.Reason != KeyPublic || d.Name == "" {
			t.Errorf("%s: %+v, %v", f, d, ok)
		}
		// The same key in another certificate.
		again := *cert
		again.Raw = []byte("reissued")
		if d, ok := Compromised(&again); !ok || d.Reason != KeyPublic {
			t.Errorf("%s by key: %+v, %v", f, d, ok)
		}
	}
	if opaque > 1 {
		t.Errorf("%d files could not be parsed", opaque)
	}
	if d, ok := Compromised(ca(t, pkix.Name{CommonName: "Superfish, Inc."})); ok {
		t.Errorf("a name alone is no proof: %+v", d)
	}
	for _, d := range distrustedRoots {
		if len(d.cert) != 64 || len(d.key) != 64 || d.cert == d.key {
			t.Errorf("%s: bad hashes", d.Name)
		}
	}
}

func TestInterceptor(t *testing.T) {
	for want, n := range map[string]pkix.Name{
		"Zscaler":            {CommonName: "Zscaler Root CA", Organization: []string{"Zscaler Inc."}},
		"Netskope":           {CommonName: "ca.acme.eu.goskope.com", Organization: []string{"ACME"}},
		"Fortinet FortiGate": {CommonName: "FG100ETK18000000", Organization: []string{"FORTINET"}},
		"Cisco Umbrella":     {CommonName: "Cisco Umbrella Primary SubCA fra-SG", Organization: []string{"Cisco"}},
		"Cloudflare Gateway": {CommonName: "Gateway CA - Cloudflare Managed G1 0f2a", Organization: []string{"Cloudflare, Inc."}},
		"Charles Proxy":      {CommonName: "Charles Proxy CA (26 May 2023, host)"},
		"Fiddler":            {CommonName: "DO_NOT_TRUST_FiddlerRoot"},
		"":                   {CommonName: "Cloudflare Inc ECC CA-3", Organization: []string{"Cloudflare, Inc."}},
	} {
		if got, ok := Interceptor(ca(t, n)); got != want || ok != (want != "") {
			t.Errorf("%s: %q", n, got)
		}
	}
	for _, root := range Reference().All() {
		if v, ok := Interceptor(root.Cert); ok {
			t.Errorf("public root %s looks like %s", root.Cert.Subject, v)
		}
	}
	email := pkix.Name{CommonName: "x", ExtraNames: []pkix.AttributeTypeAndValue{{Type: []int{1, 2, 840, 113549, 1, 9, 1}, Value: "certadmin@netskope.com"}}}
	if got, _ := Interceptor(ca(t, email)); got != "Netskope" {
		t.Errorf("e-mail address: %q", got)
	}
}

func TestMirrors(t *testing.T) {
	for url, want := range map[string]string{
		"https://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/conda-forge/": "https://mirrors.ustc.edu.cn/anaconda/cloud/conda-forge",
		"http://mirrors.aliyun.com/anaconda/pkgs/main":                     "https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main",
		"https://repo.anaconda.com/pkgs/main":                              "https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main",
		"https://conda.anaconda.org/conda-forge":                           "https://mirrors.bfsu.edu.cn/anaconda/cloud/conda-forge",
		"https://mirrors.ustc.edu.cn/anaconda/cloud/conda-forge":           "https://conda.anaconda.org/conda-forge",
		"https://pypi.tuna.tsinghua.edu.cn/simple":                         "https://mirrors.aliyun.com/pypi/simple",
		"https://pypi.org/simple/":                                         "https://pypi.tuna.tsinghua.edu.cn/simple",
	} {
		got := Mirrors(url)
		if !strings.Contains(" "+strings.Join(got, " ")+" ", " "+want+" ") {
			t.Errorf("%s: no %s in %q", url, want, got)
		}
		for _, g := range got {
			if g == strings.TrimSuffix(url, "/") {
				t.Errorf("%s suggests itself", url)
			}
		}
	}
	for _, url := range []string{"", "https://pypi.example.org/simple", "https://pypi.org/simplest", "https://conda.anaconda.org"} {
		if got := Mirrors(url); got != nil {
			t.Errorf("%s: %q", url, got)
		}
	}
}

func referencePEM() []byte {
	var certs []*x509.Certificate
	for _, r := range Reference().All() {
		certs = append(certs, r.Cert)
	}
	return Assemble(nil, certs...)
}

func TestWithout(t *testing.T) {
	a, b := ca(t, pkix.Name{CommonName: "A"}), ca(t, pkix.Name{CommonName: "B"})
	pa, pb := block("CERTIFICATE", a.Raw), block("CERTIFICATE", b.Raw)
	fa, fb := Fingerprint(a.Raw), Fingerprint(b.Raw)
	for _, tt := range []struct {
		name, data string
		gone       []string
		want       string
	}{
		{"one of two", "# A\n" + pa + "# B\r\n" + pb, []string{fa}, "# A\n# B\r\n" + pb},
		{"twice", pa + pb + pa, []string{fa}, pb},
		{"all", pa + pb, []string{fa, fb}, ""},
		{"none", pa + "x\n" + pb[:50], []string{fb}, pa + "x\n" + pb[:50]},
		{"no final newline", pb + strings.TrimSuffix(pa, "\n"), []string{fa}, pb},
		{"a key stays", block("EC PRIVATE KEY", []byte{1}) + pa, []string{fa}, block("EC PRIVATE KEY", []byte{1})},
	} {
		if got := string(Without([]byte(tt.data), tt.gone...)); got != tt.want {
			t.Errorf("%s: got\n%q\nwant\n%q", tt.name, got, tt.want)
		}
	}
}
