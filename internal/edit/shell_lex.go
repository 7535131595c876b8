package edit

import (
	"bytes"
	"strings"
)

// shellCommand is a simple command with the place it has in the script.
type shellCommand struct {
	words         []span
	redirected    bool
	list          *shellList
	before, after string // the operators around it; "" at the edge of its list
}

func (c shellCommand) span() span { return span{c.words[0].lo, c.words[len(c.words)-1].hi} }

// shellList is the body of a compound command. Shells want one command in it.
type shellList struct {
	kind string // the word that opened it; "" for the file
	n    int    // commands in it
}

// shellLexer splits a script of sh, bash or zsh into simple commands. It knows
// quotes, substitutions, here-documents, comments and the reserved words;
// what it does not understand makes it say so in doubt.
type shellLexer struct {
	data     []byte
	i        int
	nested   int // depth of command substitution
	stack    []*shellList
	cur      *shellCommand
	op       string // the operator before the next command
	ready    bool   // a command may begin here
	heredocs []heredoc
	commands []*shellCommand
	comments []span
	doubt    bool
	err      *SyntaxError
}

type heredoc struct {
	end  string
	tabs bool
}

const maxShellNesting = 100

func lexShell(data []byte) *shellLexer {
	x := &shellLexer{data: data, stack: []*shellList{{}}, ready: true}
	x.run()
	if len(x.stack) != 1 || x.i < len(data) {
		x.doubt = true
	}
	return x
}

// run reads commands up to the end of the file, or of the substitution.
func (x *shellLexer) run() {
	for x.i < len(x.data) && x.err == nil {
		rest := x.data[x.i:]
		switch c := rest[0]; {
		case c == ' ' || c == '\t':
			x.i++
		case bytes.HasPrefix(rest, []byte("\\\n")):
			x.i += 2
		case c == '#':
			end := lineEnd(x.data, x.i)
			x.comments = append(x.comments, span{x.i, end})
			x.i = end
		case c == '\r' && bytes.HasPrefix(rest, []byte("\r\n")):
			x.i++
		case c == '\n':
			x.i++
			x.finish("\n")
			x.skipHeredocs()
		case c == '<' || c == '>' || bytes.HasPrefix(rest, []byte("&>")):
			x.redirect()
		case c == ';' || c == '&' || c == '|':
			x.operator()
		case c == '(':
			x.openParen()
		case c == ')':
			x.finish("")
			if x.nested > 0 && len(x.stack) == 1 {
				return
			}
			x.i++
			x.pop("(")
		default:
			x.word()
		}
	}
	x.finish("")
}

// finish ends the command in progress.
func (x *shellLexer) finish(op string) {
	if x.cur != nil {
		x.cur.after = op
		x.commands = append(x.commands, x.cur)
		x.cur = nil
	}
	if op != "\n" || !x.ready {
		x.op = op
	}
	x.ready = true
}

func (x *shellLexer) top() *shellList { return x.stack[len(x.stack)-1] }

func (x *shellLexer) push(kind string) {
	x.stack = append(x.stack, &shellList{kind: kind})
	x.op, x.ready = "", true
}

// pop closes the innermost list, which has to be of one of these kinds; a
// compound command has then ended.
func (x *shellLexer) pop(kinds ...string) {
	kind := x.top().kind
	for _, k := range kinds {
		if k == kind && len(x.stack) > 1 {
			x.stack = x.stack[:len(x.stack)-1]
			x.ready = false
			return
		}
	}
	x.doubt = true
}

func (x *shellLexer) operator() {
	rest := x.data[x.i:]
	for _, op := range []string{";;&", ";;", ";&", ";", "&&", "||", "|&", "|", "&"} {
		if !bytes.HasPrefix(rest, []byte(op)) {
			continue
		}
		x.i += len(op)
		if op[0] == ';' && len(op) > 1 {
			x.finish("")
			x.pop("in")
			x.pattern()
			return
		}
		x.finish(op)
		return
	}
}

// openParen is a subshell, an arithmetic command, or the () of a function.
func (x *shellLexer) openParen() {
	double := bytes.HasPrefix(x.data[x.i:], []byte("(("))
	switch {
	case double && (x.ready || x.cur != nil && x.text(x.cur.words[0]) == "for"):
		if x.ready {
			x.top().n++
		}
		x.ready = false
		x.i = x.balanced(x.i)
	case x.ready:
		x.top().n++
		x.i++
		x.push("(")
	case x.cur != nil && len(x.cur.words) == 1 && !x.cur.redirected:
		end := skipSpace(x.data, x.i+1)
		if end < len(x.data) && x.data[end] == ')' {
			x.i, x.cur, x.ready = end+1, nil, true
			x.top().n-- // the body counts
			x.op = "()"
			return
		}
		fallthrough
	default:
		x.doubt = true
		x.i = x.balanced(x.i)
	}
}

