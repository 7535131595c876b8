package chain

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostile are inputs made to cost time or memory; each must be judged all the
// same, and refused.
func hostile(tb testing.TB) map[string]Input {
	root := mint(tb, "Root", nil, asCA)
	ask := func(es ...*entity) Input {
		return Input{Served: ders(es...), Roots: roots(root), Host: host, Time: now}
	}
	out := map[string]Input{}

	{ // a thousand CAs in a row, without end
		issuer := mint(tb, "CA 1000", nil, asCA)
		chain := []*entity{issuer}
		for i := range 999 {
			issuer = mint(tb, fmt.Sprintf("CA %d", 999-i), issuer, asCA)
			chain = append([]*entity{issuer}, chain...)
		}
		out["a thousand in a row"] = ask(append([]*entity{mint(tb, host, issuer, asServer)}, chain...)...)
	}
	{ // a thousand keys of one name, all signed by one of them
		boss := mint(tb, "Same", nil, asCA)
		chain := []*entity{mint(tb, host, boss, asServer)}
		for range 999 {
			chain = append(chain, mint(tb, "Same", boss.WithoutSKI(), asCA))
		}
		out["a thousand of one name"] = ask(chain...)
	}
	{ // everybody signed everybody
		keys := make([]*entity, 32)
		for i := range keys {
			keys[i] = mint(tb, fmt.Sprintf("Peer %d", i), nil, asCA)
		}
		chain := []*entity{mint(tb, host, keys[0], asServer)}
		for i, subject := range keys {
			for k, issuer := range keys {
				if i != k {
					chain = append(chain, mintKey(tb, fmt.Sprintf("Peer %d", i), issuer, subject.Key, asCA))
				}
			}
		}
		out["everybody signed everybody"] = ask(chain...)
	}
	{ // one key under one name in a thousand certificates
		key := mint(tb, "Twin", nil, asCA)
		chain := []*entity{mint(tb, host, key, asServer)}
		for range 500 {
			chain = append(chain, mintKey(tb, "Twin", key, key.Key, asCA))
		}
		out["one CA, many certificates"] = ask(chain...)
	}
	{ // names against constraints
		many := mint(tb, "Constrained", root, asCA, func(c *x509.Certificate) {
			for i := range 5000 {
				c.ExcludedDNSDomains = append(c.ExcludedDNSDomains, fmt.Sprintf("x%d.example", i))
				c.ExcludedIPRanges = append(c.ExcludedIPRanges, &net.IPNet{IP: net.IPv4(10, byte(i>>8), byte(i), 0).To4(), Mask: net.CIDRMask(24, 32)})
			}
		})
		leaf := mint(tb, host, many, asServer, func(c *x509.Certificate) {
			for i := range 10_000 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("%s.n%d.example", strings.Repeat("a.", 20), i))
			}
		})
		out["ten thousand names, ten thousand constraints"] = ask(leaf, many)
	}
	{ // constraints all the way down
		issuer := root
		var chain []*entity
		for i := range 60 {
			issuer = mint(tb, fmt.Sprintf("Deep %d", i), issuer, asCA, func(c *x509.Certificate) {
				for k := range 200 {
					c.PermittedDNSDomains = append(c.PermittedDNSDomains, fmt.Sprintf("d%d.example", k))
				}
			})
			chain = append([]*entity{issuer}, chain...)
		}
		leaf := mint(tb, host, issuer, asServer, func(c *x509.Certificate) {
			for k := range 2000 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("h%d.d199.example", k))
			}
		})
		out["constraints all the way down"] = ask(append([]*entity{leaf}, chain...)...)
	}
	{ // keys as large as they are let pass, with the costliest exponent
		sig := make([]byte, maxRSABits/8)
		_, _ = rand.Read(sig[1:])
		leaf := withSignature(tb, mint(tb, host, mintKey(tb, "Giant", nil, rsaKey(tb, 2048), asCA).WithoutSKI(), asServer), sig)
		chain := []*entity{leaf}
		for range 100 {
			chain = append(chain, giant(tb, maxRSABits))
		}
		chain = append(chain, giant(tb, 60_000))
		out["giant keys"] = ask(chain...)
	}
	return out
}

// shown is a key that was never generated: it can be shown, not used.
type shown struct{ pub *rsa.PublicKey }

func (s shown) Public() crypto.PublicKey { return s.pub }
func (s shown) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

func giant(tb testing.TB, bits int) *entity {
	tb.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	r, _ := rand.Int(rand.Reader, n)
	n.Add(n, r).SetBit(n, 0, 1)
	issuer := mint(tb, "Somebody", nil, asCA)
	return mintKey(tb, "Giant", issuer, shown{&rsa.PublicKey{N: n, E: 1<<31 - 1}}, asCA)
}

// withSignature replaces the signature on a certificate.
func withSignature(tb testing.TB, e *entity, sig []byte) *entity {
	tb.Helper()
	var c struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}
	if _, err := asn1.Unmarshal(e.Raw, &c); err != nil {
		tb.Fatal(err)
	}
	c.Signature = asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}
	der, err := asn1.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &entity{Certificate: parsed, Key: e.Key}
}

// maxTaken is what one judgement may allocate in all, in MB: four times the most
// that any of these chains takes.
const maxTaken = 20

func TestHostile(t *testing.T) {
	for name, in := range hostile(t) {
		t.Run(name, func(t *testing.T) {
			for _, rules := range append([]string{""}, RuleNames()...) {
				in.Rules, _ = RulesFor(rules)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				v := Judge(in)
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				taken := (after.TotalAlloc - before.TotalAlloc) >> 20
				t.Logf("%-14s %8v %4d MB %v limited=%v", rules, took.Round(time.Millisecond), taken, v.IDs(), v.Limited)
				// What is allocated in all does not depend on the machine; time does.
				if taken > maxTaken {
					t.Errorf("%s: %d MB were allocated", rules, taken)
				}
				if v.OK {
					t.Errorf("%s: accepted", rules)
				}
				if len(v.Paths) > maxPaths {
					t.Errorf("%s: %d paths", rules, len(v.Paths))
				}
			}
		})
	}
}
