package fix

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"trustfix/platform"
)

// History lists the runs, newest first.
func History(h *platform.Host) ([]RunInfo, error) {
	runs, err := loadRuns(h.State)
	if err != nil {
		return nil, err
	}
	infos := []RunInfo{}
	for _, r := range slices.Backward(runs) {
		if err := r.loadSteps(); err != nil {
			return nil, err
		}
		infos = append(infos, r.info())
	}
	return infos, nil
}

// info is the run as a history shows it; the paths need loadSteps.
func (r *runRecord) info() RunInfo {
	i := RunInfo{ID: r.ID, Time: r.Time, Paths: r.paths()}
	switch {
	case r.Undone != nil:
		i.State, i.Steps = RunUndone, r.Undone.Steps
	case r.unfinished():
		i.State, i.Steps = RunInterrupted, r.result().Steps
	default:
		i.State, i.Steps = r.Commit.State, r.Commit.Steps
	}
	return i
}

// paths are what the run changed, sorted.
func (r *runRecord) paths() []string {
	seen := map[string]bool{}
	for _, s := range r.Steps {
		for _, c := range s.Changes {
			seen[c.Path] = true
		}
		for p := range s.After {
			seen[p] = true
		}
	}
	out := slices.Sorted(maps.Keys(seen))
	if out == nil {
		out = []string{}
	}
	return out
}

// dirs are the directories as the run found them.
func (r *runRecord) dirs() map[string]dirState {
	out := map[string]dirState{}
	for _, s := range slices.Backward(r.inOrder()) {
		maps.Copy(out, s.Dirs)
	}
	return out
}

// lookBack finds the directories that this run found as earlier runs had left
// them which have been taken back since: they go back to how those found them.
func (r *runRecord) lookBack(runs []*runRecord) error {
	r.older = r.dirs()
	found := map[string]int{} // the run that found it so
	for d := range r.older {
		found[d] = r.Seq
	}
	for _, old := range slices.Backward(runs) {
		if old.Seq >= r.Seq {
			continue
		}
		gone := old.Undone != nil && old.Undoing != nil
		if err := old.loadSteps(); err != nil {
			return err
		}
		for d, state := range old.dirs() {
			if seq, ok := found[d]; ok && gone && old.Undoing.Newest >= seq {
				r.older[d], found[d] = state, old.Seq
			} else {
				delete(found, d) // what stood then is what this run found
			}
		}
	}
	return nil
}

// ThreeWay shows a path of a run in three versions: what the run made of the
// original, and what somebody made of that since.
func ThreeWay(h *platform.Host, id, name string) (string, error) {
	r, err := loadRun(h.State, id)
	if _, there := h.State.ReadDir(path.Join(runsDir, id)); errors.Is(there, fs.ErrNotExist) {
		return "", &NoRun{id}
	}
	if err == nil {
		err = r.loadSteps()
	}
	if err != nil {
		return "", err
	}
	var before, after *platform.Image
	for n := range r.header.Steps {
		s := r.Steps[n]
		if s == nil {
			continue
		}
		b, was := s.Before[name]
		if !was {
			b.Kind = platform.Absent
		}
		a, made := s.After[name]
		for _, c := range s.Changes {
			if c.Path == name && !made {
				a, made = c.After, true
			}
		}
		if made && before == nil {
			before = &b
		}
		if made {
			after = &a
		}
	}
	if before == nil {
		return "", &fs.PathError{Op: "diff", Path: name, Err: fs.ErrNotExist}
	}
	if *before, err = r.fill(*before); err != nil {
		return "", err
	}
	// What programs wrote is known by its hash alone, unless it stands there still.
	now, err := h.Files.Snapshot(name)
	if err != nil {
		return "", err
	}
	if now.Kind == after.Kind && now.SHA256 == after.SHA256 {
		after.Data = now.Data
	} else if full, err := r.fill(*after); err == nil {
		*after = full
	}
	var out strings.Builder
	out.WriteString(unified(name+" (original)", *before, name+" (after the run)", *after))
	if !now.Same(*after) {
		out.WriteString(unified(name+" (after the run)", *after, name+" (now)", now))
	}
	return out.String(), nil
}

// prune forgets the oldest runs beyond the limits: never an unfinished one, and
// never the newest that still stands, which is somebody's way back; stands says
// that it is the run that has just ended. It is no failure when it cannot.
func prune(state platform.Dir, old []*runRecord, now time.Time, stands bool) {
	keep := maxRuns - 1 // the run that has just ended is not among them
	for i, r := range slices.Backward(old) {
		if !stands && r.standing() {
			stands = true
			continue
		}
		aged := now.Sub(r.Time) > maxAge
		if (len(old)-i > keep || aged) && !r.unfinished() {
			// Renamed first: half a run would be taken for a damaged one.
			dir := path.Join(runsDir, r.ID)
			if state.Rename(dir, dir+".tmp") == nil {
				_ = state.RemoveAll(dir + ".tmp")
			}
		}
	}
}
