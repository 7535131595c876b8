package fix

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"trustfix/platform"
)

// overlay shows a tree as the steps planned so far would leave it. What
// programs would change is not known before they run and is not shown.
type overlay struct {
	platform.Files
	images map[string]platform.Image // by resolved path
}

// add shows what actions leave behind.
func (o *overlay) add(actions []Action) {
	for _, a := range actions {
		if !a.isPath() {
			continue
		}
		if a.After.Kind != platform.Absent {
			for d := path.Dir(a.Target); ; d = path.Dir(d) {
				if _, err := o.Stat(d); err == nil || d == "/" {
					break
				}
				o.images[d] = platform.Image{Kind: platform.DirKind, Mode: 0o755, UID: a.After.UID, GID: a.After.GID}
			}
		}
		o.images[a.Target] = a.After
	}
}

// place is where name stands, its parents' links followed but not its own.
func (o *overlay) place(name string) string {
	name = path.Clean(name)
	if _, ok := o.images[name]; ok || name == "/" {
		return name
	}
	dir, err := o.Resolve(path.Dir(name))
	if err != nil {
		return name
	}
	return path.Join(dir, path.Base(name))
}

func (o *overlay) Resolve(name string) (string, error) { return o.resolve(name, 0) }

func (o *overlay) resolve(name string, links int) (string, error) {
	if links > 40 {
		return "", &fs.PathError{Op: "resolve", Path: name, Err: fs.ErrInvalid}
	}
	name = path.Clean(name)
	// A planned link above name, or name itself.
	parts := strings.Split(strings.TrimPrefix(name, "/"), "/")
	for i := range parts {
		at := "/" + strings.Join(parts[:i+1], "/")
		img, ok := o.images[at]
		if !ok || img.Kind != platform.Link {
			continue
		}
		to := img.Link
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(at), to)
		}
		return o.resolve(path.Join(append([]string{to}, parts[i+1:]...)...), links+1)
	}
	if _, ok := o.images[name]; ok {
		return name, nil
	}
	to, err := o.Files.Resolve(name)
	if err == nil {
		if to != name && o.images[to].Kind == platform.Link {
			return o.resolve(to, links+1)
		}
		return to, nil
	}
	if dir, ok := o.images[path.Dir(name)]; ok && dir.Kind == platform.DirKind {
		return name, nil
	}
	return "", err
}

func (o *overlay) Snapshot(name string) (platform.Image, error) {
	at := o.place(name)
	if img, ok := o.images[at]; ok {
		return img, nil
	}
	if dir, ok := o.images[path.Dir(at)]; ok && dir.Kind == platform.DirKind {
		return platform.Image{Kind: platform.Absent}, nil
	}
	return o.Files.Snapshot(name)
}

func (o *overlay) Stat(name string) (platform.Image, error) {
	at, err := o.Resolve(name)
	if err != nil {
		return platform.Image{}, err
	}
	img, ok := o.images[at]
	switch {
	case !ok:
		if dir, made := o.images[path.Dir(at)]; made && dir.Kind == platform.DirKind {
			return platform.Image{}, notExist("stat", name)
		}
		return o.Files.Stat(at)
	case img.Kind == platform.Absent:
		return platform.Image{}, notExist("stat", name)
	}
	img.Data, img.SHA256, img.XAttrs = nil, "", nil
	return img, nil
}

func (o *overlay) ReadFile(name string) ([]byte, error) {
	at, err := o.Resolve(name)
	if err != nil {
		return nil, err
	}
	img, ok := o.images[at]
	switch {
	case !ok:
		return o.Files.ReadFile(at)
	case img.Kind == platform.Absent:
		return nil, notExist("open", name)
	case img.Kind != platform.File:
		return nil, &fs.PathError{Op: "read", Path: name, Err: platform.ErrNotRegular}
	}
	return slices.Clone(img.Data), nil
}

func (o *overlay) ReadDir(name string) ([]string, error) {
	at, err := o.Resolve(name)
	if err != nil {
		return nil, err
	}
	var names []string
	if img, ok := o.images[at]; !ok || img.Kind != platform.DirKind {
		if names, err = o.Files.ReadDir(at); err != nil {
			return nil, err
		}
	}
	for p, img := range o.images {
		if path.Dir(p) != at || p == at {
			continue
		}
		i, there := slices.BinarySearch(names, path.Base(p))
		switch {
		case img.Kind == platform.Absent && there:
			names = slices.Delete(names, i, i+1)
		case img.Kind != platform.Absent && !there:
			names = slices.Insert(names, i, path.Base(p))
		}
	}
	return names, nil
}

// Writable asks about the nearest thing that is there already.
func (o *overlay) Writable(name string) error {
	for img := o.images[path.Dir(name)]; img.Kind == platform.DirKind; img = o.images[path.Dir(name)] {
		if _, err := o.Files.Stat(path.Dir(name)); err == nil {
			break
		}
		name = path.Dir(name)
	}
	return o.Files.Writable(name)
}

func notExist(op, name string) error {
	return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}
