package chain

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"trustfix/bundles"
)

// A stapled answer counts only when it is about this certificate, of this time
// and signed by its issuer; nothing stapled is no fault.
func TestStapledAnswer(t *testing.T) {
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	issue := func(name string, by *x509.Certificate, signer crypto.Signer) (*x509.Certificate, *ecdsa.PrivateKey) {
		t.Helper()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(len(name))), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(0, 1, 0), BasicConstraintsValid: true, IsCA: by == nil,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		if by == nil {
			by, signer = c, key
		} else {
			c.KeyUsage = x509.KeyUsageDigitalSignature
		}
		der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), signer)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert, key
	}
	root, rootKey := issue("Root", nil, nil)
	leaf, _ := issue("www.example.org", root, rootKey)
	other, otherKey := issue("Other Root", nil, nil)
	staple := func(status int, serial *big.Int, this time.Time, by *x509.Certificate, key crypto.Signer) []byte {
		t.Helper()
		der, err := ocsp.CreateResponse(by, by, ocsp.Response{
			Status: status, SerialNumber: serial, ThisUpdate: this, NextUpdate: this.Add(24 * time.Hour), RevokedAt: this.Add(-time.Hour), IssuerHash: crypto.SHA256,
		}, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	hourAgo := now.Add(-time.Hour)
	for _, c := range []struct {
		name   string
		staple []byte
		want   string
	}{
		{"none", nil, ""},
		{"good", staple(ocsp.Good, leaf.SerialNumber, hourAgo, root, rootKey), ""},
		{"revoked", staple(ocsp.Revoked, leaf.SerialNumber, hourAgo, root, rootKey), "server-revoked"},
		{"about another certificate", staple(ocsp.Revoked, big.NewInt(77), hourAgo, root, rootKey), ""},
		{"stale", staple(ocsp.Revoked, leaf.SerialNumber, now.AddDate(0, 0, -9), root, rootKey), ""},
		{"signed by somebody else", staple(ocsp.Revoked, leaf.SerialNumber, hourAgo, other, otherKey), ""},
		{"garbage", []byte("staple"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Judge(Input{Served: [][]byte{leaf.Raw}, Roots: bundles.NewRoots(root), Host: "www.example.org", Time: now, Staple: c.staple})
			if v.Cause() != c.want || v.OK != (c.want == "") {
				t.Errorf("cause %q, ok %v; want %q", v.Cause(), v.OK, c.want)
			}
			if c.want != "" && Decide(v, v, v, false).Fault != FaultServer {
				t.Errorf("fault %s, want the server's", v.Fault())
			}
		})
	}
}
