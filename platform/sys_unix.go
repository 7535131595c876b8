//go:build unix

package platform

import (
	"os/exec"
	"syscall"
)

// confine gives the program a process group of its own, so that a time limit
// ends its children too, and the root and the user it is to run with.
func confine(cmd *exec.Cmd, chroot string, as *User, euid int) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Chroot: chroot}
	if as != nil && as.UID != euid {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(as.UID), Gid: uint32(as.GID)}
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

func elevated() bool { return syscall.Geteuid() == 0 }
