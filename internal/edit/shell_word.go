package edit

import (
	"bytes"
	"strings"
)

// endOfWord is the offset behind the word that begins at i.
func (x *shellLexer) endOfWord(i int) int {
	lo := i
	for i < len(x.data) && x.err == nil {
		switch c := x.data[i]; c {
		case ' ', '\t', '\n', ';', '&', '|', ')':
			return i
		case '<', '>':
			if i > lo || i+1 >= len(x.data) || x.data[i+1] != '(' {
				return i
			}
			i = x.substitution(i + 2)
		case '(':
			if i == lo || strings.IndexByte("=@?*+!", x.data[i-1]) < 0 {
				return i
			}
			i = x.balanced(i)
		case '\r':
			if i+1 < len(x.data) && x.data[i+1] == '\n' && i == lo {
				return i
			}
			i++
		default:
			i = x.piece(i)
		}
	}
	return min(i, len(x.data))
}

// piece is the offset behind a character, an escape, a quotation or an
// expansion.
func (x *shellLexer) piece(i int) int {
	rest := x.data[i:]
	switch {
	case rest[0] == '\\':
		return min(i+2, len(x.data))
	case rest[0] == '\'':
		return x.until(i, i+1, '\'', false)
	case bytes.HasPrefix(rest, []byte("$'")):
		return x.until(i, i+2, '\'', true)
	case rest[0] == '`':
		return x.until(i, i+1, '`', true)
	case rest[0] == '"':
		return x.quoted(i)
	case bytes.HasPrefix(rest, []byte("$((")):
		return x.balanced(i + 1)
	case bytes.HasPrefix(rest, []byte("$(")):
		return x.substitution(i + 2)
	case bytes.HasPrefix(rest, []byte("${")):
		return x.braces(i)
	}
	return i + 1
}

// fail reports what is opened at i and never closed.
func (x *shellLexer) fail(i int, what string) int {
	if x.err == nil {
		x.err = syntaxErrorf(bytes.Count(x.data[:i], []byte{'\n'})+1, "%s is never closed", what)
	}
	return len(x.data)
}

// until is the offset behind the closing sign of what was opened at open.
func (x *shellLexer) until(open, i int, sign byte, escapes bool) int {
	for ; i < len(x.data); i++ {
		switch {
		case escapes && x.data[i] == '\\':
			i++
		case x.data[i] == sign:
			return i + 1
		}
	}
	return x.fail(open, "the quote "+string(sign))
}

func (x *shellLexer) quoted(open int) int {
	for i := open + 1; i < len(x.data) && x.err == nil; {
		switch x.data[i] {
		case '"':
			return i + 1
		case '\\', '`':
			i = x.piece(i)
		case '$':
			if bytes.HasPrefix(x.data[i:], []byte("$'")) {
				i++
				continue
			}
			i = x.piece(i)
		default:
			i++
		}
	}
	return x.fail(open, "the quote \"")
}

// nest guards the recursion of quotes in substitutions in quotes.
func (x *shellLexer) nest(open int) bool {
	if x.nested >= maxShellNesting {
		x.fail(open, "a substitution nested this deep")
		return false
	}
	x.nested++
	return true
}

func (x *shellLexer) braces(open int) int {
	if !x.nest(open) {
		return len(x.data)
	}
	defer func() { x.nested-- }()
	for i := open + 2; i < len(x.data) && x.err == nil; {
		if x.data[i] == '}' {
			return i + 1
		}
		i = x.piece(i)
	}
	return x.fail(open, "the brace {")
}

// balanced is the offset behind the ) that matches the ( at open.
func (x *shellLexer) balanced(open int) int {
	if !x.nest(open) {
		return len(x.data)
	}
	defer func() { x.nested-- }()
	depth := 0
	for i := open; i < len(x.data) && x.err == nil; {
		switch x.data[i] {
		case '(':
			depth++
			i++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
			i++
		default:
			i = x.piece(i)
		}
	}
	return x.fail(open, "the bracket (")
}

// substitution reads the script in $(…) from i on with a lexer of its own.
func (x *shellLexer) substitution(i int) int {
	if !x.nest(i) {
		return len(x.data)
	}
	defer func() { x.nested-- }()
	inner := &shellLexer{data: x.data, i: i, nested: x.nested, stack: []*shellList{{}}, ready: true}
	inner.run()
	x.doubt = x.doubt || inner.doubt
	if inner.err != nil {
		x.err = inner.err
		return len(x.data)
	}
	if inner.i >= len(x.data) {
		return x.fail(i-2, "the bracket (")
	}
	return inner.i + 1
}

// unquoteShell takes quotes and escapes off a word; expansions stay as they
// are written.
func unquoteShell(word string) string {
	if !strings.ContainsAny(word, `'"\`) {
		return word
	}
	var out strings.Builder
	for i := 0; i < len(word); i++ {
		switch c := word[i]; c {
		case '\'':
			end := strings.IndexByte(word[i+1:], '\'')
			if end < 0 {
				return out.String() + word[i+1:]
			}
			out.WriteString(word[i+1 : i+1+end])
			i += end + 1
		case '\\':
			if i++; i < len(word) && word[i] != '\n' {
				out.WriteByte(word[i])
			}
		case '"':
			for i++; i < len(word) && word[i] != '"'; i++ {
				if word[i] == '\\' && i+1 < len(word) && strings.IndexByte("$`\"\\\n", word[i+1]) >= 0 {
					if i++; word[i] == '\n' {
						continue
					}
				}
				out.WriteByte(word[i])
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}
