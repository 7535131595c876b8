package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
)

const maxNesting = 200 // of JSON and TOML values

// tree scans values in brackets, for JSON and for the values of TOML.
type tree struct {
	data  []byte
	index index
	i     int
	nodes []node
	err   *SyntaxError
	// what the two differ in
	space  func(i int) int
	scalar func(i int) (end int, value string, quoted bool, err error)
	key    func(i int) (end int, path []string, err error)
	sign   byte // between key and value
}

func (x *tree) fail(msg string) {
	if x.err == nil {
		x.err = syntaxErrorf(x.index.line(min(x.i, len(x.data))), "%s", msg)
	}
}

func (x *tree) peek() byte {
	if x.i < len(x.data) {
		return x.data[x.i]
	}
	return 0
}

// value reads the value at i into the node in this slot.
func (x *tree) value(slot, depth int) {
	if depth > maxNesting {
		x.fail("nested too deep")
		return
	}
	n := x.nodes[slot]
	n.val.lo = x.i
	switch c := x.peek(); c {
	case '{', '[':
		n.Parent = true
		x.members(n.Path, c, depth)
	default:
		end, value, quoted, err := x.scalar(x.i)
		if err != nil {
			x.fail(err.Error())
			return
		}
		x.i, n.Value, n.Quoted = end, value, quoted
	}
	n.val.hi, n.end = x.i, x.i
	n.EndLine = x.index.line(max(x.i-1, n.start))
	x.nodes[slot] = n
}

// members reads what stands between brackets.
func (x *tree) members(path []string, bracket byte, depth int) {
	closing := bracket + 2 // { } and [ ]
	var slots []int
	x.i = x.space(x.i + 1)
	for k := 0; x.err == nil && x.peek() != closing; k++ {
		n := node{start: x.i, item: bracket == '['}
		n.Line = x.index.line(x.i)
		if n.item {
			n.Path = append(slices.Clone(path), strconv.Itoa(k))
		} else {
			end, key, err := x.key(x.i)
			if err != nil {
				x.fail(err.Error())
				return
			}
			n.Path = append(slices.Clone(path), key...)
			if x.i = x.space(end); x.peek() != x.sign {
				x.fail("a " + string(x.sign) + " is missing behind the key")
				return
			}
			x.i = x.space(x.i + 1)
		}
		slots = append(slots, len(x.nodes))
		x.nodes = append(x.nodes, n)
		x.value(len(x.nodes)-1, depth+1)
		x.i = x.space(x.i)
		switch x.peek() {
		case ',':
			x.i = x.space(x.i + 1)
			if x.peek() == closing && x.sign == ':' {
				x.fail("a comma in front of " + string(closing))
			}
		case closing:
		default:
			x.fail("a comma or " + string(closing) + " is missing")
		}
	}
	for k, slot := range slots {
		prev, next := -1, -1
		if k > 0 {
			prev = x.nodes[slots[k-1]].end
		}
		if k+1 < len(slots) {
			next = x.nodes[slots[k+1]].start
		}
		me := x.nodes[slot]
		x.nodes[slot].cut = func() splice { return x.cut(me, prev, next) }
	}
	x.i++
}

// cut takes a member with the comma that joins it to the next one or, where it
// is the last, to the one before. TOML lets that comma stand at the end of a
// line, so that no other line has to change.
func (x *tree) cut(n node, prev, next int) splice {
	s := span{n.start, n.end}
	comment := func(rest []byte) bool { return x.sign == '=' && hashComment(rest) }
	if next < 0 && prev >= 0 && (x.sign == ':' || bytes.IndexByte(x.data[prev:n.start], '\n') < 0) {
		return splice{span: span{prev, n.end}}
	}
	if i := x.space(n.end); i < len(x.data) && x.data[i] == ',' {
		s.hi = i + 1
	}
	if lines, ok := wholeLines(x.data, s, comment); ok {
		return splice{span: lines}
	}
	s.hi = skipSpace(x.data, s.hi)
	if next < 0 {
		s.hi = max(n.end, len(bytes.TrimRight(x.data[:s.hi], " \t")))
	}
	return splice{span: s}
}

