package crash

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// failure is one kind of fault.
type failure struct {
	name  string
	errno syscall.Errno // 0: none, it is killed
	lasts bool          // it also happens from a call on: a disk that stays full, is gone, is read-only now
}

// failures are what happens at a call, once or from there on.
var failures = []failure{
	{name: "SIGKILL"},
	{"ENOSPC", syscall.ENOSPC, true},
	{"EIO", syscall.EIO, true},
	{"EROFS", syscall.EROFS, true},
	{"EDQUOT", syscall.EDQUOT, false},
	{"EINTR", syscall.EINTR, false},
}

// enough is how many points are tried for one kind of fault, at equal distances,
// where not all are.
func (f failure) enough() int {
	switch {
	case tried == "all" || tried == "kill" && f.errno == 0:
		return math.MaxInt
	case f.errno == 0:
		return 12
	}
	return 2
}

// job is one kind of run that faults happen to.
type job struct {
	name   string
	starts []func(t *testing.T) string // trees as the run may find them
	argv   func(root string) []string
	code   int                                  // of the exit where nothing happens
	least  int                                  // calls that it makes at least
	after  func(t *testing.T, p point) standing // judges, with the runs that follow
}

// point is a run that a fault happened to.
type point struct {
	outcome
	root  string
	fault fault
	at    *call
}

// explained says whether an error reached the person with its reason, however
// the lines were broken.
func (p point) explained() bool {
	plain := strings.NewReplacer(" ", "", "\n", "").Replace
	return strings.Contains(plain(p.output), plain(p.fault.errno.Error()))
}

// place is where a fault happens: at a call of the run that begins with a start.
type place struct {
	start int
	fault fault
}

// try makes all rows of a job.
func (j job) try(t *testing.T) {
	var calls [][]*call
	for i, fresh := range j.starts {
		root := fresh(t)
		whole := trace(t, []string{root}, fault{}, environment, j.argv(root)...)
		if whole.code != j.code {
			t.Fatalf("%s, start %d: exit %d\n%s", j.name, i, whole.code, whole.output)
		}
		if len(whole.calls) < j.least {
			t.Fatalf("%s, start %d: only %d calls, the tracer does not see them: %v", j.name, i, len(whole.calls), whole.calls)
		}
		calls = append(calls, whole.calls)
	}
	for i, f := range failures {
		for _, onwards := range []bool{false, true} {
			if onwards && !f.lasts {
				continue
			}
			name := f.name
			if onwards {
				name += " from there on"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				places := points(calls, f, onwards)
				if stride := len(places) / f.enough(); stride > 1 {
					start := i // other points for each kind
					places = slices.DeleteFunc(places, func(place) bool { start++; return start%stride != 0 })
				}
				j.row(t, name, places)
			})
		}
	}
}

// points are all places for one kind of fault. A kill strikes before each call,
// and in the middle of each write.
func points(calls [][]*call, f failure, onwards bool) []place {
	var out []place
	for start := range calls {
		for i, c := range calls[start] {
			p := place{start, fault{at: i + 1, errno: f.errno, onwards: onwards}}
			out = append(out, p)
			if f.errno == 0 && c.size > 1 {
				p.fault.half = true
				out = append(out, p)
			}
		}
	}
	return out
}

func (j job) row(t *testing.T, name string, places []place) {
	r := result{job: j.name, fault: name, standing: map[standing]int{}}
	for _, at := range places {
		t.Run(fmt.Sprintf("%d.%d", at.start, at.fault.at), func(t *testing.T) {
			root := j.starts[at.start](t)
			p := point{root: root, fault: at.fault}
			p.outcome = trace(t, []string{root}, p.fault, environment, j.argv(root)...)
			if !p.hit {
				t.Fatalf("there is no %d. call: the runs differ", p.fault.at)
			}
			p.at = p.calls[p.fault.at-1]
			r.points++
			if p.fault.errno == 0 && p.code != killed {
				t.Errorf("killed, and it ended with %d", p.code)
			}
			if strings.Contains(p.output, "goroutine ") {
				t.Error("it panicked")
			}
			how := j.after(t, p)
			r.standing[how]++
			if how == torn {
				t.Error("torn")
			}
			if left := leftovers(t, root); len(left) > 0 {
				r.left++
				t.Errorf("left over: %v", left)
			}
			if t.Failed() {
				t.Logf("%s at %s (half: %v), exit %d:\n%s", name, strings.ReplaceAll(p.at.String(), root, ""), p.fault.half, p.code, p.output)
			}
		})
		if t.Failed() && tried != "all" {
			break
		}
	}
	t.Log(r)
	results.add(r)
}
