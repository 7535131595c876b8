package fix

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// ApplyOptions are the caller's part in an apply.
type ApplyOptions struct {
	// Verify looks again and returns those of the step's findings that are
	// still there; the step is taken back then, or when it cannot be told.
	Verify   func(ctx context.Context, v *platform.View, s *Step) ([]detect.Finding, error)
	Progress func(StepEvent)
}

// stillThere is a step that did not help.
type stillThere struct{ found []detect.Finding }

func (e *stillThere) Error() string {
	return "the problem is still there: " + e.found[0].Summary.String()
}

// Apply carries a plan out, step by step. A step that fails, or does not make
// its findings go away, is taken back; earlier steps stay, later ones go on
// unless they build on it. The Run is nil when there was nothing to try. When
// ctx is cancelled, the step in flight is taken back and the Run comes with
// ctx's error. An interrupted earlier run is recovered first; since that may
// change what the plan saw, call Recover before planning.
func Apply(ctx context.Context, h *platform.Host, plan *Plan, o ApplyOptions) (*Run, error) {
	if plan.Possible() == 0 {
		return nil, nil
	}
	unlock, err := h.State.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	if _, err := recoverRun(ctx, h, false); err != nil {
		return nil, err
	}
	runs, err := loadRuns(h.State)
	if err != nil {
		return nil, err
	}
	e := &engine{h: h, plan: plan, o: o, now: plan.report.Clock.True(h.Now()), taken: map[string]string{}}
	e.open(runs)
	err = e.steps(ctx)
	if e.made && err == nil {
		e.run.settle()
		if err = write(h.State, e.rec.name("commit"), e.run); err == nil {
			prune(h.State, runs, e.now, e.run.Count(Done) > 0)
		}
	}
	e.run.settle()
	if e.run.Count(Done) > 0 {
		e.run.Notes = journalNotes(h.State)
	}
	if err == nil {
		err = ctx.Err()
	}
	return e.run, err
}

// engine is one apply under way.
type engine struct {
	h     *platform.Host
	plan  *Plan
	o     ApplyOptions
	now   time.Time // true time as far as known: a clock under repair is no date
	rec   *runRecord
	run   *Run
	made  bool              // the run is in the journal
	taken map[string]string // paths of steps that were taken back, and their fix
}

// open gives the run its id and its results-to-be.
func (e *engine) open(runs []*runRecord) {
	e.rec = &runRecord{state: e.h.State, Steps: map[int]*stepRecord{}}
	e.rec.Time = e.now.UTC()
	e.rec.Seq = 1
	if len(runs) > 0 {
		e.rec.Seq = runs[len(runs)-1].Seq + 1
	}
	for e.rec.ID == "" || slices.ContainsFunc(runs, func(r *runRecord) bool { return r.ID == e.rec.ID }) {
		var b [2]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		e.rec.ID = e.now.Format(time.DateOnly) + "-" + hex.EncodeToString(b[:])
	}
	e.run = &Run{}
	for _, s := range e.plan.Steps {
		result := StepResult{Fix: s.Fix.ID, Summary: s.Summary}
		switch {
		case s.Manual != nil:
			result.Status, result.Error = Skipped, s.Manual.Why
		case !s.attempt:
			result.Status, result.Error = Skipped, text.M("engine.needs-root")
		}
		e.run.Steps = append(e.run.Steps, result)
		e.rec.header.Steps = append(e.rec.header.Steps, stepHeader{
			Fix: s.Fix.ID, Summary: s.Summary.String(), Skip: result.Error.String(),
		})
	}
}

// begin writes the run into the journal; before it nothing is touched.
func (e *engine) begin() error {
	if e.made {
		return nil
	}
	st := e.h.State
	temp := path.Join(runsDir, e.rec.ID+".tmp")
	err := st.Mkdir(runsDir)
	if errors.Is(err, fs.ErrExist) {
		err = st.Sync(".") // whoever made it may not have come to that
	}
	if err != nil {
		return err
	}
	if err := st.Mkdir(temp); err != nil {
		return err
	}
	err = st.Mkdir(path.Join(temp, "data"))
	if err == nil {
		err = write(st, path.Join(temp, "run"), e.rec.header)
	}
	if err == nil {
		err = st.Rename(temp, path.Join(runsDir, e.rec.ID))
	}
	if err != nil {
		_ = st.RemoveAll(temp)
		return err
	}
	e.made, e.run.ID = true, e.rec.ID
	if e.o.Progress != nil {
		e.o.Progress(StepEvent{Run: e.rec.ID, Status: Started})
	}
	return nil
}

// steps carries out every step; the error is one of the journal, after which
// nothing may go on, or of the way back.
func (e *engine) steps(ctx context.Context) error {
	for n, s := range e.plan.Steps {
		result := &e.run.Steps[n]
		if result.Status == "" && ctx.Err() != nil {
			result.Status, result.Error = Skipped, text.M("engine.interrupted")
		}
		if fix := e.blocked(s); result.Status == "" && fix != "" {
			result.Status, result.Error = Skipped, text.M("engine.builds-on", "fix", fix)
		}
		var err error
		if result.Status == "" {
			err = e.step(ctx, n, s, result)
		}
		if result.Status != Done {
			e.take(s)
		}
		if e.o.Progress != nil {
			e.o.Progress(StepEvent{Run: e.run.ID, Step: s, Status: result.Status, Error: result.Error})
		}
		if err != nil {
			for i := n + 1; i < len(e.run.Steps); i++ {
				e.run.Steps[i].Status = Skipped
			}
			return err
		}
	}
	return nil
}

