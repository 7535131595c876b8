//go:build unix

package platform

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newTree makes a tree in a temporary directory; names ending in / are
// directories, "a -> b" is a link, everything else is a file holding its name.
func newTree(t *testing.T, names ...string) *tree {
	t.Helper()
	root := t.TempDir()
	for _, n := range names {
		link, text, isLink := strings.Cut(n, " -> ")
		full := filepath.Join(root, link)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case isLink:
			err = os.Symlink(text, full)
		case strings.HasSuffix(n, "/"):
			err = os.MkdirAll(full, 0o755)
		default:
			err = os.WriteFile(full, []byte(n), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tr, err := openTree(root, os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.top.close)
	return tr
}

func TestResolve(t *testing.T) {
	tr := newTree(t,
		"etc/ssl/real.pem", "etc/ssl/abs.pem -> /etc/ssl/real.pem", "etc/ssl/rel.pem -> ../ssl/real.pem",
		"etc/ssl/out.pem -> ../../../../../etc/ssl/real.pem", "etc/passwd -> /../../../../etc/passwd.real", "etc/passwd.real",
		"etc/pki -> /etc/ssl", "etc/dirdot/x", "etc/up -> dirdot/..", "etc/dangling -> /nowhere", "etc/deepdangling -> /no/where",
		"etc/loop1 -> loop2", "etc/loop2 -> loop1", "etc/self -> self/x", "etc/empty/",
	)
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"/etc/ssl/real.pem", "/etc/ssl/real.pem", nil},
		{"/etc//ssl/./real.pem", "/etc/ssl/real.pem", nil},
		{"/etc/ssl/abs.pem", "/etc/ssl/real.pem", nil},
		{"/etc/ssl/rel.pem", "/etc/ssl/real.pem", nil},
		{"/etc/ssl/out.pem", "/etc/ssl/real.pem", nil},
		{"/etc/passwd", "/etc/passwd.real", nil},
		{"/etc/pki/abs.pem", "/etc/ssl/real.pem", nil},
		{"/etc/pki/../passwd.real", "/etc/passwd.real", nil},
		{"/../../etc/ssl/real.pem", "/etc/ssl/real.pem", nil},
		{"/etc/up/dirdot/x", "/etc/dirdot/x", nil},
		{"/etc/up", "/etc", nil},
		{"/", "/", nil},
		{"/etc/ssl/..", "/etc", nil},
		{"/etc/missing", "/etc/missing", nil},
		{"/etc/dangling", "/nowhere", nil},
		{"/etc/deepdangling", "", fs.ErrNotExist},
		{"/etc/missing/x", "", fs.ErrNotExist},
		{"/etc/loop1", "", syscall.ELOOP},
		{"/etc/self", "", syscall.ELOOP},
		{"/etc/passwd.real/x", "", syscall.ENOTDIR},
		{"etc/ssl/real.pem", "", errors.ErrUnsupported},
	} {
		got, err := tr.Resolve(c.name)
		if errors.Is(c.err, errors.ErrUnsupported) {
			if err == nil {
				t.Errorf("Resolve(%q) accepted a relative path", c.name)
			}
			continue
		}
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("Resolve(%q) = %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
		}
		var pe *fs.PathError
		if err != nil && (!errors.As(err, &pe) || pe.Path != c.name) {
			t.Errorf("Resolve(%q): error %v does not carry the logical path", c.name, err)
		}
	}
	if n := openFDs(t); n > 0 {
		before := n
		for range 50 {
			_, _ = tr.Resolve("/etc/ssl/abs.pem")
			_, _ = tr.Resolve("/etc/missing/x")
			_, _ = tr.Resolve("/etc/loop1")
			_, _ = tr.ReadFile("/etc/up/dirdot/x")
		}
		if after := openFDs(t); after > before {
			t.Errorf("walks leak directory handles: %d before, %d after", before, after)
		}
	}
}

