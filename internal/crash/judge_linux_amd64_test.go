package crash

import (
	"maps"
	"path/filepath"
	"testing"
)

// What these tests call torn or left over, and what not: a judge that cannot
// condemn proves nothing.
func TestStanding(t *testing.T) {
	before := tree{"/a": {what: "old", time: 1}, "/b": {what: "old", time: 1}, "/c": {what: "mine", time: 1}, "/d": {what: "dir", time: 1, dir: true}}
	after := tree{"/a": {what: "new", time: 2}, "/b": {what: "new", time: 2}, "/b2": {what: "made", time: 2}, "/c": before["/c"], "/d": {what: "dir", time: 2, dir: true}}
	steps := [][]string{{"/a"}, {"/b", "/b2"}}
	for name, c := range map[string]struct {
		edit func(now tree)
		want standing
	}{
		"nothing was done":        {func(tree) {}, asBefore},
		"all was done":            {func(now tree) { maps.Copy(now, after) }, asAfter},
		"done at another time":    {func(now tree) { maps.Copy(now, after); now["/a"] = node{what: "new", time: 9} }, asAfter},
		"one step was done":       {func(now tree) { now["/a"] = after["/a"] }, someSteps},
		"half of a step was done": {func(now tree) { now["/b"] = after["/b"] }, torn},
		"half of a file":          {func(now tree) { now["/a"] = node{what: "ne", time: 2} }, torn},
		"a file is gone":          {func(now tree) { delete(now, "/a") }, torn},
		"the time of what was put back is off": {func(now tree) {
			now["/a"] = node{what: "old", time: 2}
			now["/b"] = after["/b"]
			now["/b2"] = after["/b2"]
		}, torn},
		"somebody else's file":        {func(now tree) { now["/c"] = node{what: "theirs", time: 1} }, torn},
		"somebody else's file's time": {func(now tree) { now["/c"] = node{what: "mine", time: 3} }, torn},
		"something more":              {func(now tree) { now["/.a.trustfix-0123456789abcdef"] = node{what: "half", time: 2} }, torn},
	} {
		now := maps.Clone(before)
		c.edit(now)
		if got := now.stand(before, after, steps); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".condarc", ".condarc.trustfix-0123456789abcdef", "run.tmp", "trustfix-pin.pem"} {
		put(t, filepath.Join(dir, "etc", name), nil, 0o644)
	}
	if left := leftovers(t, dir); len(left) != 2 {
		t.Errorf("left over: %v", left)
	}
}

// The table of the page is read as it is written.
func TestRow(t *testing.T) {
	want := result{job: "apply: store", fault: "EIO from there on", points: 10, left: 1, standing: map[standing]int{asBefore: 4, asAfter: 3, someSteps: 2, torn: 1}}
	if got, ok := readRow(want.String() + "\n"); !ok || got.String() != want.String() {
		t.Errorf("%v, not %v", got, want)
	}
	if _, ok := readRow("| --- | --- | --- | --- | --- | --- | --- | --- |\n"); ok {
		t.Error("the line below the heads is a row")
	}
}
