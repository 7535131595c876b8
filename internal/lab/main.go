//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// insideEnv carries what was prepared to the test binary's second life.
const insideEnv = "TRUSTFIX_LAB_INSIDE"

// Why the laboratory cannot run, and whether that is a failure.
var (
	unavailable error
	required    bool
)

// machine is what the running system has.
var machine *prepared

// Main is the TestMain of a package whose tests use sandboxes. It returns the exit code.
func Main(m *testing.M) int {
	if spec := os.Getenv(initEnv); spec != "" {
		return runInit(spec)
	}
	if os.Getenv(traceEnv) != "" {
		return runTraced()
	}
	if shift := os.Getenv(clockEnv); shift != "" {
		return runClock(shift)
	}
	if inside := os.Getenv(insideEnv); inside != "" {
		return mainInside(m, inside)
	}
	flag.Parse()
	required = isRequired()
	if flag.Lookup("test.list").Value.String() != "" || testing.Short() {
		return m.Run()
	}
	prepared, err := prepare(required)
	if err != nil {
		unavailable = err
		return m.Run()
	}
	defer prepared.remove()
	code, err := again(prepared)
	if err != nil {
		unavailable = err
		return m.Run()
	}
	return code
}

func isRequired() bool {
	return os.Getenv("CI") == "true" || os.Getenv("TRUSTFIX_LAB") == "require"
}

// need skips a test that cannot have a sandbox, or fails it where one is required.
func need(t testing.TB) {
	t.Helper()
	switch {
	case testing.Short():
		t.Skip("the laboratory is not part of -short")
	case theBase != nil:
	case required:
		t.Fatalf("the laboratory is required and cannot run: %v", unavailable)
	default:
		t.Skipf("the laboratory cannot run here: %v", unavailable)
	}
}

// needStep skips what belongs to the other of two runs: what needs Debian's
// releases takes minutes and has its own, with TRUSTFIX_LAB_SUITES=1.
// scripts/check.sh does both.
func needStep(t testing.TB, suites bool) {
	t.Helper()
	if suites != machine.Suites {
		t.Skip("it runs with TRUSTFIX_LAB_SUITES=1, or without, in the other of two runs of these tests")
	}
}

// again runs this test binary once more: in a mount namespace of its own, with
// an empty environment, and without the capabilities that reach the machine
// (the clock above all: no namespace protects it).
func again(p *prepared) (int, error) {
	runtime.LockOSThread() // the capability set belongs to the thread, and so does Pdeathsig
	for _, c := range []uintptr{unix.CAP_SYS_TIME, unix.CAP_SYS_MODULE, unix.CAP_SYS_BOOT, unix.CAP_SYS_RAWIO} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return 0, fmt.Errorf("cannot give up capability %d: %w", c, err)
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = []string{insideEnv + "=" + string(b), "PATH=" + sandboxPath, "HOME=" + p.Dir, "TMPDIR=" + p.Dir}
	if required {
		c.Env = append(c.Env, "TRUSTFIX_LAB=require")
	}
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer signal.Stop(interrupts)
	if err := c.Start(); err != nil {
		return 0, fmt.Errorf("cannot make a mount namespace: %w", err)
	}
	go func() {
		for s := range interrupts {
			_ = c.Process.Signal(s)
		}
	}()
	err = c.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, err
	}
	return c.ProcessState.ExitCode(), nil
}

func mainInside(m *testing.M, inside string) int {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))) // most of the time they wait
	}
	required = isRequired()
	unix.Umask(0o022)
	var p prepared
	err := json.Unmarshal([]byte(inside), &p)
	if err == nil {
		err = unix.Mount("tmpfs", p.Dir, "tmpfs", 0, "mode=755")
	}
	if err == nil {
		theBase, err = buildBase(&p, newPKI())
		offerSuites(&p)
		machine = &p
	}
	if err != nil {
		// What could not be built is a defect of the laboratory, not a missing condition.
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		return 1
	}
	return m.Run()
}
