package edit

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Configuration written by people is far below both limits; above them a file
// is an attack or an accident.
const (
	maxYAML        = 1 << 20
	maxYAMLNesting = 100
)

// yamlScan turns the nodes of the yaml package, which know where they begin,
// into entries that also know where they end.
type yamlScan struct {
	data  []byte
	lines []int // offset of each line, by YAML's own line breaks
	index index // the same for people, who count \n
	nodes []node
	text  []span // in quotes or blocks, where a tab is an ordinary character
	// the last position asked for: asked in order, columns of a long line cost
	// nothing twice
	line, col, off int
}

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

func scanYAML(data []byte) ([]node, error) {
	if len(data) > maxYAML {
		return nil, syntaxErrorf(1, "%d bytes; a YAML configuration is at most %d", len(data), maxYAML)
	}
	body := bytes.TrimPrefix(data, bom)
	if rest, ok := bytes.CutPrefix(body, []byte("%YAML 1.2")); ok { // the package knows 1.1 by name only
		body = append([]byte("%YAML 1.1"), rest...)
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, yamlError(body, err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, syntaxErrorf(second.Line, "a second document begins here")
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(body, err)
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 {
		return nil, nil // only comments or an empty document
	}
	if root.Kind != yaml.MappingNode {
		return nil, syntaxErrorf(root.Line, "the file does not consist of key: value")
	}
	s := &yamlScan{data: data, index: newIndex(data), nodes: someNodes(data)}
	s.findLines(len(data) - len(body))
	if _, err := s.mapping(root, nil, false, -1); err != nil {
		return nil, err
	}
	if at := s.tab(); at >= 0 {
		return nil, syntaxErrorf(s.index.line(at), "a tab between words; conda's YAML refuses it, use spaces")
	}
	s.merged(root)
	return s.nodes, nil
}

// tab is the offset of a tab outside quotes and blocks, or -1. The yaml package lets it
// pass, but ruamel.yaml refuses the file and conda then ignores it.
func (s *yamlScan) tab() int {
	i := 0
	for _, t := range append(s.text, span{len(s.data), len(s.data)}) {
		for ; i < t.lo; i++ {
			switch {
			case s.data[i] == '\t':
				return i
			case s.data[i] == '#' && (i == 0 || strings.IndexByte(" \n\r,[]{}", s.data[i-1]) >= 0):
				i = lineEnd(s.data, i) - 1
			}
		}
		i = max(i, t.hi)
	}
	return -1
}

// yamlError keeps the line, and names the tab that is behind most of them.
func yamlError(data []byte, err error) error {
	line, msg := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlErrorLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = strings.TrimPrefix(err.Error(), m[0])
		if strings.HasPrefix(msg, "did not find") { // its parser counts from 0, its scanner from 1
			line++
		}
	}
	for i, l := range splitLines(data, false) {
		text := bytes.TrimLeft(data[l.lo:l.hi], " ")
		if len(text) > 0 && text[0] == '\t' && !blank(text) && i+1 >= line-1 {
			return syntaxErrorf(i+1, "a tab in the indentation; YAML wants spaces")
		}
	}
	return &SyntaxError{Line: line, Msg: msg}
}

func (s *yamlScan) findLines(start int) {
	s.lines = []int{start}
	for i := start; i < len(s.data); {
		n := yamlBreak(s.data[i:])
		i += max(n, 1)
		if n > 0 {
			s.lines = append(s.lines, i)
		}
	}
	s.line, s.col, s.off = 1, 1, start
}

// yamlBreak is the length of the line break that b begins with, or 0.
func yamlBreak(b []byte) int {
	switch b[0] {
	case '\n':
		return 1
	case '\r':
		if len(b) > 1 && b[1] == '\n' {
			return 2
		}
		return 1
	case 0xc2, 0xe2:
		for _, br := range []string{"\u0085", "\u2028", "\u2029"} {
			if bytes.HasPrefix(b, []byte(br)) {
				return len(br)
			}
		}
	}
	return 0
}

// at is the offset at which a node begins.
func (s *yamlScan) at(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(s.lines) {
		return len(s.data)
	}
	if n.Line != s.line || n.Column < s.col {
		s.line, s.col, s.off = n.Line, 1, s.lines[n.Line-1]
	}
	for ; s.col < n.Column && s.off < len(s.data); s.col++ {
		_, size := utf8.DecodeRune(s.data[s.off:])
		s.off += size
	}
	return s.off
}

// space is the offset of the next byte that is no blank, line break or comment.
func (s *yamlScan) space(i int) int {
	for i < len(s.data) {
		switch c := s.data[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '#' && (i == 0 || strings.IndexByte(" \t\r\n,[]{}", s.data[i-1]) >= 0):
			i = lineEnd(s.data, i)
		default:
			return i
		}
	}
	return i
}

// properties skips the anchor and the tag in front of a value.
func (s *yamlScan) properties(n *yaml.Node, i int) int {
	if n.Anchor == "" && n.Style&yaml.TaggedStyle == 0 && (i >= len(s.data) || s.data[i] != '!') {
		return i
	}
	for i < len(s.data) && (s.data[i] == '&' || s.data[i] == '!') {
		for i < len(s.data) && strings.IndexByte(" \t\r\n", s.data[i]) < 0 && (strings.IndexByte(",[]{}", s.data[i]) < 0) {
			i++
		}
		end := i
		if i = s.space(i); i >= len(s.data) || n.Kind == yaml.ScalarNode && n.Value == "" && strings.IndexByte("&!\"'|>", s.data[i]) < 0 {
			return end
		}
	}
	return i
}

// scalarEnd is the offset behind the scalar that is written at i; indent is the
// column of the key or dash it belongs to.
func (s *yamlScan) scalarEnd(n *yaml.Node, i, indent int) int {
	end := s.endOf(n, i, indent)
	if quotedYAML(n) {
		s.text = append(s.text, span{i, end})
	}
	return end
}

func (s *yamlScan) endOf(n *yaml.Node, i, indent int) int {
	switch {
	case n.Kind == yaml.AliasNode:
		return min(i+1+len(n.Value), len(s.data))
	case n.Style&yaml.DoubleQuotedStyle != 0:
		for i++; i < len(s.data) && s.data[i] != '"'; i++ {
			if s.data[i] == '\\' {
				i++
			}
		}
		return min(i+1, len(s.data))
	case n.Style&yaml.SingleQuotedStyle != 0:
		for i++; i < len(s.data); i++ {
			if s.data[i] == '\'' {
				if i+1 >= len(s.data) || s.data[i+1] != '\'' {
					return i + 1
				}
				i++
			}
		}
		return len(s.data)
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return s.blockEnd(i, indent)
	}
	for _, c := range []byte(n.Value) { // plain: the same letters, folded anywhere
		if c == ' ' || c == '\t' || c == '\n' {
			continue
		}
		for i < len(s.data) && s.data[i] != c {
			i++
		}
		i++
	}
	return min(i, len(s.data))
}

// blockEnd is the offset behind the last line of a | or > scalar.
func (s *yamlScan) blockEnd(i, indent int) int {
	end := lineEnd(s.data, i)
	deep := -1
	for _, c := range s.data[i:end] {
		if c == ' ' || c == '#' {
			break
		}
		if c >= '1' && c <= '9' {
			deep = max(indent, 0) + int(c-'0')
		}
	}
	for next := nextLine(s.data, i); next < len(s.data); next = nextLine(s.data, next) {
		text := s.data[next:lineEnd(s.data, next)]
		if blank(text) {
			continue
		}
		column := len(text) - len(bytes.TrimLeft(text, " "))
		if deep < 0 {
			deep = max(column, indent+1)
		}
		if column < deep {
			break
		}
		end = next + len(text)
	}
	return end
}

// yamlItem is one pair of a map or one element of a list.
type yamlItem struct {
	path       []string
	key, value *yaml.Node // key is nil in a list
	at, sign   int        // offset of the key or dash (in flow style: the element), and behind ":" or "-"
	flow       bool
	indent     int
	fixed      string
}

// mapping reads the members of a map; the result is the offset behind it.
func (s *yamlScan) mapping(n *yaml.Node, path []string, inFlow bool, indent int) (int, error) {
	flow := n.Style&yaml.FlowStyle != 0
	i := s.properties(n, s.at(n))
	braces := flow && i < len(s.data) && s.data[i] == '{'
	if braces {
		i++
	}
	keys := make(map[string]int, len(n.Content)/2)
	members := make([]int, 0, len(n.Content)/2)
	for k := 0; k+1 < len(n.Content); k += 2 {
		key, value := n.Content[k], n.Content[k+1]
		it := yamlItem{key: key, value: value, flow: flow || inFlow, at: s.at(key)}
		name := key.Value
		if key.Kind == yaml.AliasNode {
			name = "*" + key.Value
		}
		if key.Kind == yaml.MappingNode || key.Kind == yaml.SequenceNode {
			return 0, syntaxErrorf(key.Line, "a map or list as a key")
		}
		id := key.ShortTag() + " " + name
		if was := keys[id]; was != 0 {
			return 0, syntaxErrorf(key.Line, "%s is already set on line %d", name, was)
		}
		keys[id] = key.Line
		it.path = append(slices.Clone(path), name)
		if !it.flow {
			it.indent = it.at - lineStart(s.data, it.at)
		}
		end := s.scalarEnd(key, s.properties(key, it.at), indent)
		it.sign = s.colon(end, flow)
		if it.sign < 0 {
			it.sign, it.fixed = end, "the key is written with ? or without a colon"
		}
		if flow && !braces {
			it.fixed = "a pair in a list"
		}
		members = append(members, len(s.nodes))
		var err error
		if i, err = s.member(it); err != nil {
			return 0, err
		}
	}
	s.join(members, flow, false)
	if braces {
		i = s.closing(i, '}')
	}
	return i, nil
}

// colon is the offset behind the colon that follows a key, or -1.
func (s *yamlScan) colon(i int, flow bool) int {
	if flow {
		i = s.space(i)
	} else {
		i = skipSpace(s.data, i)
	}
	if i < len(s.data) && s.data[i] == ':' {
		return i + 1
	}
	return -1
}

// closing is the offset behind the bracket that ends a flow collection.
func (s *yamlScan) closing(i int, bracket byte) int {
	for i = s.space(i); i < len(s.data) && s.data[i] == ','; i = s.space(i) {
		i++
	}
	if i < len(s.data) && s.data[i] == bracket {
		return i + 1
	}
	return i
}

func (s *yamlScan) sequence(n *yaml.Node, path []string, inFlow bool) (int, error) {
	flow := n.Style&yaml.FlowStyle != 0
	i := s.properties(n, s.at(n))
	if flow {
		i++
	}
	members := make([]int, 0, len(n.Content))
	for k, value := range n.Content {
		i = s.space(i)
		it := yamlItem{path: append(slices.Clone(path), strconv.Itoa(k)), value: value, flow: flow || inFlow}
		switch {
		case flow && k > 0 && i < len(s.data) && s.data[i] == ',':
			i = s.space(i + 1)
		case !flow && (i >= len(s.data) || s.data[i] != '-'):
			return 0, syntaxErrorf(value.Line, "where the list item stands could not be told")
		}
		it.at, it.sign = i, i
		if !flow {
			it.sign++
			it.indent = i - lineStart(s.data, i)
		}
		members = append(members, len(s.nodes))
		var err error
		if i, err = s.member(it); err != nil {
			return 0, err
		}
	}
	s.join(members, flow, true)
	if flow {
		i = s.closing(i, ']')
	}
	return i, nil
}
