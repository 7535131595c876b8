package edit

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// scanTOML lets go-toml judge the file and then, as it is known to be valid,
// finds the bytes of its keys. Elements of [[arrays]] have their number in the
// path, like those of lists.
func scanTOML(data []byte) ([]node, error) {
	body := bytes.TrimPrefix(data, bom)
	if deep(body) {
		return nil, syntaxErrorf(1, "nested too deep")
	}
	var all map[string]any
	if err := toml.Unmarshal(body, &all); err != nil {
		var de *toml.DecodeError
		if errors.As(err, &de) {
			row, _ := de.Position()
			return nil, syntaxErrorf(max(row, 1), "%s", strings.TrimPrefix(de.Error(), "toml: "))
		}
		return nil, syntaxErrorf(1, "%s", strings.TrimPrefix(err.Error(), "toml: "))
	}
	x := &tree{data: data, index: newIndex(data), sign: '=', i: len(data) - len(body)}
	x.space = func(i int) int {
		for i < len(data) {
			switch data[i] {
			case ' ', '\t', '\r', '\n':
				i++
			case '#':
				i = lineEnd(data, i)
			default:
				return i
			}
		}
		return i
	}
	x.scalar, x.key = x.tomlScalar, x.tomlKey
	var table []string
	count := map[string]int{}
	for x.i = x.space(x.i); x.i < len(data) && x.err == nil; x.i = x.space(x.i) {
		if data[x.i] == '[' {
			table = x.tomlTable(count)
			continue
		}
		n := node{start: x.i}
		n.Line = x.index.line(x.i)
		end, key, err := x.tomlKey(x.i)
		if err != nil {
			x.fail(err.Error())
			break
		}
		n.Path = append(slices.Clone(table), key...)
		x.i = skipSpace(data, skipSpace(data, end)+1)
		slot := len(x.nodes)
		x.nodes = append(x.nodes, n)
		x.value(slot, 0)
		me := &x.nodes[slot]
		me.cut = cutLines(data, me.start, me.end)
		if i := skipSpace(data, me.end); i < len(data) && data[i] == '#' {
			me.Comment = strings.TrimRight(string(data[i:lineEnd(data, i)]), " \t")
		}
	}
	if x.err != nil {
		return nil, x.err
	}
	return x.nodes, nil
}

// deep guards go-toml's recursion: no line of a configuration opens so many
// brackets.
func deep(data []byte) bool {
	depth := 0
	for _, c := range data {
		switch c {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '\n':
			depth = max(depth, 0)
		}
		if depth > 4*maxNesting {
			return true
		}
	}
	return false
}

// tomlTable reads [a.b] or [[a.b]] and returns the path of its keys.
func (x *tree) tomlTable(count map[string]int) []string {
	array := x.i+1 < len(x.data) && x.data[x.i+1] == '['
	x.i++
	if array {
		x.i++
	}
	end, key, err := x.tomlKey(skipSpace(x.data, x.i))
	if err != nil {
		x.fail(err.Error())
		return nil
	}
	x.i = skipSpace(x.data, end) + 1
	if array {
		x.i++
	}
	var path []string
	id := ""
	for k, part := range key { // a table below an array belongs to its last element
		path = append(path, part)
		id += strconv.Itoa(len(part)) + ":" + part
		if n := count[id]; array && k == len(key)-1 {
			count[id]++
			path = append(path, strconv.Itoa(n))
		} else if n > 0 {
			path = append(path, strconv.Itoa(n-1))
			id += "#" + strconv.Itoa(n-1)
		}
	}
	return path
}

// tomlKey reads a bare, quoted or dotted key.
func (x *tree) tomlKey(i int) (int, []string, error) {
	var path []string
	for {
		i = skipSpace(x.data, i)
		end := i
		if i < len(x.data) && (x.data[i] == '"' || x.data[i] == '\'') {
			var part string
			var err error
			if end, part, _, err = x.tomlScalar(i); err != nil {
				return i, nil, err
			}
			path = append(path, part)
		} else {
			for end < len(x.data) && strings.IndexByte(" \t\r\n.=]},#", x.data[end]) < 0 {
				end++
			}
			path = append(path, string(x.data[i:end]))
		}
		if i = skipSpace(x.data, end); i >= len(x.data) || x.data[i] != '.' {
			return end, path, nil
		}
		i++
	}
}

