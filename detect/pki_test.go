package detect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// authority is a CA made for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// span of validity of everything a test makes, unless it says otherwise.
var (
	validFrom  = platformtest.DefaultNow.AddDate(0, -2, 0)
	validUntil = platformtest.DefaultNow.AddDate(0, 2, 0)
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// newCA makes a CA called name, signed by parent or by itself.
func newCA(t testing.TB, name string, parent *authority, mod ...func(*x509.Certificate)) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	c := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: name, Organization: []string{"trustfix test"}},
		NotBefore: platformtest.DefaultNow.AddDate(-5, 0, 0), NotAfter: platformtest.DefaultNow.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, m := range mod {
		m(c)
	}
	if parent == nil {
		parent = &authority{cert: c, key: a.key}
	}
	a.cert = sign(t, c, parent, &a.key.PublicKey)
	return a
}

// leaf is a server certificate for names, signed by a.
func (a *authority) leaf(t testing.TB, host string, mod ...func(*x509.Certificate)) []byte {
	t.Helper()
	return a.leafFor(t, &newKey(t).PublicKey, host, mod...)
}

func (a *authority) leafFor(t testing.TB, key any, host string, mod ...func(*x509.Certificate)) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: host}, NotBefore: validFrom, NotAfter: validUntil,
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

// selfSigned is a server certificate that signs itself.
func selfSigned(t testing.TB, host string) []byte {
	t.Helper()
	key := newKey(t)
	c := &x509.Certificate{
		SerialNumber: serial(t), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: validFrom, NotAfter: validUntil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return sign(t, c, &authority{cert: c, key: key}, &key.PublicKey).Raw
}

func sign(t testing.TB, c *x509.Certificate, by *authority, key any) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key, by.key)
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

func weakRSA(t testing.TB) *rsa.PublicKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

// served is a handshake that brings these certificates.
func served(ders ...[]byte) platformtest.Handshake {
	return platformtest.Handshake{Served: &platform.Served{Certs: ders, Version: 0x0304, Addr: "192.0.2.1:443"}}
}

func netError(kind platform.NetKind, detail string) platformtest.Handshake {
	return platformtest.Handshake{Err: &platform.NetError{Kind: kind, Detail: detail}}
}

func fingerprint(c *x509.Certificate) string { return bundles.Fingerprint(c.Raw) }

func between(from, until time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = from, until }
}
