package chain

import (
	"crypto/x509"
	"fmt"
	"testing"

	"trustfix/bundles"
)

// benchChain is a real site's chain, among as many roots as a store holds.
func benchChain(b *testing.B) Input {
	for _, c := range loadCases(b) {
		if c.ID == "online::python.org" || c.ID == "online::docs.python.org" {
			in := c.input()
			for i := range 140 {
				in.Roots.Add(bundles.Root{Cert: mint(b, fmt.Sprintf("Root %d", i), nil, asCA).Certificate})
			}
			return in
		}
	}
	b.Fatal("the chain is gone")
	return Input{}
}

func BenchmarkJudge(b *testing.B) {
	in := benchChain(b)
	for b.Loop() {
		if v := Judge(in); !v.OK {
			b.Fatal(v.IDs())
		}
	}
}

func BenchmarkJudgeClient(b *testing.B) {
	for _, name := range RuleNames() {
		b.Run(name, func(b *testing.B) {
			in := benchChain(b)
			in.Rules, _ = RulesFor(name)
			for b.Loop() {
				Judge(in)
			}
		})
	}
}

// BenchmarkVerify is what Judge is measured against: the same bytes to
// crypto/x509.
func BenchmarkVerify(b *testing.B) {
	in := benchChain(b)
	pool := in.Roots.Pool()
	for b.Loop() {
		leaf, _ := x509.ParseCertificate(in.Served[0])
		more := x509.NewCertPool()
		for _, der := range in.Served[1:] {
			c, _ := x509.ParseCertificate(der)
			more.AddCert(c)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: more, CurrentTime: in.Time, DNSName: in.Host}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyOnly leaves the parsing out.
func BenchmarkVerifyOnly(b *testing.B) {
	in := benchChain(b)
	opts := x509.VerifyOptions{Roots: in.Roots.Pool(), Intermediates: x509.NewCertPool(), CurrentTime: in.Time, DNSName: in.Host}
	leaf, _ := x509.ParseCertificate(in.Served[0])
	for _, der := range in.Served[1:] {
		c, _ := x509.ParseCertificate(der)
		opts.Intermediates.AddCert(c)
	}
	for b.Loop() {
		if _, err := leaf.Verify(opts); err != nil {
			b.Fatal(err)
		}
	}
}
