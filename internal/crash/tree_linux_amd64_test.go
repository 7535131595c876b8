package crash

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// node is everything that "byte for byte as before" means for one path.
type node struct {
	what string // kind, mode, owner, names, link, attributes, content
	time int64  // of the last change, ns
	dir  bool
}

// tree are the nodes below a root, less what the state directory holds and the
// time of the directory that it was made in.
type tree map[string]node

const stateDir = "/var/lib/trustfix"

// look reads a tree. It is written here again on purpose: the program's own eyes are not a witness.
func look(t *testing.T, root string) tree {
	t.Helper()
	out := tree{}
	err := filepath.WalkDir(root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
		if name == stateDir {
			return fs.SkipDir
		}
		n, err := readNode(p)
		if name == filepath.Dir(stateDir) {
			n.time = 0
		}
		out[name] = n
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readNode(p string) (node, error) {
	fi, err := os.Lstat(p)
	if err != nil {
		return node{}, err
	}
	st := fi.Sys().(*syscall.Stat_t)
	n := node{time: fi.ModTime().UnixNano(), dir: fi.IsDir()}
	var content []byte
	switch {
	case fi.Mode().IsRegular():
		content, err = os.ReadFile(p)
		n.what = fmt.Sprintf(" %d names, %d bytes", st.Nlink, len(content))
	case fi.Mode()&fs.ModeSymlink != 0:
		var link string
		link, err = os.Readlink(p)
		n.what = " -> " + link
	}
	n.what = fmt.Sprintf("%v %d:%d%s sha256 %.8x%s", fi.Mode(), st.Uid, st.Gid, n.what, sha256.Sum256(content), attributes(p))
	return n, err
}

func attributes(p string) string {
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(p, buf)
	if err != nil || n == 0 {
		return ""
	}
	names := strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00")
	slices.Sort(names)
	var out strings.Builder
	for _, name := range names {
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(p, name, value)
		fmt.Fprintf(&out, " %s=%x (%v)", name, value[:max(n, 0)], err)
	}
	return out.String()
}

// diff are the paths that differ.
func (a tree) diff(b tree) string {
	var out strings.Builder
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		if a[p] != b[p] {
			fmt.Fprintf(&out, "%s\n  %s %d\n  %s %d\n", p, a[p].what, a[p].time, b[p].what, b[p].time)
		}
	}
	return out.String()
}

// standing is how a tree stands after the run that follows a fault.
type standing string

const (
	asBefore  standing = "old"
	asAfter   standing = "new"
	someSteps standing = "some" // some steps as after, the others as before
	torn      standing = "torn"
)

// stand compares a tree with the ones before and after a run. steps are the
// places that each step of the run changes: all of them are as before, or all
// are as after. Where something was done, the times of what was changed say
// nothing.
func (a tree) stand(before, after tree, steps [][]string) standing {
	if maps.Equal(a, before) {
		return asBefore
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	maps.Copy(all, a)
	old, done := make([]bool, len(steps)), make([]bool, len(steps))
	for p := range all {
		i := slices.IndexFunc(steps, func(roots []string) bool {
			return slices.ContainsFunc(roots, func(r string) bool { return p == r || strings.HasPrefix(p, r+"/") })
		})
		switch {
		case before[p] == after[p] || before[p].dir && before[p].what == after[p].what:
			if a[p].what != before[p].what || !a[p].dir && a[p].time != before[p].time {
				return torn
			}
		case i < 0:
			return torn
		case a[p].what == after[p].what:
			done[i] = true
		case a[p] == before[p]:
			old[i] = true
		default:
			return torn
		}
	}
	for i := range steps {
		if old[i] == done[i] {
			return torn
		}
	}
	switch {
	case !slices.Contains(old, true):
		return asAfter
	case !slices.Contains(done, true):
		return asBefore
	}
	return someSteps
}

var temporary = regexp.MustCompile(`^\..*\.trustfix-[0-9a-f]{16}$|\.tmp$`)

// leftovers are temporary files anywhere below the directories.
func leftovers(t *testing.T, dirs ...string) (left []string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
			if err == nil && temporary.MatchString(filepath.Base(p)) {
				left = append(left, p)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// duplicate copies a tree with everything that node has.
func duplicate(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "tree")
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp -a: %v %s", err, bytes.TrimSpace(out))
	}
	return to
}

func put(t *testing.T, name string, data []byte, mode fs.FileMode) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, data, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
