package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	readOnly = os.O_RDONLY
	forSync  = os.O_RDWR // FlushFileBuffers wants the right to write
)

// dir is an open directory. Windows has no owner, mode or attributes in the
// sense of Image: a replaced file keeps its access list, a new one inherits.
type dir struct {
	root *os.Root
	host string
}

func openTop(host string) (*dir, error) {
	r, err := os.OpenRoot(host)
	if err != nil {
		return nil, err
	}
	return &dir{r, host}, nil
}

func (d *dir) handle(name string) string { return name }

func (d *dir) close() { _ = d.root.Close() }

// openDir opens a directory, and checks that it is the one that stood there as
// such: os.Root would follow a junction put in its place.
func (d *dir) openDir(name string) (*dir, error) {
	before, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, windows.ERROR_DIRECTORY
	}
	r, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	after, err := r.Stat(".")
	if err != nil || !os.SameFile(before, after) {
		r.Close()
		return nil, errors.Join(err, errors.New("the directory was swapped in the meantime"))
	}
	return &dir{r, filepath.Join(d.host, name)}, nil
}

func (d *dir) openBelow(string) (*dir, error) { return nil, errors.ErrUnsupported }

func (d *dir) open(name string, flag int, perm uint32) (*os.File, error) {
	if fi, err := d.root.Lstat(name); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		return nil, ErrNotRegular
	}
	return d.root.OpenFile(name, flag, fs.FileMode(perm))
}

func (d *dir) openListed() (*os.File, error) { return d.root.Open(".") }

// names lists the directory name in d.
func (d *dir) names(name string) ([]string, error) {
	sub, err := d.openDir(name)
	if err != nil {
		return nil, err
	}
	defer sub.close()
	f, err := sub.openListed()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func (d *dir) sync() error { return nil } // MOVEFILE_WRITE_THROUGH has done it

// syncErr passes over directories, which Windows does not flush by handle.
func syncErr(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_INVALID_FUNCTION) {
		return nil
	}
	return err
}

func (d *dir) free(int) int64 {
	name, err := windows.UTF16PtrFromString(d.host)
	var free uint64
	if err == nil {
		err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	}
	if err != nil {
		return -1
	}
	return int64(min(free, 1<<62))
}

func (d *dir) medium() string {
	if volume := filepath.VolumeName(d.host); len(volume) > 2 { // \\server\share
		return "smb"
	}
	return ""
}

func (d *dir) lstat(name string) (Image, error) {
	fi, err := d.root.Lstat(name)
	if err != nil {
		return Image{}, err
	}
	img := imageOf(fi)
	if img.Kind == Link {
		if img.Link, err = d.root.Readlink(name); err != nil {
			return Image{}, err
		}
		img.Link = filepath.ToSlash(img.Link)
	}
	return img, nil
}

func fstat(f *os.File) (Image, error) {
	fi, err := f.Stat()
	if err != nil {
		return Image{}, err
	}
	img := imageOf(fi)
	var info windows.ByHandleFileInformation
	if windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info) == nil {
		img.NLink, img.Dev = uint64(info.NumberOfLinks), uint64(info.VolumeSerialNumber)
		img.Ino = uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)
	}
	return img, nil
}

func imageOf(fi fs.FileInfo) Image {
	img := Image{Kind: Other, Mode: uint32(fi.Mode().Perm()), UID: -1, GID: -1, MTime: fi.ModTime().UTC(), NLink: 1}
	switch {
	case fi.Mode().IsRegular():
		img.Kind, img.Size = File, fi.Size()
	case fi.IsDir():
		img.Kind = DirKind
	case fi.Mode()&fs.ModeSymlink != 0:
		img.Kind = Link
	}
	return img
}

var replaceFile = windows.NewLazySystemDLL("kernel32.dll").NewProc("ReplaceFileW")

// rename keeps the access list of the file replaced. Programs that scan files
// hold them open for moments, so a sharing violation is tried again.
func (d *dir) rename(from, to string) (err error) {
	src, err := windows.UTF16PtrFromString(filepath.Join(d.host, from))
	if err != nil {
		return err
	}
	dst, err := windows.UTF16PtrFromString(filepath.Join(d.host, to))
	if err != nil {
		return err
	}
	for try := range 6 {
		time.Sleep(time.Duration(try) * 50 * time.Millisecond)
		if fi, e := d.root.Lstat(to); e == nil && fi.Mode().IsRegular() {
			const ignoreMergeErrors = 2
			r, _, e := replaceFile.Call(uintptr(unsafe.Pointer(dst)), uintptr(unsafe.Pointer(src)), 0, ignoreMergeErrors, 0, 0)
			if err = nil; r == 0 {
				err = e
			}
		} else {
			err = windows.MoveFileEx(src, dst, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
		}
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			return err
		}
	}
	return err
}

func (d *dir) remove(name string, _ Kind) error { return d.root.Remove(name) }

func (d *dir) mkdir(name string) error { return d.root.Mkdir(name, 0o700) }

func (d *dir) link(name string, img Image) error { return d.root.Symlink(img.Link, name) }

func (d *dir) setMeta(f *os.File, img Image) error {
	if img.MTime.IsZero() {
		return nil
	}
	ft := windows.NsecToFiletime(img.MTime.UnixNano())
	return windows.SetFileTime(windows.Handle(f.Fd()), nil, nil, &ft)
}

func getXAttrs(*os.File) (map[string][]byte, error) { return nil, nil }

func dirXAttrs(*place) (map[string][]byte, error) { return nil, nil }

func flagged(d *dir, name string, img Image) error {
	if img.Kind == File && img.Mode&0o200 == 0 {
		return ErrImmutable
	}
	return nil
}

// replaceable tries what only the access list can tell: opening for writing.
func replaceable(p *place, _ int) error {
	if err := flagged(p.dir, p.base, p.img); err != nil || p.img.Kind != File {
		return err
	}
	f, err := p.dir.open(p.base, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func pathErr(err error) error { return err }
