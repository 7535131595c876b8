// Package platform is the only door to the machine: rooted files, programs,
// users, distribution facts, the network and the clock.
//
// A [View] can look and has no method that writes; only package fix holds a
// [Host], which adds the writing half. The operating system is a value
// (View.OS), not a build tag, so that everything above this package runs and
// is tested on any system over a rooted file tree.
//
// This package imports nothing else of trustfix and must not know what a
// certificate store, a client or a finding is beyond the static tables of
// where operating systems keep such things.
package platform

import (
	"context"
	"time"
)

// View is a system as trustfix may look at it.
type View struct {
	OS        string // as runtime.GOOS: "linux", "darwin", "windows"
	Arch      string // as runtime.GOARCH
	Root      string // host path of the examined tree; "/" (or `C:\`) for the running system
	Rooted    bool   // --root was given: no process environment, no clock, programs by chroot only
	Dir       string // logical path of the working directory; "" where it is outside Root or not known
	Distro    Distro
	Container string // "docker", "podman", "kubernetes", "lxc", "wsl", "systemd-nspawn", … or ""
	User      User   // whose configuration is examined (under sudo: the person who called sudo)
	Users     []User // everybody in the tree's passwd with a home directory; User is among them
	Elevated  bool   // may change what belongs to root
	Files     Files
	Env       Env
	Exec      Querier
	Net       Net
	Kernel    func() KernelClock
	Now       func() time.Time // the system clock
}

// Host is a View with the writing half. Only fix (and internal/release) may hold one.
type Host struct {
	*View
	Write Writer
	Run   Runner
	State Dir // trustfix's own state directory: journal, backups, lock
	Clock ClockSetter
}

// Env is the process environment; empty when View.Rooted.
type Env map[string]string

// User is an account of the examined system.
type User struct {
	Name     string
	UID, GID int
	Home     string // logical path inside the root
	Shell    string
}

// Distro are the facts that decide where trust lives. Family is found from
// the tools and the layout first and os-release second (reference/os.md §0.2).
type Distro struct {
	ID, Version, Codename string // as in os-release, ID lower-cased
	Like                  []string
	Pretty                string
	Family                Family
	Managed               string // "nixos", "ostree", "flatcar", "transactional", …: generated or read-only, "" when ordinary
}

// Family groups distributions that keep trust in the same places.
type Family string

// The families of reference/os.md §1b.
const (
	Debian  Family = "debian"
	RedHat  Family = "redhat"
	Alpine  Family = "alpine"
	SUSE    Family = "suse"
	Arch    Family = "arch"
	Photon  Family = "photon"
	NixOS   Family = "nixos"
	Flatcar Family = "flatcar"
	Void    Family = "void"
	Gentoo  Family = "gentoo"
	Termux  Family = "termux"
	Darwin  Family = "darwin"
	Windows Family = "windows"
	Unknown Family = ""
)

// Querier runs programs that only answer questions.
type Querier interface {
	// LookPath finds a program in the standard system directories and the
	// caller's PATH; the path is logical (inside the root). Error: fs.ErrNotExist.
	LookPath(name string) (string, error)
	// Query runs c and returns its output. A non-zero exit is an *ExitError
	// that carries stderr.
	Query(ctx context.Context, c Cmd) (Output, error)
}

// Runner runs programs that change the machine.
type Runner interface {
	Run(ctx context.Context, c Cmd) (Output, error)
}

// Cmd is a program run as inert data. Nothing is inherited from the caller's
// environment: the program sees PATH (system directories), LC_ALL=C, HOME and Env.
type Cmd struct {
	Argv    []string      `json:"argv"`              // Argv[0] is an absolute logical path, or a name for LookPath
	Env     []string      `json:"env,omitempty"`     // "NAME=value"
	Dir     string        `json:"dir,omitempty"`     // logical; default "/"
	As      *User         `json:"as,omitempty"`      // run as that user (needs root)
	Stdin   []byte        `json:"-"`                 //
	Timeout time.Duration `json:"timeout,omitempty"` // default 30 s
}

// Output is what a program printed, each stream cut at 1 MB.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// KernelClock is what adjtimex says.
type KernelClock struct {
	Known        bool // the call exists and was allowed
	Synchronized bool
	Denied       bool // this process may not set the clock, whatever its user is: no CAP_SYS_TIME, or a filter
}

// ClockSetter sets the system clock.
type ClockSetter interface {
	SetClock(t time.Time) error
}
