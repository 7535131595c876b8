package platform

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// O_PATH passes directories that may be searched but not listed.
const dirFlags = unix.O_PATH | unix.O_DIRECTORY

// openBelow opens a directory below d in one call, by a clean relative path
// that no link stands in. Any other error than that there is no such directory
// (a link, a kernel before 5.6, a sandbox that knows no openat2) is a reason to walk.
func (d *dir) openBelow(rel string) (*dir, error) {
	sub := &dir{host: filepath.Join(d.host, rel)}
	err := retry(func() (err error) {
		sub.fd, err = unix.Openat2(d.fd, rel, &unix.OpenHow{
			Flags: dirFlags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS,
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return sub, nil
}

// keptXAttr leaves out what the system computes again by itself.
func keptXAttr(name string) bool {
	return name != "security.ima" && name != "security.evm"
}

// setTime sets the time of last change to the nanosecond, by handle.
func setTime(f *os.File, t time.Time) error {
	ts := times(t)
	if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, f.Fd(), 0, uintptr(unsafe.Pointer(&ts[0])), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func (d *dir) setLinkTime(name string, t time.Time) error {
	ts := times(t)
	return unix.UtimesNanoAt(d.fd, name, ts[:], unix.AT_SYMLINK_NOFOLLOW)
}

func times(t time.Time) [2]unix.Timespec {
	return [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, unix.NsecToTimespec(t.UnixNano())}
}

// flagged finds the immutable and append-only flags of a file and its directory.
func flagged(d *dir, name string, img Image) error {
	for _, at := range []struct {
		name string
		kind Kind
	}{{name, img.Kind}, {".", DirKind}} {
		if at.kind != File && at.kind != DirKind {
			continue
		}
		f, err := d.open(at.name, unix.O_RDONLY, 0)
		if err != nil {
			continue // unreadable: the rights are judged elsewhere
		}
		flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
		path := f.Name()
		f.Close()
		if err != nil {
			continue // the file system has no flags
		}
		switch {
		case flags&unix.STATX_ATTR_IMMUTABLE != 0:
			return fmt.Errorf("%w (chattr -i %s)", ErrImmutable, strings.TrimSuffix(path, "/."))
		case flags&unix.STATX_ATTR_APPEND != 0:
			return fmt.Errorf("%w (chattr -a %s)", ErrImmutable, strings.TrimSuffix(path, "/."))
		}
	}
	return nil
}

// mediums are the file systems that Medium names, by their magic (statfs(2)).
var mediums = map[int64]string{
	unix.TMPFS_MAGIC: "tmpfs", unix.RAMFS_MAGIC: "ramfs", unix.NFS_SUPER_MAGIC: "nfs", unix.CIFS_SUPER_MAGIC: "smb",
	unix.SMB2_SUPER_MAGIC: "smb", unix.SMB_SUPER_MAGIC: "smb", unix.V9FS_MAGIC: "9p",
	unix.CEPH_SUPER_MAGIC: "ceph", unix.AFS_SUPER_MAGIC: "afs", unix.CODA_SUPER_MAGIC: "coda", unix.NCP_SUPER_MAGIC: "ncp",
}

func (d *dir) medium() string {
	var st unix.Statfs_t
	if unix.Fstatfs(d.fd, &st) != nil {
		return ""
	}
	return mediums[int64(uint32(st.Type))]
}

func readOnlyFS(d *dir) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(d.fd, &st) == nil && st.Flags&unix.ST_RDONLY != 0
}

// isMount recognises bind mounts of single files too, which may stay on one
// device. Device numbers prove nothing: in an overlay, a file of a lower layer
// may have another one than its directory.
func (d *dir) isMount(name string, img, parent Image) bool {
	var st unix.Statx_t
	err := unix.Statx(d.fd, name, unix.AT_SYMLINK_NOFOLLOW, 0, &st)
	if err == nil && st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
	}
	// Before Linux 5.8 only the table of mounts tells.
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return img.Dev != parent.Dev
	}
	full := strings.TrimSuffix(d.host, "/") + "/" + name
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 && unescapeMount(fields[4]) == full {
			return true
		}
	}
	return false
}

func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// kernelClock asks adjtimex, which needs no rights to read.
func kernelClock() KernelClock {
	var tx unix.Timex
	// With nothing to set, the kernel only says whether setting is allowed.
	_, _, errno := unix.RawSyscall(unix.SYS_SETTIMEOFDAY, 0, 0, 0)
	denied := errno == unix.EPERM
	state, err := unix.Adjtimex(&tx)
	if err != nil {
		return KernelClock{Denied: denied}
	}
	return KernelClock{Known: true, Synchronized: state != unix.TIME_ERROR && tx.Status&unix.STA_UNSYNC == 0, Denied: denied}
}

func setSystemClock(t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}

// osVersion is what the system says of itself beyond its files: nothing here.
func osVersion() string { return "" }
