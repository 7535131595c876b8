package bundles

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Assemble makes a clean bundle: base as it stands (cut or foreign encodings
// are the caller's to refuse, see [Read]), then every extra certificate that
// base does not hold, each under a comment with its subject and SHA-256.
// Encoding is what every client reads (reference clients.md §7.4): plain
// CERTIFICATE blocks, LF, a final newline.
func Assemble(base []byte, extra ...*x509.Certificate) []byte {
	var b bytes.Buffer
	b.Write(base)
	if len(base) > 0 && base[len(base)-1] != '\n' {
		b.WriteByte('\n')
	}
	prints, _ := Scan(base)
	have := make(map[string]bool, len(prints)+len(extra))
	for _, fp := range prints {
		have[fp] = true
	}
	for _, c := range extra {
		fp := Fingerprint(c.Raw)
		if have[fp] {
			continue
		}
		have[fp] = true
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "# %s\n# SHA-256 %s\n", comment(Name(c)), FormatFingerprint(fp))
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a Buffer takes everything
	}
	return b.Bytes()
}

// Without is a bundle without the blocks of the named certificates; every
// other byte stays.
func Without(data []byte, prints ...string) []byte {
	gone := map[string]bool{}
	for _, fp := range prints {
		gone[fp] = true
	}
	var out []byte
	for len(data) > 0 {
		i := bytes.Index(data, begin)
		if i < 0 {
			break
		}
		j := bytes.Index(data[i:], end)
		if j < 0 {
			break
		}
		n := len(data)
		if k := bytes.IndexByte(data[i+j:], '\n'); k >= 0 {
			n = i + j + k + 1
		}
		out = append(out, data[:i]...)
		if found, _ := Scan(data[i:n]); len(found) != 1 || !gone[found[0]] {
			out = append(out, data[i:n]...)
		}
		data = data[n:]
	}
	return append(out, data...)
}

// Name is what a person calls a certificate: its common name, else its
// organisation, else its whole subject. It is text from outside: control
// characters are gone, the length is bounded.
func Name(c *x509.Certificate) string {
	name := c.Subject.CommonName
	if name == "" {
		name = strings.Join(append(append([]string{}, c.Subject.Organization...), c.Subject.OrganizationalUnit...), ", ")
	}
	if name == "" {
		name = c.Subject.String()
	}
	return comment(name)
}

// comment makes foreign text fit to stand in one line of a file or a report.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029 || r == 0xfffd || (r >= 0x80 && r < 0xa0) ||
			(r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) { // bidirectional overrides
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return strings.ReplaceAll(s, "-----", "- - -")
}

// ErrFingerprint is the error of ParseFingerprint.
var ErrFingerprint = errors.New("not a SHA-256 fingerprint: 64 hex digits, with or without colons")

// ParseFingerprint reads a SHA-256 as people paste it (colons, spaces, either
// case, "SHA256:" or "sha256 Fingerprint=" before it) and returns the form of
// [Fingerprint]. Anything but exactly 32 bytes of hex is an error.
func ParseFingerprint(s string) (string, error) {
	t := strings.TrimSpace(s)
	if i := strings.LastIndexByte(t, '='); i >= 0 {
		t = t[i+1:]
	}
	low := strings.ToLower(t)
	for _, p := range []string{"sha-256", "sha256"} {
		if rest, ok := strings.CutPrefix(low, p); ok {
			low = strings.TrimLeft(rest, ": ")
			break
		}
	}
	low = strings.NewReplacer(":", "", " ", "", "-", "").Replace(low)
	if b, err := hex.DecodeString(low); err != nil || len(b) != 32 {
		return "", fmt.Errorf("cannot read %q: %w", s, ErrFingerprint)
	}
	return low, nil
}

// FormatFingerprint writes a fingerprint for people: upper case, with colons.
func FormatFingerprint(fp string) string {
	fp = strings.ToUpper(fp)
	var b strings.Builder
	for i := 0; i < len(fp); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(fp[i:min(i+2, len(fp))])
	}
	return b.String()
}
