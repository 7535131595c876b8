package fix

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"trustfix/internal/text"
	"trustfix/platform"
)

// Interrupted is the run that was cut short and waits to be recovered, or nil.
// It changes nothing; a run that is under way right now is not interrupted.
func Interrupted(state platform.Dir) (*RunInfo, error) {
	runs, err := loadRuns(state)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if !r.unfinished() {
			continue
		}
		unlock, err := state.Lock()
		if errors.Is(err, platform.ErrLocked) {
			return nil, nil
		}
		if err == nil {
			unlock()
		}
		info := r.info()
		return &info, nil
	}
	return nil, nil
}

// Recover ends a run that was cut short: one whose every step had ended is
// closed, a rollback is finished, anything else is taken back as a whole. The
// Run's Outcome says which. nil, nil: there was none.
func Recover(ctx context.Context, h *platform.Host) (*Run, error) {
	if !leftovers(h.State) {
		if info, err := Interrupted(h.State); err != nil || info == nil {
			return nil, err
		}
	}
	unlock, err := h.State.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return recoverRun(ctx, h, false)
}

// leftovers says whether there are runs that never began.
func leftovers(state platform.Dir) bool {
	names, _ := state.ReadDir(runsDir)
	for _, n := range names {
		if isUnborn(n) {
			return true
		}
	}
	return false
}

func isUnborn(name string) bool {
	id, ok := strings.CutSuffix(name, ".tmp")
	return ok && runID.MatchString(id)
}

// recoverRun does it under the lock. There is one such run at most, since
// every apply and rollback begins here.
func recoverRun(ctx context.Context, h *platform.Host, force bool) (*Run, error) {
	names, err := h.State.ReadDir(runsDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, n := range names {
		if isUnborn(n) {
			if err := h.State.RemoveAll(path.Join(runsDir, n)); err != nil {
				return nil, err
			}
		}
	}
	runs, err := loadRuns(h.State)
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	if err := h.State.Sync(runsDir); err != nil {
		return nil, err
	}
	for _, r := range runs {
		if err := r.sweep(); err != nil {
			return nil, err
		}
	}
	for _, r := range runs {
		if !r.unfinished() {
			continue
		}
		if err := r.loadSteps(); err != nil {
			return nil, err
		}
		if err := r.lookBack(runs); err != nil {
			return nil, err
		}
		return endRun(ctx, h, r, force)
	}
	return nil, nil
}

func endRun(ctx context.Context, h *platform.Host, r *runRecord, force bool) (*Run, error) {
	if r.Undoing == nil && r.allEnded() {
		result := r.result()
		result.settle()
		result.Outcome = text.M("engine.recovered-finished", "run", r.ID)
		return result, write(h.State, r.name("commit"), result)
	}
	outcome := text.M("engine.recovered-undone", "run", r.ID)
	if r.Undoing != nil {
		outcome = text.M("engine.recovered-rollback", "run", r.ID)
		force = force || r.Undoing.Force
	}
	result, err := finishUndo(ctx, h, r, r.inOrder(), force)
	if result != nil {
		result.Outcome = outcome
	}
	// A program that could not be taken back is reported; it must not stand in
	// the way of every later run.
	if incomplete, ok := errors.AsType[*Incomplete](err); ok {
		result.Notes, err = incomplete.Notes, nil
	}
	return result, err
}

// sweep removes what a killed write left in the journal itself, and makes
// durable what it had got to: what follows goes by it, and must not be older
// on the disk after a cut of power than what it was built on.
func (r *runRecord) sweep() error {
	for _, dir := range []string{r.name("."), r.name("data")} {
		names, err := r.state.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, n := range names {
			if platform.IsTemp(n) {
				if err := r.state.RemoveAll(path.Join(dir, n)); err != nil {
					return err
				}
			}
		}
	}
	return r.state.Sync(r.name("."))
}

// allEnded says whether every step that was to be tried has ended.
func (r *runRecord) allEnded() bool {
	for n, s := range r.header.Steps {
		if s.Skip == "" && !r.ended(n) {
			return false
		}
	}
	return true
}

// ended says whether a step's end is on record.
func (r *runRecord) ended(n int) bool {
	var result StepResult
	ok, err := read(r.state, r.stepFile(n, "state"), &result)
	return ok && err == nil
}

// result is the run as far as the journal knows.
func (r *runRecord) result() *Run {
	run := &Run{ID: r.ID}
	for n, s := range r.header.Steps {
		result := StepResult{Fix: s.Fix, Summary: raw(s.Summary), Status: Skipped, Error: raw(s.Skip)}
		if s.Skip == "" {
			result.Status = ""
			if ok, err := read(r.state, r.stepFile(n, "state"), &result); !ok || err != nil {
				if r.Steps[n] == nil {
					result.Status = Skipped
				}
			}
		}
		run.Steps = append(run.Steps, result)
	}
	return run
}
