package edit

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// member records one pair or element with all it holds; the result is the
// offset behind it.
func (s *yamlScan) member(it yamlItem) (int, error) {
	v := it.value
	if len(it.path) > maxYAMLNesting {
		return 0, syntaxErrorf(s.index.line(it.at), "nested deeper than %d levels", maxYAMLNesting)
	}
	n := node{start: it.at, item: it.key == nil, fixed: it.fixed}
	n.Path, n.Line = it.path, s.index.line(it.at)
	from := it.sign
	start := s.at(v)
	bare := v.Kind == yaml.ScalarNode && v.Value == "" && v.Style&^yaml.TaggedStyle == 0 && v.Anchor == "" && v.Style == 0
	if bare {
		start = from
	}
	content := s.properties(v, start)
	n.val = span{start, start}
	if v.Style&yaml.TaggedStyle != 0 {
		n.Tag = v.Tag
	}
	if v.Anchor != "" {
		n.val.lo = content
	}
	slot := len(s.nodes)
	s.nodes = append(s.nodes, n)
	end, err := content, error(nil)
	switch v.Kind {
	case yaml.MappingNode:
		n.Parent = true
		end, err = s.mapping(v, it.path, it.flow, it.indent)
	case yaml.SequenceNode:
		n.Parent = true
		end, err = s.sequence(v, it.path, it.flow)
	case yaml.AliasNode:
		end = s.scalarEnd(v, content, it.indent)
		if target := v.Alias; target.Kind == yaml.ScalarNode {
			n.Value, n.Quoted = target.Value, quotedYAML(target)
			if target.Style&yaml.TaggedStyle != 0 {
				n.Tag = target.Tag
			}
		} else {
			n.Parent = true
		}
	default:
		n.Value, n.Quoted = v.Value, quotedYAML(v)
		if !bare {
			end = s.scalarEnd(v, content, it.indent)
		}
		n.Empty = bare || end == content && !n.Quoted
	}
	if err != nil {
		return 0, err
	}
	n.end, n.val.hi = end, max(end, n.val.lo)
	n.EndLine = s.index.line(max(end-1, it.at))
	n.Comment = s.comment(it, n, v, content)
	s.nodes[slot] = n
	return max(end, from), nil
}

