package edit

import (
	"errors"
	"slices"
	"strings"
)

// statement is a command of fish or csh: words up to a line end or a ;.
type statement struct {
	words   []span
	mixed   bool // with pipes, && or redirections: it cannot go alone
	comment string
}

// splitStatements cuts a script into statements. Quotes may span lines, as in
// fish; a csh that read such a line would have stopped.
func splitStatements(data []byte) ([]statement, error) {
	var all []statement
	var cur statement
	finish := func() {
		if len(cur.words) > 0 {
			all = append(all, cur)
		}
		cur = statement{}
	}
	for i := 0; i < len(data); {
		switch c := data[i]; c {
		case '\n', ';':
			finish()
			i++
		case ' ', '\t', '\r':
			i++
		case '#':
			end := lineEnd(data, i)
			cur.comment = strings.TrimRight(string(data[i:end]), " \t")
			i = end
		case '|', '&', '<', '>':
			cur.mixed = true
			i++
		default:
			end, err := wordEnd(data, i)
			if err != nil {
				return nil, err
			}
			if data[i] != '\\' || strings.TrimLeft(string(data[i:end]), "\\\r\n") != "" {
				cur.words = append(cur.words, span{i, end})
			}
			i = end
		}
	}
	finish()
	return all, nil
}

func wordEnd(data []byte, i int) (int, error) {
	for i < len(data) && strings.IndexByte(" \t\r\n;|&<>", data[i]) < 0 {
		switch c := data[i]; c {
		case '\\':
			i++
		case '"', '\'':
			open := i
			for i++; i < len(data) && data[i] != c; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if i >= len(data) {
				return i, syntaxErrorf(newIndex(data[:open]).line(open), "the quote %c is never closed", c)
			}
		}
		i++
	}
	return min(i, len(data)), nil
}

// cutStatement removes a statement with its line, or with the ; next to it.
func cutStatement(data []byte, s span) splice {
	if lines, ok := wholeLines(data, s, hashComment); ok {
		return splice{span: lines}
	}
	if hi := skipSpace(data, s.hi); hi < len(data) && data[hi] == ';' {
		return splice{span: span{s.lo, skipSpace(data, hi+1)}}
	}
	lo := s.lo
	for lo > 0 && (data[lo-1] == ' ' || data[lo-1] == '\t') {
		lo--
	}
	if lo > 0 && data[lo-1] == ';' {
		return splice{span: span{lo - 1, s.hi}}
	}
	return splice{span: s}
}

// setting is the node of "command … NAME value…" with NAME at words[k].
func (st statement) setting(data []byte, lines index, k int, unset bool) node {
	name, last := st.words[k], st.words[len(st.words)-1]
	n := node{start: name.lo, end: last.hi, val: span{name.hi, name.hi}}
	n.Path, n.Line, n.EndLine = []string{name.of(data)}, lines.line(name.lo), lines.line(last.hi)
	n.Comment, n.Empty = st.comment, true
	if unset {
		n.Path = []string{"unset", n.Path[0]}
	} else if values := st.words[k+1:]; len(values) > 0 {
		n.val = span{values[0].lo, last.hi}
		var words []string
		for _, w := range values {
			words = append(words, unquoteShell(w.of(data)))
		}
		n.Value, n.Quoted = strings.Join(words, " "), len(values) == 1 && wholeQuoted(values[0].of(data))
		n.Empty = len(values) == 1 && n.Value == "" && !n.Quoted
	}
	if st.mixed {
		n.fixed = "the command is part of a pipe, a chain or a redirection"
	}
	whole := span{st.words[0].lo, last.hi}
	n.cut = func() splice { return cutStatement(data, whole) }
	return n
}

// scanFish finds "set -gx NAME value…" in its many spellings, and "set -e NAME"
// as {"unset", NAME}. What is not exported is no setting.
func scanFish(data []byte) ([]node, error) {
	return scanWords(data, func(words []string) (k int, unset, ok bool) {
		if words[0] != "set" {
			return 0, false, false
		}
		exported, other := false, false
		for k = 1; k < len(words) && strings.HasPrefix(words[k], "-"); k++ {
			switch w := words[k]; {
			case w == "--export":
				exported = true
			case w == "--erase":
				unset = true
			case strings.HasPrefix(w, "--"):
				other = other || !slices.Contains([]string{"--global", "--universal", "--local", "--function", "--path", "--unpath"}, w)
			default:
				exported = exported || strings.Contains(w, "x")
				unset = unset || strings.Contains(w, "e")
				other = other || strings.ContainsAny(w, "qnSuap")
			}
		}
		return k, unset, (exported || unset) && !other
	})
}

// scanCsh finds setenv and unsetenv.
func scanCsh(data []byte) ([]node, error) {
	return scanWords(data, func(words []string) (int, bool, bool) {
		return 1, words[0] == "unsetenv", words[0] == "setenv" || words[0] == "unsetenv"
	})
}

// conditions are the words that may stand in front of a command on its line.
var conditions = []string{"and", "or", "not", "if", "else", "while", "begin", "builtin", "!"}

func scanWords(data []byte, match func(words []string) (name int, unset, ok bool)) ([]node, error) {
	statements, err := splitStatements(data)
	if err != nil {
		return nil, err
	}
	lines := newIndex(data)
	var nodes []node
	for _, st := range statements {
		words := make([]string, len(st.words))
		for i, w := range st.words {
			words[i] = w.of(data)
		}
		first := 0
		if slices.Contains(conditions, words[0]) { // the command comes later on the line
			first = slices.IndexFunc(words, func(w string) bool { return w == "setenv" || w == "unsetenv" || w == "set" })
		}
		if first < 0 {
			continue
		}
		k, unset, ok := match(words[first:])
		if k += first; !ok || k >= len(words) || nameEnd([]byte(words[k]), 0) != len(words[k]) {
			continue
		}
		n := st.setting(data, lines, k, unset)
		if first > 0 {
			n.fixed = "the command depends on a condition on its line"
		}
		if unset && k+1 < len(words) {
			n.fixed = "the command names several variables"
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func encodeFish(old, value string) (string, error) {
	if strings.ContainsAny(value, "`()*?!") {
		return "", errors.New("the value has characters that fish would act on")
	}
	return encodeShell(old, value)
}

func encodeCsh(old, value string) (string, error) {
	if strings.ContainsAny(value, "`\"'\\!*?[{") {
		return "", errors.New("the value has characters that csh would act on")
	}
	return encodeShell(old, value)
}

func placeFish(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	return placeWords(data, nodes, path, value, "set -gx ", encodeFish)
}

func placeCsh(data []byte, nodes []node, path []string, value string) ([]splice, error) {
	return placeWords(data, nodes, path, value, "setenv ", encodeCsh)
}

func placeWords(data []byte, nodes []node, path []string, value, command string, encode func(old, value string) (string, error)) ([]splice, error) {
	if err := freeName(nodes, path); err != nil {
		return nil, err
	}
	text, err := encode("", value)
	if text == "" {
		text = `""`
	}
	return []splice{insertLines(data, len(data), command+path[0]+" "+text)}, err
}
