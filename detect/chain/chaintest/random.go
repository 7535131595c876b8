package chaintest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"math/big"
	random "math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Made is a certificate of a random chain and what is true of it, whatever can
// be read in it.
type Made struct {
	*Entity
	Subject, Issuer  string   // common names
	Holder, Signer   int      // numbers of the keys
	Wrong            []string // finding ids and finer codes that keep it out of a path, unless it is the anchor
	PathLen          int      // -1: none
	Permits, Exclude string   // DNS subtrees, "" for none
	Forged           bool     // nobody made its signature
	Respelt          bool     // it writes its issuer's name in other letters than that
}

// Own reports whether it names itself as its issuer.
func (m *Made) Own() bool { return m.Subject == m.Issuer }

// Random is a chain with a random shape and up to three faults.
type Random struct {
	Fault            // IDs, Refuse and the codes are not set
	Shown   []*Made  // what Served holds
	Trusted []*Made  // what Roots holds
	Names   []string // DNS names of the leaf
	Matches bool     // the leaf is for Host
	Put     []string // the finding ids and finer codes of the faults that were put in
	Plain   bool     // there is but one path, and Put is all that keeps it from standing
}

// dice makes one Random.
type dice struct {
	*random.Rand
	tb   testing.TB
	now  time.Time
	rsa  map[int]crypto.Signer
	keys []crypto.Signer
	said []string
	calm bool // nothing but the faults
}

// Randoms makes n chains from a seed. Their shape depends on the seed alone,
// their keys do not.
func Randoms(tb testing.TB, now time.Time, seed uint64, n int) []Random {
	tb.Helper()
	weak := map[int]crypto.Signer{1024: weakKey(tb), 2048: RSAKey(tb, 2048)}
	var out []Random
	for i := range n {
		d := &dice{Rand: random.New(random.NewPCG(seed, uint64(i))), tb: tb, now: now, rsa: weak}
		r := d.throw()
		r.Name = fmt.Sprintf("%d/%d: %s", seed, i, strings.Join(d.said, ", "))
		out = append(out, r)
	}
	return out
}

// Faulty is a chain of a server, two CAs and a root that has the faults named for
// each position, 0 being the server's; FaultsAt are those that can be.
func Faulty(tb testing.TB, now time.Time, at map[int][]string) Random {
	tb.Helper()
	d := &dice{Rand: random.New(random.NewPCG(0, 0)), tb: tb, now: now, rsa: map[int]crypto.Signer{1024: weakKey(tb)}, calm: true}
	ca := func(name string, issuer *Made, faults []string) *Made {
		return d.make(&Made{Subject: name, Holder: d.key(0), PathLen: -1}, issuer, faults, nil)
	}
	root := ca("Root", nil, nil)
	upper := ca("CA 2", root, at[2])
	lower := ca("CA 1", upper, at[1])
	leaf := d.make(&Made{Subject: Host, Holder: d.key(0), PathLen: -1}, lower, at[0], AsServer)
	r := Random{Fault: Fault{Host: Host}, Shown: []*Made{leaf, lower, upper}, Trusted: []*Made{root}, Names: leaf.DNSNames, Matches: true, Plain: true}
	return r.filled()
}

// FaultsAt are the faults that a position of Faulty can have.
func FaultsAt(position int) []string {
	var out []string
	for _, f := range put {
		if position == 0 && f.leaf || position > 0 && f.ca && (f.id != "path-length" || position > 1) {
			out = append(out, f.id)
		}
	}
	return out
}

// Clash reports whether one certificate cannot have both faults.
func Clash(a, b string) bool { return a == b || clash([]string{a}, b) }

var weakKey = func() func(testing.TB) crypto.Signer {
	var once sync.Once
	var key crypto.Signer
	return func(tb testing.TB) crypto.Signer {
		once.Do(func() { key = RSAKey(tb, 1024) })
		return key
	}
}()

// filled sets what follows from the certificates.
func (r Random) filled() Random {
	r.Key, r.Served, r.Roots = r.Shown[0].Key, nil, nil
	for _, m := range r.Shown {
		r.Served = append(r.Served, m.Raw)
	}
	for _, m := range r.Trusted {
		r.Roots = append(r.Roots, m.Entity)
	}
	return r
}

// one in n times, and says so.
func (d *dice) one(n int, format string, args ...any) bool {
	if d.calm || d.IntN(n) > 0 {
		return false
	}
	if format != "" {
		d.say(format, args...)
	}
	return true
}

func (d *dice) say(format string, args ...any) { d.said = append(d.said, fmt.Sprintf(format, args...)) }

func (d *dice) key(bits int) int {
	key := d.rsa[bits]
	if bits == 0 {
		key, _ = ecdsa.GenerateKey([]elliptic.Curve{elliptic.P256(), elliptic.P256(), elliptic.P384()}[d.IntN(3)], rand.Reader)
	}
	d.keys = append(d.keys, key)
	return len(d.keys) - 1
}

