package fix

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"trustfix/platform"
)

// noLeftovers fails for temporary files in the tree and in the journal.
func noLeftovers(t *testing.T, m *memory, where string) {
	t.Helper()
	for _, side := range []map[string]platform.Image{m.tree, m.state} {
		for p := range side {
			if i := strings.LastIndex(p, "/"); platform.IsTemp(p[i+1:]) || strings.HasSuffix(p, ".tmp") {
				t.Errorf("%s: %s is left", where, p)
			}
		}
	}
}

// atEveryStep runs work on a fresh machine again and again, with the n-th
// step going wrong as prepare says, until nothing goes wrong any more.
func atEveryStep(t *testing.T, prepare func(m *memory, n int), fresh func() *memory, work func(m *memory), after func(t *testing.T, m *memory, n int)) {
	t.Helper()
	for n := 1; ; n++ {
		m := fresh()
		m.ops = 0
		prepare(m, n)
		work(m)
		reached := m.ops >= n
		m.fail, m.stuck = 0, false
		if !reached {
			t.Logf("%d points", n-1)
			if n < 40 {
				t.Errorf("only %d points", n-1)
			}
			return
		}
		after(t, m, n)
		if t.Failed() {
			t.Fatalf("at step %d", n)
		}
	}
}

// Row 1 of reliability.md §6.
func TestKillAtEveryStepOfApply(t *testing.T) {
	fixed, r := sample()
	before := fixed.copyTree()
	mustApply(t, fixed, r)
	var old, done int
	atEveryStep(t,
		func(m *memory, n int) { m.fail = n },
		func() *memory { m, _ := sample(); return m },
		func(m *memory) {
			plan := mustPlan(t, m, r)
			crashes(func() { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)}) })
		},
		func(t *testing.T, m *memory, n int) {
			info, err := Interrupted(m.host().State)
			if err != nil {
				t.Fatal(err)
			}
			run, err := Recover(t.Context(), m.host())
			if err != nil {
				t.Fatalf("recovery: %v", err)
			}
			if (info != nil) != (run != nil) {
				t.Errorf("interrupted %+v, recovered %+v", info, run)
			}
			if run != nil && run.Outcome.IsZero() {
				t.Error("the recovery does not say which way it went")
			}
			noLeftovers(t, m, "apply")
			switch diff := compare(before, m.tree); {
			case diff == "":
				old++
			case sameContent(fixed.tree, m.tree):
				done++
			default:
				t.Errorf("torn:\n%s", diff)
			}
			if again, err := Recover(t.Context(), m.host()); again != nil || err != nil {
				t.Errorf("a second recovery did something: %+v %v", again, err)
			}
			if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
				t.Fatal(err)
			}
			if diff := compare(before, m.tree); diff != "" {
				t.Errorf("after recovery and rollback:\n%s", diff)
			}
		})
	t.Logf("old %d, new %d", old, done)
	if old == 0 || done == 0 {
		t.Error("one of the two outcomes never came about")
	}
}

// Row 2: a kill inside the recovery, and inside that one's recovery.
func TestKillInsideRecovery(t *testing.T) {
	_, r := sample()
	first, _ := sample()
	before := first.copyTree()
	points := 0
	for n := 1; ; n++ {
		m, _ := sample()
		plan := mustPlan(t, m, r)
		m.ops, m.fail = 0, n
		if !crashes(func() { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)}) }) {
			break
		}
		if n%5 != 0 && n > 12 { // every fifth point in depth keeps this short
			continue
		}
		for k := 1; ; k++ {
			deep := clone(m)
			deep.ops, deep.fail = 0, k
			crashed := crashes(func() { _, _ = Recover(t.Context(), deep.host()) })
			deep.fail = 0
			if _, err := Recover(t.Context(), deep.host()); err != nil {
				t.Fatalf("apply %d, recovery %d: %v", n, k, err)
			}
			if _, err := Rollback(t.Context(), deep.host(), "", false); err != nil {
				t.Fatalf("apply %d, recovery %d: %v", n, k, err)
			}
			noLeftovers(t, deep, fmt.Sprintf("apply %d, recovery %d", n, k))
			if diff := compare(before, deep.tree); diff != "" {
				t.Fatalf("apply %d, recovery %d:\n%s", n, k, diff)
			}
			points++
			if !crashed {
				break
			}
		}
	}
	t.Logf("%d points", points)
}

func clone(m *memory) *memory {
	c := *m
	c.tree, c.state = m.copyTree(), map[string]platform.Image{}
	for k, v := range m.state {
		c.state[k] = v
	}
	c.disk = m.disk.clone()
	return &c
}

