package crash

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// order judges the sequence of calls of a run. A kill leaves the page cache, so
// it proves nothing about a loss of power; the order of the calls does:
// content and metadata are synchronised before a rename, a directory before
// the next record of the journal, the journal before the tree is touched, and
// no target is ever truncated. What the programs do that it runs is theirs.
func order(calls []*call, inJournal func(string) bool) (wrong []string) {
	files, dirs := map[string]bool{}, map[string]bool{} // changed after their last fsync
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	settled := func(c *call, journal bool) { // before c, everything there is synchronised
		for _, d := range slices.Sorted(maps.Keys(dirs)) {
			if inJournal(d) == journal && d != filepath.Dir(c.path) {
				complain("%v: the directory %s is not synchronised", c, d)
			}
		}
		for _, f := range slices.Sorted(maps.Keys(files)) {
			if inJournal(f) == journal && f != c.path {
				complain("%v: the file %s is not synchronised", c, f)
			}
		}
	}
	for _, c := range calls {
		if c.tool || c.err != 0 || filepath.Base(c.path) == "lock" {
			continue
		}
		dir := filepath.Dir(c.path)
		switch c.name {
		case "openat":
			if c.trunc {
				complain("%v: truncates", c)
			}
			settled(c, !inJournal(c.path))
			files[c.path] = true
			if !temporary.MatchString(filepath.Base(c.path)) { // the name of one is nobody's to find
				dirs[dir] = true
			}
		case "mkdirat", "symlinkat", "linkat", "unlinkat":
			settled(c, !inJournal(c.path))
			if c.to != "" {
				dir = filepath.Dir(c.to)
			}
			delete(files, c.path)
			dirs[dir] = true
		case "renameat":
			if files[c.path] {
				complain("%v: what is renamed is not synchronised", c)
			}
			settled(c, !inJournal(c.to))
			dirs[dir], dirs[filepath.Dir(c.to)] = true, true
		case "fsync":
			delete(files, c.path)
			delete(dirs, c.path)
		case "write", "pwrite64", "ftruncate", "fchmod", "fchmodat", "fchown", "fchownat", "fsetxattr", "fremovexattr", "utimensat":
			files[c.path] = true
		default:
			complain("%v: not known to this test", c)
		}
	}
	for _, left := range slices.Sorted(maps.Keys(files)) {
		complain("at the end the file %s is not synchronised", left)
	}
	for _, left := range slices.Sorted(maps.Keys(dirs)) {
		complain("at the end the directory %s is not synchronised", left)
	}
	return wrong
}

func underState(p string) bool { return p == stateDir || strings.HasPrefix(p, stateDir+"/") }

// Row 3 of reliability.md §6, over the calls of the released program.
func TestOrderOfSynchronisation(t *testing.T) {
	for _, s := range []scenario{settings, store, brokenStore} {
		m := s.make(t)
		for what, calls := range map[string][]*call{
			"apply":    m.calls(t, m.found, m.repair),
			"rollback": m.calls(t, m.applied, m.rollback),
		} {
			for _, wrong := range order(calls, underState) {
				t.Errorf("%s, %s: %s", s.name, what, wrong)
			}
			m.records(t, what, calls)
		}
	}
	s := newSite(t)
	root := duplicate(t, s.first)
	for _, wrong := range order(trace(t, []string{root}, fault{}, environment, s.update(root)...).calls,
		func(p string) bool { return strings.HasPrefix(p, filepath.Join(root, "state")) }) {
		t.Errorf("update: %s", wrong)
	}
}

// records looks at what the journal says, and when: the intent of a step
// before the tree is touched, the end of the run last.
func (m *made) records(t *testing.T, what string, calls []*call) {
	t.Helper()
	said, last := 0, ""
	for _, c := range calls {
		changed := c.path
		if c.to != "" {
			changed = c.to
		}
		switch {
		case c.name == "renameat" && underState(changed):
			last = filepath.Base(changed)
			if strings.HasSuffix(last, ".intent") || last == "undoing" {
				said++
			}
		case said == 0 && c.name != "fsync" && !underState(changed) && changed != filepath.Dir(stateDir):
			t.Errorf("%s: %v before there is a record of what is to be done", what, c)
		}
	}
	want := map[string]string{"apply": "commit", "rollback": "undone"}[what]
	if last != want {
		t.Errorf("%s: the last record is %s, not %s", what, last, want)
	}
}

// A test that cannot fail proves nothing.
func TestOrderIsJudged(t *testing.T) {
	made := func(calls ...string) (out []*call) {
		for _, line := range calls {
			words := append(strings.Fields(line), "")
			out = append(out, &call{name: words[0], path: words[1], to: words[2], trunc: words[2] == "O_TRUNC"})
		}
		return out
	}
	good := []string{"openat /a/.t", "write /a/.t", "fchmod /a/.t", "fsync /a/.t", "renameat /a/.t /a/f", "fsync /a"}
	if wrong := order(made(good...), underState); len(wrong) > 0 {
		t.Error(wrong)
	}
	for i, bad := range [][]string{
		slices.Delete(slices.Clone(good), 3, 4), // the file is not synchronised
		good[:5],                                // the directory is not
		slices.Insert(slices.Clone(good), 4, "write /a/.t"), // written after it was
		{"openat /a/f O_TRUNC", "write /a/f", "fsync /a/f", "fsync /a"},
		slices.Insert(slices.Clone(good), 5, "openat "+stateDir+"/x", "fsync "+stateDir+"/x", "fsync "+stateDir), // a record first
		slices.Insert(slices.Clone(good), 0, "mkdirat "+stateDir+"/runs"),                                        // the tree before the journal is safe
	} {
		if len(order(made(bad...), underState)) == 0 {
			t.Errorf("%d: passes: %v", i, bad)
		}
	}
}

// strace sees the same calls as the tracer of this package.
func TestTracerAgreesWithStrace(t *testing.T) {
	m := store.make(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	root := duplicate(t, m.found)
	log := filepath.Join(t.TempDir(), "log")
	names := []string{"renameat", "fsync", "mkdirat", "unlinkat", "symlinkat", "fchmod", "fchown", "utimensat", "fsetxattr", "ftruncate"}
	argv := append([]string{strace, "-f", "-y", "-qq", "-o", log, "-e", "trace=" + strings.Join(names, ",")}, m.repair(root)...)
	must(t, argv...)
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours := map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(data)) {
		for _, name := range names {
			if strings.Contains(line, " "+name+"(") && (strings.Contains(line, root) || strings.Contains(line, `"/etc/`)) {
				theirs[name]++
			}
		}
	}
	for _, c := range m.calls(t, m.found, m.repair) {
		if slices.Contains(names, c.name) {
			ours[c.name]++
		}
	}
	if !maps.Equal(theirs, ours) || len(ours) < 5 {
		t.Errorf("strace: %v\nours:   %v", theirs, ours)
	}
}
