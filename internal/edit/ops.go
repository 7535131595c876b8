package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// node is an entry and the bytes it stands on.
type node struct {
	Entry
	start, end int           // first byte of the key, end of the value
	val        span          // the value as written; empty where one would go
	cut        func() splice // what Delete does; asked for the one entry that goes
	item       bool          // an element of a list: its siblings are renumbered without it
	fixed      string        // why it cannot be edited, "" when it can
}

// someNodes has room for the entries of a usual file of this size.
func someNodes(data []byte) []node { return make([]node, 0, len(data)/40) }

// syntax is what a format has to know; the rest is the same for all.
type syntax struct {
	scan func(data []byte) ([]node, error)
	// encode writes value in the place of old, the value as it stands ("" where
	// there is none yet), in the same style if the value allows it.
	encode func(old, value string) (string, error)
	// place gives the ways to add a key, the most natural one first.
	place func(data []byte, nodes []node, path []string, value string) ([]splice, error)
}

func syntaxOf(f Format) (syntax, error) {
	switch f {
	case YAML:
		return syntax{scanYAML, encodeYAML, placeYAML}, nil
	case INI:
		return syntax{scanINI, encodeINI, placeINI}, nil
	case Shell:
		return syntax{scanShell, encodeShell, placeShell}, nil
	case EnvFile:
		return syntax{scanEnvFile, encodeEnvFile, placeEnvFile}, nil
	case Npmrc:
		return syntax{scanNpmrc, encodeNpmrc, placeNpmrc}, nil
	case Yarnrc:
		return syntax{scanYarnrc, encodeYarnrc, placeYarnrc}, nil
	case Curlrc:
		return syntax{scanCurlrc, encodeCurlrc, placeCurlrc}, nil
	case JSON:
		return syntax{scanJSON, encodeJSON, placeJSON}, nil
	case TOML:
		return syntax{scanTOML, encodeTOML, placeTOML}, nil
	case GitConfig:
		return syntax{scanGitConfig, encodeGitConfig, placeGitConfig}, nil
	case AptConf:
		return syntax{scanAptConf, encodeAptConf, placeAptConf}, nil
	case Fish:
		return syntax{scanFish, encodeFish, placeFish}, nil
	case Csh:
		return syntax{scanCsh, encodeCsh, placeCsh}, nil
	case Properties:
		return syntax{scanProperties, encodeProperties, placeProperties}, nil
	case Options:
		return syntax{scanOptions, encodeOptions, placeOptions}, nil
	case Wgetrc:
		return syntax{scanWgetrc, encodeWgetrc, placeWgetrc}, nil
	}
	return syntax{}, fmt.Errorf("unknown file format %q", f)
}

// maxSize is far above what people write: a 20,000-line .npmrc has 1 MB.
const maxSize = 4 << 20

func open(f Format, data []byte) (syntax, []node, error) {
	sx, err := syntaxOf(f)
	if err != nil {
		return sx, nil, err
	}
	if len(data) > maxSize {
		return sx, nil, syntaxErrorf(1, "%d bytes; no configuration is larger than %d", len(data), maxSize)
	}
	if err := checkEncoding(data); err != nil {
		return sx, nil, err
	}
	nodes, err := sx.scan(data)
	return sx, nodes, err
}

// Parse reads a file into its entries, in the order they stand. The error is a
// *SyntaxError for what the client itself could not read, or what this package
// refuses to touch; it names the line.
func Parse(f Format, data []byte) ([]Entry, error) {
	_, nodes, err := open(f, data)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(nodes))
	for i := range nodes {
		entries[i] = nodes[i].Entry
	}
	return entries, nil
}

