// Package chaintest makes certificates and the chains with one thing wrong that
// the judge, and in the laboratory every real client, is asked about. It is
// test code: it imports nothing of ours and must not judge anything itself.
package chaintest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// Host is the name that good chains are for.
const Host = "www.good.test"

// Entity is a certificate with its key.
type Entity struct {
	*x509.Certificate
	Key crypto.Signer
}

// Mint makes a certificate that is valid for a year before and after now: a
// template, changed by opts, signed by issuer (nil: by itself).
func Mint(tb testing.TB, now time.Time, cn string, issuer *Entity, opts ...func(*x509.Certificate)) *Entity {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return MintKey(tb, now, cn, issuer, key, opts...)
}

// MintKey is Mint for a key that is there already.
func MintKey(tb testing.TB, now time.Time, cn string, issuer *Entity, key crypto.Signer, opts ...func(*x509.Certificate)) *Entity {
	tb.Helper()
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	spki, _ := x509.MarshalPKIXPublicKey(key.Public())
	id := sha256.Sum256(spki)
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: cn}, SubjectKeyId: id[:20],
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	for _, o := range opts {
		o(c)
	}
	parent, signer := c, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &Entity{parsed, key}
}

// AsCA makes a certificate authority.
func AsCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

// AsServer makes a certificate for Host.
func AsServer(c *x509.Certificate) {
	c.DNSNames, c.KeyUsage, c.BasicConstraintsValid = []string{Host}, x509.KeyUsageDigitalSignature, true
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

// From sets the start of validity.
func From(t time.Time) func(*x509.Certificate) { return func(c *x509.Certificate) { c.NotBefore = t } }

// Until sets its end.
func Until(t time.Time) func(*x509.Certificate) { return func(c *x509.Certificate) { c.NotAfter = t } }

// WithoutSKI is the issuer as seen by somebody who leaves out key identifiers.
func (e *Entity) WithoutSKI() *Entity {
	c := *e.Certificate
	c.SubjectKeyId = nil
	return &Entity{&c, e.Key}
}

// Critical adds a critical extension.
func Critical(oid asn1.ObjectIdentifier, value []byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oid, Critical: true, Value: value})
	}
}

// LooseBC is a CA whose basic constraints are not critical, as many
// intercepting proxies make them.
func LooseBC(c *x509.Certificate) {
	AsCA(c)
	c.BasicConstraintsValid = false
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: []byte{0x30, 3, 1, 1, 0xff}})
}

// RSAKey is a new key.
func RSAKey(tb testing.TB, bits int) crypto.Signer {
	tb.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// DERs are the certificates as a server sends them.
func DERs(es ...*Entity) [][]byte {
	var out [][]byte
	for _, e := range es {
		out = append(out, e.Raw)
	}
	return out
}
