package client

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"trustfix/platform"
)

// pyEnv is one Python: an interpreter or a virtual or conda environment.
type pyEnv struct {
	path    string // what people know it by: the environment, or the program where many share a prefix
	prefix  string
	program string
	kind    pyKind
	version string // "3.11.7", or "3.11" where only that stands in files
	base    string // directory of the interpreter a virtual environment was made from
	sites   []string
	ssl     *openssl // once it was looked for
	dists   map[string]dist
	startup []string // files whose code runs at every start
}

type dist struct{ version, site string }

type pyKind string

const (
	pySystem pyKind = "system"
	pyPyenv  pyKind = "pyenv"
	pyUV     pyKind = "uv"
	pyConda  pyKind = "conda"
	pyVenv   pyKind = "venv"
)

var (
	versioned = regexp.MustCompile(`^python(\d\.\d+)$`)
	distInfo  = regexp.MustCompile(`^([A-Za-z0-9_.]+?)-([0-9][^-]*)(-py[0-9.]+)?\.(dist|egg)-info$`)
	leading   = regexp.MustCompile(`\d+(\.\d+)+`)
)

// wanted are the distributions whose version decides something.
var wanted = []string{"pip", "certifi", "requests", "urllib3", "httpx", "aiohttp", "truststore", "poetry", "pdm", "uv", "pipx"}

// findPythons lists interpreters and environments from what stands in
// directories; nothing is run.
func (s *scan) findPythons() {
	for _, dir := range []string{"/usr/bin", "/usr/local/bin", "/opt/local/bin", "/opt/homebrew/bin"} {
		for _, n := range s.readDir(dir) {
			if m := versioned.FindStringSubmatch(n); m != nil {
				s.addSystem(path.Join(dir, n), m[1])
			}
		}
	}
	var envs []*pyEnv
	var sites []string
	for _, p := range s.conda {
		if v := p.pkg("python"); v != "" {
			e := &pyEnv{path: p.dir, prefix: p.dir, kind: pyConda, version: v}
			envs, sites = append(envs, e), append(sites, s.sitesOf(e)...)
		}
	}
	s.ahead(sites)
	for _, e := range envs {
		s.addPy(e)
	}
	for _, h := range append(s.homes(), "") {
		root := path.Join(h, ".pyenv")
		if h == "" {
			root = s.getenv("PYENV_ROOT")
		}
		for _, n := range s.readDir(path.Join(root, "versions")) {
			d := path.Join(root, "versions", n)
			if !s.addVenv(d) && n[0] >= '0' && n[0] <= '9' {
				s.addPy(&pyEnv{path: d, prefix: d, kind: pyPyenv, version: n})
			}
			s.addVenvs(path.Join(d, "envs"))
		}
		if h == "" {
			continue
		}
		uv := path.Join(h, ".local/share/uv/python")
		for _, n := range s.readDir(uv) {
			if img, err := s.v.Files.Snapshot(path.Join(uv, n)); err == nil && img.Kind == platform.DirKind && strings.HasPrefix(n, "cpython-") {
				s.addPy(&pyEnv{path: path.Join(uv, n), prefix: path.Join(uv, n), kind: pyUV, version: leading.FindString(n)})
			}
		}
		s.findVenvs(h)
	}
	s.addVenv(s.getenv("VIRTUAL_ENV"))
	for _, d := range s.ancestors() {
		for _, n := range []string{".venv", "venv", "env"} {
			if s.project(path.Join(d, n)) {
				s.addVenv(path.Join(d, n))
			}
		}
	}
	for _, d := range []string{"/opt/venv", "/venv", "/opt/app/venv", "/app/.venv", "/app/venv", "/usr/src/app/.venv"} {
		s.addVenv(d)
	}
	s.addVenvs("/opt")
}

// venvDirs hold one virtual environment per entry.
var venvDirs = []string{
	".virtualenvs", ".venvs", "venvs", ".local/share/virtualenvs", ".local/share/pipx/venvs", ".local/pipx/venvs",
	".cache/pypoetry/virtualenvs", ".local/share/pdm/venvs", ".local/share/uv/tools", ".local/share/hatch/env/virtual",
	"Library/Caches/pypoetry/virtualenvs",
}

// maxProjects bounds how many directories of a home are searched for
// environments inside projects.
const maxProjects = 1000

