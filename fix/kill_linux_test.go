package fix

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
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
	if testing.Short() {
		t.Skip("a few hundred runs of this binary: without -short")
	}
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

// standing is how a tree stands after the run that follows a fault.
type standing string

const (
	asBefore  standing = "old"
	asAfter   standing = "new"
	someSteps standing = "some steps" // some steps as after, the others as before
	torn      standing = "torn"
)

// everyFault is what every kind of run has to stand.
var everyFault = []string{"signal=SIGKILL", "error=ENOSPC", "error=EIO", "error=EROFS"}

func faultName(fault string) string {
	_, name, _ := strings.Cut(fault, "=")
	return name
}

// points runs what with the fault at every n-th call, each time on a fresh
// tree, and logs what came of it as a row of docs/reliability.md. check makes
// the runs that follow and says how the tree stands after the first of them.
func (k *killer) points(t *testing.T, what, fault string, fresh func() *platform.Host, check func(t *testing.T, h *platform.Host, before string) standing) {
	all := os.Getenv("KILL_POINTS") == "all"
	tried, leftovers, outcomes := 0, 0, map[standing]int{}
	defer func() {
		t.Logf("| %s | %s | %d | %d | %d | %d | %d | %d |", what, faultName(fault), tried,
			outcomes[asBefore], outcomes[asAfter], outcomes[someSteps], outcomes[torn], leftovers)
		if tried < 5 {
			t.Errorf("only %d points: the faults do not reach the engine", tried)
		}
	}()
	for i, call := range k.calls {
		for n := 1; ; n++ {
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
			outcome := check(t, h, before)
			outcomes[outcome]++
			left := filesLeft(t, h)
			leftovers += len(left)
			if t.Failed() || outcome == torn || len(left) > 0 {
				t.Fatalf("%s: %s at %s %d: %s, left: %v", what, fault, call, n, outcome, left)
			}
		}
	}
}

// standsAs compares a tree with two others, times and all.
func standsAs(h *platform.Host, before, after string) standing {
	switch platformtest.Tree(h) {
	case before:
		return asBefore
	case after:
		return asAfter
	}
	return torn
}

// standsBySteps compares the places of each step of driveFixes, and all the
// rest, by content.
func standsBySteps(before, after, now map[string]platform.Image) standing {
	steps := []string{"/home", "/etc/made", "/etc/store"}
	same := func(other map[string]platform.Image, within func(p string) bool) bool {
		of := func(all map[string]platform.Image) map[string]platform.Image {
			out := maps.Clone(all)
			maps.DeleteFunc(out, func(p string, _ platform.Image) bool { return !within(p) })
			return out
		}
		return sameContent(of(now), of(other))
	}
	if !same(before, func(p string) bool { return !under(p, steps) }) {
		return torn
	}
	did := 0
	for i := range steps {
		within := func(p string) bool { return under(p, steps[i:i+1]) }
		switch {
		case same(after, within):
			did++
		case !same(before, within):
			return torn
		}
	}
	switch did {
	case 0:
		return asBefore
	case len(steps):
		return asAfter
	}
	return someSteps
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

// Rows 1, 4, 5 and 6 of reliability.md §6, over real system calls. After a
// kill the whole run is done or undone; after an error the steps before it
// stay, and the one that it hit is undone.
func TestFaultAtEverySystemCallOfApply(t *testing.T) {
	k := newKiller(t)
	done := freshTree(t)()
	original := images(t, done)
	if err := k.run(t, done, "apply"); err != nil {
		t.Fatal(err)
	}
	want := images(t, done)
	for _, fault := range append(slices.Clone(everyFault), "error=EDQUOT", "error=EINTR") {
		t.Run(faultName(fault), func(t *testing.T) {
			t.Parallel()
			k.points(t, "apply", fault, freshTree(t), func(t *testing.T, h *platform.Host, before string) standing {
				if err := k.run(t, h, "recover"); err != nil {
					t.Errorf("recovery: %v", err)
				}
				outcome := standsBySteps(original, want, images(t, h))
				if diff := platformtest.Diff(before, platformtest.Tree(h)); outcome == asBefore && diff != "" {
					t.Errorf("the content is as before, the rest is not:\n%s", diff)
				}
				if outcome == someSteps && strings.HasPrefix(fault, "signal") {
					t.Error("the run is neither done nor undone")
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
func TestFaultAtEverySystemCallOfRollback(t *testing.T) {
	k := newKiller(t)
	for _, fault := range everyFault {
		t.Run(faultName(fault), func(t *testing.T) {
			t.Parallel()
			var before, after string // the newest apply
			k.points(t, "rollback", fault, func() *platform.Host {
				h := freshTree(t)()
				before = platformtest.Tree(h)
				if err := k.run(t, h, "apply"); err != nil {
					t.Fatal(err)
				}
				after = platformtest.Tree(h)
				return h
			}, func(t *testing.T, h *platform.Host, _ string) standing {
				if err := k.run(t, h, "recover"); err != nil {
					t.Errorf("recovery: %v", err)
				}
				outcome := standsAs(h, before, after)
				if err := k.run(t, h, "rollback"); err != nil {
					t.Errorf("second rollback: %v", err)
				}
				if diff := platformtest.Diff(before, platformtest.Tree(h)); diff != "" {
					t.Errorf("after rollback:\n%s", diff)
				}
				return outcome
			})
		})
	}
}

func TestFaultAtEverySystemCallOfRecovery(t *testing.T) {
	k := newKiller(t)
	for _, fault := range everyFault {
		t.Run(faultName(fault), func(t *testing.T) {
			t.Parallel()
			var before string
			k.points(t, "recover", fault, func() *platform.Host {
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
			}, func(t *testing.T, h *platform.Host, _ string) standing {
				if err := k.run(t, h, "recover"); err != nil {
					t.Errorf("second recovery: %v", err)
				}
				return standsAs(h, before, "")
			})
		})
	}
}
