package platform

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// ErrPrivileged is a program with rights of its own, which an update would
// hand to the new one or take away.
var ErrPrivileged = errors.New("setuid, setgid or with capabilities")

// prevSuffix is what the version before is kept under, beside the program.
const prevSuffix = ".prev"

// Binary is an installed program that is replaced while it may be running, in
// one rename, with the version before kept beside it as NAME.prev. At every
// instant, after a kill or a loss of power too, a whole program stands at its
// path (on Windows, which cannot replace a running one, less the moment
// between two renames).
type Binary struct {
	Path string // host path, every link followed

	files *tree
	place *place
	img   Image // with attributes
}

// RunningBinary is the program that is running.
func RunningBinary() (*Binary, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find the file of this program: %w", err)
	}
	return OpenBinary(exe)
}

// OpenBinary opens the program at a host path; Close it.
func OpenBinary(hostPath string) (*Binary, error) {
	hostPath, err := filepath.Abs(hostPath)
	if err != nil {
		return nil, err
	}
	volume := filepath.VolumeName(hostPath)
	files, err := openTree(volume+string(filepath.Separator), os.Geteuid())
	if err != nil {
		return nil, err
	}
	b := &Binary{files: files}
	name := filepath.ToSlash(hostPath[len(volume):])
	if b.place, err = files.walk(name, true); err == nil {
		b.Path = files.HostPath(b.place.path)
		b.img, err = b.attributes()
	}
	if err != nil {
		b.Close()
		return nil, &fs.PathError{Op: "open", Path: hostPath, Err: err}
	}
	return b, nil
}

// Close gives the directory handles back.
func (b *Binary) Close() {
	if b.place != nil {
		b.place.close()
	}
	b.files.top.close()
}

func (b *Binary) attributes() (Image, error) {
	f, img, err := openRegular(b.place)
	if err != nil {
		return img, err
	}
	defer f.Close()
	img.XAttrs, err = getXAttrs(f)
	return img, err
}

// Replaceable says why the caller cannot or must not replace the program: its
// rights, the file system, a directory on the way that others may write to.
func (b *Binary) Replaceable() error {
	if _, caps := b.img.XAttrs["security.capability"]; caps || b.img.Mode&0o6000 != 0 {
		return fmt.Errorf("%s: %w", b.Path, ErrPrivileged)
	}
	if err := b.Trusted(); err != nil {
		return err
	}
	if err := replaceable(b.place, b.files.euid); err != nil {
		return fmt.Errorf("%s: %w", b.Path, err)
	}
	return nil
}

// Trusted refuses a program that others than the caller and root could have
// written, or may yet: the file and every directory on the way to it.
func (b *Binary) Trusted() error {
	if b.files.euid < 0 { // on Windows the access lists decide
		return nil
	}
	me := &User{UID: b.files.euid, GID: os.Getegid()}
	for _, s := range append(slices.Clone(b.place.trail), step{b.place.path, b.img}) {
		if !trustedOwner(s.img, me) {
			return fmt.Errorf("%w: %s (uid %d, mode %04o)", ErrUntrustedProgram, s.path, s.img.UID, s.img.Mode)
		}
	}
	return nil
}

// Stage writes a program beside this one, with its owner, mode and attributes,
// durably. The name is for Run, Swap and Discard.
func (b *Binary) Stage(content []byte) (name string, err error) {
	name = newTemp(b.place.base)
	img := b.img
	img.Data, img.MTime = content, time.Time{}
	if err := writeTemp(b.place.dir, name, img); err != nil {
		_ = b.place.dir.remove(name, File)
		return "", fmt.Errorf("cannot write beside %s: %w", b.Path, err)
	}
	return name, nil
}

// Discard removes a staged program.
func (b *Binary) Discard(name string) { _ = b.place.dir.remove(name, File) }

// Sweep removes what a killed update left beside the program.
func (b *Binary) Sweep() error {
	names, err := b.place.dir.names(".")
	for _, n := range names {
		if IsTemp(n) && (strings.HasPrefix(n, "."+b.place.base+".trustfix-") || strings.HasPrefix(n, "."+b.place.base+prevSuffix+".trustfix-")) {
			err = errors.Join(err, b.place.dir.remove(n, File))
		}
	}
	return err
}

// Previous is the name of the version before, for Run; fs.ErrNotExist when
// none is kept.
func (b *Binary) Previous() (name string, err error) {
	name = b.place.base + prevSuffix
	img, err := b.place.dir.lstat(name)
	if err == nil && img.Kind != File {
		err = ErrNotRegular
	}
	if err != nil {
		return "", &fs.PathError{Op: "open", Path: b.Path + prevSuffix, Err: err}
	}
	return name, nil
}

// Current is the name of the program itself, for Run.
func (b *Binary) Current() string { return b.place.base }

// Run runs one of the programs beside each other in a clean environment.
func (b *Binary) Run(ctx context.Context, name string, timeout time.Duration, args ...string) (Output, error) {
	p := &programs{files: b.files, os: runtime.GOOS, user: User{Home: "/"}}
	file := path.Join(path.Dir(b.place.path), name)
	return p.Run(ctx, Cmd{Argv: append([]string{file}, args...), Timeout: timeout})
}

// Swap keeps the program as NAME.prev and puts the staged one in its place.
func (b *Binary) Swap(staged string) error {
	if err := b.swap(staged); err != nil {
		return fmt.Errorf("cannot replace %s: %w", b.Path, pathErr(err))
	}
	return nil
}

// Restore puts NAME.prev back in the program's place.
func (b *Binary) Restore() error {
	name, err := b.Previous()
	if err != nil {
		return err
	}
	if err = b.over(name); err == nil {
		err = b.place.dir.sync()
	}
	if err != nil {
		return fmt.Errorf("cannot put %s%s back: %w", b.Path, prevSuffix, pathErr(err))
	}
	return nil
}

// SystemRoots are the roots that this machine gives to Go programs, none where
// it has none: for trustfix's own downloads, never for a judgement.
func SystemRoots() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return x509.NewCertPool()
	}
	return pool
}
