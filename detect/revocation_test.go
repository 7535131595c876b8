package detect

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"trustfix/bundles"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// Without --revocation nobody is asked; with it the responder, else the list,
// and what cannot be had or does not count is a note, never a fault.
func TestRevocation(t *testing.T) {
	const host = "h.example.org"
	now := platformtest.DefaultNow
	root := newCA(t, "Public Root", nil)
	inter := newCA(t, "Issuing CA", root, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/root"} })
	leaf := inter.Leaf(t, host, func(c *x509.Certificate) {
		c.OCSPServer = []string{"https://secure.example/", "http://user:secret@ocsp.example/"}
		c.CRLDistributionPoints = []string{"ldap://crl.example/x", "http://crl.example/inter"}
	})
	mute := inter.Leaf(t, host)
	parsed, err := x509.ParseCertificate(leaf)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(status int, this time.Time) []byte {
		der, err := ocsp.CreateResponse(inter.Cert, inter.Cert, ocsp.Response{
			Status: status, SerialNumber: parsed.SerialNumber, ThisUpdate: this, NextUpdate: this.Add(48 * time.Hour), RevokedAt: this, RevocationReason: ocsp.Superseded,
		}, inter.Key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	list := func(ca *platformtest.CA, serials ...*big.Int) []byte {
		l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 0, 7)}
		for _, s := range serials {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: now.Add(-time.Hour), ReasonCode: 1})
		}
		der, err := x509.CreateRevocationList(rand.Reader, l, ca.Cert, ca.Key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	hourAgo := now.Add(-time.Hour)
	quiet := list(root)
	for _, c := range []struct {
		name    string
		leaf    []byte
		staple  []byte
		ask     bool
		answers map[string]any // by URL: a body, or a status
		asked   string         // URLs, in order of the alphabet
		want    string         // verdict, cause
		says    string         // status of each certificate
	}{
		{"not asked for", leaf, nil, false, nil, "", "ok ", ""},
		{
			"good", leaf, nil, true,
			map[string]any{"http://ocsp.example/": answer(ocsp.Good, hourAgo), "http://crl.example/root": quiet},
			"http://crl.example/root http://ocsp.example/", "ok ", "good good",
		},
		{
			"revoked", leaf, nil, true,
			map[string]any{"http://ocsp.example/": answer(ocsp.Revoked, hourAgo), "http://crl.example/root": quiet},
			"http://crl.example/root http://ocsp.example/", "fail server-revoked", "revoked good",
		},
		{
			"the responder is down: the list", leaf, nil, true,
			map[string]any{"http://ocsp.example/": 503, "http://crl.example/inter": list(inter, parsed.SerialNumber), "http://crl.example/root": quiet},
			"http://crl.example/inter http://crl.example/root http://ocsp.example/", "fail server-revoked", "revoked good",
		},
		{
			"a stale answer: the list", leaf, nil, true,
			map[string]any{"http://ocsp.example/": answer(ocsp.Revoked, now.AddDate(0, 0, -9)), "http://crl.example/inter": list(inter), "http://crl.example/root": quiet},
			"http://crl.example/inter http://crl.example/root http://ocsp.example/", "ok ", "good good",
		},
		{"nobody answers", leaf, nil, true, nil, "http://crl.example/inter http://crl.example/root http://ocsp.example/", "ok ", "unknown unknown"},
		{
			"a portal answers", leaf, nil, true,
			map[string]any{"http://ocsp.example/": []byte("<html>"), "http://crl.example/inter": []byte("<html>"), "http://crl.example/root": 302},
			"http://crl.example/inter http://crl.example/root http://ocsp.example/", "ok ", "unknown unknown",
		},
		{
			"an intermediate", leaf, nil, true,
			map[string]any{"http://ocsp.example/": answer(ocsp.Good, hourAgo), "http://crl.example/root": list(root, inter.Cert.SerialNumber)},
			"http://crl.example/root http://ocsp.example/", "fail server-revoked", "good revoked",
		},
		{"stapled: the responder is not asked", leaf, answer(ocsp.Good, hourAgo), true, map[string]any{"http://crl.example/root": quiet}, "http://crl.example/root", "ok ", "good good"},
		{"stapled and stale: it is", leaf, answer(ocsp.Good, now.AddDate(0, 0, -9)), true, map[string]any{"http://ocsp.example/": answer(ocsp.Good, hourAgo), "http://crl.example/root": quiet}, "http://crl.example/root http://ocsp.example/", "ok ", "good good"},
		{"no address", mute, nil, true, map[string]any{"http://crl.example/root": quiet}, "http://crl.example/root", "ok ", "unknown good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			do := platformtest.Get{Do: func(_ context.Context, r platform.Request) (*platform.Response, error) {
				if strings.Contains(r.URL, "ocsp") {
					q, err := ocsp.ParseRequest(r.Body)
					if err != nil || r.Method != http.MethodPost || r.Type != "application/ocsp-request" || q.SerialNumber.Cmp(parsed.SerialNumber) != 0 {
						t.Errorf("no OCSP request: %s %s, %v", r.Method, r.Type, err)
					}
				}
				if r.Limit == 0 || r.Timeout != 5*time.Second {
					t.Errorf("unbounded: %+v", r)
				}
				switch a := c.answers[r.URL].(type) {
				case []byte:
					return &platform.Response{Status: 200, Body: a}, nil
				case int:
					return &platform.Response{Status: a, Body: []byte("no")}, nil
				}
				return nil, &platform.NetError{Kind: platform.NetRefused, Host: r.URL, Err: errors.New("refused")}
			}}
			shake := served(c.leaf, inter.Cert.Raw)
			shake.Served.OCSP = c.staple
			net := &platformtest.Net{Handshakes: hosts(host, shake), Gets: map[string]platformtest.Get{"ocsp.example": do, "crl.example": do}}
			h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(net))
			rs, err := Verify(t.Context(), h.View, []string{host}, VerifyOptions{Roots: bundles.NewRoots(root.Cert), At: now, Revocation: c.ask})
			if err != nil {
				t.Fatal(err)
			}
			var says, asked []string
			for _, r := range rs[0].Revocation {
				says = append(says, string(r.Status))
				if r.Status == "unknown" && (len(r.Notes) == 0 || strings.Contains(fmt.Sprint(r.Notes), "secret")) {
					t.Errorf("notes: %v", r.Notes)
				}
			}
			for _, s := range net.Contacted() {
				if _, url, ok := strings.Cut(s, "http://"); ok {
					asked = append(asked, "http://"+url)
				}
			}
			slices.Sort(asked)
			if got := rs[0].Verdict + " " + rs[0].Cause; got != c.want || strings.Join(says, " ") != c.says || strings.Join(asked, " ") != c.asked {
				t.Errorf("%q, %q, asked %q; want %q, %q, %q", got, says, asked, c.want, c.says, c.asked)
			}
			if rs[0].Cause != "" && rs[0].Fault != "server" {
				t.Errorf("fault %s", rs[0].Fault)
			}
		})
	}
}

