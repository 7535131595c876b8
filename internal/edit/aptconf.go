package edit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// aptScan reads apt's configuration: scopes in braces and in names (A::B),
// statements that end with ;, comments in three styles.
type aptScan struct {
	data  []byte
	index index
	i     int
	scope [][]string
	nodes []node
}

// scanAptConf gives every name with all the scopes around it: Acquire { https
// { Verify-Peer "false"; } } and Acquire::https::Verify-Peer "false"; are the
// same path. A value without a name, as lists have it, ends in "".
func scanAptConf(data []byte) ([]node, error) {
	x := &aptScan{data: data, index: newIndex(data)}
	for x.space(); x.i < len(data); x.space() {
		switch data[x.i] {
		case '}':
			if len(x.scope) == 0 {
				return nil, syntaxErrorf(x.index.line(x.i), "a } without its {")
			}
			x.scope = x.scope[:len(x.scope)-1]
			x.i++
		case ';':
			x.i++
		case '{':
			return nil, syntaxErrorf(x.index.line(x.i), "a { without a name in front of it")
		default:
			if err := x.statement(); err != nil {
				return nil, err
			}
		}
	}
	return x.nodes, nil // apt takes the end of the file for missing braces
}

// space moves over blanks and comments; #clear and #include are none.
func (x *aptScan) space() {
	for x.i < len(x.data) {
		rest := x.data[x.i:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			x.i++
		case aptLineComment(rest):
			x.i = lineEnd(x.data, x.i)
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				x.i = len(x.data)
				return
			}
			x.i += end + 4
		default:
			return
		}
	}
}

func aptLineComment(rest []byte) bool {
	if bytes.HasPrefix(rest, []byte("//")) {
		return true
	}
	return len(rest) > 0 && rest[0] == '#' && !aptDirective(rest)
}

func aptDirective(rest []byte) bool {
	return bytes.HasPrefix(rest, []byte("#clear ")) || bytes.HasPrefix(rest, []byte("#include "))
}

// statement reads name "value"; or name { up to the brace.
func (x *aptScan) statement() error {
	n := node{start: x.i}
	n.Line = x.index.line(x.i)
	if aptDirective(x.data[x.i:]) {
		n.Path = []string{string(bytes.Fields(x.data[x.i:min(len(x.data), x.i+9)])[0])}
		x.i += len(n.Path[0])
	} else if x.data[x.i] == '"' {
		n.Path = x.path("")
	} else {
		lo := x.i
		for x.i < len(x.data) && strings.IndexByte(" \t\r\n;{}\"", x.data[x.i]) < 0 && !bytes.HasPrefix(x.data[x.i:], []byte("//")) {
			x.i++
		}
		if x.i == lo {
			return syntaxErrorf(n.Line, "neither a name nor a value")
		}
		n.Path = x.path(string(x.data[lo:x.i]))
	}
	n.end, n.val = x.i, span{x.i, x.i}
	n.EndLine, n.Empty = n.Line, true
	var words []string
	for {
		x.space()
		if x.i >= len(x.data) {
			return syntaxErrorf(n.Line, "a ; is missing")
		}
		switch c := x.data[x.i]; c {
		case '{':
			x.i++
			if !n.Empty {
				return syntaxErrorf(n.Line, "a value in front of {")
			}
			x.scope = append(x.scope, n.Path)
			if len(x.scope) > maxNesting {
				return syntaxErrorf(n.Line, "nested too deep")
			}
			return nil
		case ';':
			x.i++
			n.Value = strings.Join(words, " ")
			if len(words) > 1 {
				n.fixed = "a value of several words"
			}
			x.record(n)
			return nil
		case '}':
			return syntaxErrorf(n.Line, "a ; is missing")
		default:
			lo := x.i
			if err := x.word(); err != nil {
				return err
			}
			if n.Empty {
				n.val.lo, n.Quoted = lo, c == '"'
			}
			words = append(words, strings.Trim(string(x.data[lo:x.i]), `"`))
			n.Empty, n.val.hi, n.end = false, x.i, x.i
			n.EndLine = x.index.line(x.i - 1)
		}
	}
}

// word reads a quoted string or a bare word.
func (x *aptScan) word() error {
	lo := x.i
	if x.data[lo] == '"' {
		end := bytes.IndexByte(x.data[lo+1:], '"')
		if end < 0 {
			return syntaxErrorf(x.index.line(lo), "a quote is never closed")
		}
		x.i = lo + end + 2
		return nil
	}
	for x.i < len(x.data) && strings.IndexByte(" \t\r\n;{}\"", x.data[x.i]) < 0 {
		x.i++
	}
	return nil
}

// path puts a name below the scopes that are open.
func (x *aptScan) path(name string) []string {
	var path []string
	if len(x.scope) > 0 {
		path = slices.Clone(x.scope[len(x.scope)-1])
	}
	return append(path, strings.Split(name, "::")...)
}

func (x *aptScan) record(n node) {
	data, s := x.data, span{n.start, x.i}
	if c := skipSpace(data, x.i); c < len(data) && aptLineComment(data[c:]) && n.EndLine == n.Line {
		n.Comment = strings.TrimRight(string(data[c:lineEnd(data, c)]), " \t")
	}
	n.cut = func() splice {
		if lines, ok := wholeLines(data, s, aptLineComment); ok {
			return splice{span: lines}
		}
		return splice{span: span{s.lo, skipSpace(data, s.hi)}}
	}
	x.nodes = append(x.nodes, n)
}

func encodeAptConf(_, value string) (string, error) {
	if strings.ContainsAny(value, "\"\r\n") {
		return "", errors.New("the value has a quote or a line end")
	}
	return `"` + value + `"`, nil
}

func placeAptConf(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	name := strings.Join(path, "::")
	if name == "" || strings.ContainsAny(name, " \t\r\n;{}\"#") || strings.Contains(name, "//") || strings.Contains(name, "/*") {
		return nil, errors.New("not the name of an option")
	}
	for _, n := range nodes {
		if slices.EqualFunc(n.Path, path, strings.EqualFold) {
			return nil, errors.New("it is there already")
		}
	}
	text, err := encodeAptConf("", value)
	return []splice{insertLines(data, len(data), name+" "+text+";")}, err
}
