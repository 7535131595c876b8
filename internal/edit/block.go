package edit

import (
	"bytes"
	"strings"
)

// The lines around a block of ours, in files whose comments begin with #.
const (
	blockBegin = "# >>> trustfix >>>"
	blockEnd   = "# <<< trustfix <<<"
)

// SetBlock puts lines between the marks of trustfix, in the place of the block
// that is there or at the end of the file. Nothing outside the marks changes;
// a block that somebody tore apart is ErrUnproven.
func SetBlock(f Format, data []byte, lines []string) ([]byte, error) {
	eol := newline(data)
	if f == Shell {
		eol = "\n" // \r would become a part of every value
	}
	all := append(append([]string{blockBegin}, lines...), blockEnd)
	block := strings.Join(all, eol) + eol
	for _, l := range lines {
		if strings.ContainsAny(l, "\r\n") || strings.TrimSpace(l) == blockEnd || strings.TrimSpace(l) == blockBegin {
			return nil, unprovenf("a line of the block is not one line")
		}
	}
	place, found, err := findBlock(data)
	if err != nil {
		return nil, err
	}
	if !found && len(data) > 0 && data[len(data)-1] != '\n' {
		block = eol + block
	}
	return tryBlock(f, data, splice{place, block})
}

// RemoveBlock takes the marks and what stands between them out. A file without
// a block comes back as it is.
func RemoveBlock(f Format, data []byte) ([]byte, error) {
	place, found, err := findBlock(data)
	if err != nil || !found {
		return data, err
	}
	return tryBlock(f, data, splice{span: place})
}

// findBlock returns the block with its marks, or the end of the file.
func findBlock(data []byte) (span, bool, error) {
	block := span{-1, -1}
	for i, l := range splitLines(data, false) {
		switch string(bytes.TrimRight(data[l.lo:l.hi], " \t\r")) {
		case blockBegin:
			if block.lo >= 0 {
				return span{}, false, unprovenf("line %d: the mark %q stands twice", i+1, blockBegin)
			}
			block.lo = l.lo
		case blockEnd:
			if block.lo < 0 || block.hi >= 0 {
				return span{}, false, unprovenf("line %d: the mark %q without its beginning", i+1, blockEnd)
			}
			block.hi = l.next
		}
	}
	switch {
	case block.lo < 0:
		return span{len(data), len(data)}, false, nil
	case block.hi < 0:
		return span{}, false, unprovenf("the mark %q without its end", blockBegin)
	}
	return block, true, nil
}

// tryBlock proves that the entries outside the block stay what they were, and
// that those inside are read as if the block stood alone.
func tryBlock(f Format, data []byte, s splice) ([]byte, error) {
	sx, nodes, err := open(f, data)
	if err != nil {
		return nil, err
	}
	out := s.apply(data)
	after, err := sx.scan(out)
	if err != nil {
		return nil, unprovenf("the result would not be readable: %w", err)
	}
	alone, err := sx.scan([]byte(s.text))
	if err != nil {
		return nil, unprovenf("the block would not be readable: %w", err)
	}
	outside := func(nodes []node, inside span) (out []node) {
		for _, n := range nodes {
			if n.start < inside.lo || n.start >= inside.hi {
				out = append(out, n)
			}
		}
		return out
	}
	was, is := outside(nodes, s.span), outside(after, span{s.lo, s.lo + len(s.text)})
	if len(was) != len(is) || len(after)-len(is) != len(alone) {
		return nil, unprovenf("the block would change what stands outside of it")
	}
	for i := range was {
		if !same(was[i], is[i], s, len(s.text)-(s.hi-s.lo)) {
			return nil, unprovenf("%s on line %d would change", strings.Join(was[i].Path, "."), was[i].Line)
		}
	}
	return out, nil
}
