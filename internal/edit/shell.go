package edit

import (
	"bytes"
	"errors"
	"slices"
	"strings"
)

// scanShell finds what a script sets in its environment: NAME=value commands,
// export, declare, typeset and readonly, and "unset NAME" as the path {"unset",
// NAME}. An assignment in front of a command (NAME=x cmd) sets nothing. Values
// keep $HOME and ~ as they are written.
func scanShell(data []byte) ([]node, error) {
	x := lexShell(data)
	if x.err != nil {
		return nil, x.err
	}
	lines := newIndex(data)
	comments := make(map[int]string, len(x.comments))
	for _, c := range x.comments {
		comments[lines.line(c.lo)] = strings.TrimRight(c.of(data), " \t\r")
	}
	nodes := someNodes(data)
	for k, c := range x.commands {
		words, keyword := shellSettings(data, c.words)
		for _, w := range words {
			name := span{w.lo, nameEnd(data[:w.hi], w.lo)}
			n := node{start: w.lo, end: w.hi, Entry: Entry{Path: []string{name.of(data)}, Line: lines.line(w.lo), EndLine: lines.line(w.hi)}}
			if keyword == "unset" {
				n.Path, n.Empty = []string{"unset", n.Path[0]}, true
				n.val = span{w.hi, w.hi}
			} else {
				n.val = span{name.hi + 1, w.hi}
				raw := n.val.of(data)
				n.Value, n.Empty, n.Quoted = unquoteShell(raw), raw == "", wholeQuoted(raw)
			}
			n.Comment = comments[n.Line]
			switch {
			case x.doubt:
				n.fixed = "the script has syntax that is not understood here"
			case c.redirected:
				n.fixed = "the command is redirected"
			}
			n.cut = func() splice { return cutShell(data, x.commands, k, w) }
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// shellSettings returns the words of a command that set or unset a variable,
// and the command's name.
func shellSettings(data []byte, words []span) ([]span, string) {
	if assignment(data, words[0]) {
		for _, w := range words {
			if !assignment(data, w) {
				return nil, ""
			}
		}
		return settable(data, words), ""
	}
	keyword := words[0].of(data)
	switch keyword {
	case "export", "declare", "typeset", "readonly":
		return settable(data, slices.DeleteFunc(slices.Clone(words[1:]), func(w span) bool { return !assignment(data, w) })), keyword
	case "unset":
		var names []span
		for _, w := range words[1:] {
			switch {
			case nameEnd(data[:w.hi], w.lo) == w.hi:
				names = append(names, w)
			case w.of(data) != "-v":
				return nil, ""
			}
		}
		return names, keyword
	}
	return nil, ""
}

// assignment says that a word is NAME=…, NAME+=… or NAME[…]=….
func assignment(data []byte, w span) bool {
	end := nameEnd(data[:w.hi], w.lo)
	rest := data[end:w.hi]
	if end == w.lo || len(rest) == 0 {
		return false
	}
	return rest[0] == '=' || bytes.HasPrefix(rest, []byte("+=")) || rest[0] == '[' && bytes.Contains(rest, []byte("]="))
}

// settable leaves the plain NAME=value words: arrays are never exported, and
// += says nothing by itself.
func settable(data []byte, words []span) []span {
	return slices.DeleteFunc(slices.Clone(words), func(w span) bool {
		end := nameEnd(data[:w.hi], w.lo)
		return data[end] != '=' || end+1 < w.hi && data[end+1] == '('
	})
}

func wholeQuoted(raw string) bool {
	if len(raw) < 2 || raw[0] != '"' && raw[0] != '\'' {
		return false
	}
	x := &shellLexer{data: []byte(raw)}
	return x.piece(0) == len(raw)
}

// cutShell removes one word of command k, or the command when it says nothing
// else. Where the syntax wants a command, : stays in its place.
func cutShell(data []byte, commands []*shellCommand, k int, w span) splice {
	c := commands[k]
	arguments := slices.DeleteFunc(slices.Clone(c.words), func(o span) bool {
		return o == c.words[0] && !assignment(data, o) || data[o.lo] == '-' || data[o.lo] == '+'
	})
	if len(arguments) > 1 {
		if w == c.words[0] {
			return splice{span: span{w.lo, skipSpace(data, w.hi)}}
		}
		for w.lo > 0 && (data[w.lo-1] == ' ' || data[w.lo-1] == '\t') {
			w.lo--
		}
		return splice{span: w}
	}
	s, after, others := c.span(), c.after, c.list.n-1
	if k+1 < len(commands) && after == ";" { // NAME=value; export NAME
		name := string(data[w.lo:nameEnd(data[:w.hi], w.lo)])
		next := commands[k+1]
		if next.list == c.list && !next.redirected && len(next.words) == 2 &&
			next.words[0].of(data) == "export" && next.words[1].of(data) == name && standalone(next.after) {
			s.hi, after, others = next.span().hi, next.after, others-1
		}
	}
	placeholder := splice{s, ":"}
	if !standalone(c.before) || !standalone(after) || others == 0 && c.list.kind != "" {
		return placeholder
	}
	if lines, ok := wholeLines(data, s, hashComment); ok {
		return splice{span: lines}
	}
	if after == ";" {
		hi := skipSpace(data, s.hi)
		if hi < len(data) && data[hi] == ';' {
			return splice{span: span{s.lo, skipSpace(data, hi+1)}}
		}
	}
	if lo := len(bytes.TrimRight(data[:s.lo], " \t")); c.before == ";" && lo > 0 && data[lo-1] == ';' && after != ";" {
		if c.list.kind != "" && after == "" { // A=1; B=2; } needs its last ;
			return placeholder
		}
		return splice{span: span{lo - 1, s.hi}}
	}
	return placeholder
}

// standalone says that an operator only separates.
func standalone(op string) bool { return op == "" || op == "\n" || op == ";" }

// encodeShell writes a word. $ and ~ in the value are meant to expand.
func encodeShell(old, value string) (string, error) {
	if strings.ContainsAny(value, "\r\n\x00") {
		return "", errors.New("the value has a line end")
	}
	double := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`").Replace(value) + `"`
	single := len(old) > 0 && old[0] == '\'' && !strings.ContainsAny(value, "'$")
	plain := !strings.ContainsFunc(value, func(r rune) bool {
		return !strings.ContainsRune("/._-+:,@%=~$", r) && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	})
	switch {
	case single:
		return "'" + value + "'", nil
	case plain && (len(old) == 0 || old[0] != '"' || strings.HasPrefix(value, "~")) && !strings.Contains(value, "$"):
		return value, nil
	case strings.HasPrefix(value, "~"):
		return "", errors.New("~ would not expand in quotes")
	}
	return double, nil
}

// placeShell exports at the end. The line end is \n even in a file with \r\n:
// a shell takes \r for a part of the value.
func placeShell(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	if err := freeName(nodes, path); err != nil {
		return nil, err
	}
	text, err := encodeShell("", value)
	s := insertLines(nil, 0, "export "+path[0]+"="+text)
	s.span = span{len(data), len(data)}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		s.text = "\n" + s.text
	}
	return []splice{s}, err
}