// put are the faults that a certificate can have, and what they do to it.
var put = []struct {
	id   string
	ca   bool // for issuers
	leaf bool // for the server's own
	do   func(d *dice, m *Made, c *x509.Certificate)
}{
	{"server-expired", true, true, func(d *dice, m *Made, c *x509.Certificate) { c.NotAfter = d.now.AddDate(0, 0, -9) }},
	{"server-not-yet-valid", true, true, func(d *dice, m *Made, c *x509.Certificate) { c.NotBefore = d.now.AddDate(0, 0, 9) }},
	{"critical-extension", true, true, func(d *dice, m *Made, c *x509.Certificate) { Critical([]int{1, 2, 3, 4, 5}, []byte{5, 0})(c) }},
	{"eku", true, true, func(d *dice, m *Made, c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}},
	{"weak-key", true, true, func(d *dice, m *Made, c *x509.Certificate) { d.keys[m.Holder] = d.rsa[1024] }},
	{"weak-signature", true, true, nil},
	{"bad-signature", true, true, nil},
	{"issuer-not-ca", true, false, func(d *dice, m *Made, c *x509.Certificate) { c.IsCA, c.KeyUsage, m.PathLen = false, 0, -1 }},
	{"issuer-key-usage", true, false, func(d *dice, m *Made, c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }},
	{"policy", true, false, func(d *dice, m *Made, c *x509.Certificate) {
		Critical([]int{2, 5, 29, 36}, []byte{0x30, 3, 0x80, 1, 0})(c)
	}},
	{"path-length", true, false, func(d *dice, m *Made, c *x509.Certificate) { m.PathLen = 0 }},
	{"name-constraint", true, false, func(d *dice, m *Made, c *x509.Certificate) {
		if d.IntN(2) == 0 {
			m.Permits = "example.com"
		} else {
			m.Exclude = "test"
		}
	}},
}

// make issues m. The template comes from m, then from the faults.
func (d *dice) make(m, issuer *Made, faults []string, leaf func(*x509.Certificate)) *Made {
	if issuer == nil {
		issuer = m
	}
	m.Issuer, m.Signer = issuer.Subject, issuer.Holder
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: m.Subject}, NotBefore: d.now.AddDate(-1, 0, 0), NotAfter: d.now.AddDate(1, 0, 0),
	}
	if leaf == nil {
		AsCA(c)
		c.MaxPathLen = -1
	} else {
		leaf(c)
	}
	for _, f := range put {
		if slices.Contains(faults, f.id) && f.do != nil {
			f.do(d, m, c)
		}
	}
	switch {
	case m.PathLen >= 0:
		c.MaxPathLen, c.MaxPathLenZero = m.PathLen, m.PathLen == 0
	case leaf == nil:
		c.MaxPathLen = -1
	}
	if m.Permits != "" {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{m.Permits}, true
	}
	if m.Exclude != "" {
		c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = []string{m.Exclude}, true
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: issuer.Subject}}
	if issuer.Entity != nil {
		parent.RawSubject, parent.SubjectKeyId, parent.SerialNumber = issuer.RawSubject, issuer.SubjectKeyId, issuer.SerialNumber
		if m.Respelt = d.one(60, "%s spells its issuer in small letters", m.Subject); m.Respelt {
			parent.RawSubject, parent.Subject.CommonName = nil, strings.ToLower(issuer.Subject)
		}
	}
	d.identify(c, m, issuer, parent)
	signer := d.keys[m.Signer]
	if slices.Contains(faults, "weak-signature") {
		c.SignatureAlgorithm = x509.ECDSAWithSHA1
		if _, ok := signer.Public().(*ecdsa.PublicKey); !ok {
			c.SignatureAlgorithm = x509.SHA1WithRSA
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, d.keys[m.Holder].Public(), signer)
	if err != nil {
		d.tb.Fatal(d.said, err)
	}
	if m.Forged = slices.Contains(faults, "bad-signature"); m.Forged {
		der = bytes.Clone(der)
		der[len(der)-1] ^= 1
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		d.tb.Fatal(d.said, err)
	}
	m.Entity = &Entity{parsed, d.keys[m.Holder]}
	if m.Key == d.rsa[1024] && !slices.Contains(faults, "weak-key") {
		m.Wrong = append(m.Wrong, "weak-key")
	}
	for _, f := range faults {
		if !slices.Contains([]string{"path-length", "name-constraint", "bad-signature"}, f) {
			m.Wrong = append(m.Wrong, f)
		}
	}
	return m
}

