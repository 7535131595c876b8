package edit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanINI reads what Python's configparser reads with its defaults, as pip,
// botocore and gcloud use it: # and ; open a comment only at the start of a
// line, = and : both delimit, a deeper indented line continues the value, and
// the same section or key twice is an error. % is an ordinary character.
func scanINI(data []byte) ([]node, error) {
	if bytes.HasPrefix(data, bom) {
		return nil, syntaxErrorf(1, "a byte order mark before the first section; configparser refuses it")
	}
	if i := invalidUTF8(data); i >= 0 {
		return nil, syntaxErrorf(newIndex(data[:i]).line(i), "not UTF-8")
	}
	var (
		nodes   []node
		broken  *SyntaxError
		section string
		value   strings.Builder // of the key that a deeper line would continue
		open    bool
		indent  int // of that key
		blanks  int // empty lines since its last one
	)
	sections, keys := map[string]int{}, map[string]int{}
	for i, l := range splitLines(data, true) {
		text := iniTrim(data[l.lo:l.hi])
		if len(text) == 0 {
			blanks++
			continue
		}
		if text[0] == '#' || text[0] == ';' {
			continue
		}
		at := l.lo + bytes.Index(data[l.lo:l.hi], text)
		depth := utf8.RuneCount(data[l.lo:at])
		if open && depth > indent {
			n := &nodes[len(nodes)-1]
			value.WriteString(strings.Repeat("\n", blanks+1))
			value.Write(text)
			n.Value, n.Empty, n.EndLine = value.String(), false, i+1
			n.end, n.val.hi, blanks = at+len(text), at+len(text), 0
			continue
		}
		indent, open = depth, false
		if closing := bytes.LastIndexByte(text, ']'); text[0] == '[' && closing > 1 {
			section = string(text[1:closing])
			if first := sections[section]; first != 0 && section != "DEFAULT" {
				return nil, syntaxErrorf(i+1, "section [%s] is already there on line %d", section, first)
			}
			sections[section] = i + 1
			continue
		}
		if len(sections) == 0 {
			return nil, syntaxErrorf(i+1, "no [section] above the first key")
		}
		sep := bytes.IndexAny(text, "=:")
		key := string(iniTrim(text[:max(sep, 0)]))
		if key == "" {
			if broken == nil {
				broken = syntaxErrorf(i+1, "neither a [section] nor key = value")
			}
			continue
		}
		id := section + "\x00" + strings.ToLower(key)
		if first := keys[id]; first != 0 {
			return nil, syntaxErrorf(i+1, "%s is already set in [%s] on line %d", key, section, first)
		}
		keys[id] = i + 1
		v := iniTrim(text[sep+1:])
		lo, hi := at+len(text)-len(v), at+len(text)
		nodes = append(nodes, node{
			Entry: Entry{Path: []string{section, key}, Value: string(v), Empty: len(v) == 0, Line: i + 1, EndLine: i + 1},
			start: at, end: hi, val: span{lo, hi},
		})
		value.Reset()
		value.Write(v)
		open, blanks = true, 0
	}
	if broken != nil {
		return nil, broken
	}
	for i := range nodes {
		n := &nodes[i]
		n.cut = cutLines(data, n.start, n.end)
	}
	return nodes, nil
}

// iniTrim strips what Python's str.strip does.
func iniTrim(b []byte) []byte {
	return bytes.TrimFunc(b, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// encodeINI indents the further lines of a value as the first one that is
// there, or by four.
func encodeINI(old, value string) (string, error) {
	if value != strings.TrimSpace(value) {
		return "", errors.New("configparser would strip the blanks around the value")
	}
	lines := strings.Split(value, "\n")
	for _, l := range lines[1:] {
		if strings.ContainsAny(l, "\r") || strings.TrimLeft(l, "#;") != l || l == "" {
			return "", errors.New("a further line of the value would be read as a comment or lost")
		}
	}
	indent, eol := "    ", "\n"
	if i := strings.IndexByte(old, '\n'); i >= 0 {
		if i > 0 && old[i-1] == '\r' {
			eol = "\r\n"
		}
		if t := strings.TrimLeft(old[i+1:], " \t"); len(t) < len(old[i+1:]) {
			indent = old[i+1 : len(old)-len(t)]
		}
	}
	text := strings.Join(lines, eol+indent)
	return text, nil
}

// placeINI adds after the last key of the section, else after its header, else
// with a section of its own at the end.
func placeINI(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) != 2 {
		return nil, errors.New("an ini key has a section and a name")
	}
	for _, n := range nodes {
		if n.Path[0] == path[0] && strings.EqualFold(n.Path[1], path[1]) {
			return nil, errors.New("it is there already")
		}
	}
	text, err := encodeINI("", value)
	if err != nil {
		return nil, err
	}
	text = strings.ReplaceAll(text, "\n", newline(data))
	for _, n := range slices.Backward(nodes) {
		if n.Path[0] == path[0] {
			indent := data[lineStart(data, n.start):n.start]
			between := data[n.start+len(n.Path[1]) : n.val.lo]
			if n.Empty || bytes.ContainsAny(between, "\r\n") {
				between = []byte(" = ")
			}
			return []splice{insertLines(data, nextLine(data, n.end), string(indent)+path[1]+string(between)+text)}, nil
		}
	}
	for _, l := range splitLines(data, true) {
		if string(iniTrim(data[l.lo:l.hi])) == "["+path[0]+"]" {
			return []splice{insertLines(data, l.next, path[1]+" = "+text)}, nil
		}
	}
	lines := []string{"[" + path[0] + "]", path[1] + " = " + text}
	if len(bytes.TrimSpace(data)) > 0 {
		lines = slices.Insert(lines, 0, "")
	}
	return []splice{insertLines(data, len(data), lines...)}, nil
}
