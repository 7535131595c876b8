package fix

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func TestStoreFixes(t *testing.T) {
	const rebuild = "$ update-ca-certificates --fresh"
	const localRepo, remoteRepo = "deb [trusted=yes] file:/srv/repo ./", "deb https://mirror.example/debian bookworm main"
	for _, tt := range []struct {
		name    string
		sources string
		offline bool
		answers bool // the mirror does
		broken  func(s *storeTree)
		want    string
	}{
		{"missing", localRepo, false, false, func(s *storeTree) { s.remove(sysBundle) }, "rebuild-store: " + rebuild},
		{"dangling", localRepo, false, false, func(s *storeTree) {
			s.remove(sysBundle)
			s.must(os.Symlink("/nonexistent/x", s.host(sysBundle)))
		}, "rebuild-store: " + rebuild},
		{
			"the whole directory gone", localRepo, false, false, func(s *storeTree) { s.remove(path.Dir(sysBundle)) },
			"rebuild-store: $ mkdir -p -m 0755 /etc/ssl/certs\nrebuild-store: " + rebuild,
		},
		{"empty", localRepo, false, false, func(s *storeTree) { s.edit(sysBundle, func(string) string { return "" }) }, "rebuild-store: " + rebuild},
		{"truncated", localRepo, false, false, func(s *storeTree) { s.edit(sysBundle, func(d string) string { return d[:900] }) }, "rebuild-store: " + rebuild},
		{"an empty directory in its place", localRepo, false, false, func(s *storeTree) {
			s.remove(sysBundle)
			s.must(os.Mkdir(s.host(sysBundle), 0o755))
		}, "rebuild-store: $ rmdir " + sysBundle + "\nrebuild-store: " + rebuild},
		{"mode", localRepo, false, false, func(s *storeTree) { s.must(os.Chmod(s.host(sysBundle), 0o600)) }, "rebuild-store: file " + sysBundle},
		{
			"mode of the directory", localRepo, false, false, func(s *storeTree) { s.must(os.Chmod(s.host(path.Dir(sysBundle)), 0o700)) },
			"rebuild-store: $ chmod a+rx /etc/ssl/certs",
		},
		{"hash links gone", localRepo, false, false, func(s *storeTree) { s.unlink(false) }, "rebuild-store: " + rebuild},
		{"conf gone", localRepo, false, false, func(s *storeTree) {
			s.remove(sysConf, sysBundle)
			s.unlink(true)
		}, "reinstall-store: $ apt-get update\nreinstall-store: $ apt-get install -y --no-install-recommends --reinstall ca-certificates\nreinstall-store: " + rebuild},
		{
			"sources gone, mirror over https", remoteRepo, false, true, func(s *storeTree) { s.remove(sysSource+"mozilla", sysBundle) },
			"reinstall-store: $ apt-get -o Acquire::https::CAInfo={roots} update\nreinstall-store: $ apt-get -o Acquire::https::CAInfo={roots} install -y --no-install-recommends --reinstall ca-certificates\nreinstall-store: " + rebuild,
		},
		{"sources gone, mirror does not answer", remoteRepo, false, false, func(s *storeTree) {
			s.remove(sysSource+"mozilla", sysBundle)
			s.unlink(true)
		}, "reinstall-store: file " + sysBundle},
		{"sources gone, offline", remoteRepo, true, false, func(s *storeTree) {
			s.remove(sysSource+"mozilla", sysBundle)
			s.unlink(true)
		}, "reinstall-store: file " + sysBundle},
		{"sources gone, a dangling link, offline", remoteRepo, true, false, func(s *storeTree) {
			s.remove(sysSource+"mozilla", sysBundle)
			s.unlink(true)
			s.must(os.Symlink("/nonexistent/x", s.host(sysBundle)))
		}, "reinstall-store: link " + sysBundle},
		{"not installed", localRepo, false, false, func(s *storeTree) {
			s.remove(sysSource, sysBundle, sysConf, "/usr/sbin/update-ca-certificates")
			s.unlink(true)
			s.edit("/var/lib/dpkg/status", func(string) string { return "" })
		}, "install-store: $ apt-get update\ninstall-store: $ apt-get install -y --no-install-recommends ca-certificates\ninstall-store: " + rebuild},
		{"no package manager", localRepo, false, false, func(s *storeTree) {
			s.remove(sysSource+"mozilla", sysBundle, "/etc/apt/sources.list")
			s.unlink(true)
		}, "reinstall-store: file " + sysBundle},
		{"everything deselected", localRepo, false, false, func(s *storeTree) {
			s.edit(sysConf, func(d string) string { return strings.ReplaceAll(d, "\nmozilla", "\n!mozilla") })
			s.edit(sysBundle, func(string) string { return "" })
			s.unlink(true)
		}, "reselect-roots: file " + sysConf + "\nreselect-roots: " + rebuild},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStoreTree(t, tt.sources)
			if tt.answers {
				s.net.Gets = map[string]platformtest.Get{"mirror.example": {Response: &platform.Response{Status: 200}}}
			} else if strings.Contains(tt.want, "file "+sysBundle) && !tt.offline && tt.sources == remoteRepo {
				s.net.Gets = map[string]platformtest.Get{"mirror.example": {Err: errors.New("no route to host")}}
			}
			tt.broken(s)
			broken := s.tree()
			r := s.diagnose(detect.Options{Offline: tt.offline})
			if len(r.Findings) == 0 {
				t.Fatal("nothing was found")
			}
			p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
			s.must(err)
			if got := outline(p); got != tt.want {
				t.Fatalf("plan\n%s\nwant\n%s", got, tt.want)
			}
			if tt.offline && len(s.net.Contacted()) > 0 {
				t.Errorf("offline, and contacted %q", s.net.Contacted())
			}
			run, err := Apply(context.Background(), s.h, p, ApplyOptions{
				Verify: func(ctx context.Context, v *platform.View, st *Step) ([]detect.Finding, error) {
					return detect.Recheck(ctx, v, r.Options, st.Of(r))
				},
			})
			s.must(err)
			if run.State != RunApplied {
				t.Fatalf("run %s: %+v", run.State, run.Steps)
			}
			if left := s.diagnose(detect.Options{Offline: tt.offline}).Findings; len(left) > 0 {
				t.Errorf("left: %s %s", left[0].ID, left[0].Summary)
			}
			own := false
			for _, c := range s.diagnose(detect.Options{}).Stores[0].Certs {
				own = own || c.Subject.CommonName == "Own CA"
			}
			if !own {
				t.Error("the administrator's own CA is lost")
			}
			if _, err := Rollback(context.Background(), s.h, run.ID, false); err != nil {
				t.Fatalf("rollback: %v", err)
			}
			back := s.tree()
			for p, want := range broken {
				if back[p] != want {
					t.Errorf("after rollback %s is %q, was %q", p, back[p], want)
				}
			}
			for p := range back {
				if _, ok := broken[p]; !ok {
					t.Errorf("after rollback there is %s", p)
				}
			}
		})
	}
}

