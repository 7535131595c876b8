package edit

import (
	"errors"
	"regexp"
	"strings"
)

var wgetLine = regexp.MustCompile(`^[ \t]*([A-Za-z0-9_-]*)[ \t]*=[ \t]*(.*?)[ \t\r]*$`)

// scanWgetrc reads "command = value" lines. wget does not care for case, - and
// _ in a command; the path has it as it is spelled. A line without = makes wget
// give up.
func scanWgetrc(data []byte) ([]node, error) {
	var nodes []node
	for i, l := range splitLines(data, false) {
		text := string(data[l.lo:l.hi])
		if t := strings.TrimSpace(text); t == "" || t[0] == '#' {
			continue
		}
		m := wgetLine.FindStringSubmatchIndex(text)
		if m == nil || m[2] == m[3] {
			return nil, syntaxErrorf(i+1, "not command = value; wget refuses the file")
		}
		n := node{start: l.lo + m[2], end: l.lo + m[5], val: span{l.lo + m[4], l.lo + m[5]}, cut: cutLines(data, l.lo, l.hi)}
		n.Entry = Entry{Path: []string{text[m[2]:m[3]]}, Value: text[m[4]:m[5]], Empty: m[4] == m[5], Line: i + 1, EndLine: i + 1}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func encodeWgetrc(_, value string) (string, error) {
	if strings.ContainsAny(value, "\r\n") || value != strings.TrimSpace(value) {
		return "", errors.New("the value has a line end or blanks around it")
	}
	return value, nil
}

func placeWgetrc(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) != 1 || !wgetLine.MatchString(path[0]+" =") || path[0] == "" {
		return nil, errors.New("not the name of a command")
	}
	plain := strings.NewReplacer("-", "", "_", "")
	for _, n := range nodes {
		if strings.EqualFold(plain.Replace(n.Path[0]), plain.Replace(path[0])) {
			return nil, errors.New("it is there already")
		}
	}
	text, err := encodeWgetrc("", value)
	return []splice{insertLines(data, len(data), path[0]+" = "+text)}, err
}