// blocked names the fix that a step builds on and that does not stand.
func (e *engine) blocked(s *Step) string {
	for _, p := range s.paths() {
		if fix := e.taken[p]; fix != "" {
			return fix
		}
	}
	return ""
}

// take remembers what a step that does not stand was to change.
func (e *engine) take(s *Step) {
	if !s.attempt {
		return // later steps were planned without it
	}
	for _, p := range s.paths() {
		e.taken[p] = s.Fix.ID
	}
}

// paths are the single paths that a step changes.
func (s *Step) paths() []string {
	var out []string
	for _, a := range s.Actions {
		if a.isPath() {
			out = append(out, a.Target)
		}
	}
	return out
}

// step carries one step out. The error means that the journal cannot be
// written or the step could not be taken back.
func (e *engine) step(ctx context.Context, n int, s *Step, result *StepResult) error {
	fail := func(err error) { result.Status, result.Error = Failed, reason(err) }
	rec, ops, err := prepare(e.h, e.rec.ID, n, s)
	if err == nil {
		err = preflight(e.h, rec)
	}
	if err == nil {
		err = e.begin()
	}
	if err == nil {
		err = e.intend(n, rec)
	}
	if err != nil { // nothing has been touched
		fail(err)
		return e.record(n, result)
	}
	e.rec.Steps[n] = rec
	if err = e.do(ctx, n, rec, ops); err == nil {
		err = e.verify(ctx, s)
	}
	if err == nil {
		result.Status = Done
		if err = e.record(n, result); err == nil {
			return nil
		}
	}
	fail(err)
	if _, ok := errors.AsType[*stillThere](err); ok || ctx.Err() != nil {
		result.Status = Undone
	}
	_, notes, back := takeBack(context.WithoutCancel(ctx), e.h, e.rec, []*stepRecord{rec}, false)
	if back != nil {
		result.Status = Failed
		result.Error = text.M("engine.not-taken-back", "why", result.Error, "error", back.Error())
		return fmt.Errorf("step %s could not be taken back: %w", s.Fix.ID, back)
	}
	for _, note := range notes {
		result.Error = text.M("engine.and", "first", result.Error, "second", note)
	}
	return e.record(n, result)
}

// preflight refuses what cannot be written, or has no room, before anything is.
func preflight(h *platform.Host, rec *stepRecord) error {
	if err := fits(h, rec); err != nil {
		return err
	}
	for _, c := range rec.Changes {
		if err := writable(h.Files, c.Path); err != nil && !errors.Is(err, platform.ErrMountPoint) {
			return &Unwritable{c.Path, err}
		}
	}
	return nil
}

// intend makes everything durable that the way back needs.
func (e *engine) intend(n int, rec *stepRecord) error {
	for p, img := range rec.Before {
		if err := e.rec.keep(img); err != nil {
			return fmt.Errorf("cannot back up %s: %w", p, err)
		}
		img.Data = nil // safe now, and needed no more
		rec.Before[p] = img
	}
	for _, c := range rec.Changes {
		if err := e.rec.keep(c.After); err != nil {
			return fmt.Errorf("cannot record %s: %w", c.Path, err)
		}
	}
	for _, c := range rec.Temps {
		if err := e.rec.keep(c.After); err != nil {
			return err
		}
	}
	return write(e.h.State, e.rec.stepFile(n, "intent"), rec.intent)
}

// record makes the end of a step durable; nothing to do before the first intent.
func (e *engine) record(n int, result *StepResult) error {
	if !e.made {
		return nil
	}
	return write(e.h.State, e.rec.stepFile(n, "state"), result)
}

// do carries out the ops of a step in order.
func (e *engine) do(ctx context.Context, n int, rec *stepRecord, ops []op) error {
	for _, o := range ops {
		if err := ctx.Err(); err != nil {
			return err
		}
		if o.action != nil && !rec.Began {
			if err := e.event(n, event{Event: "begin"}); err != nil {
				return err
			}
			rec.Began = true
			for _, c := range rec.Temps {
				if err := e.h.Write.Put(c.Path, c.After); err != nil {
					return err
				}
			}
		}
		if err := doers[o.kind](ctx, e.h, o); err != nil {
			return err
		}
	}
	if !rec.Began {
		return nil
	}
	for _, c := range rec.Temps {
		if err := e.h.Write.Put(c.Path, platform.Image{Kind: platform.Absent}); err != nil {
			return err
		}
	}
	now, err := scan(e.h.Files, rec.Touches)
	if err != nil {
		return err
	}
	before := map[string]platform.Image{}
	for p, img := range rec.Before {
		if under(p, rec.Touches) {
			before[p] = img
		}
	}
	rec.After = differences(before, now)
	if err := durable(e.h.Write, rec.After); err != nil {
		return err
	}
	if err := e.event(n, event{Event: "end", After: rec.After}); err != nil {
		return err
	}
	rec.Ended = true
	return nil
}

func (e *engine) event(n int, ev event) error {
	line, err := encodeEvent(ev)
	if err != nil {
		return err
	}
	return e.h.State.Append(e.rec.stepFile(n, "events"), line)
}

// verify looks whether the step helped.
func (e *engine) verify(ctx context.Context, s *Step) error {
	if err := ctx.Err(); err != nil || e.o.Verify == nil {
		return err
	}
	still, err := e.o.Verify(ctx, e.h.View, s)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("whether it helped could not be told: %w", err)
	case len(still) > 0:
		return &stillThere{still}
	}
	return nil
}
