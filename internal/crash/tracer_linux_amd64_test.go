package crash

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fault is what happens to a program at one of its calls.
type fault struct {
	at      int           // the call: 1 is the first; 0 is none
	onwards bool          // at every call from there on
	errno   syscall.Errno // what the call returns instead of being made; 0: SIGKILL
	half    bool          // of a write half is done before the kill
}

// call is one system call that changes something in the watched directories,
// or makes it durable.
type call struct {
	name     string
	path, to string // host paths; to of a rename or link
	trunc    bool   // an opening that truncates
	tool     bool   // made by a program that the traced one runs
	size     int    // of a write
	err      syscall.Errno
}

func (c call) String() string {
	s := c.name + " " + c.path
	if c.to != "" {
		s += " " + c.to
	}
	if c.tool {
		s += " (of a program it ran)"
	}
	return s
}

// outcome is what came of a run under the tracer.
type outcome struct {
	code   int // or killed
	output string
	calls  []*call
	hit    bool // the fault happened
}

const killed = -1

// tracer follows one program and all that it starts.
type tracer struct {
	watched []string
	fault   fault
	main    int
	tasks   map[int]*task
	out     outcome
}

// task is one thread.
type task struct {
	process int
	current *call // between entry and exit
	kill    bool  // at the exit of current
}

