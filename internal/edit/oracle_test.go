package edit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// list prints entries as tests compare them: path = value, with the marks that
// matter, one per line.
func list(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%d", e.Line)
		if e.EndLine != e.Line {
			fmt.Fprintf(&b, "-%d", e.EndLine)
		}
		fmt.Fprintf(&b, " %s", strings.Join(e.Path, "|"))
		switch {
		case e.Parent:
			b.WriteString(" parent")
		case e.Empty:
			b.WriteString(" empty")
		case e.Quoted:
			fmt.Fprintf(&b, " = %q quoted", e.Value)
		default:
			fmt.Fprintf(&b, " = %q", e.Value)
		}
		if e.Tag != "" {
			b.WriteString(" " + e.Tag)
		}
		if e.Comment != "" {
			b.WriteString(" " + e.Comment)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func parse(t *testing.T, f Format, data string) []Entry {
	t.Helper()
	entries, err := Parse(f, []byte(data))
	if err != nil {
		t.Fatalf("Parse(%s, %q): %v", f, data, err)
	}
	return entries
}

// pick returns the n-th entry with this path ("a|b").
func pick(t *testing.T, f Format, data, path string, n int) Entry {
	t.Helper()
	for _, e := range parse(t, f, data) {
		if strings.Join(e.Path, "|") == path {
			if n == 0 {
				return e
			}
			n--
		}
	}
	t.Fatalf("no %s in %s file %q", path, f, data)
	return Entry{}
}

// oracle checks the promise of the package on one file, without the package's
// own proof: deleting an entry leaves all other entries in order, touches no
// line but its own, and cannot be done twice.
func oracle(t *testing.T, f Format, data []byte) {
	before, err := Parse(f, data)
	if err != nil {
		if se := (*SyntaxError)(nil); !errors.As(err, &se) || se.Line < 1 || se.Msg == "" {
			t.Fatalf("not a SyntaxError with a line: %v", err)
		}
		return
	}
	last := bytes.Count(data, []byte{'\n'}) + bytes.Count(data, []byte{'\r'}) + 1
	for i, e := range before {
		if e.Line < 1 || e.EndLine < e.Line || e.EndLine > last || len(e.Path) == 0 {
			t.Fatalf("impossible entry %+v", e)
		}
		if i > 40 {
			break
		}
		after, err := Delete(f, data, e)
		if err != nil {
			if !errors.Is(err, ErrUnproven) {
				t.Fatalf("Delete %v: %v", e.Path, err)
			}
			continue
		}
		if err := deleted(f, data, after, before, i); err != nil {
			t.Fatalf("Delete %v on line %d: %v\nbefore %q\nafter  %q", e.Path, e.Line, err, data, after)
		}
		if set, err := Set(f, data, e, "replaced"); err == nil {
			now, err := Parse(f, set)
			if err != nil {
				t.Fatalf("Set %v: %v\nbefore %q\nafter  %q", e.Path, err, data, set)
			}
			if _, ok := findValue(now, e.Path, "replaced"); !ok {
				t.Fatalf("Set %v: not there in %q", e.Path, set)
			}
		} else if !errors.Is(err, ErrUnproven) {
			t.Fatalf("Set %v: %v", e.Path, err)
		}
	}
}

func findValue(entries []Entry, path []string, value string) (Entry, bool) {
	i := slices.IndexFunc(entries, func(e Entry) bool { return e.Value == value && slices.Equal(e.Path, path) })
	if i < 0 {
		return Entry{}, false
	}
	return entries[i], true
}

// deleted says what is wrong with after, as data without entry i.
func deleted(f Format, data, after []byte, before []Entry, i int) error {
	now, err := Parse(f, after)
	if err != nil {
		return err
	}
	e := before[i]
	gone := 1
	for _, o := range before[i+1:] {
		if !e.Parent || len(o.Path) <= len(e.Path) || !slices.Equal(o.Path[:len(e.Path)], e.Path) || o.Line > e.EndLine {
			break
		}
		gone++
	}
	rest := slices.Delete(slices.Clone(before), i, i+gone)
	if len(now) != len(rest) {
		return fmt.Errorf("%d entries, want %d", len(now), len(rest))
	}
	for k := range rest {
		if len(rest[k].Path) != len(now[k].Path) || rest[k].Path[0] != now[k].Path[0] || rest[k].Value != now[k].Value ||
			rest[k].Quoted != now[k].Quoted || rest[k].Empty != now[k].Empty || rest[k].Comment != now[k].Comment {
			return fmt.Errorf("%v = %q became %v = %q", rest[k].Path, rest[k].Value, now[k].Path, now[k].Value)
		}
	}
	if bytes.Equal(data, after) {
		return errors.New("nothing changed")
	}
	if bytes.Count(data, []byte{'\r'}) != bytes.Count(data, []byte("\r\n")) {
		return nil // a client that ends lines at \r counts other lines than this
	}
	// the lines in front of the entry and behind it are the same bytes
	was, is := bytes.SplitAfter(bytes.TrimPrefix(data, bom), []byte{'\n'}), bytes.SplitAfter(bytes.TrimPrefix(after, bom), []byte{'\n'})
	if bytes.HasPrefix(data, bom) != bytes.HasPrefix(after, bom) {
		return errors.New("the byte order mark changed")
	}
	if f == YAML { // the next key moves up behind the dash of "- gone: 1"
		for _, lines := range [][][]byte{was, is} {
			for k := range lines {
				lines[k] = bytes.TrimLeft(lines[k], " -")
			}
		}
	}
	head, tail := e.Line-1, len(was)-e.EndLine
	if f == JSON { // the comma in front of a last member goes too, and the line end behind it
		was, is = bytes.SplitAfter(bare(data), nil), bytes.SplitAfter(bare(after), nil)
		for head = 0; head < len(is) && bytes.Equal(was[head], is[head]); head++ {
		}
		tail = len(is) - head
	}
	if len(is) < head || len(is) < tail || !slices.EqualFunc(was[:head], is[:head], bytes.Equal) ||
		!slices.EqualFunc(was[len(was)-tail:], is[len(is)-tail:], bytes.Equal) {
		return errors.New("another line changed")
	}
	if again, err := Delete(f, after, e); err == nil { // only an equal one may be there still
		if _, same := findValue(now, e.Path, e.Value); !same {
			return fmt.Errorf("a second Delete took something else: %q", again)
		}
	}
	return nil
}

// bare is data without what separates members.
func bare(data []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if strings.ContainsRune(", \t\r\n", r) {
			return -1
		}
		return r
	}, data)
}
