package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gofrs/flock"
)

// stateDir is trustfix's own directory. It comes into being with the first
// write: looking at a machine, or for runs where there are none, makes nothing.
type stateDir struct {
	path string
	euid int

	mu   sync.Mutex
	root *os.Root
}

// NewState is the state directory at an absolute host path. Nothing is created
// or opened yet.
func NewState(hostPath string) Dir { return &stateDir{path: hostPath, euid: os.Geteuid()} }

func (s *stateDir) Path() string { return s.path }

func (s *stateDir) Free() int64 {
	free := int64(-1)
	s.nearest(func(d *dir) { free = d.free(s.euid) })
	return free
}

func (s *stateDir) Medium() (kind string) {
	s.nearest(func(d *dir) { kind = d.medium() })
	return kind
}

// nearest calls f with the directory, or with the one above it that is there.
func (s *stateDir) nearest(f func(d *dir)) {
	for name := s.path; ; name = filepath.Dir(name) {
		d, err := openTop(name)
		if err == nil {
			f(d)
			d.close()
			return
		}
		if filepath.Dir(name) == name {
			return
		}
	}
}

// open opens the directory once. It refuses one that others could have
// prepared: backups are secrets, and an undo writes what stands in them.
func (s *stateDir) open(create bool) (*os.Root, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.root != nil {
		return s.root, nil
	}
	if create {
		if err := makeDirs(s.path, 0o700); err != nil {
			return nil, fmt.Errorf("cannot create the state directory (--state-dir names another): %w", err)
		}
	}
	root, err := os.OpenRoot(s.path)
	if err != nil {
		return nil, err
	}
	f, err := root.Open(".")
	if err == nil {
		var img Image
		if img, err = fstat(f); err == nil {
			err = s.check(img)
		}
		f.Close()
	}
	if err != nil {
		root.Close()
		return nil, err
	}
	s.root = root
	return root, nil
}

func (s *stateDir) check(img Image) error {
	switch {
	case s.euid < 0: // Windows: the access list of the profile decides
		return nil
	case img.UID != s.euid:
		return fmt.Errorf("%s belongs to uid %d, not to uid %d: not used as a state directory (chown it, or name another with --state-dir)", s.path, img.UID, s.euid)
	case img.Mode&0o022 != 0:
		return fmt.Errorf("%s is writable by others (mode %04o): not used as a state directory (chmod 0700, or name another with --state-dir)", s.path, img.Mode)
	}
	return nil
}

// makeDirs creates what is missing of a host path, durably. Root's directories
// above it are everybody's: /var/lib in a tree that has none yet.
func makeDirs(host string, mode fs.FileMode) error {
	parent := filepath.Dir(host)
	if _, err := os.Stat(host); err == nil {
		return syncHost(parent) // whoever made it may not have come to that
	} else if !errors.Is(err, fs.ErrNotExist) || parent == host {
		return err
	}
	above := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		above = 0o755
	}
	if err := makeDirs(parent, above); err != nil {
		return err
	}
	if err := os.Mkdir(host, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	} else if err == nil {
		if err := os.Chmod(host, mode); err != nil { // whatever the umask
			return err
		}
		if err := syncHost(host); err != nil {
			return err
		}
	}
	return syncHost(parent)
}

// syncHost makes a host directory durable, and the names in it.
func syncHost(name string) error {
	d, err := openTop(name)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.sync(); err != nil {
		return &fs.PathError{Op: "sync", Path: name, Err: err}
	}
	return nil
}

func (s *stateDir) ReadFile(name string) ([]byte, error) {
	root, err := s.open(false)
	if err != nil {
		return nil, err
	}
	data, err := root.ReadFile(name)
	return data, s.full(err)
}

// full gives an error of a file its whole path: os.Root knows the rest only.
func (s *stateDir) full(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok && !filepath.IsAbs(pe.Path) {
		return &fs.PathError{Op: pe.Op, Path: filepath.Join(s.path, pe.Path), Err: pe.Err}
	}
	return err
}

func (s *stateDir) ReadDir(name string) ([]string, error) {
	root, err := s.open(false)
	if err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, s.full(err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, s.full(err)
}

func (s *stateDir) WriteFile(name string, data []byte) error {
	root, err := s.open(true)
	if err != nil {
		return err
	}
	temp := path.Join(path.Dir(name), newTemp(path.Base(name)))
	err = writeSynced(root, temp, os.O_CREATE|os.O_EXCL, data)
	if err == nil {
		err = retry(func() error { return root.Rename(temp, name) })
	}
	if err != nil {
		_ = root.Remove(temp)
		return s.full(err)
	}
	return s.full(syncDir(root, path.Dir(name)))
}

// Append adds one record; when it cannot be written whole, it is taken back.
func (s *stateDir) Append(name string, data []byte) error {
	root, err := s.open(true)
	if err != nil {
		return err
	}
	before, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeSynced(root, name, os.O_CREATE|os.O_EXCL, data); err != nil {
			_ = root.Remove(name)
			return err
		}
		return syncDir(root, path.Dir(name))
	}
	if err != nil {
		return err
	}
	if err := writeSynced(root, name, os.O_APPEND, data); err != nil {
		if f, e := root.OpenFile(name, os.O_WRONLY, 0); e == nil {
			_ = f.Truncate(before.Size())
			_ = f.Close()
		}
		return err
	}
	return nil
}

func writeSynced(root *os.Root, name string, flag int, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|flag, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func syncDir(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return syncErr(f.Sync())
}

func (s *stateDir) Mkdir(name string) error {
	root, err := s.open(true)
	if err != nil {
		return err
	}
	if err := retry(func() error { return root.Mkdir(name, 0o700) }); err != nil {
		return err
	}
	return syncDir(root, path.Dir(name))
}

func (s *stateDir) Rename(oldName, newName string) error {
	root, err := s.open(true)
	if err != nil {
		return err
	}
	if err := retry(func() error { return root.Rename(oldName, newName) }); err != nil {
		return err
	}
	if err := syncDir(root, path.Dir(newName)); err != nil || path.Dir(oldName) == path.Dir(newName) {
		return err
	}
	return syncDir(root, path.Dir(oldName))
}

func (s *stateDir) RemoveAll(name string) error {
	root, err := s.open(true)
	if err != nil {
		return err
	}
	if err := retry(func() error { return root.RemoveAll(name) }); err != nil {
		return err
	}
	return syncDir(root, path.Dir(name))
}

func (s *stateDir) Sync(name string) error {
	root, err := s.open(false)
	if err != nil {
		return err
	}
	if path.Clean(name) == "." {
		if err := syncHost(filepath.Dir(s.path)); err != nil {
			return err
		}
	}
	return syncDir(root, name)
}

func (s *stateDir) Lock() (func(), error) {
	if _, err := s.open(true); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(s.path, "lock"), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", lock.Path(), err)
	}
	if !ok {
		return nil, fmt.Errorf("%w %s", ErrLocked, lock.Path())
	}
	return func() { _ = lock.Close() }, nil
}
