package fix

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// The engine's own tests know no certificate: findings are files that do not
// say what they should, and fixes write what they should say.

// editFix writes "fixed" for "broken" into the file that its finding names.
var editFix = &Fix{
	ID: "edit", For: []string{"broken"}, Reversible: true,
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		var out []Action
		for _, f := range fs {
			name, err := in.Files.Resolve(f.Where)
			if err != nil {
				return nil, err
			}
			img, err := in.Files.Snapshot(name)
			if err != nil {
				return nil, err
			}
			after := img
			after.Data = []byte(strings.Replace(string(img.Data), f.Subject, "fixed", 1))
			out = append(out, Action{Kind: FileAction, Target: name, Summary: text.Raw("edit " + name), Before: img, After: after})
		}
		return out, nil
	},
}

// writeFix makes a new file in directories that may not be there.
var writeFix = &Fix{
	ID: "write", For: []string{"absent"}, Reversible: true,
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		return []Action{{
			Kind: FileAction, Target: fs[0].Where, Summary: text.Raw("write " + fs[0].Where),
			After: platform.Image{Kind: platform.File, Data: []byte("fixed\n")},
		}}, nil
	},
}

// storeFix runs a program that rebuilds a directory.
var storeFix = &Fix{
	ID: "store", For: []string{"store-bad"}, Reversible: true,
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		conf := in.Files
		img, err := conf.Snapshot("/etc/store.conf")
		if err != nil {
			return nil, err
		}
		after := img
		after.Data = append(img.Data, "added\n"...)
		return []Action{
			{Kind: FileAction, Target: "/etc/store.conf", Summary: text.Raw("select"), Before: img, After: after},
			{
				Kind: CommandAction, Target: "rebuild", Summary: text.Raw("rebuild the store"),
				Do:      []platform.Cmd{{Argv: []string{"/bin/rebuild", "{ca.pem}"}}},
				Undo:    []platform.Cmd{{Argv: []string{"/bin/unbuild", "{ca.pem}"}}},
				Touches: []string{"/opt/store"},
				Temp:    map[string][]byte{"ca.pem": []byte("roots\n")},
			},
		}, nil
	},
}

var engineFixes = []*Fix{editFix, writeFix, storeFix}

func broken(where, what string) detect.Finding {
	return detect.Finding{ID: "broken", Severity: detect.Error, Where: where, Subject: what, Action: detect.Auto, Fix: "edit", Summary: text.Raw(where + " is broken")}
}

