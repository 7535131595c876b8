package crash

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// An apply of the released program is killed at every call that changes
// something, in the middle of every write, or has that call fail. The next run
// finds everything as before or as after, and a rollback puts every byte back.
func TestApplySettings(t *testing.T) { settings.make(t).applies().try(t) }
func TestApplyStore(t *testing.T)    { store.make(t).applies().try(t) }
func TestApplyPin(t *testing.T)      { pin.make(t).applies().try(t) }
func TestApplyBroken(t *testing.T)   { brokenStore.make(t).applies().try(t) }

func TestRollbackSettings(t *testing.T) { settings.make(t).rollbacks().try(t) }
func TestRollbackStore(t *testing.T)    { store.make(t).rollbacks().try(t) }

func TestRecoverySettings(t *testing.T) { settings.make(t).recoveries(t).try(t) }
func TestRecoveryStore(t *testing.T)    { store.make(t).recoveries(t).try(t) }

func (m *made) applies() job {
	return job{
		name: "apply: " + m.name, code: m.code, least: 60, starts: []func(*testing.T) string{copyOf(m.found)},
		argv: m.repair,
		after: func(t *testing.T, p point) standing {
			m.saidSo(t, p)
			must(t, m.recovery(p.root)...)
			how := m.standing(t, p.root)
			if how == asBefore {
				m.original(t, p.root)
			}
			if how == someSteps && p.fault.errno == 0 && m.code == 0 {
				t.Error("the run is neither done nor undone")
			}
			m.undo(t, p.root)
			return how
		},
	}
}

// saidSo judges a run that met an error: its exit code says how the tree
// stands, and the person reads why.
func (m *made) saidSo(t *testing.T, p point) {
	t.Helper()
	switch {
	case p.fault.errno == 0:
	case p.code == 0:
		if how := m.standing(t, p.root); how != asAfter {
			t.Errorf("it says that all is repaired; the tree is %s", how)
		}
	case !slices.Contains([]int{1, 3, 4}, p.code):
		t.Errorf("exit %d", p.code)
	case !p.explained() && !p.at.tool && p.code != m.code:
		t.Errorf("exit %d without the reason", p.code)
	case p.code == 4 && !p.fault.onwards && m.standing(t, p.root) == torn:
		t.Error("it says that what failed was undone; it was not")
	}
}

func (m *made) rollbacks() job {
	return job{
		name: "rollback: " + m.name, least: 30, starts: []func(*testing.T) string{copyOf(m.applied)},
		argv: m.rollback,
		after: func(t *testing.T, p point) standing {
			switch {
			case p.fault.errno == 0:
			case p.code == 0:
				m.original(t, p.root) // it says so
			case p.code != 1 && p.code != 5:
				t.Errorf("exit %d", p.code)
			case !p.explained() && !p.at.tool:
				t.Errorf("exit %d without the reason", p.code)
			}
			return m.recovered(t, p)
		},
	}
}

// recovered is how a tree stands after the next run, as a whole: a rollback
// has no steps.
func (m *made) recovered(t *testing.T, p point) standing {
	must(t, m.recovery(p.root)...)
	now := look(t, p.root)
	m.undo(t, p.root)
	switch {
	case maps.Equal(now, m.before):
		return asBefore
	case maps.Equal(now, m.after), now.stand(m.before, m.after, m.steps) == asAfter:
		return asAfter
	}
	t.Logf("before, and now:\n%s", m.before.diff(now))
	return torn
}

// recover is the recovery of applies that were killed early, half-way and at
// the last, and of a rollback that was killed half-way.
func (m *made) recoveries(t *testing.T) job {
	j := job{name: "recovery: " + m.name, least: 3, argv: m.recovery}
	calls := m.calls(t, m.found, m.repair)
	changes := m.changes(calls)
	for _, n := range []int{changes[0], changes[len(changes)/2], changes[len(changes)-1], len(calls) - 2} {
		j.starts = append(j.starts, copyOf(m.cut(t, m.found, n+1, m.repair)))
	}
	changes = m.changes(m.calls(t, m.applied, m.rollback))
	j.starts = append(j.starts, copyOf(m.cut(t, m.applied, changes[len(changes)/2]+1, m.rollback)))
	j.after = func(t *testing.T, p point) standing {
		if p.fault.errno != 0 && p.code != 0 && !p.explained() {
			t.Errorf("exit %d without the reason", p.code)
		}
		return m.recovered(t, p)
	}
	return j
}

// changes are the numbers of the calls that change the tree itself.
func (m *made) changes(calls []*call) []int {
	var out []int
	for i, c := range calls {
		changed := c.path
		if c.to != "" {
			changed = c.to
		}
		if !strings.HasPrefix(changed, stateDir) && c.name != "fsync" {
			out = append(out, i+1)
		}
	}
	return out
}
