//go:build linux

package lab

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// base is the layer between the running system and every sandbox.
type base struct {
	pki      *PKI
	system   string // the tree below: "/", or a given root
	dir      string // the layer
	pristine string // the layer over the system, mounted read-only
}

// theBase is the running system's, and there exactly when the laboratory can run.
var theBase *base

func (b *base) layers() []string { return []string{b.dir, b.system} }

// ReferenceRoots is where the public roots stand inside a sandbox, for --reference-roots.
const ReferenceRoots = "/srv/lab/public.pem"

// Program is where trustfix stands inside a sandbox.
const Program = "/usr/local/bin/trustfix"

// What the machine's owner may have put there is hidden, so that a sandbox is
// a distribution's machine and not this one. At the top every directory is
// hidden that is not the distribution's.
var (
	distribution = []string{"bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "lost+found", "proc", "run", "sbin", "sys", "tmp", "usr", "var"}
	hiddenDirs   = []string{
		"/usr/local", "/usr/local/share/ca-certificates", "/etc/ssl/certs", "/etc/apt/sources.list.d", "/etc/ca-certificates/update.d",
		"/etc/profile.d", "/etc/environment.d", "/var/lib/apt/lists", "/var/lib/trustfix", "/var/tmp",
	}
	hiddenFiles = []string{
		"/etc/pip.conf", "/usr/etc/npmrc", "/etc/gitconfig", "/etc/curlrc", "/etc/wgetrc", "/etc/npmrc", "/etc/apt/sources.list",
		"/.dockerenv",
		"/var/lib/man-db/auto-update", // no index of manual pages after each package
	}
	removedDirs = []string{"/etc/conda", "/etc/xdg/pip", "/etc/docker", "/etc/containers", "/var/lib/conda"}
)

// buildBase makes the layer, and installs the lab's own ca-certificates and
// the clients into it with the real package manager.
func buildBase(p *prepared, pki *PKI) (*base, error) {
	b := &base{pki: pki, system: p.System, dir: filepath.Join(p.Dir, "base"), pristine: filepath.Join(p.Dir, "pristine")}
	steps := []struct {
		what string
		do   func() error
	}{
		{"hide the owner's files", func() error { return b.hide() }},
		{"write the sandbox's own files", func() error { return b.furnish(p) }},
		{"make the local repository", func() error { return b.repository(p) }},
		{"install the packages", func() error { return b.install(p) }},
		{"mount the pristine tree", func() error {
			if err := os.Mkdir(b.pristine, 0o755); err != nil {
				return err
			}
			return unix.Mount("overlay", b.pristine, "overlay", unix.MS_RDONLY, "lowerdir="+strings.Join(b.layers(), ":"))
		}},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return nil, fmt.Errorf("the laboratory cannot %s: %w", s.what, err)
		}
	}
	return b, nil
}

// hide makes the owner's directories empty and the owner's files absent.
func (b *base) hide() error {
	top, err := os.ReadDir(b.system)
	if err != nil {
		return err
	}
	dirs := []string{"/root", "/home", "/srv", "/opt"}
	for _, e := range top {
		if e.IsDir() && !slices.Contains(distribution, e.Name()) && !slices.Contains(dirs, "/"+e.Name()) {
			dirs = append(dirs, "/"+e.Name())
		}
	}
	for _, d := range append(dirs, hiddenDirs...) {
		if err := b.mkdir(d); err != nil {
			return err
		}
		if err := unix.Setxattr(b.dir+d, opaqueXattr, []byte("y"), 0); err != nil {
			return fmt.Errorf("cannot hide %s: %w", d, err)
		}
	}
	for _, f := range append(hiddenFiles, removedDirs...) {
		if _, err := os.Lstat(b.system + f); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := b.mkdir(filepath.Dir(f)); err != nil {
			return err
		}
		if err := unix.Mknod(b.dir+f, unix.S_IFCHR, 0); err != nil { // a whiteout
			return fmt.Errorf("cannot hide %s: %w", f, err)
		}
	}
	return nil
}

