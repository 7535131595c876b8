package fix

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"trustfix/internal/text"
	"trustfix/platform"
)

// take completes a planner's actions and leaves out those that change nothing.
func (s *Step) take(v *platform.View, actions []Action) error {
	left := map[string]platform.Image{}
	for _, a := range actions {
		if a.isPath() {
			if err := seal(v, &a); err != nil {
				return err
			}
			if before, ok := left[a.Target]; ok && !before.Same(a.Before) {
				return fmt.Errorf("two changes of %s in one step do not build on each other", a.Target)
			}
			left[a.Target] = a.After
			if a.Before.Same(a.After) {
				continue
			}
			err := writable(v.Files, a.Target)
			if errors.Is(err, platform.ErrHardLink) {
				own := a.Target + ".own"
				return &Manual{
					Why: text.M("engine.hard-links", "path", a.Target),
					Do:  text.Raw(quote([]string{"cp", "-p", a.Target, own}) + " && " + quote([]string{"mv", own, a.Target})),
				}
			}
			a.Elevated = a.Elevated || !v.Elevated && errors.Is(err, fs.ErrPermission)
		}
		s.Actions = append(s.Actions, a)
		s.Elevated = s.Elevated || a.Elevated
	}
	return nil
}

// seal completes a path action: what stands there now when the planner did not
// say, the hash of the new content, and owner, mode and attributes: those of
// the old file, or of the directory that a new one is put into, so that nothing
// of root's is left in a user's home.
func seal(v *platform.View, a *Action) error {
	now, err := v.Files.Snapshot(a.Target)
	if err != nil {
		return err
	}
	if a.Before.Kind == "" {
		a.Before = now
	}
	if a.Kind != LinkAction && a.After.Kind == platform.File && now.Kind == platform.Link {
		return &fs.PathError{Op: "edit", Path: a.Target, Err: platform.ErrNotRegular}
	}
	if a.After.Kind == platform.Absent {
		return nil
	}
	// A planner that built After from scratch said nothing of the owner.
	if a.After.UID == 0 && a.Before.Kind != platform.Absent {
		a.After.UID, a.After.GID = a.Before.UID, a.Before.GID
	} else if a.After.UID == 0 {
		parent := existing(v.Files, a.Target)
		a.After.UID, a.After.GID = parent.UID, parent.GID
		if parent.UID == 0 && !v.Elevated { // a directory such as /tmp
			a.After.UID, a.After.GID = v.User.UID, v.User.GID
		}
	}
	if a.After.Kind != platform.File {
		return nil
	}
	if a.After.Mode == 0 {
		a.After.Mode = cmp.Or(a.Before.Mode, 0o644)
	}
	if a.After.XAttrs == nil {
		a.After.XAttrs = a.Before.XAttrs
	}
	if a.After.Data == nil && a.After.SHA256 == now.SHA256 {
		a.After.Data = now.Data
	}
	a.After.Size, a.After.SHA256 = int64(len(a.After.Data)), hash(a.After.Data)
	if a.After.SHA256 != a.Before.SHA256 {
		a.After.MTime = v.Now()
	}
	return nil
}

// existing is the nearest directory above name that is there.
func existing(files platform.Files, name string) platform.Image {
	for d := path.Dir(name); ; d = path.Dir(d) {
		img, err := files.Stat(d)
		if err == nil || d == "/" {
			return img
		}
	}
}

// writable is Files.Writable for a path whose parents may have to be made.
func writable(files platform.Files, name string) error {
	for {
		d := path.Dir(name)
		if _, err := files.Stat(d); err == nil || d == name || !errors.Is(err, fs.ErrNotExist) {
			return files.Writable(name)
		}
		name = d
	}
}
