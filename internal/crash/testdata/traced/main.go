// Traced puts a filter up and becomes a command: of its system calls, and those
// of all programs that it starts, only the ones with the given numbers stop for
// the tracer. Tracing them all would take ten times as long.
//
//	traced NUMBERS OPENINGS COMMAND…
//
// NUMBERS are numbers of calls; OPENINGS are such of which only those stop whose
// flags create or truncate, each as NUMBER:ARGUMENT. Both are lists with commas.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func main() {
	runtime.LockOSThread() // the filter belongs to the thread that calls exec
	err := filter(os.Args[1], os.Args[2])
	if err == nil {
		err = unix.Exec(os.Args[3], os.Args[3:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "traced:", err)
	os.Exit(127)
}

func filter(numbers, openings string) error {
	const (
		load    = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		anyBit  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		verdict = unix.BPF_RET | unix.BPF_K
		number  = 0  // where struct seccomp_data has it
		args    = 16 // of 8 bytes each, the low half first
	)
	stop := unix.SockFilter{Code: verdict, K: unix.SECCOMP_RET_TRACE}
	pass := unix.SockFilter{Code: verdict, K: unix.SECCOMP_RET_ALLOW}
	f := []unix.SockFilter{{Code: load, K: number}}
	for word := range strings.SplitSeq(numbers, ",") {
		var nr uint32
		if _, err := fmt.Sscan(word, &nr); err != nil {
			return err
		}
		f = append(f, unix.SockFilter{Code: equal, K: nr, Jf: 1}, stop)
	}
	for word := range strings.SplitSeq(openings, ",") {
		var nr, arg uint32
		if _, err := fmt.Sscanf(word, "%d:%d", &nr, &arg); err != nil {
			return err
		}
		f = append(f, unix.SockFilter{Code: equal, K: nr, Jf: 4}, unix.SockFilter{Code: load, K: args + 8*arg},
			unix.SockFilter{Code: anyBit, K: unix.O_CREAT | unix.O_TRUNC, Jf: 1}, stop, pass)
	}
	f = append(f, pass)
	prog := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	if _, _, e := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); e != 0 {
		return fmt.Errorf("cannot filter calls: %w", e)
	}
	return nil
}
