package release

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"trustfix/platform"
)

// Row 33, and §1.4: an update over real system calls. This test binary runs
// itself as a driver under strace, which kills it, or makes a call fail, at
// every call that changes something, one after the other. KILL_POINTS=all
// tries every opening of a file too.

func init() {
	if os.Getenv("UPDATE_DRIVER") != "" {
		runtime.LockOSThread() // strace counts calls by thread
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("UPDATE_DRIVER"); dir != "" {
		if err := drive(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// drive updates dir/bin/trustfix from the files in dir, or rolls it back.
func drive(dir string) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	h, err := platform.Open(platform.OpenOptions{StateDir: at("state")})
	if err != nil {
		return err
	}
	b, err := platform.OpenBinary(at("bin/trustfix"))
	if err != nil {
		return err
	}
	defer b.Close()
	ctx := context.Background()
	if os.Getenv("UPDATE_ROLLBACK") != "" {
		_, err := Rollback(ctx, b)
		return err
	}
	o := Options{Version: "1.0.0", Files: &Files{}}
	for name, to := range map[string]*[]byte{"archive": &o.Files.Archive, ManifestName: &o.Files.Manifest, SignatureName: &o.Files.Signature} {
		if *to, err = os.ReadFile(at(name)); err != nil {
			return err
		}
	}
	key, err := os.ReadFile(at("key"))
	if err != nil {
		return err
	}
	o.Keys = string(key)
	f, err := Find(ctx, h, o)
	if err != nil {
		return err
	}
	return f.Install(ctx, h, b)
}

// site is a directory with an installed program and a release.
type site struct {
	dir, old, new string
	k             *killer
}

type killer struct {
	strace, self string
	calls        []string
	s            signer
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
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	k := &killer{strace: strace, self: self, s: newSigner(t)}
	for _, c := range []string{
		"write", "fsync", "linkat", "rename", "renameat", "renameat2", "unlinkat", "mkdirat", "fchmod", "fchown", "fsetxattr", "openat", "flock", "execve", "clone",
	} {
		if exec.Command(strace, "-e", "trace="+c, "-o", os.DevNull, "true").Run() == nil {
			k.calls = append(k.calls, c)
		}
	}
	return k
}

func (k *killer) site(t *testing.T) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), old: string(script("1.0.0", "")), new: string(script("1.2.0", "")), k: k}
	r := plain(t, k.s, "1.2.0")
	if err := os.Mkdir(filepath.Join(s.dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"archive": r.files[r.archive()], ManifestName: r.files[ManifestName], SignatureName: r.files[SignatureName],
		"key": []byte(k.s.pub.String()), "bin/trustfix": []byte(s.old),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *site) run(t *testing.T, rollback bool, strace ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	argv := []string{s.k.self}
	if len(strace) > 0 {
		argv = append(append([]string{s.k.strace, "-f", "-qq"}, strace...), s.k.self)
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = []string{"UPDATE_DRIVER=" + s.dir, "PATH=" + os.Getenv("PATH"), "HOME=/"}
	if rollback {
		cmd.Env = append(cmd.Env, "UPDATE_ROLLBACK=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// standing is which program stands at the path; it has to be whole, and to run.
func (s *site) standing(t *testing.T) string {
	t.Helper()
	path := filepath.Join(s.dir, "bin/trustfix")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no program: %v", err)
	}
	out, err := exec.Command(path, "__selftest").CombinedOutput()
	if err != nil {
		t.Fatalf("it does not run: %v %s", err, out)
	}
	switch string(data) {
	case s.old:
		return "old"
	case s.new:
		return "new"
	}
	t.Errorf("torn: %q", data)
	return "torn"
}

func (s *site) names(t *testing.T) string {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(s.dir, "bin"))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return strings.Join(names, " ")
}

// points tries a fault at every n-th call of each kind, and logs what came of
// it as a row of docs/reliability.md. next is the run after it and returns
// what stands beside the program then and does not belong there.
func (k *killer) points(t *testing.T, fault string, rollback bool, next func(t *testing.T, s *site) (left string)) {
	tried, leftovers, outcomes := 0, 0, map[string]int{}
	_, name, _ := strings.Cut(fault, "=")
	what := "update"
	if rollback {
		what = "update --rollback"
	}
	defer func() {
		t.Logf("| %s | %s | %d | %d | %d | 0 | %d | %d |", what, name, tried, outcomes["old"], outcomes["new"], outcomes["torn"], leftovers)
		if tried < 10 || outcomes["old"] == 0 || outcomes["new"] == 0 {
			t.Errorf("only %d points (%v): the faults do not reach the update", tried, outcomes)
		}
	}()
	for _, call := range k.calls {
		if call == "openat" && strings.HasPrefix(fault, "error=") {
			continue // every file of the runtime and of the system would be one
		}
		for n := 1; n < 200; n++ {
			if call == "openat" && n%10 != 1 && os.Getenv("KILL_POINTS") != "all" {
				continue // most of them only read
			}
			s := k.site(t)
			if rollback {
				if err := s.run(t, false); err != nil {
					t.Fatal(err)
				}
			}
			log := filepath.Join(t.TempDir(), "log")
			_ = s.run(t, rollback, "-o", log, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, n))
			data, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(data), "INJECTED") && !strings.Contains(string(data), "killed by SIGKILL") {
				break
			}
			tried++
			outcomes[s.standing(t)]++
			left := next(t, s)
			if left != "" {
				leftovers++
			}
			if t.Failed() || left != "" {
				t.Fatalf("%s at %s %d, left: %s", fault, call, n, left)
			}
		}
	}
}

func TestRow33FaultAtEverySystemCall(t *testing.T) {
	k := newKiller(t)
	finish := func(t *testing.T, s *site) string {
		if err := s.run(t, false); err != nil {
			t.Errorf("the next update: %v", err)
		}
		if now := s.standing(t); now != "new" {
			t.Errorf("after the next update: %s", now)
		}
		return strings.TrimPrefix(s.names(t), "trustfix trustfix.prev")
	}
	for _, fault := range []string{"signal=SIGKILL", "error=ENOSPC", "error=EIO", "error=EROFS", "error=EDQUOT"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			k.points(t, fault, false, finish)
		})
	}
	t.Run("rollback", func(t *testing.T) {
		t.Parallel()
		k.points(t, "signal=SIGKILL", true, func(t *testing.T, s *site) string {
			if s.standing(t) == "new" {
				if err := s.run(t, true); err != nil {
					t.Errorf("the next rollback: %v", err)
				}
			}
			if now := s.standing(t); now != "old" {
				t.Errorf("after the next rollback: %s", now)
			}
			return strings.TrimPrefix(s.names(t), "trustfix")
		})
	})
}

