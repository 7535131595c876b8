package platformtest

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"trustfix/platform"
)

// Program is what a scripted program does.
type Program struct {
	Stdout, Stderr string
	Code           int
	Err            error // it could not be run, or did not end in time
	// Do has effects on the tree (see WriteFile) and replaces the literals above.
	Do func(h *platform.Host, c platform.Cmd) (platform.Output, error)
	// Optional programs may stay unused. They are still found by LookPath.
	Optional bool
}

// Programs are the programs of the machine, by whole command line
// ("update-ca-certificates --fresh"), else by path or name for any arguments.
// Running a program that is not here fails the test, and so does not running
// one that is. A key with a path is where LookPath finds the program; a bare
// name is found in /usr/bin.
type Programs map[string]Program

// Script adds programs to the machine.
func Script(p Programs) Option {
	return func(h *harness) {
		if h.programs.script == nil {
			h.programs.script, h.programs.used = Programs{}, map[string]bool{}
		}
		for k, v := range p {
			h.programs.script[k] = v
		}
	}
}

// Ran are the command lines that were run, in order.
func Ran(h *platform.Host) []string { return slices.Clone(harnessOf(h).programs.ran) }

type programs struct {
	t    testing.TB
	host *platform.Host

	mu     sync.Mutex
	script Programs
	used   map[string]bool
	ran    []string
}

func (p *programs) lookPath(name string) (string, error) {
	for _, key := range slices.Sorted(mapsKeys(p.script)) {
		prog, _, _ := strings.Cut(key, " ")
		switch {
		case prog == name && path.IsAbs(prog), path.IsAbs(prog) && path.Base(prog) == name:
			return prog, nil
		case prog == name:
			return "/usr/bin/" + name, nil
		case path.IsAbs(name) && prog == path.Base(name):
			return name, nil
		}
	}
	dirs := []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}
	dirs = append(dirs, filepath.SplitList(p.host.Env["PATH"])...)
	if path.IsAbs(name) {
		dirs = []string{path.Dir(name)}
	}
	for _, d := range dirs {
		file := path.Join(d, path.Base(name))
		if img, err := p.host.Files.Stat(file); err == nil && img.Kind == platform.File && img.Mode&0o111 != 0 {
			return file, nil
		}
	}
	return "", &fs.PathError{Op: "find program", Path: name, Err: fs.ErrNotExist}
}

func mapsKeys(m Programs) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (p *programs) run(ctx context.Context, c platform.Cmd) (platform.Output, error) {
	p.t.Helper()
	if err := ctx.Err(); err != nil {
		return platform.Output{}, err
	}
	prog, ok := p.find(c)
	if !ok {
		if _, err := p.lookPath(c.Argv[0]); err != nil && !p.known(c.Argv[0]) {
			return platform.Output{}, err // as on a machine that lacks it
		}
		p.t.Errorf("platformtest: unscripted program: %s", strings.Join(c.Argv, " "))
		return platform.Output{}, &fs.PathError{Op: "run", Path: c.Argv[0], Err: fs.ErrNotExist}
	}
	if prog.Do != nil {
		return prog.Do(p.host, c)
	}
	out := platform.Output{Stdout: prog.Stdout, Stderr: prog.Stderr, Code: prog.Code}
	if prog.Err != nil {
		return out, prog.Err
	}
	if prog.Code != 0 {
		return out, &platform.ExitError{Argv: c.Argv, Code: prog.Code, Stderr: prog.Stderr}
	}
	return out, nil
}

// known reports whether the machine has the program, with other arguments.
func (p *programs) known(argv0 string) bool {
	for key := range p.script {
		prog, _, _ := strings.Cut(key, " ")
		if path.Base(prog) == path.Base(argv0) {
			return true
		}
	}
	return false
}

func (p *programs) find(c platform.Cmd) (Program, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := strings.Join(c.Argv, " ")
	p.ran = append(p.ran, line)
	base := append([]string{path.Base(c.Argv[0])}, c.Argv[1:]...)
	resolved, _ := p.lookPath(c.Argv[0])
	full := append([]string{resolved}, c.Argv[1:]...)
	for _, key := range []string{line, strings.Join(full, " "), strings.Join(base, " "), c.Argv[0], resolved, base[0]} {
		if prog, ok := p.script[key]; ok {
			p.used[key] = true
			return prog, true
		}
	}
	return Program{}, false
}

func (p *programs) checkUsed() {
	for _, key := range slices.Sorted(mapsKeys(p.script)) {
		if !p.used[key] && !p.script[key].Optional && !p.t.Failed() {
			p.t.Errorf("platformtest: scripted program was not run: %s", key)
		}
	}
}

// asking is the half of the programs that a View sees.
type asking struct{ p *programs }

func (a asking) LookPath(name string) (string, error) { return a.p.lookPath(name) }

func (a asking) Query(ctx context.Context, c platform.Cmd) (platform.Output, error) {
	return a.p.run(ctx, c)
}

// WriteFile changes the tree behind trustfix's back: for the effects of
// scripted programs, and for edits by the user between two runs. Parents are made.
func WriteFile(h *platform.Host, name, data string) {
	t := harnessOf(h).t
	t.Helper()
	host := h.Files.HostPath(name)
	if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(host, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Remove removes a path and what is below it behind trustfix's back.
func Remove(h *platform.Host, name string) {
	t := harnessOf(h).t
	t.Helper()
	if err := os.RemoveAll(h.Files.HostPath(name)); err != nil {
		t.Fatal(err)
	}
}

// Read is the content of a file of the tree, which must be there.
func Read(h *platform.Host, name string) string {
	t := harnessOf(h).t
	t.Helper()
	b, err := h.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