// TestReachIsWalk holds that the short way to a place ends where the long one does.
func TestReachIsWalk(t *testing.T) {
	tr := newTree(t,
		"etc/ssl/a.pem", "etc/link.pem -> ssl/a.pem", "etc/pki -> /etc/ssl", "etc/dangling -> /nowhere", "etc/loop -> loop", "etc/empty/", "top",
	)
	reached := 0
	for _, name := range []string{
		"/", "/top", "/missing", "/etc", "/etc/empty", "/etc/ssl/a.pem", "/etc/ssl/missing", "/etc/missing/x", "/etc/ssl/a.pem/x",
		"/etc/link.pem", "/etc/pki", "/etc/pki/a.pem", "/etc/dangling", "/etc/loop", "/etc/loop/x", "/etc//ssl/a.pem", "/etc/ssl/../ssl/a.pem", "/etc/ssl/",
	} {
		for _, follow := range []bool{true, false} {
			want, wantErr := tr.walk(name, follow)
			got, err := tr.reach(name, follow)
			if !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
				t.Errorf("%s: %v, walk says %v", name, err, wantErr)
				continue
			}
			if err != nil {
				continue
			}
			there, _ := got.dir.lstat(".")
			if parent, _ := want.dir.lstat("."); got.path != want.path || got.base != want.base || got.img.Ino != want.img.Ino || got.img.Kind != want.img.Kind ||
				there.Ino != parent.Ino || got.dir.host != want.dir.host {
				t.Errorf("%s: %q in %s, %+v; walk says %q in %s, %+v", name, got.base, got.dir.host, got.img, want.base, want.dir.host, want.img)
			}
			if len(got.trail) == 0 {
				reached++
			}
			got.close()
			want.close()
		}
	}
	if sub, err := tr.top.openBelow("etc/ssl"); err == nil {
		sub.close()
		if reached < 12 {
			t.Errorf("only %d places were reached without a walk", reached)
		}
	}
}

func openFDs(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}

func TestReadFileNeverBlocks(t *testing.T) {
	tr := newTree(t, "dir/file", "big", "tofifo -> fifo", "empty")
	if err := unix.Mkfifo(tr.HostPath("/fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(tr.HostPath("/big"), MaxFile+1); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(tr.HostPath("/empty"), 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for name, want := range map[string]error{
			"/fifo": ErrNotRegular, "/tofifo": ErrNotRegular, "/dir": ErrNotRegular, "/big": ErrTooLarge, "/none": fs.ErrNotExist, "/dir/file": nil, "/empty": nil,
		} {
			if _, err := tr.ReadFile(name); !errors.Is(err, want) {
				t.Errorf("ReadFile(%s) = %v, want %v", name, err, want)
			}
		}
		if img, err := tr.Snapshot("/fifo"); err != nil || img.Kind != Other {
			t.Errorf("Snapshot(fifo) = %v, %v", img.Kind, err)
		}
		if img, err := tr.Snapshot("/big"); err != nil || img.Data != nil || img.SHA256 == "" || img.Size != MaxFile+1 {
			t.Errorf("Snapshot(big) = %d bytes of data, sha %q, size %d, %v", len(img.Data), img.SHA256, img.Size, err)
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("a FIFO blocked the reader")
	}
	dev, err := openTree("/dev", os.Geteuid())
	if err != nil {
		t.Fatal(err)
	}
	defer dev.top.close()
	if _, err := dev.ReadFile("/zero"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a device: %v", err)
	}
}

func TestSnapshot(t *testing.T) {
	tr := newTree(t, "f", "l -> f", "d/x")
	want := time.Date(2021, 3, 4, 5, 6, 7, 890123456, time.UTC)
	if err := os.Chtimes(tr.HostPath("/f"), want, want); err != nil {
		t.Fatal(err)
	}
	img, err := tr.Snapshot("/f")
	if err != nil || img.Kind != File || string(img.Data) != "f" || img.Mode != 0o644 || !img.MTime.Equal(want) || img.NLink != 1 || img.Ino == 0 {
		t.Errorf("Snapshot(/f) = %+v, %v", img, err)
	}
	if img, err = tr.Snapshot("/l"); err != nil || img.Kind != Link || img.Link != "f" {
		t.Errorf("Snapshot(/l) = %+v, %v", img, err)
	}
	if img, err = tr.Snapshot("/d"); err != nil || img.Kind != DirKind {
		t.Errorf("Snapshot(/d) = %+v, %v", img, err)
	}
	for _, n := range []string{"/none", "/none/deeper", "/f/x"} {
		if img, err = tr.Snapshot(n); err != nil || img.Kind != Absent {
			t.Errorf("Snapshot(%s) = %+v, %v; want absent", n, img, err)
		}
	}
	if _, err := tr.Stat("/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat(/none) = %v", err)
	}
	if names, err := tr.ReadDir("/"); err != nil || strings.Join(names, " ") != "d f l" {
		t.Errorf("ReadDir(/) = %v, %v", names, err)
	}
}

// image is the snapshot of name, which must succeed.
func image(t *testing.T, tr *tree, name string) Image {
	t.Helper()
	img, err := tr.Snapshot(name)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func put(t *testing.T, tr *tree, name string, img Image) {
	t.Helper()
	if err := tr.Put(name, img); err != nil {
		t.Fatal(err)
	}
}

func noTemps(t *testing.T, tr *tree, dir string) {
	t.Helper()
	names, err := tr.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if IsTemp(n) {
			t.Errorf("temporary %s left in %s", n, dir)
		}
	}
}

