package chain

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"testing"
	"time"

	"trustfix/bundles"
)

// now is when every generated chain is judged; real programs can only be
// asked about the present.
var now = time.Now().UTC().Truncate(time.Second)

const host = "localhost"

// entity is a certificate with its key.
type entity struct {
	*x509.Certificate
	key crypto.Signer
}

// mint makes certificates for tests: a template, changed by opts, signed by
// issuer (nil: by itself).
func mint(tb testing.TB, cn string, issuer *entity, opts ...func(*x509.Certificate)) *entity {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return mintKey(tb, cn, issuer, key, opts...)
}

func mintKey(tb testing.TB, cn string, issuer *entity, key crypto.Signer, opts ...func(*x509.Certificate)) *entity {
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
		parent, signer = issuer.Certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &entity{parsed, key}
}

func asCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

func asServer(c *x509.Certificate) {
	c.DNSNames, c.KeyUsage, c.BasicConstraintsValid = []string{host}, x509.KeyUsageDigitalSignature, true
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

func from(t time.Time) func(*x509.Certificate)  { return func(c *x509.Certificate) { c.NotBefore = t } }
func until(t time.Time) func(*x509.Certificate) { return func(c *x509.Certificate) { c.NotAfter = t } }

// withoutSKI is the issuer as seen by somebody who leaves out key identifiers.
func (e *entity) withoutSKI() *entity {
	c := *e.Certificate
	c.SubjectKeyId = nil
	return &entity{&c, e.key}
}

func critical(oid asn1.ObjectIdentifier, value []byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oid, Critical: true, Value: value})
	}
}

// looseBC is a CA whose basic constraints are not critical, as many
// intercepting proxies make them.
func looseBC(c *x509.Certificate) {
	asCA(c)
	c.BasicConstraintsValid = false
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidBasicConstraints, Value: []byte{0x30, 3, 1, 1, 0xff}})
}

func rsaKey(tb testing.TB, bits int) crypto.Signer {
	tb.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func ders(es ...*entity) [][]byte {
	var out [][]byte
	for _, e := range es {
		out = append(out, e.Raw)
	}
	return out
}

func roots(es ...*entity) *bundles.Roots {
	r := &bundles.Roots{}
	for _, e := range es {
		r.Add(bundles.Root{Cert: e.Certificate})
	}
	return r
}

func pemOf(ders ...[]byte) []byte {
	var b bytes.Buffer
	for _, d := range ders {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: d})
	}
	return b.Bytes()
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func rootsDistrusting(e *entity) *bundles.Roots {
	r := &bundles.Roots{}
	r.Add(bundles.Root{Cert: e.Certificate, Constraint: func([]*x509.Certificate) error { return errors.New("issued after the date of distrust") }})
	return r
}
