package client

import (
	"path"
	"slices"
	"strings"
)

// prefix is a conda installation or environment: a directory with conda-meta.
type prefix struct {
	dir   string
	base  string   // the installation it belongs to; "" for an installation itself
	names []string // in dir
	meta  []string // in conda-meta: name-version-build.json
	state bool     // conda-meta/state holds variables
	conda bool     // conda is installed in it
}

// pkg is the version of an installed package, from the names in conda-meta.
func (p *prefix) pkg(name string) string {
	for _, m := range p.meta {
		if rest, ok := strings.CutPrefix(m, name+"-"); ok && strings.HasSuffix(rest, ".json") && rest[0] >= '0' && rest[0] <= '9' {
			v, _, _ := strings.Cut(rest, "-")
			return v
		}
	}
	return ""
}

// condaDirs are the names that the installers give their directory.
var condaDirs = []string{
	"miniconda3", "anaconda3", "miniforge3", "mambaforge", "miniconda", "anaconda", "miniforge",
	"micromamba", "mamba", "opt/miniconda3", "opt/anaconda3", ".miniconda3", ".anaconda3",
}

// findConda lists installations and environments without running anything:
// environments.txt, the usual roots, the variables that activation leaves.
func (s *scan) findConda() {
	bases := []string{
		s.getenv("CONDA_ROOT"), s.getenv("_CONDA_ROOT"), s.getenv("MAMBA_ROOT_PREFIX"),
		parent(s.getenv("CONDA_EXE")), parent(s.getenv("_CONDA_EXE")), parent(s.getenv("MAMBA_EXE")), path.Dir(s.getenv("CONDA_PYTHON_EXE")),
		parent(s.getenv("CONDA_PYTHON_EXE")), "/opt/conda", "/opt/mamba", "/usr/local/conda", "/conda",
	}
	if p := s.look("conda"); p != "" {
		if real, err := s.v.Files.Resolve(p); err == nil {
			p = real
		}
		bases = append(bases, parent(p))
	}
	for _, n := range condaDirs {
		bases = append(bases, path.Join("/opt", n), path.Join("/usr/local", n))
	}
	for _, h := range s.homes() {
		for _, n := range condaDirs {
			bases = append(bases, path.Join(h, n))
		}
	}
	for _, b := range bases {
		if p := s.addPrefix(b, ""); p != nil {
			s.addEnvs(path.Join(p.dir, "envs"), p.dir)
		}
	}
	s.addPrefix(s.getenv("CONDA_PREFIX"), "")
	for _, h := range s.homes() {
		var listed []string
		for _, line := range strings.Split(string(s.readRaw("conda", path.Join(h, ".conda/environments.txt"))), "\n") {
			if line = strings.TrimSpace(line); path.IsAbs(line) {
				listed = append(listed, line)
			}
		}
		s.prefixesAhead(listed)
		for _, dir := range listed {
			base := ""
			if d := path.Dir(dir); path.Base(d) == "envs" {
				base = path.Dir(d)
			}
			s.addPrefix(dir, base)
		}
		s.addEnvs(path.Join(h, ".conda/envs"), "")
	}
}

// parent is the prefix of a program in its bin (or Scripts, condabin) directory.
func parent(program string) string {
	if program == "" {
		return ""
	}
	return path.Dir(path.Dir(program))
}

func (s *scan) addEnvs(dir, base string) {
	var envs []string
	for _, n := range s.readDir(dir) {
		if !strings.HasPrefix(n, ".") {
			envs = append(envs, path.Join(dir, n))
		}
	}
	s.prefixesAhead(envs)
	for _, e := range envs {
		s.addPrefix(e, base)
	}
}

func (s *scan) addPrefix(dir, base string) *prefix {
	if dir = path.Clean(dir); !path.IsAbs(dir) || dir == "/" {
		return nil
	}
	if p := s.prefixes[dir]; p != nil {
		return p
	}
	names := s.readDir(dir)
	if !slices.Contains(names, "conda-meta") && !slices.ContainsFunc(names, isCondarc) {
		return nil
	}
	p := &prefix{dir: dir, base: base, names: names}
	if slices.Contains(names, "conda-meta") {
		p.meta = s.readDir(path.Join(dir, "conda-meta"))
	}
	p.state = slices.Contains(p.meta, "state")
	p.conda = p.pkg("conda") != "" || slices.Contains(names, "condabin") || base == "" && s.isFile(path.Join(dir, "bin/conda"))
	if p.conda {
		p.base = ""
	} else if base != "" && s.prefixes[base] == nil {
		p.base = ""
	}
	s.prefixes[dir] = p
	s.conda = append(s.conda, p)
	return p
}

// scriptPython is the Python that a script's first line names, or nil.
func (s *scan) scriptPython(program string) *pyEnv {
	line, _, _ := strings.Cut(string(s.peek(program)), "\n")
	words := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return nil
	}
	at := words[0]
	if len(words) > 1 && path.Base(at) == "env" {
		at = s.look(words[1])
	}
	if p := s.pyAt[parent(at)]; p != nil {
		return p // of an environment
	}
	real, err := s.v.Files.Resolve(at)
	if err != nil {
		return nil
	}
	for _, p := range s.pys {
		if p.program == real || p.program == at {
			return p
		}
	}
	return nil
}

func isCondarc(n string) bool { return n == ".condarc" || n == "condarc" || n == "condarc.d" }

// condaBases are the instances of conda: the installations, each environment
// that holds a condarc of its own, and a program that stands elsewhere.
func (s *scan) condaBases() []*Client {
	var out []*Client
	for _, p := range s.conda {
		own := slices.ContainsFunc(p.names, isCondarc)
		if !p.conda && !own {
			continue
		}
		c := &Client{Path: p.dir, Version: p.pkg("conda"), py: s.pyAt[orElse(p.base, p.dir)], Program: s.first(path.Join(p.dir, "bin/conda"), path.Join(p.dir, "condabin/conda"))}
		if b := s.prefixes[p.base]; b != nil && !p.conda {
			c.Version, c.Program = b.pkg("conda"), path.Join(b.dir, "bin/conda")
		}
		if c.py != nil {
			c.OpenSSL = s.opensslOf(c.py).version
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		if p := s.look("conda"); p != "" {
			out = append(out, &Client{Path: p, Program: p, py: s.scriptPython(p)})
		}
	}
	return out
}
