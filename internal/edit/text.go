package edit

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// span is data[lo:hi].
type span struct{ lo, hi int }

func (s span) of(data []byte) string { return string(data[s.lo:s.hi]) }

// splice is the only way an edit changes bytes: text in the place of a span.
type splice struct {
	span
	text string
}

func (s splice) apply(data []byte) []byte {
	out := make([]byte, 0, len(data)-(s.hi-s.lo)+len(s.text))
	out = append(out, data[:s.lo]...)
	out = append(out, s.text...)
	return append(out, data[s.hi:]...)
}

// line is one line: data[lo:hi] without its ending, next is where the
// following one starts.
type line struct{ lo, hi, next int }

// splitLines cuts data at \n and \r\n, and at a lone \r where a client does.
func splitLines(data []byte, loneCR bool) []line {
	lines := make([]line, 0, bytes.Count(data, []byte{'\n'})+1)
	lo := 0
	for i, c := range data {
		if c == '\n' || loneCR && c == '\r' && i+1 < len(data) && data[i+1] != '\n' {
			lines = append(lines, line{lo, lo + len(bytes.TrimRight(data[lo:i], "\r")), i + 1})
			lo = i + 1
		}
	}
	if lo < len(data) {
		lines = append(lines, line{lo, lo + len(bytes.TrimRight(data[lo:], "\r")), len(data)})
	}
	return lines
}

// index counts lines: the 1-based line of an offset.
type index []int

func newIndex(data []byte) index {
	starts := make(index, 1, bytes.Count(data, []byte{'\n'})+1)
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

func (x index) line(off int) int { return sort.SearchInts(x, off+1) }

// lineStart is the offset at which the line of off begins, behind a byte order
// mark.
func lineStart(data []byte, off int) int {
	lo := bytes.LastIndexByte(data[:off], '\n') + 1
	if lo == 0 && off >= len(bom) && bytes.HasPrefix(data, bom) {
		return len(bom)
	}
	return lo
}

// lineEnd is the offset of the ending of off's line, nextLine that of the line
// after it.
func lineEnd(data []byte, off int) int {
	end := nextLine(data, off)
	return off + len(bytes.TrimRight(data[off:end], "\r\n"))
}

func nextLine(data []byte, off int) int {
	if i := bytes.IndexByte(data[off:], '\n'); i >= 0 {
		return off + i + 1
	}
	return len(data)
}

// newline is the line ending a file uses.
func newline(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// insertLines puts whole lines at a line start, or after a last line that has
// no ending of its own.
func insertLines(data []byte, at int, lines ...string) splice {
	eol := newline(data)
	text := strings.Join(lines, eol) + eol
	if at > 0 && data[at-1] != '\n' {
		text = eol + text
	}
	return splice{span{at, at}, text}
}

// blank says that bytes are spaces and tabs only.
func blank(b []byte) bool { return len(bytes.Trim(b, " \t\r")) == 0 }

// wholeLines widens a span to its lines when nothing else stands on them but
// blanks and what the format calls a comment.
func wholeLines(data []byte, s span, comment func(rest []byte) bool) (span, bool) {
	lo, hi := lineStart(data, s.lo), lineEnd(data, s.hi)
	rest := data[s.hi:hi]
	if !blank(data[lo:s.lo]) || !blank(rest) && !comment(bytes.TrimLeft(rest, " \t")) {
		return s, false
	}
	return span{lo, nextLine(data, s.hi)}, true
}

// cutLines deletes the lines from start to end.
func cutLines(data []byte, start, end int) func() splice {
	return func() splice { return splice{span: span{lineStart(data, start), nextLine(data, end)}} }
}

func hashComment(rest []byte) bool { return len(rest) > 0 && rest[0] == '#' }

// skipSpace moves over spaces and tabs.
func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\t') {
		i++
	}
	return i
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

var bom = []byte("\xef\xbb\xbf")

// checkEncoding refuses UTF-16, which no client but Windows' own reads and which
// a byte scanner would take for garbage with the right letters in it, and files
// that are no text.
func checkEncoding(data []byte) error {
	head := data[:min(len(data), 64)]
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) || bytes.Count(head, []byte{0})*3 > len(head) {
		return syntaxErrorf(1, "the file is UTF-16; save it as UTF-8")
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return syntaxErrorf(bytes.Count(data[:i], []byte{'\n'})+1, "a NUL byte; this is no text file")
	}
	return nil
}
