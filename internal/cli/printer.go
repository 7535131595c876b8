package cli

import (
	"fmt"
	"image/color"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"trustfix/internal/text"
)

// pageWidth is what findings are laid out for: terminals in trouble are 80
// cells wide, whatever the window is.
const pageWidth = 80

// printer writes for a person: in their language, with signs their locale can
// show, colours only where they are wanted, secrets and the home directory
// never in full.
type printer struct {
	w     io.Writer
	lang  text.Lang
	utf8  bool
	color bool
	tty   bool
	home  string
	held  string // a line that is not complete
}

// sign is a mark at the start of a line. Severity is never told by colour alone.
type sign int

const (
	signError sign = iota
	signWarning
	signInfo
	signDone
	signUndone
)

var signs = map[sign]struct {
	utf8, ascii string
	color       color.Color
}{
	signError:   {"✗", "x", lipgloss.Red},
	signWarning: {"!", "!", lipgloss.Yellow},
	signInfo:    {"·", "-", lipgloss.Cyan},
	signDone:    {"✓", "ok", lipgloss.Green},
	signUndone:  {"↺", "<-", lipgloss.Yellow},
}

func (p *printer) sign(k sign) string {
	s := signs[k]
	if !p.utf8 {
		return s.ascii
	}
	return p.paint(s.utf8, lipgloss.NewStyle().Foreground(s.color))
}

func (p *printer) paint(s string, style lipgloss.Style) string {
	if !p.color || s == "" {
		return s
	}
	return style.Render(s)
}

func (p *printer) bold(s string) string { return p.paint(s, lipgloss.NewStyle().Bold(true)) }
func (p *printer) dim(s string) string  { return p.paint(s, lipgloss.NewStyle().Faint(true)) }

// show renders a message for this reader.
func (p *printer) show(m text.Msg) string { return p.clean(m.In(p.lang)) }

// clean hides secrets and shortens the home directory, so that output can be
// pasted in public, and replaces what the locale cannot show.
func (p *printer) clean(s string) string {
	s = text.Redact(s)
	if len(p.home) > 1 {
		s = strings.ReplaceAll(s, p.home+"/", "~/")
	}
	return p.ascii(s)
}

// ascii replaces what a locale without UTF-8 cannot show; names of files and
// certificates may hold anything.
func (p *printer) ascii(s string) string {
	if p.utf8 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r > 0x7e {
			return '?'
		}
		return r
	}, asciiOnly.Replace(s))
}

// Write prints a help text, which comes in pieces, line by line: in the
// reader's characters and width.
func (p *printer) Write(b []byte) (int, error) {
	p.held += string(b)
	for {
		l, rest, whole := strings.Cut(p.held, "\n")
		if !whole {
			return len(b), nil
		}
		p.held, l = rest, strings.TrimRight(p.ascii(l), " ")
		if ansi.StringWidth(l) <= pageWidth {
			p.printf("%s\n", l)
			continue
		}
		indent := len(l) - len(strings.TrimLeft(l, " "))
		if i := strings.LastIndex(strings.TrimRight(l, " "), "  "); i > indent { // the usage of a flag
			indent = ansi.StringWidth(l[:i+2])
		}
		p.wrap(strings.TrimRight(ansi.Cut(l, 0, indent), " "), indent, ansi.Cut(l, indent, ansi.StringWidth(l)))
	}
}

// asciiOnly replaces the few characters beyond ASCII that our own English
// sentences use.
var asciiOnly = strings.NewReplacer("…", "...", "·", "-", "–", "-", "—", "-", "±", "+/-", "✗", "x", "✓", "ok",
	"└─", "`-", "├─", "|-", "│", "|", "──", "--", "→", "->", "“", `"`, "”", `"`, "‘", "'", "’", "'", "×", "x", "≥", ">=")

func (p *printer) printf(format string, args ...any) {
	io.WriteString(p.w, p.ascii(fmt.Sprintf(format, args...))) //nolint:errcheck // a reader that went away
}

// line prints one message after a prefix.
func (p *printer) line(prefix string, m text.Msg) { p.printf("%s%s\n", prefix, p.show(m)) }

// wrap prints s in lines of at most pageWidth cells, each behind an indent of
// spaces; CJK characters count double. A label stands in the first indent.
func (p *printer) wrap(label string, indent int, s string) (lines int) {
	pad := strings.Repeat(" ", indent)
	first := pad
	if label != "" {
		first = label + strings.Repeat(" ", max(1, indent-ansi.StringWidth(label)))
	}
	for _, l := range wrapWords(s, pageWidth-indent) {
		p.printf("%s%s\n", first, l)
		first = pad
		lines++
	}
	return lines
}

// right prints a text with an id at the right edge of its last line, or below
// when there is no room.
func (p *printer) right(left, id string) (lines int) {
	wrapped := wrapWords(left, pageWidth-2)
	for i, l := range wrapped {
		if i > 0 {
			l = "  " + l
		}
		if i < len(wrapped)-1 {
			p.printf("%s\n", l)
			continue
		}
		gap := pageWidth - ansi.StringWidth(l) - ansi.StringWidth(id)
		if gap < 2 {
			p.printf("%s\n", l)
			l, lines = "", 1
			gap = max(0, pageWidth-ansi.StringWidth(id))
		}
		p.printf("%s%s%s\n", l, strings.Repeat(" ", gap), p.dim(id))
	}
	return lines + len(wrapped)
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(f.Fd())
}
