package fix

import (
	"errors"
	"strings"
	"testing"

	"trustfix/platform"
)

func TestInterruptedOnlyLooks(t *testing.T) {
	m, r := sample()
	plan := mustPlan(t, m, r)
	m.ops, m.fail = 0, 90
	if !crashes(func() { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{}) }) {
		t.Fatal("no crash")
	}
	m.fail = 0
	ops, h := m.ops, m.host()
	info, err := Interrupted(h.State)
	if err != nil || info == nil || info.State != RunInterrupted || m.ops != ops {
		t.Fatalf("%+v, %v, %d steps", info, err, m.ops-ops)
	}
	unlock, _ := h.State.Lock()
	if info, err := Interrupted(h.State); info != nil || err != nil {
		t.Errorf("a run under way is called interrupted: %+v %v", info, err)
	}
	unlock()
	before, _ := sample()
	// A rollback recovers; the interrupted run was the one meant.
	run, err := Rollback(t.Context(), m.host(), "", false)
	if err != nil || run.ID != info.ID || run.Outcome.IsZero() || run.State != RunUndone {
		t.Fatalf("%+v, %v", run, err)
	}
	if diff := compare(before.tree, m.tree); diff != "" {
		t.Errorf("differs:\n%s", diff)
	}
}

func TestRecoveryRefusesWhatSomebodyChangedMeanwhile(t *testing.T) {
	m, r := sample()
	r.Findings = r.Findings[:1]
	plan := mustPlan(t, m, r)
	for n := 1; ; n++ {
		m, _ = sample()
		m.fail = n
		crashes(func() { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{}) })
		if string(m.tree["/etc/app.conf"].Data) == "fixed\nsecond\n" {
			break
		}
	}
	m.fail = 0
	m.tree["/etc/app.conf"] = m.file("mine")
	var c *Conflict
	if _, err := Recover(t.Context(), m.host()); !errors.As(err, &c) {
		t.Fatalf("recovery: %v", err)
	}
	if string(m.tree["/etc/app.conf"].Data) != "mine" {
		t.Error("touched")
	}
	if _, err := Rollback(t.Context(), m.host(), "", true); err != nil {
		t.Fatalf("forced: %v", err)
	}
	if string(m.tree["/etc/app.conf"].Data) != "first\nsecond\n" || string(m.tree["/etc/app.conf.trustfix-kept-"+c.Run].Data) != "mine" {
		t.Error("not restored, or somebody's version is lost")
	}
}

// Row 7.
func TestReadOnlyIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	m, r := sample()
	r.Findings = r.Findings[3:4]
	m.readOnly = map[string]error{"/etc/new": platform.ErrReadOnly}
	before := m.copyTree()
	run, err := Apply(t.Context(), m.host(), mustPlan(t, m, r), ApplyOptions{})
	if err != nil || run.State != RunFailed || run.ID != "" || !strings.Contains(run.Steps[0].Error.String(), "read-only file system") {
		t.Fatalf("run %+v, %v", run, err)
	}
	if diff := compare(before, m.tree); diff != "" || len(m.state) != 1 {
		t.Errorf("touched:\n%s %v", diff, m.state)
	}
	m, _, _ = applied(t)
	m.readOnly = map[string]error{"/etc/app.conf": platform.ErrImmutable}
	tree := m.copyTree()
	var u *Unwritable
	if _, err := Rollback(t.Context(), m.host(), "", false); !errors.As(err, &u) || u.Path != "/etc/app.conf" {
		t.Errorf("rollback: %v", err)
	}
	if diff := compare(tree, m.tree); diff != "" {
		t.Errorf("touched:\n%s", diff)
	}
}

// Row 4: what has no room is refused before anything is touched; with room
// again it goes through. A program's step counts what stands where it writes.
func TestNoSpaceIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	for _, dir := range []string{"/state", "/etc", "/etc/store", "/run", "/home/lin/dots"} {
		m, r := sample()
		before := m.copyTree()
		m.space = map[string]int64{dir: 1000}
		run, err := Apply(t.Context(), m.host(), mustPlan(t, m, r), ApplyOptions{Verify: verifier(r)})
		if err != nil || run.Count(Failed) == 0 {
			t.Fatalf("%s: %+v, %v", dir, run, err)
		}
		for _, s := range run.Steps {
			if s.Status == Failed && !strings.Contains(s.Error.String(), "no space: "+dir+" has 1 KB left") {
				t.Errorf("%s: %s", dir, s.Error)
			}
		}
		if dir == "/state" && (run.ID != "" || len(m.state) != 1 || compare(before, m.tree) != "") {
			t.Errorf("%s: touched, %v", dir, m.state)
		}
		m.space[dir] = 1 << 20
		if run := mustApply(t, m, remaining(m, r)); run.State != RunApplied {
			t.Errorf("%s, with room: %+v", dir, run)
		}
		for range 2 {
			if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
				t.Fatal(err)
			}
		}
		if diff := compare(before, m.tree); diff != "" {
			t.Errorf("%s:\n%s", dir, diff)
		}
	}
}

// Row 48: a journal that a restart or another machine may take away is said so.
func TestJournalOnPassingMedium(t *testing.T) {
	for medium, want := range map[string]string{"": "", "tmpfs": "after a restart of this machine there is no way back", "nfs": "on this one only"} {
		m, r := sample()
		m.medium = medium
		run := mustApply(t, m, r)
		said := ""
		for _, n := range run.Notes {
			said += n.String()
		}
		if (said == "") != (want == "") || !strings.Contains(said, want) {
			t.Errorf("%s: %q", medium, said)
		}
	}
}

// Row 8: a bind-mounted file is written in place; torn, it is still ours.
func TestKillInsideAnInPlaceWrite(t *testing.T) {
	for n := 1; ; n++ {
		m, r := sample()
		r.Findings = r.Findings[:2]
		m.mounts = map[string]bool{"/etc/app.conf": true}
		before := m.copyTree()
		plan := mustPlan(t, m, r)
		m.ops, m.fail = 0, n
		crashed := crashes(func() { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)}) })
		m.fail = 0
		if _, err := Recover(t.Context(), m.host()); err != nil {
			t.Fatalf("at %d: %v", n, err)
		}
		if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
			t.Fatalf("at %d: %v", n, err)
		}
		if diff := compare(before, m.tree); diff != "" {
			t.Fatalf("at %d:\n%s", n, diff)
		}
		if !crashed {
			return
		}
	}
}

func TestPipeThatAProgramReplacedIsReported(t *testing.T) {
	m, r := sample()
	m.tree["/etc/store/b.pem"] = platform.Image{Kind: platform.Other, MTime: m.clock}
	m.programs["/bin/rebuild"] = func(m *memory, _ platform.Cmd) error {
		return errors.Join(m.put("/etc/store/b.pem", "b"), m.put("/etc/store/a.pem", "A"))
	}
	m.programs["/bin/unbuild"] = func(*memory, platform.Cmd) error { return nil }
	r.Findings = r.Findings[4:5]
	before := m.copyTree()
	mustApply(t, m, r)
	var i *Incomplete
	if _, err := Rollback(t.Context(), m.host(), "", false); !errors.As(err, &i) || !strings.Contains(i.Error(), "/etc/store/b.pem") {
		t.Fatalf("error %v", err)
	}
	if m.tree["/etc/store/a.pem"].SHA256 != before["/etc/store/a.pem"].SHA256 {
		t.Error("the rest was not taken back")
	}
}
