package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	outputLimit    = 1 << 20
	defaultTimeout = 30 * time.Second
	cleanPath      = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// programs runs programs of one tree. It is both halves; a View gets only the
// asking one (querier).
type programs struct {
	files  *tree
	os     string
	chroot string   // host path; "" for the running system
	path   []string // directories of the caller's PATH
	user   User
}

type querier struct{ p *programs }

func (q querier) LookPath(name string) (string, error)             { return q.p.lookPath(name) }
func (q querier) Query(ctx context.Context, c Cmd) (Output, error) { return q.p.Run(ctx, c) }
func (p *programs) mayChroot() bool                                { return p.chroot == "" || p.files.euid == 0 }
func redactURLs(s string) string                                   { return userinfo.ReplaceAllString(s, "://***@") }

var userinfo = regexp.MustCompile(`://[^/@\s'"]+@`)

// lookPath searches the system's directories first, so that a program of the
// same name in the caller's PATH does not stand in for the system's own.
func (p *programs) lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		if err := p.executable(name); err != nil {
			return "", err
		}
		return name, p.chrootErr(name)
	}
	for _, dir := range append(systemPath(p.os), p.path...) {
		for _, ext := range executableExts(p.os) {
			if file := path.Join(dir, name+ext); p.executable(file) == nil {
				return file, p.chrootErr(name)
			}
		}
	}
	return "", &fs.PathError{Op: "find program", Path: name, Err: fs.ErrNotExist}
}

// root is what to change the root to: the directory that is held open and was
// judged, not whatever has its name by now.
func (p *programs) root() string {
	if p.chroot == "" {
		return ""
	}
	return p.files.top.handle(p.chroot)
}

func (p *programs) chrootErr(name string) error {
	if p.mayChroot() {
		return nil
	}
	return &fs.PathError{Op: "run", Path: name, Err: ErrNoChroot}
}

func (p *programs) executable(file string) error {
	img, err := p.files.Stat(file)
	if err != nil {
		return err
	}
	if img.Kind != File || p.os != "windows" && img.Mode&0o111 == 0 {
		return &fs.PathError{Op: "run", Path: file, Err: fs.ErrPermission}
	}
	return nil
}

func systemPath(goos string) []string {
	if goos == "windows" {
		return []string{"/Windows/System32", "/Windows", "/Windows/System32/WindowsPowerShell/v1.0"}
	}
	return strings.Split(cleanPath, ":")
}

func executableExts(goos string) []string {
	if goos == "windows" {
		return []string{".exe", ".cmd", ".bat", ""}
	}
	return []string{""}
}

// Run implements Runner.
func (p *programs) Run(ctx context.Context, c Cmd) (Output, error) {
	if len(c.Argv) == 0 {
		return Output{}, errors.New("no program given")
	}
	file, err := p.lookPath(c.Argv[0])
	if err != nil {
		return Output{}, err
	}
	if err := p.trusted(file, c.As); err != nil {
		return Output{}, err
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()

	prog := file
	dir := path.Clean("/" + c.Dir)
	if p.chroot == "" {
		prog, dir = p.files.HostPath(file), p.files.HostPath(dir)
	}
	cmd := exec.CommandContext(ctx, prog, c.Argv[1:]...)
	cmd.Args[0] = c.Argv[0]
	cmd.Dir = dir
	cmd.Env = p.environ(c)
	var stdout, stderr limited
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	cmd.WaitDelay = 2 * time.Second // for children that keep the pipes
	confine(cmd, p.root(), c.As, p.files.euid)
	err = cmd.Run()

	out := Output{Stdout: string(stdout.kept), Stderr: string(stderr.kept)}
	if cmd.ProcessState != nil {
		out.Code = cmd.ProcessState.ExitCode()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && err != nil:
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return out, fmt.Errorf("%s did not finish within %v: %w", c.Argv[0], c.Timeout, ctx.Err())
		}
		return out, fmt.Errorf("%s: %w", c.Argv[0], ctx.Err())
	case errors.As(err, &exit):
		return out, &ExitError{Argv: c.Argv, Code: out.Code, Stderr: out.Stderr}
	case errors.Is(err, exec.ErrWaitDelay): // it ended well, a child of it lives on
		return out, nil
	case err != nil && p.chroot != "" && errors.Is(err, fs.ErrPermission):
		return out, fmt.Errorf("%s: %w: %w", c.Argv[0], ErrNoChroot, err)
	case err != nil:
		return out, fmt.Errorf("cannot run %s: %w", c.Argv[0], err)
	}
	return out, nil
}