func quotedYAML(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// comment is what stands behind # on the key's own line, or on the last line
// of a value that goes on.
func (s *yamlScan) comment(it yamlItem, n node, v *yaml.Node, content int) string {
	i := n.end
	switch block := v.Style&yaml.FlowStyle == 0 && len(v.Content) > 0; {
	case v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		i = content
		for i < len(s.data) && strings.IndexByte(" \t\r\n", s.data[i]) < 0 {
			i++
		}
	case block:
		i = it.sign
		if first := s.at(v.Content[0]); s.index.line(first) == n.Line {
			return "" // "- key: value" on one line: the comment is that key's
		}
		if j := skipSpace(s.data, i); j < len(s.data) && (s.data[j] == '&' || s.data[j] == '!') {
			i = j + len(bytes.TrimRight(cutComment(s.data[j:lineEnd(s.data, j)]), " \t"))
		}
	}
	i = skipSpace(s.data, min(i, len(s.data)))
	if it.flow && i < len(s.data) && s.data[i] == ',' {
		i = skipSpace(s.data, i+1)
	}
	if i >= len(s.data) || s.data[i] != '#' || i > 0 && strings.IndexByte(" \t,", s.data[i-1]) < 0 {
		return ""
	}
	return string(bytes.TrimRight(s.data[i:lineEnd(s.data, i)], " \t"))
}

func cutComment(line []byte) []byte {
	if i := bytes.Index(line, []byte(" #")); i >= 0 {
		return line[:i]
	}
	return line
}

// join gives the members of one collection the cut that leaves the rest valid.
func (s *yamlScan) join(members []int, flow, list bool) {
	for k, at := range members {
		n := &s.nodes[at]
		next := -1
		if k+1 < len(members) {
			next = s.nodes[members[k+1]].start
		}
		prev := -1
		if k > 0 {
			prev = s.nodes[members[k-1]].end
		}
		me, only, depth := *n, len(members) == 1, len(n.Path)
		switch {
		case flow:
			n.cut = func() splice { return s.cutFlow(me, prev, next) }
		case only && depth > 1:
			n.cut = func() splice { return s.cutOnly(me, list) }
		default:
			n.cut = func() splice { return s.cutBlock(me, next) }
		}
	}
}

// cutBlock takes the lines of a pair; of the first pair behind a dash, which
// has to stay, only up to the next one.
func (s *yamlScan) cutBlock(n node, next int) splice {
	if lines, ok := wholeLines(s.data, span{n.start, n.end}, hashComment); ok {
		return splice{span: lines}
	}
	if next >= 0 && len(bytes.Trim(s.data[n.end:next], " \t\r\n")) == 0 {
		return splice{span: span{n.start, next}}
	}
	return splice{span: span{n.start, n.start}} // removes nothing: unproven
}

// cutOnly leaves an empty map or list where its only member was, as a key
// without a value would mean null.
func (s *yamlScan) cutOnly(n node, list bool) splice {
	empty, lo := "{}", n.start
	if list {
		empty = "[]"
		if column := n.start - lineStart(s.data, n.start); column == 0 || blank(s.data[lineStart(s.data, n.start):n.start]) {
			empty = "  []" // a list may stand as far left as its key, [] may not
		}
	}
	return splice{span{lo, n.end}, empty}
}

// cutFlow takes an element with the comma behind it, or in front of the last.
func (s *yamlScan) cutFlow(n node, prev, next int) splice {
	cut := span{n.start, n.end}
	if next < 0 {
		comma := max(prev, 0)
		if prev >= 0 {
			comma = s.space(prev)
		}
		if prev >= 0 && len(bytes.Trim(s.data[prev:n.start], " \t,")) == 0 {
			cut.lo = comma
		}
	}
	if i := s.space(n.end); cut.lo == n.start && i < len(s.data) && s.data[i] == ',' && !bytes.ContainsRune(s.data[n.end:i], '#') {
		cut.hi = skipSpace(s.data, i+1)
	}
	if lines, ok := wholeLines(s.data, cut, hashComment); ok {
		cut = lines
	}
	return splice{span: cut}
}

// merged adds what "<<: *anchor" brings into the top level: keys that are in
// force although they stand elsewhere. They are edited where they stand.
func (s *yamlScan) merged(root *yaml.Node) {
	have := map[string]bool{}
	for k := 0; k+1 < len(root.Content); k += 2 {
		have[root.Content[k].Value] = true
	}
	seen := map[*yaml.Node]bool{root: true}
	var add func(m *yaml.Node, top bool)
	add = func(m *yaml.Node, top bool) {
		if m.Kind == yaml.AliasNode {
			m = m.Alias
		}
		if m.Kind == yaml.SequenceNode && !seen[m] {
			seen[m] = true
			for _, c := range m.Content {
				add(c, false)
			}
			return
		}
		if m.Kind != yaml.MappingNode || len(seen) > maxYAMLNesting || seen[m] && !top {
			return
		}
		seen[m] = true
		for k := 0; k+1 < len(m.Content); k += 2 {
			key, value := m.Content[k], m.Content[k+1]
			if key.Tag == "!!merge" || top {
				continue
			}
			if value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			if value.Kind != yaml.ScalarNode || have[key.Value] {
				continue
			}
			have[key.Value] = true
			at := s.at(key)
			n := node{start: at, end: at, fixed: "the key is merged in from another map"}
			n.Entry = Entry{Path: []string{key.Value}, Value: value.Value, Quoted: quotedYAML(value), Line: s.index.line(at), EndLine: s.index.line(at)}
			n.Empty = value.Value == "" && value.Style == 0
			s.nodes = append(s.nodes, n)
		}
		for k := 0; k+1 < len(m.Content); k += 2 {
			if m.Content[k].Tag == "!!merge" {
				add(m.Content[k+1], false)
			}
		}
	}
	add(root, true)
}