// scanJSON reads a JSON document, as docker's daemon.json, with the byte order
// mark that docker allows.
func scanJSON(data []byte) ([]node, error) {
	x := &tree{data: data, index: newIndex(data), sign: ':'}
	x.space = func(i int) int {
		for i < len(data) && strings.IndexByte(" \t\r\n", data[i]) >= 0 {
			i++
		}
		return i
	}
	x.scalar = x.jsonScalar
	x.key = func(i int) (int, []string, error) {
		end, value, quoted, err := x.jsonScalar(i)
		if err == nil && !quoted {
			err = errors.New("a key that is no string")
		}
		return end, []string{value}, err
	}
	if bytes.HasPrefix(data, bom) {
		x.i = len(bom)
	}
	if x.i = x.space(x.i); x.i == len(data) {
		return nil, nil
	}
	if x.peek() != '{' {
		return nil, syntaxErrorf(x.index.line(x.i), "the file is not a JSON object")
	}
	x.members(nil, '{', 0)
	if x.err == nil && x.space(x.i) < len(data) {
		x.fail("more behind the end of the object")
	}
	if x.err != nil {
		return nil, x.err
	}
	return x.nodes, nil
}

// jsonScalar reads a string, number, true, false or null.
func (x *tree) jsonScalar(i int) (int, string, bool, error) {
	if i >= len(x.data) {
		return i, "", false, errors.New("the file ends inside a value")
	}
	end := i + 1
	if x.data[i] == '"' {
		for ; end < len(x.data) && x.data[end] != '"'; end++ {
			if x.data[end] == '\\' {
				end++
			}
		}
		end = min(end+1, len(x.data))
		var value string
		if json.Unmarshal(x.data[i:end], &value) != nil {
			return end, "", true, errors.New("not a JSON string")
		}
		return end, value, true, nil
	}
	for end < len(x.data) && strings.IndexByte(" \t\r\n,:]}", x.data[end]) < 0 {
		end++
	}
	if !json.Valid(x.data[i:end]) {
		return end, "", false, errors.New("not a JSON value")
	}
	return end, string(x.data[i:end]), false, nil
}

// encodeJSON keeps the kind: a bare true or 5 is replaced by a bare value if
// that is one, a string by a string.
func encodeJSON(old, value string) (string, error) {
	if old != "" && old[0] != '"' && json.Valid([]byte(value)) && value[0] != '"' {
		return value, nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return strings.TrimSuffix(out.String(), "\n"), err
}

// placeJSON adds a member behind the last one of its object, in its style.
func placeJSON(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) == 0 {
		return nil, errors.New("no name")
	}
	written, err := encodeJSON("", value)
	if value == "true" || value == "false" {
		written = value
	}
	if err != nil {
		return nil, err
	}
	key, err := encodeJSON("", path[len(path)-1])
	if err != nil {
		return nil, err
	}
	text := key + ": " + written
	container := span{-1, len(bytes.TrimRight(data, " \t\r\n"))}
	if container.lo = bytes.IndexByte(data, '{'); container.lo < 0 {
		eol := newline(data)
		return []splice{{span{len(data), len(data)}, "{" + eol + "  " + text + eol + "}" + eol}}, nil
	}
	var last *node
	for i := range nodes {
		n := &nodes[i]
		switch {
		case slices.Equal(n.Path, path):
			return nil, errors.New("it is there already")
		case slices.Equal(n.Path, path[:len(path)-1]) && n.Parent:
			container = n.val
		case len(n.Path) == len(path) && slices.Equal(n.Path[:len(path)-1], path[:len(path)-1]):
			last = n
		}
	}
	if len(path) > 1 && container.lo == bytes.IndexByte(data, '{') || data[container.lo] != '{' {
		return nil, errors.New("the object it belongs to is missing")
	}
	if last == nil {
		return []splice{{span{container.lo + 1, container.hi - 1}, text}}, nil
	}
	lo := lineStart(data, last.start)
	if lead := data[lo:last.start]; blank(lead) { // one member a line
		return []splice{{span{last.end, last.end}, "," + newline(data) + string(lead) + text}}, nil
	}
	return []splice{{span{last.end, last.end}, ", " + text}}, nil
}
