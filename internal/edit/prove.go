package edit

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// proof is one edit of one file: what it read before, and which entry the edit
// is about (-1: one that is not there yet).
type proof struct {
	sx     syntax
	data   []byte
	nodes  []node
	target int
	gone   bool // the target, with all it holds, must not be there afterwards
}

// try applies the splice and reads the result again. Outside the splice every
// entry must stand as it stood, at the place it stood (moved by the splice).
// It returns the new bytes and the entry the edit was about, as it reads now.
func (p proof) try(s splice) ([]byte, Entry, error) {
	if p.target >= 0 && !p.within(s) {
		return nil, Entry{}, unprovenf("line %d: the edit reaches into other lines", p.nodes[p.target].Line)
	}
	out := s.apply(p.data)
	if bytes.Equal(out, p.data) && p.gone {
		return nil, Entry{}, unprovenf("nothing to remove")
	}
	after, err := p.sx.scan(out)
	if err == nil {
		err = checkEncoding(out) // a BOM that stood in the middle
	}
	if err != nil {
		return nil, Entry{}, unprovenf("the result would not be readable: %w", err)
	}
	before, ok := p.outside(s)
	if !ok {
		return nil, Entry{}, unprovenf("another key stands in the way")
	}
	var about Entry
	grown := len(s.text) - (s.hi - s.lo)
	for _, n := range after {
		switch {
		case p.target >= 0 && !p.gone && n.start == p.nodes[p.target].start && slices.Equal(n.Path, p.nodes[p.target].Path) && about.Line == 0:
			about = n.Entry
		case n.start >= s.lo && n.start < s.lo+len(s.text):
			if p.target >= 0 || about.Line != 0 {
				return nil, Entry{}, unprovenf("%s would appear", strings.Join(n.Path, "."))
			}
			if !n.Parent {
				about = n.Entry
			}
		default:
			if len(before) == 0 || !same(before[0], n, s, grown) {
				return nil, Entry{}, unprovenf("%s on line %d would change", strings.Join(n.Path, "."), n.Line)
			}
			before = before[1:]
		}
	}
	switch {
	case len(before) > 0:
		return nil, Entry{}, unprovenf("%s on line %d would be lost", strings.Join(before[0].Path, "."), before[0].Line)
	case !p.gone && about.Line == 0:
		return nil, Entry{}, unprovenf("the key would not be there")
	}
	return out, about, nil
}

// within says that the splice keeps to the lines of the target. Only the comma
// that joins it to the element before may stand on another line.
func (p proof) within(s splice) bool {
	n := p.nodes[p.target]
	lo, hi := lineStart(p.data, n.start), nextLine(p.data, max(n.start, n.end))
	if s.lo < lo && len(bytes.Trim(p.data[s.lo:lo], " \t\r\n,")) > 0 {
		return false
	}
	return s.hi <= hi || len(bytes.Trim(p.data[hi:s.hi], " \t\r\n,")) == 0
}

// outside is what has to stand afterwards: all but the target, with the later
// elements of its list renumbered.
func (p proof) outside(s splice) ([]node, bool) {
	if p.target < 0 {
		return p.nodes, true
	}
	t := p.nodes[p.target]
	rest := make([]node, 0, len(p.nodes))
	listEnd, depth := -1, len(t.Path)-1
	if p.gone && t.item {
		for _, n := range p.nodes[:p.target] {
			if n.Parent && slices.Equal(n.Path, t.Path[:depth]) {
				listEnd = n.end
			}
		}
	}
	for i, n := range p.nodes {
		if i == p.target || p.gone && i > p.target && t.Parent && n.start < t.end && len(n.Path) > len(t.Path) {
			continue
		}
		if n.start >= s.lo && n.start < s.hi {
			return nil, false
		}
		if i > p.target && n.start < listEnd && len(n.Path) > depth {
			k, err := strconv.Atoi(n.Path[depth])
			if err != nil {
				return nil, false
			}
			n.Path = slices.Clone(n.Path)
			n.Path[depth] = strconv.Itoa(k - 1)
		}
		rest = append(rest, n)
	}
	return rest, true
}

// same compares an entry with what it was before the splice.
func same(was, is node, s splice, grown int) bool {
	at := was.start
	if at >= s.hi {
		at += grown
	}
	return at == is.start && slices.Equal(was.Path, is.Path) && was.Value == is.Value && was.Quoted == is.Quoted &&
		was.Tag == is.Tag && was.Empty == is.Empty && was.Parent == is.Parent && was.Comment == is.Comment
}
