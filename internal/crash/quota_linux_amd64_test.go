package crash

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// quotaDisk is a subvolume of a small btrfs: what it may take is limited for
// everybody, root too.
type quotaDisk struct {
	t    *testing.T
	dir  string
	fd   int    // of the directory above it, where no limit holds
	used string // the file in which the kernel says how much of the quota is taken
}

// newQuotaDisk makes and mounts one. What it needs is a kernel with btrfs and
// mkfs.btrfs, which CI has to have where the kernel does.
func newQuotaDisk(t *testing.T) *quotaDisk {
	t.Helper()
	need(t)
	kinds, err := os.ReadFile("/proc/filesystems")
	if err != nil || !bytes.Contains(kinds, []byte("\tbtrfs\n")) {
		t.Skip("the kernel has no btrfs")
	}
	mkfs, err := exec.LookPath("mkfs.btrfs")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("mkfs.btrfs is missing: scripts/ci-setup.sh installs it")
	}
	if err != nil {
		t.Skip("mkfs.btrfs is not here")
	}
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 128<<20); err != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{{mkfs, "-q", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v %s", argv, err, out)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	d := &quotaDisk{t: t, dir: filepath.Join(dir, "limited")}
	if d.fd, err = unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(d.fd) })
	const enable, create = 0xc0109428, 0x5000940e // BTRFS_IOC_QUOTA_CTL, BTRFS_IOC_SUBVOL_CREATE
	d.ioctl(enable, []uint64{1, 0})
	name := make([]uint64, 512)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&name[1])), 4088), "limited")
	d.ioctl(create, name)
	groups, err := filepath.Glob("/sys/fs/btrfs/*/qgroups/0_256/referenced")
	if err != nil || len(groups) != 1 {
		t.Skipf("the kernel does not say what of a quota is taken: %v %v", groups, err)
	}
	d.used = groups[0]
	return d
}

func (d *quotaDisk) ioctl(request uintptr, args []uint64) {
	d.t.Helper()
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(d.fd), request, uintptr(unsafe.Pointer(&args[0]))); errno != 0 {
		d.t.Fatalf("ioctl %#x: %v", request, errno)
	}
}

// leave limits what may be taken to that much more than there is now; negative:
// no limit.
func (d *quotaDisk) leave(more int64) {
	d.t.Helper()
	if err := unix.Syncfs(d.fd); err != nil {
		d.t.Fatal(err)
	}
	data, err := os.ReadFile(d.used)
	if err != nil {
		d.t.Fatal(err)
	}
	used, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		d.t.Fatal(err)
	}
	limit := uint64(used + more)
	if more < 0 {
		limit = ^uint64(0) // takes the limit away
	}
	const set, group, referenced = 0x8030942b, 256, 1 // BTRFS_IOC_QGROUP_LIMIT, the first subvolume, BTRFS_QGROUP_LIMIT_MAX_RFER
	d.ioctl(set, []uint64{group, referenced, limit, 0, 0, 0})
}

// A real quota runs out, at whatever call it does: the same is asked of the run
// as where a tracer lets one call fail with EDQUOT.
func TestRealQuota(t *testing.T) {
	disk := newQuotaDisk(t)
	t.Setenv("TMPDIR", disk.dir) // every tree of this test is there
	m := settings.make(t)
	out := map[standing]int{}
	for kilobytes := int64(0); out[asAfter] == 0; kilobytes += 32 {
		if kilobytes > 4096 {
			t.Fatal("4 MB are not enough")
		}
		t.Run(fmt.Sprintf("%d kB", kilobytes), func(t *testing.T) {
			root := duplicate(t, m.found)
			disk.leave(kilobytes << 10)
			p := point{root: root, fault: fault{errno: syscall.EDQUOT, onwards: true}, at: &call{}}
			p.code, p.output = run(t, m.repair(root)...)
			disk.leave(-1)
			out[m.applies().after(t, p)]++
			if left := leftovers(t, root); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
			if t.Failed() {
				t.Logf("exit %d:\n%s", p.code, p.output)
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Log(out)
	if out[asBefore] == 0 || out[torn] > 0 {
		t.Errorf("with every quota: %v", out)
	}
}
