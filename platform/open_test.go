//go:build unix

package platform

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParsePasswd(t *testing.T) {
	got := parsePasswd([]byte("root:x:0:0:root:/root:/bin/bash\n# comment\n+::::::\n-bad:x:1:1:::\nshort:x:1\nlin:x:1000:1000:Lin,,,:/home/lin:/bin/zsh\r\nx:x:-1:0::/:\nbig:x:99999999999:0::/:\n:x:5:5::/:\nlast:x:7:8::/h:"))
	if len(got) != 3 || got[1] != (User{"lin", 1000, 1000, "/home/lin", "/bin/zsh"}) || got[2].Name != "last" {
		t.Errorf("%+v", got)
	}
}

func TestPeople(t *testing.T) {
	f := files(t, "root/x", "home/lin/x", "usr/sbin/x", "var/lib/jenkins/x", "home/file",
		"etc/passwd=root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/n\nlin:x:1000:1000::/home/lin:\ntwin:x:1001:1001::/home/lin:\ngone:x:1002:1::/home/gone:\n"+
			"jenkins:x:110:1::/var/lib/jenkins:\nnobody:x:65534:1::/nonexistent:\nslash:x:12:1::/:\nfile:x:13:1::/home/file:\n")
	var names []string
	for _, u := range people(known("linux", f), f) {
		names = append(names, u.Name)
	}
	if strings.Join(names, " ") != "root lin jenkins" {
		t.Errorf("%v", names)
	}
	mac := files(t, "Users/lin/x", "Users/Shared/x", "Users/.localized", "etc/passwd=root:*:0:0::/var/root:/bin/sh\n", "var/root/x")
	if got := people(known("darwin", mac), mac); len(got) != 2 || got[1].Home != "/Users/lin" {
		t.Errorf("macOS: %+v", got)
	}
}

func known(goos string, f Files) []User {
	users, _ := accounts(goos, f)
	return users
}

// root is the host path of a small tree with a passwd file.
func smallRoot(t *testing.T, passwd string) string {
	t.Helper()
	return files(t, "etc/passwd="+passwd, "etc/os-release=ID=debian\nVERSION_ID=\"12\"\n", "home/lin/x", "root/x").HostPath("/")
}

