package edit

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// plainYAML is a value that reads the same without quotes in every context.
var plainYAML = regexp.MustCompile(`^[A-Za-z0-9/._$~<][A-Za-z0-9/._$~@%+=<>:\\ -]*$`)

// symbolYAML is a key that is a symbol to Ruby, and with quotes a string.
var symbolYAML = regexp.MustCompile(`^:[A-Za-z_]+$`)

func encodeYAML(old, value string) (string, error) {
	for strings.HasPrefix(old, "!") { // an explicit tag goes with the value it was for
		_, old, _ = strings.Cut(old, " ")
		old = strings.TrimLeft(old, " ")
	}
	control := strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 })
	switch {
	case strings.HasPrefix(old, "'") && !control:
		return "'" + strings.ReplaceAll(value, "'", "''") + "'", nil
	case !strings.HasPrefix(old, `"`) && plainYAML.MatchString(value) && strings.TrimSpace(value) == value &&
		!strings.Contains(value, ": ") && !strings.HasSuffix(value, ":") && value != "...":
		return value, nil
	case !control && strings.ContainsAny(value, `\`) && !strings.HasPrefix(old, `"`):
		return "'" + strings.ReplaceAll(value, "'", "''") + "'", nil
	case control:
		return strconv.QuoteToASCII(value), nil
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`, nil
}

// placeYAML adds behind the last member of the map the key belongs to. A new
// top-level key goes to the end of the file, or behind the last key where
// something else ends the file.
func placeYAML(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) == 0 || len(path) > 2 {
		return nil, errors.New("only keys of the top level and of its maps can be added")
	}
	var pair []string
	for i, p := range append(slices.Clone(path), value) {
		text, err := encodeYAML("", p)
		if err != nil {
			return nil, err
		}
		if i < len(path) && symbolYAML.MatchString(p) {
			text = p
		}
		pair = append(pair, text)
	}
	var members []node
	parent := -1
	for i, n := range nodes {
		if slices.Equal(n.Path, path) {
			return nil, errors.New("it is there already")
		}
		if len(path) == 2 && slices.Equal(n.Path, path[:1]) {
			parent = i
		}
		if len(n.Path) == len(path) && slices.Equal(n.Path[:len(path)-1], path[:len(path)-1]) && n.fixed == "" {
			members = append(members, n)
		}
	}
	last := pair[len(pair)-2] + ": " + pair[len(pair)-1]
	if len(members) == 0 && parent >= 0 {
		n := nodes[parent]
		if n.Parent && n.val.of(data) == "{}" {
			return []splice{{n.val, "{" + last + "}"}}, nil
		}
		return nil, errors.New("it would go into something that is no map")
	}
	if len(members) > 0 {
		end := members[len(members)-1]
		if len(path) == 2 && end.item {
			return nil, errors.New("it would go into a list")
		}
		if i := skipSpace(data, end.end); i < len(data) && (data[i] == ',' || data[i] == '}') {
			return []splice{{span{end.end, end.end}, ", " + last}}, nil
		}
		own := insertLines(data, nextLine(data, end.end), indentOf(data, members[0].start)+last)
		if len(path) == 2 {
			return []splice{own}, nil
		}
		return []splice{insertLines(data, len(data), last), own, {span{end.end, end.end}, ", " + last}}, nil
	}
	lines := []string{last}
	if len(path) == 2 {
		lines = []string{pair[0] + ":", "  " + last}
	}
	places := []splice{insertLines(data, len(data), lines...)}
	if i := bytes.Index(data, []byte("{}")); i >= 0 && len(path) == 1 {
		places = append(places, splice{span{i, i + 2}, "{" + last + "}"})
	}
	return places, nil
}

// indentOf is the blanks in front of the key at i; a dash counts as one.
func indentOf(data []byte, i int) string {
	return strings.Repeat(" ", i-lineStart(data, i))
}
