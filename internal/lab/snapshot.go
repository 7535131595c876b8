//go:build linux

package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// node is everything that "byte for byte as before" means for one path. A
// directory's times and size are left out: they say that something in it was
// replaced, which is how every atomic write works.
type node struct {
	Mode     fs.FileMode
	UID, GID uint32
	Link     string
	Time     int64 // modification, ns
	Size     int64
	Sum      string
	Xattr    string
}

// Tree is what differs from the base layer: a node for every path that the
// sandbox has touched. A path that was removed has the zero node.
type Tree map[string]node

// Snapshot reads the sandbox's upper directory.
func (s *Sandbox) Snapshot() Tree {
	s.t.Helper()
	paths, err := s.touched()
	if err != nil {
		s.t.Fatal(err)
	}
	tree := Tree{}
	err = s.in(func() error {
		for _, p := range paths {
			n, err := look(p)
			if err != nil {
				return err
			}
			tree[p] = n
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return tree
}

// touched lists the paths of the upper directory. A directory that hides the
// one below brings what it hides.
func (s *Sandbox) touched() ([]string, error) {
	var out []string
	upper := filepath.Join(s.dir, "upper")
	err := filepath.WalkDir(upper, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := "/" + strings.TrimPrefix(strings.TrimPrefix(p, upper), "/")
		out = append(out, rel)
		if opaque(p) || d.Type()&fs.ModeCharDevice != 0 {
			hidden, err := s.base.below(rel)
			out = append(out, hidden...)
			return err
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out), err
}

// below lists what the base layer holds at and under a path.
func (b *base) below(path string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(b.pristine+path, func(p string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		out = append(out, strings.TrimPrefix(p, b.pristine))
		return err
	})
	return out, err
}

func opaque(path string) bool {
	v := make([]byte, 8)
	n, err := unix.Lgetxattr(path, opaqueXattr, v)
	return err == nil && string(v[:n]) == "y"
}

// opaqueXattr marks a directory of an overlay's layer that hides the ones below it.
const opaqueXattr = "trusted.overlay.opaque"

func look(path string) (node, error) {
	fi, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return node{}, nil
	}
	if err != nil {
		return node{}, err
	}
	st := fi.Sys().(*syscall.Stat_t)
	n := node{Mode: fi.Mode(), UID: st.Uid, GID: st.Gid}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		n.Time = fi.ModTime().UnixNano()
		n.Link, err = os.Readlink(path)
		return n, err
	case fi.Mode().IsRegular():
		n.Time, n.Size = fi.ModTime().UnixNano(), fi.Size()
		if n.Sum, err = sum(path); err != nil {
			return node{}, err
		}
	}
	n.Xattr, err = xattrs(path)
	return n, err
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

func xattrs(path string) (string, error) {
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(path, buf)
	if err != nil {
		if errors.Is(err, unix.ENOTSUP) {
			return "", nil
		}
		return "", fmt.Errorf("cannot list the attributes of %s: %w", path, err)
	}
	names := strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00")
	slices.Sort(names)
	var out strings.Builder
	for _, name := range names {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") {
			continue
		}
		v := make([]byte, 4096)
		n, err := unix.Lgetxattr(path, name, v)
		if err != nil {
			return "", fmt.Errorf("cannot read %s of %s: %w", name, path, err)
		}
		fmt.Fprintf(&out, "%s=%x ", name, v[:n])
	}
	return out.String(), nil
}

// Changes compares the sandbox with an earlier snapshot and says what is
// different, one line per path; none means nothing. Paths under except are
// left out.
func (s *Sandbox) Changes(before Tree, except ...string) []string {
	s.t.Helper()
	after := s.Snapshot()
	var out []string
	for _, p := range slices.Sorted(maps.Keys(union(before, after))) {
		if slices.ContainsFunc(except, func(e string) bool { return p == e || strings.HasPrefix(p, e+"/") }) {
			continue
		}
		was, err := s.base.was(before, p)
		if err != nil {
			s.t.Fatal(err)
		}
		if is := after[p]; is != was {
			out = append(out, fmt.Sprintf("%s: %s -> %s", p, was, is))
		}
	}
	return out
}

func union(a, b Tree) Tree {
	u := maps.Clone(a)
	maps.Copy(u, b)
	return u
}

// was is a path's node at the time of a snapshot: the base layer's unless the snapshot has it.
func (b *base) was(before Tree, path string) (node, error) {
	if n, ok := before[path]; ok {
		return n, nil
	}
	return look(b.pristine + path)
}

func (n node) String() string {
	if n == (node{}) {
		return "absent"
	}
	s := fmt.Sprintf("%v %d:%d", n.Mode, n.UID, n.GID)
	if n.Link != "" {
		s += " => " + n.Link
	}
	if n.Sum != "" {
		s += fmt.Sprintf(" %d bytes %.8s %d", n.Size, n.Sum, n.Time)
	}
	if n.Xattr != "" {
		s += " " + n.Xattr
	}
	return s
}