// A needed root that no package brings comes from the roots inside trustfix,
// and only it; where nobody needs one, nothing is added.
func TestStoreFixStale(t *testing.T) {
	s := newStoreTree(t, "deb [trusted=yes] file:/srv/repo ./")
	lost := platformtest.Root(t, "Newer Root")
	r := s.diagnose(detect.Options{Refs: bundles.NewRoots(append(slices.Clone(s.roots), lost)...)})
	st := r.SystemStore()
	plan := func() ([]Action, error) {
		return reinstallStore.Plan(context.Background(), &Input{View: s.h.View, Report: r}, []detect.Finding{{ID: "store-stale", Store: st}})
	}
	var manual *Manual
	if _, err := plan(); !errors.As(err, &manual) {
		t.Errorf("nobody needs it: %v", err)
	}
	st.Needed = []*x509.Certificate{lost}
	actions, err := plan()
	s.must(err)
	want := sysOwn + "trustfix-newer-root-" + bundles.Fingerprint(lost.Raw)[:16] + ".crt"
	if len(actions) != 2 || actions[0].Target != want || actions[1].Do[0].Argv[0] != "update-ca-certificates" {
		t.Errorf("actions %+v", actions)
	}
	// A damaged package is worth installing again.
	s.edit("/var/lib/dpkg/info/ca-certificates.list", func(string) string { return sysSource + "mozilla/Gone.crt\n" })
	if actions, err = plan(); err != nil || len(actions) != 1 || actions[0].Kind != CommandAction {
		t.Errorf("damaged package: %v, %v", actions, err)
	}
}

// A certificate that stands only in the damaged bundle is kept if the user
// names it, and not otherwise.
func TestStoreFixKeepsWhatTheUserNames(t *testing.T) {
	s := newStoreTree(t, "deb [trusted=yes] file:/srv/repo ./")
	corp := platformtest.Root(t, "Corp CA")
	s.edit(sysBundle, func(d string) string { return platformtest.PEM(corp) + d[:len(d)-100] })
	for _, consent := range [][]string{nil, {bundles.Fingerprint(corp.Raw)}} {
		r := s.diagnose(detect.Options{Consented: consent})
		if len(r.Findings) != 1 || !strings.Contains(fmt.Sprint(r.Findings[0].Evidence), "Corp CA") {
			t.Fatalf("the finding does not say what a rebuild drops: %v", r.Findings)
		}
		p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
		s.must(err)
		kept := strings.Contains(outline(p), "file "+sysOwn+"trustfix-corp-ca-")
		if kept != (consent != nil) {
			t.Errorf("consent %v: plan %s", consent, outline(p))
		}
	}
}

func TestManagedStoreIsRefused(t *testing.T) {
	h := platformtest.New(t, "link /etc/ssl/certs/ca-certificates.crt -> /nix/store/gone\n-- etc/NIXOS --\n-- etc/passwd --\nroot:x:0:0::/root:/bin/sh\n")
	in := &Input{View: h.View, Report: &detect.Report{}}
	for _, f := range []*Fix{rebuildStore, reinstallStore, installStore, reselectRoots, distrustRoot} {
		var manual *Manual
		if _, err := f.Plan(context.Background(), in, []detect.Finding{{ID: "store-missing"}}); !errors.As(err, &manual) || !strings.Contains(manual.Do.String(), "nixos-rebuild switch") {
			t.Errorf("%s: %v", f.ID, err)
		}
	}
	if _, err := osStoreAddCA(in, platformtest.Root(t, "A")); err == nil {
		t.Error("a CA was added to a generated store")
	}
}
