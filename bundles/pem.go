package bundles

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Content is what a bundle file holds.
type Content struct {
	Certs    []Cert   // in file order, duplicates left out
	Opaque   [][]byte // DER of certificates that OpenSSL reads and Go cannot parse
	Problems []Problem
}

// Cert is one certificate of a bundle.
type Cert struct {
	*x509.Certificate
	DER     []byte // of the certificate alone; equals Raw
	Line    int    // 1-based line of its BEGIN
	Trusted bool   // stood in a TRUSTED CERTIFICATE block, which only OpenSSL reads
}

// Len is the number of different certificates.
func (c Content) Len() int { return len(c.Certs) + len(c.Opaque) }

// Fatal is the first problem that makes a library lose the file, or nil.
func (c Content) Fatal() *Problem {
	for i := range c.Problems {
		if c.Problems[i].Fatal() {
			return &c.Problems[i]
		}
	}
	return nil
}

// Find is the first problem of a kind, or nil.
func (c Content) Find(kind ProblemKind) *Problem {
	for i := range c.Problems {
		if c.Problems[i].Kind == kind {
			return &c.Problems[i]
		}
	}
	return nil
}

// Read reads a bundle the way the strictest of its readers would and reports
// what is wrong instead of skipping it. It never fails: a file without
// certificates is a Content with ProblemNone. Time is linear in len(data).
func Read(data []byte) Content {
	var c Content
	s := scanner{data: data, line: 1}
	s.found = func(der []byte, line int, trusted bool) bool {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			c.Opaque = append(c.Opaque, der)
			s.problem(ProblemUnusual, line, err.Error())
			return true
		}
		c.Certs = append(c.Certs, Cert{Certificate: cert, DER: der, Line: line, Trusted: trusted})
		return true
	}
	s.run()
	c.Problems = s.problems
	return c
}

// Scan is Read without parsing certificates: the SHA-256 fingerprints of what
// the file holds, and its problems but for ProblemUnusual. It costs a tenth of Read.
func Scan(data []byte) (prints []string, problems []Problem) {
	s := scanner{data: data, line: 1}
	s.print = func(fp string) { prints = append(prints, fp) }
	s.run()
	return prints, s.problems
}

// maxProblems bounds what a hostile or binary file can make us remember.
const maxProblems = 64

type scanner struct {
	data     []byte
	pos      int
	line     int // of pos
	problems []Problem
	seen     map[string]bool
	twice    int // certificates that stood there before
	dupAt    int // line of the first of them
	usable   int // certificates that some library trusts
	found    func(der []byte, line int, trusted bool) bool
	print    func(fp string)
}

func (s *scanner) problem(k ProblemKind, line int, detail string) {
	if len(s.problems) < maxProblems {
		s.problems = append(s.problems, Problem{k, line, detail})
	}
}

var (
	bom   = []byte("\xef\xbb\xbf")
	begin = []byte("-----BEGIN ")
	end   = []byte("-----END ")
	dash5 = []byte("-----")
)

func (s *scanner) run() {
	s.seen = map[string]bool{}
	if isUTF16(s.data) {
		s.problem(ProblemUTF16, 1, "")
		s.problem(ProblemNone, 0, "")
		return
	}
	for s.next() {
	}
	if i := bytes.Index(s.data, []byte("\r\n")); i >= 0 {
		s.problem(ProblemCRLF, 1+bytes.Count(s.data[:i], []byte{'\n'}), "")
	}
	if s.twice > 0 {
		s.problem(ProblemDuplicate, s.dupAt, strconv.Itoa(s.twice))
	}
	if s.usable == 0 {
		s.problem(ProblemNone, 0, "")
	}
}

// next handles the text up to the next BEGIN and the block it opens.
func (s *scanner) next() bool {
	i := bytes.Index(s.data[s.pos:], begin)
	if i < 0 {
		s.outside(s.data[s.pos:])
		return false
	}
	at := s.pos + i
	lineStart := bytes.LastIndexByte(s.data[:at], '\n') + 1
	// What stands before BEGIN on its line, unless an END there was handled already.
	before := s.data[max(lineStart, s.pos):at]
	s.outside(s.data[s.pos : at-len(before)])
	s.advance(at)
	label, body, ok := s.beginLine(at)
	switch {
	case !ok || bytes.HasPrefix(before, []byte{'#'}):
		// A comment, or a BEGIN that no library takes for one.
		if s.skipLine(at); lineStart == at && s.pos == len(s.data) {
			s.problem(ProblemTruncated, s.line, "cut in the BEGIN line")
		}
		return true
	case bytes.Equal(before, bom):
		s.problem(ProblemBOM, s.line, label)
	case len(before) > 0:
		s.binaryOr(before, s.line, "text before BEGIN")
	}
	// A BEGIN inside a line is one that OpenSSL and Go do not see; when nothing
	// stands before it, it is glued to an END, which was reported.
	s.block(label, body, lineStart != at)
	return true
}