// A saved chain is asked about only where that was said.
func TestRevocationOfASavedChain(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	leaf, err := x509.ParseCertificate(root.Leaf(t, "h.example", func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/root"} }))
	if err != nil {
		t.Fatal(err)
	}
	l := &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: platformtest.DefaultNow.Add(-time.Hour), NextUpdate: platformtest.DefaultNow.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: leaf.SerialNumber, RevocationTime: platformtest.DefaultNow}},
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, root.Cert, root.Key)
	if err != nil {
		t.Fatal(err)
	}
	net := &platformtest.Net{Gets: map[string]platformtest.Get{"http://crl.example/root": {Response: &platform.Response{Status: 200, Body: der}}}}
	h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(net))
	for _, ask := range []bool{false, true} {
		rs, err := Verify(t.Context(), h.View, nil, VerifyOptions{ChainPEM: []byte(platformtest.PEM(leaf)), Host: "h.example", At: platformtest.DefaultNow, Roots: bundles.NewRoots(root.Cert), Revocation: ask})
		if err != nil {
			t.Fatal(err)
		}
		if got := rs[0].Cause == "server-revoked"; got != ask || (len(net.Contacted()) > 0) != ask {
			t.Errorf("asked %v: %s, contacted %v", ask, rs[0].Cause, net.Contacted())
		}
	}
}
