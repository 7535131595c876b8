package platform

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The file systems that replacing a file has to cope with are made in a mount
// namespace of a child process; nothing of the machine's own is touched.
func TestMounts(t *testing.T) {
	skip := t.Skip
	if os.Getenv("CI") != "" {
		skip = t.Fatal
	}
	if os.Geteuid() != 0 {
		skip("needs root to mount")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	passable(t, dir)
	cmd := exec.Command(self, "-test.run=TestMountChild", "-test.v")
	cmd.Env = []string{"MOUNT_CHILD=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		skip("no mount namespaces here")
	}
	if err != nil || !bytes.Contains(out, []byte("\nPASS")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestMountChild(t *testing.T) {
	root := os.Getenv("MOUNT_CHILD")
	if root == "" {
		t.Skip("run by TestMounts")
	}
	mount := func(src, dst, fstype string, flags uintptr, data string) {
		t.Helper()
		if err := unix.Mount(src, dst, fstype, flags, data); err != nil {
			t.Fatalf("mount %s: %v", dst, err)
		}
	}
	write := func(name, data string) string {
		t.Helper()
		full := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(data), 0o644)); err != nil {
			t.Fatal(err)
		}
		return full
	}
	mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	mount("none", root, "tmpfs", 0, "mode=0755")
	tr, err := openTree(root, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := func(data string) Image { return Image{Kind: File, Mode: 0o644, Data: []byte(data)} }

	t.Run("bind-mounted file", func(t *testing.T) {
		bundle := write("bind/ca.crt", "mounted here")
		src := write("src/real.crt", "a longer bundle from outside")
		mount(src, bundle, "", unix.MS_BIND, "")
		if err := tr.Writable("/bind/ca.crt"); !errors.Is(err, ErrMountPoint) {
			t.Errorf("Writable: %v", err)
		}
		before := image(t, tr, "/bind/ca.crt")
		put(t, tr, "/bind/ca.crt", file("short"))
		if got := image(t, tr, "/bind/ca.crt"); string(got.Data) != "short" || got.Ino != before.Ino {
			t.Errorf("%+v", got)
		}
		put(t, tr, "/bind/ca.crt", before)
		if got := image(t, tr, "/bind/ca.crt"); !got.Same(before) || !got.MTime.Equal(before.MTime) {
			t.Errorf("put back: %+v", got)
		}
		if err := tr.Put("/bind/ca.crt", Image{Kind: Absent}); !errors.Is(err, ErrMountPoint) {
			t.Errorf("removing it: %v", err)
		}
		noTemps(t, tr, "/bind")
		if err := os.Link(src, filepath.Join(root, "src/second")); err != nil {
			t.Fatal(err)
		}
		if err := tr.Put("/bind/ca.crt", file("x")); !errors.Is(err, ErrHardLink) {
			t.Errorf("with a second name elsewhere: %v", err)
		}
	})

	t.Run("read-only", func(t *testing.T) {
		write("ro/f", "f")
		mount(filepath.Join(root, "ro"), filepath.Join(root, "ro"), "", unix.MS_BIND, "")
		mount("", filepath.Join(root, "ro"), "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, "")
		for name, err := range map[string]error{"Writable": tr.Writable("/ro/f"), "Put": tr.Put("/ro/f", file("x")), "new": tr.Put("/ro/g", file("x"))} {
			if !errors.Is(err, ErrReadOnly) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})

	t.Run("full", func(t *testing.T) {
		dir := filepath.Join(root, "full")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		mount("none", dir, "tmpfs", 0, "size=64k,mode=0755")
		write("full/f", "as before")
		before := image(t, tr, "/full/f")
		if free := tr.Free("/full/none/yet"); free <= 0 || free > 64<<10 {
			t.Errorf("%d bytes are said to be free", free)
		}
		if state := (&stateDir{path: dir + "/none/yet"}).Free(); state != tr.Free("/full") {
			t.Errorf("the state directory has %d bytes, the file system %d", state, tr.Free("/full"))
		}
		// Row 48: what is written here does not survive a restart, and that is said.
		if kind := (&stateDir{path: dir + "/none/yet"}).Medium(); kind != "tmpfs" {
			t.Errorf("a tmpfs is taken for %q", kind)
		}
		if kind := (&stateDir{path: "/proc"}).Medium(); kind != "" {
			t.Errorf("/proc is taken for %q", kind)
		}
		err := tr.Put("/full/f", file(strings.Repeat("x", 200<<10)))
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("Put: %v", err)
		}
		if got := image(t, tr, "/full/f"); !got.Same(before) || got.Ino != before.Ino {
			t.Errorf("the target was touched: %+v", got)
		}
		noTemps(t, tr, "/full")
		state := &stateDir{path: dir + "/state"}
		if err := state.Append("journal", []byte("one\n")); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{state.Append("journal", make([]byte, 200<<10)), state.WriteFile("backup", make([]byte, 200<<10))} {
			if !errors.Is(err, unix.ENOSPC) {
				t.Errorf("state: %v", err)
			}
		}
		if got, err := state.ReadFile("journal"); string(got) != "one\n" {
			t.Errorf("the journal holds half a record: %d bytes, %v", len(got), err)
		}
		if names, _ := state.ReadDir("."); len(names) != 1 {
			t.Errorf("left over: %v", names)
		}
	})

	t.Run("immutable", func(t *testing.T) {
		for _, flag := range []struct {
			bit  int
			name string
		}{{unix.STATX_ATTR_IMMUTABLE, "chattr -i"}, {unix.STATX_ATTR_APPEND, "chattr -a"}} {
			f, err := os.Open(write("flags/f", "f"))
			if err != nil {
				t.Fatal(err)
			}
			if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flag.bit); err != nil {
				t.Logf("this tmpfs has no flags: %v", err)
				f.Close()
				continue
			}
			for name, err := range map[string]error{"Writable": tr.Writable("/flags/f"), "Put": tr.Put("/flags/f", file("x"))} {
				if !errors.Is(err, ErrImmutable) || !strings.Contains(err.Error(), flag.name+" "+root+"/flags/f") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, 0); err != nil {
				t.Error(err)
			}
			f.Close()
			noTemps(t, tr, "/flags")
			put(t, tr, "/flags/f", file("x"))
		}
	})

	// A kernel without SELinux keeps its label as any other attribute; the label
	// of a program's own (trusted.*) and capabilities go the same way.
	t.Run("security label", func(t *testing.T) {
		full := write("label/f", "f")
		labels := map[string]string{"security.selinux": "system_u:object_r:cert_t:s0\x00", "trusted.overlay.origin": "x"}
		for name, v := range labels {
			if err := unix.Setxattr(full, name, []byte(v), 0); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		before := image(t, tr, "/label/f")
		changed := before
		changed.Data = []byte("changed")
		put(t, tr, "/label/f", changed)
		now := image(t, tr, "/label/f")
		for name, v := range labels {
			if got := string(now.XAttrs[name]); got != v {
				t.Errorf("%s is %q after the change, was %q", name, got, v)
			}
		}
		put(t, tr, "/label/f", before)
		if now = image(t, tr, "/label/f"); !now.Same(before) {
			t.Errorf("put back: %+v, was %+v", now, before)
		}
		// What cannot be kept is refused, and the target stays.
		bad := before
		bad.XAttrs = map[string][]byte{"nonsense.name": []byte("x")}
		if err := tr.Put("/label/f", bad); err == nil {
			t.Error("an attribute that cannot be set was passed over")
		}
		if now = image(t, tr, "/label/f"); !now.Same(before) {
			t.Errorf("touched: %+v", now)
		}
		noTemps(t, tr, "/label")
	})

	t.Run("inherited ACL", func(t *testing.T) {
		dir := filepath.Dir(write("acl/f", "f"))
		before := image(t, tr, "/acl/f")
		// user::rwx, user:4321:rwx, group::r-x, mask::rwx, other::r-x (posix_acl_xattr.h)
		acl := []byte{2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 0xe1, 0x10, 0, 0, 4, 0, 5, 0, 255, 255, 255, 255, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255}
		if err := unix.Setxattr(dir, "system.posix_acl_default", acl, 0); err != nil {
			t.Skipf("no ACLs here: %v", err)
		}
		put(t, tr, "/acl/f", before)
		if got := image(t, tr, "/acl/f"); !got.Same(before) {
			t.Errorf("the default ACL of the directory stuck: %+v", got)
		}
		if err := unix.Setxattr(dir+"/f", "system.posix_acl_access", acl, 0); err != nil {
			t.Fatal(err)
		}
		with := image(t, tr, "/acl/f")
		put(t, tr, "/acl/f", file("x"))
		put(t, tr, "/acl/f", with)
		if got := image(t, tr, "/acl/f"); !got.Same(with) || len(got.XAttrs["system.posix_acl_access"]) == 0 {
			t.Errorf("the ACL of the file is lost: %+v, want %+v", got, with)
		}
	})

	t.Run("searchable home", func(t *testing.T) {
		full := write("home/lin/.condarc", "f")
		home := filepath.Dir(full)
		if err := errors.Join(os.Chmod(filepath.Dir(home), 0o711), os.Chown(home, 4321, 4321), os.Chown(full, 4321, 4321)); err != nil {
			t.Fatal(err)
		}
		self, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			t.Fatal(err)
		}
		bin := filepath.Join(root, "self.test")
		if err := os.WriteFile(bin, self, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bin, "-test.run=TestOrdinaryChild", "-test.v")
		cmd.Env, cmd.Dir = []string{"ORDINARY_CHILD=" + root}, "/"
		asUser(cmd, 4321)
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("\nPASS")) {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// TestOrdinaryChild is an ordinary user in a home whose parent may be passed
// but not listed.
func TestOrdinaryChild(t *testing.T) {
	root := os.Getenv("ORDINARY_CHILD")
	if root == "" {
		t.Skip("run by TestMountChild")
	}
	tr, err := openTree(root, os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	img := image(t, tr, "/home/lin/.condarc")
	img.Data = []byte("changed")
	put(t, tr, "/home/lin/.condarc", img)
	if got := image(t, tr, "/home/lin/.condarc"); string(got.Data) != "changed" || got.UID != 4321 {
		t.Errorf("%+v", got)
	}
	if err := tr.Writable("/home/lin/.condarc"); err != nil {
		t.Errorf("Writable: %v", err)
	}
	for _, n := range []string{"/home/other", "/bind/ca.crt", "/src/real.crt"} {
		if err := tr.Writable(n); err == nil {
			t.Errorf("%s is said to be writable", n)
		}
		if err := tr.Put(n, Image{Kind: File, Mode: 0o644, UID: 4321, GID: 4321}); err == nil {
			t.Errorf("%s was written", n)
		}
	}
	// What cannot be kept is refused, and the target stays.
	img.UID = 0
	if err := tr.Put("/home/lin/.condarc", img); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("giving a file away: %v", err)
	}
	noTemps(t, tr, "/home/lin")
}

// Root is not led about by the links of an ordinary user.
func TestPlantedLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("about root")
	}
	tr := newTree(t, "etc/shadow", "etc/public", "home/lin/own", "home/lin/dot/rc", "srv/key/x",
		"home/lin/secret -> /etc/shadow", "home/lin/pub -> /etc/public", "home/lin/mine -> own", "home/lin/conf -> /etc", "home/lin/dots -> dot",
		"home/lin/key -> /srv/key/x", "home/lin/chain -> mine", "home/rooted -> lin/own")
	own := func(uid int, names ...string) {
		for _, n := range names {
			if err := os.Lchown(tr.HostPath(n), uid, uid); err != nil {
				t.Fatal(err)
			}
		}
	}
	own(1000, "/home/lin", "/home/lin/own", "/home/lin/dot", "/home/lin/dot/rc", "/home/lin/secret", "/home/lin/pub", "/home/lin/mine", "/home/lin/conf",
		"/home/lin/dots", "/home/lin/key", "/home/lin/chain")
	if err := errors.Join(os.Chmod(tr.HostPath("/etc/shadow"), 0o640), os.Chmod(tr.HostPath("/srv/key"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{
		"/home/lin/secret": false, "/home/lin/conf/shadow": false, "/home/lin/key": false,
		"/home/lin/pub": true, "/home/lin/mine": true, "/home/lin/chain": true, "/home/lin/conf/public": true, "/home/rooted": true, "/etc/shadow": true,
	} {
		if _, err := tr.ReadFile(name); (err == nil) != ok || err != nil && !errors.Is(err, ErrPlantedLink) {
			t.Errorf("reading %s: %v", name, err)
		}
	}
	for name, ok := range map[string]bool{
		"/home/lin/conf/public": false, "/home/lin/conf/new": false, "/home/lin/dots/rc": true, "/home/lin/dots/new": true, "/home/lin/own": true,
	} {
		err := tr.Put(name, Image{Kind: File, Mode: 0o644, UID: 1000, GID: 1000, Data: []byte("x")})
		if (err == nil) != ok || err != nil && !errors.Is(err, ErrPlantedLink) {
			t.Errorf("writing %s: %v", name, err)
		}
	}
	for name, ok := range map[string]bool{"/home/lin/secret": false, "/home/lin/pub": false, "/home/lin/mine": true, "/home/lin/chain": true} {
		if err := tr.Writable(name); (err == nil) != ok || err != nil && !errors.Is(err, ErrPlantedLink) {
			t.Errorf("Writable(%s): %v", name, err)
		}
	}
	if err := os.Chmod(tr.HostPath("/srv"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := tr.Put("/srv/x", Image{Kind: File}); !errors.Is(err, ErrUnsafeDir) {
		t.Errorf("in a directory of everybody's: %v", err)
	}
	if err := os.Chmod(tr.HostPath("/srv"), 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	put(t, tr, "/srv/x", Image{Kind: File})
}

func TestWritableHardLink(t *testing.T) {
	tr := newTree(t, "f")
	if err := os.Link(tr.HostPath("/f"), tr.HostPath("/g")); err != nil {
		t.Fatal(err)
	}
	if err := tr.Writable("/f"); !errors.Is(err, ErrHardLink) {
		t.Errorf("%v", err)
	}
	if err := tr.Writable("/new"); err != nil {
		t.Errorf("a new file: %v", err)
	}
	if err := tr.Writable("/none/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no parent: %v", err)
	}
}

// While a directory is swapped for a link and back, a writer never lands
// outside the tree it was given.
func TestSwappedParent(t *testing.T) {
	tr := newTree(t, "work/dir/f")
	outside := t.TempDir() // where the kernel would go, were it to follow the link
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		dir, aside := tr.HostPath("/work/dir"), tr.HostPath("/work/aside")
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(dir, aside)
			_ = os.Symlink(outside, dir)
			_ = os.Remove(dir)
			_ = os.Rename(aside, dir)
		}
	}()
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		_ = tr.Put("/work/dir/f", Image{Kind: File, Mode: 0o600, UID: os.Getuid(), GID: os.Getgid(), Data: []byte("ours")})
	}
	close(stop)
	<-done
	if names, err := os.ReadDir(outside); err != nil || len(names) > 0 {
		t.Errorf("outside: %v, %v", names, err)
	}
	noTemps(t, tr, "/work/dir")
}

func TestKernelClock(t *testing.T) {
	if k := kernelClock(); !k.Known {
		t.Skip("adjtimex is not allowed here")
	}
}