// sample is a machine with something of everything that is wrong with it.
func sample() (*memory, *detect.Report) {
	m := newMemory(map[string]string{
		"/etc/app.conf":         "first\nsecond\n",
		"/etc/other.conf":       "broken\r\nno end",
		"/home/lin/.rc":         "-> dots/rc",
		"/home/lin/dots/rc":     "broken\n",
		"/etc/store.conf":       "one\n",
		"/etc/store/a.pem":      "a",
		"/etc/store/b.pem":      "b",
		"/etc/store/link":       "-> a.pem",
		"/etc/store/sub/c.pem":  "c",
		"/etc/store/sub2/d.pem": "d",
		"/opt/store":            "-> ../etc/store",
		"/run/x":                "",
		"/srv/untouched":        "x",
	})
	m.programs["/bin/rebuild"] = func(m *memory, c platform.Cmd) error {
		if img := m.tree[c.Argv[1]]; string(img.Data) != "roots\n" {
			return errors.New("no roots at " + c.Argv[1])
		}
		for _, err := range []error{
			m.put("/etc/store/a.pem", "A"), m.put("/etc/store/new.pem", "new"), m.put("/etc/store/c0", "c"),
			m.remove("/etc/store/sub2/d.pem"), m.remove("/etc/store/sub2"), m.remove("/etc/store/link"),
			m.put("/etc/store/sub/c.pem", "c"), // the same bytes, another time
		} {
			if err != nil {
				return err
			}
		}
		m.link("/etc/store/link", platform.Image{Kind: platform.Link, Link: "new.pem", MTime: m.clock})
		return nil
	}
	// The package manager's removal leaves its own mess, which must go too.
	m.programs["/bin/unbuild"] = func(m *memory, c platform.Cmd) error {
		if img := m.tree[c.Argv[1]]; string(img.Data) != "roots\n" {
			return errors.New("no roots at " + c.Argv[1])
		}
		if err := m.put("/etc/store/mess", "mess"); err != nil {
			return err
		}
		// … in a file, too, that the step changed and nobody said this touches.
		if err := m.put("/etc/store.conf", "mess"); err != nil {
			return err
		}
		// A directory that is as it was, but made again.
		sub := m.tree["/etc/store/sub"]
		if err := errors.Join(m.remove("/etc/store/sub/c.pem"), m.remove("/etc/store/sub"), m.step()); err != nil {
			return err
		}
		m.link("/etc/store/sub", sub)
		return m.remove("/etc/store/b.pem")
	}
	r := &detect.Report{Findings: []detect.Finding{
		broken("/etc/app.conf", "first"),
		broken("/etc/app.conf", "second"),
		broken("/home/lin/.rc", "broken"),
		{ID: "absent", Severity: detect.Warning, Where: "/etc/new/deep/x.conf", Action: detect.Auto, Fix: "write"},
		{ID: "store-bad", Severity: detect.Error, Where: "/etc/store", Action: detect.Auto, Fix: "store"},
		{ID: "broken", Severity: detect.Info, Where: "/srv/untouched", Subject: "x", Action: detect.Auto, Fix: "edit"},
		{ID: "broken", Severity: detect.Error, Where: "/srv/untouched", Subject: "x", Action: detect.Consent, Fix: "edit"},
		{ID: "broken", Severity: detect.Error, Where: "/srv/untouched", Subject: "x", Action: detect.Manual, Fix: "edit"},
	}}
	return m, r
}

// isFixed is the check that finds what the fixes repair.
func isFixed(v *platform.View, f detect.Finding) bool {
	switch f.ID {
	case "broken":
		data, _ := v.Files.ReadFile(f.Where)
		return !strings.Contains(string(data), f.Subject)
	case "absent":
		_, err := v.Files.Stat(f.Where)
		return err == nil
	}
	data, _ := v.Files.ReadFile("/etc/store/a.pem")
	return string(data) == "A"
}

func verifier(r *detect.Report) func(context.Context, *platform.View, *Step) ([]detect.Finding, error) {
	return func(_ context.Context, v *platform.View, s *Step) ([]detect.Finding, error) {
		var still []detect.Finding
		for _, f := range s.Of(r) {
			if !isFixed(v, f) {
				still = append(still, f)
			}
		}
		return still, nil
	}
}

// remaining is the report of a second diagnosis.
func remaining(m *memory, r *detect.Report) *detect.Report {
	again := &detect.Report{}
	for _, f := range r.Findings {
		if f.Severity == detect.Info || f.Action != detect.Auto || !isFixed(m.host().View, f) {
			again.Findings = append(again.Findings, f)
		}
	}
	return again
}