// beginLine splits the BEGIN line at offset at; body is the offset of the next line.
func (s *scanner) beginLine(at int) (label string, body int, ok bool) {
	rest := s.data[at+len(begin):]
	nl := bytes.IndexByte(rest, '\n')
	l := rest
	body = len(s.data)
	if nl >= 0 {
		l, body = rest[:nl], at+len(begin)+nl+1
	}
	l = bytes.TrimRight(l, " \t\r")
	if !bytes.HasSuffix(l, dash5) {
		// Cut in the BEGIN line itself, at the end of the file.
		return "", body, false
	}
	return string(l[:len(l)-len(dash5)]), body, true
}

// block handles the block whose BEGIN line is the current one.
func (s *scanner) block(label string, body int, hidden bool) {
	start := s.line
	j := bytes.Index(s.data[body:], dash5)
	if j < 0 {
		if label != "" {
			s.problem(ProblemTruncated, start, "no END "+label)
		}
		s.advance(len(s.data))
		return
	}
	e := body + j
	rest := s.data[e:]
	wantEnd := append(append(append([]byte{}, end...), label...), dash5...)
	if bytes.HasPrefix(rest, begin) || !bytes.HasPrefix(rest, end) {
		kind, detail := ProblemTruncated, "no END "+label
		if !bytes.HasPrefix(rest, begin) {
			if bytes.HasPrefix(end, rest) { // cut inside the END line
				s.problem(kind, start, detail)
				s.advance(len(s.data))
				return
			}
			kind, detail = ProblemBadBase64, "dashes in the block"
			e += len(dash5)
		}
		s.problem(kind, start, detail)
		s.advance(e)
		return
	}
	lineEnd := bytes.IndexByte(rest, '\n')
	if lineEnd < 0 {
		lineEnd = len(rest)
	}
	tail, matched := bytes.CutPrefix(rest[:lineEnd], wantEnd)
	if !matched {
		s.problem(ProblemTruncated, start, "no END "+label)
		s.advance(e)
		s.skipLine(e)
		return
	}
	switch {
	case bytes.HasPrefix(tail, begin):
		s.advance(e)
		s.problem(ProblemGlued, s.line, "")
		s.advance(e + len(wantEnd))
		return
	case len(bytes.Trim(tail, " \t\r")) > 0:
		s.problem(ProblemTruncated, start, "text after END "+label)
	case e > body && s.data[e-1] != '\n':
		s.problem(ProblemBadBase64, start, "no line break before END")
	default:
		s.content(label, s.data[body:e], start, hidden)
	}
	s.advance(e)
	s.skipLine(e)
}

// content decodes the inside of a well-framed block.
func (s *scanner) content(label string, body []byte, line int, hidden bool) {
	trusted := false
	switch {
	case label == "CERTIFICATE":
	case label == "TRUSTED CERTIFICATE", label == "X509 CERTIFICATE":
		trusted = true
		s.problem(ProblemTrustedBlock, line, label)
	case strings.HasSuffix(label, "PRIVATE KEY"):
		s.problem(ProblemPrivateKey, line, label)
		return
	case label == "PKCS7", label == "CMS":
		s.problem(ProblemPKCS7, line, label)
		return
	default:
		return // a CRL, a request, parameters: no reader minds
	}
	der, err := decode(body)
	if err != nil {
		s.problem(ProblemBadBase64, line, err.Error())
		return
	}
	cert, err := certificateShape(der)
	if err != nil {
		s.problem(ProblemBadDER, line, err.Error())
		return
	}
	if label == "CERTIFICATE" && len(cert) != len(der) {
		s.problem(ProblemUnusual, line, "data after the certificate")
	}
	if hidden {
		return
	}
	fp := Fingerprint(cert)
	if s.seen[fp] {
		if s.twice == 0 {
			s.dupAt = line
		}
		s.twice++
		return
	}
	s.seen[fp] = true
	s.usable++
	if s.print != nil {
		s.print(fp)
	}
	if s.found != nil {
		s.found(cert, line, trusted)
	}
}

