package platformtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"trustfix/platform"
)

// CA is a certificate authority made for a test.
type CA struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// Server certificates of a test are valid for this long, unless it says otherwise.
var (
	ValidFrom  = DefaultNow.AddDate(0, -2, 0)
	ValidUntil = DefaultNow.AddDate(0, 2, 0)
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewCA makes a CA called name, signed by parent or by itself.
func NewCA(t testing.TB, name string, parent *CA, mod ...func(*x509.Certificate)) *CA {
	t.Helper()
	a := &CA{Key: newKey(t)}
	c := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name, Organization: []string{"trustfix test"}},
		NotBefore: DefaultNow.AddDate(-5, 0, 0), NotAfter: DefaultNow.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, m := range mod {
		m(c)
	}
	if parent == nil {
		parent = &CA{Cert: c, Key: a.Key}
	}
	a.Cert = sign(t, c, parent, &a.Key.PublicKey)
	return a
}

// Root is a self-signed CA called name and nothing else, valid from 2023 to 2049.
func Root(t testing.TB, name string, mod ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	plain := func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: name}
		c.NotBefore, c.NotAfter = time.Unix(1.7e9, 0), time.Unix(2.5e9, 0)
	}
	return NewCA(t, name, nil, append([]func(*x509.Certificate){plain}, mod...)...).Cert
}

// PEM is the text of certificates, as a bundle holds them.
func PEM(certs ...*x509.Certificate) string {
	var s strings.Builder
	for _, c := range certs {
		s.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return s.String()
}

// Leaf is a server certificate for names, signed by a.
func (a *CA) Leaf(t testing.TB, host string, mod ...func(*x509.Certificate)) []byte {
	t.Helper()
	return a.LeafFor(t, &newKey(t).PublicKey, host, mod...)
}

// LeafFor is Leaf for a given public key.
func (a *CA) LeafFor(t testing.TB, key any, host string, mod ...func(*x509.Certificate)) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: host}, NotBefore: ValidFrom, NotAfter: ValidUntil,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	for _, m := range mod {
		m(c)
	}
	return sign(t, c, a, key).Raw
}

// SelfSigned is a server certificate that signs itself.
func SelfSigned(t testing.TB, host string) []byte {
	t.Helper()
	key := newKey(t)
	c := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: ValidFrom, NotAfter: ValidUntil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return sign(t, c, &CA{Cert: c, Key: key}, &key.PublicKey).Raw
}

func sign(t testing.TB, c *x509.Certificate, by *CA, key any) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by.Cert, key, by.Key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// WeakRSA is a public key that is too short.
func WeakRSA(t testing.TB) *rsa.PublicKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

// ServedCerts is a handshake that brings these certificates.
func ServedCerts(ders ...[]byte) Handshake {
	return Handshake{Served: &platform.Served{Certs: ders, Version: 0x0304, Addr: "192.0.2.1:443"}}
}

// Between sets the validity of a certificate.
func Between(from, until time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
}
