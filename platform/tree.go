package platform

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links one path may pass, as in Linux.
const maxLinks = 40

// maxHash is the largest file that Snapshot still hashes.
const maxHash = 1 << 30

// tree reads and writes one file tree. Every path is walked component by
// component over directory handles that never follow a link by themselves, so
// a directory swapped for a link in the meantime is an error and not an escape.
// (os.Root is not used for this: it cannot pass directories that may be
// searched but not listed, such as a 0711 /home.)
type tree struct {
	host string // host path of the root
	top  *dir
	euid int
}

func openTree(host string, euid int) (*tree, error) {
	top, err := openTop(host)
	if err != nil {
		return nil, err
	}
	return &tree{host: host, top: top, euid: euid}, nil
}

// place is where a path led.
type place struct {
	dir   *dir   // the parent; close with the place
	base  string // name in dir, "." for a directory reached by ".." or the root
	path  string // logical path without links
	img   Image  // by lstat; Absent when only base is missing
	trail []step // the directories passed, for whoever must trust them
	// planted is set when root followed a link of an ordinary user to where
	// that user could not go, or could not read.
	planted error
	owners  []int // the ordinary users whose links root followed
	top     *dir
}

type step struct {
	path string
	img  Image
}

func (p *place) close() {
	if p.dir != p.top {
		p.dir.close()
	}
}

// walk resolves name inside the root as chroot would: absolute links start
// again at the root, ".." stops there. The last component is followed only if
// follow is set. A missing last component is no error.
func (t *tree) walk(name string, follow bool) (_ *place, err error) {
	stack := []*dir{t.top}
	steps := []step{{path: "/"}}
	if steps[0].img, err = t.top.lstat("."); err != nil {
		return nil, err
	}
	pop := func(n int) {
		for len(stack) > n {
			stack[len(stack)-1].close()
			stack, steps = stack[:len(stack)-1], steps[:len(steps)-1]
		}
	}
	p := &place{top: t.top, trail: []step{steps[0]}}
	finish := func(base string, img Image) *place {
		p.dir, p.base, p.img = stack[len(stack)-1], base, img
		p.path = steps[len(steps)-1].path
		if base != "." {
			p.path = path.Join(p.path, base)
		}
		for _, d := range stack[1 : len(stack)-min(1, len(stack)-1)] {
			d.close()
		}
		return p
	}
	defer func() {
		if err != nil {
			pop(1)
		}
	}()

	todo := split(name)
	for links := 0; len(todo) > 0; {
		base := todo[0]
		todo = todo[1:]
		cur := stack[len(stack)-1]
		if base == ".." {
			pop(max(1, len(stack)-1))
			continue
		}
		img, err := cur.lstat(base)
		if errors.Is(err, fs.ErrNotExist) && len(todo) == 0 {
			return finish(base, Image{Kind: Absent}), nil
		}
		if err != nil {
			return nil, err
		}
		if img.Kind == Link && (follow || len(todo) > 0) {
			if links++; links > maxLinks {
				return nil, syscall.ELOOP
			}
			if img.UID != 0 && t.euid == 0 {
				p.owners = append(p.owners, img.UID)
			}
			if strings.HasPrefix(img.Link, "/") {
				pop(1)
			}
			todo = append(split(img.Link), todo...)
			continue
		}
		p.planted = errors.Join(p.planted, plantedBy(p.owners, img))
		if len(todo) == 0 {
			return finish(base, img), nil
		}
		sub, err := cur.openDir(base)
		if err != nil {
			return nil, err
		}
		stack = append(stack, sub)
		steps = append(steps, step{path.Join(steps[len(steps)-1].path, base), img})
		p.trail = append(p.trail, steps[len(steps)-1])
	}
	// The path ended in "..", or is the root.
	return finish(".", steps[len(steps)-1].img), nil
}

// plantedBy refuses what one of the owners of the links passed could not have
// reached: root must not read or write for a user what that user could not.
func plantedBy(owners []int, img Image) error {
	need := uint32(0o4)
	if img.Kind == DirKind {
		need = 0o1
	}
	for _, uid := range owners {
		if img.UID != uid && img.Mode&need == 0 {
			return fmt.Errorf("%w (uid %d)", ErrPlantedLink, uid)
		}
	}
	return nil
}

