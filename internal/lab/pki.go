//go:build linux

package lab

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

const day = 24 * time.Hour

// Validity of everything that is not meant to be outside of it.
var (
	longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	farOff  = time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)
	ended   = time.Date(2021, 9, 30, 14, 1, 15, 0, time.UTC)
)

// CA is a certificate authority of the laboratory.
type CA struct {
	Name string // file-name-like: "root"; also its AIA path
	Cert *x509.Certificate
	key  crypto.Signer
}

// PEM is the CA's certificate as a PEM block.
func (c *CA) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Cert.Raw}))
}

// SHA256 is the fingerprint that --trust-ca takes.
func (c *CA) SHA256() string {
	sum := sha256.Sum256(c.Cert.Raw)
	return hex.EncodeToString(sum[:])
}

// PKI is every CA that a run knows. "root", "ec-root" and "y1" are the public
// ones: they stand in the sandbox's ca-certificates and are trustfix's
// additional reference roots. Nobody trusts the others.
type PKI struct {
	cas  map[string]*CA
	keys map[string]crypto.Signer // for leaves, by kind
}

// public are the CAs that the sandbox's distribution ships.
var public = []string{"root", "ec-root", "y1"}

// CA returns the authority of that name; it panics for one that was never made.
func (p *PKI) CA(name string) *CA {
	if c := p.cas[name]; c != nil {
		return c
	}
	panic("lab: no CA named " + name)
}

// newPKI makes all authorities. The keys are new in every run, so nothing
// outside it can ever trust them.
func newPKI() *PKI {
	p := &PKI{cas: map[string]*CA{}, keys: map[string]crypto.Signer{
		"rsa": newKey("rsa"), "ec": newKey("ec"), "rsa1024": newKey("rsa1024"),
	}}
	p.add("root", "Lab Root R1", "", "rsa", nil)
	p.add("int", "Lab Issuing CA 1", "root", "rsa", nil)
	p.add("int-ended", "Lab Issuing CA 0", "root", "ec", func(t *x509.Certificate) { t.NotAfter = ended })
	p.add("ec-root", "Lab Root E1", "", "ec", nil)
	p.add("ec-int", "Lab Issuing CA E2", "ec-root", "ec", nil)
	// The cross-signed case of 2021: servers send Y1 signed by X3, which has
	// ended; clients have to find Y1 among their own roots.
	p.add("x3", "Lab Root X3", "", "ec", func(t *x509.Certificate) { t.NotAfter = ended })
	p.add("y1", "Lab Root Y1", "", "ec", nil)
	p.cross("y1-by-x3", "y1", "x3")
	p.add("y1-int", "Lab Issuing CA Y3", "y1", "ec", nil)
	p.add("corp", "Zcorp Root CA", "", "rsa", nil)
	p.add("corp-int", "Zcorp Intermediate Root CA (zcorp.example)", "corp", "ec", nil)
	p.add("campus", "Campus Private Root", "", "rsa", nil)
	p.add("constrained", "Lab Constrained CA", "root", "ec", func(t *x509.Certificate) {
		t.PermittedDNSDomains, t.PermittedDNSDomainsCritical = []string{"allowed.example"}, true
	})
	// Python 3.13 is strict about a CA whose basicConstraints are not critical.
	p.add("sloppy", "Campus Appliance CA", "", "ec", func(t *x509.Certificate) {
		t.IsCA, t.BasicConstraintsValid = false, false
		t.SubjectKeyId = serial().Bytes()
		v, err := asn1.Marshal(struct {
			CA bool `asn1:"optional"`
		}{true})
		check(err)
		t.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: v}}
	})
	// Has the name and key id of "int" and another key: what it signs is forged.
	forger := *p.CA("int")
	cert := *forger.Cert
	forger.key = newKey("rsa")
	cert.PublicKey = forger.key.Public()
	forger.Name, forger.Cert = "forger", &cert
	p.cas["forger"] = &forger
	return p
}

func (p *PKI) template(cn string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: cn, Organization: []string{"trustfix laboratory"}, Country: []string{"XX"}},
		NotBefore:    longAgo, NotAfter: farOff,
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

func (p *PKI) add(name, cn, issuer, kind string, mod func(*x509.Certificate)) {
	t, key := p.template(cn), newKey(kind)
	if mod != nil {
		mod(t)
	}
	parent, signer := t, key
	if issuer != "" {
		parent, signer = p.CA(issuer).Cert, p.CA(issuer).key
	}
	p.cas[name] = &CA{Name: name, Cert: sign(t, parent, key.Public(), signer), key: key}
}

// cross signs an existing authority's key again, by another issuer.
func (p *PKI) cross(name, of, issuer string) {
	c, by := p.CA(of), p.CA(issuer)
	t := p.template(c.Cert.Subject.CommonName)
	t.SubjectKeyId = c.Cert.SubjectKeyId
	p.cas[name] = &CA{Name: name, Cert: sign(t, by.Cert, c.key.Public(), by.key), key: c.key}
}

// leaf says how a server's certificate differs from a good one.
type leaf struct {
	issuer        string        // default "int"
	chain         []string      // CAs sent besides; nil: the issuer
	key           string        // "rsa", "ec" (default), "rsa1024"
	from, until   time.Duration // against now; default -30 d, +60 d
	names         []string      // default: the name asked for
	mod           func(*x509.Certificate)
	selfSigned    bool
	withoutAIA    bool
	withoutKeyIDs bool // no authorityKeyIdentifier
}

// mint makes a server certificate for host at the world's time now.
func (p *PKI) mint(host string, now time.Time, l leaf) *tls.Certificate {
	if l.issuer == "" {
		l.issuer = "int"
	}
	if l.chain == nil {
		l.chain = []string{l.issuer}
	}
	if l.key == "" {
		l.key = "ec"
	}
	if l.from == 0 && l.until == 0 {
		l.from, l.until = -30*day, 60*day
	}
	if l.names == nil {
		l.names = []string{host}
	}
	t := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: l.names[0]},
		NotBefore: now.Add(l.from), NotAfter: now.Add(l.until),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range l.names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	if !l.withoutAIA && !l.selfSigned {
		t.IssuingCertificateURL = []string{"http://" + aiaHost + "/aia/" + l.issuer + ".der"}
	}
	if l.mod != nil {
		l.mod(t)
	}
	key := p.keys[l.key]
	if l.selfSigned {
		cert := sign(t, t, key.Public(), key)
		return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
	}
	ca := p.CA(l.issuer)
	parent := ca.Cert
	if l.withoutKeyIDs {
		without := *parent
		without.SubjectKeyId = nil
		parent = &without
	}
	out := &tls.Certificate{Certificate: [][]byte{sign(t, parent, key.Public(), ca.key).Raw}, PrivateKey: key}
	for _, n := range l.chain {
		out.Certificate = append(out.Certificate, p.CA(n).Cert.Raw)
	}
	return out
}

func sign(t, parent *x509.Certificate, pub crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, by)
	check(err)
	c, err := x509.ParseCertificate(der)
	check(err)
	return c
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	check(err)
	return n.Add(n, big.NewInt(1))
}

func newKey(kind string) crypto.Signer {
	var k crypto.Signer
	var err error
	switch kind {
	case "rsa":
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	case "rsa1024":
		k, err = rsa.GenerateKey(rand.Reader, 1024)
	case "ec":
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		err = fmt.Errorf("no such kind of key: %s", kind)
	}
	check(err)
	return k
}

// check is for what can only fail when the laboratory itself is wrong.
func check(err error) {
	if err != nil {
		panic("lab: " + err.Error())
	}
}
