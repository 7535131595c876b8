package client

import (
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// Site is the entry of a configuration file that names a client's bundle where
// no layer names one yet.
type Site struct {
	File     string
	Format   edit.Format
	Key      []string
	Elevated bool
	// Whole: File is the bundle itself, which the client reads because it is there.
	Whole bool
	// Word: the value is a list of words, and the one that begins so names the bundle.
	Word string
	// Env: the key is a variable, File what sets it in new shells.
	Env bool
	// Adds: the bundle is read besides the client's own roots.
	Adds bool
}

// Pin says how a program is given a bundle by its own configuration. Nil: only
// a variable that others share, or a person, can.
type Pin struct {
	Key []string
	// File is the file of the person's own; nil: the last of the row's.
	File func(s *scan, c *Client) File
	// Dir is where the bundle stands, under the home, when File is in the home itself.
	Dir string
	// Whole: File is the bundle itself; no key has to name it.
	Whole bool
	// Word: the value is a list of words, and the one that begins so names the bundle.
	Word string
	// Env: the key is a variable, for which the program knows no key of a file.
	Env bool
	// Adds: the bundle is read besides the client's own roots.
	Adds bool
}

// userProfile is the file by which a person's shell sets variables for what is
// started from it.
func userProfile(s *scan, _ *Client) File {
	in := func(names ...string) string {
		for _, n := range names {
			if s.isFile(path.Join(s.home, n)) {
				return path.Join(s.home, n)
			}
		}
		return path.Join(s.home, names[len(names)-1])
	}
	switch path.Base(s.v.User.Shell) {
	case "zsh":
		return File{Path: in(".zshenv"), Format: edit.Shell}
	case "fish":
		return File{Path: path.Join(s.configHome(), "fish/config.fish"), Format: edit.Fish}
	case "csh":
		return File{Path: in(".cshrc"), Format: edit.Csh}
	case "tcsh":
		return File{Path: in(".tcshrc", ".cshrc"), Format: edit.Csh}
	}
	// A login shell reads the first of these that is there, and no other.
	return File{Path: in(".bash_profile", ".bash_login", ".profile"), Format: edit.Shell}
}

// perServer stands in Pin.Key for a server: its scheme, host and port.
const perServer = "*"

// site is where a client would be given a bundle.
func (s *scan) site(r *Row, c *Client) *Site {
	if r.Pin == nil {
		return nil
	}
	var f File
	if r.Pin.File != nil {
		f = r.Pin.File(s, c)
	} else if all := r.Files(s, c); len(all) > 0 {
		f = all[len(all)-1]
	}
	if f.Path == "" {
		return nil
	}
	return &Site{
		File: f.Path, Format: f.Format, Key: r.Pin.Key, Elevated: s.elevated(f.Path),
		Whole: r.Pin.Whole, Word: r.Pin.Word, Env: r.Pin.Env, Adds: r.Pin.Adds,
	}
}

// Pinnable reports whether a bundle can be given to the client by its own
// configuration.
func (c *Client) Pinnable() bool { return c.Site != nil }

// sharedDirs hold configuration files of many programs.
var sharedDirs = []string{"/etc", "/usr/etc", "/usr/local/etc", "/opt/homebrew/etc"}

// Beside is the directory for a bundle that a configuration file points to:
// the file's own, unless that is everybody's or is read as a whole.
func (c *Client) Beside(home, file string) string {
	dir := path.Dir(file)
	if base := path.Base(dir); path.Ext(dir) == ".d" && base != ".d" || base == "configurations" {
		dir = path.Dir(dir)
	}
	switch {
	case dir == path.Clean(home):
		return path.Join(dir, c.Row.Pin.Dir)
	case slices.Contains(sharedDirs, dir):
		return path.Join(dir, "trustfix", strings.TrimPrefix(path.Base(c.Row.Pin.Dir), "."))
	case path.Base(dir) == ".config":
		return path.Join(dir, strings.TrimPrefix(path.Base(c.Row.Pin.Dir), "."))
	}
	return dir
}

// Rooting are the settings that decide where a client takes its roots from,
// highest precedence first. What is read besides, for proxies or for some
// hosts only, and variables that a file wins over are none.
func (c *Client) Rooting() []*Setting {
	both := false // one key says whether to verify, and with what
	if k := c.Row.key("", edit.Entry{Path: c.Row.Pin.Key}); k != nil {
		both = k.Class != nil
	}
	out := slices.Clone(c.own)
	slices.Reverse(out)
	perServer := slices.Contains(c.Row.Pin.Key, perServer)
	for _, x := range slices.Backward(c.Settings) {
		if perServer && !x.Env {
			continue // what is said of all servers stays as it is
		}
		if len(x.Hosts) > 0 || x.Role != RoleCA && (x.Role != RoleVerify || !both) {
			continue
		}
		aside := false
		if x.Env {
			for _, v := range c.Row.Vars {
				aside = aside || v.Name == x.Name && (v.Aside || v.Below)
			}
		} else if k := c.Row.key(x.Format, x.Entry); k != nil {
			aside = k.Aside
		}
		if !aside {
			out = append(out, x)
		}
	}
	return out
}