// find returns the position of e. Its value has to be the one that was read:
// with it a list that has moved up is not mistaken for what it was.
func find(nodes []node, e Entry) (int, error) {
	at := -1
	for i, n := range nodes {
		if n.Line != e.Line || n.Value != e.Value || !slices.Equal(n.Path, e.Path) {
			continue
		}
		if at >= 0 {
			return 0, unprovenf("%s stands twice on line %d", strings.Join(e.Path, "."), e.Line)
		}
		at = i
	}
	if at < 0 {
		return 0, unprovenf("no %s with this value on line %d", strings.Join(e.Path, "."), e.Line)
	}
	return at, nil
}

func locate(f Format, data []byte, e Entry) (syntax, []node, int, error) {
	sx, nodes, err := open(f, data)
	if err != nil {
		return sx, nil, 0, err
	}
	i, err := find(nodes, e)
	if err == nil && nodes[i].fixed != "" {
		err = unprovenf("line %d: %s", e.Line, nodes[i].fixed)
	}
	return sx, nodes, i, err
}

// Delete removes exactly this entry, found by its Path and Line.
func Delete(f Format, data []byte, e Entry) ([]byte, error) {
	sx, nodes, i, err := locate(f, data, e)
	if err != nil {
		return nil, err
	}
	p := proof{sx: sx, data: data, nodes: nodes, target: i, gone: true}
	after, _, err := p.try(nodes[i].cut())
	return after, err
}

// Set replaces the value of an entry in place. Comment, indentation, line
// ending and, where the new value allows it, the quotes stay.
func Set(f Format, data []byte, e Entry, value string) ([]byte, error) {
	sx, nodes, i, err := locate(f, data, e)
	if err != nil {
		return nil, err
	}
	n := nodes[i]
	if n.Parent {
		return nil, unprovenf("line %d: %s holds other keys", n.Line, strings.Join(n.Path, "."))
	}
	old := n.val.of(data)
	text, err := sx.encode(old, value)
	if strings.TrimLeft(old, "\r\n") != old || old == "" {
		text = gap(data[:n.val.lo]) + text
	}
	if err != nil {
		return nil, unprovenf("line %d: %w", n.Line, err)
	}
	p := proof{sx: sx, data: data, nodes: nodes, target: i}
	after, set, err := p.try(splice{n.val, text})
	if err == nil && set.Value != value {
		err = unprovenf("line %d: the value would read %q", n.Line, set.Value)
	}
	if err != nil {
		return nil, err
	}
	return after, nil
}

// gap is the blank between a sign that stands bare at the end of its line and
// the value that will follow it.
func gap(before []byte) string {
	if bytes.HasSuffix(before, []byte(":")) || bytes.HasSuffix(before, []byte(" =")) {
		return " "
	}
	return ""
}

