package fix

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trustfix/platform"
)

var (
	traced  = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	fdPath  = regexp.MustCompile(`^(?:AT_FDCWD|\d+)<([^>]*)>`)
	renames = regexp.MustCompile(`^\d+<([^>]*)>, "([^"]*)", \d+<([^>]*)>, "([^"]*)"`)
)

// Row 3: a SIGKILL leaves the page cache, so it proves nothing about power
// loss. The order of the calls does: content and metadata are synchronised
// before a rename, the directory after it and before the next record, no
// target is truncated, and nothing in the tree changes before its intent is safe.
func TestOrderOfSynchronisation(t *testing.T) {
	k := newKiller(t)
	h := freshTree(t)()
	log := filepath.Join(t.TempDir(), "log")
	if err := k.run(t, h, "apply", "-y", "-s", "0", "-o", log,
		"-e", "trace=write,fsync,renameat,renameat2,fchmod,fchown,fsetxattr,utimensat,openat"); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dirty := map[string]bool{} // changed after its last fsync
	intents, renamed := 0, 0
	for s := bufio.NewScanner(f); s.Scan(); {
		m := traced.FindStringSubmatch(s.Text())
		if m == nil || strings.HasPrefix(m[3], "-") {
			continue
		}
		on := ""
		if p := fdPath.FindStringSubmatch(m[2]); p != nil {
			on = p[1]
		}
		ours := strings.HasPrefix(on, h.Root) || strings.HasPrefix(on, h.State.Path())
		switch m[1] {
		case "openat":
			if strings.Contains(m[2], "O_TRUNC") && strings.HasPrefix(on, h.Root) {
				t.Errorf("a target is truncated: %s", s.Text())
			}
		case "write", "fchmod", "fchown", "fsetxattr", "utimensat":
			if ours && platform.IsTemp(filepath.Base(on)) {
				dirty[on] = true
			}
		case "fsync":
			delete(dirty, on)
		case "renameat", "renameat2":
			p := renames.FindStringSubmatch(m[2])
			if p == nil {
				t.Fatalf("unread: %s", s.Text())
			}
			from, to := filepath.Join(p[1], p[2]), filepath.Join(p[3], p[4])
			if dirty[from] {
				t.Errorf("renamed before it was synchronised: %s", to)
			}
			for d := range dirty {
				if strings.HasPrefix(d, "dir:") {
					t.Errorf("%s: the directory %s was not synchronised before", to, d[4:])
				}
			}
			dirty["dir:"+p[3]] = true
			renamed++
			if strings.HasSuffix(to, ".intent") {
				intents++
			}
			if strings.HasPrefix(to, h.Root) && intents == 0 {
				t.Errorf("%s was changed before there was an intent", to)
			}
			if strings.HasSuffix(to, "/commit") && intents != 3 {
				t.Errorf("committed after %d intents", intents)
			}
		}
		if m[1] == "fsync" {
			delete(dirty, "dir:"+on)
		}
	}
	if renamed < 12 || len(dirty) > 0 {
		t.Errorf("%d renames seen; not synchronised at the end: %v", renamed, dirty)
	}
}
