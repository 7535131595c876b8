package platform

import (
	"errors"
	"io/fs"
	"path"
	"syscall"
)

// look is at for who only reads, and has to trust no directory on the way.
func (t *tree) look(op, name string, follow bool, f func(p *place) error) error {
	return with(t.reach, op, name, follow, f)
}

// reach is walk without a trail: in two calls where no link is in the way,
// which is nearly always, so that the cost does not grow with the depth.
func (t *tree) reach(name string, follow bool) (*place, error) {
	parent, base := path.Split(name)
	if base == "" || path.Clean(name) != name {
		return t.walk(name, follow)
	}
	dir := t.top
	if parent != "/" {
		var err error
		dir, err = t.top.openBelow(parent[1 : len(parent)-1])
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EACCES):
			return nil, err
		case err != nil:
			return t.walk(name, follow)
		}
	}
	p := &place{top: t.top, dir: dir, base: base, path: name}
	img, err := dir.lstat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		img = Image{Kind: Absent}
	case err != nil, img.Kind == Link && follow:
		p.close()
		return t.walk(name, follow)
	}
	p.img = img
	return p, nil
}