var (
	traced  = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	onFile  = regexp.MustCompile(`^\d+<([^>]*)>`)
	renamed = regexp.MustCompile(`^\d+<([^>]*)>, "([^"]*)", \d+<([^>]*)>, "([^"]*)"`)
)

// §1.4 counts no fsync at all in go-selfupdate's own swap. Here the content is
// synchronised after its mode and before its rename, the kept version's name
// before the swap, and the directory at the end.
func TestOrderOfSynchronisation(t *testing.T) {
	k := newKiller(t)
	s := k.site(t)
	log := filepath.Join(t.TempDir(), "log")
	if err := s.run(t, false, "-y", "-s", "0", "-o", log, "-e", "trace=write,fsync,linkat,renameat,renameat2,fchmod,fchown,fsetxattr"); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	bin := filepath.Join(s.dir, "bin")
	dirty, steps := map[string]bool{}, []string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := traced.FindStringSubmatch(lines.Text())
		if m == nil || strings.HasPrefix(m[3], "-") {
			continue
		}
		on := onFile.FindStringSubmatch(m[2])
		switch m[1] {
		case "write", "fchmod", "fchown", "fsetxattr":
			if on != nil && strings.HasPrefix(on[1], bin+"/") {
				dirty[on[1]] = true
			}
		case "fsync":
			delete(dirty, on[1])
			if on[1] == bin {
				steps = append(steps, "sync")
			}
		case "linkat":
			steps = append(steps, "link")
		case "renameat", "renameat2":
			r := renamed.FindStringSubmatch(m[2])
			if r == nil {
				t.Fatalf("unread: %s", lines.Text())
			}
			if r[1] != bin {
				continue
			}
			if dirty[filepath.Join(r[1], r[2])] {
				t.Errorf("renamed before it was synchronised: %s", r[4])
			}
			steps = append(steps, "rename to "+r[4])
		}
	}
	if got, want := strings.Join(steps, ", "), "link, rename to trustfix.prev, sync, rename to trustfix, sync"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
