package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"trustfix/internal/text"
)

// The status line leaves nothing behind, and needs no escape sequence for it:
// a terminal may know none, and NO_COLOR may stand for "none of them".
func TestProgressErases(t *testing.T) {
	var b bytes.Buffer
	g := newProgress(&printer{w: &b, utf8: true, lang: text.Chinese})
	g.area("store", false)
	time.Sleep(400 * time.Millisecond)
	g.probed(3, 12)
	time.Sleep(200 * time.Millisecond)
	g.stop()
	out := b.String()
	if !strings.Contains(out, "12") || strings.Contains(out, "\x1b") {
		t.Fatalf("%q: want a count and no escape", out)
	}
	lines := strings.Split(out, "\r")
	if last := lines[len(lines)-2]; strings.Trim(last, " ") != "" || lines[len(lines)-1] != "" {
		t.Errorf("%q stays", lines[len(lines)-2:])
	}
}
