//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// initSpec is what the first process of a sandbox is told.
type initSpec struct {
	Lower []string // highest first
	Upper string
	Work  string
	Root  string   // where the overlay is mounted
	Show  []string // directories of this machine, read-only at the same place
}

const initEnv = "TRUSTFIX_LAB_INIT"

// namespaces are those of one sandbox, kept alive by its first process.
type namespaces struct {
	init  *exec.Cmd
	stdin io.Closer
	pidfd int
}

// allNamespaces are entered to run something inside a sandbox.
const allNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// openNamespaces starts the first process of a sandbox and waits until its tree is mounted.
func openNamespaces(spec initSpec) (*namespaces, error) {
	b, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	c := exec.Command("/proc/self/exe")
	c.Env = []string{initEnv + "=" + string(b)}
	c.Stderr = os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: allNamespaces}
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("cannot make namespaces: %w", err)
	}
	n := &namespaces{init: c, stdin: in, pidfd: -1}
	said, _ := io.ReadAll(out)
	if string(said) != "ready" {
		n.close()
		return nil, fmt.Errorf("cannot set a sandbox up: %s", said)
	}
	if n.pidfd, err = unix.PidfdOpen(c.Process.Pid, 0); err != nil {
		n.close()
		return nil, fmt.Errorf("cannot open the sandbox's first process: %w", err)
	}
	return n, nil
}

// close ends the first process, and with it everything inside the sandbox.
func (n *namespaces) close() {
	_ = n.stdin.Close()
	_ = n.init.Wait()
	if n.pidfd >= 0 {
		_ = unix.Close(n.pidfd)
	}
}

// enter runs f on a thread inside the given namespaces. A socket opened, a file
// written or a process started there stays there. The thread is thrown away.
func (n *namespaces) enter(flags int, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		done <- func() error {
			if flags&unix.CLONE_NEWNS != 0 {
				if err := unix.Unshare(unix.CLONE_FS); err != nil {
					return fmt.Errorf("cannot unshare: %w", err)
				}
			}
			if err := unix.Setns(n.pidfd, flags); err != nil {
				return fmt.Errorf("cannot enter the sandbox: %w", err)
			}
			return f()
		}()
	}()
	return <-done
}

func (n *namespaces) network(f func() error) error { return n.enter(unix.CLONE_NEWNET, f) }

// runInit is the first process of a sandbox: it builds the tree, moves into it
// and stays until its standard input ends.
func runInit(spec string) int {
	var s initSpec
	err := json.Unmarshal([]byte(spec), &s)
	if err == nil {
		err = s.build()
	}
	if err != nil {
		fmt.Print(err)
		return 1
	}
	fmt.Print("ready")
	_ = os.Stdout.Close()
	go reap()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// reap collects orphans: in a pid namespace they belong to its first process.
func reap() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGCHLD)
	for range c {
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}

func (s initSpec) build() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cannot make mounts private: %w", err)
	}
	opts := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", strings.Join(s.Lower, ":"), s.Upper, s.Work)
	if err := unix.Mount("overlay", s.Root, "overlay", 0, opts); err != nil {
		return fmt.Errorf("cannot mount an overlay (%s): %w", opts, err)
	}
	for _, m := range []struct{ kind, dir, opts string }{
		{"proc", "proc", ""}, {"tmpfs", "tmp", "mode=1777"}, {"tmpfs", "run", "mode=755"}, {"tmpfs", "sys", "mode=755"}, {"tmpfs", "dev", "mode=755"},
	} {
		dir := filepath.Join(s.Root, m.dir)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.kind, dir, m.kind, 0, m.opts); err != nil {
			return fmt.Errorf("cannot mount %s: %w", m.dir, err)
		}
	}
	for _, shown := range s.Show {
		dir := filepath.Join(s.Root, shown)
		if err := errors.Join(os.MkdirAll(dir, 0o755), unix.Mount(shown, dir, "", unix.MS_BIND, ""),
			unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")); err != nil {
			return fmt.Errorf("cannot show %s: %w", shown, err)
		}
	}
	if err := s.devices(); err != nil {
		return err
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("cannot bring loopback up: %w", err)
	}
	if err := unix.Sethostname([]byte("lab")); err != nil {
		return err
	}
	// pivot_root onto itself: the old root lies under the new one and is detached.
	if err := os.Chdir(s.Root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("cannot change the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("cannot detach the old root: %w", err)
	}
	return os.Chdir("/")
}

func (s initSpec) devices() error {
	dev := filepath.Join(s.Root, "dev")
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		p := filepath.Join(dev, name)
		if err := unix.Mknod(p, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("cannot make /dev/%s: %w", name, err)
		}
		if err := os.Chmod(p, 0o666); err != nil {
			return err
		}
	}
	pts := filepath.Join(dev, "pts")
	if err := os.Mkdir(pts, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("devpts", pts, "devpts", 0, "newinstance,ptmxmode=0666,mode=620"); err != nil {
		return fmt.Errorf("cannot mount /dev/pts: %w", err)
	}
	return errors.Join(
		os.Symlink("pts/ptmx", filepath.Join(dev, "ptmx")),
		os.Symlink("/proc/self/fd", filepath.Join(dev, "fd")),
		os.Mkdir(filepath.Join(dev, "shm"), 0o777),
		os.Chmod(filepath.Join(dev, "shm"), 0o1777),
	)
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, r)
}
