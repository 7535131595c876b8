package crash

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// insideEnv names the directory that was prepared, to this binary's second life.
const insideEnv = "TRUSTFIX_CRASH_INSIDE"

var (
	// tried are the points: "all", all of the kills ("kill"), or a sample.
	tried  = os.Getenv("CRASH_POINTS")
	update = flag.Bool("update", false, "write the table of docs/reliability.md; needs CRASH_POINTS=all")

	// program is trustfix 1.0.0, newer is 1.1.0, both built as for a release;
	// storetool stands for update-ca-certificates, traced puts up a filter
	// for the tracer. errUnavailable is why there are none.
	program, newer, storetool, traced string
	errUnavailable                    = errors.New("not prepared")
)

// TestMain builds the program and starts this binary again in namespaces of its
// own: a tmpfs for the trees, and a network of nothing but loopback.
func TestMain(m *testing.M) {
	flag.Parse()
	if dir := os.Getenv(insideEnv); dir != "" {
		startTracing()
		errUnavailable = enter(dir)
		program, newer = filepath.Join(dir, "1.0.0", "trustfix"), filepath.Join(dir, "1.1.0", "trustfix")
		storetool, traced = filepath.Join(dir, "storetool"), filepath.Join(dir, "traced")
		code := m.Run()
		if *update && code == 0 {
			if err := writeTable(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		os.Exit(code)
	}
	if testing.Short() || flag.Lookup("test.list").Value.String() != "" || os.Geteuid() != 0 {
		if os.Geteuid() != 0 {
			errUnavailable = errors.New("it takes root: namespaces, owners")
		}
		os.Exit(m.Run())
	}
	code, err := again()
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // what cannot be built is a defect, not a missing condition
		code = 1
	}
	os.Exit(code)
}

// need skips a test that cannot have the program; in CI that is a failure.
func need(t *testing.T) {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("some hundred runs of the program: without -short")
	case errUnavailable != nil && os.Getenv("CI") == "true":
		t.Fatalf("cannot run here: %v", errUnavailable)
	case errUnavailable != nil:
		t.Skipf("cannot run here: %v", errUnavailable)
	}
}

func again() (int, error) {
	runtime.LockOSThread() // the child dies with the thread that started it
	dir, err := os.MkdirTemp("", "trustfix-crash-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		return 0, err
	}
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = []string{insideEnv + "=" + dir, "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CI=" + os.Getenv("CI"), "CRASH_POINTS=" + tried}
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err = c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("cannot make namespaces: %w", err)
	}
	return c.ProcessState.ExitCode(), nil
}

// build makes the two versions with the flags of .goreleaser.yaml, and the
// stand-in for a store's tool.
func build(dir string) error {
	key := releaseKey()
	if err := os.WriteFile(filepath.Join(dir, "key"), key, 0o600); err != nil {
		return err
	}
	run := func(args ...string) error {
		c := exec.Command("go", append([]string{"build", "-buildvcs=false", "-trimpath"}, args...)...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
		return nil
	}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		if err := run("-tags=urfave_cli_no_docs", "-o", filepath.Join(dir, v, "trustfix"),
			"-ldflags=-s -w -buildid= -X main.version="+v+" -X main.releaseKeys="+publicKey(key), "trustfix"); err != nil {
			return err
		}
	}
	return run("-o", dir, "./testdata/storetool", "./testdata/traced")
}

// enter settles in the namespaces.
func enter(dir string) error {
	unix.Umask(0o022)
	work := filepath.Join(dir, "work")
	err := os.Mkdir(work, 0o755)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	if err == nil {
		err = unix.Mount("tmpfs", work, "tmpfs", 0, "mode=755")
	}
	if err == nil {
		err = os.Setenv("TMPDIR", work)
	}
	if err != nil {
		return err
	}
	return loopbackUp()
}

// loopbackUp switches the loopback interface on.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
}

// run is a run without the tracer.
func run(t *testing.T, argv ...string) (code int, output string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	c.Env = environment
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// must is run that has to end with 0.
func must(t *testing.T, argv ...string) string {
	t.Helper()
	code, out := run(t, argv...)
	if code != 0 {
		t.Errorf("%s: exit %d\n%s", strings.Join(argv, " "), code, out)
	}
	return out
}

var environment = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent", "LANG=C"}