// A file is replaced and put back: content, mode, owner, attributes and times
// come back to the nanosecond, and a link stays a link.
func TestPutAndBack(t *testing.T) {
	tr := newTree(t, "etc/conf", "etc/link -> conf", "etc/sub/x")
	file := tr.HostPath("/etc/conf")
	old := time.Date(2020, 1, 2, 3, 4, 5, 678901234, time.UTC)
	if os.Geteuid() == 0 {
		if err := os.Chown(file, 12, 34); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(file, 0o640|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	withAttr := unix.Setxattr(file, "user.comment", []byte("kept\x00exactly"), 0) == nil
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	before := image(t, tr, "/etc/conf")
	if withAttr && len(before.XAttrs) == 0 {
		t.Error("the attribute is not in the snapshot")
	}
	after := before
	after.Data, after.MTime = []byte("new content"), time.Time{}
	put(t, tr, "/etc/conf", after)
	now := image(t, tr, "/etc/conf")
	if string(now.Data) != "new content" || now.Mode != before.Mode || now.UID != before.UID || now.GID != before.GID {
		t.Errorf("after Put: %+v", now)
	}
	if withAttr && !bytes.Equal(now.XAttrs["user.comment"], before.XAttrs["user.comment"]) {
		t.Errorf("attributes lost: %v", now.XAttrs)
	}
	if now.MTime.Equal(before.MTime) {
		t.Error("a change should have a new time")
	}
	put(t, tr, "/etc/conf", before)
	if now = image(t, tr, "/etc/conf"); !now.Same(before) || !now.MTime.Equal(before.MTime) {
		t.Errorf("put back: %+v\nwant     %+v", now, before)
	}

	link := image(t, tr, "/etc/link")
	put(t, tr, "/etc/link", Image{Kind: Absent})
	if image(t, tr, "/etc/link").Kind != Absent || image(t, tr, "/etc/conf").Kind != File {
		t.Error("removing a link must leave its target")
	}
	put(t, tr, "/etc/link", link)
	if now := image(t, tr, "/etc/link"); !now.Same(link) || !now.MTime.Equal(link.MTime) {
		t.Errorf("link put back: %+v, want %+v", now, link)
	}
	noTemps(t, tr, "/etc")
}

func TestPutKinds(t *testing.T) {
	tr := newTree(t, "d/x", "f", "l -> f")
	me := Image{Mode: 0o755, UID: os.Getuid(), GID: os.Getgid()}
	dir := me
	dir.Kind, dir.MTime = DirKind, time.Unix(1e9, 5)
	put(t, tr, "/new", dir)
	if got := image(t, tr, "/new"); !got.Same(dir) || !got.MTime.Equal(dir.MTime) {
		t.Errorf("new directory: %+v", got)
	}
	put(t, tr, "/new", Image{Kind: Absent})
	put(t, tr, "/new", Image{Kind: Absent}) // already gone
	for _, c := range []struct {
		name string
		img  Image
	}{
		{"/d", Image{Kind: Absent}}, // not empty
		{"/d", Image{Kind: File}},
		{"/f", Image{Kind: DirKind}},
		{"/", Image{Kind: Absent}},
		{"/f", Image{Kind: Other}},
		{"/none/x", Image{Kind: File}},
	} {
		if err := tr.Put(c.name, c.img); err == nil {
			t.Errorf("Put(%s, %s) succeeded", c.name, c.img.Kind)
		}
	}
	if string(image(t, tr, "/d/x").Data) != "d/x" || string(image(t, tr, "/f").Data) != "f" {
		t.Error("a refused Put changed something")
	}
	long := "/" + strings.Repeat("n", 255)
	put(t, tr, long, Image{Kind: File, Mode: 0o600, UID: os.Getuid(), GID: os.Getgid()})
	noTemps(t, tr, "/")
}

func TestIsTemp(t *testing.T) {
	for name, want := range map[string]bool{
		newTemp("condarc"): true, newTemp(".condarc"): true, newTemp(strings.Repeat("x", 255)): true,
		".condarc": false, "trustfix": false, ".x.trustfix-": false, "x.trustfix-0123456789abcdef": false,
	} {
		if IsTemp(name) != want || len(name) > 255 {
			t.Errorf("IsTemp(%q) = %v (%d bytes)", name, !want, len(name))
		}
	}
}

func BenchmarkReadFile(b *testing.B) {
	root := b.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "etc/ssl/certs"), 0o755), os.WriteFile(filepath.Join(root, "etc/ssl/certs/ca.crt"), make([]byte, 220<<10), 0o644)); err != nil {
		b.Fatal(err)
	}
	tr, err := openTree(root, os.Geteuid())
	if err != nil {
		b.Fatal(err)
	}
	defer tr.top.close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tr.ReadFile("/etc/ssl/certs/ca.crt"); err != nil {
			b.Fatal(err)
		}
	}
}
