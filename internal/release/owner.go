package release

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"trustfix/internal/text"
	"trustfix/platform"
)

// ownedPaths are places that belong to a package manager, and its command.
var ownedPaths = []struct {
	manager, command string
	path             *regexp.Regexp
}{
	{"Homebrew", "brew upgrade trustfix", regexp.MustCompile(`(?i)/(Cellar|Caskroom|linuxbrew|homebrew)/`)},
	{"Scoop", "scoop update trustfix", regexp.MustCompile(`(?i)/scoop/(apps|shims)/`)},
	{"winget", "winget upgrade trustfix", regexp.MustCompile(`(?i)/winget/(packages|links)/`)},
	{"Chocolatey", "choco upgrade trustfix", regexp.MustCompile(`(?i)/chocolatey/(lib|bin)/`)},
	{"snap", "snap refresh trustfix", regexp.MustCompile(`^/snap/|^/var/lib/snapd/`)},
	{"Nix", "nix profile upgrade trustfix", regexp.MustCompile(`^/nix/store/`)},
}

// ownerQueries ask a package database whose file a path is; they exit 0 only
// for one that they know.
var ownerQueries = []struct {
	manager, command string
	query            []string
}{
	{"dpkg", "apt-get install --only-upgrade {package}", []string{"dpkg-query", "-S"}},
	{"rpm", "dnf upgrade {package}   (or: zypper update {package})", []string{"rpm", "-qf", "--qf", "%{NAME}"}},
	{"apk", "apk add --upgrade {package}", []string{"apk", "info", "-q", "--who-owns"}},
	{"pacman", "pacman -Syu {package}", []string{"pacman", "-Qoq"}},
}

// Owned refuses when a package manager put the program there: it would undo
// the update, or break at the next one. The path is a host path.
func Owned(ctx context.Context, v *platform.View, host string) error {
	name := filepath.ToSlash(host[len(filepath.VolumeName(host)):])
	owned := func(manager, command string) error {
		return refuse(text.M("release.owned", "path", host, "manager", manager, "command", command))
	}
	for _, o := range ownedPaths {
		if o.path.MatchString(name) {
			return owned(o.manager, o.command)
		}
	}
	if metas, err := v.Files.ReadDir(path.Join(path.Dir(path.Dir(name)), "conda-meta")); err == nil {
		for _, m := range metas {
			if strings.HasPrefix(m, "trustfix-") {
				return owned("conda", "conda update trustfix")
			}
		}
	}
	if v.OS != "linux" {
		return nil
	}
	for _, q := range ownerQueries {
		prog, err := v.Exec.LookPath(q.query[0])
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return err
		}
		for _, at := range usrMerged(v, name) {
			out, err := v.Exec.Query(ctx, platform.Cmd{Argv: append(append([]string{prog}, q.query[1:]...), at)})
			if err != nil {
				continue // it does not know the path
			}
			pkg, _, _ := strings.Cut(strings.TrimSpace(out.Stdout), ":")
			if pkg, _, _ = strings.Cut(pkg, "\n"); pkg == "" || strings.ContainsAny(pkg, " /") {
				pkg = "trustfix"
			}
			return owned(q.manager, strings.ReplaceAll(q.command, "{package}", pkg))
		}
	}
	return nil
}

// usrMerged are the names under which a package may have shipped a path.
func usrMerged(v *platform.View, name string) []string {
	names := []string{name}
	if rest, ok := strings.CutPrefix(name, "/usr"); ok {
		if at, err := v.Files.Resolve(rest); err == nil && at == name {
			names = append(names, rest)
		}
	}
	return names
}
