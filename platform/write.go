package platform

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"syscall"
)

var tempName = regexp.MustCompile(`^\..*\.trustfix-[0-9a-f]{16}$`)

// IsTemp recognises the name of a temporary file that a killed run left behind.
func IsTemp(name string) bool { return tempName.MatchString(name) }

// newTemp is a name for what will become base; dot files are skipped by the
// readers of drop-in directories.
func newTemp(base string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "." + base[:min(len(base), 200)] + ".trustfix-" + hex.EncodeToString(b[:])
}

// Put implements Writer. A target that is a mount point (a bind-mounted bundle
// in a container) cannot be renamed onto: it is overwritten in place, which is
// durable but not atomic, so the caller must hold a durable copy of what was
// there. Everything else is as before or as img says at every instant.
func (t *tree) Put(name string, img Image) error {
	return t.at("write", name, false, func(p *place) error {
		if err := t.safeToWrite(p); err != nil {
			return err
		}
		if p.base == "." && img.Kind != DirKind {
			return syscall.EISDIR
		}
		if p.img.Kind == Other {
			return ErrNotRegular
		}
		var err error
		switch img.Kind {
		case Absent:
			err = putAbsent(p)
		case DirKind:
			err = putDir(p, img)
		case File, Link:
			if p.img.Kind == DirKind {
				return syscall.EISDIR
			}
			err = replace(p, img)
		default:
			return ErrNotRegular
		}
		if errors.Is(err, fs.ErrPermission) {
			if flag := flagged(p.dir, p.base, p.img); flag != nil {
				err = flag
			}
		}
		return pathErr(err)
	})
}

// Sync implements Writer.
func (t *tree) Sync(name string) error {
	err := t.at("synchronise", name, false, func(p *place) error {
		switch p.img.Kind {
		case File:
			f, err := p.dir.open(p.base, forSync, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			return syncErr(f.Sync())
		case DirKind:
			d, err := p.dir.openDir(p.base)
			if err != nil {
				return err
			}
			defer d.close()
			return d.sync()
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return nil // nothing is there
	}
	return err
}

func putAbsent(p *place) error {
	if p.img.Kind == Absent {
		return nil
	}
	if err := p.dir.remove(p.base, p.img.Kind); err != nil {
		return err
	}
	return p.dir.sync()
}

func putDir(p *place, img Image) (err error) {
	if p.img.Kind != DirKind {
		if p.img.Kind != Absent {
			return syscall.ENOTDIR
		}
		if err := p.dir.mkdir(p.base); err != nil {
			return err
		}
		defer func() {
			if err != nil {
				_ = p.dir.remove(p.base, DirKind)
			}
		}()
	}
	d, err := p.dir.openDir(p.base)
	if err != nil {
		return err
	}
	defer d.close()
	f, err := d.openListed()
	if err != nil {
		return err
	}
	defer f.Close()
	if err := d.setMeta(f, img); err != nil {
		return err
	}
	if err := syncErr(f.Sync()); err != nil {
		return err
	}
	return p.dir.sync()
}

// replace makes a temporary beside p and renames it onto p.
func replace(p *place, img Image) (err error) {
	temp := newTemp(p.base)
	if img.Kind == Link {
		err = p.dir.link(temp, img)
	} else {
		err = writeTemp(p.dir, temp, img)
	}
	if err == nil {
		err = p.dir.rename(temp, p.base)
	}
	if err != nil {
		// A name that was already there was not ours.
		if !errors.Is(err, fs.ErrExist) {
			_ = p.dir.remove(temp, File)
		}
		if errors.Is(err, syscall.EBUSY) && p.img.Kind == File && img.Kind == File {
			return overwrite(p, img)
		}
		return err
	}
	return p.dir.sync()
}

func writeTemp(d *dir, temp string, img Image) error {
	f, err := d.open(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(img.Data)
	if err == nil {
		err = d.setMeta(f, img)
	}
	if err == nil {
		err = syncErr(f.Sync())
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// overwrite changes the content of a mount point in place.
func overwrite(p *place, img Image) error {
	f, err := p.dir.open(p.base, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	now, err := fstat(f)
	switch {
	case err != nil:
	case now.Kind != File || now.Dev != p.img.Dev || now.Ino != p.img.Ino:
		err = errors.New("the file was swapped in the meantime")
	case now.NLink > 1:
		err = ErrHardLink
	default:
		_, err = f.WriteAt(img.Data, 0)
	}
	if err == nil {
		err = f.Truncate(int64(len(img.Data)))
	}
	if err == nil {
		err = p.dir.setMeta(f, img)
	}
	if err == nil {
		err = syncErr(f.Sync())
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("cannot overwrite the mounted file in place: %w", err)
	}
	return nil
}