// trace runs argv to its end, and the end of what it started, with a fault.
// Calls count that touch something at or below the watched directories.
func trace(t testing.TB, watched []string, f fault, env []string, argv ...string) outcome {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	tr := &tracer{watched: watched, fault: f, tasks: map[int]*task{}, out: outcome{code: killed}}
	ended := make(chan error)
	work <- func() {
		ended <- tr.run(argv, &syscall.ProcAttr{
			Env: env, Files: []uintptr{0, log.Fd(), log.Fd()}, Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
		})
	}
	if err := <-ended; err != nil {
		t.Fatalf("cannot trace %s: %v", argv[0], err)
	}
	if _, err = log.Seek(0, io.SeekStart); err == nil {
		var b []byte
		b, err = io.ReadAll(log)
		tr.out.output = string(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tr.out
}

// work is for the threads that trace, which do nothing else: a tracee belongs
// to the thread that started it, and so would any other child.
var work = make(chan func())

func startTracing() {
	for range 2 * runtime.GOMAXPROCS(0) {
		go func() {
			runtime.LockOSThread()
			for f := range work {
				f()
			}
		}()
	}
}

func (tr *tracer) run(argv []string, attr *syscall.ProcAttr) (err error) {
	all, openings := stopping()
	if tr.main, err = syscall.ForkExec(traced, append([]string{"traced", all, openings}, argv...), attr); err != nil {
		return err
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = unix.Kill(-tr.main, unix.SIGKILL) })
	defer late.Stop()
	return tr.follow()
}

const (
	traceOptions = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
		unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_EXITKILL
	waitOptions = unix.WALL | unix.WNOTHREAD // children of this thread only: others trace too
)

func (tr *tracer) follow() error {
	var ws unix.WaitStatus
	if _, err := unix.Wait4(tr.main, &ws, waitOptions, nil); err != nil {
		return err
	}
	if !ws.Stopped() {
		return fmt.Errorf("it did not stop: %x", ws)
	}
	if err := unix.PtraceSetOptions(tr.main, traceOptions); err != nil {
		return err
	}
	tr.tasks[tr.main] = &task{process: tr.main}
	if err := unix.PtraceCont(tr.main, 0); err != nil {
		return err
	}
	for {
		pid, err := unix.Wait4(-1, &ws, waitOptions, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return nil
		case err != nil:
			return err
		}
		if !ws.Stopped() {
			delete(tr.tasks, pid)
			if pid == tr.main && ws.Exited() {
				tr.out.code = ws.ExitStatus()
			}
			continue
		}
		// A thread may be gone by the time it is looked at: killed.
		if err := tr.stopped(pid, ws); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
}

// stopped deals with one stop of one thread and lets it go on.
func (tr *tracer) stopped(pid int, ws unix.WaitStatus) error {
	k := tr.tasks[pid]
	fresh := k == nil
	if fresh {
		k = &task{process: processOf(pid)}
		tr.tasks[pid] = k
	}
	switch sig := ws.StopSignal(); {
	case sig == unix.SIGTRAP|0x80: // the end of a call that counts
		return cmp.Or(tr.exit(pid, k), unix.PtraceCont(pid, 0))
	case sig == unix.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
		counts, err := tr.entry(pid, k)
		if err == nil && counts {
			return unix.PtraceSyscall(pid, 0) // up to its end
		}
		return cmp.Or(err, unix.PtraceCont(pid, 0))
	case sig == unix.SIGTRAP && ws.TrapCause() > 0: // a clone, a fork, an exec
	case sig == unix.SIGSTOP && fresh:
	default:
		return unix.PtraceCont(pid, int(sig))
	}
	return unix.PtraceCont(pid, 0)
}

// callInfo is struct ptrace_syscall_info.
type callInfo struct {
	op   uint8
	_    [3]uint8
	arch uint32
	_    [2]uint64
	nr   uint64 // of a call; at its end the result
	args [6]uint64
	_    uint64
}

func readInfo(pid int) (info callInfo, err error) {
	const getSyscallInfo = 0x420e
	if _, _, e := unix.Syscall6(unix.SYS_PTRACE, getSyscallInfo, uintptr(pid), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0); e != 0 {
		err = e
	}
	return info, err
}

// entry deals with a call that is about to be made, if it counts.
func (tr *tracer) entry(pid int, k *task) (counts bool, err error) {
	info, err := readInfo(pid)
	if err != nil {
		return false, err
	}
	c := readCall(pid, &info)
	if c == nil || !tr.watches(c.path) && !tr.watches(c.to) {
		return false, nil
	}
	c.tool = k.process != tr.main
	tr.out.calls, k.current = append(tr.out.calls, c), c
	n, f := len(tr.out.calls), tr.fault
	if f.at == 0 || n != f.at && !(f.onwards && n > f.at) {
		return true, nil
	}
	tr.out.hit = true
	if f.errno == 0 && !f.half {
		tr.killWith(k)
		return true, nil
	}
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(pid, &regs); err != nil {
		return false, err
	}
	if f.half {
		k.kill, regs.Rdx = true, regs.Rdx/2
	} else { // no call, and its result at once
		regs.Orig_rax, regs.Rax = ^uint64(0), uint64(-int64(f.errno))
	}
	return true, unix.PtraceSetRegs(pid, &regs)
}

// exit is the end of a call that counts.
func (tr *tracer) exit(pid int, k *task) error {
	info, err := readInfo(pid)
	if err != nil || k.current == nil {
		return err
	}
	if result := int64(info.nr); result < 0 {
		k.current.err = syscall.Errno(-result)
	}
	k.current = nil
	if k.kill {
		tr.killWith(k)
	}
	return nil
}

// killWith kills the traced program; where one that it runs made the call,
// everything, as the end of a container does.
func (tr *tracer) killWith(k *task) {
	if k.process != tr.main {
		for _, other := range tr.tasks {
			_ = unix.Kill(other.process, unix.SIGKILL)
		}
	}
	_ = unix.Kill(tr.main, unix.SIGKILL)
}

func (tr *tracer) watches(p string) bool {
	return slices.ContainsFunc(tr.watched, func(d string) bool { return p == d || strings.HasPrefix(p, d+"/") })
}

// processOf is the process of a thread.
func processOf(tid int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	_, rest, _ := strings.Cut(string(data), "\nTgid:")
	pid := tid
	_, _ = fmt.Sscan(rest, &pid)
	return pid
}

// tracedBytes are at most n bytes at an address of a tracee.
func tracedBytes(pid int, at uint64, n int) []byte {
	buf := make([]byte, n)
	n, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &buf[0], Len: uint64(n)}}, []unix.RemoteIovec{{Base: uintptr(at), Len: n}}, 0)
	if err != nil {
		return nil
	}
	return buf[:n]
}

// tracedString is the text at an address of a tracee.
func tracedString(pid int, at uint64) string {
	var out []byte
	for len(out) < 4096 {
		page := tracedBytes(pid, at, int(4096-at%4096)) // what follows may not be there
		if i := bytes.IndexByte(page, 0); i >= 0 || len(page) == 0 {
			return string(append(out, page[:max(i, 0)]...))
		}
		out, at = append(out, page...), at+uint64(len(page))
	}
	return string(out)
}

// fdPath is what an open file of a tracee is called.
func fdPath(pid int, fd uint64) string {
	p, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(fd)))
	return strings.TrimSuffix(p, " (deleted)")
}

// namedPath is a name of a tracee as the host sees it.
func namedPath(pid int, dirfd, name uint64) string {
	s := tracedString(pid, name)
	if filepath.IsAbs(s) {
		root, _ := os.Readlink(fmt.Sprintf("/proc/%d/root", pid))
		return filepath.Join(root, s)
	}
	if int32(dirfd) == unix.AT_FDCWD {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		return filepath.Join(cwd, s)
	}
	return filepath.Join(fdPath(pid, dirfd), s)
}
