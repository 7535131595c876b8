package fix

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// The engine over real system calls: this test binary runs itself as a driver
// under strace, which kills it, or makes a call fail, at the n-th call of each
// kind that changes something. Nothing in the engine knows about that.
//
// KILL_POINTS=all tries every point; otherwise every stride-th is tried, so
// that `go test ./...` stays short.

const stride = 9

func init() {
	if os.Getenv("KILL_DRIVER") != "" {
		runtime.LockOSThread() // strace counts calls by thread
	}
}

func TestMain(m *testing.M) {
	if what := os.Getenv("KILL_DRIVER"); what != "" {
		if err := drive(what, os.Getenv("KILL_ROOT"), os.Getenv("KILL_STATE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// driveFixes change a file behind a link, make one in a new directory, and run
// a program over a directory.
func driveFixes() (*detect.Report, []*Fix) {
	finding := func(where string) detect.Finding {
		return detect.Finding{ID: where, Fix: where, Where: where, Severity: detect.Error, Action: detect.Auto, Summary: text.Raw(where)}
	}
	r := &detect.Report{Findings: []detect.Finding{finding("/home/.rc"), finding("/etc/made/conf"), finding("/etc/store")}}
	edit := func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		name, err := in.Files.Resolve(fs[0].Where)
		if err != nil {
			name = fs[0].Where // its directory is yet to be made
		}
		img, err := in.Files.Snapshot(name)
		if err != nil || string(img.Data) == "fixed\n" {
			return nil, err
		}
		img.Kind, img.Data = platform.File, []byte("fixed\n")
		return []Action{{Kind: FileAction, Target: name, After: img}}, nil
	}
	store := func(_ context.Context, in *Input, _ []detect.Finding) ([]Action, error) {
		if _, err := in.Files.Stat("/etc/store/new"); err == nil {
			return nil, nil
		}
		return []Action{{
			Kind: CommandAction, Target: "store", Touches: []string{"/etc/store"},
			Do: []platform.Cmd{{Argv: []string{"store"}}}, Undo: []platform.Cmd{{Argv: []string{"unstore"}}},
		}}, nil
	}
	return r, []*Fix{{ID: "/home/.rc", Plan: edit}, {ID: "/etc/made/conf", Plan: edit}, {ID: "/etc/store", Plan: store}}
}

// storeTool is the program; it writes as programs do, over what is there.
type storeTool struct{ root string }

func (s storeTool) Run(_ context.Context, c platform.Cmd) (platform.Output, error) {
	at := func(name string) string { return filepath.Join(s.root, "etc/store", name) }
	if c.Argv[0] == "unstore" {
		return platform.Output{}, os.WriteFile(at("a"), []byte("mess"), 0o644)
	}
	return platform.Output{}, errors.Join(
		os.WriteFile(at("a"), []byte("rebuilt"), 0o644), os.RemoveAll(at("sub")), os.WriteFile(at("new"), nil, 0o600),
	)
}

// drive is one run of the program: apply, or rollback, or recover alone.
func drive(what, root, state string) error {
	h, err := platform.Open(platform.OpenOptions{Root: root, StateDir: state})
	if err != nil {
		return err
	}
	h.Run, h.Elevated = storeTool{root}, true
	ctx := context.Background()
	if what == "rollback" {
		_, err = Rollback(ctx, h, "", false)
		return err
	}
	if _, err := Recover(ctx, h); err != nil || what == "recover" {
		return err
	}
	r, fixes := driveFixes()
	plan, err := makePlan(ctx, &Input{View: h.View, Report: r}, fixes)
	if err != nil {
		return err
	}
	_, err = Apply(ctx, h, plan, ApplyOptions{})
	return err
}

const killTree = `
link /home/.rc -> dots/rc
mode 0640 /home/dots/rc
xattr user.origin=here /home/dots/rc
mtime 2021-03-04T05:06:07.123456789Z /home/dots/rc
mtime 2020-03-04T05:06:07.123456789Z /etc/store
-- home/dots/rc --
broken
-- etc/store/a --
a
-- etc/store/sub/b --
b
`

type killer struct {
	strace, self string
	calls        []string
}

func newKiller(t *testing.T) *killer {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", out)
	}
	k := &killer{strace: strace, self: self}
	for _, c := range []string{
		"write", "fsync", "rename", "renameat", "renameat2", "unlinkat", "mkdirat", "fchmod", "fchmodat", "fchown", "fchownat",
		"fsetxattr", "utimensat", "symlinkat", "ftruncate", "pwrite64",
	} {
		if exec.Command(strace, "-e", "trace="+c, "-o", os.DevNull, "true").Run() == nil { // not every machine has rename
			k.calls = append(k.calls, c)
		}
	}
	return k
}

// run is one run of the driver, under strace when inject says so.
func (k *killer) run(t *testing.T, h *platform.Host, what string, strace ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	argv := []string{k.self}
	if len(strace) > 0 {
		argv = append(append([]string{k.strace, "-f", "-qq"}, strace...), k.self)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"KILL_DRIVER=" + what, "KILL_ROOT=" + h.Root, "KILL_STATE=" + h.State.Path(), "PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// points runs what with the fault at every n-th call, each time on a fresh tree.
func (k *killer) points(t *testing.T, what, fault string, fresh func() *platform.Host, check func(t *testing.T, h *platform.Host, before string) string) {
	all := os.Getenv("KILL_POINTS") == "all"
	tried, outcomes := 0, map[string]int{}
	for i, call := range k.calls {
		for n := 1 + i%3; ; n++ {
			if !all && (n+i)%stride != 0 {
				if n < 400 {
					continue
				}
				break
			}
			h := fresh()
			before := platformtest.Tree(h)
			count := filepath.Join(t.TempDir(), "log")
			err := k.run(t, h, what, "-o", count, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, n))
			hit := injected(t, count)
			if !hit && err != nil {
				t.Fatalf("%s %s %d: %v", what, call, n, err)
			}
			if !hit {
				break
			}
			tried++
			outcomes[check(t, h, before)]++
			if t.Failed() {
				t.Fatalf("%s: %s at %s %d", what, fault, call, n)
			}
		}
	}
	t.Logf("%s, %s: %d points, %v", what, fault, tried, outcomes)
	if tried < 5 {
		t.Errorf("only %d points: the faults do not reach the engine", tried)
	}
}

func injected(t *testing.T, log string) bool {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(data), "INJECTED") || strings.Contains(string(data), "killed by SIGKILL")
}

func freshTree(t *testing.T) func() *platform.Host {
	return func() *platform.Host { return platformtest.New(t, killTree) }
}

// leftovers are temporary files anywhere.
func filesLeft(t *testing.T, h *platform.Host) (left []string) {
	t.Helper()
	for _, dir := range []string{h.Root, h.State.Path()} {
		err := filepath.WalkDir(dir, func(p string, _ os.DirEntry, err error) error {
			if err == nil && (platform.IsTemp(filepath.Base(p)) || strings.HasSuffix(p, ".tmp")) {
				left = append(left, p)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// Rows 1, 4, 5 and 6 of reliability.md §6, over real system calls.
func TestFaultAtEverySystemCallOfApply(t *testing.T) {
	k := newKiller(t)
	done := freshTree(t)()
	if err := k.run(t, done, "apply"); err != nil {
		t.Fatal(err)
	}
	want := images(t, done)
	for _, fault := range []string{"signal=SIGKILL", "error=ENOSPC", "error=EIO", "error=EROFS", "error=EINTR"} {
		t.Run(strings.TrimPrefix(strings.TrimPrefix(fault, "signal="), "error="), func(t *testing.T) {
			t.Parallel()
			k.points(t, "apply", fault, freshTree(t), func(t *testing.T, h *platform.Host, before string) string {
				if err := k.run(t, h, "recover"); err != nil {
					t.Errorf("recovery: %v", err)
				}
				if left := filesLeft(t, h); len(left) > 0 {
					t.Errorf("left: %v", left)
				}
				outcome := "old"
				if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
					outcome = "new"
					if d := differ(want, images(t, h)); d != "" {
						if strings.HasPrefix(fault, "signal") {
							t.Errorf("torn:\n%s\n%s", diff, d)
						}
						outcome = "some steps"
					}
				}
				if err := k.run(t, h, "rollback"); err != nil {
					t.Errorf("rollback: %v", err)
				}
				if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
					t.Errorf("after rollback:\n%s", diff)
				}
				return outcome
			})
		})
	}
}

// Row 2: inside a rollback, and inside a recovery.
func TestKillAtEverySystemCallOfRollback(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	var before string // of the tree that the newest apply began with
	k.points(t, "rollback", "signal=SIGKILL", func() *platform.Host {
		h := freshTree(t)()
		before = platformtest.Tree(h)
		if err := k.run(t, h, "apply"); err != nil {
			t.Fatal(err)
		}
		return h
	}, func(t *testing.T, h *platform.Host, _ string) string {
		if err := k.run(t, h, "rollback"); err != nil {
			t.Errorf("second rollback: %v", err)
		}
		if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
			t.Errorf("after rollback:\n%s", diff)
		}
		if left := filesLeft(t, h); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		return "old"
	})
}

func TestKillAtEverySystemCallOfRecovery(t *testing.T) {
	t.Parallel()
	k := newKiller(t)
	var before string
	k.points(t, "recover", "signal=SIGKILL", func() *platform.Host {
		h := freshTree(t)()
		before = platformtest.Tree(h)
		// In the middle of the last step, when there is most to take back.
		if err := k.run(t, h, "apply", "-o", os.DevNull, "-e", "trace=ftruncate,renameat", "-e", "inject=renameat:signal=SIGKILL:when=14"); err == nil {
			t.Fatal("the apply was not killed")
		}
		if platformtest.Tree(h) == before {
			t.Fatal("the apply was killed before it changed anything")
		}
		return h
	}, func(t *testing.T, h *platform.Host, _ string) string {
		if err := k.run(t, h, "recover"); err != nil {
			t.Errorf("second recovery: %v", err)
		}
		if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
			t.Errorf("torn:\n%s", diff)
		}
		if left := filesLeft(t, h); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		return "old"
	})
}

var (
	traced  = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	fdPath  = regexp.MustCompile(`^(?:AT_FDCWD|\d+)<([^>]*)>`)
	renames = regexp.MustCompile(`^\d+<([^>]*)>, "([^"]*)", \d+<([^>]*)>, "([^"]*)"`)
)

// Row 3: a SIGKILL leaves the page cache, so it proves nothing about power
// loss. The order of the calls does: content and metadata are synchronised
// before a rename, the directory after it and before the next record, no
// target is truncated, and nothing in the tree changes before its intent is safe.
func TestOrderOfSynchronisation(t *testing.T) {
	k := newKiller(t)
	h := freshTree(t)()
	log := filepath.Join(t.TempDir(), "log")
	if err := k.run(t, h, "apply", "-y", "-s", "0", "-o", log,
		"-e", "trace=write,fsync,renameat,renameat2,fchmod,fchown,fsetxattr,utimensat,openat"); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dirty := map[string]bool{} // changed after its last fsync
	intents, renamed := 0, 0
	for s := bufio.NewScanner(f); s.Scan(); {
		m := traced.FindStringSubmatch(s.Text())
		if m == nil || strings.HasPrefix(m[3], "-") {
			continue
		}
		on := ""
		if p := fdPath.FindStringSubmatch(m[2]); p != nil {
			on = p[1]
		}
		ours := strings.HasPrefix(on, h.Root) || strings.HasPrefix(on, h.State.Path())
		switch m[1] {
		case "openat":
			if strings.Contains(m[2], "O_TRUNC") && strings.HasPrefix(on, h.Root) {
				t.Errorf("a target is truncated: %s", s.Text())
			}
		case "write", "fchmod", "fchown", "fsetxattr", "utimensat":
			if ours && platform.IsTemp(filepath.Base(on)) {
				dirty[on] = true
			}
		case "fsync":
			delete(dirty, on)
		case "renameat", "renameat2":
			p := renames.FindStringSubmatch(m[2])
			if p == nil {
				t.Fatalf("unread: %s", s.Text())
			}
			from, to := filepath.Join(p[1], p[2]), filepath.Join(p[3], p[4])
			if dirty[from] {
				t.Errorf("renamed before it was synchronised: %s", to)
			}
			for d := range dirty {
				if strings.HasPrefix(d, "dir:") {
					t.Errorf("%s: the directory %s was not synchronised before", to, d[4:])
				}
			}
			dirty["dir:"+p[3]] = true
			renamed++
			if strings.HasSuffix(to, ".intent") {
				intents++
			}
			if strings.HasPrefix(to, h.Root) && intents == 0 {
				t.Errorf("%s was changed before there was an intent", to)
			}
			if strings.HasSuffix(to, "/commit") && intents != 3 {
				t.Errorf("committed after %d intents", intents)
			}
		}
		if m[1] == "fsync" {
			delete(dirty, "dir:"+on)
		}
	}
	if renamed < 12 || len(dirty) > 0 {
		t.Errorf("%d renames seen; not synchronised at the end: %v", renamed, dirty)
	}
}
