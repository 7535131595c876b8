package fix

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

var update = flag.Bool("update", false, "rewrite the plans of testdata/*.txtar")

// A case of testdata is a machine that is broken in one way and what becomes of it:
//
//	-- before/PATH --   the tree; the comment's directives (see platformtest) apply to it
//	-- after/PATH --    what an apply makes of PATH; everything else stays as it is
//	-- program/NAME --  what a program does: lines "write PATH DATA", "remove PATH",
//	                    "link PATH TEXT", "fail MESSAGE"; DATA names a file data/DATA
//	-- plan --          what a dry run shows (go test ./fix -run TestFixes -update)
//
// and lines of the comment: "only: IDS" (as --only), "user: NAME", "gone: PATH"
// (an apply removes it), "after-mode: MODE PATH".
type testCase struct {
	*txtar.Archive
	t       *testing.T
	before  *txtar.Archive
	options detect.Options
	host    []platformtest.Option
}

func loadCase(t *testing.T, file string) *testCase {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{
		Archive: a, t: t, before: &txtar.Archive{Comment: a.Comment},
		options: detect.Options{Offline: true, Refs: bundles.NewRoots()},
	}
	programs := platformtest.Programs{}
	for _, f := range a.Files {
		dir, name, _ := strings.Cut(f.Name, "/")
		switch dir {
		case "before":
			c.before.Files = append(c.before.Files, txtar.File{Name: name, Data: f.Data})
		case "program":
			programs[name] = platformtest.Program{Do: c.program(string(f.Data)), Optional: true}
		}
	}
	c.host = append(c.host, platformtest.Script(programs))
	for _, user := range c.lines("user") {
		c.host = append(c.host, platformtest.User(user))
	}
	for _, ids := range c.lines("only") {
		c.options.Only = strings.Fields(ids)
	}
	return c
}

// lines are the values of the comment's lines "KEY: VALUE".
func (c *testCase) lines(key string) []string {
	var out []string
	for l := range strings.Lines(string(c.Comment)) {
		if v, ok := strings.CutPrefix(l, key+":"); ok {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

func (c *testCase) file(name string) ([]byte, bool) {
	for _, f := range c.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return nil, false
}

// program carries out a scripted program's lines.
func (c *testCase) program(script string) func(*platform.Host, platform.Cmd) (platform.Output, error) {
	return func(h *platform.Host, cmd platform.Cmd) (platform.Output, error) {
		for line := range strings.Lines(script) {
			w := strings.Fields(line)
			switch {
			case len(w) == 3 && w[0] == "write":
				data, ok := c.file("data/" + w[2])
				if !ok {
					c.t.Errorf("no data/%s", w[2])
				}
				platformtest.WriteFile(h, w[1], string(data))
			case len(w) == 2 && w[0] == "remove":
				platformtest.Remove(h, w[1])
			case len(w) == 3 && w[0] == "link":
				platformtest.Remove(h, w[1])
				if err := os.Symlink(w[2], h.Files.HostPath(w[1])); err != nil {
					c.t.Error(err)
				}
			case len(w) > 1 && w[0] == "fail":
				return platform.Output{}, &platform.ExitError{Argv: cmd.Argv, Code: 1, Stderr: strings.Join(w[1:], " ")}
			case len(w) > 0:
				c.t.Errorf("program: %q", line)
			}
		}
		return platform.Output{}, nil
	}
}

func (c *testCase) fresh(t *testing.T) *platform.Host {
	return platformtest.New(t, c.before, c.host...)
}

func (c *testCase) plan(t *testing.T, h *platform.Host) *Plan {
	t.Helper()
	r, err := detect.Run(t.Context(), h.View, c.options)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Make(t.Context(), &Input{View: h.View, Report: r})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (c *testCase) apply(t *testing.T, h *platform.Host) (*Run, error) {
	t.Helper()
	p := c.plan(t, h)
	return Apply(t.Context(), h, p, ApplyOptions{
		Verify: func(ctx context.Context, v *platform.View, s *Step) ([]detect.Finding, error) {
			return detect.Recheck(ctx, v, c.options, s.Of(p.report))
		},
	})
}

// images is the whole tree without times.
func images(t *testing.T, h *platform.Host) map[string]platform.Image {
	t.Helper()
	all, err := scan(h.Files, []string{"/"})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// after is the tree that an apply should leave.
func (c *testCase) after(t *testing.T, before map[string]platform.Image) map[string]platform.Image {
	t.Helper()
	want := maps.Clone(before)
	for _, f := range c.Files {
		name, ok := strings.CutPrefix(f.Name, "after")
		if !ok {
			continue
		}
		for d := path.Dir(name); want[d].Kind == ""; d = path.Dir(d) {
			want[d] = platform.Image{Kind: platform.DirKind, Mode: 0o755}
		}
		img := want[name]
		if img.Kind == "" {
			img.Mode = 0o644
		}
		img.Kind, img.Data, img.Size, img.SHA256 = platform.File, f.Data, int64(len(f.Data)), hash(f.Data)
		want[name] = img
	}
	for _, p := range c.lines("gone") {
		delete(want, p)
	}
	for _, l := range c.lines("after-mode") {
		var mode uint32
		var name string
		if _, err := fmt.Sscanf(l, "%o %s", &mode, &name); err != nil {
			t.Fatal(err)
		}
		img := want[name]
		img.Mode = mode
		want[name] = img
	}
	return want
}

// differ lists the paths that two trees do not have alike; owners of what is
// new are the test's own.
func differ(a, b map[string]platform.Image) string {
	var out []string
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		x, y := a[p], b[p]
		x.UID, x.GID = y.UID, y.GID
		if !x.Same(y) {
			out = append(out, fmt.Sprintf("%s: %s / %s\n%s", p, describe(x), describe(y), unified(p, x, p, y)))
		}
	}
	return strings.Join(out, "\n")
}

func dryRun(p *Plan) string {
	var out strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&out, "%s: %s\n", s.Fix.ID, s.Summary)
		if s.Manual != nil {
			fmt.Fprintf(&out, "by hand: %s\n", s.Manual.Do)
		}
		for _, a := range s.Actions {
			out.WriteString(a.Diff())
			for _, c := range a.Commands() {
				fmt.Fprintf(&out, "$ %s\n", c)
			}
		}
	}
	return strings.ReplaceAll(out.String(), "\r", "^M")
}

func TestFixes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := loadCase(t, file)
			c.golden(t, file)
			c.thereAndBack(t)
			c.everyFailure(t)
			c.everyCrash(t)
		})
	}
}

