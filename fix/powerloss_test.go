package fix

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"trustfix/platform"
)

// losses are the ways in which a cut of power treats what was not synchronised:
// all of it reaches the medium, none of it, or any part.
func losses(yield func(name string, keep func() bool) bool) {
	if !yield("0 %", func() bool { return true }) || !yield("100 %", func() bool { return false }) {
		return
	}
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		if !yield(fmt.Sprintf("50 %%, seed %d", seed), func() bool { return rnd.IntN(2) == 0 }) {
			return
		}
	}
}

// lossTable counts, for the table in docs/reliability.md, how trees stood.
type lossTable struct {
	run    string
	counts map[string]*[2]int // old and new by how much was lost
}

func (l *lossTable) add(lost string, new int) {
	lost, _, _ = strings.Cut(lost, ",")
	if l.counts[lost] == nil {
		l.counts[lost] = &[2]int{}
	}
	l.counts[lost][new]++
}

// log prints the rows; every outcome that stands there has come about.
func (l *lossTable) log(t *testing.T) {
	t.Helper()
	for _, lost := range []string{"0 %", "50 %", "100 %"} {
		c := l.counts[lost]
		if c == nil || c[0] == 0 || c[0]+c[1] < 40 {
			t.Fatalf("%s, %s lost: %v", l.run, lost, c)
		}
		name := fmt.Sprintf("| %s | %s | ", l.run, lost)
		row := fmt.Sprintf("%s%d | %d | %d | 0 | 0 |", name, c[0]+c[1], c[0], c[1]) // torn and left over end the test
		t.Log(row)
		if *update {
			inPage(t, name, row)
		}
	}
}

// inPage puts a row into docs/reliability.md, in the place of the one that begins so.
func inPage(t *testing.T, name, row string) {
	t.Helper()
	const page = "../docs/reliability.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, name) })
	if i < 0 {
		t.Fatalf("%s has no row that begins with %q", page, name)
	}
	lines[i] = row
	if err := os.WriteFile(page, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// powerLoss cuts the power of a machine in every way, each on a copy of its
// own. The next run has to leave the tree as before or as after; it has to stay
// so when the power is cut again right then; and the run can be taken back.
func (l *lossTable) powerLoss(t *testing.T, m *memory, before, after map[string]platform.Image, where string) {
	t.Helper()
	for lost, keep := range losses {
		m, where := clone(m), where+", "+lost+" lost"
		m.losePower(keep)
		if _, err := Recover(t.Context(), m.host()); err != nil {
			t.Fatalf("%s: recovery: %v", where, err)
		}
		m.losePower(nothing)
		if again, err := Recover(t.Context(), m.host()); again != nil || err != nil {
			t.Fatalf("%s: after the recovery nothing may be left to do: %+v, %v", where, again, err)
		}
		noLeftovers(t, &memory{tree: m.tree}, where)
		switch diff := compare(before, m.tree); {
		case diff == "":
			l.add(lost, 0)
		case sameContent(after, m.tree):
			l.add(lost, 1)
		default:
			t.Fatalf("%s: torn:\n%s\nor, other than after:\n%s", where, diff, compare(after, m.tree))
		}
		if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
			t.Fatalf("%s: rollback: %v", where, err)
		}
		m.losePower(nothing)
		if diff := compare(before, m.tree); diff != "" {
			t.Fatalf("%s: after rollback:\n%s", where, diff)
		}
		noLeftovers(t, m, where)
	}
}

func nothing() bool { return false }

// atEveryEnd runs work on a copy of m for each n, with the n-th step being the
// last before the machine ends; the last time the work ends first.
func atEveryEnd(m *memory, work func(m *memory), then func(n int, m *memory)) {
	for n := 1; ; n++ {
		c := clone(m)
		c.ops, c.fail = 0, n
		crashed := crashes(func() { work(c) })
		c.fail = 0
		then(n, c)
		if !crashed {
			return
		}
	}
}

// wired is the sample machine with a disk that forgets, and its apply.
func wired(t *testing.T) (m *memory, apply func(m *memory), before, after map[string]platform.Image) {
	t.Helper()
	fixed, r := sample()
	mustApply(t, fixed, r)
	m, _ = sample()
	m.settle()
	plan := mustPlan(t, m, r)
	return m, func(m *memory) { _, _ = Apply(t.Context(), m.host(), plan, ApplyOptions{Verify: verifier(r)}) }, m.copyTree(), fixed.tree
}

// Row 3 of reliability.md §6: the power goes at every step of an apply, and
// after its last.
func TestPowerLossInApply(t *testing.T) {
	m, apply, before, after := wired(t)
	l := &lossTable{"apply", map[string]*[2]int{}}
	atEveryEnd(m, apply, func(n int, m *memory) {
		l.powerLoss(t, m, before, after, fmt.Sprintf("apply, step %d", n))
	})
	l.log(t)
}

func TestPowerLossInRollback(t *testing.T) {
	m, apply, before, after := wired(t)
	apply(m)
	l := &lossTable{"rollback", map[string]*[2]int{}}
	atEveryEnd(m, func(m *memory) { _, _ = Rollback(t.Context(), m.host(), "", false) }, func(n int, m *memory) {
		l.powerLoss(t, m, before, after, fmt.Sprintf("rollback, step %d", n))
	})
	l.log(t)
}

// A recovery goes by what it sees, and after a kill that may be more than what
// is on the medium.
func TestPowerLossInRecoveryAfterKill(t *testing.T) {
	m, apply, before, after := wired(t)
	l := &lossTable{"recovery", map[string]*[2]int{}}
	rollback := func(m *memory) { _, _ = Rollback(t.Context(), m.host(), "", false) }
	applied := clone(m)
	apply(applied)
	for what, run := range map[string]func(m *memory){"apply": apply, "rollback": rollback} {
		from := m
		if what == "rollback" {
			from = applied
		}
		atEveryEnd(from, run, func(n int, killed *memory) {
			if os.Getenv("KILL_POINTS") != "all" && n%40 != 5 { // they take a quarter of an hour
				return
			}
			atEveryEnd(killed, func(m *memory) { _, _ = Recover(t.Context(), m.host()) }, func(k int, m *memory) {
				l.powerLoss(t, m, before, after, fmt.Sprintf("%s killed at step %d, recovery at %d", what, n, k))
			})
		})
	}
	l.log(t)
}

// The tests above can fail: an engine that does not wait for the disk is torn.
func TestPowerLossFindsWhatIsNotSynchronised(t *testing.T) {
	m, apply, before, after := wired(t)
	m.hasty = true
	torn := 0
	atEveryEnd(m, apply, func(_ int, m *memory) {
		for _, keep := range losses {
			m := clone(m)
			m.losePower(keep)
			m.hasty = false
			_, err := Recover(t.Context(), m.host())
			if err != nil || !sameContent(before, m.tree) && !sameContent(after, m.tree) {
				torn++
			}
		}
	})
	if torn == 0 {
		t.Error("nothing was torn without a single fsync")
	}
}