func TestKillAtEveryStepOfRollback(t *testing.T) {
	first, r := sample()
	before := first.copyTree()
	atEveryStep(t,
		func(m *memory, n int) { m.fail = n },
		func() *memory { m, _ := sample(); mustApply(t, m, r); return m },
		func(m *memory) {
			crashes(func() { _, _ = Rollback(t.Context(), m.host(), "", false) })
		},
		func(t *testing.T, m *memory, n int) {
			if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
				t.Fatal(err)
			}
			noLeftovers(t, m, "rollback")
			if diff := compare(before, m.tree); diff != "" {
				t.Errorf("torn:\n%s", diff)
			}
		})
}

// errnos are the ways in which a disk says no.
var errnos = []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS, syscall.EDQUOT, syscall.EINTR}

// failing runs f for every errno, with one call failing or all from then on.
func failing(t *testing.T, f func(t *testing.T, prepare func(m *memory, n int))) {
	for _, errno := range errnos {
		for _, stuck := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, stuck=%v", errno, stuck), func(t *testing.T) {
				f(t, func(m *memory, n int) { m.fail, m.err, m.stuck = n, errno, stuck })
			})
		}
	}
}

// Rows 4, 5 and 6: the n-th call fails, once or from then on (a full disk);
// and then the power goes.
func TestFailedWriteAtEveryStep(t *testing.T) {
	failing(t, func(t *testing.T, prepare func(m *memory, n int)) {
		fixed, r := sample()
		before := fixed.copyTree()
		mustApply(t, fixed, r)
		atEveryStep(t, prepare,
			func() *memory { m, _ := sample(); m.settle(); return m },
			func(m *memory) {
				plan := mustPlan(t, m, r)
				run, err := Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)})
				if err == nil && run.State == RunApplied && m.ops >= m.fail && !sameContent(fixed.tree, m.tree) {
					t.Errorf("a failure was taken for success: %+v", run)
				}
			},
			func(t *testing.T, m *memory, n int) {
				m.losePower(nothing)
				if _, err := Recover(t.Context(), m.host()); err != nil {
					t.Fatal(err)
				}
				noLeftovers(t, &memory{tree: m.tree}, "apply")
				wholeSteps(t, before, fixed.tree, m)
				if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
					t.Fatal(err)
				}
				if diff := compare(before, m.tree); diff != "" {
					t.Errorf("after rollback:\n%s", diff)
				}
			})
	})
}

// wholeSteps fails when a step's paths are neither all as before nor all as after.
func wholeSteps(t *testing.T, before, after map[string]platform.Image, m *memory) {
	t.Helper()
	for _, paths := range [][]string{
		{"/etc/new", "/etc/new/deep", "/etc/new/deep/x.conf"},
		{"/home/lin/dots/rc"},
		{"/etc/store.conf", "/etc/store/a.pem", "/etc/store/b.pem", "/etc/store/link", "/etc/store/new.pem", "/etc/store/sub2/d.pem", "/etc/store/mess"},
	} {
		old, done := true, true
		for _, p := range paths {
			old = old && m.tree[p].Same(before[p])
			done = done && m.tree[p].Same(after[p])
		}
		if !old && !done {
			t.Errorf("torn: %v", paths)
		}
	}
}

func TestFailedWriteInsideRollback(t *testing.T) {
	first, r := sample()
	before := first.copyTree()
	failing(t, func(t *testing.T, prepare func(m *memory, n int)) {
		atEveryStep(t, prepare,
			func() *memory { m, _ := sample(); mustApply(t, m, r); return m },
			func(m *memory) { _, _ = Rollback(t.Context(), m.host(), "", false) },
			undoneAtLast(before))
	})
}

// undoneAtLast says that a rollback without faults ends what others began.
func undoneAtLast(before map[string]platform.Image) func(t *testing.T, m *memory, n int) {
	return func(t *testing.T, m *memory, n int) {
		if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
			t.Fatal(err)
		}
		noLeftovers(t, m, "rollback")
		if diff := compare(before, m.tree); diff != "" {
			t.Errorf("torn:\n%s", diff)
		}
	}
}

func TestFailedWriteInsideRecovery(t *testing.T) {
	first, r := sample()
	before := first.copyTree()
	plan := mustPlan(t, first, r)
	failing(t, func(t *testing.T, prepare func(m *memory, n int)) {
		atEveryStep(t, prepare,
			func() *memory {
				m, _ := sample()
				m.ops, m.fail = 0, 170 // the store's program has ended, there is most to take back
				if !crashes(func() { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{}) }) {
					t.Fatal("no crash")
				}
				m.fail = 0
				return m
			},
			func(m *memory) { _, _ = Recover(t.Context(), m.host()) },
			undoneAtLast(before))
	})
}
