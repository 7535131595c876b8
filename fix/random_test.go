package fix

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// randomTree makes a tree nobody would write by hand, on a real file system.
func randomTree(t *testing.T, rnd *rand.Rand) *platform.Host {
	t.Helper()
	h := platformtest.New(t, "dir /etc 0755\ndir /run 0755\n", platformtest.Script(platformtest.Programs{
		"mess": {Do: mess, Optional: true},
	}))
	dirs := []string{"/etc", "/srv"}
	for i := range 3 + rnd.IntN(5) {
		dirs = append(dirs, path.Join(dirs[rnd.IntN(len(dirs))], fmt.Sprintf("d%d", i)))
	}
	contents := []string{
		"", "x", "one\ntwo\n", "no end\nof line", "dos\r\nlines\r\n", "\xef\xbb\xbfmarked\n", "\xff\xfeb\x00i\x00n\x00",
		strings.Repeat("long ", 20_000), strings.Repeat("\n", 500),
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range dirs {
		do(os.MkdirAll(h.Files.HostPath(d), 0o755))
		for i := range rnd.IntN(4) {
			name := h.Files.HostPath(path.Join(d, fmt.Sprintf("f%d", i)))
			do(os.WriteFile(name, []byte(contents[rnd.IntN(len(contents))]), 0o644))
			do(os.Chmod(name, []os.FileMode{0o644, 0o600, 0o755, 0o444, 0o640 | os.ModeSetgid}[rnd.IntN(5)]))
		}
		if rnd.IntN(2) == 0 {
			do(os.Symlink([]string{"f0", "/etc", "nowhere", "../f1", "l"}[rnd.IntN(5)], h.Files.HostPath(path.Join(d, "l"))))
		}
	}
	// Times last, the deepest first, with nanoseconds.
	all, err := scan(h.Files, []string{"/"})
	do(err)
	for _, p := range deepestFirst(all) {
		img := all[p]
		img.MTime = time.Unix(1_500_000_000+rnd.Int64N(2e8), rnd.Int64N(1e9))
		if img.Kind == platform.File && rnd.IntN(3) == 0 {
			img.XAttrs = map[string][]byte{"user.origin": {0, 1, byte(rnd.IntN(256))}}
		}
		if err := h.Write.Put(p, img); err != nil && img.XAttrs != nil {
			img.XAttrs = nil // no attributes here
			do(h.Write.Put(p, img))
		}
	}
	for _, p := range deepestFirst(all) {
		if img := all[p]; img.Kind == platform.DirKind {
			img.MTime = time.Unix(1_600_000_000, rnd.Int64N(1e9))
			do(h.Write.Put(p, img))
		}
	}
	return h
}

// mess is a program that does to a directory whatever its seed says.
func mess(h *platform.Host, c platform.Cmd) (platform.Output, error) {
	var seed uint64
	_, _ = fmt.Sscan(c.Argv[1], &seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	all, err := scan(h.Files, []string{c.Argv[2]})
	if err != nil {
		return platform.Output{}, err
	}
	for _, p := range deepestFirst(all) {
		if p == c.Argv[2] {
			continue
		}
		host := h.Files.HostPath(p)
		switch rnd.IntN(6) {
		case 0:
			_ = os.Remove(host)
		case 1:
			if all[p].Kind == platform.File {
				_ = os.WriteFile(host, []byte("rewritten"), 0o644)
			}
		case 2:
			if all[p].Kind != platform.Link {
				_ = os.Chmod(host, 0o700)
			}
		case 3:
			if all[p].Kind != platform.DirKind {
				_ = os.Remove(host)
				_ = os.MkdirAll(path.Join(host, "sub/deep"), 0o755)
			}
		case 4:
			_ = os.WriteFile(host+".new", []byte("new"), 0o600)
		}
	}
	return platform.Output{}, nil
}

// randomSteps are changes of every sort to what is there.
func randomSteps(t *testing.T, h *platform.Host, rnd *rand.Rand) *Plan {
	t.Helper()
	r := &detect.Report{}
	all, err := scan(h.Files, []string{"/"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for p, img := range all {
		if img.Kind == platform.File || img.Kind == platform.Link {
			names = append(names, p)
		}
	}
	slices.Sort(names)
	rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	fix := &Fix{ID: "random", Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		p := fs[0].Where
		switch fs[0].Subject {
		case "new":
			return []Action{{Kind: FileAction, Target: p, After: platform.Image{Kind: platform.File, Data: []byte("new")}}}, nil
		case "program":
			return []Action{{
				Kind: CommandAction, Target: "mess", Touches: []string{p},
				Do: []platform.Cmd{{Argv: []string{"mess", fs[0].Client, p}}}, Undo: []platform.Cmd{{Argv: []string{"mess", "1" + fs[0].Client, p}}},
			}}, nil
		}
		img, err := in.Files.Snapshot(p)
		if err != nil || img.Kind == platform.Absent {
			return nil, err
		}
		after := img
		kind := FileAction
		switch {
		case img.Kind == platform.Link:
			kind, after.Link = LinkAction, "elsewhere"
		case fs[0].Subject == "remove":
			after = platform.Image{Kind: platform.Absent}
		case fs[0].Subject == "mode":
			after.Mode ^= 0o044
		default:
			after.Data = append([]byte("# first\r\n"), img.Data...)
		}
		return []Action{{Kind: kind, Target: p, After: after}}, nil
	}}
	add := func(subject, where string) {
		r.Findings = append(r.Findings, detect.Finding{
			ID: "random", Fix: "random", Subject: subject, Where: where, Action: detect.Auto, Severity: detect.Error,
			Client: fmt.Sprint(rnd.IntN(1000)), Summary: text.Raw(subject),
		})
	}
	for i, n := range names[:min(len(names), 5)] {
		add([]string{"edit", "mode", "remove", "edit", "edit"}[i], n)
	}
	add("new", "/etc/made/of/new")
	add("program", []string{"/etc", "/srv"}[rnd.IntN(2)])
	add("new", "/srv/made/last")
	rnd.Shuffle(len(r.Findings), func(i, j int) { r.Findings[i], r.Findings[j] = r.Findings[j], r.Findings[i] })
	p, err := makePlan(t.Context(), &Input{View: h.View, Report: r}, []*Fix{fix})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever is in a tree, an apply and its rollback leave it as it was, byte for
// byte, mode, owner, link, attribute and nanosecond; and a rollback after
// somebody's edit touches nothing.
func TestRandomTrees(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 0))
			h := randomTree(t, rnd)
			before := platformtest.Tree(h)
			plan := randomSteps(t, h, rnd)
			run, err := Apply(t.Context(), h, plan, ApplyOptions{})
			if err != nil || run.Count(Done) == 0 {
				t.Fatalf("run %+v, %v", run, err)
			}
			if platformtest.Tree(h) == before {
				t.Fatal("nothing was changed")
			}
			edited := somebodyEdits(t, h, plan, rnd)
			if edited != "" {
				tree := platformtest.Tree(h)
				var c *Conflict
				if _, err := Rollback(t.Context(), h, "", false); !errors.As(err, &c) {
					t.Fatalf("%s was edited, and the rollback said %v", edited, err)
				}
				if diff := platformtest.Diff(tree, platformtest.Tree(h)); diff != "" {
					t.Fatalf("a refused rollback changed:\n%s", diff)
				}
				if _, err := Rollback(t.Context(), h, "", true); err != nil {
					t.Fatal(err)
				}
				platformtest.Remove(h, edited+".trustfix-kept-"+run.ID)
				return
			}
			if _, err := Rollback(t.Context(), h, "", false); err != nil {
				t.Fatal(err)
			}
			if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
				t.Errorf("apply and rollback changed:\n%s", diff)
			}
		})
	}
}

// somebodyEdits changes, in every third tree, a file that the run changed.
func somebodyEdits(t *testing.T, h *platform.Host, p *Plan, rnd *rand.Rand) string {
	t.Helper()
	if rnd.IntN(3) != 0 {
		return ""
	}
	for _, s := range p.Steps {
		for _, a := range s.Actions {
			now, err := h.Files.Snapshot(a.Target)
			if a.isPath() && err == nil && now.Kind == platform.File && now.Same(a.After) {
				now.Data = []byte("somebody's")
				if err := h.Write.Put(a.Target, now); err != nil {
					t.Fatal(err)
				}
				return a.Target
			}
		}
	}
	return ""
}
