// Package platformtest makes a platform.Host out of a txtar archive, for tests
// of everything above platform: real files below a temporary root, and
// scripted programs, network, clock and user. Nothing of the machine that runs
// the test shows through, and no test needs root.
//
// The archive's files become the tree. Lines of its comment that begin with
// one of these words are carried out after that; all other lines are prose.
//
//	link /etc/ssl/cert.pem -> certs/ca-certificates.crt
//	dir /etc/ssl/certs [0755]
//	fifo /etc/pipe
//	hardlink /root/b /root/a       a second name b for a
//	mode 0600 /root/.condarc
//	owner 1000:1000 /home/lin      (and all below it; needs root, else passed over)
//	mtime 2021-03-04T05:06:07.5Z /etc/hosts
//	xattr user.origin=x /root/f    (passed over where the file system has none)
//	trim /root/f                   drop the final newline that txtar always adds
//	crlf /root/f                   end lines with CR LF
//	bom /root/f                    begin with a UTF-8 byte order mark
//	base64 /root/f.der             decode the content
//
// Everything not given a time has Epoch, so that two trees of one archive are equal.
//
// It must not be imported by anything but tests.
package platformtest

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/platform"
)

// Epoch is the modification time of everything in a fresh tree.
var Epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// DefaultNow is what the clock shows unless Now says otherwise.
var DefaultNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Option changes the Host that New makes.
type Option func(*harness)

// harness is what stands behind a Host made here.
type harness struct {
	t    testing.TB
	host *platform.Host
	opts []Option

	goos, arch, userName, container, dir string
	env                                  platform.Env
	rooted, notElevated                  bool
	net                                  platform.Net
	dial                                 platform.DialFunc // with Loopback
	kernel                               platform.KernelClock
	programs                             *programs
	clock                                *clock
	faults                               *faults
}

// OS sets View.OS, whatever the tree looks like.
func OS(goos string) Option { return func(h *harness) { h.goos = goos } }

// Arch sets View.Arch (default amd64).
func Arch(arch string) Option { return func(h *harness) { h.arch = arch } }

// User takes the examined user from the tree's /etc/passwd (default: root with
// home /root). Where the test does not run as root, the user has the test's uid.
func User(name string) Option { return func(h *harness) { h.userName = name } }

// NotElevated makes View.Elevated false (default true).
func NotElevated() Option { return func(h *harness) { h.notElevated = true } }

// Env sets the caller's environment (default: empty).
func Env(env map[string]string) Option { return func(h *harness) { h.env = maps.Clone(env) } }

// Dir sets the working directory (default: none).
func Dir(name string) Option { return func(h *harness) { h.dir = name } }

// Rooted makes the Host that of --root.
func Rooted() Option { return func(h *harness) { h.rooted = true } }

// Container sets View.Container.
func Container(name string) Option { return func(h *harness) { h.container = name } }

// Now sets the system clock; it stands still until SetClock moves it.
func Now(t time.Time) Option { return func(h *harness) { h.clock.now = t } }

// Kernel sets what adjtimex says.
func Kernel(k platform.KernelClock) Option { return func(h *harness) { h.kernel = k } }

// Network sets the network (default: a *Net without hosts, which fails the
// test on any contact).
func Network(n platform.Net) Option { return func(h *harness) { h.net = n } }

// New extracts the archive (its text, or parsed) and makes a Host over it.
func New[A string | *txtar.Archive](t testing.TB, archive A, opts ...Option) *platform.Host {
	t.Helper()
	var a *txtar.Archive
	switch v := any(archive).(type) {
	case string:
		a = txtar.Parse([]byte(v))
	case *txtar.Archive:
		a = v
	}
	root := filepath.Join(t.TempDir(), "root")
	if err := Extract(a, root); err != nil {
		t.Fatalf("platformtest: %v", err)
	}
	return open(t, root, filepath.Join(t.TempDir(), "state"), opts)
}

// Reopen is a new Host over the tree and the state of h, as a next run of the
// program would have it: without scripted failures, and options in addition to
// those of h.
func Reopen(h *platform.Host, opts ...Option) *platform.Host {
	old := harnessOf(h)
	old.t.Helper()
	return open(old.t, h.Root, h.State.Path(), append(append([]Option{}, old.opts...), opts...))
}

func open(t testing.TB, root, state string, opts []Option) *platform.Host {
	t.Helper()
	base, err := platform.Open(platform.OpenOptions{Root: root, StateDir: state})
	if err != nil {
		t.Fatalf("platformtest: %v", err)
	}
	h := &harness{
		t: t, opts: opts, goos: base.OS, arch: "amd64", env: platform.Env{},
		clock: &clock{now: DefaultNow}, faults: &faults{}, programs: &programs{t: t},
	}
	h.net = &Net{T: t}
	for _, o := range opts {
		o(h)
	}
	if h.dial != nil {
		h.net = platform.NewNetwork(h.env, h.dial, h.clock.Now)
	}
	if n, ok := h.net.(*Net); ok && n.T == nil {
		n.T = t
	}
	v := base.View
	v.Dir = h.dir
	v.OS, v.Arch, v.Env, v.Rooted, v.Container, v.Elevated = h.goos, h.arch, h.env, h.rooted, h.container, !h.notElevated
	v.Distro = platform.DetectDistro(v.OS, v.Files, v.Env)
	v.User = h.pickUser(v)
	v.Users = platform.UsersOf(v)
	v.Net, v.Now = h.net, h.clock.Now
	v.Kernel = func() platform.KernelClock { return h.kernel }
	v.Exec = asking{h.programs}
	h.clock.faults = h.faults
	h.host = &platform.Host{
		View: v, Write: &writer{base.Write, h}, Run: &runner{h.programs, h.faults},
		State: &stateDir{base.State, h.faults}, Clock: h.clock,
	}
	h.programs.host = h.host
	t.Cleanup(h.programs.checkUsed)
	return h.host
}

func (h *harness) pickUser(v *platform.View) platform.User {
	u := platform.User{Name: "root", Home: "/root"}
	if h.goos == "darwin" {
		u.Home = "/var/root"
	}
	if h.userName != "" {
		found := false
		for _, p := range platform.UsersOf(v) {
			if p.Name == h.userName {
				u, found = p, true
			}
		}
		if !found {
			h.t.Fatalf("platformtest: no user %s with a home in the archive's /etc/passwd", h.userName)
		}
	}
	if os.Geteuid() != 0 {
		u.UID, u.GID = os.Getuid(), os.Getgid()
	}
	return u
}

// harnessOf finds what stands behind a Host made by New.
func harnessOf(h *platform.Host) *harness { return h.Write.(*writer).h }

// Sets are the times the clock was set to.
func Sets(h *platform.Host) []time.Time { return harnessOf(h).clock.sets }

// clock shows one time until it is set.
type clock struct {
	now    time.Time
	sets   []time.Time
	faults *faults
}

func (c *clock) Now() time.Time { return c.now }

// SetClock implements platform.ClockSetter.
func (c *clock) SetClock(t time.Time) error {
	if err := c.faults.next("SetClock " + t.Format(time.RFC3339)); err != nil {
		return err
	}
	c.now = t
	c.sets = append(c.sets, t)
	return nil
}
