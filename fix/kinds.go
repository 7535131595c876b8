package fix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"trustfix/internal/text"
	"trustfix/platform"
)

// op is one thing a step does, ready to be done: a path becomes something, or
// programs run.
type op struct {
	kind   ActionKind
	change                // of a path
	before platform.Image // what must stand there
	action *Action        // of programs
}

// doers carry out one op of each kind. Taking it back is the same for all:
// paths by what the intent recorded, then the action's Undo.
var doers = map[ActionKind]func(ctx context.Context, h *platform.Host, o op) error{
	FileAction:    put,
	LinkAction:    put,
	EnvAction:     put,
	CommandAction: runAll,
	CertAction:    runAll,
	ClockAction:   setClock,
}

// put makes a path what the plan says, if it still is what the plan saw.
func put(_ context.Context, h *platform.Host, o op) error {
	now, err := h.Files.Snapshot(o.Path)
	if err != nil {
		return err
	}
	if now.Same(o.After) {
		return nil
	}
	if !now.Same(o.before) {
		return &staleError{o.Path}
	}
	return h.Write.Put(o.Path, o.After)
}

// staleError is a path that changed between plan and apply.
type staleError struct{ path string }

func (e *staleError) Error() string {
	return fmt.Sprintf("%s changed after the plan was made", e.path)
}

func runAll(ctx context.Context, h *platform.Host, o op) error {
	for _, c := range o.action.Do {
		if _, err := h.Run.Run(ctx, c); err != nil && (!o.action.Lenient || ctx.Err() != nil) {
			return err
		}
	}
	return nil
}

// setClock runs the programs, then sets the clock where the plan carries an
// offset. The old offset stands in the plan; the clock is never set back.
func setClock(ctx context.Context, h *platform.Host, o op) error {
	if h.Rooted {
		return errors.New("the clock is not the examined tree's")
	}
	if err := runAll(ctx, h, o); err != nil || o.action.Offset == 0 {
		return err
	}
	passed := h.Now().Sub(o.action.Measured) // monotonic where both carry it
	return h.Clock.SetClock(o.action.Measured.Add(o.action.Offset + passed))
}

// prepare turns a step into ops and the intent that takes them back. It reads
// every path as it stands now and refuses when one is not what the plan saw.
func prepare(h *platform.Host, id string, n int, s *Step) (*stepRecord, []op, error) {
	rec := &stepRecord{intent: intent{Before: map[string]platform.Image{}, Temps: map[string]change{}}}
	var ops []op
	expect := map[string]platform.Image{} // what the step itself will have made of a path
	add := func(kind ActionKind, p string, before, after platform.Image) error {
		if _, seen := expect[p]; !seen {
			now, err := h.Files.Snapshot(p)
			if err != nil {
				return err
			}
			if !now.Same(before) && !now.Same(after) {
				return &staleError{p}
			}
			rec.Before[p] = now
		}
		expect[p] = after
		rec.Changes = append(rec.Changes, change{p, after})
		ops = append(ops, op{kind: kind, change: change{p, after}, before: before})
		return nil
	}
	for i, a := range s.Actions {
		if !a.isPath() {
			a, err := withTemps(h, rec, fmt.Sprintf("%s-%d-%d", id, n, i), a)
			if err != nil {
				return nil, nil, err
			}
			rec.Touches = append(rec.Touches, places(h.Files, a.Touches)...)
			undo := make([]savedCmd, len(a.Undo))
			for i, c := range a.Undo {
				undo[i] = savedCmd{c, c.Stdin}
			}
			rec.Undo = append(undo, rec.Undo...) // the last action's first
			ops = append(ops, op{kind: a.Kind, action: &a})
			continue
		}
		if a.After.Kind != platform.Absent {
			for _, d := range missingParents(h.Files, a.Target) {
				if _, made := expect[d]; made {
					continue
				}
				dir := platform.Image{Kind: platform.DirKind, Mode: 0o755, UID: a.After.UID, GID: a.After.GID, MTime: h.Now()}
				if err := add(FileAction, d, platform.Image{Kind: platform.Absent}, dir); err != nil {
					return nil, nil, err
				}
			}
		}
		if err := add(a.Kind, a.Target, a.Before, a.After); err != nil {
			return nil, nil, err
		}
	}
	touched, err := scan(h.Files, rec.Touches)
	if err != nil {
		return nil, nil, err
	}
	for p, img := range touched {
		rec.Before[p] = img
	}
	paths := slices.Clone(rec.Touches)
	for p := range rec.Before {
		paths = append(paths, p)
	}
	for _, c := range rec.Temps {
		paths = append(paths, c.Path)
	}
	rec.Dirs, err = dirStates(h.Files, paths, touched)
	return rec, ops, err
}

