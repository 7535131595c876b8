package client

import (
	"path"
	"strings"

	"trustfix/internal/edit"
	"trustfix/platform"
)

// What programs read because of where they are started: the files of the
// project around the working directory.

// maxDepth bounds how far up a project is looked for.
const maxDepth = 64

// ancestors are the working directory and those above it, nearest first.
func (s *scan) ancestors() []string {
	var out []string
	for d := s.v.Dir; path.IsAbs(d) && len(out) < maxDepth; d = path.Dir(d) {
		out = append(out, d)
		if d == "/" {
			break
		}
	}
	return out
}

// project reports whether a file of the working directory counts. For an
// administrator only root's own and the examined user's do: what somebody else
// left where root happens to stand neither leads root to that person's servers
// nor is it root's to repair.
func (s *scan) project(name string) bool {
	img, err := s.v.Files.Snapshot(name)
	if err != nil || img.Kind == platform.Absent {
		return false
	}
	return !s.v.Elevated || s.v.OS == "windows" || img.UID == 0 || img.UID == s.v.User.UID
}

// nearest is the first directory, from the working directory up, that has one
// of the files; "" when none does.
func (s *scan) nearest(names ...string) string {
	for _, d := range s.ancestors() {
		for _, n := range names {
			if s.project(path.Join(d, n)) {
				return d
			}
		}
	}
	return ""
}

// upward are the files of a name in the working directory and above it, lowest
// precedence first: the nearest comes last.
func (s *scan) upward(name string, format edit.Format) []File {
	var out []File
	for _, d := range s.ancestors() {
		if p := path.Join(d, name); s.project(p) {
			out = append([]File{{Path: p, Format: format, Here: true}}, out...)
		}
	}
	return out
}

// inProject is a file of the nearest directory that has one of marks; none
// where there is no such directory or no such file in it.
func (s *scan) inProject(name string, format edit.Format, marks ...string) []File {
	if d := s.nearest(marks...); d != "" && s.project(path.Join(d, name)) {
		return []File{{Path: path.Join(d, name), Format: format, Here: true}}
	}
	return nil
}

// pyproject is the table of one tool in a pyproject.toml.
func pyproject(dir, tool string) File {
	return File{Path: path.Join(dir, "pyproject.toml"), Format: edit.TOML, Under: []string{"tool", tool}, Here: true}
}

// hasTable reports whether a TOML file has anything below a path.
func (s *scan) hasTable(f File) bool {
	if !s.project(f.Path) {
		return false
	}
	for _, e := range s.parse("project", f.Path, f.Format) {
		if _, ok := f.inside(e); ok {
			return true
		}
	}
	return false
}

// inside is an entry as it stands below f.Under; !ok for one elsewhere.
func (f File) inside(e edit.Entry) (edit.Entry, bool) {
	if len(e.Path) < len(f.Under) {
		return e, false
	}
	for i, u := range f.Under {
		if e.Path[i] != u {
			return e, false
		}
	}
	e.Path = e.Path[len(f.Under):]
	return e, true
}

// npmProject is the .npmrc of npm's "local prefix": of the nearest directory
// with a package.json or node_modules, or of the workspace that it is part of;
// the working directory's where there is none.
func (s *scan) npmProject() string {
	prefix := ""
	for _, d := range s.ancestors() {
		manifest := s.project(path.Join(d, "package.json"))
		switch {
		case prefix == "" && (manifest || s.isDir(path.Join(d, "node_modules")) && s.project(path.Join(d, "node_modules"))):
			prefix = d
		case prefix != "" && manifest && s.hasWorkspace(d, prefix):
			return path.Join(d, ".npmrc")
		}
	}
	return path.Join(orElse(prefix, s.v.Dir), ".npmrc")
}

// hasWorkspace reports whether the package.json of a directory lists another
// one as its workspace.
func (s *scan) hasWorkspace(root, dir string) bool {
	rel := strings.TrimPrefix(strings.TrimPrefix(dir, root), "/")
	for _, e := range s.parse("npm", path.Join(root, "package.json"), edit.JSON) {
		if e.Parent || len(e.Path) < 2 || e.Path[0] != "workspaces" {
			continue
		}
		pattern := strings.TrimSuffix(strings.TrimPrefix(e.Value, "./"), "/")
		if ok, err := path.Match(pattern, rel); ok && err == nil || wildmatch(pattern, rel, false) {
			return true
		}
	}
	return false
}
