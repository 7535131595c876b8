package edit

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
)

// scanNpmrc reads npm's ini: ; and # open a comment anywhere outside quotes
// unless a backslash stands before them, a key alone means true, and keys below
// a [section] are no settings of npm. ${NAME} stays as it is written.
func scanNpmrc(data []byte) ([]node, error) {
	nodes := someNodes(data)
	var section []string
	for i, l := range splitLines(data, true) {
		raw := string(data[l.lo:l.hi])
		text := jsTrim(raw)
		if text == "" || text[0] == ';' || text[0] == '#' {
			continue
		}
		if end := strings.IndexByte(raw, ']'); raw[0] == '[' && end > 0 && jsTrim(raw[end+1:]) == "" {
			name, _, _ := npmValue(raw[1:end])
			section = []string{name}
			continue
		}
		key, rest, sign := strings.Cut(raw, "=")
		if key == "" {
			continue
		}
		name, _, _ := npmValue(key)
		at := l.lo + strings.Index(raw, text)
		n := node{start: at, cut: cutLines(data, at, l.hi)}
		n.Path = append(append(n.Path, section...), name)
		n.Line, n.EndLine = i+1, i+1
		n.val = span{l.hi, l.hi}
		if sign {
			value, written, quoted := npmValue(rest)
			lo := l.lo + len(key) + 1
			if written != "" {
				lo += strings.Index(rest, written)
			}
			n.val = span{lo, lo + len(written)}
			n.Value, n.Quoted = value, quoted
			n.Comment = jsTrim(string(data[n.val.hi:l.hi]))
		} else {
			n.Empty = true
		}
		n.end = n.val.hi
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// jsTrim strips what JavaScript's trim does.
func jsTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) && r != 0x85 || r == 0xfeff })
}

// npmValue takes quotes, escapes and comment off. written is the part of raw
// that is the value.
func npmValue(raw string) (value, written string, quoted bool) {
	raw = jsTrim(raw)
	if len(raw) > 0 && (raw[0] == '"' || raw[0] == '\'') && raw[len(raw)-1] == raw[0] {
		inner := raw
		if raw[0] == '\'' {
			inner = raw[min(1, len(raw)-1):max(len(raw)-1, 1)]
			if len(raw) == 1 {
				inner = ""
			}
		}
		var decoded string
		if json.Unmarshal([]byte(inner), &decoded) == nil {
			return decoded, raw, true
		}
		return inner, raw, true
	}
	if !strings.ContainsAny(raw, `\;#`) {
		return raw, raw, false
	}
	var out strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\' && i+1 < len(raw) && strings.IndexByte(`\;#`, raw[i+1]) >= 0:
			i++
			out.WriteByte(raw[i])
		case c == ';' || c == '#':
			return jsTrim(out.String()), jsTrim(raw[:i]), false
		default:
			out.WriteByte(c)
		}
	}
	return jsTrim(out.String()), raw, false
}

func encodeNpmrc(old, value string) (string, error) {
	if strings.ContainsAny(value, "\r\n") {
		return "", errors.New("the value has a line end")
	}
	if value == "" || value != jsTrim(value) || strings.HasPrefix(old, `"`) || strings.ContainsAny(value[:1], `"'[`) {
		quoted, err := json.Marshal(value)
		return string(quoted), err
	}
	return strings.NewReplacer(";", `\;`, "#", `\#`).Replace(value), nil
}

// placeNpmrc adds behind the last key that stands in no section, or in front of
// everything where a section comes first.
func placeNpmrc(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) != 1 || strings.ContainsAny(path[0], "=;#[\r\n") || path[0] != jsTrim(path[0]) || path[0] == "" {
		return nil, errors.New("not the name of a setting of npm")
	}
	text, err := encodeNpmrc("", value)
	if err != nil {
		return nil, err
	}
	text = path[0] + "=" + text
	at := -1
	for _, n := range nodes {
		if len(n.Path) == 1 {
			at = nextLine(data, n.end)
			if n.Path[0] == path[0] {
				return nil, errors.New("it is there already")
			}
		}
	}
	if at >= 0 {
		return []splice{insertLines(data, at, text)}, nil
	}
	return []splice{insertLines(data, len(data), text), insertLines(data, 0, text)}, nil
}
