package chain

import (
	"crypto/x509"
	"encoding/binary"
	"testing"

	"trustfix/bundles"
)

// frames cuts data into certificates: two bytes of length before each.
func frames(data []byte) [][]byte {
	var out [][]byte
	for len(data) >= 2 && len(out) < 64 {
		n := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
		out, data = append(out, data[2:2+n]), data[2+n:]
	}
	return out
}

func framed(ders ...[]byte) []byte {
	var out []byte
	for _, d := range ders {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(d))), d...)
	}
	return out
}

// No chain of bytes makes the judge panic, or accept what no root vouches for.
func FuzzJudge(f *testing.F) {
	root := mint(f, "Root", nil, asCA)
	for _, c := range makeFaults(f) {
		f.Add(framed(c.Served...), c.Host)
	}
	for i, c := range loadCases(f) {
		if i%10 == 0 {
			in := c.input()
			f.Add(framed(in.Served...), in.Host)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		in := Input{Served: frames(data), Roots: roots(root), Host: name, Time: now, Broken: [][]byte{data}}
		for _, rules := range append([]string{""}, RuleNames()...) {
			in.Rules, _ = RulesFor(rules)
			v := answer(in)
			if v.OK {
				t.Fatalf("%s: accepted", rules)
			}
			if len(v.Causes) == 0 {
				t.Fatalf("%s: refused without a cause", rules)
			}
			Draw(v)
		}
		Infos(in.Served)
		in.Roots, in.Rules = &bundles.Roots{}, nil
		for _, der := range in.Served { // whatever is trusted must not break anything either
			if c := parsedOrNil(der); c != nil {
				in.Roots.Add(bundles.Root{Cert: c})
			}
		}
		Draw(answer(in))
	})
}

func parsedOrNil(der []byte) *x509.Certificate {
	c, _ := x509.ParseCertificate(der)
	return c
}
