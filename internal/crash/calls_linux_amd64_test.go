package crash

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// form says which arguments of a call name what it changes.
type form struct {
	name     string
	fd       int // an open file; -1: none
	dir, at  int // a directory and a name in it; at -1: none, dir -1: the working directory
	dir2, to int // the same of the other name
	size     int // how much is written; -1: it does not write
	flags    int // of an opening; -1: it opens nothing
}

func onFD(name string, fd int) form { return form{name, fd, -1, -1, -1, -1, -1, -1} }
func writes(name string) form       { return form{name, 0, -1, -1, -1, -1, 2, -1} }
func named(name string, dir, at int) form {
	return form{name, -1, dir, at, -1, -1, -1, -1}
}

func opens(name string, dir, at, flags int) form {
	return form{name, -1, dir, at, -1, -1, -1, flags}
}

func two(name string, dir, at, dir2, to int) form {
	return form{name, -1, dir, at, dir2, to, -1, -1}
}

// forms are all calls that change a file system, or make a change durable.
var forms = map[uint64]form{
	unix.SYS_WRITE: writes("write"), unix.SYS_PWRITE64: writes("pwrite64"),
	unix.SYS_WRITEV: onFD("writev", 0), unix.SYS_PWRITEV: onFD("pwritev", 0), unix.SYS_PWRITEV2: onFD("pwritev2", 0),
	unix.SYS_COPY_FILE_RANGE: onFD("copy_file_range", 2), unix.SYS_SENDFILE: onFD("sendfile", 0), unix.SYS_SPLICE: onFD("splice", 2),
	unix.SYS_FTRUNCATE: onFD("ftruncate", 0), unix.SYS_FALLOCATE: onFD("fallocate", 0),
	unix.SYS_FSYNC: onFD("fsync", 0), unix.SYS_FDATASYNC: onFD("fdatasync", 0), unix.SYS_SYNC_FILE_RANGE: onFD("sync_file_range", 0),
	unix.SYS_FCHMOD: onFD("fchmod", 0), unix.SYS_FCHOWN: onFD("fchown", 0),
	unix.SYS_FSETXATTR: onFD("fsetxattr", 0), unix.SYS_FREMOVEXATTR: onFD("fremovexattr", 0),

	unix.SYS_OPENAT: opens("openat", 0, 1, 2), unix.SYS_OPEN: opens("open", -1, 0, 1), unix.SYS_OPENAT2: opens("openat2", 0, 1, 2),
	unix.SYS_CREAT:   named("creat", -1, 0),
	unix.SYS_MKDIRAT: named("mkdirat", 0, 1), unix.SYS_MKDIR: named("mkdir", -1, 0),
	unix.SYS_MKNODAT: named("mknodat", 0, 1), unix.SYS_MKNOD: named("mknod", -1, 0),
	unix.SYS_UNLINKAT: named("unlinkat", 0, 1), unix.SYS_UNLINK: named("unlink", -1, 0), unix.SYS_RMDIR: named("rmdir", -1, 0),
	unix.SYS_FCHMODAT: named("fchmodat", 0, 1), unix.SYS_FCHMODAT2: named("fchmodat2", 0, 1), unix.SYS_CHMOD: named("chmod", -1, 0),
	unix.SYS_FCHOWNAT: named("fchownat", 0, 1), unix.SYS_CHOWN: named("chown", -1, 0), unix.SYS_LCHOWN: named("lchown", -1, 0),
	unix.SYS_UTIMENSAT: named("utimensat", 0, 1), unix.SYS_UTIMES: named("utimes", -1, 0), unix.SYS_UTIME: named("utime", -1, 0),
	unix.SYS_SETXATTR: named("setxattr", -1, 0), unix.SYS_LSETXATTR: named("lsetxattr", -1, 0),
	unix.SYS_REMOVEXATTR: named("removexattr", -1, 0), unix.SYS_LREMOVEXATTR: named("lremovexattr", -1, 0),
	unix.SYS_TRUNCATE:  named("truncate", -1, 0),
	unix.SYS_SYMLINKAT: named("symlinkat", 1, 2), unix.SYS_SYMLINK: named("symlink", -1, 1),
	unix.SYS_RENAMEAT: two("renameat", 0, 1, 2, 3), unix.SYS_RENAMEAT2: two("renameat2", 0, 1, 2, 3), unix.SYS_RENAME: two("rename", -1, 0, -1, 1),
	unix.SYS_LINKAT: two("linkat", 0, 1, 2, 3), unix.SYS_LINK: two("link", -1, 0, -1, 1),
}

// stopping are the calls that the tracer is to see, as testdata/traced takes them.
func stopping() (all, openings string) {
	for nr, f := range forms {
		switch {
		case nr == unix.SYS_OPENAT2 || f.flags < 0: // openat2 has its flags in memory
			all += fmt.Sprintf(",%d", nr)
		default:
			openings += fmt.Sprintf(",%d:%d", nr, f.flags)
		}
	}
	return all[1:], openings[1:]
}

// readCall is the call that a tracee is about to make, or nil where it is one
// that changes nothing.
func readCall(pid int, info *callInfo) *call {
	f, ok := forms[info.nr]
	if !ok {
		return nil
	}
	c := &call{name: f.name}
	if f.flags >= 0 {
		flags := info.args[f.flags]
		if info.nr == unix.SYS_OPENAT2 {
			flags = binary.NativeEndian.Uint64(append(tracedBytes(pid, flags, 8), make([]byte, 8)...))
		}
		if flags&(unix.O_CREAT|unix.O_TRUNC) == 0 {
			return nil
		}
		c.trunc = flags&unix.O_TRUNC != 0
	}
	arg := func(i int) uint64 {
		if i < 0 {
			cwd := unix.AT_FDCWD
			return uint64(uint32(cwd))
		}
		return info.args[i]
	}
	switch {
	case f.fd >= 0:
		c.path = fdPath(pid, info.args[f.fd])
	case info.args[f.at] == 0: // utimensat of an open file
		c.path = fdPath(pid, arg(f.dir))
	default:
		c.path = namedPath(pid, arg(f.dir), info.args[f.at])
	}
	if f.to >= 0 {
		c.to = namedPath(pid, arg(f.dir2), info.args[f.to])
	}
	if f.size >= 0 {
		c.size = int(info.args[f.size])
	}
	return c
}
