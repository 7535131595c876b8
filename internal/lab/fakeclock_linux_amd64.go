package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A command under a clock of its own. There is no namespace for the time of
// day, so the program is traced: the vDSO is hidden from every program it
// starts, which turns each reading of the clock into a system call; a seccomp
// filter stops the calls that read or set the time of day, and the tracer
// answers them from a shift that it keeps. Setting the clock moves the shift
// and never the machine's clock. Static Go programs are covered like all
// others. Not covered: file times, and absolute waits on the time of day.

const (
	clockEnv = "TRUSTFIX_LAB_CLOCK" // tracer: the shift to begin with
	traceEnv = "TRUSTFIX_LAB_TRACE" // traced: put the filter up and become the command
)

// runClock is the tracer: it runs os.Args[1:] and returns its exit code.
func runClock(shift string) int {
	d, err := time.ParseDuration(shift)
	if err == nil {
		var code int
		if code, err = (&tracer{shift: d}).run(os.Args[1:]); err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, "fakeclock:", err)
	return 127
}

// runTraced becomes the command, with the filter up.
func runTraced() int {
	runtime.LockOSThread() // the filter belongs to the thread that calls exec
	_ = os.Unsetenv(traceEnv)
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		if err = filterClock(); err == nil {
			err = unix.Exec(path, os.Args[1:], os.Environ())
		}
	}
	fmt.Fprintln(os.Stderr, "fakeclock:", err)
	return 127
}

// filterClock stops the calls that read or set the time of day for the tracer.
func filterClock() error {
	const (
		load      = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		ifEqual   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		verdict   = unix.BPF_RET | unix.BPF_K
		numberAt  = 0
		archAt    = 4
		firstArg  = 16
		archAMD64 = 0xc000003e
	)
	f := []unix.SockFilter{
		{Code: load, K: archAt},
		{Code: ifEqual, K: archAMD64, Jt: 1},
		{Code: verdict, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: load, K: numberAt},
	}
	for _, nr := range []uint32{unix.SYS_GETTIMEOFDAY, unix.SYS_TIME, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME} {
		f = append(f, unix.SockFilter{Code: ifEqual, K: nr, Jf: 1}, unix.SockFilter{Code: verdict, K: unix.SECCOMP_RET_TRACE})
	}
	f = append(f,
		unix.SockFilter{Code: ifEqual, K: unix.SYS_CLOCK_GETTIME, Jf: 4},
		unix.SockFilter{Code: load, K: firstArg},
		unix.SockFilter{Code: ifEqual, K: unix.CLOCK_REALTIME, Jt: 1},
		unix.SockFilter{Code: ifEqual, K: unix.CLOCK_REALTIME_COARSE, Jf: 1},
		unix.SockFilter{Code: verdict, K: unix.SECCOMP_RET_TRACE},
		unix.SockFilter{Code: verdict, K: unix.SECCOMP_RET_ALLOW})
	prog := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	if _, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); e != 0 {
		return fmt.Errorf("cannot filter the clock's calls: %w", e)
	}
	return nil
}

type tracer struct {
	shift time.Duration
}

func (t *tracer) run(argv []string) (int, error) {
	runtime.LockOSThread() // ptrace belongs to a thread
	p, err := os.StartProcess("/proc/self/exe", append([]string{"fakeclock"}, argv...), &os.ProcAttr{
		Env:   append(os.Environ(), traceEnv+"=1", clockEnv+"="),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
		Sys:   &unix.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return 0, err
	}
	var ws unix.WaitStatus
	if _, err := unix.Wait4(p.Pid, &ws, 0, nil); err != nil {
		return 0, err
	}
	const follow = unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE |
		unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACESECCOMP | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(p.Pid, follow); err != nil {
		return 0, err
	}
	seen := map[int]bool{p.Pid: true}
	for pid := p.Pid; ; {
		if err := unix.PtraceCont(pid, t.stopped(pid, ws, seen)); err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, err
		}
		for {
			pid, err = unix.Wait4(-1, &ws, unix.WALL, nil)
			if err != nil && !errors.Is(err, unix.EINTR) {
				return 0, err
			}
			if err == nil && ws.Stopped() {
				break
			}
			if err == nil && pid == p.Pid {
				if ws.Signaled() {
					return 128 + int(ws.Signal()), nil
				}
				return ws.ExitStatus(), nil
			}
		}
	}
}