func TestOpenRooted(t *testing.T) {
	me := strconv.Itoa(os.Getuid())
	root := smallRoot(t, "root:x:0:0::/root:/bin/bash\nlin:x:1000:1000::/home/lin:/bin/sh\n")
	h, err := Open(OpenOptions{Root: root, Env: []string{"HOME=/home/evil", "SUDO_UID=1000", "HTTPS_PROXY=http://p", "SSL_CERT_FILE=/x"}})
	if err != nil {
		t.Fatal(err)
	}
	if !h.Rooted || len(h.Env) != 0 || h.Distro.Family != Debian || h.OS != "linux" || h.Kernel().Known || h.Root != root {
		t.Errorf("%+v", h.View)
	}
	if os.Getuid() == 0 && (h.User.Home != "/root" || h.User.UID != 0 || h.User.Shell != "/bin/bash") {
		t.Errorf("user %+v", h.User)
	}
	if h.State.Path() != filepath.Join(root, "var/lib/trustfix") {
		t.Errorf("state %s", h.State.Path())
	}
	if err := h.Clock.SetClock(time.Now()); err == nil {
		t.Error("the clock of another root was set")
	}
	if _, err := os.Stat(filepath.Join(root, "var")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening made something: %v", err)
	}
	if h, err = Open(OpenOptions{Root: root, UserName: "lin"}); err != nil || h.User.Home != "/home/lin" || h.Users[0].Name != "lin" {
		t.Errorf("--user: %+v, %v", h, err)
	}
	if _, err = Open(OpenOptions{Root: root, UserName: "nobody-here"}); err == nil {
		t.Error("an unknown user passed")
	}
	if _, err = Open(OpenOptions{Root: filepath.Join(root, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing root: %v", err)
	}
	// No passwd, no os-release, no nothing.
	if h, err = Open(OpenOptions{Root: t.TempDir()}); err != nil || h.User.Home == "" || h.User.UID != os.Getuid() {
		t.Errorf("empty root as uid %s: %+v, %v", me, h, err)
	}
}

// A link in the tree does not lead the state directory out of it.
func TestOpenRootedStateStaysInside(t *testing.T) {
	f := files(t, "var/lib=->/../../../../outside", "outside/x")
	h, err := Open(OpenOptions{Root: f.HostPath("/")})
	if err != nil || h.State.Path() != f.HostPath("/outside/trustfix") {
		t.Errorf("%v, %v", h, err)
	}
}

func TestExaminedUser(t *testing.T) {
	f := files(t, "home/lin/x")
	all := parsePasswd([]byte("root:x:0:0::/root:/bin/sh\nlin:x:1000:1000::/home/lin:/bin/sh\n"))
	v := &View{OS: "linux", Files: f, Exec: querier{&programs{files: f.(*tree), os: "linux"}}}
	for _, c := range []struct {
		name string
		env  Env
		root bool // meaningful only when the test runs as root
		want string
	}{
		{"own home", Env{"HOME": "/somewhere"}, false, "/somewhere"},
		{"relative home is none", Env{"HOME": "x"}, true, "/root"},
		{"no home", Env{}, true, "/root"},
		{"sudo", Env{"HOME": "/root", "SUDO_UID": "1000", "SUDO_USER": "../evil"}, true, "/home/lin"},
		{"sudo keeping HOME", Env{"HOME": "/home/evil", "SUDO_UID": "1000"}, true, "/home/lin"},
		{"pkexec", Env{"PKEXEC_UID": "1000"}, true, "/home/lin"},
		{"sudo by root", Env{"HOME": "/root", "SUDO_UID": "0"}, true, "/root"},
		{"damaged SUDO_UID", Env{"HOME": "/root", "SUDO_UID": "x"}, true, "/root"},
	} {
		if c.root && os.Getuid() != 0 {
			continue
		}
		if u, err := examined(v, all, "", c.env); err != nil || u.Home != c.want {
			t.Errorf("%s: %+v, %v", c.name, u, err)
		}
	}
	if os.Getuid() == 0 {
		if u, err := examined(v, all, "", Env{"SUDO_UID": "4242"}); err == nil {
			t.Errorf("sudo by an unknown uid: %+v", u)
		}
	}
}

// An arbitrary uid without HOME and passwd entry, as OpenShift gives: works.
func TestOpenNameless(t *testing.T) {
	if u := nameless(65534, 65534, "", ""); u.Home != "/" || u.Name != "65534" {
		t.Errorf("%+v", u)
	}
	if os.Getuid() != 0 {
		t.Skip("needs root to become another uid")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "self")
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bin, data, 0o755); err != nil {
		t.Fatal(err)
	}
	passable(t, filepath.Dir(bin))
	cmd := exec.Command(bin, "-test.run=TestNamelessChild")
	cmd.Env, cmd.Dir = []string{"NAMELESS_CHILD=1"}, "/"
	asUser(cmd, 54321)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestNamelessChild(t *testing.T) {
	if os.Getenv("NAMELESS_CHILD") == "" {
		t.Skip("run by TestOpenNameless")
	}
	h, err := Open(OpenOptions{Env: []string{"PATH=/usr/bin"}})
	if err != nil {
		t.Fatal(err)
	}
	if h.User.UID != 54321 || h.User.Home != "/" || h.Elevated || h.State.Path() != "/.local/state/trustfix" {
		t.Errorf("%+v, state %s", h.User, h.State.Path())
	}
	if err := h.State.WriteFile("x", nil); err == nil || !strings.Contains(err.Error(), "--state-dir") {
		t.Errorf("an impossible state directory: %v", err)
	}
}

// passable opens a test's own temporary directories to other users.
func passable(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// The working directory counts inside the examined tree, links resolved.
func TestWorkingDirectory(t *testing.T) {
	tree, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	project := filepath.Join(tree, "srv", "project")
	if err := os.MkdirAll(project, 0o755); err != nil {
		t.Fatal(err)
	}
	alias := filepath.Join(t.TempDir(), "alias")
	if err := os.Symlink(project, alias); err != nil {
		t.Skip("no links here: ", err)
	}
	for _, tc := range []struct{ at, root, want string }{
		{project, tree, "/srv/project"},
		{alias, tree, "/srv/project"},
		{tree, tree, "/"},
		{project, filepath.Join(tree, "srv", "project"), "/"},
		{tree, project, ""},
		{project, "", logicalHome(project)},
	} {
		t.Chdir(tc.at)
		h, err := Open(OpenOptions{Root: tc.root, StateDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if h.Dir != tc.want {
			t.Errorf("at %s below %q: %q, want %q", tc.at, tc.root, h.Dir, tc.want)
		}
	}
}

// A passwd that cannot be read is said to be that: whoever is asked for may be in it.
func TestOpenUnreadablePasswd(t *testing.T) {
	root := smallRoot(t, "lin:x:1000:1000::/home/lin:/bin/sh\n")
	if err := os.Remove(filepath.Join(root, "etc/passwd")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "etc/passwd"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Open(OpenOptions{Root: root, UserName: "lin"})
	if err == nil || strings.Contains(err.Error(), "no user") || !strings.Contains(err.Error(), ErrNotRegular.Error()) {
		t.Errorf("%v", err)
	}
}
