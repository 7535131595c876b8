package platform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// OpenOptions say which system is examined.
type OpenOptions struct {
	Root     string   // host path of another system's tree (--root); "" for the running system
	UserName string   // whose configuration (--user); "" for the caller's
	StateDir string   // absolute host path (--state-dir); "" for the usual one
	Env      []string // the caller's environment, as os.Environ gives it
}

// Open prepares a system for examination. It reads and changes nothing: the
// state directory comes into being with the first write to it.
func Open(o OpenOptions) (*Host, error) {
	caller := parseEnv(o.Env)
	root, rooted := o.Root, o.Root != ""
	if !rooted {
		root = systemRoot(caller)
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	euid := os.Geteuid()
	files, err := openTree(root, euid)
	if err != nil {
		return nil, fmt.Errorf("cannot examine the root %s: %w", root, err)
	}
	v := &View{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Root: root, Rooted: rooted, Elevated: elevated(),
		Files: files, Env: caller, Kernel: kernelClock, Now: time.Now,
	}
	p := &programs{files: files, os: v.OS}
	if rooted {
		v.OS, v.Env = treeOS(files), Env{}
		v.Kernel = func() KernelClock { return KernelClock{} }
		p.os, p.chroot = v.OS, root
	} else {
		p.path = absolute(filepath.SplitList(caller["PATH"]))
	}
	v.Dir = workingDir(root, rooted)
	v.Distro = DetectDistro(v.OS, files, v.Env)
	if !rooted && v.Distro.Version == "" {
		v.Distro.Version = osVersion()
	}
	v.Container = detectContainer(files, v.Env, rooted)
	v.Exec = querier{p}
	v.Net = newNetwork(v.Env)

	all, unread := accounts(v.OS, files)
	if v.User, err = examined(v, all, o.UserName, caller); err != nil {
		if unread != nil { // who could not be looked up may well be there
			err = fmt.Errorf("cannot read who the users are (%s): %w", files.HostPath("/etc/passwd"), errors.Unwrap(unread))
		}
		return nil, err
	}
	p.user = v.User
	v.Users = UsersOf(v)

	state := o.StateDir
	if state == "" {
		if state, err = defaultState(v, caller); err != nil {
			return nil, err
		}
	}
	if state, err = filepath.Abs(state); err != nil {
		return nil, err
	}
	h := &Host{View: v, Write: files, Run: p, State: NewState(state), Clock: systemClock{}}
	if rooted {
		h.Clock = noClock{}
	}
	return h, nil
}

func parseEnv(environ []string) Env {
	env := Env{}
	for _, kv := range environ {
		if i := strings.IndexByte(kv, '='); i > 0 {
			env[kv[:i]] = kv[i+1:]
		}
	}
	return env
}

// systemRoot is "/", or the drive of Windows.
func systemRoot(env Env) string {
	if runtime.GOOS != "windows" {
		return "/"
	}
	if drive := env["SystemDrive"]; drive != "" {
		return drive + `\`
	}
	return `C:\`
}

// workingDir is where the caller stands, links resolved: programs started
// there read the files of that project. In another tree it counts only when the
// caller stands in it.
func workingDir(root string, rooted bool) string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return ""
	}
	if !rooted {
		return logicalHome(dir)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return ""
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return path.Join("/", filepath.ToSlash(rel))
}

func treeOS(files Files) string {
	for _, t := range []struct{ mark, goos string }{
		{"/System/Library/CoreServices/SystemVersion.plist", "darwin"}, {"/Windows/System32", "windows"},
	} {
		if _, err := files.Stat(t.mark); err == nil {
			return t.goos
		}
	}
	return "linux"
}

// absolute keeps the absolute directories of a PATH: as logical paths, and
// never the current directory.
func absolute(dirs []string) []string {
	var out []string
	for _, d := range dirs {
		if filepath.IsAbs(d) {
			d = filepath.ToSlash(d[len(filepath.VolumeName(d)):])
			out = append(out, path.Clean(d))
		}
	}
	return out
}

// examined is the user whose configuration is looked at: the one named, the
// person behind sudo, or the caller, in this order. Names and homes come from
// the tree's passwd; only a caller's own $HOME outranks it, because that is
// what the caller's programs use.
func examined(v *View, all []User, name string, caller Env) (User, error) {
	if name != "" {
		if u, ok := userByName(all, name); ok {
			return u, nil
		}
		if u, err := user.Lookup(name); err == nil && !v.Rooted {
			return systemUser(v.OS, u), nil
		}
		return User{}, fmt.Errorf("no user %q in %s", name, v.Files.HostPath("/etc/passwd"))
	}
	uid, gid := os.Getuid(), os.Getgid()
	if uid < 0 { // Windows
		if u, err := user.Current(); err == nil && !v.Rooted {
			return systemUser(v.OS, u), nil
		}
		return nameless(1, 1, caller["USERNAME"], ""), nil
	}
	if v.Rooted {
		if uid == 0 {
			return User{Name: "root", Home: rootHome(v.OS), Shell: rootShell(all)}, nil
		}
		if u, ok := userByID(all, uid); ok {
			return u, nil
		}
		return nameless(uid, gid, "", ""), nil
	}
	behind := behindSudo(uid, caller)
	if behind > 0 {
		uid = behind
	}
	u, ok := userByID(all, uid)
	if !ok {
		u, ok = lookupAccount(v, uid)
	}
	home := logicalHome(caller["HOME"])
	switch {
	case behind > 0 && !ok:
		return User{}, fmt.Errorf("sudo was called by uid %d, which no passwd database knows: name the user with --user", uid)
	case behind > 0:
		return u, nil
	case !ok:
		return nameless(uid, gid, caller["USER"], home), nil
	case home != "":
		u.Home = home
	}
	return u, nil
}

// behindSudo is the uid of the person who became root for this one command,
// or 0. Only the number is believed: names and $HOME survive sudo or not.
func behindSudo(uid int, caller Env) int {
	if uid != 0 {
		return 0
	}
	for _, n := range []string{"SUDO_UID", "PKEXEC_UID"} {
		if id, err := strconv.Atoi(caller[n]); err == nil && id > 0 {
			return id
		}
	}
	return 0
}

func rootShell(all []User) string {
	u, _ := userByID(all, 0)
	return u.Shell
}

// logicalHome is $HOME as a logical path, or "" when it is not absolute.
func logicalHome(home string) string {
	if !filepath.IsAbs(home) {
		return ""
	}
	return path.Clean(filepath.ToSlash(home[len(filepath.VolumeName(home)):]))
}

// lookupAccount asks for accounts that are in no file of the tree: the
// directory services of macOS, LDAP and the like.
func lookupAccount(v *View, uid int) (User, bool) {
	id := strconv.Itoa(uid)
	if v.OS == "linux" {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		out, err := v.Exec.Query(ctx, Cmd{Argv: []string{"getent", "passwd", id}})
		if err != nil {
			return User{}, false
		}
		return userByID(parsePasswd([]byte(out.Stdout)), uid)
	}
	u, err := user.LookupId(id)
	if err != nil {
		return User{}, false
	}
	return systemUser(v.OS, u), true
}

func systemUser(goos string, u *user.User) User {
	out := User{Name: u.Username, UID: 1, GID: 1, Home: path.Clean(filepath.ToSlash(u.HomeDir[len(filepath.VolumeName(u.HomeDir)):]))}
	if goos == "windows" {
		out.Name = u.Username[strings.LastIndexByte(u.Username, '\\')+1:]
		return out
	}
	if uid, err := strconv.Atoi(u.Uid); err == nil {
		out.UID = uid
	}
	if gid, err := strconv.Atoi(u.Gid); err == nil {
		out.GID = gid
	}
	return out
}

// defaultState is where trustfix keeps its journal, as a host path.
func defaultState(v *View, caller Env) (string, error) {
	const system = "/var/lib/trustfix"
	switch {
	case v.Rooted:
		return resolveMissing(v.Files, system)
	case runtime.GOOS == "windows":
		if dir := caller["ProgramData"]; v.Elevated && dir != "" {
			return filepath.Join(dir, "trustfix"), nil
		}
		if dir := caller["LocalAppData"]; dir != "" {
			return filepath.Join(dir, "trustfix"), nil
		}
		return v.Files.HostPath(path.Join(v.User.Home, "AppData/Local/trustfix")), nil
	case os.Geteuid() == 0:
		return system, nil
	}
	if dir := caller["XDG_STATE_HOME"]; filepath.IsAbs(dir) {
		return filepath.Join(dir, "trustfix"), nil
	}
	return v.Files.HostPath(path.Join(v.User.Home, ".local/state/trustfix")), nil
}

// resolveMissing is the host path of a logical path whose last components need
// not exist yet; links of the tree lead nowhere outside it.
func resolveMissing(files Files, name string) (string, error) {
	resolved, err := files.Resolve(name)
	if errors.Is(err, fs.ErrNotExist) {
		parent, err := resolveMissing(files, path.Dir(name))
		return filepath.Join(parent, path.Base(name)), err
	}
	if err != nil {
		return "", err
	}
	return files.HostPath(resolved), nil
}

type systemClock struct{}

func (systemClock) SetClock(t time.Time) error {
	if err := setSystemClock(t); err != nil {
		return fmt.Errorf("cannot set the system clock: %w", err)
	}
	return nil
}

// noClock stands for a tree that is not running.
type noClock struct{}

func (noClock) SetClock(time.Time) error {
	return errors.New("the clock of another root cannot be set")
}
