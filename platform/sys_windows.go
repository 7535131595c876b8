package platform

import (
	"fmt"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// confine gives the program a process group. Windows has no chroot, and
// another user's rights would need that user's password.
func confine(cmd *exec.Cmd, _ string, _ *User, _ int) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

func elevated() bool { return windows.GetCurrentProcessToken().IsElevated() }

func kernelClock() KernelClock { return KernelClock{} } // w32tm tells

// setSystemClock needs SeSystemtimePrivilege, which administrators hold but
// have to switch on.
func setSystemClock(t time.Time) error {
	var token windows.Token
	err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ADJUST_PRIVILEGES|windows.TOKEN_QUERY, &token)
	if err != nil {
		return err
	}
	defer func() { _ = token.Close() }()
	name, err := windows.UTF16PtrFromString("SeSystemtimePrivilege")
	if err != nil {
		return err
	}
	tp := windows.Tokenprivileges{PrivilegeCount: 1}
	tp.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED
	if err := windows.LookupPrivilegeValue(nil, name, &tp.Privileges[0].Luid); err != nil {
		return err
	}
	if err := windows.AdjustTokenPrivileges(token, false, &tp, 0, nil, nil); err != nil {
		return err
	}
	t = t.UTC()
	st := windows.Systemtime{
		Year: uint16(t.Year()), Month: uint16(t.Month()), Day: uint16(t.Day()), Hour: uint16(t.Hour()),
		Minute: uint16(t.Minute()), Second: uint16(t.Second()), Milliseconds: uint16(t.Nanosecond() / 1e6),
	}
	r, _, err := windows.NewLazySystemDLL("kernel32.dll").NewProc("SetSystemTime").Call(uintptr(unsafe.Pointer(&st)))
	if r == 0 {
		return err
	}
	return nil
}

func osVersion() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
