package fix

import (
	"context"
	"path"
	"slices"

	"trustfix/internal/text"
	"trustfix/platform"
)

// takeBack undoes steps of a run: their paths by hash, then their programs'
// own undo, then what those programs did to the paths. On a conflict nothing
// is touched, unless force keeps the third versions beside. The notes say what
// could not be undone besides files.
func takeBack(ctx context.Context, h *platform.Host, run *runRecord, steps []*stepRecord, force bool) (kept int, notes []text.Msg, err error) {
	r, err := newRestore(h, run, steps)
	if err != nil {
		return 0, nil, err
	}
	conflicts, err := r.check()
	if err != nil {
		return 0, nil, err
	}
	if len(conflicts) > 0 {
		if !force {
			return 0, nil, &Conflict{Run: run.ID, Paths: conflicts, Backups: path.Join(h.State.Path(), run.name("data"))}
		}
		if err := r.aside(conflicts); err != nil {
			return 0, nil, err
		}
	}
	if err := r.write(); err != nil {
		return r.kept, nil, err
	}
	kept, notes = r.kept, r.notes
	if len(r.undo) == 0 {
		return kept, notes, durable(h.Write, r.want)
	}
	failed, err := runUndo(ctx, h, run, steps, r)
	notes = append(notes, failed...)
	if err != nil {
		return kept, notes, err
	}
	// What those programs did to the paths goes the same way.
	if r, err = newRestore(h, run, steps); err != nil {
		return kept, nil, err
	}
	if _, err = r.check(); err == nil {
		err = r.write()
	}
	if err == nil { // also what needed no writing: a program may have left it so
		err = durable(h.Write, r.want)
	}
	if err == nil {
		err = h.State.RemoveAll(run.name("base"))
	}
	return kept, notes, err
}

// runUndo records the tree and runs the programs that take programs back.
func runUndo(ctx context.Context, h *platform.Host, run *runRecord, steps []*stepRecord, r *restore) ([]text.Msg, error) {
	touches := r.places()
	temps := map[string]change{}
	for _, s := range steps {
		touches = append(touches, s.Touches...)
		for _, c := range s.Temps {
			temps[c.Path] = c
		}
	}
	if err := recordBase(h, run, touches, temps); err != nil {
		return nil, err
	}
	for _, c := range temps {
		img, err := run.fill(c.After)
		if err != nil {
			return nil, err
		}
		if err := h.Write.Put(c.Path, img); err != nil {
			return nil, err
		}
	}
	var notes []text.Msg
	for _, c := range r.undo {
		c.Stdin = c.Input
		if _, err := h.Run.Run(ctx, c.Cmd); err != nil {
			notes = append(notes, commandFailed(c.Cmd, err))
		}
	}
	return notes, nil
}

// recordBase makes durable how the tree stands before the programs of an undo
// begin. What an earlier attempt recorded stays: its programs may have run.
func recordBase(h *platform.Host, run *runRecord, touches []string, temps map[string]change) error {
	var base undoBase
	if _, err := read(run.state, run.name("base"), &base); err != nil {
		return err
	}
	images, err := scan(h.Files, touches)
	if err != nil {
		return err
	}
	if base.Images == nil {
		base.Images = map[string]platform.Image{}
	}
	for p, img := range images {
		if _, temp := temps[p]; temp || under(p, base.Touches) {
			continue
		}
		if err := run.keep(img); err != nil {
			return err
		}
		base.Images[p] = img
	}
	base.Touches = append(base.Touches, touches...)
	return write(run.state, run.name("base"), base)
}

