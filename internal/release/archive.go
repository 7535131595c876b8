package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/creativeprojects/go-selfupdate"

	"trustfix/internal/text"
)

// maxUnpacked is the most that an archive may hold: a small file can unpack to
// more than a disk. A variable for the test of the limit.
var maxUnpacked int64 = 128 << 20

// unpack returns the program in an archive, if it is the one that was signed.
func unpack(data []byte, a Asset) ([]byte, error) {
	binary, err := program(data, a)
	if err == nil && !strings.EqualFold(sum(binary), a.BinarySHA256) {
		err = errors.New("the program in it is not the one that was signed")
	}
	if err != nil {
		return nil, refuse(text.M("release.bad-archive", "name", a.Name, "why", err.Error()))
	}
	return binary, nil
}

// program finds the one program in an archive. Every entry is looked at first:
// nothing is ever written by an entry's name, but an archive that tries to be
// clever is not ours.
func program(data []byte, a Asset) ([]byte, error) {
	name, check := "trustfix", checkTar
	if a.OS == "windows" {
		name += ".exe"
	}
	if strings.HasSuffix(a.Name, ".zip") {
		check = checkZip
	}
	if err := check(data, name); err != nil {
		return nil, err
	}
	r, err := selfupdate.DecompressCommand(bytes.NewReader(data), a.Name, name, a.OS, a.Arch)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxUnpacked))
}

// entries counts what an archive holds.
type entries struct {
	program  string
	programs int
	left     int64
}

// see judges one entry and reads it to its end.
func (e *entries) see(name string, mode fs.FileMode, r io.Reader) error {
	if !fs.ValidPath(strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")) && name != "./" {
		return fmt.Errorf("the entry %q leaves the archive", name)
	}
	if !mode.IsRegular() && !mode.IsDir() {
		return fmt.Errorf("the entry %q is no regular file", name)
	}
	if path.Base(name) == e.program {
		if e.programs++; e.programs > 1 || mode.IsDir() || strings.TrimPrefix(name, "./") != e.program {
			return fmt.Errorf("not exactly one file %s", e.program)
		}
	}
	n, err := io.Copy(io.Discard, io.LimitReader(r, e.left+1))
	if e.left -= n; e.left < 0 {
		return fmt.Errorf("it unpacks to more than %d MB", maxUnpacked>>20)
	}
	return err
}

func (e *entries) done() error {
	if e.programs == 0 {
		return fmt.Errorf("no file %s in it", e.program)
	}
	return nil
}

func checkTar(data []byte, program string) error {
	gz, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	// The limit is on the whole stream: headers unpack too.
	t := tar.NewReader(io.LimitReader(gz, 2*maxUnpacked))
	e := entries{program: program, left: maxUnpacked}
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return e.done()
		}
		if err != nil {
			return err
		}
		mode := h.FileInfo().Mode()
		if h.Typeflag == tar.TypeLink {
			mode |= fs.ModeIrregular
		}
		if err := e.see(h.Name, mode, t); err != nil {
			return err
		}
	}
}

func checkZip(data []byte, program string) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	e := entries{program: program, left: maxUnpacked}
	for _, f := range z.File {
		if err := seeZip(&e, f); err != nil {
			return err
		}
	}
	return e.done()
}

func seeZip(e *entries, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return e.see(f.Name, f.Mode(), r)
}
