//go:build linux

package lab

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"trustfix/bundles"
)

// Other families: one Debian tree with the package managers of all, which
// testdata/family/become.sh makes a system of each: its os-release, its paths,
// p11-kit's trust and the real dnf, zypper or pacman with a ca-certificates
// package. The programs that verify stay Debian's. Alpine's apk is in no
// Debian release: Alpine is there without a package manager.
const (
	Fedora Suite = "fedora"
	SUSE   Suite = "suse"
	Arch   Suite = "arch"
	Alpine Suite = "alpine"
)

// Families are all of them.
var Families = []Suite{Fedora, SUSE, Arch, Alpine}

// familyTree is the tree that all of them are made from.
const familyTree Suite = "families"

// familyPackages are what it has besides the packages of every suite.
var familyPackages = []string{
	"dnf", "rpm", "createrepo-c", "zypper", "pacman-package-manager", "makepkg", "libarchive-tools", "p11-kit-modules", "zstd",
}

//go:embed testdata/family
var familyScripts embed.FS

func (s Suite) family() bool { return slices.Contains(Families, s) }

// release is the Debian release that the suite's tree is made of.
func (s Suite) release() Suite {
	if s == familyTree {
		return Bookworm
	}
	return s
}

// become turns what was installed into a system of a family, in the same layer.
func (s *Sandbox) become(b *base, family Suite) error {
	const dir = "/srv/lab/family"
	if err := os.CopyFS(b.dir+"/srv/lab", must(fs.Sub(familyScripts, "testdata"))); err != nil {
		return err
	}
	if err := b.mozilla(filepath.Join(b.dir, dir, "mozilla")); err != nil {
		return err
	}
	proc, err := s.Start(Cmd{Argv: []string{"/bin/sh", dir + "/become.sh", string(family)}, Timeout: 5 * time.Minute})
	if err != nil {
		return err
	}
	r, err := proc.Wait()
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("it could not become %s: %s", family, r)
	}
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(b.dir, dir))
}

// mozilla writes what the package ships, a file each: today's public roots and
// the lab's own, so that a family's store is not behind.
func (b *base) mozilla(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i, r := range bundles.Reference().All() {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("Root_%03d.crt", i)), bundles.Assemble(nil, r.Cert), 0o644); err != nil {
			return err
		}
	}
	for _, n := range public {
		if err := os.WriteFile(filepath.Join(dir, mozillaName(n)), []byte(b.pki.CA(n).PEM()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func must[T any](v T, err error) T {
	check(err)
	return v
}