// tomlScalar reads a string of one of the four kinds, or a bare value.
func (x *tree) tomlScalar(i int) (int, string, bool, error) {
	rest := x.data[i:]
	for _, q := range []string{`"""`, `'''`, `"`, `'`} {
		if !bytes.HasPrefix(rest, []byte(q)) {
			continue
		}
		end := len(q)
		for end < len(rest) && !bytes.HasPrefix(rest[end:], []byte(q)) {
			if q[0] == '"' && rest[end] == '\\' {
				end++
			}
			end++
		}
		end += len(q)
		for k := 0; len(q) == 3 && k < 2 && end < len(rest) && rest[end] == q[0]; k++ {
			end++ // up to two quotes may stand in front of the closing three
		}
		if end > len(rest) {
			return i, "", true, errors.New("a string is never closed")
		}
		var one struct{ V string }
		if err := toml.Unmarshal(append([]byte("V = "), rest[:end]...), &one); err != nil {
			return i, "", true, fmt.Errorf("not a string: %w", err)
		}
		return i + end, one.V, true, nil
	}
	end := 0
	for end < len(rest) && strings.IndexByte(",]}#\r\n", rest[end]) < 0 {
		end++
	}
	value := bytes.TrimRight(rest[:end], " \t")
	return i + len(value), string(value), false, nil
}

// tomlBare is a value that is written without quotes.
var tomlBare = regexp.MustCompile(`^(?:true|false|[+-]?[0-9][0-9_]*)$`)

// encodeTOML keeps the kind of the value: a bare true or 5 is replaced by a
// bare value if that is one, a string by a string.
func encodeTOML(old, value string) (string, error) {
	if old != "" && old[0] != '"' && old[0] != '\'' && tomlBare.MatchString(value) {
		return value, nil
	}
	control := strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
	if (strings.HasPrefix(old, "'") || strings.Contains(value, `\`) && old == "") && !control && !strings.Contains(value, "'") {
		return "'" + value + "'", nil
	}
	return encodeJSON("", value)
}

var tomlBareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func encodeTOMLKey(path []string) (string, error) {
	var parts []string
	for _, p := range path {
		if !tomlBareKey.MatchString(p) {
			quoted, err := encodeJSON("", p)
			if err != nil {
				return "", err
			}
			p = quoted
		}
		parts = append(parts, p)
	}
	return strings.Join(parts, "."), nil
}

// placeTOML adds behind the last key of the table, else below its header, else
// with a table of its own at the end.
func placeTOML(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) == 0 {
		return nil, errors.New("no name")
	}
	table := path[:len(path)-1]
	name, err := encodeTOMLKey(path[len(path)-1:])
	if err != nil {
		return nil, err
	}
	written, err := encodeTOML("", value)
	if err != nil {
		return nil, err
	}
	if value == "true" || value == "false" {
		written = value
	}
	text := name + " = " + written
	header, err := encodeTOMLKey(table)
	if err != nil {
		return nil, err
	}
	at, first := -1, len(data)
	for _, n := range nodes {
		if slices.Equal(n.Path, path) {
			return nil, errors.New("it is there already")
		}
		if len(n.Path) == len(path) && slices.Equal(n.Path[:len(table)], table) && !n.item {
			at = nextLine(data, n.end)
		}
	}
	for _, l := range splitLines(data, false) {
		line := strings.TrimSpace(string(cutComment(data[l.lo:l.hi])))
		if strings.HasPrefix(line, "[") {
			first = min(first, l.lo)
		}
		if at < 0 && len(table) > 0 && line == "["+header+"]" {
			at = l.next
		}
	}
	switch {
	case at >= 0:
		return []splice{insertLines(data, at, text)}, nil
	case len(table) == 0:
		return []splice{insertLines(data, first, text)}, nil
	}
	lines := []string{"[" + header + "]", text}
	if len(bytes.TrimSpace(data)) > 0 {
		lines = slices.Insert(lines, 0, "")
	}
	return []splice{insertLines(data, len(data), lines...)}, nil
}
