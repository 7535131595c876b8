//go:build linux

package lab

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// wanted are the Debian packages whose programs the tests use.
var wanted = []string{"ca-certificates", "openssl", "curl", "git", "python3", "python3-pip", "python3-requests", "python3-certifi", "python3-ruamel.yaml"}

// wantedForConda are the Debian packages that conda itself needs, when
// TRUSTFIX_LAB_CONDA names a directory of its source trees.
var wantedForConda = []string{
	"conda-package-handling", "python3-pycosat", "python3-pluggy", "python3-boltons", "python3-tqdm", "python3-toolz",
	"python3-platformdirs", "python3-frozendict", "python3-packaging", "python3-distro", "python3-zstandard", "python3-jsonpatch",
}

// prepared is what has to be made in the machine's own environment, before the
// laboratory closes itself in: the program and the packages.
type prepared struct {
	Dir     string   // empty directory; the lab's tmpfs comes here
	System  string   // the tree that sandboxes are copies of: "/", or TRUSTFIX_LAB_ROOT
	Family  Suite    // what to make of that tree; "" leaves it Debian
	Conda   string   // source trees of conda, one per directory; "" without
	Program string   // trustfix, built from this checkout
	Install []string // wanted packages that the machine lacks
	Debs    []string // .deb files: those and all they need, and ca-certificates
	Cache   string   // directory that outlives the run
	Proxy   []string // the machine's variables that say how the mirrors are reached

	MayFetch bool // what the cache lacks
	Suites   bool // only sandboxes of suites run, else only the machine's

	Programs []string          // of the machine, found by its own PATH: every Python, deno and uv
	Scripts  map[string]string // the same for the relatives of npm, by name
	scratch  string
}

func (p *prepared) remove() {
	_ = os.RemoveAll(p.scratch)
}

// prepare finds out whether the laboratory can run and gets it what it needs.
// Packages come from the cache, or, if may fetch, from the mirrors that the
// machine's apt is configured for, into a directory of their own.
func prepare(mayFetch bool) (*prepared, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("it needs root for namespaces and overlay mounts (sudo go test ./internal/lab)")
	}
	for _, tool := range []string{"apt-get", "dpkg-deb", "dpkg-query"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("it needs a Debian-family system: %w", err)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "trustfix-lab-")
	if err != nil {
		return nil, err
	}
	p := &prepared{
		scratch: scratch, Dir: filepath.Join(scratch, "lab"), Program: filepath.Join(scratch, "trustfix"), Cache: filepath.Join(cache, "trustfix-lab"), MayFetch: mayFetch,
		Suites: os.Getenv("TRUSTFIX_LAB_SUITES") != "",
		System: cmp.Or(os.Getenv("TRUSTFIX_LAB_ROOT"), "/"), Conda: os.Getenv("TRUSTFIX_LAB_CONDA"),
	}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		if v, ok := os.LookupEnv(name); ok {
			p.Proxy = append(p.Proxy, name+"="+v)
		}
	}
	p.Programs, p.Scripts = machinePrograms(), map[string]string{}
	for _, name := range []string{"pnpm", "yarn", "yarn-berry"} {
		if found, err := exec.LookPath(name); err == nil {
			p.Scripts[name], _ = filepath.EvalSymlinks(found)
		}
	}
	if err := p.fill(); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

func (p *prepared) fill() error {
	if err := os.Mkdir(p.Dir, 0o755); err != nil {
		return err
	}
	if err := p.packages(); err != nil {
		return err
	}
	if given := os.Getenv("TRUSTFIX_LAB_PROGRAM"); given != "" {
		p.Program = given
		return nil
	}
	_, err := run("env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-o", p.Program, "trustfix")
	return err
}

// machinePrograms finds what the machine has besides its distribution's: the
// Pythons on PATH and those of pyenv, whose shims are no Pythons, deno and uv.
func machinePrograms() []string {
	var found []string
	home, _ := os.UserHomeDir()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), filepath.Join(cmp.Or(os.Getenv("PYENV_ROOT"), filepath.Join(home, ".pyenv")), "versions/*/bin")) {
		for _, name := range []string{"python[23]*", "deno", "uv"} {
			all, _ := filepath.Glob(filepath.Join(dir, name))
			found = append(found, all...)
		}
	}
	var out []string
	for _, path := range found {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || slices.Contains(out, real) || !ofMachine.MatchString(filepath.Base(real)) {
			continue
		}
		head := make([]byte, 4)
		if f, err := os.Open(real); err == nil {
			_, _ = f.Read(head)
			_ = f.Close()
		}
		if string(head) == "\x7fELF" {
			out = append(out, real)
		}
	}
	slices.Sort(out)
	return out
}

