package fix

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"

	"trustfix/internal/text"
	"trustfix/platform"
)

// restore brings paths back to how they were before some steps of a run. It
// goes by hashes alone, so it may be repeated any number of times and be cut
// short anywhere: first every path is compared with what trustfix found and
// what it left, then they are written.
type restore struct {
	h    *platform.Host
	run  *runRecord
	want map[string]platform.Image // as before the first of the steps
	ours map[string][]platform.Image
	any  map[string]bool // whatever stands there now is ours: a program was at work
	torn bool            // an in-place write may have been cut short
	dirs map[string]dirState
	now  map[string]platform.Image // as pass 1 found it
	todo []string                  // paths that are not as wanted
	undo []savedCmd
	kept int // paths brought back

	notes []text.Msg // what cannot be brought back
}

// newRestore gathers what the steps, oldest first, have recorded.
func newRestore(h *platform.Host, run *runRecord, steps []*stepRecord) (*restore, error) {
	r := &restore{
		h: h, run: run, want: map[string]platform.Image{}, ours: map[string][]platform.Image{},
		any: map[string]bool{}, dirs: map[string]dirState{}, torn: run.unfinished(),
	}
	own := func(s *stepRecord, p string, states ...platform.Image) {
		before, ok := s.Before[p]
		if !ok {
			before.Kind = platform.Absent
		}
		if _, seen := r.want[p]; !seen {
			r.want[p] = before
		}
		r.ours[p] = append(append(r.ours[p], before), states...)
	}
	for _, s := range steps {
		for _, c := range s.Changes {
			own(s, c.Path, c.After)
		}
		for _, c := range s.Temps {
			own(s, c.Path, c.After)
		}
		for p, img := range s.After {
			own(s, p, img)
		}
		if s.Began && !s.Ended {
			now, err := scan(h.Files, s.Touches)
			if err != nil {
				return nil, err
			}
			for p := range differences(s.Before, now) {
				if _, known := s.Before[p]; known || under(p, s.Touches) {
					own(s, p)
					r.any[p] = true
				}
			}
		}
		for d, state := range s.Dirs {
			if _, seen := r.dirs[d]; !seen {
				r.dirs[d] = state
			}
		}
	}
	for _, s := range slices.Backward(steps) {
		r.undo = append(r.undo, s.Undo...)
	}
	for d := range r.dirs {
		if state, ok := run.older[d]; ok {
			r.dirs[d] = state
		}
	}
	var base undoBase
	ok, err := read(run.state, run.name("base"), &base)
	if err == nil && ok {
		err = r.rebase(base)
	}
	return r, err
}

// rebase takes the tree as it stood when the programs of an undo began for
// what is wanted where the steps themselves say nothing: whatever those
// programs did is ours to take back.
func (r *restore) rebase(base undoBase) error {
	now, err := scan(r.h.Files, base.Touches)
	if err != nil {
		return err
	}
	for p := range differences(base.Images, now) {
		if _, ok := r.want[p]; !ok {
			img, was := base.Images[p]
			if !was {
				img.Kind = platform.Absent
			}
			r.want[p] = img
		}
		r.any[p] = true
	}
	// A directory that we made stays for what somebody put into it.
	for p, want := range r.want {
		for d := path.Dir(p); want.Kind != platform.Absent && d != "/"; d = path.Dir(d) {
			if dir, was := base.Images[d]; was && r.want[d].Kind == platform.Absent {
				r.want[d] = dir
			}
		}
	}
	return nil
}

// look is Snapshot that passes no link in the place of a directory of ours:
// what stands behind one is nothing of this path's.
func (r *restore) look(p string) (platform.Image, error) {
	for d := path.Dir(p); d != "/"; d = path.Dir(d) {
		if now, ok := r.now[d]; ok && now.Kind != platform.DirKind {
			return platform.Image{Kind: platform.Absent}, nil
		}
	}
	return r.h.Files.Snapshot(p)
}