func mustPlan(t *testing.T, m *memory, r *detect.Report) *Plan {
	t.Helper()
	p, err := makePlan(t.Context(), &Input{View: m.host().View, Report: r}, engineFixes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustApply(t *testing.T, m *memory, r *detect.Report) *Run {
	t.Helper()
	run, err := Apply(t.Context(), m.host(), mustPlan(t, m, r), ApplyOptions{Verify: verifier(r)})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestApplyThenRollbackIsByteIdentical(t *testing.T) {
	m, r := sample()
	before := m.copyTree()
	run := mustApply(t, m, r)
	if run.State != RunApplied || run.Count(Done) != 5 || len(run.Steps) != 5 {
		t.Fatalf("run: %+v", run)
	}
	for name, want := range map[string]string{
		"/etc/app.conf": "fixed\nfixed\n", "/home/lin/dots/rc": "fixed\n", "/etc/new/deep/x.conf": "fixed\n",
		"/etc/store.conf": "one\nadded\n", "/etc/store/a.pem": "A", "/etc/store/new.pem": "new",
	} {
		if got := string(m.tree[name].Data); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if m.tree["/home/lin/.rc"].Kind != platform.Link {
		t.Error("the link was replaced by a file")
	}
	if names := strings.Join(children(m.tree, "/run"), " "); names != "x" {
		t.Errorf("temporary files are left: %s", names)
	}

	again := remaining(m, r)
	if plan := mustPlan(t, m, again); len(plan.Steps) != 0 {
		t.Errorf("a second apply would change something: %+v", plan.Steps[0])
	}

	undone, err := Rollback(t.Context(), m.host(), "", false)
	if err != nil || undone == nil || undone.ID != run.ID || undone.State != RunUndone {
		t.Fatalf("rollback: %+v, %v", undone, err)
	}
	if diff := compare(before, m.tree); diff != "" {
		t.Errorf("the tree is not what it was:\n%s", diff)
	}
	if undone, err := Rollback(t.Context(), m.host(), "", false); undone != nil || err != nil {
		t.Errorf("a second rollback did something: %+v, %v", undone, err)
	}
	infos, err := History(m.host())
	if err != nil || len(infos) != 1 || infos[0].State != RunUndone || len(infos[0].Paths) < 8 {
		t.Errorf("history: %+v, %v", infos, err)
	}
}

func TestApplyOfNothingMakesNoRun(t *testing.T) {
	m, _ := sample()
	run, err := Apply(t.Context(), m.host(), mustPlan(t, m, &detect.Report{}), ApplyOptions{})
	if run != nil || err != nil {
		t.Errorf("run %+v, %v", run, err)
	}
	if len(m.state) != 1 {
		t.Errorf("state: %v", m.state)
	}
}

func TestStepThatDoesNotHelpIsUndone(t *testing.T) {
	m, r := sample()
	m.programs["/bin/rebuild"] = func(m *memory, _ platform.Cmd) error { return m.put("/etc/store/a.pem", "worse") }
	before := m.copyTree()
	r.Findings = r.Findings[4:5]
	var events []Status
	plan := mustPlan(t, m, r)
	run, err := Apply(t.Context(), m.host(), plan, ApplyOptions{
		Verify: verifier(r), Progress: func(e StepEvent) { events = append(events, e.Status) },
	})
	if err != nil || run.State != RunUndone || run.Steps[0].Status != Undone || run.Steps[0].Error.IsZero() {
		t.Fatalf("run %+v, %v", run, err)
	}
	if diff := compare(before, m.tree); diff != "" {
		t.Errorf("not taken back:\n%s", diff)
	}
	if len(events) != 2 || events[0] != Started || events[1] != Undone {
		t.Errorf("events %v", events)
	}
	if undone, err := Rollback(t.Context(), m.host(), "", false); undone != nil || err != nil {
		t.Errorf("an undone run was rolled back: %+v %v", undone, err)
	}
}

func TestFailureKeepsEarlierStepsAndGoesOn(t *testing.T) {
	m, r := sample()
	m.programs["/bin/rebuild"] = func(m *memory, _ platform.Cmd) error {
		_ = m.put("/etc/store/a.pem", "half")
		return errors.New("exit status 1 https://u:secret@mirror/")
	}
	before := m.copyTree()
	// The failing step first.
	fixes := []*Fix{storeFix, editFix}
	plan, err := makePlan(t.Context(), &Input{View: m.host().View, Report: r}, fixes)
	if err != nil {
		t.Fatal(err)
	}
	run, err := Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)})
	if err != nil || run.State != RunPartial || run.Steps[0].Status != Failed || run.Count(Done) != 3 {
		t.Fatalf("run %+v, %v", run, err)
	}
	if msg := run.Steps[0].Error.String(); strings.Contains(msg, "secret") || !strings.Contains(msg, "exit status 1") {
		t.Errorf("error %q", msg)
	}
	if string(m.tree["/etc/store/a.pem"].Data) != "a" || string(m.tree["/etc/store.conf"].Data) != "one\n" {
		t.Error("the failed step was not taken back")
	}
	if _, err := Rollback(t.Context(), m.host(), run.ID, false); err != nil {
		t.Fatal(err)
	}
	if diff := compare(before, m.tree); diff != "" {
		t.Errorf("not taken back:\n%s", diff)
	}
}

func TestStepThatBuildsOnAFailedOneIsSkipped(t *testing.T) {
	m, r := sample()
	r.Findings = r.Findings[:2] // both in /etc/app.conf
	plan := mustPlan(t, m, r)
	run, err := Apply(t.Context(), m.host(), plan, ApplyOptions{
		Verify: func(_ context.Context, _ *platform.View, s *Step) ([]detect.Finding, error) { return s.Of(r), nil },
	})
	if err != nil || run.Steps[0].Status != Undone || run.Steps[1].Status != Skipped {
		t.Fatalf("run %+v, %v", run, err)
	}
	if string(m.tree["/etc/app.conf"].Data) != "first\nsecond\n" {
		t.Error("the file was changed")
	}
}

func TestStaleFileIsLeftAlone(t *testing.T) {
	m, r := sample()
	r.Findings = r.Findings[:1]
	plan := mustPlan(t, m, r)
	m.tree["/etc/app.conf"] = m.file("somebody else's first\n")
	run, err := Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)})
	if err != nil || run.Steps[0].Status != Failed || !strings.Contains(run.Steps[0].Error.String(), "/etc/app.conf") {
		t.Fatalf("run %+v, %v", run, err)
	}
	if string(m.tree["/etc/app.conf"].Data) != "somebody else's first\n" || run.ID != "" {
		t.Errorf("touched, or a run was made: %q", run.ID)
	}
}