// mkdir makes a directory of the layer with the mode that the system's has.
func (b *base) mkdir(dir string) error {
	if dir == "/" {
		return os.MkdirAll(b.dir, 0o755)
	}
	if err := b.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	mode := fs.FileMode(0o755)
	if fi, err := os.Stat(b.system + dir); err == nil && fi.IsDir() {
		mode = fi.Mode().Perm() | fi.Mode()&fs.ModeSticky
	}
	if err := os.Mkdir(b.dir+dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(b.dir+dir, mode)
}

// furnish writes what every sandbox has of its own.
func (b *base) furnish(p *prepared) error {
	var roots strings.Builder
	for _, n := range public {
		roots.WriteString(b.pki.CA(n).PEM())
	}
	program, err := os.ReadFile(p.Program)
	if err != nil {
		return err
	}
	files := []struct {
		path, content string
		mode          fs.FileMode
	}{
		{"/etc/apt/sources.list", "deb [trusted=yes] file:/srv/repo ./\n", 0o644},
		{"/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", 0o644},
		{"/etc/environment", "", 0o644},
		{"/etc/hosts", "127.0.0.1 localhost\n", 0o644},
		{"/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755}, // packages start no services
		{ReferenceRoots, roots.String(), 0o644},
		{Program, string(program), 0o755},
		{"/root/.bashrc", "# ~/.bashrc of the laboratory\n", 0o644},
		{linHome + "/.bashrc", "# ~/.bashrc of the laboratory\n", 0o644},
	}
	for _, f := range files {
		if err := b.mkdir(filepath.Dir(f.path)); err != nil {
			return err
		}
		_ = os.Remove(b.dir + f.path) // a whiteout
		if err := os.WriteFile(b.dir+f.path, []byte(f.content), f.mode); err != nil {
			return err
		}
	}
	for _, p := range []string{linHome, linHome + "/.bashrc"} {
		if err := os.Chown(b.dir+p, linUID, linUID); err != nil {
			return err
		}
	}
	if err := b.condaTrees(p); err != nil {
		return err
	}
	for name, script := range p.Scripts { // packages of npm: NAME/bin/SCRIPT
		if err := os.CopyFS(b.dir+"/srv/lab/"+name, os.DirFS(filepath.Dir(filepath.Dir(script)))); err != nil {
			return err
		}
	}
	for path, line := range map[string]string{
		"/etc/passwd": fmt.Sprintf("lin:x:%d:%d:Lin:%s:/bin/bash\n", linUID, linUID, linHome),
		"/etc/group":  fmt.Sprintf("lin:x:%d:\n", linUID),
	} {
		old, err := os.ReadFile(b.system + path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(b.dir+path, append(old, line...), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// condaTrees copies the source trees of conda, and tells each its version
// (the name of its directory), which a build would have written.
func (b *base) condaTrees(p *prepared) error {
	if p.Conda == "" {
		return nil
	}
	if err := os.CopyFS(b.dir+condaSources, os.DirFS(p.Conda)); err != nil {
		return err
	}
	trees, err := os.ReadDir(p.Conda)
	for _, t := range trees {
		tree := filepath.Join(b.dir+condaSources, t.Name(), "conda")
		err = errors.Join(err,
			os.WriteFile(filepath.Join(tree, ".version"), []byte(t.Name()), 0o644),
			os.WriteFile(filepath.Join(tree, "_version.py"), []byte("__version__ = \""+t.Name()+"\"\n"), 0o644))
	}
	return err
}

// repository makes /srv/repo: the packages, with ca-certificates packed again
// as if Mozilla had shipped the lab's public roots.
func (b *base) repository(p *prepared) error {
	repo := b.dir + "/srv/repo"
	if err := os.MkdirAll(repo, 0o755); err != nil {
		return err
	}
	var index strings.Builder
	for _, deb := range p.Debs {
		out := filepath.Join(repo, filepath.Base(deb))
		name, err := run("dpkg-deb", "-f", deb, "Package")
		if err != nil {
			return err
		}
		if strings.TrimSpace(name) == "ca-certificates" {
			err = b.repack(deb, out, filepath.Join(p.Dir, "repack"))
		} else {
			err = copyFile(deb, out)
		}
		if err != nil {
			return err
		}
		if err := describe(&index, out); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(repo, "Packages"), []byte(index.String()), 0o644)
}

// repack adds the public roots to a ca-certificates package.
func (b *base) repack(deb, out, dir string) error {
	if _, err := run("dpkg-deb", "-R", deb, dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, n := range public {
		crt := filepath.Join(dir, "usr/share/ca-certificates/mozilla", mozillaName(n))
		if err := os.WriteFile(crt, []byte(b.pki.CA(n).PEM()), 0o644); err != nil {
			return err
		}
	}
	control := filepath.Join(dir, "DEBIAN/control")
	text, err := os.ReadFile(control)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "Version: ") {
			lines[i] += "+lab1"
		}
	}
	if err := os.WriteFile(control, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		return err
	}
	_, err = run("dpkg-deb", "-Znone", "--root-owner-group", "-b", dir, out)
	return err
}

// mozillaName is the file name of a public root in ca-certificates.
func mozillaName(ca string) string { return "Lab_" + strings.ReplaceAll(ca, "-", "_") + ".crt" }

// describe writes a package's stanza of the repository's index.
func describe(index *strings.Builder, deb string) error {
	control, err := run("dpkg-deb", "-f", deb)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(deb)
	if err != nil {
		return err
	}
	fmt.Fprintf(index, "%s\nFilename: ./%s\nSize: %d\nSHA256: %x\n\n", strings.TrimSpace(control), filepath.Base(deb), len(data), sha256.Sum256(data))
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

// install lets apt put the packages into the layer, which is the upper
// directory of one overlay and then a lower one for ever.
func (b *base) install(p *prepared) error {
	spec := initSpec{Lower: []string{b.system}, Upper: b.dir, Work: filepath.Join(p.Dir, "basework"), Root: filepath.Join(p.Dir, "baseroot")}
	for _, d := range []string{spec.Work, spec.Root} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	ns, err := openNamespaces(spec)
	if err != nil {
		return err
	}
	defer ns.close()
	s := &Sandbox{ns: ns}
	// The store is built new: /etc/ssl/certs is hidden, with all that the owner had added to it.
	script := `apt-get -qq update
apt-get -qq -y --no-install-recommends -o Dpkg::Options::=--force-confnew install "$@"
rm -rf /var/cache/apt/archives/*.deb`
	version, err := run("sh", "-c", `dpkg-deb -f "$1"/ca-certificates_*.deb Version`, "sh", b.dir+"/srv/repo")
	if err != nil {
		return err
	}
	argv := append([]string{"/bin/bash", "-euc", script, "install", "ca-certificates=" + strings.TrimSpace(version)}, p.Install...)
	proc, err := s.Start(Cmd{Argv: argv, Timeout: 5 * time.Minute})
	if err != nil {
		return err
	}
	r, err := proc.Wait()
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("apt could not install what is in %s (remove it to have it fetched again): %s", filepath.Dir(p.Debs[0]), r)
	}
	if err == nil && p.Family != "" {
		err = s.become(b, p.Family)
	}
	return err
}
