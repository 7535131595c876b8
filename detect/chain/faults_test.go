package chain

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sent is what a server shows, and the key it does it with.
type sent struct {
	served [][]byte
	key    crypto.Signer
}

// fault is a chain with one thing wrong, and who refuses it.
type fault struct {
	name string
	sent
	roots  []*entity
	host   string
	ids    string // what the judge names, in order
	refuse string // rule sets that refuse; the others accept
	code   int    // OpenSSL 3's first error, 0 where it accepts
	strict int    // Python 3.13's
}

const (
	nobody   = ""
	everyone = "openssl-1.0.2 openssl-1.1.1 openssl-3 python-3.13 gnutls go node rustls java"
	openssls = "openssl-1.0.2 openssl-1.1.1 openssl-3 python-3.13 node"
)

func without(list string, names ...string) string {
	var out []string
	for _, n := range strings.Fields(list) {
		if !slices.Contains(names, n) {
			out = append(out, n)
		}
	}
	return strings.Join(out, " ")
}

func makeFaults(tb testing.TB) []fault {
	root := mint(tb, "Root", nil, asCA)
	inter := mint(tb, "Intermediate", root, asCA)
	leaf := mint(tb, host, inter, asServer)
	other := mint(tb, "Other Root", nil, asCA)

	expired := until(now.AddDate(0, 0, -9))
	future := from(now.AddDate(0, 0, 9))
	expiredInter := mint(tb, "Intermediate", root, asCA, expired)
	expiredRoot := mint(tb, "Old Root", nil, asCA, expired)

	notCA := mint(tb, "Not a CA", root, func(c *x509.Certificate) { c.BasicConstraintsValid = true })
	noSign := mint(tb, "No certSign", root, asCA, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	short := mint(tb, "Path 0", root, asCA, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := mint(tb, "Below", short, asCA)
	named := mint(tb, "Constrained", root, asCA, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	})
	mailCA := mint(tb, "Mail CA", root, asCA, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })
	loose := mint(tb, "Corp Proxy", nil, looseBC)
	noKU := mint(tb, "No key usage", nil, asCA, func(c *x509.Certificate) { c.KeyUsage = 0 })

	self := mint(tb, "Self", nil, asServer)
	plain := mint(tb, "Plain", nil, asServer, func(c *x509.Certificate) { c.KeyUsage = 0 })
	oldKey := mint(tb, "Root", nil, asCA) // the same name, another key

	// The cross-sign of 2021: a root of today, signed by one that expired.
	x3 := mint(tb, "X3", nil, asCA, expired)
	x1 := mint(tb, "X1", nil, asCA)
	x1ByX3 := mintKey(tb, "X1", x3, x1.key, asCA)
	r3 := mint(tb, "R3", x1, asCA)
	leR3 := mint(tb, host, r3, asServer)

	forged := bytes.Clone(leaf.Raw)
	forged[len(forged)-1] ^= 1

	weak, sha1Leaf := rsaKey(tb, 1024), mint(tb, host, inter, asServer, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	sent := func(es ...*entity) sent { return sent{ders(es...), es[0].key} }

	spoilt := sent(leaf, inter)
	spoilt.served[0] = forged

	return []fault{
		{"good", sent(leaf, inter), []*entity{root}, host, "", nobody, 0, 0},
		{"good, root sent too", sent(leaf, inter, root), []*entity{root}, host, "", nobody, 0, 0},
		{"good, out of order, with junk", sent(leaf, other, root, inter), []*entity{root}, host, "", nobody, 0, 0},
		{"leaf only", sent(leaf), []*entity{root}, host, "server-incomplete-chain", everyone, 20, 20},
		{"unknown root, not sent", sent(leaf, inter), []*entity{other}, host, "server-private-ca", everyone, 20, 20},
		{"unknown root, sent", sent(leaf, inter, root), []*entity{other}, host, "server-private-ca", everyone, 19, 19},
		{"nothing trusted", sent(leaf, inter, root), nil, host, "server-private-ca", everyone, 19, 19},
		{"self-signed", sent(self), []*entity{root}, host, "server-self-signed", everyone, 18, 18},
		{"self-signed and trusted", sent(self), []*entity{self}, host, "", "openssl-1.0.2 openssl-1.1.1", 0, 0},
		{"self-signed and trusted, any key usage", sent(plain), []*entity{plain}, host, "", nobody, 0, 0},
		{"only the intermediate is trusted", sent(leaf, inter), []*entity{inter}, host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node", 2, 0},
		{"only the leaf is trusted", sent(leaf, inter), []*entity{leaf}, host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node rustls gnutls", 20, 0},
		{"only the leaf is trusted, only it is sent", sent(leaf), []*entity{leaf}, host, "", "openssl-1.0.2 openssl-1.1.1 openssl-3 node rustls", 20, 0},
		{"expired leaf", sent(mint(tb, host, inter, asServer, expired), inter), []*entity{root}, host, "server-expired", everyone, 10, 10},
		{"expired intermediate", sent(mint(tb, host, expiredInter, asServer), expiredInter), []*entity{root}, host, "server-expired", everyone, 10, 10},
		{"expired root", sent(mint(tb, host, expiredRoot, asServer)), []*entity{expiredRoot}, host, "", without(everyone, "java", "rustls"), 10, 10},
		{"not yet valid", sent(mint(tb, host, inter, asServer, future), inter), []*entity{root}, host, "server-not-yet-valid", everyone, 9, 9},
		{"wrong name", sent(leaf, inter), []*entity{root}, "other.example.org", "server-hostname", everyone, 62, 62},
		{"wrong address", sent(leaf, inter), []*entity{root}, "192.0.2.1", "server-hostname", everyone, 64, 64},
		{"common name only", sent(mint(tb, host, inter, asServer, func(c *x509.Certificate) { c.DNSNames = nil }), inter), []*entity{root}, host, "server-hostname", "go rustls", 0, 0},
		{"intermediate is no CA", sent(mint(tb, host, notCA, asServer), notCA), []*entity{root}, host, "server-forged issuer-not-ca", everyone, 79, 79},
		{"intermediate may not sign", sent(mint(tb, host, noSign, asServer), noSign), []*entity{root}, host, "server-forged issuer-key-usage", without(everyone, "rustls"), 79, 79},
		{"forged leaf", spoilt, []*entity{root}, host, "server-forged bad-signature", everyone, 7, 7},
		{"trusted CA of that name has another key", sent(leaf, inter), []*entity{oldKey}, host, "server-forged bad-signature", everyone, 20, 20},
		{"path too long", sent(mint(tb, host, below, asServer), below, short), []*entity{root}, host, "server-constraint path-length", everyone, 25, 25},
		{"name not permitted", sent(mint(tb, host, named, asServer), named), []*entity{root}, host, "server-constraint name-constraint", everyone, 47, 47},
		{"leaf not for servers", sent(mint(tb, host, inter, asServer, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), inter), []*entity{root}, host, "server-constraint eku", without(everyone, "gnutls"), 26, 26},
		{"intermediate not for servers", sent(mint(tb, host, mailCA, asServer), mailCA), []*entity{root}, host, "server-constraint eku", without(everyone, "gnutls", "java"), 26, 26},
		{"unknown critical extension", sent(mint(tb, host, inter, asServer, critical([]int{1, 2, 3, 4, 5}, []byte{5, 0})), inter), []*entity{root}, host, "server-constraint critical-extension", everyone, 34, 34},
		{"RSA 1024", sent(mintKey(tb, host, inter, weak, asServer), inter), []*entity{root}, host, "server-weak weak-key", "openssl-1.1.1 openssl-3 python-3.13 rustls", 66, 66},
		{"SHA-1", sent(sha1Leaf, inter), []*entity{root}, host, "server-weak weak-signature", without(everyone, "java", "openssl-1.0.2"), 68, 68},
		{"basic constraints not critical", sent(mint(tb, host, loose, asServer), loose), []*entity{loose}, host, "strict-ca", "python-3.13", 0, 89},
		{"CA without key usage", sent(mint(tb, host, noKU, asServer), noKU), []*entity{noKU}, host, "strict-ca", "python-3.13", 0, 92},
		{"leaf without AKI", sent(mint(tb, host, inter.withoutSKI(), asServer), inter), []*entity{root}, host, "strict-ca", "python-3.13", 0, 85},
		{"cross-sign by an expired root that is gone", sent(leR3, r3, x1ByX3), []*entity{x1}, host, "", nobody, 0, 0},
		{"cross-sign by an expired root that is kept", sent(leR3, r3, x1ByX3), []*entity{x1, x3}, host, "", "openssl-1.0.2", 0, 0},
		{"several at once", sent(mint(tb, "x", expiredInter, asServer, expired), expiredInter), []*entity{root}, "x.example", "server-expired server-hostname", everyone, 62, 62},
		{"private use extension is harmless", sent(mint(tb, host, inter, asServer, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3}, Value: []byte{5, 0}}}
		}), inter), []*entity{root}, host, "", nobody, 0, 0},
	}
}

