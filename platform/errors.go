package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// Reasons why a file is not read, or could not be replaced.
var (
	ErrNotRegular  = errors.New("not a regular file")
	ErrTooLarge    = errors.New("larger than 16 MB")
	ErrPlantedLink = errors.New("a link that its owner could not follow")
	ErrUnsafeDir   = errors.New("the directory is writable by everybody")

	ErrReadOnly   = errors.New("read-only file system")
	ErrImmutable  = errors.New("immutable or append-only flag")
	ErrMountPoint = errors.New("a mount point: its content can only be changed in place")
	ErrHardLink   = errors.New("the file has other names (hard links)")

	ErrLocked = errors.New("another run holds the lock")
)

// Failing says that err comes of a disk, of memory or of open files running out:
// it tells nothing of what stands at a path, so nothing may be repaired by it.
// The same read may succeed in a second.
func Failing(err error) bool {
	no, ok := errors.AsType[syscall.Errno](err)
	return ok && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && !slices.Contains(telling, no)
}

// telling are the errors of the system, besides absence and rights, that do
// describe what stands at a path.
var telling = []syscall.Errno{syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ENXIO, syscall.ENODEV}

// retry does f until no signal interrupts it: network and FUSE file systems let
// them, also in calls that elsewhere are never cut short.
func retry(f func() error) error {
	for {
		if err := f(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Reasons why a program is not run.
var (
	ErrNoChroot         = errors.New("programs of another root can only be run by root, with chroot")
	ErrUntrustedProgram = errors.New("somebody else than its user could have written this program")
)

// ExitError is a program that ran and failed.
type ExitError struct {
	Argv   []string
	Code   int // -1 when a signal ended it
	Stderr string
}

func (e *ExitError) Error() string {
	msg := fmt.Sprintf("%s: exit status %d", e.Argv[0], e.Code)
	if e.Code < 0 {
		msg = e.Argv[0] + ": ended by a signal"
	}
	if tail := lastLines(e.Stderr, 3); tail != "" {
		msg += ": " + redactURLs(tail)
	}
	return msg
}

// lastLines is the last n non-empty lines of s in one line.
func lastLines(s string, n int) string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out[max(0, len(out)-n):], "; ")
}
