package platform

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// swap renames the program away, which Windows allows while it runs, and the
// staged one in; when that fails the program is put back.
func (b *Binary) swap(staged string) error {
	base := b.place.base
	if err := b.move(base, base+prevSuffix); err != nil {
		return err
	}
	if err := b.move(staged, base); err != nil {
		return errors.Join(err, b.move(base+prevSuffix, base))
	}
	return nil
}

// over puts a neighbour in the program's place. The program, which may be
// running and cannot be removed then, goes aside; a later Sweep removes it.
func (b *Binary) over(name string) error {
	base := b.place.base
	aside := newTemp(base)
	if err := b.move(base, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := b.move(name, base); err != nil {
		return errors.Join(err, b.move(aside, base))
	}
	_ = b.place.dir.remove(aside, File)
	return nil
}

func (b *Binary) move(from, to string) error {
	src, err := windows.UTF16PtrFromString(filepath.Join(b.place.dir.host, from))
	if err != nil {
		return err
	}
	dst, err := windows.UTF16PtrFromString(filepath.Join(b.place.dir.host, to))
	if err != nil {
		return err
	}
	return windows.MoveFileEx(src, dst, windows.MOVEFILE_REPLACE_EXISTING|windows.MOVEFILE_WRITE_THROUGH)
}
