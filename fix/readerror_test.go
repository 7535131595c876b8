package fix

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// failingDisk is a tree in which reading one path fails, as on a disk that is
// about to die, for once or for good; it notes what was read.
type failingDisk struct {
	platform.Files
	mu   sync.Mutex
	path string
	once bool
	read map[string]bool
}

func (d *failingDisk) fails(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read[name] = true
	if name != d.path {
		return nil
	}
	if d.once {
		d.path = ""
	}
	return &fs.PathError{Op: "read", Path: name, Err: syscall.EIO}
}

func (d *failingDisk) ReadFile(name string) ([]byte, error) {
	if err := d.fails(name); err != nil {
		return nil, err
	}
	return d.Files.ReadFile(name)
}

func (d *failingDisk) Snapshot(name string) (platform.Image, error) {
	if err := d.fails(name); err != nil {
		return platform.Image{}, err
	}
	return d.Files.Snapshot(name)
}

func (d *failingDisk) ReadDir(name string) ([]string, error) {
	if err := d.fails(name); err != nil {
		return nil, err
	}
	return d.Files.ReadDir(name)
}

// An error of the disk says nothing of what stands there. No plan may hold a
// change because of it that it would not hold without: a root store that could
// not be read for a moment must not be written anew, nor a setting be deleted
// because the bundle that it names could not be.
func TestReadErrorsAddNothing(t *testing.T) {
	s := newStoreTree(t, "")
	all := platformtest.PEM(s.roots...)
	for name, data := range map[string]string{
		"/srv/bundle.pem": all, "/srv/certs/one.pem": all, "/srv/more.pem": all,
		"/root/.condarc": "ssl_verify: /srv/bundle.pem\n", "/root/.npmrc": "cafile=/srv/bundle.pem\n",
		"/root/.config/pip/pip.conf": "[global]\ncert = /srv/bundle.pem\n", "/root/.gitconfig": "[http]\n\tsslCAInfo = /srv/bundle.pem\n",
		"/etc/environment": "NODE_EXTRA_CA_CERTS=/srv/more.pem\nSSL_CERT_FILE=/srv/bundle.pem\n",
		"/root/.curlrc":    "insecure\n",
	} {
		platformtest.WriteFile(s.h, name, data)
	}
	disk := &failingDisk{Files: s.h.Files, read: map[string]bool{}}
	s.h.Files = disk
	look := func() (*detect.Report, map[string]string) {
		r, err := detect.Run(t.Context(), s.h.View, detect.Options{Offline: true, Refs: bundles.NewRoots(s.roots...)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Make(t.Context(), &Input{View: s.h.View, Report: r})
		if err != nil {
			t.Fatal(err)
		}
		return r, changes(p)
	}
	_, whole := look()
	if len(whole) != 1 {
		t.Fatalf("all that is wrong here is curl's switch: %v", whole)
	}
	said := 0
	for _, p := range slices.Sorted(maps.Keys(disk.read)) {
		for _, once := range []bool{true, false} {
			disk.path, disk.once = p, once
			r, now := look()
			for change, why := range now {
				if whole[change] == "" {
					t.Errorf("%s cannot be read (once: %v), and so: %s %s", p, once, change, why)
				}
			}
			if slices.ContainsFunc(r.Findings, func(f detect.Finding) bool { return strings.Contains(fmt.Sprint(f.Evidence), "input/output error") }) {
				said++
			} else if len(now) < len(whole) {
				t.Errorf("%s cannot be read (once: %v): a change less, and nobody says why", p, once)
			}
		}
	}
	if said < 10 {
		t.Errorf("only %d times of %d is it said that something could not be read", said, 2*len(disk.read))
	}
}

// changes are what a plan does to each place, and why.
func changes(p *Plan) map[string]string {
	out := map[string]string{}
	for _, s := range p.Steps {
		if s.Manual != nil {
			continue
		}
		for _, a := range s.Actions {
			var found []string
			for _, i := range s.Findings {
				found = append(found, p.report.Findings[i].ID)
			}
			out[fmt.Sprintf("%s %s %s", s.Fix.ID, a.Kind, a.Target)] = fmt.Sprint(found, a.Summary)
		}
	}
	return out
}