func (x *shellLexer) text(w span) string { return string(x.data[w.lo:w.hi]) }

func (x *shellLexer) word() {
	w := span{x.i, x.endOfWord(x.i)}
	x.i = w.hi
	if x.err != nil {
		return
	}
	if x.ready && x.reserved(x.text(w)) {
		return
	}
	if x.cur == nil {
		if !x.ready {
			x.doubt = true
		}
		x.cur = &shellCommand{list: x.top(), before: x.op}
		x.top().n++
		x.ready = false
	}
	x.cur.words = append(x.cur.words, w)
}

// reserved acts on a reserved word at the start of a command.
func (x *shellLexer) reserved(w string) bool {
	switch w {
	case "if", "while", "until", "{":
		x.top().n++
		x.push(w)
	case "then":
		x.pop("if")
		x.push(w)
	case "elif":
		x.pop("then")
		x.push("if")
	case "else":
		x.pop("then")
		x.push(w)
	case "fi":
		x.pop("then", "else")
	case "do":
		if k := x.top().kind; k == "while" || k == "until" {
			x.pop(k)
		}
		x.push(w)
	case "done":
		x.pop("do")
	case "}":
		x.pop("{")
	case "!", "time", "coproc":
		x.op = w
	case "function":
		x.i = skipSpace(x.data, x.i)
		x.i = x.endOfWord(x.i)
		if at := skipSpace(x.data, x.i); bytes.HasPrefix(x.data[at:], []byte("()")) {
			x.i = at + 2
		}
		x.op = "()"
	case "[[":
		x.top().n++
		x.ready = false
		x.test()
	case "case":
		x.top().n++
		x.i = skipSpace(x.data, x.i)
		x.i = x.endOfWord(x.i)
		x.space()
		if bytes.HasPrefix(x.data[x.i:], []byte("in")) {
			x.i += 2
			x.pattern()
		} else {
			x.doubt = true
		}
	case "esac":
		x.pop("in")
		x.ready = false
	default:
		return false
	}
	return true
}

// space moves over blanks, line ends and comments.
func (x *shellLexer) space() {
	for x.i < len(x.data) {
		switch x.data[x.i] {
		case '#':
			x.i = lineEnd(x.data, x.i)
		case ' ', '\t', '\n', '\r':
			x.i++
		default:
			return
		}
	}
}

// pattern reads the pattern of a case branch and opens its list, or ends the
// case at esac.
func (x *shellLexer) pattern() {
	x.space()
	if x.i < len(x.data) && x.data[x.i] == '(' {
		x.i++
	}
	for first := true; x.i < len(x.data) && x.err == nil; first = false {
		switch c := x.data[x.i]; {
		case c == ')':
			x.i++
			x.push("in")
			return
		case strings.IndexByte(" \t\r\n|;&<>", c) >= 0:
			x.i++
		case c == '(':
			x.i = x.balanced(x.i)
		default:
			end := x.endOfWord(x.i)
			if first && string(x.data[x.i:end]) == "esac" {
				x.i, x.ready = end, false
				return
			}
			x.i = end
		}
	}
	x.doubt = true
}

// test skips [[ … ]], in which ( ) < > && mean something else.
func (x *shellLexer) test() {
	for x.i < len(x.data) && x.err == nil {
		if strings.IndexByte(" \t\r\n()<>|&;", x.data[x.i]) >= 0 {
			x.i++
			continue
		}
		w := span{x.i, x.endOfWord(x.i)}
		x.i = w.hi
		if x.text(w) == "]]" {
			return
		}
	}
	x.doubt = true
}

// redirect reads a redirection and its target; a here-document's body follows
// the line.
func (x *shellLexer) redirect() {
	rest := x.data[x.i:]
	if bytes.HasPrefix(rest, []byte("<(")) || bytes.HasPrefix(rest, []byte(">(")) {
		x.word()
		return
	}
	if x.cur != nil {
		x.cur.redirected = true
	}
	n := 0
	for n < len(rest) && n < 3 && strings.IndexByte("<>&|", rest[n]) >= 0 {
		n++
	}
	op := string(rest[:n])
	if op == "<<" && n < len(rest) && rest[n] == '-' {
		op, n = "<<-", n+1
	}
	at := skipSpace(x.data, x.i+n)
	x.i = x.endOfWord(at)
	if op == "<<" || op == "<<-" {
		x.heredocs = append(x.heredocs, heredoc{unquoteShell(x.text(span{at, x.i})), op == "<<-"})
	}
}

func (x *shellLexer) skipHeredocs() {
	for _, h := range x.heredocs {
		for x.i < len(x.data) {
			text := x.data[x.i:lineEnd(x.data, x.i)]
			x.i = nextLine(x.data, x.i)
			if h.tabs {
				text = bytes.TrimLeft(text, "\t")
			}
			if string(text) == h.end {
				break
			}
		}
	}
	x.heredocs = nil
}
