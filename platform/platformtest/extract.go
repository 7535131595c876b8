package platformtest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// Extract makes the tree of an archive below dir, which is created.
func Extract(a *txtar.Archive, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range a.Files {
		name := filepath.Join(dir, filepath.FromSlash("/"+f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	var last []func() error // what later steps would change again
	for line := range strings.Lines(string(a.Comment)) {
		words := strings.Fields(line)
		if len(words) < 2 || directives[words[0]] == nil {
			continue
		}
		late, err := directives[words[0]](dir, words[1:])
		if err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
		if late != nil {
			last = append(last, late)
		}
	}
	if err := setTimes(dir, Epoch); err != nil {
		return err
	}
	for _, f := range last {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func setTimes(dir string, t time.Time) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return lutimes(p, t)
	})
}

// directives maps a word to what it does; the function returned is run last.
var directives = map[string]func(dir string, args []string) (func() error, error){
	"link": func(dir string, args []string) (func() error, error) {
		if len(args) != 3 || args[1] != "->" {
			return nil, fmt.Errorf("want: link PATH -> TEXT")
		}
		name := filepath.Join(dir, args[0])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		return nil, os.Symlink(args[2], name)
	},
	"dir": func(dir string, args []string) (func() error, error) {
		name := filepath.Join(dir, args[0])
		if err := os.MkdirAll(name, 0o755); err != nil || len(args) == 1 {
			return nil, err
		}
		return chmod(name, args[1])
	},
	"fifo": func(dir string, args []string) (func() error, error) {
		return nil, mkfifo(filepath.Join(dir, args[0]))
	},
	"hardlink": func(dir string, args []string) (func() error, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("want: hardlink NEW OLD")
		}
		return nil, os.Link(filepath.Join(dir, args[1]), filepath.Join(dir, args[0]))
	},
	"mode": func(dir string, args []string) (func() error, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("want: mode OCTAL PATH")
		}
		return chmod(filepath.Join(dir, args[1]), args[0])
	},
	"owner": func(dir string, args []string) (func() error, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("want: owner UID:GID PATH")
		}
		var uid, gid int
		if _, err := fmt.Sscanf(args[0], "%d:%d", &uid, &gid); err != nil {
			return nil, err
		}
		if os.Geteuid() != 0 {
			return nil, nil
		}
		return nil, filepath.WalkDir(filepath.Join(dir, args[1]), func(p string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(p, uid, gid)
		})
	},
	"mtime": func(dir string, args []string) (func() error, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("want: mtime TIME PATH")
		}
		t, err := time.Parse(time.RFC3339Nano, args[0])
		if err != nil {
			return nil, err
		}
		return func() error { return lutimes(filepath.Join(dir, args[1]), t) }, nil
	},
	"xattr": func(dir string, args []string) (func() error, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("want: xattr NAME=VALUE PATH")
		}
		name, value, _ := strings.Cut(args[0], "=")
		return nil, setXAttr(filepath.Join(dir, args[1]), name, value)
	},
	"trim": edit(func(b []byte) ([]byte, error) { return bytes.TrimSuffix(b, []byte("\n")), nil }),
	"crlf": edit(func(b []byte) ([]byte, error) { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")), nil }),
	"bom":  edit(func(b []byte) ([]byte, error) { return append([]byte("\xef\xbb\xbf"), b...), nil }),
	"base64": edit(func(b []byte) ([]byte, error) {
		return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(b)), ""))
	}),
}

func edit(f func([]byte) ([]byte, error)) func(string, []string) (func() error, error) {
	return func(dir string, args []string) (func() error, error) {
		name := filepath.Join(dir, args[0])
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if b, err = f(b); err != nil {
			return nil, err
		}
		return nil, os.WriteFile(name, b, 0o644)
	}
}

// chmod takes the bits as in st_mode, setuid, setgid and sticky among them.
func chmod(name, octal string) (func() error, error) {
	bits, err := strconv.ParseUint(octal, 8, 32)
	if err != nil {
		return nil, err
	}
	mode := fs.FileMode(bits & 0o777)
	for bit, m := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&bit != 0 {
			mode |= m
		}
	}
	return func() error { return os.Chmod(name, mode) }, nil
}
