package cli

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Characters of Chinese that must not begin a line, and that must not end one.
const (
	noStart = "，。、；：！？）》」』”’…％"
	noEnd   = "（《「『“‘"
)

// wrapWords breaks s into lines of at most width cells: at spaces and between
// Chinese characters, never inside a path, a name or an id, which people copy
// and search for. A word wider than a line is broken after "/", else anywhere.
func wrapWords(s string, width int) []string {
	var lines []string
	line, cells := "", 0
	end := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, cells = "", 0
	}
	for i, paragraph := range strings.Split(s, "\n") {
		if i > 0 {
			end()
		}
		for _, w := range words(paragraph) {
			n := ansi.StringWidth(w)
			if visible := ansi.StringWidth(strings.TrimRight(w, " ")); cells > 0 && cells+visible > width {
				end()
			}
			for n > width && ansi.StringWidth(strings.TrimRight(w, " ")) > width {
				head := ansi.Truncate(w, width, "")
				if i := strings.LastIndexByte(head, '/'); i > 0 {
					head = head[:i+1]
				}
				if head == "" {
					break
				}
				line = head
				end()
				w = strings.TrimPrefix(w, head)
				n = ansi.StringWidth(w)
			}
			line += w
			cells += n
		}
	}
	end()
	return lines
}

// words splits at the places where a line may end; a word keeps the spaces
// behind it.
func words(s string) []string {
	var out []string
	start, prev := 0, rune(0)
	for i, r := range s {
		if i > 0 && r != ' ' && (prev == ' ' ||
			(wide(prev) || wide(r)) && !strings.ContainsRune(noStart, r) && !strings.ContainsRune(noEnd, prev)) {
			out = append(out, s[start:i])
			start = i
		}
		prev = r
	}
	return append(out, s[start:])
}

// wide is a character that is a word of its own: Chinese and its punctuation.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef || strings.ContainsRune("“”‘’", r)
}
