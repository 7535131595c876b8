package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

func (t *tree) Free(name string) int64 {
	free := int64(-1)
	err := t.at("measure", name, true, func(p *place) error {
		if p.img.Kind != DirKind {
			return fs.ErrNotExist
		}
		d, err := p.dir.openDir(p.base)
		if err != nil {
			return err
		}
		defer d.close()
		free = d.free(t.euid)
		return nil
	})
	if err != nil && path.Clean(name) != "/" {
		return t.Free(path.Dir(path.Clean(name)))
	}
	return free
}

func (t *tree) HostPath(name string) string {
	return filepath.Join(t.host, filepath.FromSlash(path.Clean("/"+name)))
}

func (t *tree) Writable(name string) error {
	return t.at("replace", name, false, func(p *place) error {
		if err := t.safeToWrite(p); err != nil {
			return err
		}
		if err := replaceable(p, t.euid); err != nil {
			return err
		}
		if p.img.Kind == File && p.img.NLink > 1 {
			return ErrHardLink
		}
		if p.img.Kind == Link {
			return t.ownLink(name)
		}
		return nil
	})
}

// ownLink refuses, for root, a user's link to a file that is not that user's:
// what is meant for the user's own file would end in another's.
func (t *tree) ownLink(name string) error {
	p, err := t.walk(name, true)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it leads nowhere: only the link itself can be replaced
	}
	if err != nil {
		return err
	}
	defer p.close()
	for _, uid := range p.owners {
		if p.img.Kind != Absent && p.img.UID != uid {
			return fmt.Errorf("%w (uid %d)", ErrPlantedLink, uid)
		}
	}
	return t.safeToWrite(p)
}

// safeToWrite keeps root from being led about: not through a link that its
// owner could not follow, and not into a directory that is everybody's. Other
// directories are safe whoever owns them: the handle cannot move, temporaries
// are created exclusively, and who may write there may replace the file anyway.
func (t *tree) safeToWrite(p *place) error {
	if t.euid != 0 {
		return nil
	}
	if p.planted != nil {
		return p.planted
	}
	parent, err := p.dir.lstat(".")
	if err != nil {
		return err
	}
	for _, uid := range p.owners {
		if parent.UID != uid {
			return fmt.Errorf("%w (uid %d)", ErrPlantedLink, uid)
		}
	}
	if parent.Mode&0o002 != 0 && parent.Mode&0o1000 == 0 {
		return ErrUnsafeDir
	}
	return nil
}
