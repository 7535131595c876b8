package client

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
	"trustfix/platform"
)

// scan is one look at one system. It caches what it has read: a thousand
// environments share a home directory and mostly the same bundles.
type scan struct {
	ctx   context.Context
	v     *platform.View
	rows  []*Row
	home  string
	inv   *Inventory
	files map[string][]edit.Entry // parsed configuration files
	raw   map[string][]byte
	dirs  map[string][]string
	stats map[string]platform.Kind
	env   map[string][]*Setting // by canonical name, lowest precedence first
	vars  map[string][]varUse   // what every known variable means
	own   map[string]*Setting   // settings by place, so that relatives share them
	conda []*prefix             // conda installations and environments
	pys   []*pyEnv

	prefixes map[string]*prefix // conda by directory
	pyAt     map[string]*pyEnv  // Python by what people know it by
	libs     map[string]openssl // by path of libcrypto
	located  map[string]string  // variables of locations that profiles set
}

func newScan(ctx context.Context, v *platform.View) *scan {
	s := &scan{
		ctx: ctx, v: v, rows: All(), home: v.User.Home, inv: &Inventory{Bundles: NewBundles(v.Files)},
		files: map[string][]edit.Entry{}, raw: map[string][]byte{}, dirs: map[string][]string{}, stats: map[string]platform.Kind{},
		env: map[string][]*Setting{}, own: map[string]*Setting{},
		prefixes: map[string]*prefix{}, pyAt: map[string]*pyEnv{}, libs: map[string]openssl{},
	}
	if s.home == "" {
		s.home = "/root"
	}
	s.vars = s.knownVars()
	return s
}

// homes are the home directories whose installations are listed: everybody's
// when the caller may see them, as conda itself does for an administrator.
func (s *scan) homes() []string {
	out := []string{s.home}
	if s.v.Elevated {
		for _, u := range s.v.Users {
			if u.Home != "" && u.Home != "/" && !slices.Contains(out, u.Home) {
				out = append(out, u.Home)
			}
		}
	}
	return out
}

// readRaw is the content of a file, nil when there is none. What stands there
// and cannot be read is noted for client, once.
func (s *scan) readRaw(client, name string) []byte {
	if b, ok := s.raw[name]; ok {
		return b
	}
	b, err := s.v.Files.ReadFile(name)
	if err != nil {
		b = nil
		if s.stands(name, err) {
			s.unreadable(client, name, 0, err)
		}
	}
	s.raw[name] = b
	return b
}

// stands reports whether an error of reading is worth a finding: something is
// there, and its own client would stumble over it too.
func (s *scan) stands(name string, err error) bool {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// A dangling link exists itself; one that the system ships, such as
		// systemd's to /etc/environment, is how it says "if there".
		img, e := s.v.Files.Snapshot(name)
		return e == nil && img.Kind == platform.Link && !strings.HasPrefix(name, "/usr/lib/")
	case errors.Is(err, fs.ErrPermission):
		// What the person may not read is judged when an administrator asks.
		return s.v.Elevated || strings.HasPrefix(name, s.home+"/")
	case strings.Contains(err.Error(), "not a directory"):
		return false
	}
	return true
}

func (s *scan) unreadable(client, file string, line int, err error) {
	for _, u := range s.inv.Unreadable {
		if u.File == file {
			return
		}
	}
	s.inv.Unreadable = append(s.inv.Unreadable, Unreadable{Client: client, File: file, Line: line, Err: err})
}

// parse reads and parses a configuration file; nil when there is none or it
// cannot be read. A file that only the parser refuses keeps what was parsed.
func (s *scan) parse(client, name string, format edit.Format) []edit.Entry {
	if format == "" {
		return nil
	}
	id := string(format) + "\x00" + name
	if e, ok := s.files[id]; ok {
		return e
	}
	var entries []edit.Entry
	if data := s.readRaw(client, name); len(data) > 0 {
		var err error
		if entries, err = edit.Parse(format, data); err != nil {
			line := 0
			var bad *edit.SyntaxError
			if errors.As(err, &bad) {
				line = bad.Line
			}
			s.unreadable(client, name, line, err)
		}
		if format == edit.GitConfig {
			tellBare(entries, data)
		}
	}
	s.files[id] = entries
	return entries
}

// tellBare tells git's bare key, which is true, from one with "=" and nothing
// after it, which is false.
func tellBare(entries []edit.Entry, data []byte) {
	lines := strings.Split(string(data), "\n")
	for i, e := range entries {
		if e.Empty && e.Line > 0 && e.Line <= len(lines) {
			_, after, _ := strings.Cut(lines[e.Line-1], e.Path[len(e.Path)-1])
			entries[i].Empty = !strings.HasPrefix(strings.TrimSpace(after), "=")
		}
	}
}

// expandFiles turns directories into the files in them.
func (s *scan) expandFiles(in []File) []File {
	var out []File
	type part struct {
		path string
		from int
	}
	seen := map[part]bool{}
	for _, f := range in {
		paths := []string{f.Path}
		if f.Ext != "" {
			paths = nil
			for _, n := range s.readDir(f.Path) {
				if hasExt(n, f.Ext) {
					paths = append(paths, path.Join(f.Path, n))
				}
			}
		}
		for _, p := range paths {
			f.Path, f.Ext = p, ""
			if id := (part{p, f.From}); !seen[id] {
				seen[id] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// hasExt matches a file name with File.Ext.
func hasExt(name, exts string) bool {
	switch exts {
	case "*":
		return !strings.HasPrefix(name, ".")
	case "apt": // apt.conf(5): no ending or .conf, of letters, digits, - and _
		base := strings.TrimSuffix(name, ".conf")
		return base != "" && strings.Trim(base, "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	}
	return slices.ContainsFunc(strings.Split(exts, ","), func(e string) bool { return strings.HasSuffix(name, e) })
}

func (s *scan) readDir(name string) []string {
	if d, ok := s.dirs[name]; ok {
		return d
	}
	d, err := s.v.Files.ReadDir(name)
	if err != nil {
		d = nil
	}
	s.dirs[name] = d
	return d
}

// kind is the type of what name leads to, Absent when nothing.
func (s *scan) kind(name string) platform.Kind {
	if k, ok := s.stats[name]; ok {
		return k
	}
	k := platform.Absent
	if img, err := s.v.Files.Stat(name); err == nil {
		k = img.Kind
	}
	s.stats[name] = k
	return k
}

func (s *scan) isFile(name string) bool { return s.kind(name) == platform.File }
func (s *scan) isDir(name string) bool  { return s.kind(name) == platform.DirKind }

// something reports whether a name leads to anything at all.
func (s *scan) something(name string) bool { return s.kind(name) != platform.Absent }

// look finds a program on the search path; "" when there is none.
func (s *scan) look(name string) string {
	if s.v.Exec != nil {
		if p, err := s.v.Exec.LookPath(name); err == nil {
			return p
		}
	}
	return ""
}

// first is the first of several files that exists, or "".
func (s *scan) first(names ...string) string {
	for _, n := range names {
		if n != "" && s.isFile(n) {
			return n
		}
	}
	return ""
}

// Unreadable is a configuration file that could not be read or parsed.
type Unreadable struct {
	Client string
	File   string
	Line   int // 0 when the file as a whole is the trouble
	Err    error
}

// Where is "path:line", or the path alone.
func (u Unreadable) Where() string { return at(u.File, u.Line) }

func at(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}
