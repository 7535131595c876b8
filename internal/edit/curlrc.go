package edit

import (
	"errors"
	"regexp"
	"strings"
)

// curlArguments are the short options of curl that take an argument: the rest
// of their word, or the next one.
const curlArguments = "AbcCdDeEFHhKmoPQrtTuUwxXyYz"

// curlLine is an option, with a dash (then only blanks separate) or without.
var curlLine = regexp.MustCompile(`^[ \t]*(-[^ \t]*|[^-#=: \t][^=: \t]*)([ \t]*(?:[=:][=: \t]*)?)("(?:[^"\\]|\\.)*"?|[^ \t#][^ \t]*)?(.*)$`)

// scanCurlrc reads curl's configuration. Options stand as they are spelled:
// "insecure", "--insecure"; a cluster like -kL is one entry for each letter,
// {"-k"} and {"-L"}.
func scanCurlrc(data []byte) ([]node, error) {
	var nodes []node
	for i, l := range splitLines(data, false) {
		text := string(data[l.lo:l.hi])
		m := curlLine.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		option := text[m[2]:m[3]]
		n := node{start: l.lo + m[2], cut: cutLines(data, l.lo, l.hi)}
		n.Path, n.Line, n.EndLine = []string{option}, i+1, i+1
		n.val = span{l.lo + m[3], l.lo + m[3]}
		n.Empty = m[6] < 0
		if !n.Empty {
			n.val = span{l.lo + m[6], l.lo + m[7]}
			n.Value, n.Quoted = curlValue(text[m[6]:m[7]])
		}
		n.end = n.val.hi
		if rest := strings.TrimSpace(text[m[8]:m[9]]); strings.HasPrefix(rest, "#") {
			n.Comment = rest
		}
		if option[0] != '-' || strings.HasPrefix(option, "--") || len(option) < 2 {
			nodes = append(nodes, n)
			continue
		}
		nodes = append(nodes, curlCluster(n, option)...)
	}
	return nodes, nil
}

// curlCluster splits -kL: each letter can go alone.
func curlCluster(n node, option string) []node {
	var nodes []node
	for k := 1; k < len(option); k++ {
		o, at := n, n.start+k
		o.Path, o.start, o.end = []string{"-" + option[k:k+1]}, at, at+1
		if len(option) > 2 {
			o.cut = func() splice { return splice{span: span{at, at + 1}} }
		}
		if strings.IndexByte(curlArguments, option[k]) >= 0 {
			if len(option) > 2 {
				o.fixed = "an option with an argument in a cluster"
			}
			if k+1 < len(option) {
				o.Value, o.Quoted, o.Empty = option[k+1:], false, false
				o.val = span{at + 1, n.start + len(option)}
			}
			o.end = max(o.end, o.val.hi)
			return append(nodes, o)
		}
		o.Value, o.Quoted, o.Empty, o.val = "", false, true, span{at + 1, at + 1}
		nodes = append(nodes, o)
	}
	return nodes
}

// curlValue takes quotes and the escapes in them off.
func curlValue(raw string) (string, bool) {
	if raw[0] != '"' {
		return raw, false
	}
	raw = strings.TrimPrefix(raw, `"`)
	var out strings.Builder
	for i := 0; i < len(raw) && raw[i] != '"'; i++ {
		c := raw[i]
		if c == '\\' && i+1 < len(raw) {
			i++
			c = raw[i]
			if k := strings.IndexByte("tnrv", c); k >= 0 {
				c = "\t\n\r\v"[k]
			}
		}
		out.WriteByte(c)
	}
	return out.String(), true
}

func encodeCurlrc(old, value string) (string, error) {
	if value != "" && !strings.ContainsAny(value, " \t\r\n\v\"\\#") && !strings.HasPrefix(old, `"`) {
		return value, nil
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\v", `\v`).Replace(value) + `"`, nil
}

func placeCurlrc(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) != 1 || path[0] == "" || strings.ContainsAny(path[0], " \t\r\n=:#\"") {
		return nil, errors.New("not the name of an option")
	}
	for _, n := range nodes {
		if strings.TrimLeft(n.Path[0], "-") == strings.TrimLeft(path[0], "-") {
			return nil, errors.New("it is there already")
		}
	}
	line := path[0]
	if value != "" {
		text, err := encodeCurlrc("", value)
		if err != nil {
			return nil, err
		}
		sign := " = "
		if line[0] == '-' {
			sign = " "
		}
		line += sign + text
	}
	return []splice{insertLines(data, len(data), line)}, nil
}