// golden compares what a dry run shows.
func (c *testCase) golden(t *testing.T, file string) {
	h := c.fresh(t)
	before := platformtest.Tree(h)
	got := dryRun(c.plan(t, h))
	if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
		t.Errorf("a dry run changed:\n%s", diff)
	}
	want, _ := c.file("plan")
	if got == string(want) {
		return
	}
	if !*update {
		t.Fatalf("plan:\n%s\nwant:\n%s", got, want)
	}
	i := slices.IndexFunc(c.Files, func(f txtar.File) bool { return f.Name == "plan" })
	if i < 0 {
		i = len(c.Files)
		c.Files = append(c.Files, txtar.File{Name: "plan"})
	}
	c.Files[i].Data = []byte(got)
	if err := os.WriteFile(file, txtar.Format(c.Archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// thereAndBack applies, applies again and rolls back.
func (c *testCase) thereAndBack(t *testing.T) {
	h := c.fresh(t)
	before, tree := images(t, h), platformtest.Tree(h)
	run, err := c.apply(t, h)
	if err != nil || run == nil || run.State != RunApplied {
		t.Fatalf("run %+v, %v", run, err)
	}
	if diff := differ(c.after(t, before), images(t, h)); diff != "" {
		t.Fatalf("after apply (want / got):\n%s", diff)
	}
	if p := c.plan(t, h); p.Possible() != 0 {
		t.Errorf("a second apply would change:\n%s", dryRun(p))
	}
	if again, err := c.apply(t, h); again != nil || err != nil {
		t.Errorf("a second apply made a run: %+v, %v", again, err)
	}
	if _, err := Rollback(t.Context(), platformtest.Reopen(h), "", false); err != nil {
		t.Fatalf("rollback: %v", err)
	}
	if diff := platformtest.Diff(tree, platformtest.Tree(h)); diff != "" {
		t.Errorf("after rollback:\n%s", diff)
	}
}

// everyFailure lets the n-th change fail: each path is as one of the steps found
// or left it, and a rollback of what stands leads exactly to where it began.
func (c *testCase) everyFailure(t *testing.T) {
	steps := map[string][]platform.Image{} // two steps may change one file
	for _, s := range c.plan(t, c.fresh(t)).Steps {
		for _, a := range s.Actions {
			steps[a.Target] = append(steps[a.Target], a.After)
		}
	}
	c.every(t, func(h *platform.Host, n int) { platformtest.FailWrite(h, n, errors.New("input/output error")) },
		func(t *testing.T, h *platform.Host, before map[string]platform.Image) {
			want, now := c.after(t, before), images(t, h)
			all := maps.Clone(want)
			maps.Copy(all, now)
			for p := range all {
				x := now[p]
				a, b := before[p], want[p]
				x.UID, x.GID = a.UID, a.GID
				b.UID, b.GID = a.UID, a.GID
				if !x.Same(a) && !x.Same(b) && !slices.ContainsFunc(steps[p], x.Same) {
					t.Errorf("%s is neither as before nor as after: %s", p, describe(x))
				}
			}
		})
}

// everyCrash ends the process at the n-th change.
func (c *testCase) everyCrash(t *testing.T) {
	c.every(t, platformtest.CrashAt, func(t *testing.T, h *platform.Host, before map[string]platform.Image) {
		now := images(t, h)
		if differ(before, now) != "" && differ(c.after(t, before), now) != "" {
			t.Errorf("torn:\n%s\n%s", differ(before, now), differ(c.after(t, before), now))
		}
	})
}

func (c *testCase) every(t *testing.T, fault func(*platform.Host, int), check func(*testing.T, *platform.Host, map[string]platform.Image)) {
	t.Helper()
	for n := 1; ; n++ {
		h := c.fresh(t)
		before, tree := images(t, h), platformtest.Tree(h)
		fault(h, n)
		_, _ = c.apply(t, h)
		reached := len(platformtest.Mutations(h)) >= n
		next := platformtest.Reopen(h)
		if _, err := Recover(t.Context(), next); err != nil {
			t.Fatalf("at %d: recovery: %v", n, err)
		}
		check(t, next, before)
		if _, err := Rollback(t.Context(), next, "", false); err != nil {
			t.Fatalf("at %d: rollback: %v", n, err)
		}
		if diff := platformtest.Diff(tree, platformtest.Tree(next)); diff != "" {
			t.Errorf("at %d: after rollback:\n%s", n, diff)
		}
		if t.Failed() {
			t.Fatalf("at %d: %v", n, platformtest.Mutations(h))
		}
		if !reached {
			return
		}
	}
}
