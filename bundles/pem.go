package bundles

import (
	"bytes"
	"strconv"
	"strings"
)

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