// places are the paths that names stand for: links above them followed, and
// what a name that is a link itself leads to besides.
func places(files platform.Files, names []string) []string {
	var out []string
	for _, name := range names {
		p := path.Clean(name)
		if dir, err := files.Resolve(path.Dir(p)); err == nil {
			p = path.Join(dir, path.Base(p))
		}
		out = append(out, p)
		if to, err := files.Resolve(p); err == nil && to != p {
			out = append(out, to)
		}
	}
	return out
}

// missingParents are the directories above name that have to be made, topmost first.
func missingParents(files platform.Files, name string) []string {
	var out []string
	for d := path.Dir(name); d != "/"; d = path.Dir(d) {
		if _, err := files.Stat(d); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		out = append(out, d)
	}
	slices.Reverse(out)
	return out
}

// withTemps gives the temporary files of an action's programs a place and
// writes that place into their arguments.
func withTemps(h *platform.Host, rec *stepRecord, prefix string, a Action) (Action, error) {
	if len(a.Temp) == 0 {
		return a, nil
	}
	dir, owner, err := tempDir(h)
	if err != nil {
		return a, err
	}
	var pairs []string
	for name, data := range a.Temp {
		p := path.Join(dir, "trustfix-"+prefix+"-"+name)
		rec.Temps[prefix+"-"+name] = change{p, platform.Image{
			Kind: platform.File, Mode: 0o644, UID: owner.UID, GID: owner.GID,
			Data: data, Size: int64(len(data)), SHA256: hash(data), MTime: h.Now(),
		}}
		rec.Before[p] = platform.Image{Kind: platform.Absent}
		pairs = append(pairs, "{"+name+"}", p)
	}
	fill := strings.NewReplacer(pairs...)
	for _, cmds := range []*[]platform.Cmd{&a.Do, &a.Undo} {
		*cmds = slices.Clone(*cmds)
		for i := range *cmds {
			c := &(*cmds)[i]
			c.Argv, c.Env = slices.Clone(c.Argv), slices.Clone(c.Env)
			for _, words := range [][]string{c.Argv, c.Env} {
				for j := range words {
					words[j] = fill.Replace(words[j])
				}
			}
		}
	}
	return a, nil
}

// tempDir is where programs of this caller find a temporary file that nobody
// else can have put there: a directory that only its owner writes. Programs
// that drop their rights (apt's methods) must be able to read it.
func tempDir(h *platform.Host) (string, platform.Image, error) {
	root, err := h.Files.Stat("/")
	if err != nil {
		return "", root, err
	}
	candidates, uid := []string{"/run", "/var/lib", "/var", "/etc"}, root.UID
	if !h.Elevated {
		candidates, uid = []string{h.User.Home}, h.User.UID
	}
	for _, d := range candidates {
		img, err := h.Files.Stat(d)
		if err == nil && img.Kind == platform.DirKind && img.UID == uid && img.Mode&0o022 == 0 &&
			h.Files.Writable(path.Join(d, "trustfix")) == nil {
			return d, img, nil
		}
	}
	return "", platform.Image{}, errors.New("there is no directory for a temporary file that only its owner can write")
}

// reason is why a step was taken back, for a person.
func reason(err error) text.Msg {
	var stale *staleError
	var unwritable *Unwritable
	var still *stillThere
	var full *NoSpace
	switch {
	case errors.As(err, &full):
		return full.Msg()
	case errors.Is(err, context.Canceled):
		return text.M("engine.interrupted")
	case errors.As(err, &stale):
		return text.M("engine.stale", "path", stale.path)
	case errors.As(err, &unwritable):
		return text.M("engine.cannot-write", "path", unwritable.Path, "error", cause(unwritable.Err))
	case errors.As(err, &still):
		return text.M("engine.still-there", "finding", still.found[0].Summary)
	}
	return text.Raw(text.Redact(err.Error()))
}

// cause is an error's words without the path, which stands beside them already.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}
