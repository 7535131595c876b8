//go:build linux

package lab

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Suite is the code name of a Debian release that a sandbox can be a copy of.
type Suite string

// The suites, with what verifies TLS in each.
const (
	Machine  Suite = ""         // the running system
	Bullseye Suite = "bullseye" // Python 3.9, OpenSSL 1.1.1, GnuTLS 3.7
	Bookworm Suite = "bookworm" // Python 3.11, OpenSSL 3.0, GnuTLS 3.7
	Trixie   Suite = "trixie"   // Python 3.13, OpenSSL 3.5, GnuTLS 3.8
	Sid      Suite = "sid"      // Python 3.14, OpenSSL 3.6, GnuTLS 3.8
)

// Suites are all of them, oldest first.
var Suites = []Suite{Bullseye, Bookworm, Trixie, Sid}

// suitePackages are what every suite has. A new name here has every suite
// built anew, a minute or two each.
var suitePackages = []string{
	"ca-certificates", "openssl", "curl", "wget", "git", "gnutls-bin", "p11-kit", "debian-archive-keyring",
	"python3", "python3-requests", "python3-pip", "python3-httpx", "python3-urllib3", "python3-certifi", "python3-venv",
	"python3-aiohttp",
}

// suiteMore are the big ones, where they differ most: an old release of each
// and a new one. Debian's Gradle runs on Java 17 at the most.
var suiteMore = map[Suite][]string{
	Bullseye: {"nodejs", "default-jdk-headless", "maven", "ruby-bundler", "cargo", "r-base-core", "dnf", "awscli"},
	Bookworm: {"default-jdk-headless", "gradle", "pipx", "python3-poetry", "python3-pdm"},
	Trixie:   {"docker.io"},
	Sid: {
		"nodejs", "default-jdk-headless", "maven", "ruby-bundler", "cargo", "r-base-core", "dnf", "awscli", "pipx",
		"python3-poetry", "python3-pdm",
	},
}

// errNoSuite is a suite that is not in the cache and may not be fetched.
var errNoSuite = errors.New("the suite has not been built; TRUSTFIX_LAB=require go test ./internal/lab fetches and keeps it")

// suiteBases are the layers over each suite, made when a test first asks.
var suiteBases = map[Suite]func() (*base, error){}

func offerSuites(p *prepared) {
	for _, s := range slices.Concat(Suites, Families) {
		suiteBases[s] = sync.OnceValues(func() (*base, error) {
			over := &prepared{Dir: filepath.Join(p.Dir, string(s)), Program: p.Program}
			tree := s
			if s.family() {
				tree, over.Family = familyTree, s
			}
			var err error
			if over.System, err = tree.root(p); err != nil {
				return nil, err
			}
			if err := errors.Join(os.Mkdir(over.Dir, 0o755), over.givenPackages()); err != nil {
				return nil, err
			}
			return buildBase(over, theBase.pki)
		})
	}
}

func (s Suite) base() (*base, error) {
	if s == Machine {
		return theBase, nil
	}
	make, ok := suiteBases[s]
	if !ok {
		return nil, fmt.Errorf("no suite %q; there are %v", s, Suites)
	}
	return make()
}

// root is the suite's file tree in the cache; it is never written to once it
// is there. It is locked as long as this process lives: several may use a
// tree, and one alone builds it.
func (s Suite) root(p *prepared) (string, error) {
	packages := slices.Concat(suitePackages, suiteMore[s])
	if s == familyTree {
		packages = append(packages, familyPackages...)
	}
	sum := sha256.Sum256([]byte(strings.Join(packages, " ") + suiteSetup + suiteKeep))
	dir := filepath.Join(p.Cache, "suites")
	root := filepath.Join(dir, fmt.Sprintf("%s-%.8x", s, sum))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, string(s)+".lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return "", err
	}
	for _, how := range []int{unix.LOCK_SH, unix.LOCK_EX} {
		if err := unix.Flock(int(lock.Fd()), how); err != nil {
			return "", fmt.Errorf("cannot lock %s: %w", lock.Name(), err)
		}
		if _, err := os.Stat(root); err == nil {
			return root, keepOpen(lock, unix.LOCK_SH)
		}
		if !p.MayFetch {
			return "", errors.Join(fmt.Errorf("%s: %w", s, errNoSuite), lock.Close())
		}
	}
	if err := s.build(p, root, packages); err != nil {
		return "", errors.Join(fmt.Errorf("cannot build %s: %w", s, err), lock.Close())
	}
	return root, keepOpen(lock, unix.LOCK_SH)
}

// held are the locks of this process: a file that nothing refers to is closed.
var held sync.Map

func keepOpen(lock *os.File, how int) error {
	held.Store(lock.Name(), lock)
	return unix.Flock(int(lock.Fd()), how)
}

// Hooks of mmdebstrap, run by sh with the new tree as $1. Java's package wants
// a directory for manuals; what a repair reinstalls is kept for /srv/repo.
const (
	suiteSetup = `mkdir -p "$1/usr/share/man/man1"`
	suiteKeep  = `mkdir -p "$1/srv/repo" && for p in ca-certificates openssl python3-certifi; do cp "$1"/var/cache/apt/archives/${p}_*.deb "$1/srv/repo/"; done`
)

// build makes the tree with mmdebstrap, from the mirrors that the machine's
// apt is configured for. Sid's signing key is newer than old machines: the
// keyring of trixie has it. A mirror may keep a sid that calls itself outdated.
func (s Suite) build(p *prepared, root string, packages []string) error {
	source, err := s.source()
	if err != nil {
		return err
	}
	var keyring []string
	if s == Sid {
		trixie, err := Trixie.root(p)
		if err != nil {
			return err
		}
		keyring = []string{"--keyring=" + filepath.Join(trixie, "usr/share/keyrings/debian-archive-keyring.gpg")}
	}
	partial := root + ".partial"
	stale, err := filepath.Glob(filepath.Join(filepath.Dir(root), string(s)+"-*"))
	if err != nil {
		return err
	}
	for _, old := range stale {
		if _, err := run("rm", "-rf", "--one-file-system", old); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	args := slices.Concat([]string{
		"--mode=root", "--variant=apt", "--components=main", "--include=" + strings.Join(packages, ","),
		"--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
		`--aptopt=APT::Sandbox::User "root"`, `--aptopt=APT::Install-Recommends "false"`,
		`--aptopt=Acquire::Retries "3"`, `--aptopt=Acquire::Check-Valid-Until "false"`,
		"--setup-hook=" + suiteSetup, "--customize-hook=" + suiteKeep,
	}, keyring, []string{string(s.release()), partial, source})
	c := exec.CommandContext(ctx, "mmdebstrap", args...)
	c.Env = append([]string{"PATH=" + sandboxPath, "HOME=" + p.Dir, "TMPDIR=" + p.Dir}, p.Proxy...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("mmdebstrap (scripts/ci-setup.sh installs it): %w\n%s", err, out[max(0, len(out)-4000):])
	}
	return os.Rename(partial, root)
}

// source is the suite's line for apt, at the mirror where this machine gets its
// own Debian release from. Security updates are left out: what they hold of
// bullseye is no longer complete, and point releases move less.
func (s Suite) source() (string, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	targets, err := run("apt-get", "indextargets", "--no-release-info", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(targets) {
		if mirror, ok := strings.CutPrefix(strings.TrimSpace(line), codename(string(release))+" main "); ok {
			return fmt.Sprintf("deb %s %s main", mirror, s.release()), nil
		}
	}
	return "", fmt.Errorf("apt of this machine knows no mirror of %s main", codename(string(release)))
}
