package edit

import (
	"bytes"
	"errors"
	"strings"
)

// scanEnvFile reads NAME=value lines without a shell: /etc/environment
// (pam_env, which also takes "export NAME=value"), environment.d, Docker's
// env files. A line that is none is skipped, as those programs do.
func scanEnvFile(data []byte) ([]node, error) {
	var nodes []node
	for i, l := range splitLines(data, false) {
		at := skipSpace(data[:l.hi], l.lo)
		if at == 0 && bytes.HasPrefix(data, bom) {
			at = len(bom)
		}
		if rest, ok := bytes.CutPrefix(data[at:l.hi], []byte("export ")); ok {
			at = l.hi - len(bytes.TrimLeft(rest, " \t"))
		}
		name := nameEnd(data[:l.hi], at)
		if name == at || name == l.hi || data[name] != '=' {
			continue
		}
		n := node{start: at, Entry: Entry{Path: []string{string(data[at:name])}, Line: i + 1, EndLine: i + 1}}
		n.val, n.Value, n.Quoted = envValue(data[:l.hi], name+1)
		n.Empty, n.end = n.val.lo == n.val.hi, n.val.hi
		if c := bytes.TrimLeft(data[n.end:l.hi], " \t"); hashComment(c) {
			n.Comment = string(bytes.TrimRight(c, " \t"))
		}
		n.cut = cutLines(data, n.start, n.end)
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// nameEnd is the offset behind a variable's name that begins at i.
func nameEnd(data []byte, i int) int {
	lo := i
	for i < len(data) && (data[i] == '_' || data[i]|0x20 >= 'a' && data[i]|0x20 <= 'z' || i > lo && data[i] >= '0' && data[i] <= '9') {
		i++
	}
	return i
}

// envValue reads to the end of the line or to a comment behind a blank, and
// takes one pair of quotes off.
func envValue(line []byte, at int) (span, string, bool) {
	sign := at
	at = skipSpace(line, at)
	if at < len(line) && (line[at] == '"' || line[at] == '\'') {
		if q := bytes.IndexByte(line[at+1:], line[at]); q >= 0 {
			hi := at + q + 2
			if rest := bytes.TrimLeft(line[hi:], " \t"); len(rest) == 0 || rest[0] == '#' && len(rest) < len(line)-hi {
				return span{at, hi}, string(line[at+1 : hi-1]), true
			}
		}
	}
	hi := len(line)
	for i := at; i < len(line); i++ {
		if line[i] == '#' && (line[i-1] == ' ' || line[i-1] == '\t') {
			hi = i
			break
		}
	}
	v := bytes.TrimRight(line[at:hi], " \t")
	if len(v) == 0 {
		return span{sign, sign}, "", false
	}
	return span{at, at + len(v)}, string(v), false
}

func encodeEnvFile(old, value string) (string, error) {
	if strings.ContainsAny(value, "\r\n\"'") {
		return "", errors.New("the value has a line end or quotes, which these files cannot hold")
	}
	if len(old) > 1 && (old[0] == '"' || old[0] == '\'') && old[len(old)-1] == old[0] {
		return old[:1] + value + old[:1], nil
	}
	if strings.TrimSpace(value) != value || strings.Contains(value, " #") {
		return `"` + value + `"`, nil
	}
	return value, nil
}

func placeEnvFile(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if err := freeName(nodes, path); err != nil {
		return nil, err
	}
	text, err := encodeEnvFile("", value)
	return []splice{insertLines(data, len(data), path[0]+"="+text)}, err
}

// freeName requires a variable name that no entry has yet.
func freeName(nodes []node, path []string) error {
	if len(path) != 1 || path[0] == "" || nameEnd([]byte(path[0]), 0) != len(path[0]) {
		return errors.New("not the name of a variable")
	}
	for _, n := range nodes {
		if len(n.Path) == 1 && n.Path[0] == path[0] {
			return errors.New("it is there already")
		}
	}
	return nil
}
