package bundles

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

func block(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func utf16le(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// kinds writes the problems as "kind:line kind:line".
func kinds(ps []Problem) string {
	var out []string
	for _, p := range ps {
		out = append(out, fmt.Sprintf("%s:%d", p.Kind, p.Line))
	}
	return strings.Join(out, " ")
}

func TestRead(t *testing.T) {
	cert := ca(t, pkix.Name{CommonName: "A"})
	other := ca(t, pkix.Name{CommonName: "B"})
	a, b := block("CERTIFICATE", cert.Raw), block("CERTIFICATE", other.Raw)
	n := strings.Count(a, "\n") // lines of one block
	crlf := strings.ReplaceAll(a, "\n", "\r\n")
	withAux := append(append([]byte{}, cert.Raw...), 0x30, 0x00)
	for _, tt := range []struct {
		name, data, want string
		certs            int
		fatal            bool
	}{
		{"clean", a + b, "", 2, false},
		{"comments and text dumps", "# Root A\nSubject: CN=A\n    00:11:22\n" + a + "\n\n# B\n" + b, "", 2, false},
		{"Latin-1 comment", "# T\xfcrktrust\n" + a, "", 1, false},
		{"no final newline", strings.TrimSuffix(a, "\n"), "", 1, false},
		{"empty", "", "no-certificates:0", 0, true},
		{"only a comment", "# nothing here\n", "no-certificates:0", 0, true},
		{"CRLF", crlf + b, "crlf:1", 2, false},
		{"BOM", "\xef\xbb\xbf" + a + b, "bom:1", 1, false},
		{"BOM inside", a + "\xef\xbb\xbf" + b, fmt.Sprintf("bom:%d", n+1), 1, false},
		{"BOM before a comment", "\xef\xbb\xbf# roots\n" + a, "", 1, false},
		{"truncated in the body", a + b[:200], fmt.Sprintf("truncated:%d", n+1), 1, true},
		{"truncated in the END line", a + b[:len(b)-8], fmt.Sprintf("truncated:%d", n+1), 1, true},
		{"truncated in the BEGIN line", a + b[:15], fmt.Sprintf("truncated:%d", n+1), 1, true},
		{"END lost", strings.Replace(a, "-----END CERTIFICATE-----\n", "", 1) + b, "truncated:1", 1, true},
		{"head cut off", a[100:] + b, fmt.Sprintf("headless:%d", n-2), 1, false},
		{"glued", strings.TrimSuffix(a, "\n") + b, fmt.Sprintf("glued:%d no-certificates:0", n), 0, true},
		{"bad base64", strings.Replace(a, a[60:64], "?!?!", 1) + b, "bad-base64:1", 1, true},
		{"END on the last line of the body", strings.Replace(a, "\n-----END", "-----END", 1) + b, "bad-base64:1", 1, true},
		{"not a certificate", block("CERTIFICATE", []byte("hello")) + b, "bad-der:1", 1, true},
		{"DER file", string(cert.Raw), "der:1 no-certificates:0", 0, true},
		{"DER in the middle", a + string(cert.Raw) + "\n" + b, fmt.Sprintf("der:%d", n+1), 2, false},
		{"binary junk", a + "\x00\x01\x02\n" + b, fmt.Sprintf("junk:%d", n+1), 2, false},
		{"text before BEGIN", "x " + a + b, "junk:1", 1, false},
		{"UTF-16", utf16le(a), "utf16:1 no-certificates:0", 0, true},
		{"PKCS#7", block("PKCS7", cert.Raw), "pkcs7:1 no-certificates:0", 0, true},
		{"trusted block", block("TRUSTED CERTIFICATE", withAux) + b, "trusted-block:1", 2, false},
		{"private key", a + block("EC PRIVATE KEY", []byte{1, 2, 3}), fmt.Sprintf("private-key:%d", n+1), 1, false},
		{"duplicate", a + b + a + a, fmt.Sprintf("duplicate:%d", 2*n+1), 2, false},
		{"CRL beside", a + block("X509 CRL", []byte{1}), "", 1, false},
		{"commented-out block", "# -----BEGIN CERTIFICATE-----\n" + b, "", 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Read([]byte(tt.data))
			if got := kinds(c.Problems); got != tt.want {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
			if c.Len() != tt.certs {
				t.Errorf("%d certificates, want %d", c.Len(), tt.certs)
			}
			if (c.Fatal() != nil) != tt.fatal {
				t.Errorf("fatal: %v, want %v", c.Fatal(), tt.fatal)
			}
			prints, problems := Scan([]byte(tt.data))
			if kinds(problems) != tt.want || len(prints) != tt.certs {
				t.Errorf("Scan: %d certificates, %q; Read: %d, %q", len(prints), kinds(problems), tt.certs, tt.want)
			}
			for i, cert := range c.Certs {
				if Fingerprint(cert.DER) != prints[i] || !bytes.Equal(cert.DER, cert.Raw) {
					t.Errorf("certificate %d: Read and Scan differ", i)
				}
			}
		})
	}
	c := Read([]byte(block("TRUSTED CERTIFICATE", withAux) + "\n# B\n" + b))
	if !c.Certs[0].Trusted || c.Certs[1].Trusted || c.Certs[1].Line != n+3 {
		t.Errorf("trusted and line: %v %v line %d", c.Certs[0].Trusted, c.Certs[1].Trusted, c.Certs[1].Line)
	}
}

// A certificate with a negative serial number stands in stores of stable
// distributions; OpenSSL trusts it and Go does not parse it.
func TestReadUnusual(t *testing.T) {
	cert := ca(t, pkix.Name{CommonName: "A"})
	i := bytes.Index(cert.Raw, []byte{0x02, 0x01, 0x01}) // the serial number 1
	der := bytes.Clone(cert.Raw)
	der[i+2] = 0xff
	c := Read([]byte(block("CERTIFICATE", der)))
	if kinds(c.Problems) != "unusual:1" || len(c.Certs) != 0 || len(c.Opaque) != 1 || c.Fatal() != nil {
		t.Errorf("%q, %d parsed, %d opaque, fatal %v", kinds(c.Problems), len(c.Certs), len(c.Opaque), c.Fatal())
	}
}

func TestProblemReaders(t *testing.T) {
	// Reference clients.md §7.4 and os.md §2, by what a library does with the file.
	for _, tt := range []struct {
		kind          ProblemKind
		breaks, hides string
	}{
		{ProblemCRLF, "", ""},
		{ProblemDuplicate, "", ""},
		{ProblemPrivateKey, "", ""},
		{ProblemBOM, "", "OpenSSL Go Node"},
		{ProblemTruncated, "OpenSSL GnuTLS Node", "Go"},
		{ProblemGlued, "OpenSSL Node Go", ""},
		{ProblemTrustedBlock, "", "GnuTLS Go Node"},
		{ProblemUTF16, "OpenSSL GnuTLS Go Node", ""},
	} {
		p := Problem{Kind: tt.kind}
		if b, h := strings.Join(p.Breaks(), " "), strings.Join(p.Hides(), " "); b != tt.breaks || h != tt.hides {
			t.Errorf("%s: breaks %q hides %q", tt.kind, b, h)
		}
	}
}

func FuzzRead(f *testing.F) {
	a := block("CERTIFICATE", ca(f, pkix.Name{CommonName: "A"}).Raw)
	for _, s := range []string{a, a + a, "\xef\xbb\xbf" + a, a[:100], strings.TrimSuffix(a, "\n") + a, utf16le(a), strings.ReplaceAll(a, "\n", "\r\n"), "-----BEGIN -----\n-----END -----", "#x\n" + a + "\x00\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := Read(data)
		if again := Read(data); kinds(again.Problems) != kinds(c.Problems) || again.Len() != c.Len() {
			t.Fatal("not deterministic")
		}
		prints, _ := Scan(data)
		if len(prints) != c.Len() {
			t.Fatalf("Scan found %d, Read %d", len(prints), c.Len())
		}
		if (c.Len() == 0) != (c.Find(ProblemNone) != nil) {
			t.Fatalf("%d certificates and %q", c.Len(), kinds(c.Problems))
		}
		// Where nothing is wrong, Go's reader sees the same certificates.
		for _, p := range c.Problems {
			if !p.Harmless() || p.Kind == ProblemUnusual {
				return
			}
		}
		seen := map[string]bool{}
		for rest := data; ; {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			if b.Type == "CERTIFICATE" {
				seen[Fingerprint(b.Bytes)] = true
			}
		}
		for _, fp := range prints {
			if !seen[fp] {
				t.Fatalf("encoding/pem does not see %s", fp)
			}
		}
		if len(seen) != len(prints) {
			t.Fatalf("encoding/pem sees %d, we %d", len(seen), len(prints))
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := referencePEM()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Read(data)
	}
}

func BenchmarkScan(b *testing.B) {
	data := referencePEM()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Scan(data)
	}
}

func BenchmarkReadHostile(b *testing.B) {
	for name, s := range map[string]string{
		"begins": "-----BEGIN CERTIFICATE-----\n", "dashes": "-----", "open": "-----BEGIN ", "glued": "-----BEGIN A-----\n-----END A----------BEGIN A-----\n",
		"binary": "\x30\x82\x01\x00\x30\x82", "end": "-----END A-----\n",
	} {
		b.Run(name, func(b *testing.B) {
			data := []byte(strings.Repeat(s, (4<<20)/len(s)))
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				Read(data)
			}
		})
	}
}
