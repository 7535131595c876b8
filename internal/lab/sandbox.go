//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Config says how a sandbox and its world differ from a healthy machine.
type Config struct {
	Suite  Suite         // whose copy it is; default: the running system's
	Hosts  Hosts         // names that are not good
	Times  TimeServers   // names that do not tell the true time
	Offset time.Duration // the world's clock, against this machine's
	Show   []string      // directories of this machine, read-only at the same place
}

// Sandbox is a throw-away copy of the system with its own small internet.
type Sandbox struct {
	World *World
	t     testing.TB
	base  *base
	ns    *namespaces
	dir   string
}

// Start makes a sandbox that lives as long as the test. It skips the test
// where the laboratory cannot run, and fails it where it has to.
func Start(t testing.TB, c Config) *Sandbox {
	t.Helper()
	need(t)
	needStep(t, c.Suite != Machine)
	b, err := c.Suite.base()
	if errors.Is(err, errNoSuite) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // on the lab's tmpfs: TMPDIR points there
	s := &Sandbox{t: t, dir: dir, base: b}
	ns, err := openOverlay(dir, b.layers(), c.Show...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.close)
	s.ns = ns
	if s.World, err = openWorld(b, ns, c.Offset); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.World.Close)
	s.Map(c.Hosts, c.Times)
	return s
}

// openOverlay puts a new writable layer over the given ones, in new namespaces.
func openOverlay(dir string, lower []string, show ...string) (*namespaces, error) {
	spec := initSpec{Lower: lower, Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work"), Root: filepath.Join(dir, "root"), Show: show}
	for _, d := range []string{spec.Upper, spec.Work, spec.Root} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	return openNamespaces(spec)
}

// Map sets which names meet which server; names not given are good or true.
func (s *Sandbox) Map(h Hosts, t TimeServers) {
	s.t.Helper()
	s.Write("/etc/hosts", s.World.hostsFile(h, t))
}

// Cmd is a program to run inside a sandbox. Nothing is inherited: it sees
// PATH, HOME, LANG and Env.
type Cmd struct {
	Argv    []string
	Env     []string
	User    string // "root" (default) or "lin"
	Dir     string // default: the user's home
	Stdin   string
	Timeout time.Duration // default 90 s
}

// Result is how a program ended.
type Result struct {
	Stdout, Stderr string
	Code           int
	Took           time.Duration
}

func (r Result) String() string {
	return fmt.Sprintf("exit %d\n--- stdout\n%s\n--- stderr\n%s", r.Code, r.Stdout, r.Stderr)
}

// The sandbox's people besides root.
const (
	linUID  = 20001
	linHome = "/home/lin"
)

// Process is a program that runs inside a sandbox.
type Process struct {
	cmd      *exec.Cmd
	cancel   context.CancelFunc
	out, err bytes.Buffer
	since    time.Time
}

// Start starts a program and does not wait for it.
func (s *Sandbox) Start(c Cmd) (*Process, error) {
	if c.Timeout == 0 {
		c.Timeout = 90 * time.Second
	}
	home, uid := "/root", 0
	if c.User == "lin" {
		home, uid = linHome, linUID
	}
	if c.Dir == "" {
		c.Dir = home
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	p := &Process{cancel: cancel, since: time.Now()}
	start := func() error {
		p.cmd = exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
		p.cmd.Dir, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.Dir, strings.NewReader(c.Stdin), &p.out, &p.err
		p.cmd.Env = append([]string{
			"PATH=" + sandboxPath, "HOME=" + home, "USER=" + c.User, "LANG=C.UTF-8", "TERM=dumb",
			"DEBIAN_FRONTEND=noninteractive", "PYTHONDONTWRITEBYTECODE=1",
		}, c.Env...)
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if uid != 0 {
			p.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}
		}
		p.cmd.Cancel = func() error { return syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }
		p.cmd.WaitDelay = 2 * time.Second
		return p.cmd.Start()
	}
	err := s.ns.enter(allNamespaces, start)
	for i := 0; errors.Is(err, syscall.ETXTBSY) && i < 100; i++ {
		// Another test forked while the program was being written: its child
		// holds the file open for an instant.
		time.Sleep(10 * time.Millisecond)
		err = s.ns.enter(allNamespaces, start)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("cannot start %s in the sandbox: %w", c.Argv[0], err)
	}
	return p, nil
}

const sandboxPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Kill ends the process itself (not what it started) as kill -9 does.
func (p *Process) Kill() error { return p.cmd.Process.Kill() }

// Wait waits for the end.
func (p *Process) Wait() (Result, error) {
	err := p.cmd.Wait()
	p.cancel()
	r := Result{Stdout: p.out.String(), Stderr: p.err.String(), Took: time.Since(p.since), Code: p.cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return r, err
}

// Exec runs a program to its end.
func (s *Sandbox) Exec(c Cmd) Result {
	s.t.Helper()
	p, err := s.Start(c)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := p.Wait()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", strings.Join(c.Argv, " "), err, r)
	}
	return r
}

// Run runs a program as root.
func (s *Sandbox) Run(argv ...string) Result {
	s.t.Helper()
	return s.Exec(Cmd{Argv: argv})
}

// Must runs a shell script as root that has to succeed, and returns what it printed.
func (s *Sandbox) Must(script string) string {
	s.t.Helper()
	r := s.Run("/bin/sh", "-euc", script)
	if r.Code != 0 {
		s.t.Fatalf("%s\n%s", script, r)
	}
	return r.Stdout
}

// in runs f with the sandbox's file tree as its own.
func (s *Sandbox) in(f func() error) error { return s.ns.enter(unix.CLONE_NEWNS, f) }

// Write puts a file into the sandbox, with its directories, as root. The
// content of a file that exists is replaced, its mode and owner stay.
func (s *Sandbox) Write(path, content string) {
	s.t.Helper()
	err := s.in(func() error {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(content), 0o644)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// WriteAs is Write for lin's files: what is made belongs to lin.
func (s *Sandbox) WriteAs(path, content string) {
	s.t.Helper()
	s.Write(path, content)
	err := s.in(func() error {
		for p := path; p != linHome && strings.HasPrefix(p, linHome); p = filepath.Dir(p) {
			if err := os.Lchown(p, linUID, linUID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// Read is a file's content; the test fails if it cannot be read.
func (s *Sandbox) Read(path string) string {
	s.t.Helper()
	var b []byte
	err := s.in(func() (err error) { b, err = os.ReadFile(path); return err })
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// Exists says whether something is at path (a dangling link is).
func (s *Sandbox) Exists(path string) bool {
	s.t.Helper()
	err := s.in(func() error { _, err := os.Lstat(path); return err })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	return err == nil
}

// Clock makes a command see, and set, a time of day of its own: the machine's
// plus shift. It skips the test where programs cannot be traced that way.
func (s *Sandbox) Clock(shift time.Duration, c Cmd) Cmd {
	s.t.Helper()
	if runtime.GOARCH != "amd64" {
		s.t.Skip("the traced clock knows amd64 only; the other clock tests use time servers")
	}
	const tracer = "/run/fakeclock"
	if !s.Exists(tracer) {
		self, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			s.t.Fatal(err)
		}
		s.Write(tracer, string(self))
		s.Must("chmod 755 " + tracer)
	}
	c.Argv = append([]string{tracer}, c.Argv...)
	c.Env = append(slices.Clip(c.Env), clockEnv+"="+shift.String())
	return c
}