func split(name string) []string {
	return slices.DeleteFunc(strings.Split(name, "/"), func(s string) bool { return s == "" || s == "." })
}

// at walks to name and calls f there, turning errors into *fs.PathError.
func (t *tree) at(op, name string, follow bool, f func(p *place) error) error {
	return with(t.walk, op, name, follow, f)
}

func with(get func(string, bool) (*place, error), op, name string, follow bool, f func(p *place) error) error {
	if !path.IsAbs(name) {
		return &fs.PathError{Op: op, Path: name, Err: errors.New("not an absolute path")}
	}
	p, err := get(name, follow)
	if err == nil {
		defer p.close()
		err = f(p)
	}
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

func (t *tree) ReadFile(name string) (data []byte, err error) {
	err = t.look("read", name, true, func(p *place) error {
		switch {
		case p.img.Kind == Absent:
			return fs.ErrNotExist
		case p.planted != nil:
			return p.planted
		case p.img.Kind != File:
			return ErrNotRegular
		}
		f, img, err := openRegular(p)
		if err != nil {
			return err
		}
		defer f.Close()
		if img.Size > MaxFile {
			return ErrTooLarge
		}
		if data, err = readLimited(f, img.Size); err == nil && len(data) > MaxFile {
			data, err = nil, ErrTooLarge
		}
		return err
	})
	return data, err
}

// readLimited reads at most one byte more than MaxFile. The size is where to
// begin: a file in /proc says 0 and has content.
func readLimited(f *os.File, size int64) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(size, MaxFile)) + bytes.MinRead)
	_, err := buf.ReadFrom(io.LimitReader(f, MaxFile+1))
	return buf.Bytes(), err
}

// openRegular opens the file at p and describes what was opened.
func openRegular(p *place) (*os.File, Image, error) {
	f, err := p.dir.open(p.base, readOnly, 0)
	if err != nil {
		return nil, p.img, err
	}
	img, err := fstat(f)
	if err == nil && img.Kind != File {
		err = ErrNotRegular
	}
	if err != nil {
		f.Close()
		return nil, p.img, err
	}
	return f, img, nil
}

// snapshotFile reads and hashes the file at p; one that is larger than MaxFile
// is hashed only.
func snapshotFile(p *place) (Image, error) {
	f, img, err := openRegular(p)
	if err != nil {
		return img, err
	}
	defer f.Close()
	if img.XAttrs, err = getXAttrs(f); err != nil {
		return img, err
	}
	data, err := readLimited(f, img.Size)
	if err != nil {
		return img, err
	}
	h := sha256.New()
	h.Write(data)
	if len(data) <= MaxFile {
		img.Data, img.Size = data, int64(len(data))
	} else if n, err := io.Copy(h, io.LimitReader(f, maxHash)); err != nil || n == maxHash {
		return img, cmp.Or(err, ErrTooLarge)
	}
	img.SHA256 = hex.EncodeToString(h.Sum(nil))
	return img, nil
}

func (t *tree) Snapshot(name string) (Image, error) {
	img := Image{Kind: Absent}
	err := t.look("snapshot", name, false, func(p *place) (err error) {
		img = p.img
		switch img.Kind {
		case File:
			if p.planted != nil {
				return p.planted
			}
			img, err = snapshotFile(p)
		case DirKind:
			img.XAttrs, err = dirXAttrs(p)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return Image{Kind: Absent}, nil
	}
	return img, err
}

func (t *tree) Stat(name string) (img Image, err error) {
	err = t.look("stat", name, true, func(p *place) error {
		img = p.img
		if img.Kind == Absent {
			return fs.ErrNotExist
		}
		return nil
	})
	return img, err
}

func (t *tree) ReadDir(name string) (names []string, err error) {
	err = t.look("list", name, true, func(p *place) (err error) {
		if p.img.Kind == Absent {
			return fs.ErrNotExist
		}
		if p.img.Kind != DirKind {
			return syscall.ENOTDIR
		}
		names, err = p.dir.names(p.base)
		slices.Sort(names)
		return err
	})
	return names, err
}

func (t *tree) Resolve(name string) (resolved string, err error) {
	err = t.look("resolve", name, true, func(p *place) error {
		resolved = p.path
		return nil
	})
	return resolved, err
}
