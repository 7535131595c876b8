package chaintest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"strings"
	"testing"
	"time"
)

// Sent is what a server shows, and the key it does it with.
type Sent struct {
	Served [][]byte // DER, leaf first
	Key    crypto.Signer
}

// Fault is a chain with one thing wrong, and who refuses it.
type Fault struct {
	Name string
	Sent
	Roots  []*Entity
	Host   string
	IDs    string // finding ids and finer codes that the judge names, in order
	Refuse string // rule sets that refuse; the others accept
	Code   int    // OpenSSL 3's first error, 0 where it accepts
	Strict int    // Python 3.13's
}

// Everyone are the rule sets that the chains are judged by.
const (
	nobody   = ""
	Everyone = "openssl-1.0.2 openssl-1.1.1 openssl-3 python-3.13 gnutls go node rustls java"
)

func everyoneBut(names ...string) string {
	var out []string
	for _, n := range strings.Fields(Everyone) {
		if !slices.Contains(names, n) {
			out = append(out, n)
		}
	}
	return strings.Join(out, " ")
}

// Faults makes every chain, to be judged at now.
func Faults(tb testing.TB, now time.Time) []Fault {
	mint := func(cn string, issuer *Entity, opts ...func(*x509.Certificate)) *Entity {
		return Mint(tb, now, cn, issuer, opts...)
	}
	mintKey := func(cn string, issuer *Entity, key crypto.Signer, opts ...func(*x509.Certificate)) *Entity {
		return MintKey(tb, now, cn, issuer, key, opts...)
	}
	root := mint("Root", nil, AsCA)
	inter := mint("Intermediate", root, AsCA)
	leaf := mint(Host, inter, AsServer)
	other := mint("Other Root", nil, AsCA)

	expired := Until(now.AddDate(0, 0, -9))
	future := From(now.AddDate(0, 0, 9))
	expiredInter := mint("Intermediate", root, AsCA, expired)
	expiredRoot := mint("Old Root", nil, AsCA, expired)

	notCA := mint("Not a CA", root, func(c *x509.Certificate) { c.BasicConstraintsValid = true })
	noSign := mint("No certSign", root, AsCA, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	short := mint("Path 0", root, AsCA, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := mint("Below", short, AsCA)
	named := mint("Constrained", root, AsCA, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	})
	mailCA := mint("Mail CA", root, AsCA, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })
	loose := mint("Corp Proxy", nil, LooseBC)
	noKU := mint("No key usage", nil, AsCA, func(c *x509.Certificate) { c.KeyUsage = 0 })

	self := mint("Self", nil, AsServer)
	plain := mint("Plain", nil, AsServer, func(c *x509.Certificate) { c.KeyUsage = 0 })
	oldKey := mint("Root", nil, AsCA) // the same name, another key

	// The cross-sign of 2021: a root of today, signed by one that expired.
	x3 := mint("X3", nil, AsCA, expired)
	x1 := mint("X1", nil, AsCA)
	x1ByX3 := mintKey("X1", x3, x1.Key, AsCA)
	r3 := mint("R3", x1, AsCA)
	leR3 := mint(Host, r3, AsServer)

	forged := bytes.Clone(leaf.Raw)
	forged[len(forged)-1] ^= 1

	weak, sha1Leaf := RSAKey(tb, 1024), mint(Host, inter, AsServer, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	sent := func(es ...*Entity) Sent { return Sent{DERs(es...), es[0].Key} }

	// What only strict verifiers mind.
	extension := func(oid []int, value []byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oid, Value: value})
		}
	}
	noKUPath := mint("Path, no key usage", root, AsCA, func(c *x509.Certificate) { c.KeyUsage, c.MaxPathLen = 0, 1 })
	noBC := mint("No basic constraints", nil, AsCA, func(c *x509.Certificate) { c.BasicConstraintsValid = false })
	sha1By := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }
	sha1Inter, sha1Root := mint("SHA-1 CA", root, AsCA, sha1By), mint("SHA-1 Root", nil, AsCA, sha1By)
	weakInter := mintKey("Weak CA", root, weak, AsCA)
	notHere := mint("Excludes", root, AsCA, func(c *x509.Certificate) {
		c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = []string{"good.test"}, true
	})
	anyName := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = []string{name} }
	}
	leafCA := func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }
	selfCA, oldSelf := mint("Self CA", nil, AsServer, leafCA), mint("Old self", nil, AsServer, expired)
	oldLeaf := mint(Host, inter, AsServer, expired)
	looseLeaf := mint(Host, inter, AsServer, LooseBC, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageDigitalSignature })

	spoilt := sent(leaf, inter)
	spoilt.Served[0] = forged

	return []Fault{
		{"good", sent(leaf, inter), []*Entity{root}, Host, "", nobody, 0, 0},
		{"good, root sent too", sent(leaf, inter, root), []*Entity{root}, Host, "", nobody, 0, 0},
		{"good, out of order, with junk", sent(leaf, other, root, inter), []*Entity{root}, Host, "", nobody, 0, 0},
		{"leaf only", sent(leaf), []*Entity{root}, Host, "server-incomplete-chain", Everyone, 20, 20},
		{"unknown root, not sent", sent(leaf, inter), []*Entity{other}, Host, "server-private-ca", Everyone, 20, 20},
		{"unknown root, sent", sent(leaf, inter, root), []*Entity{other}, Host, "server-private-ca", Everyone, 19, 19},
		{"nothing trusted", sent(leaf, inter, root), nil, Host, "server-private-ca", Everyone, 19, 19},
		{"self-signed", sent(self), []*Entity{root}, Host, "server-self-signed", Everyone, 18, 18},
		{"self-signed and trusted", sent(self), []*Entity{self}, Host, "", "openssl-1.0.2", 0, 0},
		{"self-signed and trusted, any key usage", sent(plain), []*Entity{plain}, Host, "", nobody, 0, 0},
		{"only the intermediate is trusted", sent(leaf, inter), []*Entity{inter}, Host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node", 2, 0},
		{"only the leaf is trusted", sent(leaf, inter), []*Entity{leaf}, Host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node rustls gnutls", 20, 0},
		{"only the leaf is trusted, only it is sent", sent(leaf), []*Entity{leaf}, Host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node rustls", 20, 0},
		{"the leaf and the intermediate are trusted", sent(leaf, inter), []*Entity{leaf, inter}, Host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node", 2, 0},
		{"only the intermediate is trusted, only the leaf is sent", sent(leaf), []*Entity{inter}, Host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node", 2, 0},
		{"intermediate and root are trusted, only the leaf is sent", sent(leaf), []*Entity{inter, root}, Host, "", nobody, 0, 0},
		{"only the leaf is trusted, and it expired", sent(oldLeaf, inter), []*Entity{oldLeaf}, Host, "server-expired", everyoneBut("java"), 20, 10},
		{"only the leaf is trusted, wrong name", sent(leaf, inter), []*Entity{leaf}, "other.example.org", "server-hostname", Everyone, 20, 62},
		{"only the leaf is trusted, and it is a CA", sent(looseLeaf, inter), []*Entity{looseLeaf}, Host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 python-3.13 node rustls gnutls", 20, 89},
		{"self-signed CA and trusted", sent(selfCA), []*Entity{selfCA}, Host, "", "rustls", 0, 0},
		{"self-signed and trusted, expired", sent(oldSelf), []*Entity{oldSelf}, Host, "server-expired", everyoneBut("java"), 10, 10},
		{"expired leaf", sent(mint(Host, inter, AsServer, expired), inter), []*Entity{root}, Host, "server-expired", Everyone, 10, 10},
		{"expired intermediate", sent(mint(Host, expiredInter, AsServer), expiredInter), []*Entity{root}, Host, "server-expired", Everyone, 10, 10},
		{"expired root", sent(mint(Host, expiredRoot, AsServer)), []*Entity{expiredRoot}, Host, "", everyoneBut("java", "rustls"), 10, 10},
		{"not yet valid", sent(mint(Host, inter, AsServer, future), inter), []*Entity{root}, Host, "server-not-yet-valid", Everyone, 9, 9},
		{"wrong name", sent(leaf, inter), []*Entity{root}, "other.example.org", "server-hostname", Everyone, 62, 62},
		{"wrong address", sent(leaf, inter), []*Entity{root}, "127.0.0.1", "server-hostname", Everyone, 64, 64},
		{"wildcard", sent(mint(Host, inter, AsServer, anyName("*.good.test")), inter), []*Entity{root}, Host, "", nobody, 0, 0},
		{"wildcard of another level", sent(mint(Host, inter, AsServer, anyName("*.test")), inter), []*Entity{root}, Host, "server-hostname", Everyone, 62, 62},
		{"common name only", sent(mint(Host, inter, AsServer, func(c *x509.Certificate) { c.DNSNames = nil }), inter), []*Entity{root}, Host, "server-hostname", "go rustls", 0, 0},
		{"intermediate is no CA", sent(mint(Host, notCA, AsServer), notCA), []*Entity{root}, Host, "server-forged issuer-not-ca", Everyone, 79, 79},
		{"intermediate may not sign", sent(mint(Host, noSign, AsServer), noSign), []*Entity{root}, Host, "server-forged issuer-key-usage", everyoneBut("rustls"), 79, 79},
		{"forged leaf", spoilt, []*Entity{root}, Host, "server-forged bad-signature", Everyone, 7, 7},
		{"trusted CA of that name has another key", sent(leaf, inter), []*Entity{oldKey}, Host, "server-forged bad-signature", Everyone, 20, 20},
		{"path too long", sent(mint(Host, below, AsServer), below, short), []*Entity{root}, Host, "server-constraint path-length", Everyone, 25, 25},
		{"name not permitted", sent(mint(Host, named, AsServer), named), []*Entity{root}, Host, "server-constraint name-constraint", Everyone, 47, 47},
		{"name excluded", sent(mint(Host, notHere, AsServer), notHere), []*Entity{root}, Host, "server-constraint name-constraint", Everyone, 48, 48},
		{"leaf not for servers", sent(mint(Host, inter, AsServer, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), inter), []*Entity{root}, Host, "server-constraint eku", everyoneBut("gnutls"), 26, 26},
		{"intermediate not for servers", sent(mint(Host, mailCA, AsServer), mailCA), []*Entity{root}, Host, "server-constraint eku", everyoneBut("gnutls", "java"), 26, 26},
		{"unknown critical extension", sent(mint(Host, inter, AsServer, Critical([]int{1, 2, 3, 4, 5}, []byte{5, 0})), inter), []*Entity{root}, Host, "server-constraint critical-extension", Everyone, 34, 34},
		{"RSA 1024", sent(mintKey(Host, inter, weak, AsServer), inter), []*Entity{root}, Host, "server-weak weak-key", "openssl-1.1.1 openssl-3 python-3.13 rustls", 66, 66},
		{"SHA-1", sent(sha1Leaf, inter), []*Entity{root}, Host, "server-weak weak-signature", everyoneBut("java", "openssl-1.0.2"), 68, 68},
		{"intermediate signed with SHA-1", sent(mint(Host, sha1Inter, AsServer), sha1Inter), []*Entity{root}, Host, "server-weak weak-signature", everyoneBut("java", "openssl-1.0.2"), 68, 68},
		{"root signed with SHA-1", sent(mint(Host, sha1Root, AsServer)), []*Entity{sha1Root}, Host, "", nobody, 0, 0},
		{"RSA 1024 intermediate", sent(mint(Host, weakInter, AsServer), weakInter), []*Entity{root}, Host, "server-weak weak-key", "openssl-1.1.1 openssl-3 python-3.13 rustls", 67, 67},
		{"intermediate with path length, no key usage", sent(mint(Host, noKUPath, AsServer), noKUPath), []*Entity{root}, Host, "strict-ca", "python-3.13", 0, 81},
		{"root without basic constraints", sent(mint(Host, noBC, AsServer)), []*Entity{noBC}, Host, "strict-ca", "python-3.13 go java", 0, 79},
		{"leaf may sign", sent(mint(Host, inter, AsServer, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign }), inter), []*Entity{root}, Host, "strict-ca", "python-3.13", 0, 82},
		{"leaf is a CA", sent(mint(Host, inter, AsServer, leafCA), inter), []*Entity{root}, Host, "", "rustls", 0, 0},
		{"leaf is a CA, not critical", sent(looseLeaf, inter), []*Entity{root}, Host, "strict-ca", "python-3.13 rustls", 0, 89},
		{"leaf with path length", sent(mint(Host, inter, AsServer, func(c *x509.Certificate) { c.BasicConstraintsValid = false }, extension([]int{2, 5, 29, 19}, []byte{0x30, 3, 2, 1, 0})), inter), []*Entity{root}, Host, "strict-ca", "python-3.13", 0, 80},
		{"empty subject, names not critical", sent(mint("", inter, AsServer, extension([]int{2, 5, 29, 17}, append([]byte{0x30, byte(2 + len(Host)), 0x82, byte(len(Host))}, Host...))), inter), []*Entity{root}, Host, "strict-ca", "python-3.13", 0, 88},
		{"basic constraints not critical", sent(mint(Host, loose, AsServer), loose), []*Entity{loose}, Host, "strict-ca", "python-3.13", 0, 89},
		{"CA without key usage", sent(mint(Host, noKU, AsServer), noKU), []*Entity{noKU}, Host, "strict-ca", "python-3.13", 0, 92},
		{"leaf without AKI", sent(mint(Host, inter.WithoutSKI(), AsServer), inter), []*Entity{root}, Host, "strict-ca", "python-3.13", 0, 85},
		{"cross-sign by an expired root that is gone", sent(leR3, r3, x1ByX3), []*Entity{x1}, Host, "", nobody, 0, 0},
		{"cross-sign by an expired root that is kept", sent(leR3, r3, x1ByX3), []*Entity{x1, x3}, Host, "", "openssl-1.0.2", 0, 0},
		{"several at once", sent(mint("x", expiredInter, AsServer, expired), expiredInter), []*Entity{root}, "x.example", "server-expired server-hostname", Everyone, 62, 62},
		{"private use extension is harmless", sent(mint(Host, inter, AsServer, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3}, Value: []byte{5, 0}}}
		}), inter), []*Entity{root}, Host, "", nobody, 0, 0},
	}
}