// decode reads the base64 of a block, with RFC 1421 headers if there are any.
func decode(body []byte) ([]byte, error) {
	if bytes.IndexByte(body, ':') >= 0 {
		for len(body) > 0 {
			line, rest, _ := bytes.Cut(body, []byte{'\n'})
			if bytes.IndexByte(line, ':') < 0 {
				if len(bytes.TrimSpace(line)) == 0 {
					body = rest
				}
				break
			}
			body = rest
		}
	}
	if bytes.ContainsAny(body, " \t") {
		body = bytes.Join(bytes.Fields(body), nil)
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(out, body)
	if err != nil {
		return nil, err
	}
	return out[:n:n], nil
}

// certificateShape returns the first DER element of der if it has the outline
// of a certificate. What is inside is the business of whoever parses it: Go
// refuses certificates (negative serial numbers) that OpenSSL trusts.
func certificateShape(der []byte) ([]byte, error) {
	const sequence, bitString = 0x30, 0x03
	cert, rest, ok := element(der, sequence)
	if !ok {
		return nil, errShape
	}
	_, inside, ok := element(cert, sequence) // tbsCertificate
	if ok {
		_, inside, ok = element(inside, sequence) // signatureAlgorithm
	}
	if ok {
		_, inside, ok = element(inside, bitString) // signature
	}
	if !ok || len(inside) > 0 {
		return nil, errShape
	}
	return der[:len(der)-len(rest)], nil
}

var errShape = errors.New("not a DER certificate")

// element splits the DER element with this tag off b.
func element(b []byte, tag byte) (inside, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size < 1 || size > 3 || len(b) < 2+size {
			return nil, nil, false
		}
		n = 0
		for _, c := range b[2 : 2+size] {
			n = n<<8 | int(c)
		}
		head += size
	}
	if n > len(b)-head {
		return nil, nil, false
	}
	return b[head : head+n], b[head+n:], true
}

// outside looks at text between blocks, which starts at s.pos: comments are
// welcome, binary data and an orphaned END are not.
func (s *scanner) outside(b []byte) {
	if len(b) == 0 {
		return
	}
	line := s.line
	if i := bytes.Index(b, end); i >= 0 && (i == 0 || b[i-1] == '\n') {
		s.problem(ProblemHeadless, line+bytes.Count(b[:i], []byte{'\n'}), "")
	}
	if i := binaryAt(b); i >= 0 {
		s.binaryOr(b, line+bytes.Count(b[:i], []byte{'\n'}), "binary data")
	} else if i := bytes.Index(b, []byte("-----B")); i >= 0 && s.pos+len(b) == len(s.data) {
		s.problem(ProblemTruncated, line+bytes.Count(b[:i], []byte{'\n'}), "cut in the BEGIN line")
	}
	s.advance(s.pos + len(b))
}

// binaryOr reports a raw DER certificate in b as such, anything else as junk.
func (s *scanner) binaryOr(b []byte, line int, detail string) {
	for i := range b {
		if b[i] != 0x30 {
			continue
		}
		if cert, err := certificateShape(b[i:]); err == nil {
			s.problem(ProblemDER, line, Fingerprint(cert))
			return
		}
	}
	s.problem(ProblemJunk, line, detail)
}

// binaryAt is the offset of the first byte that no text has, or -1.
func binaryAt(b []byte) int {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			if b[i] < 0x20 && b[i] != '\n' && b[i] != '\r' && b[i] != '\t' && b[i] != '\f' && b[i] != 0x1b {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && !latin1(b, i) {
			return i
		}
		i += n
	}
	return -1
}

// latin1 says that a stray high byte stands between letters, as in old bundles
// whose comments name Spanish or Hungarian authorities in Latin-1.
func latin1(b []byte, i int) bool {
	if b[i] < 0xa0 {
		return false
	}
	text := func(j int) bool {
		return j < 0 || j >= len(b) || b[j] >= 0xa0 || b[j] == '\n' || b[j] == '\r' || (b[j] >= 0x20 && b[j] < 0x7f)
	}
	return text(i-1) && text(i+1)
}

func isUTF16(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) ||
		bytes.HasPrefix(b, []byte("-\x00-\x00")) || bytes.HasPrefix(b, []byte("\x00-\x00-"))
}

// advance moves to an offset at or after pos and counts the lines between.
func (s *scanner) advance(to int) {
	s.line += bytes.Count(s.data[s.pos:to], []byte{'\n'})
	s.pos = to
}

// skipLine moves behind the end of the line that holds offset at.
func (s *scanner) skipLine(at int) {
	if nl := bytes.IndexByte(s.data[at:], '\n'); nl >= 0 {
		s.advance(at + nl + 1)
	} else {
		s.advance(len(s.data))
	}
}