// environ is all that a program sees of an environment.
func (p *programs) environ(c Cmd) []string {
	user := p.user
	if p.files.euid == 0 {
		user = User{Home: rootHome(p.os)}
	}
	if c.As != nil {
		user = *c.As
	}
	env := []string{"LC_ALL=C"}
	if p.os == "windows" {
		env = append(env, windowsEnv(p.files.HostPath)...)
		env = append(env, "USERPROFILE="+p.files.HostPath(user.Home))
	} else {
		env = append(env, "PATH="+cleanPath, "HOME="+user.Home)
	}
	return append(env, c.Env...)
}

func rootHome(goos string) string {
	if goos == "darwin" {
		return "/var/root"
	}
	return "/root"
}

func windowsEnv(host func(string) string) []string {
	var dirs []string
	for _, d := range systemPath("windows") {
		dirs = append(dirs, host(d))
	}
	return []string{
		"PATH=" + strings.Join(dirs, ";"), "SystemRoot=" + host("/Windows"), "windir=" + host("/Windows"),
		"TEMP=" + host("/Windows/Temp"), "TMP=" + host("/Windows/Temp"), "PATHEXT=.COM;.EXE;.BAT;.CMD",
	}
}

// trusted refuses, for root, a program that somebody else could have written:
// the file, every directory on the way to it, and the interpreter of a script.
// A program run as an ordinary user may also belong to that user.
func (p *programs) trusted(file string, as *User) error {
	if p.files.euid != 0 {
		return nil
	}
	for range 3 { // a script's interpreter may be a script
		line, err := p.trustedFile(file, as)
		if err != nil {
			return err
		}
		words := strings.Fields(strings.TrimPrefix(line, "#!"))
		if !strings.HasPrefix(line, "#!") || len(words) == 0 {
			return nil
		}
		file = words[0]
	}
	return nil
}

// trustedFile returns the first line of a trusted file.
func (p *programs) trustedFile(file string, as *User) (line string, err error) {
	err = p.files.at("run", file, true, func(pl *place) error {
		if pl.img.Kind == Absent {
			return fs.ErrNotExist
		}
		for _, s := range append(slices.Clone(pl.trail), step{pl.path, pl.img}) {
			if !trustedOwner(s.img, as) {
				return fmt.Errorf("%w: %s (uid %d, mode %04o)", ErrUntrustedProgram, s.path, s.img.UID, s.img.Mode)
			}
		}
		f, err := pl.dir.open(pl.base, readOnly, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		buf := make([]byte, 256)
		n, _ := f.Read(buf)
		line, _, _ = strings.Cut(string(buf[:n]), "\n")
		return nil
	})
	return line, err
}

func trustedOwner(img Image, as *User) bool {
	mine := as != nil && as.UID != 0
	if img.UID != 0 && !(mine && img.UID == as.UID) {
		return false
	}
	if img.Kind == DirKind && img.Mode&0o1000 != 0 {
		return true // as /tmp or /nix/store: what stands there stays its owner's
	}
	group := img.GID == 0 || mine && img.GID == as.GID
	return img.Mode&0o002 == 0 && (img.Mode&0o020 == 0 || group)
}

// limited keeps the first part of a stream and drains the rest.
type limited struct{ kept []byte }

func (l *limited) Write(b []byte) (int, error) {
	l.kept = append(l.kept, b[:min(len(b), outputLimit-len(l.kept))]...)
	return len(b), nil
}
