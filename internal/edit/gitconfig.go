package edit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// gitScan is git's own parser, with offsets.
type gitScan struct {
	data  []byte
	index index
	i     int
}

// scanGitConfig reads git's configuration: [section "sub"] with sub verbatim,
// [section.sub], a key alone (which means true), quotes, escapes, continued
// lines, keys behind a header on its line, keys above all sections. include.path is an entry like
// others; following it is the caller's.
func scanGitConfig(data []byte) ([]node, error) {
	x := &gitScan{data: data, index: newIndex(data)}
	if bytes.HasPrefix(data, bom) {
		x.i = len(bom)
	}
	var nodes []node
	var section []string
	for x.i < len(data) {
		switch c := data[x.i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f':
			x.i++
		case c == '#' || c == ';':
			x.i = lineEnd(data, x.i)
		case c == '[':
			if section = x.header(); section == nil {
				return nil, syntaxErrorf(x.index.line(x.i), "a broken [section] header")
			}
		case !gitAlpha(c):
			return nil, syntaxErrorf(x.index.line(x.i), "neither a [section] nor a key")
		default:
			n, ok := x.key(section)
			if !ok {
				return nil, syntaxErrorf(n.Line, "a broken key or value")
			}
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

func gitAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func gitKeyByte(c byte) bool { return gitAlpha(c) || c >= '0' && c <= '9' || c == '-' }

// header reads [section], [section.sub] or [section "sub"]; nil if it is none.
func (x *gitScan) header() []string {
	lo := x.i
	i := lo + 1
	for i < len(x.data) && (gitKeyByte(x.data[i]) || x.data[i] == '.') {
		i++
	}
	name := string(x.data[lo+1 : i])
	if i < len(x.data) && x.data[i] == ']' {
		x.i = i + 1
		if section, sub, ok := strings.Cut(name, "."); ok {
			return []string{section, strings.ToLower(sub)}
		}
		return []string{name}
	}
	end := skipSpace(x.data, i)
	if end == i || end >= len(x.data) || x.data[end] != '"' {
		return nil
	}
	var sub []byte
	for i = end + 1; i < len(x.data) && x.data[i] != '"' && x.data[i] != '\n'; i++ {
		if x.data[i] == '\\' && i+1 < len(x.data) {
			if i++; x.data[i] == '\n' {
				return nil
			}
		}
		sub = append(sub, x.data[i])
	}
	if i+1 >= len(x.data) || x.data[i] != '"' || x.data[i+1] != ']' {
		return nil
	}
	x.i = i + 2
	return []string{name, string(sub)}
}

// key reads a key with its value.
func (x *gitScan) key(section []string) (node, bool) {
	data := x.data
	n := node{start: x.i}
	n.Line = x.index.line(x.i)
	for x.i < len(data) && gitKeyByte(data[x.i]) {
		x.i++
	}
	n.Path = append(slices.Clone(section), string(data[n.start:x.i]))
	n.end, n.EndLine, n.val = x.i, n.Line, span{x.i, x.i}
	at := skipSpace(data, x.i)
	ok := true
	switch {
	case at >= len(data) || data[at] == '\n' || bytes.HasPrefix(data[at:], []byte("\r\n")):
		n.Empty = true
		x.i = at
	case data[at] != '=':
		return n, false
	default:
		x.i = at + 1
		ok = x.value(&n)
	}
	if c := skipSpace(data, n.end); c < len(data) && (data[c] == '#' || data[c] == ';') {
		n.Comment = strings.TrimRight(string(data[c:lineEnd(data, c)]), " \t")
	}
	start, end := n.start, n.end
	n.cut = func() splice {
		if lines, ok := wholeLines(data, span{start, end}, func(rest []byte) bool { return rest[0] == '#' || rest[0] == ';' }); ok {
			return splice{span: lines}
		}
		return splice{span: span{start, end}} // behind its [section]
	}
	return n, ok
}

// value reads up to the end of the line or a comment outside quotes. Blanks
// inside stay, blanks around it go.
func (x *gitScan) value(n *node) bool {
	data := x.data
	var out []byte
	blanks, quoted, first := 0, false, -1
	n.val = span{x.i, x.i}
	n.end = x.i
	for ; x.i < len(data); x.i++ {
		c := data[x.i]
		if c == '\r' && x.i+1 < len(data) && data[x.i+1] == '\n' && !quoted {
			continue
		}
		if c == '\n' {
			break
		}
		if !quoted && (c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r') {
			if len(out) > 0 {
				blanks++
				out = append(out, c)
			}
			continue
		}
		if !quoted && (c == '#' || c == ';') {
			break
		}
		if first < 0 {
			first = x.i
			n.val.lo = x.i
		}
		blanks = 0
		switch c {
		case '"':
			quoted = !quoted
			n.Quoted = true
		case '\\':
			if x.i++; x.i >= len(data) {
				return false
			}
			switch e := data[x.i]; e {
			case '\n':
			case '\r':
				if x.i+1 >= len(data) || data[x.i+1] != '\n' {
					return false
				}
				x.i++
			case 't':
				out = append(out, '\t')
			case 'n':
				out = append(out, '\n')
			case 'b':
				out = append(out, '\b')
			case '"', '\\':
				out = append(out, e)
			default:
				return false
			}
		default:
			out = append(out, c)
		}
		n.end = x.i + 1
	}
	if quoted {
		return false
	}
	n.Value = string(out[:len(out)-min(blanks, len(out))])
	if first >= 0 {
		n.val.hi = n.end
	}
	n.EndLine = x.index.line(n.end)
	x.i = lineEnd(data, min(x.i, len(data)))
	return true
}

func encodeGitConfig(old, value string) (string, error) {
	if strings.ContainsAny(value, "\r\x00") {
		return "", errors.New("the value has a carriage return")
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\b", `\b`).Replace(value)
	if strings.HasPrefix(old, `"`) || value != strings.TrimSpace(value) || strings.ContainsAny(value, "#;") || value == "" {
		return `"` + escaped + `"`, nil
	}
	return escaped, nil
}

// placeGitConfig adds behind the last key of the section, else below its
// header, else with a section of its own at the end.
func placeGitConfig(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) < 2 || len(path) > 3 {
		return nil, errors.New("a key of git has a section, at most one subsection, and a name")
	}
	text, err := encodeGitConfig("", value)
	if err != nil {
		return nil, err
	}
	section, key := path[:len(path)-1], path[len(path)-1]
	for _, n := range slices.Backward(nodes) {
		k := len(n.Path) - 1
		if k != len(section) || !slices.EqualFunc(n.Path[:1], section[:1], strings.EqualFold) || !slices.Equal(n.Path[1:k], section[1:]) {
			continue
		}
		if strings.EqualFold(n.Path[k], key) {
			return nil, errors.New("it is there already")
		}
	}
	for _, n := range slices.Backward(nodes) {
		k := len(n.Path) - 1
		if slices.Equal(n.Path[:k], section) {
			indent := data[lineStart(data, n.start):n.start]
			if !blank(indent) {
				indent = []byte{'\t'}
			}
			return []splice{insertLines(data, nextLine(data, n.end), string(indent)+key+" = "+text)}, nil
		}
	}
	header := "[" + section[0] + "]"
	if len(section) > 1 {
		header = "[" + section[0] + ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(section[1]) + `"]`
	}
	for _, l := range splitLines(data, false) {
		if strings.TrimSpace(string(data[l.lo:l.hi])) == header {
			return []splice{insertLines(data, l.next, "\t"+key+" = "+text)}, nil
		}
	}
	return []splice{insertLines(data, len(data), header, "\t"+key+" = "+text)}, nil
}