func (f fault) input() Input {
	return Input{Served: f.served, Roots: roots(f.roots...), Host: f.host, Time: now}
}

func TestFaults(t *testing.T) {
	for _, f := range makeFaults(t) {
		t.Run(f.name, func(t *testing.T) {
			v := Judge(f.input())
			if got := strings.Join(v.IDs(), " "); got != f.ids {
				t.Errorf("causes %q, want %q", got, f.ids)
			}
			if want := f.ids == "" || f.ids == "strict-ca"; v.OK != want {
				t.Errorf("ok = %v", v.OK)
			}
			for _, c := range v.Causes {
				if len(c.Evidence) == 0 || c.Evidence[0].String() == "" {
					t.Errorf("%s: no evidence", c.ID)
				}
			}
			for _, name := range strings.Fields(everyone) {
				in := f.input()
				in.Rules, _ = RulesFor(name)
				v := Judge(in)
				if want := !slices.Contains(strings.Fields(f.refuse), name); v.OK != want {
					t.Errorf("%s: ok = %v, want %v (%v)", name, v.OK, want, v.IDs())
				}
				if v.OK {
					continue
				}
				if c := v.Causes[0]; c.Text == "" || len(c.Evidence) == 0 {
					t.Errorf("%s: no words or evidence for %s %s", name, c.ID, c.Code)
				}
				code := map[string]int{"openssl-3": f.code, "python-3.13": f.strict}[name]
				if code != 0 && v.Causes[0].ErrCode != strconv.Itoa(code) {
					t.Errorf("%s: error %s, want %d", name, v.Causes[0].ErrCode, code)
				}
			}
		})
	}
}