// stopped does what a stop asks for, and returns the signal to deliver.
func (t *tracer) stopped(pid int, ws unix.WaitStatus, seen map[int]bool) int {
	first := !seen[pid]
	seen[pid] = true
	switch s := ws.StopSignal(); {
	case s == unix.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
		t.answer(pid)
	case s == unix.SIGTRAP && ws.TrapCause() == unix.PTRACE_EVENT_EXEC:
		hideVDSO(pid)
	case s == unix.SIGTRAP: // other events, and the stop after the first exec
	case s == unix.SIGSTOP && first: // how a new child or thread reports
	default:
		return int(s)
	}
	return 0
}

// answer does a stopped call's work in its place.
func (t *tracer) answer(pid int) {
	var r unix.PtraceRegs
	if unix.PtraceGetRegs(pid, &r) != nil {
		return
	}
	machine := time.Now()
	now := machine.Add(t.shift)
	set := func(at uintptr, unit int64) {
		sec, frac := words(pid, at)
		t.shift = time.Unix(sec, frac*unit).Sub(machine)
	}
	var result int64
	switch r.Orig_rax {
	case unix.SYS_CLOCK_GETTIME:
		poke(pid, uintptr(r.Rsi), now.Unix(), int64(now.Nanosecond()))
	case unix.SYS_GETTIMEOFDAY:
		poke(pid, uintptr(r.Rdi), now.Unix(), int64(now.Nanosecond()/1000))
	case unix.SYS_TIME:
		poke(pid, uintptr(r.Rdi), now.Unix())
		result = now.Unix()
	case unix.SYS_CLOCK_SETTIME:
		set(uintptr(r.Rsi), 1)
	case unix.SYS_SETTIMEOFDAY:
		if r.Rdi != 0 { // else the time zone only
			set(uintptr(r.Rdi), 1000)
		}
	case unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME:
		result = 5 // TIME_ERROR: not synchronised. Nothing is adjusted.
	}
	r.Orig_rax, r.Rax = ^uint64(0), uint64(result) // no call is made; this is what it returned
	_ = unix.PtraceSetRegs(pid, &r)
}

// hideVDSO makes the new program's auxiliary vector not name the vDSO.
func hideVDSO(pid int) {
	const sysinfoEHDR, ignore = 33, 1
	var r unix.PtraceRegs
	if unix.PtraceGetRegs(pid, &r) != nil {
		return
	}
	at := uintptr(r.Rsp)
	argc, _ := words(pid, at)
	at += 8 * uintptr(argc+2) // argc, the arguments and a null
	for ; word(pid, at) != 0; at += 8 {
	}
	for at += 8; word(pid, at) != 0; at += 16 {
		if word(pid, at) == sysinfoEHDR {
			poke(pid, at, ignore)
			return
		}
	}
}

func word(pid int, at uintptr) int64 {
	w, _ := words(pid, at)
	return w
}

func words(pid int, at uintptr) (a, b int64) {
	buf := make([]byte, 16)
	_, _ = unix.PtracePeekData(pid, at, buf)
	return int64(binary.LittleEndian.Uint64(buf)), int64(binary.LittleEndian.Uint64(buf[8:]))
}

func poke(pid int, at uintptr, values ...int64) {
	if at == 0 {
		return
	}
	var buf []byte
	for _, v := range values {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(v))
	}
	_, _ = unix.PtracePokeData(pid, at, buf)
}
