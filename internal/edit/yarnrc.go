package edit

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// yarnLine is what yarn 1 understands of a line: a key, quoted or not, and a
// value behind a blank or a colon.
var yarnLine = regexp.MustCompile(`^( *)("(?:[^"\\]|\\.)*"|[A-Za-z0-9/.@_-][^:\s,]*)(:|[ \t]+|$)[ \t]*("(?:[^"\\]|\\.)*"|[^\s#]\S*)?[ \t]*(#.*)?$`)

// scanYarnrc reads .yarnrc of yarn 1: "key value" lines in the syntax of its
// lock file, where a key with a colon holds the deeper lines.
func scanYarnrc(data []byte) ([]node, error) {
	var nodes []node
	var parents []int // of the lines above that hold this one
	base := 0
	if strings.HasPrefix(string(data[:min(len(data), 3)]), string(bom)) {
		base = len(bom)
	}
	for i, l := range splitLines(data, true) {
		lo := max(l.lo, base)
		text := strings.TrimRight(string(data[lo:l.hi]), " \t")
		if t := strings.TrimSpace(text); t == "" || t[0] == '#' {
			continue
		}
		m := yarnLine.FindStringSubmatchIndex(text)
		if m == nil {
			return nil, syntaxErrorf(i+1, "neither key value nor a comment")
		}
		part := func(k int) string {
			if m[2*k] < 0 {
				return ""
			}
			return text[m[2*k]:m[2*k+1]]
		}
		depth := len(part(1)) / 2
		if len(part(1))%2 != 0 || depth > len(parents) {
			return nil, syntaxErrorf(i+1, "wrong indentation")
		}
		parents = parents[:depth]
		n := node{start: lo + m[4], end: lo + m[5], cut: cutLines(data, lo, l.hi)}
		n.Line, n.EndLine, n.Comment = i+1, i+1, part(5)
		for _, p := range parents {
			n.Path = append(n.Path, nodes[p].Path[len(nodes[p].Path)-1])
		}
		key, _ := yarnString(part(2))
		n.Path = append(n.Path, key)
		n.Value, n.Quoted = yarnString(part(4))
		if m[8] >= 0 {
			n.val, n.end = span{lo + m[8], lo + m[9]}, lo+m[9]
		} else {
			n.val, n.Empty = span{n.end, n.end}, true
		}
		if part(3) == ":" && m[8] < 0 {
			parents = append(parents, len(nodes))
		}
		nodes = append(nodes, n)
	}
	for k := range nodes { // a line with deeper ones below it is their parent
		if k+1 < len(nodes) && len(nodes[k+1].Path) > len(nodes[k].Path) {
			nodes[k].Parent, nodes[k].Empty = true, false
		}
	}
	return nodes, nil
}

func yarnString(s string) (string, bool) {
	var out string
	if strings.HasPrefix(s, `"`) && json.Unmarshal([]byte(s), &out) == nil {
		return out, true
	}
	return s, false
}

var yarnPlain = regexp.MustCompile(`^(?:true|false|[0-9]+|[A-Za-z/.-][^:\s,"]*)$`)

func encodeYarnrc(old, value string) (string, error) {
	if yarnPlain.MatchString(value) && !strings.HasPrefix(old, `"`) {
		return value, nil
	}
	quoted, err := json.Marshal(value)
	return string(quoted), err
}

func placeYarnrc(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if len(path) != 1 {
		return nil, errors.New("only keys of the top level can be added")
	}
	for _, n := range nodes {
		if len(n.Path) == 1 && n.Path[0] == path[0] {
			return nil, errors.New("it is there already")
		}
	}
	key, err := encodeYarnrc("", path[0])
	if err != nil {
		return nil, err
	}
	text, err := encodeYarnrc("", value)
	return []splice{insertLines(data, len(data), key+" "+text)}, err
}
