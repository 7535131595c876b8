package client

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"trustfix/internal/edit"
)

// git (reference/clients.md §8): its files with what they include, the
// repository around the working directory, and sections that are for some
// servers only.

var gitRow = &Row{
	Name:     "git",
	Programs: []string{"git"},
	Files:    gitFiles,
	Layers:   gitVariables,
	Normal:   strings.ToLower,
	Keys: []Key{
		{Path: []string{"http", "sslverify"}, Role: RoleVerify, Off: gitOff},
		{Path: []string{"http", "*", "sslverify"}, Role: RoleVerify, Off: gitOff, HostAt: 2},
		{Path: []string{"http", "sslcainfo"}, Role: RoleCA},
		{Path: []string{"http", "*", "sslcainfo"}, Role: RoleCA, HostAt: 2},
		{Path: []string{"http", "sslcapath"}, Role: RoleCA, Dir: true, Aside: true},
		{Path: []string{"http", "*", "sslcapath"}, Role: RoleCA, Dir: true, HostAt: 2, Aside: true},
		{Path: []string{"http", "proxysslcainfo"}, Role: RoleCA, Aside: true},
		{Path: []string{"http", "sslcert"}, Role: RoleCert},
		{Path: []string{"http", "*", "sslcert"}, Role: RoleCert, HostAt: 2},
		{Path: []string{"http", "sslkey"}, Role: RoleKey},
		{Path: []string{"http", "*", "sslkey"}, Role: RoleKey, HostAt: 2},
		{Path: []string{"http", "proxy"}, Role: RoleProxy},
		{Path: []string{"http", "*", "proxy"}, Role: RoleProxy, HostAt: 2},
		{Path: []string{"remote", "*", "url"}, Role: RoleURL},
		{Path: []string{"remote", "*", "pushurl"}, Role: RoleURL},
		{Path: []string{"url", "*", "insteadof"}, Role: roleOther},
	},
	Vars: []Var{
		// Any value, "0" and "" too: git only looks whether it is there.
		{Name: "GIT_SSL_NO_VERIFY", Role: RoleVerify, Off: always},
		{Name: "GIT_SSL_CAPATH", Role: RoleCA, Dir: true, Aside: true},
		{Name: "GIT_SSL_CAINFO", Role: RoleCA},
		{Name: "GIT_PROXY_SSL_CAINFO", Role: RoleCA, Aside: true},
		{Name: "GIT_SSL_CERT", Role: RoleCert},
		{Name: "GIT_SSL_KEY", Role: RoleKey},
		{Name: "GIT_CONFIG_COUNT", Role: roleOther},
		{Name: "GIT_CONFIG_KEY_*", Role: roleOther},
		{Name: "GIT_CONFIG_VALUE_*", Role: roleOther, EmptyCounts: true},
	},
	Default:   "os",
	Pin:       &Pin{Key: []string{"http", perServer, "sslCAInfo"}, File: userGitconfig, Dir: ".config/git"},
	Endpoints: (*scan).gitServers,
	Match:     gitMatch,
	Ask:       askGit,
	Rules:     ruleSet("gnutls"),
	Versions:  (*scan).packaged,
}

// gitOff: a key without "=" is true, one with an empty value false.
func gitOff(e edit.Entry) bool {
	if e.Empty {
		return false
	}
	// Numbers as C writes them, with git's units: 0x0 and 0k are false, too.
	number := strings.TrimRight(strings.ToLower(strings.TrimSpace(e.Value)), "kmg")
	if n, err := strconv.ParseInt(number, 0, 64); err == nil {
		return n == 0
	}
	return oneOf("false", "no", "off", "")(e.Value)
}

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

// gitServers are the remotes of the repository, rewritten as git does, and the
// servers that have a section of their own.
func (s *scan) gitServers(c *Client, layers []layer) {
	type rewrite struct{ from, to string }
	var rewrites []rewrite
	for _, l := range layers {
		if p := l.Entry.Path; !l.Env && len(p) == 3 && strings.EqualFold(p[2], "insteadOf") && l.Value != "" {
			rewrites = append(rewrites, rewrite{l.Value, p[1]})
		}
	}
	// The longest one counts.
	slices.SortStableFunc(rewrites, func(a, b rewrite) int { return len(b.from) - len(a.from) })
	proxies := s.proxies(layers)
	for _, l := range layers {
		switch {
		case l.role == RoleURL:
			to := l.Value
			for _, r := range rewrites {
				if rest, ok := strings.CutPrefix(to, r.from); ok {
					to = r.to + rest
					break
				}
			}
			s.endpoint(c, to, l.Where(), proxies)
		case len(l.Hosts) == 1 && !strings.Contains(l.Hosts[0], "*"):
			s.endpoint(c, l.Hosts[0], l.Where(), proxies)
		}
	}
}

// gitMatch is git's own idea of whether a section http.<pattern> is about a
// URL: same scheme, host and port, a path that is above it. The longer the
// pattern the more it counts.
func gitMatch(pattern string, u *url.URL) (weight int, ok bool) {
	p, err := url.Parse(pattern)
	if err != nil || !strings.EqualFold(p.Scheme, u.Scheme) || portOf(p) != portOf(u) {
		return 0, false
	}
	hosts, want := strings.Split(strings.ToLower(u.Hostname()), "."), strings.Split(strings.ToLower(p.Hostname()), ".")
	if len(hosts) != len(want) {
		return 0, false
	}
	for i, w := range want {
		if w != "*" && w != hosts[i] {
			return 0, false
		}
	}
	above := strings.TrimSuffix(p.Path, "/")
	if above != "" && u.Path != above && !strings.HasPrefix(u.Path, above+"/") {
		return 0, false
	}
	weight = 1 + len(above)
	if !strings.Contains(p.Hostname(), "*") {
		weight += 1 << 16 // the host comes before the path
	}
	return weight, true
}

// gitVariables are the keys that GIT_CONFIG_COUNT, _KEY_n and _VALUE_n set, the
// last of all layers.
func gitVariables(s *scan, c *Client) []layer {
	count, _ := s.envValue("GIT_CONFIG_COUNT", "")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil {
		return nil
	}
	var out []layer
	for i := range min(n, 1000) {
		at := strconv.Itoa(i)
		name, _ := s.envValue("GIT_CONFIG_KEY_"+at, "")
		val, x := s.envValue("GIT_CONFIG_VALUE_"+at, "")
		p := gitKey(name)
		if x == nil || p == nil {
			continue
		}
		e := edit.Entry{Path: p, Value: val, Quoted: true}
		k := c.Row.key(edit.GitConfig, e)
		if k == nil {
			continue
		}
		role, off := k.class(e)
		id := "GIT_CONFIG_VALUE\x00" + x.Where() + "\x00" + at
		set := s.own[id]
		if set == nil {
			copied := *x
			set = &copied
			set.Role, set.Off, set.Adds, set.Dir, set.Affects = role, off, k.Adds, k.Dir, nil
			if role == RoleVerify {
				set.Instead = "true" // without a value git refuses to start
			} else {
				set.ByHand = true
			}
			if k.HostAt > 0 {
				set.Hosts = []string{p[k.HostAt-1]}
			}
			s.own[id] = set
			if role != roleOther {
				s.inv.Settings = append(s.inv.Settings, set)
			}
		}
		out = append(out, layer{set, *k, role, off, false})
	}
	return out
}

// gitKey splits section.subsection.name.
func gitKey(name string) []string {
	section, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		return []string{section, rest[:i], rest[i+1:]}
	}
	return []string{section, rest}
}