// places are the paths that are there, or are not there, under directories
// that are directories again.
func (r *restore) places() []string {
	var out []string
	for p := range r.want {
		behind := false
		for d := path.Dir(p); d != "/"; d = path.Dir(d) {
			want, ok := r.want[d]
			behind = behind || ok && want.Kind != platform.DirKind
		}
		if !behind {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// check is pass 1: it looks at every path and decides, for all of them, before
// one is touched. The error says what stands in the way of writing.
func (r *restore) check() ([]ConflictPath, error) {
	r.now, r.todo, r.notes = map[string]platform.Image{}, nil, nil
	var conflicts []ConflictPath
	var refused error
	for _, p := range slices.Sorted(maps.Keys(r.want)) {
		now, err := r.look(p) // a directory comes before what is in it
		if err != nil {
			return nil, err
		}
		r.now[p] = now
		want := r.want[p]
		if want.Kind == platform.Other {
			if now.Kind != platform.Other {
				r.notes = append(r.notes, text.M("engine.special-file", "path", p))
			}
			continue
		}
		known := r.known(p, now)
		if now.Same(want) && (identical(now, want) || !r.any[p] && !r.timeIsOurs(p, now)) {
			continue
		}
		mount := errors.Is(r.h.Files.Writable(p), platform.ErrMountPoint)
		if !known && !(mount && r.torn) {
			conflicts = append(conflicts, r.conflict(p, now))
			continue
		}
		if err := writable(r.h.Files, p); err != nil && !mount && refused == nil && !under(p, r.todo) {
			refused = &Unwritable{p, err}
		}
		if r.want[p], err = r.run.fill(want); err != nil {
			return nil, err
		}
		r.todo = append(r.todo, p)
	}
	if len(conflicts) > 0 {
		return conflicts, nil
	}
	return nil, refused
}

// known says whether trustfix made, or found, what stands at p now.
func (r *restore) known(p string, now platform.Image) bool {
	if r.any[p] {
		return now.Kind != platform.Other
	}
	// A directory of ours goes only when it is empty, so its mode says nothing.
	if r.want[p].Kind == platform.Absent && now.Kind == platform.DirKind {
		return slices.ContainsFunc(r.ours[p], func(o platform.Image) bool { return o.Kind == platform.DirKind })
	}
	// One that was being made again may have been cut short of its mode.
	if r.torn && r.want[p].Kind == platform.DirKind && now.Kind == platform.DirKind {
		return true
	}
	return slices.ContainsFunc(r.ours[p], now.Same)
}

func (r *restore) timeIsOurs(p string, now platform.Image) bool {
	return slices.ContainsFunc(r.ours[p], func(o platform.Image) bool { return o.MTime.Equal(now.MTime) })
}

// conflict describes three versions of a path.
func (r *restore) conflict(p string, now platform.Image) ConflictPath {
	c := ConflictPath{Path: p, Yours: describe(now), Original: describe(r.want[p])}
	if states := r.ours[p]; len(states) > 0 {
		c.Ours = describe(states[len(states)-1])
	}
	return c
}

func describe(img platform.Image) string {
	switch img.Kind {
	case platform.File:
		return fmt.Sprintf("file, %d bytes, mode %04o, sha256 %.12s", img.Size, img.Mode, img.SHA256)
	case platform.Link:
		return "link to " + img.Link
	}
	return string(img.Kind)
}

// aside keeps somebody's version of the paths in conflict beside them, so that
// a forced rollback loses nothing.
func (r *restore) aside(conflicts []ConflictPath) error {
	for _, c := range conflicts {
		now := r.now[c.Path]
		if now.Kind != platform.Absent && now.Kind != platform.Link &&
			(now.Kind != platform.File || int64(len(now.Data)) != now.Size) {
			return &Unwritable{c.Path, platform.ErrNotRegular}
		}
		if now.Kind != platform.Absent {
			if err := r.h.Write.Put(r.keptName(c.Path), now); err != nil {
				return err
			}
		}
		r.any[c.Path] = true
	}
	again, err := r.check()
	if err == nil && len(again) > 0 {
		err = &Conflict{Run: r.run.ID, Paths: again}
	}
	return err
}

// keptName is where a forced rollback keeps somebody's version of p.
func (r *restore) keptName(p string) string { return p + ".trustfix-kept-" + r.run.ID }

// write is pass 2: the leftovers of a killed write, removals from the bottom
// up, then the rest from the top down, then the directories' times.
func (r *restore) write() error {
	if err := r.sweep(); err != nil {
		return err
	}
	for _, p := range slices.Backward(r.todo) {
		want, now := r.want[p], r.now[p]
		if now.Kind == platform.Absent || want.Kind != platform.Absent && (now.Kind == platform.DirKind) == (want.Kind == platform.DirKind) {
			continue
		}
		err := r.h.Write.Put(p, platform.Image{Kind: platform.Absent})
		if isNotEmpty(err) && want.Kind == platform.Absent {
			continue // somebody put something of their own there
		}
		if err != nil {
			return err
		}
		r.kept++
	}
	for _, p := range r.todo {
		if want := r.want[p]; want.Kind != platform.Absent {
			if err := r.h.Write.Put(p, want); err != nil {
				return err
			}
			r.kept++
		}
	}
	return r.times()
}

func isNotEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist)
}

// sweep removes the temporary files of a killed write: those whose name says
// that they were to become one of our paths, nothing else.
func (r *restore) sweep() error {
	seen := map[string]bool{}
	for p := range r.want {
		dir := path.Dir(p)
		if seen[dir] {
			continue
		}
		seen[dir] = true
		names, err := r.h.Files.ReadDir(dir)
		if err != nil {
			continue // the directory is gone, or never was
		}
		for _, name := range names {
			if platform.IsTemp(name) && r.isOurTemp(dir, name) {
				if err := r.h.Write.Put(path.Join(dir, name), platform.Image{Kind: platform.Absent}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *restore) isOurTemp(dir, name string) bool {
	base := strings.TrimPrefix(name[:strings.LastIndex(name, ".trustfix-")], ".")
	for p := range r.want {
		if path.Dir(p) != dir {
			continue
		}
		for _, full := range []string{path.Base(p), path.Base(r.keptName(p))} {
			if full == base || len(base) >= 200 && strings.HasPrefix(full, base) {
				return true
			}
		}
	}
	return false
}

// times puts back the times of directories that have their old names again.
func (r *restore) times() error {
	for _, d := range deepestFirst(r.dirs) {
		img, err := r.h.Files.Snapshot(d)
		if err != nil {
			return err
		}
		if img.Kind != platform.DirKind || img.MTime.Equal(r.dirs[d].MTime) {
			continue
		}
		names, err := listing(r.h.Files, d)
		if err != nil {
			return err
		}
		if names != r.dirs[d].Names {
			continue
		}
		img.MTime = r.dirs[d].MTime
		if err := r.h.Write.Put(d, img); err != nil {
			return err
		}
	}
	return nil
}

// commandFailed is a note that a program of an undo failed.
func commandFailed(c platform.Cmd, err error) text.Msg {
	return text.M("engine.undo-command", "command", quote(redacted(c.Argv)), "error", text.Redact(err.Error()))
}