// Rollback takes a run back: the newest that still stands, or the one named.
// It decides for every path before it touches one: a *Conflict when somebody
// changed any of them, which force answers by keeping that version beside as
// NAME.trustfix-kept-RUN. An interrupted run is recovered first, and if that
// was the run meant, its recovery is the result. nil, nil: nothing to undo.
func Rollback(ctx context.Context, h *platform.Host, id string, force bool) (*Run, error) {
	if runs, err := loadRuns(h.State); err != nil || len(runs) == 0 {
		if err == nil && id != "" {
			err = &NoRun{id}
		}
		return nil, err
	}
	unlock, err := h.State.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	recovered, err := recoverRun(ctx, h, force)
	if err != nil {
		return nil, err
	}
	if recovered != nil && recovered.State == RunUndone && (id == "" || id == recovered.ID) {
		return recovered, nil
	}
	runs, err := loadRuns(h.State)
	if err != nil {
		return nil, err
	}
	run, later, err := choose(runs, id)
	if err != nil || run == nil {
		return nil, err
	}
	if err := run.loadSteps(); err != nil {
		return nil, err
	}
	if err := untouchedSince(run, later); err != nil {
		return nil, err
	}
	if err := run.lookBack(runs); err != nil {
		return nil, err
	}
	result, err := rollBack(ctx, h, run, undoMark{Force: force, Newest: runs[len(runs)-1].Seq})
	if result != nil && recovered != nil {
		result.Outcome = recovered.Outcome
	}
	return result, err
}

// NoRun is a run that the journal does not have.
type NoRun struct{ ID string }

func (e *NoRun) Error() string { return "there is no run " + e.ID }

// choose picks the run to take back and those after it that still stand.
func choose(runs []*runRecord, id string) (run *runRecord, later []*runRecord, err error) {
	for i, r := range slices.Backward(runs) {
		switch {
		case id == "" && r.standing(), r.ID == id:
			if !r.standing() {
				return nil, nil, nil
			}
			for _, l := range runs[i+1:] {
				if l.standing() {
					later = append(later, l)
				}
			}
			return r, later, nil
		}
	}
	if id != "" {
		return nil, nil, &NoRun{id}
	}
	return nil, nil, nil
}

// untouchedSince refuses when a later run changed the same paths.
func untouchedSince(run *runRecord, later []*runRecord) error {
	paths := run.paths()
	for _, l := range later {
		if err := l.loadSteps(); err != nil {
			return err
		}
		c := &Conflict{Run: run.ID, Later: l.ID}
		for _, p := range l.paths() {
			if slices.Contains(paths, p) {
				c.Paths = append(c.Paths, ConflictPath{Path: p})
			}
		}
		if len(c.Paths) > 0 {
			return c
		}
	}
	return nil
}

// rollBack undoes a run whose steps are loaded, and marks it so.
func rollBack(ctx context.Context, h *platform.Host, run *runRecord, mark undoMark) (*Run, error) {
	steps := run.inOrder()
	if run.Undoing == nil {
		// Before the mark is set, so that a refusal leaves no trace.
		r, err := newRestore(h, run, steps)
		if err != nil {
			return nil, err
		}
		conflicts, err := r.check()
		if err != nil {
			return nil, err
		}
		if len(conflicts) > 0 && !mark.Force {
			return nil, &Conflict{Run: run.ID, Paths: conflicts, Backups: path.Join(h.State.Path(), run.name("data"))}
		}
		run.Undoing = &mark
		if err := write(h.State, run.name("undoing"), run.Undoing); err != nil {
			return nil, err
		}
	}
	return finishUndo(ctx, h, run, steps, mark.Force || run.Undoing.Force)
}

// finishUndo takes the steps back and closes the run.
func finishUndo(ctx context.Context, h *platform.Host, run *runRecord, steps []*stepRecord, force bool) (*Run, error) {
	// Half an undo is worse than a late one: an interrupt does not stop it.
	kept, notes, err := takeBack(context.WithoutCancel(ctx), h, run, steps, force)
	if err != nil {
		return nil, err
	}
	result := run.result()
	result.State, result.Restored, result.Notes = RunUndone, kept, notes
	for i := range result.Steps {
		if result.Steps[i].Status != Done && result.Steps[i].Status != "" {
			continue
		}
		result.Steps[i].Status = Undone
		if s := run.Steps[i]; s != nil && result.Steps[i].Fix == restoreVerify.ID {
			for _, c := range s.Changes {
				if !slices.Contains(result.VerifyOff, c.Path) {
					result.VerifyOff = append(result.VerifyOff, c.Path)
				}
			}
		}
	}
	if err := write(h.State, run.name("undone"), result); err != nil {
		return nil, err
	}
	if len(notes) > 0 {
		return result, &Incomplete{Run: run.ID, Notes: notes}
	}
	return result, nil
}
