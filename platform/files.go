package platform

import (
	"bytes"
	"maps"
	"time"
)

// MaxFile is the largest file that is read: bigger ones are refused, since no
// configuration or bundle of any client comes near it.
const MaxFile = 16 << 20

// Files reads the examined tree. Names are logical: absolute, with forward
// slashes, as seen inside the root. Links resolve inside the root as chroot
// would, absolute ones too. Errors are *fs.PathError with the logical path.
type Files interface {
	// ReadFile follows links and reads a regular file of at most MaxFile
	// bytes; it never blocks on a FIFO or a device (ErrNotRegular, ErrTooLarge).
	ReadFile(name string) ([]byte, error)
	// Snapshot describes name itself, not what a link points to; a path that
	// does not exist is an Image of kind Absent and no error. Data is filled
	// for regular files of at most MaxFile bytes.
	Snapshot(name string) (Image, error)
	// Stat is Snapshot without Data, SHA256 and XAttrs, after following links;
	// it does return fs.ErrNotExist.
	Stat(name string) (Image, error)
	// ReadDir lists the names in a directory, sorted.
	ReadDir(name string) ([]string, error)
	// Resolve follows every link and returns the logical path of the file
	// itself (which need not exist when only the last component is missing).
	Resolve(name string) (string, error)
	// Writable says why name could not be replaced by the caller, or nil:
	// rights, read-only file system, immutable flag, mount point, hard links.
	Writable(name string) error
	// Free is how many bytes the caller may still write into the directory
	// name, or into the nearest one above it that is there; -1 where the file
	// system does not say.
	Free(name string) int64
	// HostPath is where name stands outside the root, for messages and argv.
	HostPath(name string) string
}

// Writer changes the examined tree, atomically per path and durably: content
// in a temporary file beside the target (O_EXCL, O_NOFOLLOW), owner, mode,
// xattrs, times, fsync, rename, fsync of the directory.
type Writer interface {
	// Put makes name what img says: Absent removes it, Link and File replace
	// it, Dir creates it. Owner and mode are img's; parents must exist.
	Put(name string, img Image) error
	// Sync makes durable what a program left at name, which it may not have
	// done itself: the content of a regular file, the names in a directory.
	Sync(name string) error
}

// Dir is trustfix's own state directory (0700, files 0600), outside the
// examined tree's rules but made of the same durable steps.
type Dir interface {
	Path() string // for messages
	Free() int64  // as Files.Free, also of a directory that is yet to be made
	// Medium is the kind of file system that does not keep what is written to
	// this machine: "tmpfs", "ramfs", gone after a restart; "nfs", "smb", "9p"
	// and the like, on another machine. "" for all others.
	Medium() string
	ReadFile(name string) ([]byte, error)
	// WriteFile is durable when it returns: temp, fsync, rename, fsync of the directory.
	WriteFile(name string, data []byte) error
	// Append adds one record to a file and fsyncs it.
	Append(name string, data []byte) error
	Mkdir(name string) error
	Rename(oldName, newName string) error // then fsync of the parents
	RemoveAll(name string) error
	// Sync makes the names in a directory durable, and for "." its own: those
	// that a killed run left may be in memory only.
	Sync(name string) error
	ReadDir(name string) ([]string, error)
	// Lock takes the exclusive lock without waiting; ErrLocked when another
	// run holds it. It dies with the process.
	Lock() (unlock func(), err error)
}

// Kind is the type of a path.
type Kind string

// The kinds of a path.
const (
	Absent  Kind = "absent"
	File    Kind = "file"
	Link    Kind = "link"
	DirKind Kind = "dir"
	Other   Kind = "other" // FIFO, socket, device: never touched
)

// Image is everything about one path that an undo has to bring back.
type Image struct {
	Kind   Kind              `json:"kind"`
	Mode   uint32            `json:"mode,omitempty"` // permission, setuid, setgid and sticky bits as in st_mode
	UID    int               `json:"uid"`
	GID    int               `json:"gid"`
	Size   int64             `json:"size,omitempty"`
	SHA256 string            `json:"sha256,omitempty"` // hex, of Data
	Link   string            `json:"link,omitempty"`   // text of a symbolic link
	XAttrs map[string][]byte `json:"xattrs,omitempty"`
	MTime  time.Time         `json:"mtime,omitzero"`
	Data   []byte            `json:"-"`
	// Identity at the time of reading; not compared by Same.
	NLink uint64 `json:"nlink,omitempty"`
	Dev   uint64 `json:"dev,omitempty"`
	Ino   uint64 `json:"ino,omitempty"`
}

// Same reports whether two images are the same thing to an undo: kind,
// content, link text, mode, owner and xattrs. Times are restored but not
// compared: a touch is no edit.
func (a Image) Same(b Image) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Absent:
		return true
	case Link:
		return a.Link == b.Link && a.UID == b.UID && a.GID == b.GID
	}
	return a.SHA256 == b.SHA256 && a.Mode == b.Mode && a.UID == b.UID && a.GID == b.GID &&
		maps.EqualFunc(a.XAttrs, b.XAttrs, bytes.Equal)
}
