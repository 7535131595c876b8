package edit

import (
	"errors"
	"strings"
)

// optionsPath is the path of every entry of [Options]: the lines have no names.
const optionsPath = "options"

// scanOptions reads lines of options that a program is started with, parted by
// blanks. Each line is an entry. A line that begins with # is a comment to
// Maven 3.9; Java takes it for options too, and gives up.
func scanOptions(data []byte) ([]node, error) {
	var nodes []node
	for i, l := range splitLines(data, false) {
		text := strings.TrimSpace(string(data[l.lo:l.hi]))
		if text == "" || text[0] == '#' {
			continue
		}
		lo := l.lo + strings.Index(string(data[l.lo:l.hi]), text)
		n := node{start: lo, end: lo + len(text), val: span{lo, lo + len(text)}, cut: cutLines(data, l.lo, l.hi)}
		n.Entry = Entry{Path: []string{optionsPath}, Value: text, Line: i + 1, EndLine: i + 1}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func encodeOptions(_, value string) (string, error) {
	if value == "" || value[0] == '#' || strings.ContainsAny(value, "\r\n") || value != strings.TrimSpace(value) {
		return "", errors.New("not options on one line")
	}
	return value, nil
}

func placeOptions(data []byte, _ []node, path []string, value string) ([]splice, error) {
	if len(path) != 1 || path[0] != optionsPath {
		return nil, errors.New("options have no names")
	}
	text, err := encodeOptions("", value)
	return []splice{insertLines(data, len(data), text)}, err
}