var ofMachine = regexp.MustCompile(`^(python[23][.0-9]*|deno|uv)$`)

// packages fills Install and Debs.
func (p *prepared) packages() error {
	want := wanted
	if p.Conda != "" {
		want = slices.Concat(wanted, wantedForConda)
	}
	for _, name := range want {
		status, err := run("dpkg-query", "--admindir", filepath.Join(p.System, "var/lib/dpkg"), "-W", "-f", "${db:Status-Status}", name)
		if err != nil || status != "installed" { // asked for an unknown package, dpkg-query fails
			p.Install = append(p.Install, name)
		}
	}
	if p.System != "/" {
		return p.givenPackages()
	}
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return err
	}
	cache := filepath.Join(p.Cache, codename(string(release)))
	if err := os.MkdirAll(filepath.Join(cache, "partial"), 0o755); err != nil {
		return err
	}
	// The marker lists what was fetched completely: asking apt each time takes seconds and a network.
	marker := filepath.Join(cache, "complete")
	have, _ := os.ReadFile(marker)
	fetched, need := strings.Fields(string(have)), append([]string{"ca-certificates"}, p.Install...)
	missing := slices.DeleteFunc(slices.Clone(need), func(name string) bool { return slices.Contains(fetched, name) })
	if len(missing) > 0 {
		if !p.MayFetch {
			return fmt.Errorf("the packages %s are not in %s; TRUSTFIX_LAB=require go test ./internal/lab fetches them once", strings.Join(missing, " "), cache)
		}
		if err := fetch(cache, p.scratch, p.Install); err != nil {
			return err
		}
		if err := os.WriteFile(marker, []byte(strings.Join(need, " ")), 0o644); err != nil {
			return err
		}
	}
	p.Debs, err = filepath.Glob(filepath.Join(cache, "*.deb"))
	if err == nil && len(p.Debs) == 0 {
		err = fmt.Errorf("no packages in %s: remove that directory and try again", cache)
	}
	return err
}

// givenPackages takes the packages that a given root brings with it.
func (p *prepared) givenPackages() error {
	for _, dir := range []string{"srv/repo", "var/cache/apt/archives"} {
		debs, err := filepath.Glob(filepath.Join(p.System, dir, "*.deb"))
		if err != nil {
			return err
		}
		p.Debs = append(p.Debs, debs...)
	}
	if !slices.ContainsFunc(p.Debs, func(d string) bool { return strings.HasPrefix(filepath.Base(d), "ca-certificates_") }) {
		return fmt.Errorf("%s has no ca-certificates package in /srv/repo or /var/cache/apt/archives", p.System)
	}
	return nil
}

func codename(release string) string {
	for line := range strings.Lines(release) {
		if v, ok := strings.CutPrefix(line, "VERSION_CODENAME="); ok {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return "unknown"
}

// fetch lets apt download packages into cache with lists of its own: the
// machine's package state does not change.
func fetch(cache, scratch string, install []string) error {
	old, err := filepath.Glob(filepath.Join(cache, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range append(old, filepath.Join(cache, "complete")) { // two versions of a package would be one too many
		_ = os.Remove(deb)
	}
	lists := filepath.Join(scratch, "lists")
	if err := os.MkdirAll(filepath.Join(lists, "partial"), 0o755); err != nil {
		return err
	}
	apt := []string{
		"-qq", "-o", "Dir::State::lists=" + lists, "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
		"-o", "Dir::Cache::archives=" + cache, "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3",
	}
	// One foreign source that does not answer must not stop the laboratory.
	_, updateErr := run("apt-get", append(apt, "update")...)
	get := func(args ...string) error {
		if _, err := run("apt-get", append(apt[:len(apt):len(apt)], args...)...); err != nil {
			return errors.Join(err, updateErr)
		}
		return nil
	}
	if err := get(append([]string{"-y", "--no-install-recommends", "--download-only", "install", "--reinstall", "ca-certificates"}, install...)...); err != nil {
		return fmt.Errorf("cannot fetch the laboratory's packages: %w", err)
	}
	return nil
}

// run runs a program of the machine with the machine's environment.
func run(name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, stderr.String())
	}
	return string(out), err
}
