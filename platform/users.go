package platform

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// parsePasswd reads the lines of a passwd file that make sense and skips the
// others (NIS entries "+::::::", comments, damage).
func parsePasswd(data []byte) []User {
	var users []User
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) < 7 || f[0] == "" || strings.ContainsAny(f[0][:1], "#+-") {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(f[3], 10, 32)
		if err != nil {
			continue
		}
		users = append(users, User{Name: f[0], UID: int(uid), GID: int(gid), Home: f[5], Shell: f[6]})
	}
	return users
}

// accounts are the users in the tree's passwd; on Windows and macOS, whose
// accounts are not in a file, the directories of profiles. The error is that of
// a passwd that stands there; the users are those that are known all the same.
func accounts(goos string, files Files) ([]User, error) {
	data, err := files.ReadFile("/etc/passwd")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	users := parsePasswd(data)
	if goos == "linux" {
		return users, err
	}
	names, _ := files.ReadDir("/Users")
	for _, n := range names {
		if strings.HasPrefix(n, ".") || slices.Contains([]string{"Shared", "Public", "Default", "Default User", "All Users", "desktop.ini"}, n) {
			continue
		}
		home := "/Users/" + n
		if img, err := files.Stat(home); err == nil && img.Kind == DirKind {
			users = append(users, User{Name: n, UID: img.UID, GID: img.GID, Home: home})
		}
	}
	return users, err
}

// people are the accounts that may have a configuration of their own: their
// home exists and is not a directory of the system.
func people(all []User, files Files) []User {
	var out []User
	seen := map[string]bool{}
	for _, u := range all {
		if u.Home == "" || seen[u.Home] || systemHome(u.Home) {
			continue
		}
		if img, err := files.Stat(u.Home); err != nil || img.Kind != DirKind {
			continue
		}
		seen[u.Home] = true
		out = append(out, u)
	}
	return out
}

func systemHome(home string) bool {
	for _, dir := range []string{"/bin", "/sbin", "/usr", "/dev", "/proc", "/run", "/var/run", "/nonexistent", "/etc", "/var/cache", "/var/spool", "/var/mail", "/var/backups"} {
		if home == dir || strings.HasPrefix(home, dir+"/") {
			return !strings.HasPrefix(home, "/usr/local/") && !strings.HasPrefix(home, "/usr/home/")
		}
	}
	return home == "/"
}

// withUser puts u in front of the others, replacing the entry with the same
// home.
func withUser(u User, others []User) []User {
	rest := slices.DeleteFunc(slices.Clone(others), func(o User) bool { return o.Home == u.Home })
	return append([]User{u}, rest...)
}

func userByID(users []User, uid int) (User, bool) {
	i := slices.IndexFunc(users, func(u User) bool { return u.UID == uid })
	if i < 0 {
		return User{}, false
	}
	return users[i], true
}

func userByName(users []User, name string) (User, bool) {
	i := slices.IndexFunc(users, func(u User) bool { return u.Name == name })
	if i < 0 {
		return User{}, false
	}
	return users[i], true
}

// nameless is the account of a uid that no passwd file knows, as in containers
// run with an arbitrary user: the root directory is its home, as there.
func nameless(uid, gid int, name, home string) User {
	if uid == 0 {
		return User{Name: "root", Home: cmp.Or(home, "/root")}
	}
	return User{Name: cmp.Or(name, strconv.Itoa(uid)), UID: uid, GID: gid, Home: cmp.Or(home, "/")}
}

// UsersOf are the people of a tree with v.User in front: what View.Users holds.
func UsersOf(v *View) []User {
	all, _ := accounts(v.OS, v.Files)
	others := people(all, v.Files)
	if v.User.Home == "" {
		return others
	}
	return withUser(v.User, others)
}