func TestInterruptUndoesTheStepInFlight(t *testing.T) {
	m, r := sample()
	before := m.copyTree()
	ctx, cancel := context.WithCancel(t.Context())
	m.programs["/bin/rebuild"] = func(m *memory, c platform.Cmd) error {
		_ = m.put("/etc/store/a.pem", "half")
		cancel()
		return context.Canceled
	}
	run, err := Apply(ctx, m.host(), mustPlan(t, m, r), ApplyOptions{Verify: verifier(r)})
	if !errors.Is(err, context.Canceled) || run.State != RunPartial || run.Steps[4].Status != Undone {
		t.Fatalf("run %+v, %v", run, err)
	}
	if m.tree["/etc/store/a.pem"].SHA256 != before["/etc/store/a.pem"].SHA256 {
		t.Error("the step in flight was not taken back")
	}
	if info, err := Interrupted(m.host().State); info != nil || err != nil {
		t.Errorf("interrupted: %+v, %v", info, err)
	}
	if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
		t.Fatal(err)
	}
	if diff := compare(before, m.tree); diff != "" {
		t.Errorf("not taken back:\n%s", diff)
	}
}

func TestSecondRunAtTheSameTimeIsRefused(t *testing.T) {
	m, r := sample()
	h := m.host()
	plan := mustPlan(t, m, r)
	unlock, _ := h.State.Lock()
	if _, err := Apply(t.Context(), h, plan, ApplyOptions{}); !errors.Is(err, platform.ErrLocked) {
		t.Errorf("apply: %v", err)
	}
	unlock()
	mustApply(t, m, r)
	h = m.host()
	unlock, _ = h.State.Lock()
	defer unlock()
	if _, err := Rollback(t.Context(), h, "", false); !errors.Is(err, platform.ErrLocked) {
		t.Errorf("rollback: %v", err)
	}
}

func TestClock(t *testing.T) {
	m := newMemory(nil)
	h := m.host()
	a := &Action{Kind: ClockAction, Offset: time.Hour, Measured: m.clock}
	if err := doers[ClockAction](t.Context(), h, op{kind: ClockAction, action: a}); err != nil {
		t.Fatal(err)
	}
	if want := a.Measured.Add(time.Hour); !m.set.Equal(want) {
		t.Errorf("set to %v, want %v", m.set, want)
	}
	h.Rooted = true
	if err := doers[ClockAction](t.Context(), h, op{kind: ClockAction, action: a}); err == nil {
		t.Error("the clock was set for another root")
	}
}
