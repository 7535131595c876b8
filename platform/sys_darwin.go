package platform

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY

func (d *dir) openBelow(string) (*dir, error) { return nil, errors.ErrUnsupported }

// keptXAttr leaves out what the system gives by itself and nobody may set.
func keptXAttr(name string) bool { return name != "com.apple.provenance" }

func setTime(f *os.File, t time.Time) error { return setPathTime(f.Name(), t) }

func (d *dir) setLinkTime(name string, t time.Time) error { return setPathTime(d.host+"/"+name, t) }

// setPathTime goes by path: macOS has no call that sets nanoseconds by handle.
func setPathTime(path string, t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}

const (
	appendFlags    = 0x00000004 | 0x00040000 // UF_APPEND, SF_APPEND
	immutableFlags = 0x00000002 | 0x00020000 // UF_IMMUTABLE, SF_IMMUTABLE
)

func flagged(d *dir, name string, _ Image) error {
	for _, n := range []string{name, "."} {
		var st unix.Stat_t
		if unix.Fstatat(d.fd, n, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			continue
		}
		path := strings.TrimSuffix(d.host+"/"+n, "/.")
		switch {
		case st.Flags&immutableFlags != 0:
			return fmt.Errorf("%w (chflags nouchg,noschg %s)", ErrImmutable, path)
		case st.Flags&appendFlags != 0:
			return fmt.Errorf("%w (chflags nouappnd,nosappnd %s)", ErrImmutable, path)
		}
	}
	return nil
}

// medium knows what macOS calls its network file systems.
func (d *dir) medium() string {
	var st unix.Statfs_t
	if unix.Fstatfs(d.fd, &st) != nil {
		return ""
	}
	switch kind := unix.ByteSliceToString(st.Fstypename[:]); kind {
	case "nfs", "afpfs", "webdav", "tmpfs":
		return kind
	case "smbfs":
		return "smb"
	}
	return ""
}

func readOnlyFS(d *dir) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(d.fd, &st) == nil && st.Flags&unix.MNT_RDONLY != 0
}

func (d *dir) isMount(_ string, img, parent Image) bool { return img.Dev != parent.Dev }

// kernelClock is not known: ntp_adjtime is not open to ordinary programs.
func kernelClock() KernelClock { return KernelClock{} }

func setSystemClock(t time.Time) error {
	tv := unix.NsecToTimeval(t.UnixNano())
	return unix.Settimeofday(&tv)
}

func osVersion() string {
	v, _ := unix.Sysctl("kern.osproductversion")
	return v
}
