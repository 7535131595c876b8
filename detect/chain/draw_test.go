package chain

import (
	"bytes"
	"crypto/x509"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/internal/text"
)

var update = flag.Bool("update", false, "rewrite golden files")

// fixed makes a certificate of fixed dates, so that a picture stays the same.
func fixed(year int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(year, 12, 3, 0, 0, 0, 0, time.UTC)
	}
}

// pictures are the chains of the list, one of each kind of trouble.
func pictures(t *testing.T) []struct {
	name string
	in   Input
} {
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	root := mint(t, "ISRG Root X1", nil, asCA, fixed(2035))
	inter := mint(t, "YR1", root, asCA, fixed(2030))
	leaf := mint(t, "mirrors.example.edu.cn", inter, asServer, fixed(2026))
	gone := mint(t, "Old Intermediate", root, asCA, fixed(2025))
	corp := mint(t, "Zscaler Root CA", nil, asCA, fixed(2040))
	loose := mint(t, "Corp Proxy", nil, looseBC, fixed(2040))
	notCA := mint(t, "Printer", root, func(c *x509.Certificate) { c.BasicConstraintsValid = true }, fixed(2030))
	spoilt := ders(leaf, inter)
	spoilt[0] = bytes.Clone(spoilt[0])
	spoilt[0][len(spoilt[0])-1] ^= 1

	in := func(served, fetched [][]byte, rs ...*entity) Input {
		return Input{Served: served, Fetched: fetched, Roots: roots(rs...), Host: host, Time: at}
	}
	return []struct {
		name string
		in   Input
	}{
		{"good", in(ders(leaf, inter), nil, root)},
		{"incomplete, completed by a fetch", in(ders(leaf), ders(inter), root)},
		{"incomplete", in(ders(leaf), nil, root)},
		{"expired intermediate", in(ders(mint(t, "lib.example.org", gone, asServer, fixed(2027)), gone), nil, root)},
		{"interception", in(ders(mint(t, "pypi.org", corp, asServer, fixed(2027)), corp), nil, root)},
		{"private, root not sent", in(ders(leaf, inter), nil, corp)},
		{"self-signed", in(ders(mint(t, "nas", nil, asServer, fixed(2030))), nil, root)},
		{"strict CA", in(ders(mint(t, "git.corp.example", loose, asServer, fixed(2027)), loose), nil, loose)},
		{"issuer is no CA", in(ders(mint(t, "shop.example.org", notCA, asServer, fixed(2027)), notCA), nil, root)},
		{"forged", in(spoilt, nil, root)},
	}
}

func render(v Verdict, l text.Lang) string {
	var b strings.Builder
	for _, line := range Draw(v) {
		b.WriteString("  ")
		if line.Indent > 0 {
			b.WriteString(strings.Repeat("    ", line.Indent-1) + " └─ ")
		}
		b.WriteString(line.Name)
		for _, n := range line.Notes {
			b.WriteString("  " + n.In(l))
		}
		if line.Broken {
			b.WriteString("  ✗")
		}
		b.WriteByte('\n')
	}
	for _, c := range v.Causes {
		b.WriteString("  " + strings.TrimSpace(c.ID+" "+c.Code) + ": " + c.Evidence[0].In(l) + "\n")
	}
	return b.String()
}

func TestDraw(t *testing.T) {
	var got strings.Builder
	for _, p := range pictures(t) {
		v := Judge(p.in)
		out := render(v, text.English) + render(v, text.Chinese)
		for _, der := range append(p.in.Served, p.in.Fetched...) {
			out = strings.ReplaceAll(out, bundles.Fingerprint(der), "…")
		}
		got.WriteString("# " + p.name + "\n" + out + "\n")
	}
	const golden = "testdata/draw.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the pictures changed (go test -run TestDraw -update):\n%s", got.String())
	}
}
