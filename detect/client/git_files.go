package client

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// gitRepo is the repository around the working directory.
type gitRepo struct {
	dir    string // the .git directory, of this worktree
	common string // where its config is: the same, but for further worktrees
	branch string // checked out; "" when none is
}

// gitRepo finds the repository that git would find: GIT_DIR, a .git directory,
// a .git file that leads to one, or a bare repository.
func (s *scan) gitRepo() (r gitRepo) {
	if d := s.v.Env["GIT_DIR"]; path.IsAbs(d) {
		r.dir = d
	}
	for _, d := range s.ancestors() {
		if r.dir != "" {
			break
		}
		git := path.Join(d, ".git")
		switch {
		case s.isDir(git):
			r.dir = git
		case s.isFile(git):
			to, ok := strings.CutPrefix(strings.TrimSpace(string(s.peek(git))), "gitdir: ")
			if r.dir = to; ok && !path.IsAbs(to) {
				r.dir = path.Join(d, to)
			}
		case s.isFile(path.Join(d, "HEAD")) && s.isDir(path.Join(d, "objects")) && s.isDir(path.Join(d, "refs")):
			r.dir = d
		}
	}
	if r.dir == "" || !s.project(r.dir) {
		return gitRepo{}
	}
	r.common = r.dir
	if to := strings.TrimSpace(string(s.peek(path.Join(r.dir, "commondir")))); path.IsAbs(to) {
		r.common = to
	} else if to != "" {
		r.common = path.Join(r.dir, to)
	}
	r.branch, _ = strings.CutPrefix(strings.TrimSpace(string(s.peek(path.Join(r.dir, "HEAD")))), "ref: refs/heads/")
	return r
}

// gitFiles: system, global, the repository's own, each with what it includes.
func gitFiles(s *scan, _ *Client) []File {
	var names []string
	if p := s.getenv("GIT_CONFIG_SYSTEM"); p != "" {
		names = append(names, p)
	} else if !oneOf("1", "true", "yes", "on")(s.getenv("GIT_CONFIG_NOSYSTEM")) {
		names = append(names, "/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig")
	}
	if p := s.getenv("GIT_CONFIG_GLOBAL"); p != "" {
		names = append(names, p)
	} else {
		names = append(names, path.Join(s.configHome(), "git/config"), path.Join(s.home, ".gitconfig"))
	}
	w := gitWalk{scan: s, repo: s.gitRepo()}
	w.walk(names)
	if w.asked { // whether there is such a remote is known now
		w.known, w.out = w.remotes, nil
		w.walk(names)
	}
	return w.out
}

// gitWalk follows includes.
type gitWalk struct {
	*scan
	repo    gitRepo
	here    bool // in the repository's own files
	out     []File
	remotes []string // addresses that the files name
	asked   bool     // a condition is about them
	known   []string // remotes of a walk before
}

// walk lists the files, and then the repository's own.
func (w *gitWalk) walk(names []string) {
	w.here = false
	for _, n := range names {
		w.add(n, 0, false)
	}
	if w.repo.dir == "" {
		return
	}
	w.here = true
	w.add(path.Join(w.repo.common, "config"), 0, false)
	w.add(path.Join(w.repo.dir, "config.worktree"), 0, false)
}

// add lists a file: what it includes in its middle stands between two parts of
// it. What it would include elsewhere, in another repository or on another
// branch, is listed aside.
func (w *gitWalk) add(name string, depth int, aside bool) {
	if !path.IsAbs(name) || depth > 10 {
		return
	}
	from := 0
	part := func(to int) {
		w.out = append(w.out, File{Path: name, Format: edit.GitConfig, From: from, To: to, Aside: aside, Here: w.here})
		from = to
	}
	defer func() { part(0) }()
	if !w.something(name) {
		return
	}
	for _, e := range w.parse("git", name, edit.GitConfig) {
		n := len(e.Path)
		if n == 3 && !aside && strings.EqualFold(e.Path[0], "remote") && strings.EqualFold(e.Path[2], "url") {
			w.remotes = append(w.remotes, e.Value)
		}
		if n < 2 || !strings.EqualFold(e.Path[n-1], "path") {
			continue
		}
		elsewhere, here := aside, w.here
		switch section := strings.ToLower(e.Path[0]); {
		case section == "include" && n == 2:
		case section == "includeif" && n == 3:
			elsewhere = elsewhere || !w.holds(e.Path[1], path.Dir(name))
			w.here = true
		default:
			continue
		}
		part(e.Line + 1)
		p, ok := w.expand(e.Value)
		if !ok {
			p = path.Join(path.Dir(name), e.Value)
		}
		w.add(p, depth+1, elsewhere)
		w.here = here
	}
}

// holds reports whether the condition of an includeIf is met here.
func (w *gitWalk) holds(condition, dir string) bool {
	kind, pattern, _ := strings.Cut(condition, ":")
	fold := kind == "gitdir/i"
	if remote, ok := strings.CutPrefix(pattern, "remote.*.url:"); ok && kind == "hasconfig" {
		w.asked = true // a "/" at the end stands for itself, unlike that of the others
		return slices.ContainsFunc(w.known, func(u string) bool { return wildmatch(remote, u, false) })
	}
	if kind == "onbranch" {
		if strings.HasSuffix(pattern, "/") {
			pattern += "**"
		}
		return w.repo.branch != "" && wildmatch(pattern, w.repo.branch, false)
	}
	if kind != "gitdir" && !fold || w.repo.dir == "" {
		return false
	}
	if rest, ok := strings.CutPrefix(pattern, "~/"); ok {
		pattern = w.home + "/" + rest
	} else if rest, ok := strings.CutPrefix(pattern, "./"); ok {
		pattern = dir + "/" + rest
	} else if !path.IsAbs(pattern) {
		pattern = "**/" + pattern
	}
	if strings.HasSuffix(pattern, "/") {
		pattern += "**"
	}
	return wildmatch(pattern, w.repo.dir, fold)
}

// wildmatch matches a path as git does: "*" and "?" stop at a slash, "**"
// stands for any number of directories.
func wildmatch(pattern, name string, fold bool) bool {
	var b strings.Builder
	if fold {
		b.WriteString("(?i)")
	}
	b.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/") && (i == 0 || pattern[i-1] == '/'):
			b.WriteString("(?:.*/)?")
			i += 2
		case rest == "**":
			b.WriteString(".*")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	return err == nil && re.MatchString(name)
}

// userGitconfig is where "git config --global" writes.
func userGitconfig(s *scan, _ *Client) File {
	own, xdg := path.Join(s.home, ".gitconfig"), path.Join(s.configHome(), "git/config")
	if p := s.getenv("GIT_CONFIG_GLOBAL"); path.IsAbs(p) {
		own = p
	} else if !s.something(own) && s.something(xdg) {
		own = xdg
	}
	return File{Path: own, Format: edit.GitConfig}
}