func (s *scan) findVenvs(home string) {
	for _, d := range venvDirs {
		s.addVenvs(path.Join(home, d))
	}
	for _, d := range []string{"venv", ".venv", "env"} {
		s.addVenv(path.Join(home, d))
	}
	names := s.readDir(home)
	for _, n := range names[:min(len(names), maxProjects)] {
		if strings.HasPrefix(n, ".") || !s.isDir(path.Join(home, n)) {
			continue
		}
		for _, in := range s.readDir(path.Join(home, n)) {
			switch in {
			case "pyvenv.cfg":
				s.addVenv(path.Join(home, n))
			case "venv", ".venv", "env":
				s.addVenv(path.Join(home, n, in))
			}
		}
	}
}

func (s *scan) addVenvs(dir string) {
	for _, n := range s.readDir(dir) {
		s.addVenv(path.Join(dir, n))
	}
}

// addVenv adds a directory if it is a virtual environment.
func (s *scan) addVenv(dir string) bool {
	if !path.IsAbs(dir) || s.pyAt[dir] != nil {
		return dir != "" && s.pyAt[dir] != nil
	}
	data, err := s.v.Files.ReadFile(path.Join(dir, "pyvenv.cfg"))
	if err != nil {
		return false
	}
	p := &pyEnv{path: dir, prefix: dir, kind: pyVenv}
	for _, line := range strings.Split(string(data), "\n") {
		k, v, _ := strings.Cut(line, "=")
		v = strings.TrimSpace(v)
		switch strings.TrimSpace(k) {
		case "version", "version_info":
			p.version = leading.FindString(v)
		case "home":
			p.base = v
		}
	}
	s.addPy(p)
	return true
}

func (s *scan) addSystem(program, version string) {
	p := &pyEnv{path: program, prefix: path.Dir(path.Dir(program)), program: program, kind: pySystem, version: version}
	if full := s.packaged(&Client{Path: program}); strings.HasPrefix(full, version+".") {
		p.version = full
	}
	p.sites = []string{
		path.Join(s.home, ".local/lib/python"+version+"/site-packages"),
		"/usr/local/lib/python" + version + "/dist-packages",
		"/usr/lib/python3/dist-packages",
		path.Join(p.prefix, "lib/python"+version+"/site-packages"),
		path.Join(p.prefix, "lib64/python"+version+"/site-packages"),
	}
	if version[0] == '2' {
		p.sites[2] = "/usr/lib/python2.7/dist-packages"
	}
	s.addPy(p)
}

// addPy completes an environment from its directories.
func (s *scan) addPy(p *pyEnv) {
	if s.pyAt[p.path] != nil {
		return
	}
	if p.program == "" {
		p.program = path.Join(p.prefix, "bin/python")
		if s.v.OS == "windows" {
			p.program = path.Join(p.prefix, "Scripts/python.exe")
		}
	}
	if p.sites == nil {
		p.sites = s.sitesOf(p)
	}
	p.dists = map[string]dist{}
	for _, site := range p.sites {
		for _, n := range s.readDir(site) {
			if n == "sitecustomize.py" || n == "usercustomize.py" || strings.HasSuffix(n, ".pth") {
				p.startup = append(p.startup, path.Join(site, n))
			}
			if !strings.HasSuffix(n, "-info") {
				continue
			}
			name, _, _ := strings.Cut(strings.ToLower(n), "-")
			if _, ok := p.dists[name]; ok || !slices.Contains(wanted, name) {
				continue
			}
			if m := distInfo.FindStringSubmatch(n); m != nil {
				p.dists[name] = dist{m[2], site}
			}
		}
	}
	s.pyAt[p.path] = p
	s.pys = append(s.pys, p)
}

// sitesOf is where an environment keeps its packages.
func (s *scan) sitesOf(p *pyEnv) []string {
	if minor := minorOf(p.version); minor != "" && s.v.OS != "windows" {
		return []string{path.Join(p.prefix, "lib/python"+minor+"/site-packages")}
	}
	return []string{path.Join(p.prefix, "Lib/site-packages")}
}

// minorOf is "3.11" of "3.11.7".
func minorOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[0] + "." + strings.TrimRight(parts[1], "abrc+-dev")
}

// older reports whether version a is before b; an unknown version is not.
func older(a, b string) bool {
	if a == "" {
		return false
	}
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range y {
		n, m := 0, number(y[i])
		if i < len(x) {
			n = number(x[i])
		}
		if n != m {
			return n < m
		}
	}
	return false
}

func number(s string) int {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}

// peek reads a file of a program; whatever goes wrong, there is nothing to see.
func (s *scan) peek(name string) []byte {
	if b, ok := s.raw[name]; ok {
		return b
	}
	b, err := s.v.Files.ReadFile(name)
	if err != nil {
		b = nil
	}
	s.raw[name] = b
	return b
}
