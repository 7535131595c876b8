package fix

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"

	"trustfix/internal/text"
	"trustfix/platform"
)

// loadRuns reads every run's header and marks, oldest first.
func loadRuns(state platform.Dir) ([]*runRecord, error) {
	names, err := state.ReadDir(runsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var runs []*runRecord
	for _, id := range names {
		if !runID.MatchString(id) {
			continue
		}
		r, err := loadRun(state, id)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(a, b *runRecord) int { return a.Seq - b.Seq })
	return runs, nil
}

func loadRun(state platform.Dir, id string) (*runRecord, error) {
	r := &runRecord{header: header{ID: id}, state: state}
	where := path.Join(state.Path(), r.name("run"))
	if ok, err := read(state, r.name("run"), &r.header); err != nil || !ok {
		if err == nil {
			err = &JournalError{Path: where, Why: text.M("engine.journal-missing")}
		}
		return nil, err
	}
	if r.ID != id || len(r.header.Steps) > 999 {
		return nil, &JournalError{Path: where, Why: text.M("engine.journal-garbage")}
	}
	for file, v := range map[string]any{"commit": &r.Commit, "undoing": &r.Undoing, "undone": &r.Undone} {
		if _, err := read(state, r.name(file), v); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// loadSteps reads what is needed to take the run back.
func (r *runRecord) loadSteps() error {
	r.Steps = map[int]*stepRecord{}
	for n := range r.header.Steps {
		s := &stepRecord{}
		ok, err := read(r.state, r.stepFile(n, "intent"), &s.intent)
		if err != nil {
			return err
		}
		result := &StepResult{}
		ended, err := read(r.state, r.stepFile(n, "state"), result)
		if err != nil {
			return err
		}
		if !ok {
			if ended && result.Status == Done {
				return &JournalError{Path: path.Join(r.state.Path(), r.stepFile(n, "intent")), Why: text.M("engine.journal-missing")}
			}
			continue
		}
		if ended {
			s.Result = result
		}
		data, err := r.state.ReadFile(r.stepFile(n, "events"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		events, why := decodeEvents(data)
		if why == nil && ended && len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
			why = new(text.M("engine.journal-garbage"))
		}
		if why != nil {
			return &JournalError{Path: path.Join(r.state.Path(), r.stepFile(n, "events")), Why: *why}
		}
		for _, e := range events {
			s.Began = s.Began || e.Event == "begin"
			if e.Event == "end" {
				s.Ended, s.After = true, e.After
			}
		}
		r.Steps[n] = s
	}
	return nil
}

// inOrder are the steps that came to an intent and stand, oldest first.
func (r *runRecord) inOrder() []*stepRecord {
	var out []*stepRecord
	for n := range r.header.Steps {
		if s := r.Steps[n]; s != nil && (s.Result == nil || s.Result.Status == Done) {
			out = append(out, s)
		}
	}
	return out
}
