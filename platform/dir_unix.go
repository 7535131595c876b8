//go:build unix

package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readOnly = unix.O_RDONLY
	forSync  = unix.O_RDONLY
)

// dir is an open directory. Its operations name one component, and never
// follow a link in it.
type dir struct {
	fd   int
	host string // for messages, and for the calls that have no fd form
}

func openTop(host string) (*dir, error) {
	d := &dir{host: host}
	err := retry(func() (err error) {
		d.fd, err = unix.Open(host, dirFlags|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: host, Err: err}
	}
	return d, nil
}

func (d *dir) close() { _ = unix.Close(d.fd) }

// handle is a name of the open directory itself, for a child that was just
// forked; name where the system has no such names.
func (d *dir) handle(name string) string {
	self := "/proc/self/fd/" + strconv.Itoa(d.fd)
	var named, open unix.Stat_t
	if unix.Stat(self, &named) != nil || unix.Fstat(d.fd, &open) != nil || named.Dev != open.Dev || named.Ino != open.Ino {
		return name
	}
	return self
}

func (d *dir) openDir(name string) (*dir, error) {
	sub := &dir{host: filepath.Join(d.host, name)}
	err := retry(func() (err error) {
		sub.fd, err = unix.Openat(d.fd, name, dirFlags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	return sub, nil
}

// open never blocks and never follows a link.
func (d *dir) open(name string, flag int, perm uint32) (*os.File, error) {
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Openat(d.fd, name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(d.host, name)), nil
}

func (d *dir) openListed() (*os.File, error) {
	return d.open(".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
}

// names lists the directory name in d. It does not ask for O_NONBLOCK, which
// would cost two calls more: a directory never blocks.
func (d *dir) names(name string) ([]string, error) {
	var fd int
	err := retry(func() (err error) {
		fd, err = unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), filepath.Join(d.host, name))
	defer f.Close()
	return f.Readdirnames(-1)
}

// sync makes the names in d durable. Some network and FUSE file systems
// cannot, and a directory that may not be listed cannot be opened for it.
func (d *dir) sync() error {
	f, err := d.openListed()
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return syncErr(f.Sync())
}

func syncErr(err error) error {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOTTY) {
		return nil
	}
	return err
}

// free is what euid may still write here: -1 where the file system does not
// say, 0 also where it has no room for another name.
func (d *dir) free(euid int) int64 {
	var st unix.Statfs_t
	if retry(func() error { return unix.Fstatfs(d.fd, &st) }) != nil || st.Blocks == 0 {
		return -1
	}
	blocks := st.Bavail
	if euid == 0 {
		blocks = st.Bfree
	}
	if st.Files > 0 && st.Ffree == 0 {
		return 0
	}
	return int64(min(blocks, 1<<40)) * int64(st.Bsize)
}

// lstat describes name itself, with the text of a link.
func (d *dir) lstat(name string) (Image, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
		return Image{}, err
	}
	img := imageOf(&st)
	if img.Kind == Link {
		buf := make([]byte, 4096)
		n := 0
		if err := retry(func() (err error) { n, err = unix.Readlinkat(d.fd, name, buf); return err }); err != nil {
			return Image{}, err
		}
		img.Link = string(buf[:n])
	}
	return img, nil
}

func fstat(f *os.File) (Image, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Fstat(int(f.Fd()), &st) }); err != nil {
		return Image{}, err
	}
	return imageOf(&st), nil
}

func imageOf(st *unix.Stat_t) Image {
	img := Image{
		Kind: Other, Mode: uint32(st.Mode) & 0o7777, UID: int(st.Uid), GID: int(st.Gid),
		MTime: time.Unix(st.Mtim.Unix()).UTC(), NLink: uint64(st.Nlink), Dev: uint64(st.Dev), Ino: st.Ino,
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		img.Kind, img.Size = File, st.Size
	case unix.S_IFDIR:
		img.Kind = DirKind
	case unix.S_IFLNK:
		img.Kind = Link
	}
	return img
}

func (d *dir) rename(from, to string) error {
	return retry(func() error { return unix.Renameat(d.fd, from, d.fd, to) })
}

func (d *dir) remove(name string, kind Kind) error {
	flag := 0
	if kind == DirKind {
		flag = unix.AT_REMOVEDIR
	}
	return retry(func() error { return unix.Unlinkat(d.fd, name, flag) })
}

func (d *dir) mkdir(name string) error {
	return retry(func() error { return unix.Mkdirat(d.fd, name, 0o700) })
}

// link makes the symbolic link name with its owner and times.
func (d *dir) link(name string, img Image) error {
	if err := retry(func() error { return unix.Symlinkat(img.Link, d.fd, name) }); err != nil {
		return err
	}
	now, err := d.lstat(name)
	if err != nil {
		return err
	}
	if now.UID != img.UID || now.GID != img.GID {
		if err := retry(func() error { return unix.Fchownat(d.fd, name, img.UID, img.GID, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
			return err
		}
	}
	if img.MTime.IsZero() {
		return nil
	}
	return retry(func() error { return d.setLinkTime(name, img.MTime) })
}

// setMeta gives the open file owner, mode, attributes and time of img. The
// order matters: chown clears setuid and capabilities, chmod fits the mask of
// an ACL.
func (d *dir) setMeta(f *os.File, img Image) error {
	now, err := fstat(f)
	if err != nil {
		return err
	}
	if now.UID != img.UID || now.GID != img.GID {
		if err := f.Chown(img.UID, img.GID); err != nil {
			return err
		}
	}
	if err := setXAttrs(f, img.XAttrs); err != nil {
		return err
	}
	if now, err = fstat(f); err != nil {
		return err
	}
	if now.Mode != img.Mode&0o7777 {
		if err := retry(func() error { return unix.Fchmod(int(f.Fd()), img.Mode&0o7777) }); err != nil {
			return err
		}
	}
	if img.MTime.IsZero() {
		return nil
	}
	return retry(func() error { return setTime(f, img.MTime) })
}

// getXAttrs reads every extended attribute, ACLs and security labels among them.
func getXAttrs(f *os.File) (map[string][]byte, error) {
	names, err := xattr(func(buf []byte) (int, error) { return unix.Flistxattr(int(f.Fd()), buf) })
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EPERM) {
		return nil, nil
	}
	if err != nil || len(names) == 0 {
		return nil, err
	}
	out := map[string][]byte{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if !keptXAttr(name) {
			continue
		}
		v, err := xattr(func(buf []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), name, buf) })
		if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

func xattr(get func([]byte) (int, error)) ([]byte, error) {
	buf := make([]byte, 1024)
	for {
		n, err := get(buf)
		switch {
		case errors.Is(err, unix.ERANGE) && len(buf) < 1<<20:
			buf = make([]byte, 4*len(buf))
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, err
		default:
			return buf[:n:n], nil
		}
	}
}

// setXAttrs makes the attributes want, less labels that the kernel gave and
// want does not name. An inherited ACL goes away.
func setXAttrs(f *os.File, want map[string][]byte) error {
	have, err := getXAttrs(f)
	if err != nil {
		return err
	}
	for name, v := range want {
		if old, ok := have[name]; ok && string(old) == string(v) {
			continue
		}
		if err := retry(func() error { return unix.Fsetxattr(int(f.Fd()), name, v, 0) }); err != nil {
			return &fs.PathError{Op: "setxattr " + name, Path: f.Name(), Err: err}
		}
	}
	for name := range have {
		if _, ok := want[name]; ok || strings.HasPrefix(name, "security.") {
			continue
		}
		if err := retry(func() error { return unix.Fremovexattr(int(f.Fd()), name) }); err != nil && !errors.Is(err, unix.ENODATA) {
			return &fs.PathError{Op: "removexattr " + name, Path: f.Name(), Err: err}
		}
	}
	return nil
}

func dirXAttrs(p *place) (map[string][]byte, error) {
	f, err := p.dir.open(p.base, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return getXAttrs(f)
}

// replaceable says why the caller could not rename a file onto p, or nil.
func replaceable(p *place, euid int) error {
	if err := flagged(p.dir, p.base, p.img); err != nil {
		return err
	}
	if readOnlyFS(p.dir) {
		return ErrReadOnly
	}
	switch err := unix.Faccessat(p.dir.fd, ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS); {
	case errors.Is(err, unix.EROFS):
		return ErrReadOnly
	case err != nil:
		return err
	}
	parent, err := p.dir.lstat(".")
	if err != nil {
		return err
	}
	if p.img.Kind != Absent {
		if euid != 0 && p.img.UID != euid {
			return fs.ErrPermission // its owner could not be kept
		}
		if p.dir.isMount(p.base, p.img, parent) {
			return ErrMountPoint
		}
	}
	return nil
}

func pathErr(err error) error {
	switch {
	case errors.Is(err, unix.EROFS):
		return ErrReadOnly
	case errors.Is(err, unix.EBUSY):
		return ErrMountPoint
	}
	return err
}
