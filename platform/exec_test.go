//go:build unix

package platform

import (
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
)

func asUser(cmd *exec.Cmd, uid uint32) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
}

// system are the programs of the machine that runs the test.
func system(t *testing.T, path ...string) *programs {
	t.Helper()
	tr, err := openTree("/", os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.top.close)
	return &programs{files: tr, os: "linux", path: path, user: User{Home: "/home/me"}}
}

func TestRunCleanEnvironment(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/leak")
	t.Setenv("LD_PRELOAD", "")
	out, err := system(t).Run(t.Context(), Cmd{Argv: []string{"env"}, Env: []string{"A=b"}})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(out.Stdout)
	slices.Sort(got)
	home := "HOME=/home/me"
	if os.Geteuid() == 0 {
		home = "HOME=/root"
	}
	want := []string{"A=b", home, "LC_ALL=C", "PATH=" + cleanPath}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRun(t *testing.T) {
	p := system(t)
	sh := func(script string) Cmd { return Cmd{Argv: []string{"/bin/sh", "-c", script}} }
	out, err := p.Run(t.Context(), Cmd{Argv: []string{"cat"}, Stdin: []byte("in")})
	if err != nil || out.Stdout != "in" {
		t.Errorf("stdin: %+v, %v", out, err)
	}
	out, err = p.Run(t.Context(), sh("pwd; echo x >&2"))
	if err != nil || out.Stdout != "/\n" || out.Stderr != "x\n" {
		t.Errorf("%+v, %v", out, err)
	}
	var exit *ExitError
	_, err = p.Run(t.Context(), sh("echo one >&2; echo 'cannot fetch https://u:secret@host/x' >&2; exit 7"))
	if !errors.As(err, &exit) || exit.Code != 7 || !strings.Contains(err.Error(), "cannot fetch https://***@host/x") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	_, err = p.Run(t.Context(), sh("kill -9 $$"))
	if !errors.As(err, &exit) || exit.Code != -1 {
		t.Errorf("killed: %v", err)
	}
	out, err = p.Run(t.Context(), sh("head -c 3000000 /dev/zero"))
	if err != nil || len(out.Stdout) != outputLimit {
		t.Errorf("%d bytes kept, %v", len(out.Stdout), err)
	}
	if _, err := p.Run(t.Context(), Cmd{Argv: []string{"no-such-program"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := p.Run(t.Context(), Cmd{}); err == nil {
		t.Error("an empty command ran")
	}
}

// The time limit ends the children too, and a daemon left behind does not hold
// the caller.
func TestRunTimeLimit(t *testing.T) {
	p := system(t)
	mark := filepath.Join(t.TempDir(), "mark")
	began := time.Now()
	_, err := p.Run(t.Context(), Cmd{Argv: []string{"/bin/sh", "-c", "(sleep 1; touch " + mark + ") & sleep 60"}, Timeout: 200 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	time.Sleep(1200 * time.Millisecond)
	if _, err := os.Stat(mark); err == nil {
		t.Error("a child outlived the time limit")
	}
	began = time.Now()
	out, err := p.Run(t.Context(), Cmd{Argv: []string{"/bin/sh", "-c", "sleep 30 & echo done"}})
	if err != nil || out.Stdout != "done\n" || time.Since(began) > 10*time.Second {
		t.Errorf("%+v, %v after %v", out, err, time.Since(began))
	}
}

func TestLookPath(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]fs.FileMode{"sh": 0o755, "mine": 0o755, "plain": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	p := system(t, dir)
	if got, err := p.lookPath("sh"); err != nil || filepath.Dir(got) == dir {
		t.Errorf("the caller's PATH outranks the system: %s, %v", got, err)
	}
	if got, err := p.lookPath("mine"); err != nil || got != filepath.Join(dir, "mine") {
		t.Errorf("%s, %v", got, err)
	}
	for _, n := range []string{"plain", "none", filepath.Join(dir, "plain")} {
		if got, err := p.lookPath(n); err == nil {
			t.Errorf("%s found: %s", n, got)
		}
	}
}

// Root runs nothing that somebody else could have written.
func TestTrustedPrograms(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("about root")
	}
	root := t.TempDir()
	tr, err := openTree(root, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.top.close()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	p := &programs{files: tr, os: "linux"}
	lin, eve := &User{UID: 1000, GID: 1000}, &User{UID: 1001, GID: 1001}
	make := func(name, content string, mode fs.FileMode, uid int) {
		full := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(full, []byte(content), 0o755), os.Chown(full, uid, uid), os.Chmod(full, mode)); err != nil {
			t.Fatal(err)
		}
	}
	make("bin/ok", "", 0o755, 0)
	make("bin/open", "", 0o777, 0)
	make("bin/group", "", 0o775, 0)
	make("bin/staff", "", 0o775, 0)
	make("bin/lins", "", 0o755, 1000)
	make("bin/linsgroup", "", 0o775, 1000)
	make("bin/script", "#!/bin/lins -x\n", 0o755, 0)
	make("bin/goodscript", "#! /bin/ok\n", 0o755, 0)
	make("home/lin/tool", "", 0o755, 0)
	make("tmp/tool", "", 0o755, 0)
	if err := errors.Join(os.Chown(filepath.Join(root, "bin/staff"), 0, 50), os.Chown(filepath.Join(root, "home/lin"), 1000, 1000),
		os.Chmod(filepath.Join(root, "tmp"), 0o777|fs.ModeSticky), os.Symlink("/home/lin/tool", filepath.Join(root, "bin/link"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		as   *User
		ok   bool
	}{
		{"/bin/ok", nil, true},
		{"/bin/ok", lin, true},
		{"/bin/open", nil, false},
		{"/bin/open", lin, false},
		{"/bin/group", nil, true},
		{"/bin/staff", nil, false},
		{"/bin/lins", nil, false},
		{"/bin/lins", lin, true},
		{"/bin/lins", eve, false},
		{"/bin/linsgroup", lin, true},
		{"/bin/script", nil, false},
		{"/bin/script", lin, true},
		{"/bin/goodscript", nil, true},
		{"/home/lin/tool", nil, false},
		{"/home/lin/tool", lin, true},
		{"/bin/link", nil, false},
		{"/bin/link", lin, true},
		{"/tmp/tool", nil, true},
	} {
		if err := p.trusted(c.file, c.as); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrUntrustedProgram) {
			t.Errorf("%s as %v: %v", c.file, c.as, err)
		}
	}
}

func TestRunAs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	out, err := system(t).Run(t.Context(), Cmd{Argv: []string{"/bin/sh", "-c", "id -u; id -g; id -G; echo $HOME"}, As: &User{UID: 4321, GID: 4322, Home: "/home/x"}})
	if err != nil || out.Stdout != "4321\n4322\n4322\n/home/x\n" {
		t.Errorf("%+v, %v", out, err)
	}
}

// Programs of another root run by chroot, for root only.
func TestRunChroot(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755), os.WriteFile(filepath.Join(root, "usr/bin/self"), data, 0o755),
		os.WriteFile(filepath.Join(root, "inside"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	h, err := Open(OpenOptions{Root: root, Env: []string{"PATH=/host/only"}})
	if err != nil {
		t.Fatal(err)
	}
	p := h.Run.(*programs)
	p.files.euid = 1000
	if _, err := h.Exec.LookPath("self"); !errors.Is(err, ErrNoChroot) {
		t.Errorf("as an ordinary user: %v", err)
	}
	if _, err := h.Exec.Query(t.Context(), Cmd{Argv: []string{"self"}}); !errors.Is(err, ErrNoChroot) {
		t.Errorf("as an ordinary user: %v", err)
	}
	if p.files.euid = os.Geteuid(); p.files.euid != 0 {
		return
	}
	out, err := h.Exec.Query(t.Context(), Cmd{Argv: []string{"self", "-test.run=TestChrootChild"}, Env: []string{"CHROOT_CHILD=1"}})
	var exit *ExitError
	if errors.As(err, &exit) && strings.Contains(exit.Stderr, "no such file") || err != nil && strings.Contains(err.Error(), "no such file") {
		t.Skip("the test binary is linked dynamically and cannot run in an empty root")
	}
	if err != nil || !strings.Contains(out.Stdout, "PASS") {
		t.Errorf("%+v, %v", out, err)
	}
}

// The directory of the root is swapped for another after it was opened, as
// whoever owns the one above can: what was judged is what is run.
func TestChrootStaysWithTheTree(t *testing.T) {
	if os.Geteuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("only root can change the root, and only Linux names open directories")
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tree, evil := filepath.Join(dir, "tree"), filepath.Join(dir, "evil")
	for _, d := range []string{tree, evil} {
		if err := errors.Join(os.MkdirAll(filepath.Join(d, "usr/bin"), 0o755), os.WriteFile(filepath.Join(d, "usr/bin/self"), self, 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(tree, "inside"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h, err := Open(OpenOptions{Root: tree})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(tree, filepath.Join(dir, "away")), os.Rename(evil, tree)); err != nil {
		t.Fatal(err)
	}
	out, err := h.Exec.Query(t.Context(), Cmd{Argv: []string{"self", "-test.run=TestChrootChild"}, Env: []string{"CHROOT_CHILD=1"}})
	if err != nil && strings.Contains(err.Error(), "no such file") {
		t.Skip("the test binary is linked dynamically and cannot run in an empty root")
	}
	if err != nil || !strings.Contains(out.Stdout, "PASS") {
		t.Errorf("%v: %s", err, out.Stdout)
	}
}

func TestChrootChild(t *testing.T) {
	if os.Getenv("CHROOT_CHILD") == "" {
		t.Skip("run by TestRunChroot")
	}
	if _, err := os.Stat("/inside"); err != nil {
		t.Error(err)
	}
	if dir, _ := os.Getwd(); dir != "/" {
		t.Errorf("in %s", dir)
	}
}