// Add adds a key at its natural place, with the section it belongs to if that
// is missing. A key that is there already is an error: use Set.
func Add(f Format, data []byte, path []string, value string) ([]byte, error) {
	sx, nodes, err := open(f, data)
	if err != nil {
		return nil, err
	}
	places, err := sx.place(data, nodes, path, value)
	if err != nil {
		return nil, unprovenf("add %s: %w", strings.Join(path, "."), err)
	}
	var failed []error
	for _, s := range places {
		p := proof{sx: sx, data: data, nodes: nodes, target: -1}
		after, added, err := p.try(s)
		if err == nil && (!slices.Equal(added.Path, path) || added.Value != value) {
			err = unprovenf("it would read %s = %q", strings.Join(added.Path, "."), added.Value)
		}
		if err == nil {
			return after, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

// RemoveItem removes one element of an entry with several: a list, or a value
// of words separated by blanks or line ends. The key goes with its last one.
func RemoveItem(f Format, data []byte, e Entry, item string) ([]byte, error) {
	_, nodes, i, err := locate(f, data, e)
	if err != nil {
		return nil, err
	}
	if n := nodes[i]; n.Parent {
		return removeElement(f, data, nodes, i, item)
	}
	words := strings.Fields(nodes[i].Value)
	if !slices.Contains(words, item) {
		return nil, unprovenf("line %d: no %s in %s", e.Line, item, strings.Join(e.Path, "."))
	}
	if !slices.ContainsFunc(words, func(w string) bool { return w != item }) {
		return Delete(f, data, e)
	}
	return removeWord(f, data, nodes[i].Entry, item)
}

// removeElement deletes the elements of a list that equal item.
func removeElement(f Format, data []byte, nodes []node, i int, item string) ([]byte, error) {
	list := nodes[i]
	var total int
	var hits []Entry
	for _, n := range nodes[i+1:] {
		if n.start >= list.end {
			break
		}
		if !n.item || len(n.Path) != len(list.Path)+1 {
			continue
		}
		total++
		if n.Value == item && !n.Parent {
			hits = append(hits, n.Entry)
		}
	}
	switch len(hits) {
	case 0:
		return nil, unprovenf("line %d: no %s in %s", list.Line, item, strings.Join(list.Path, "."))
	case total:
		return Delete(f, data, list.Entry)
	}
	var err error
	for _, hit := range slices.Backward(hits) { // the last first: the others keep path and line
		if data, err = Delete(f, data, hit); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// removeWord cuts the words equal to item out of the value as it stands, and
// the line of a word that has one for itself.
func removeWord(f Format, data []byte, e Entry, item string) ([]byte, error) {
	for {
		sx, nodes, i, err := locate(f, data, e)
		if err != nil {
			return nil, err
		}
		words := strings.Fields(nodes[i].Value)
		want := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == item })
		if len(want) == len(words) {
			return data, nil
		}
		s, ok := wordSplice(data, nodes[i].val, item)
		if !ok {
			return nil, unprovenf("line %d: %s is not a word of its own", e.Line, item)
		}
		p := proof{sx: sx, data: data, nodes: nodes, target: i}
		after, left, err := p.try(s)
		if err != nil {
			return nil, err
		}
		if got := strings.Fields(left.Value); len(got) != len(words)-1 ||
			!slices.Equal(slices.DeleteFunc(got, func(w string) bool { return w == item }), want) {
			return nil, unprovenf("line %d: the value would read %q", e.Line, left.Value)
		}
		data, e = after, left
	}
}

// wordSplice finds item between blanks or the value's quotes.
func wordSplice(data []byte, val span, item string) (splice, bool) {
	const space = " \t\r\n"
	for at := val.lo; ; {
		k := strings.Index(val.of(data)[at-val.lo:], item)
		if k < 0 {
			return splice{}, false
		}
		lo, hi := at+k, at+k+len(item)
		at = hi
		first := lo == val.lo || lo == val.lo+1 && strings.ContainsRune(`"'`, rune(data[val.lo]))
		last := hi == val.hi || hi == val.hi-1 && strings.ContainsRune(`"'`, rune(data[hi]))
		if !first && !strings.ContainsRune(space, rune(data[lo-1])) || !last && !strings.ContainsRune(space, rune(data[hi])) {
			continue
		}
		if !first && lo > 1 && data[lo-2] == '\\' {
			return splice{}, false // the blank is escaped
		}
		if s, whole := wholeLines(data, span{lo, hi}, func([]byte) bool { return false }); whole && s.lo >= val.lo {
			if s.hi > val.hi { // the last line of the value: its ending stays in front
				s = span{lineEndBefore(data, s.lo), hi}
				if s.lo > val.lo && data[s.lo-1] == '\\' { // that line no longer goes on
					s.lo = val.lo + len(strings.TrimRight(string(data[val.lo:s.lo-1]), " \t"))
				}
			}
			return splice{span: s}, true
		}
		if !last && data[hi] != '\r' && data[hi] != '\n' {
			hi = skipSpace(data, hi)
		} else {
			for lo > val.lo && (data[lo-1] == ' ' || data[lo-1] == '\t') {
				lo--
			}
		}
		return splice{span: span{lo, hi}}, true
	}
}

// lineEndBefore is the offset of the line ending before a line start.
func lineEndBefore(data []byte, start int) int {
	if start > 1 && data[start-2] == '\r' {
		return start - 2
	}
	return start - 1
}
