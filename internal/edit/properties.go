package edit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// scanProperties reads Java's properties: key and value parted by =, : or a
// blank, # and ! in front of a comment line, a backslash at the end joins the
// next line without its indentation.
func scanProperties(data []byte) ([]node, error) {
	nodes := someNodes(data)
	lines := splitLines(data, true)
	for i := 0; i < len(lines); i++ {
		first, at := i, skipBlank(data, lines[i].lo, lines[i].hi)
		if at == lines[i].hi || data[at] == '#' || data[at] == '!' {
			continue
		}
		for i+1 < len(lines) && continues(data[at:lines[i].hi]) {
			i++
		}
		end := lines[i].hi
		key := at
		for key < end && strings.IndexByte("=: \t\f\r\n", data[key]) < 0 {
			if data[key] == '\\' {
				key++
			}
			key++
		}
		key = min(key, end)
		val := skipBlank(data, key, end)
		if val < end && (data[val] == '=' || data[val] == ':') {
			val = skipBlank(data, val+1, end)
		}
		n := node{start: at, end: end, val: span{val, end}, cut: cutLines(data, at, end)}
		n.Path, n.Line, n.EndLine = []string{unescapeProperty(string(data[at:key]))}, first+1, i+1
		n.Value, n.Empty = unescapeProperty(string(data[val:end])), val == key
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// skipBlank moves over what Java takes for blanks in a line.
func skipBlank(data []byte, i, end int) int {
	for i < end && (data[i] == ' ' || data[i] == '\t' || data[i] == '\f') {
		i++
	}
	return i
}

// continues reports an odd number of backslashes at the end.
func continues(line []byte) bool {
	n := 0
	for n < len(line) && line[len(line)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

func unescapeProperty(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			if s[i] != '\\' {
				out.WriteByte(s[i])
			}
			continue
		}
		switch i++; s[i] {
		case 't':
			out.WriteByte('\t')
		case 'n':
			out.WriteByte('\n')
		case 'r':
			out.WriteByte('\r')
		case 'f':
			out.WriteByte('\f')
		case 'u':
			units, size := propertyUnits(s[i-1:])
			if size == 0 {
				out.WriteByte('u')
				continue
			}
			out.WriteString(string(utf16.Decode(units)))
			i += size - 2
		case '\r', '\n':
			for i+1 < len(s) && strings.IndexByte(" \t\f\r\n", s[i+1]) >= 0 && (s[i+1] != '\n' || s[i] == '\r') {
				i++
			}
		default:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}

// propertyUnits reads the run of \uXXXX at the head of s.
func propertyUnits(s string) (units []uint16, size int) {
	for len(s) >= size+6 && s[size] == '\\' && s[size+1] == 'u' {
		n, err := strconv.ParseUint(s[size+2:size+6], 16, 16)
		if err != nil {
			break
		}
		units = append(units, uint16(n))
		size += 6
	}
	return units, size
}

func encodeProperties(_, value string) (string, error) {
	if strings.ContainsAny(value, "\r\n\f") {
		return "", errors.New("the value has a line end")
	}
	var out strings.Builder
	for i, r := range value {
		switch {
		case r == '\\' || i == 0 && (r == ' ' || r == '\t' || r == '=' || r == ':'):
			out.WriteByte('\\')
			out.WriteRune(r)
		case r > 0x7e:
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, u)
			}
		default:
			out.WriteRune(r)
		}
	}
	return out.String(), nil
}

func placeProperties(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) != 1 || path[0] == "" || strings.ContainsAny(path[0], "=: \t\f\r\n\\#!") {
		return nil, errors.New("not the name of a property")
	}
	for _, n := range nodes {
		if n.Path[0] == path[0] {
			return nil, errors.New("it is there already")
		}
	}
	text, err := encodeProperties("", value)
	return []splice{insertLines(data, len(data), path[0]+"="+text)}, err
}
