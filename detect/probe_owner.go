package detect

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"trustfix/detect/client"
	"trustfix/platform"
)

// errOthersCode is a program that whoever would run it must not run.
var errOthersCode = errors.New("others can write what it would run")

// runAs is the user to run a program as; nil for the caller. An administrator
// runs a user's program as that user, and nobody runs what others can write.
func (p *prober) runAs(c *client.Client, program string) (*platform.User, error) {
	if !p.v.Elevated {
		return nil, nil
	}
	if p.v.OS == "windows" {
		return nil, errOthersCode // owners say nothing there
	}
	paths := []string{program, c.Path}
	if a := c.Asking(); a.Loads != nil {
		paths = append(paths, a.Loads(c)...)
	}
	as, err := p.owner(append(paths, above(c.Dir)...))
	if err != nil {
		return nil, err
	}
	code := code{files: p.v.Files, as: as, seen: map[string]bool{}}
	for _, dir := range above(c.Dir) {
		if err := code.project(dir); err != nil {
			return nil, err
		}
	}
	for _, dir := range paths[2:] {
		if err := code.check(dir); err != nil {
			return nil, err
		}
	}
	return as, nil
}

// owner is the first ordinary user to whom one of the paths belongs, else
// whoever called sudo.
func (p *prober) owner(paths []string) (*platform.User, error) {
	for _, name := range paths {
		for _, look := range []func(string) (platform.Image, error){p.v.Files.Snapshot, p.v.Files.Stat} {
			img, err := look(name)
			if err == nil && img.Kind != platform.Absent && img.UID != 0 {
				return p.user(img.UID)
			}
		}
	}
	if p.v.User.UID != 0 {
		return &p.v.User, nil
	}
	return nil, nil
}

func (p *prober) user(uid int) (*platform.User, error) {
	for _, u := range append([]platform.User{p.v.User}, p.v.Users...) {
		if u.UID == uid {
			return &u, nil
		}
	}
	return nil, errOthersCode
}

// above are a directory and those above it, "/" left out; none for "".
func above(dir string) []string {
	var out []string
	for ; path.IsAbs(dir) && dir != "/"; dir = path.Dir(dir) {
		out = append(out, dir)
	}
	return out
}

// code looks at what a Python would run at its start.
type code struct {
	files platform.Files
	as    *platform.User // who would run it; nil: root
	seen  map[string]bool
}

// check refuses a directory of code, or anything in it, that others than root
// and the user can write, and the directories that its .pth files add.
func (c *code) check(dir string) error {
	if c.seen[dir] {
		return nil
	}
	c.seen[dir] = true
	img, err := c.files.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && img.Kind == platform.Absent {
		return nil
	}
	if err != nil || !c.alone(img) {
		return errOthersCode
	}
	if img.Kind != platform.DirKind {
		return nil // an archive of modules
	}
	names, err := c.files.ReadDir(dir)
	if err != nil {
		return errOthersCode
	}
	for _, n := range names {
		name := path.Join(dir, n)
		pth := strings.HasSuffix(n, ".pth")
		img, err := c.files.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil, !c.alone(img) && (pth || strings.HasSuffix(n, ".py") || img.Kind == platform.DirKind):
			return errOthersCode
		case !pth:
			continue
		}
		text, err := c.files.ReadFile(name)
		if err != nil {
			return errOthersCode
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' || strings.HasPrefix(line, "import ") || strings.HasPrefix(line, "import\t") {
				continue // code of whoever wrote the file, and that is known
			}
			if !path.IsAbs(line) {
				line = path.Join(dir, line)
			}
			if err := c.check(path.Clean(line)); err != nil {
				return err
			}
		}
	}
	return nil
}

// projectFiles are what makes a directory one in which git and npm look for
// settings, which can name programs.
var projectFiles = []string{".git", ".npmrc", "package.json", "node_modules"}

// project refuses a directory, or a project in it, that others can write. In
// one like /tmp only what is there already counts.
func (c *code) project(dir string) error {
	img, err := c.files.Stat(dir)
	if err != nil || !c.alone(img) && !(img.UID == 0 && img.Mode&0o1000 != 0) {
		return errOthersCode
	}
	for _, n := range projectFiles {
		img, err := c.files.Snapshot(path.Join(dir, n))
		if err != nil || img.Kind == platform.Link || img.Kind != platform.Absent && !c.alone(img) {
			return errOthersCode
		}
	}
	return nil
}

// alone: nobody but root and the user can write there.
func (c *code) alone(img platform.Image) bool {
	mine := c.as != nil && img.UID == c.as.UID
	group := img.GID == 0 || c.as != nil && img.GID == c.as.GID
	return (img.UID == 0 || mine) && img.Mode&0o002 == 0 && (img.Mode&0o020 == 0 || group)
}
