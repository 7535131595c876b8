package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"flag"
	"fmt"
	"html"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

var pictures = flag.Bool("pictures", false, "rewrite docs/pictures")

// pictureTime is when the pictures are taken: their chains are the same bytes
// every time.
var pictureTime = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// maker issues certificates with keys that follow from their names.
type maker struct{ t *testing.T }

func (m maker) key(name string) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	return ed25519.NewKeyFromSeed(seed)
}

func (m maker) cert(name, issuer string, change func(*x509.Certificate)) []byte {
	m.t.Helper()
	subject, by := pkix.Name{CommonName: name}, pkix.Name{CommonName: issuer}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), Subject: subject,
		NotBefore: pictureTime.AddDate(-1, 0, 0), NotAfter: pictureTime.AddDate(0, 2, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		AuthorityKeyId: []byte(issuer),
	}
	if !strings.Contains(name, ".") {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.DNSNames, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil, nil
		c.SubjectKeyId, c.NotAfter = []byte(name), pictureTime.AddDate(9, 0, 0)
	}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(nil, c, &x509.Certificate{Subject: by, SubjectKeyId: c.AuthorityKeyId}, m.key(name).Public(), m.key(issuer))
	if err != nil {
		m.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestPictures draws the broken chains that people meet most, in both
// languages. Rewrite them with: go test ./internal/cli -run TestPictures -pictures
func TestPictures(t *testing.T) {
	m := maker{t}
	root := m.cert("Example Root X1", "Example Root X1", nil)
	inter := m.cert("Example YR1", "Example Root X1", nil)
	leaf := m.cert("mirrors.example.edu.cn", "Example YR1", nil)
	for _, c := range []struct {
		name   string
		chain  [][]byte
		client string
	}{
		{"incomplete-chain", [][]byte{leaf}, ""},
		{"expired-intermediate", [][]byte{leaf, m.cert("Example YR1", "Example Root X1", func(c *x509.Certificate) { c.NotAfter = pictureTime.AddDate(0, 0, -9) })}, ""},
		{"interception", [][]byte{m.cert("pypi.org", "Zscaler Intermediate Root CA", nil), m.cert("Zscaler Intermediate Root CA", "Zscaler Root CA", nil), m.cert("Zscaler Root CA", "Zscaler Root CA", nil)}, ""},
		{"strict-ca", [][]byte{m.cert("pypi.example.com", "Example YR1", func(c *x509.Certificate) { c.AuthorityKeyId = nil }), inter}, "python-3.13"},
	} {
		for _, lang := range []string{"en", "zh"} {
			t.Run(c.name+"."+lang, func(t *testing.T) {
				dir := t.TempDir()
				chain, roots := filepath.Join(dir, "chain.pem"), filepath.Join(dir, "roots.pem")
				for file, data := range map[string][]byte{chain: bytes.Join(c.chain, nil), roots: root} {
					if err := os.WriteFile(file, data, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				block, _ := pem.Decode(c.chain[0])
				leaf, err := x509.ParseCertificate(block.Bytes)
				if err != nil {
					t.Fatal(err)
				}
				args := []string{"trustfix", "verify", "--chain", chain, "--roots", roots, "--host", leaf.DNSNames[0], "--at", pictureTime.Format(time.RFC3339), "--lang", lang, "--color", "always"}
				if c.client != "" {
					args = append(args, "--client", c.client)
				}
				var out bytes.Buffer
				code := Main(context.Background(), Process{Args: args, Env: []string{"LANG=C.UTF-8"}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard, Build: Build{Version: "1.0.0"}})
				if code != exitFindings {
					t.Fatalf("exit code %d: %s", code, &out)
				}
				file := filepath.Join("..", "..", "docs", "pictures", c.name+"."+lang+".svg")
				command := "trustfix verify " + leaf.DNSNames[0]
				if c.client != "" {
					command += " --client " + c.client
				}
				drawn := svg(command, out.String())
				if *pictures {
					if err := os.WriteFile(file, drawn, 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(drawn, want) {
					t.Errorf("%s is not what the program prints now; rewrite it with -pictures. It prints:\n%s", file, out.String())
				}
			})
		}
	}
}

// svg draws what a terminal shows, a character cell at a time where the text
// is East Asian, so that the columns stand under each other.
func svg(command, screen string) []byte {
	const cell, row = 8.4, 19
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	lines = append([]string{"$ " + command}, lines...)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="monospace" font-size="14">`+"\n", cell*82, row*(len(lines)+1))
	b.WriteString(`<rect width="100%" height="100%" rx="6" fill="#1b1f24"/>` + "\n")
	for i, line := range lines {
		style, x := `fill="#d0d7de"`, 1.0
		for part := range strings.SplitSeq(line, "\x1b[") {
			if codes, rest, ok := strings.Cut(part, "m"); ok && strings.Trim(codes, "0123456789;") == "" && strings.Contains(line, "\x1b["+codes+"m") {
				style, part = sgr(codes), rest
			}
			for _, run := range runs(part) {
				width := ansi.StringWidth(run)
				fmt.Fprintf(&b, `<text xml:space="preserve" x="%.1f" y="%d" textLength="%.1f" lengthAdjust="spacingAndGlyphs" %s>%s</text>`+"\n",
					x*cell, row*(i+1), float64(width)*cell, style, html.EscapeString(run))
				x += float64(width)
			}
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// runs splits a text so that each wide character stands alone: fonts do not
// make them twice as wide as the others.
func runs(s string) []string {
	var out []string
	narrow := ""
	for _, r := range s {
		if ansi.StringWidth(string(r)) == 1 {
			narrow += string(r)
			continue
		}
		if narrow != "" {
			out = append(out, narrow)
		}
		out, narrow = append(out, string(r)), ""
	}
	if narrow != "" {
		out = append(out, narrow)
	}
	return out
}

// sgr is the style of a terminal's escape sequence.
func sgr(codes string) string {
	for code, style := range map[string]string{"31": `fill="#ff7b72"`, "32": `fill="#7ee787"`, "33": `fill="#f2cc60"`, "36": `fill="#79c0ff"`, "1": `fill="#ffffff" font-weight="bold"`, "2": `fill="#8b949e"`} {
		if codes == code {
			return style
		}
	}
	return `fill="#d0d7de"`
}