// The same chains against the openssl program, where there is one: every
// prediction of acceptance and of the first error must come true.
func TestOpenSSLAgrees(t *testing.T) {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl program here")
	}
	out, err := exec.Command(program, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "OpenSSL 3.") {
		t.Skipf("not OpenSSL 3: %s", out)
	}
	dir := t.TempDir()
	file := func(name string, ders ...[]byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, pemOf(ders...), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, f := range makeFaults(t) {
		if len(f.roots) == 0 {
			continue // the program wants a file with something in it
		}
		t.Run(f.name, func(t *testing.T) {
			args := []string{
				"verify", "-no-CApath", "-no-CAstore", "-CAfile", file("roots.pem", ders(f.roots...)...), "-purpose", "sslserver",
				"-attime", strconv.FormatInt(now.Unix(), 10), "-auth_level", "2", "-trusted_first",
			}
			if net.ParseIP(f.host) != nil {
				args = append(args, "-verify_ip", f.host)
			} else {
				args = append(args, "-verify_hostname", f.host)
			}
			if len(f.served) > 1 {
				args = append(args, "-untrusted", file("sent.pem", f.served[1:]...))
			}
			leaf := file("leaf.pem", f.served[0])
			for _, strict := range []bool{false, true} {
				full, want := slices.Clone(args), f.code
				if strict {
					full, want = append(full, "-x509_strict", "-partial_chain"), f.strict
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				cmd := exec.CommandContext(ctx, program, append(full, leaf)...)
				cmd.Env = []string{"OPENSSL_CONF=/dev/null", "LC_ALL=C"}
				out, _ := cmd.CombinedOutput()
				cancel()
				got := 0
				if _, after, ok := strings.Cut(string(out), "\nerror "); ok {
					got, _ = strconv.Atoi(strings.Fields(after)[0])
				}
				if got != want {
					t.Errorf("strict=%v: openssl says %d, we said %d\n%s", strict, got, want, out)
				}
			}
		})
	}
}
