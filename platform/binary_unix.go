//go:build unix

package platform

import (
	"errors"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

func (b *Binary) swap(staged string) error {
	d, prev := b.place.dir, b.place.base+prevSuffix
	temp := newTemp(prev)
	if err := b.double(temp); err != nil {
		return err
	}
	err := d.rename(temp, prev)
	// A rename between two names of one file, as after a kill, does nothing.
	if rerr := d.remove(temp, File); err == nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = rerr
	}
	if err == nil {
		err = d.sync() // the way back is safe before it is needed
	}
	if err == nil {
		err = b.over(staged)
	}
	if err != nil {
		return err
	}
	return d.sync()
}

// double makes a second name for the program, or a copy where the file system
// has no hard links.
func (b *Binary) double(name string) error {
	d := b.place.dir
	err := retry(func() error { return unix.Linkat(d.fd, b.place.base, d.fd, name, 0) })
	if !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EMLINK) {
		return err
	}
	f, img, err := openRegular(b.place)
	if err != nil {
		return err
	}
	defer f.Close()
	if img.Data, err = io.ReadAll(io.LimitReader(f, maxHash)); err != nil {
		return err
	}
	img.XAttrs = b.img.XAttrs
	if err := writeTemp(d, name, img); err != nil {
		_ = d.remove(name, File)
		return err
	}
	return nil
}

// over renames a neighbour onto the program.
func (b *Binary) over(name string) error { return b.place.dir.rename(name, b.place.base) }