// identify gives it key identifiers: right ones as a rule.
func (d *dice) identify(c *x509.Certificate, m, issuer *Made, parent *x509.Certificate) {
	c.SubjectKeyId = fmt.Appendf(nil, "key %s %d", m.Subject, m.Holder)
	if d.one(12, "%s without SKI", m.Subject) {
		c.SubjectKeyId = nil
		if c.IsCA { // else CreateCertificate makes one
			value := []byte{0x30, 3, 1, 1, 0xff}
			if m.PathLen >= 0 {
				value = []byte{0x30, 6, 1, 1, 0xff, 2, 1, byte(m.PathLen)}
			}
			Critical([]int{2, 5, 29, 19}, value)(c)
			c.IsCA, c.BasicConstraintsValid, c.MaxPathLen, c.MaxPathLenZero = false, false, 0, false
		}
	}
	type aki struct {
		ID     []byte        `asn1:"optional,tag:0"`
		Issuer asn1.RawValue `asn1:"optional"`
		Serial *big.Int      `asn1:"optional,tag:2"`
	}
	if parent.SerialNumber == nil || d.calm {
		return
	}
	add := func(a aki) {
		der, err := asn1.Marshal(a)
		if err != nil {
			d.tb.Fatal(err)
		}
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{2, 5, 29, 35}, Value: der})
	}
	form := func(serial *big.Int) aki {
		name, _ := asn1.Marshal(asn1.RawValue{Class: 2, Tag: 4, IsCompound: true, Bytes: issuer.RawIssuer})
		return aki{Issuer: asn1.RawValue{Class: 2, Tag: 1, IsCompound: true, Bytes: name}, Serial: serial}
	}
	switch d.IntN(36) {
	case 0, 1:
		d.say("%s without AKI", m.Subject)
		parent.SubjectKeyId = nil
	case 2:
		d.say("%s with a wrong AKI", m.Subject)
		add(aki{ID: []byte("nobody's")})
	case 3:
		d.say("%s with issuer and serial", m.Subject)
		add(form(parent.SerialNumber))
	case 4:
		d.say("%s with issuer and a wrong serial", m.Subject)
		add(form(big.NewInt(4711)))
	}
}

// throw makes a chain: a path from a root to a server, what else there is of
// the same names and keys, what of it the server shows and the client trusts.
func (d *dice) throw() Random {
	r := Random{Plain: true}
	n := d.IntN(4) + 1
	where := map[int][]string{} // faults by position: 0 the leaf, n+1 the root
	for range []int{0, 0, 1, 1, 1, 2, 2, 3}[d.IntN(8)] {
		f := put[d.IntN(len(put))]
		at := 0
		if !f.leaf || f.ca && d.IntN(2) == 0 {
			at = d.IntN(n) + 1
		}
		if f.id == "path-length" {
			at = max(at, 2)
		}
		if at > n || slices.Contains(where[at], f.id) || clash(where[at], f.id) {
			continue
		}
		where[at] = append(where[at], f.id)
		d.say("%d %s", at, f.id)
	}
	newCA := func(name string) *Made {
		return &Made{Subject: name, Holder: d.key([]int{0, 0, 0, 0, 0, 0, 0, 2048}[d.IntN(8)]), PathLen: -1}
	}
	root := d.make(newCA("Root"), nil, nil, nil)
	path := []*Made{root}
	for at := n; at >= 1; at-- {
		name := fmt.Sprintf("CA %d", at)
		path = append([]*Made{d.make(newCA(name), path[0], where[at], nil)}, path...)
		if d.one(10, "%s changed its key", name) { // self-issued: the old key vouches for the new one
			path = append([]*Made{d.make(&Made{Subject: name, Holder: d.key(0), PathLen: -1}, path[0], nil, nil)}, path...)
		}
	}
	name := d.name(&r)
	leaf := d.make(&Made{Subject: name.cn, Holder: d.key([]int{0, 0, 2048}[d.IntN(3)]), PathLen: -1}, path[0], where[0], func(c *x509.Certificate) {
		AsServer(c)
		c.DNSNames = name.dns
		for _, ip := range name.ip {
			c.IPAddresses = append(c.IPAddresses, net.ParseIP(ip))
		}
	})
	path = append([]*Made{leaf}, path...)
	d.trust(&r, path)
	more := d.more(&r, path)
	d.show(&r, path, more)
	for _, at := range slices.Sorted(maps.Keys(where)) {
		r.Put = append(r.Put, where[at]...)
	}
	return r.filled()
}

// clash: two faults of one certificate of which only one can be.
func clash(have []string, id string) bool {
	for _, pair := range [][2]string{{"server-expired", "server-not-yet-valid"}, {"issuer-not-ca", "issuer-key-usage"}, {"issuer-not-ca", "path-length"}} {
		if id == pair[0] && slices.Contains(have, pair[1]) || id == pair[1] && slices.Contains(have, pair[0]) {
			return true
		}
	}
	return false
}
