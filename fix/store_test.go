package fix

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

const (
	sysBundle = "/etc/ssl/certs/ca-certificates.crt"
	sysConf   = "/etc/ca-certificates.conf"
	sysSource = "/usr/share/ca-certificates/"
	sysOwn    = "/usr/local/share/ca-certificates/"
)

func newRoot(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(1.7e9, 0), NotAfter: time.Unix(2.5e9, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func certPEM(cs ...*x509.Certificate) string {
	var s string
	for _, c := range cs {
		s += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return s
}

// storeTree is a Debian system with a healthy store, made by the same scripted
// tool that repairs it.
type storeTree struct {
	t     *testing.T
	roots []*x509.Certificate
	h     *platform.Host
	net   *platformtest.Net
}

func sourceName(c *x509.Certificate) string {
	return "mozilla/" + strings.ReplaceAll(c.Subject.CommonName, " ", "_") + ".crt"
}

// debianTool is update-ca-certificates as Debian 12 has it: with its habits of
// leaving the old bundle when there is nothing to put in, of making hash links
// only when a link was added, and of ending with status 0 in any case.
func debianTool(h *platform.Host, c platform.Cmd) (platform.Output, error) {
	dir := path.Dir(sysBundle)
	names, err := h.Files.ReadDir(dir)
	if err != nil {
		return platform.Output{}, &platform.ExitError{Argv: c.Argv, Code: 2, Stderr: "can't cd to " + dir}
	}
	var wrote error
	put := func(name string, img platform.Image) {
		if err := h.Write.Put(name, img); err != nil {
			wrote = err
		}
	}
	if slices.Contains(c.Argv, "--fresh") {
		for _, n := range names {
			if img, _ := h.Files.Snapshot(path.Join(dir, n)); img.Kind == platform.Link && n != path.Base(sysBundle) {
				put(path.Join(dir, n), platform.Image{Kind: platform.Absent})
			}
		}
	}
	var bundle []byte
	add := func(file string) {
		data, err := h.Files.ReadFile(file)
		if err != nil {
			return
		}
		bundle = append(bundle, data...)
		link := path.Join(dir, strings.TrimSuffix(path.Base(file), ".crt")+".pem")
		if img, _ := h.Files.Snapshot(link); img.Kind == platform.Absent {
			put(link, platform.Image{Kind: platform.Link, Link: file})
			for _, cert := range bundles.Read(data).Certs {
				put(path.Join(dir, detect.SubjectHash(cert.RawSubject)+".0"), platform.Image{Kind: platform.Link, Link: path.Base(link)})
			}
		}
	}
	conf, _ := h.Files.ReadFile(sysConf)
	for _, l := range detect.ParseConf(conf) {
		if link := path.Join(dir, strings.TrimSuffix(path.Base(l.Name), ".crt")+".pem"); l.Off {
			if img, _ := h.Files.Snapshot(link); img.Kind == platform.Link {
				put(link, platform.Image{Kind: platform.Absent})
			}
			continue
		}
		add(sysSource + l.Name)
	}
	own, _ := h.Files.ReadDir(sysOwn)
	for _, n := range own {
		if strings.HasSuffix(n, ".crt") {
			add(sysOwn + n)
		}
	}
	if len(bundle) > 0 {
		put(sysBundle, platform.Image{Kind: platform.File, Mode: 0o644, Data: bundle})
	}
	return platform.Output{}, wrote
}

// apt brings the package's files back and keeps deselections, as the real one does.
func (s *storeTree) apt(h *platform.Host, c platform.Cmd) (platform.Output, error) {
	conf, err := h.Files.ReadFile(sysConf)
	for _, r := range s.roots {
		platformtest.WriteFile(h, sysSource+sourceName(r), certPEM(r))
		if err != nil || !strings.Contains(string(conf), sourceName(r)) {
			conf = append(conf, sourceName(r)+"\n"...)
		}
	}
	platformtest.WriteFile(h, sysConf, string(conf))
	if img, err := h.Files.Snapshot("/usr/sbin/update-ca-certificates"); err != nil || img.Kind == platform.Absent {
		if err := h.Write.Put("/usr/sbin/update-ca-certificates", platform.Image{Kind: platform.File, Mode: 0o755, Data: []byte("#!/bin/sh\n")}); err != nil {
			return platform.Output{}, err
		}
	}
	for _, a := range c.Argv {
		if file, ok := strings.CutPrefix(a, "Acquire::https::CAInfo="); ok {
			if data, err := h.Files.ReadFile(file); err != nil || len(bundles.Read(data).Certs) < len(s.roots) {
				s.t.Errorf("%s: %v", a, err)
			}
		}
	}
	_, _ = debianTool(h, c)
	// The exit status of the real one says as little.
	return platform.Output{}, &platform.ExitError{Argv: c.Argv, Code: 100, Stderr: "E: Sub-process returned an error code"}
}

func newStoreTree(t *testing.T, sources string, opts ...platformtest.Option) *storeTree {
	t.Helper()
	s := &storeTree{t: t, net: &platformtest.Net{}}
	files := map[string]string{
		"etc/os-release": "ID=debian\nVERSION_ID=12\n", "etc/passwd": "root:x:0:0::/root:/bin/sh\n", "root/.profile": "",
		"var/lib/dpkg/status":             "Package: ca-certificates\nStatus: install ok installed\n\n",
		"var/lib/apt/lists/x_Packages":    "",
		"usr/sbin/update-ca-certificates": "#!/bin/sh\n", "usr/bin/openssl": "", "usr/bin/apt-get": "",
		"etc/apt/sources.list":                      sources + "\n",
		"etc/ssl/certs/keep":                        "",
		"usr/local/share/ca-certificates/own.crt":   certPEM(newRoot(t, "Own CA")),
		"var/lib/dpkg/info/ca-certificates.list":    "/.\n/usr/share/doc/ca-certificates/examples/ca-certificates-local/local/Local_Root_CA.crt\n",
		"etc/ca-certificates/update.d/jks-keystore": "",
	}
	conf := "# what the package selects\n"
	for i := range 5 {
		c := newRoot(t, fmt.Sprintf("Root %d", i))
		s.roots = append(s.roots, c)
		files[strings.TrimPrefix(sysSource, "/")+sourceName(c)] = certPEM(c)
		conf += sourceName(c) + "\n"
	}
	files["etc/ca-certificates.conf"] = conf
	a := &txtar.Archive{Comment: []byte("mode 0755 /usr/sbin/update-ca-certificates\nmode 0755 /usr/bin/openssl\nmode 0755 /usr/bin/apt-get\n")}
	for n, d := range files {
		a.Files = append(a.Files, txtar.File{Name: n, Data: []byte(d)})
	}
	simple := func(f func(h *platform.Host, name string) error) platformtest.Program {
		return platformtest.Program{Optional: true, Do: func(h *platform.Host, c platform.Cmd) (platform.Output, error) {
			return platform.Output{}, f(h, c.Argv[len(c.Argv)-1])
		}}
	}
	opts = append([]platformtest.Option{platformtest.Network(s.net), platformtest.Script(platformtest.Programs{
		"update-ca-certificates": {Optional: true, Do: debianTool},
		"apt-get update":         {Optional: true},
		"apt-get":                {Optional: true, Do: s.apt},
		"apt-cache":              {Optional: true, Stdout: "ca-certificates:\n  Installed: 1\n  Candidate: 1\n"},
		"dpkg --purge --force-depends ca-certificates": {Optional: true, Do: func(h *platform.Host, _ platform.Cmd) (platform.Output, error) {
			return platform.Output{}, h.Write.Put("/usr/sbin/update-ca-certificates", platform.Image{Kind: platform.Absent})
		}},
		"mkdir": simple(func(h *platform.Host, n string) error {
			return h.Write.Put(n, platform.Image{Kind: platform.DirKind, Mode: 0o755})
		}),
		"rmdir": simple(func(h *platform.Host, n string) error { return h.Write.Put(n, platform.Image{Kind: platform.Absent}) }),
		"chmod": simple(func(h *platform.Host, n string) error { return os.Chmod(h.Files.HostPath(n), 0o755) }),
	})}, opts...)
	s.h = platformtest.New(t, a, opts...)
	if _, err := debianTool(s.h, platform.Cmd{}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *storeTree) host(name string) string { return s.h.Files.HostPath(name) }

func (s *storeTree) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *storeTree) edit(name string, f func(string) string) {
	s.t.Helper()
	data, err := s.h.Files.ReadFile(name)
	s.must(err)
	s.must(os.WriteFile(s.host(name), []byte(f(string(data))), 0o644))
}

func (s *storeTree) remove(names ...string) {
	s.t.Helper()
	for _, n := range names {
		s.must(os.RemoveAll(s.host(n)))
	}
}

// unlink removes the links of the certificate directory: the hash links, or all.
func (s *storeTree) unlink(all bool) {
	s.t.Helper()
	names, err := s.h.Files.ReadDir(path.Dir(sysBundle))
	s.must(err)
	for _, n := range names {
		if img, _ := s.h.Files.Snapshot(path.Join(path.Dir(sysBundle), n)); img.Kind == platform.Link && (all || !strings.HasSuffix(n, ".pem")) {
			s.remove(path.Join(path.Dir(sysBundle), n))
		}
	}
}

func (s *storeTree) diagnose(o detect.Options) *detect.Report {
	s.t.Helper()
	if o.Refs == nil {
		o.Refs = bundles.NewRoots(s.roots...)
	}
	offline := o.Offline
	o.Offline = true // the endpoints are nobody's business here
	o.Only = []string{"store-missing", "store-unreadable", "store-empty", "store-corrupt", "store-compromised-root", "store-deselected", "store-stale", "store-unindexed"}
	r, err := detect.Run(context.Background(), s.h.View, o)
	s.must(err)
	r.Options.Offline = offline
	return r
}

// outline writes a plan as "fix: kind target" and "$ command" lines.
func outline(p *Plan) string {
	var out []string
	for _, st := range p.Steps {
		if st.Manual != nil {
			out = append(out, st.Fix.ID+": manual: "+st.Manual.Why.String())
			continue
		}
		for _, a := range st.Actions {
			if len(a.Do) == 0 {
				out = append(out, fmt.Sprintf("%s: %s %s", st.Fix.ID, a.Kind, a.Target))
			}
			for _, c := range a.Do {
				out = append(out, st.Fix.ID+": $ "+strings.Join(c.Argv, " "))
			}
		}
	}
	return strings.Join(out, "\n")
}

// tree is every path with kind, mode, link and content, but for the programs'
// own records.
func (s *storeTree) tree() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	root := s.h.Files.HostPath("/")
	s.must(filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		img, err := s.h.Files.Snapshot("/" + filepath.ToSlash(rel))
		out[rel] = fmt.Sprintf("%s %o %s %s", img.Kind, img.Mode, img.Link, img.SHA256)
		return err
	}))
	return out
}

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
	lost := newRoot(t, "Newer Root")
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
	corp := newRoot(t, "Corp CA")
	s.edit(sysBundle, func(d string) string { return certPEM(corp) + d[:len(d)-100] })
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

func TestReselectOnlyWhatWasNamed(t *testing.T) {
	s := newStoreTree(t, "")
	s.edit(sysConf, func(d string) string {
		d = strings.Replace(d, "\nmozilla/Root_0", "\n!mozilla/Root_0", 1)
		return strings.Replace(d, "\nmozilla/Root_1.crt\n", "\n!mozilla/Root_1.crt\r\n", 1) + "# end, no newline"
	})
	r := s.diagnose(detect.Options{})
	p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
	s.must(err)
	if len(p.Steps) != 0 || len(r.Findings) != 2 {
		t.Errorf("without consent: %d findings, plan %q", len(r.Findings), outline(p))
	}
	before, err := s.h.Files.ReadFile(sysConf)
	s.must(err)
	r = s.diagnose(detect.Options{Consented: []string{bundles.Fingerprint(s.roots[1].Raw)}})
	p, err = Make(context.Background(), &Input{View: s.h.View, Report: r})
	s.must(err)
	if len(p.Steps) != 1 {
		t.Fatalf("plan %q", outline(p))
	}
	want := strings.Replace(string(before), "!mozilla/Root_1", "mozilla/Root_1", 1)
	if got := string(p.Steps[0].Actions[0].After.Data); got != want {
		t.Errorf("conf becomes\n%s\nwant\n%s", got, want)
	}
}

func TestDistrustRoot(t *testing.T) {
	bad, err := os.ReadFile("../bundles/testdata/trustcor-eca-1.crt")
	if err != nil {
		t.Fatal(err)
	}
	superfish, err := os.ReadFile("../bundles/testdata/badssl/ca-superfish.crt")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		broken func(s *storeTree)
		want   string
	}{
		{
			"among the administrator's own", func(s *storeTree) { platformtest.WriteFile(s.h, sysOwn+"sf.crt", string(superfish)) },
			"distrust-root: file " + sysOwn + "sf.crt\ndistrust-root: $ update-ca-certificates --fresh",
		},
		{"in a file with others", func(s *storeTree) {
			platformtest.WriteFile(s.h, sysOwn+"own.crt", certPEM(newRoot(s.t, "Own CA"))+string(superfish))
		}, "distrust-root: file " + sysOwn + "own.crt\ndistrust-root: $ update-ca-certificates --fresh"},
		{"in the package", func(s *storeTree) {
			platformtest.WriteFile(s.h, sysSource+"mozilla/Superfish.crt", string(superfish))
			s.edit(sysConf, func(d string) string { return d + "mozilla/Superfish.crt\n" })
		}, "distrust-root: file " + sysConf + "\ndistrust-root: $ update-ca-certificates --fresh"},
		{"only in the bundle", func(s *storeTree) {}, "distrust-root: file " + sysBundle},
		{
			"removed for cause, put there by somebody", func(s *storeTree) { platformtest.WriteFile(s.h, sysOwn+"tc.crt", string(bad)) },
			"distrust-root: file " + sysOwn + "tc.crt\ndistrust-root: $ update-ca-certificates --fresh",
		},
		{"removed for cause, still in the package", func(s *storeTree) {
			platformtest.WriteFile(s.h, sysSource+"mozilla/TrustCor.crt", string(bad))
			s.edit(sysConf, func(d string) string { return d + "mozilla/TrustCor.crt\n" })
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStoreTree(t, "")
			tt.broken(s)
			s.unlink(true)
			_, err := debianTool(s.h, platform.Cmd{})
			s.must(err)
			if tt.name == "only in the bundle" {
				s.edit(sysBundle, func(d string) string { return d + string(superfish) })
			}
			r := s.diagnose(detect.Options{})
			if len(r.Findings) == 0 || r.Findings[0].ID != "store-compromised-root" {
				t.Fatalf("findings: %v", r.Findings)
			}
			p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
			s.must(err)
			if got := outline(p); got != tt.want {
				t.Fatalf("plan\n%s\nwant\n%s", got, tt.want)
			}
			if tt.want == "" {
				return
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
			after := s.diagnose(detect.Options{}).Stores[0]
			if own := slices.ContainsFunc(after.Certs, func(c *x509.Certificate) bool { return c.Subject.CommonName == "Own CA" }); !own || after.Roots != 6 {
				t.Errorf("%d roots, own CA %v", after.Roots, own)
			}
		})
	}
}

func TestOSStoreAddCA(t *testing.T) {
	s := newStoreTree(t, "")
	corp := newRoot(t, "Ünï Corp / CA")
	in := &Input{View: s.h.View, Report: s.diagnose(detect.Options{})}
	actions, err := osStoreAddCA(in, corp)
	s.must(err)
	if len(actions) != 2 || !strings.HasPrefix(actions[0].Target, sysOwn+"trustfix-n-corp--ca-") || !strings.HasSuffix(actions[0].Target, ".crt") {
		t.Errorf("actions %+v", actions)
	}
	superfish, err := os.ReadFile("../bundles/testdata/badssl/ca-superfish.crt")
	s.must(err)
	if c := bundles.Read(superfish).Certs; len(c) > 0 {
		var manual *Manual
		if _, err := osStoreAddCA(in, c[0].Certificate); !errors.As(err, &manual) {
			t.Errorf("a compromised root was accepted: %v", err)
		}
	}
	// Row 23: nor one that is too weak to be a root.
	ca := platformtest.NewCA(t, "Old Corp", nil)
	weak, err := x509.ParseCertificate(ca.LeafFor(t, platformtest.WeakRSA(t), "Old Corp"))
	s.must(err)
	md5 := *corp
	md5.SignatureAlgorithm = x509.MD5WithRSA
	for _, c := range []*x509.Certificate{weak, &md5} {
		var manual *Manual
		if _, err := osStoreAddCA(in, c); !errors.As(err, &manual) || !strings.Contains(manual.Why.String(), "too weak for a root") {
			t.Errorf("a weak root was accepted: %v", err)
		}
	}
	view := *s.h.View
	view.OS = "windows"
	actions, err = osStoreAddCA(&Input{View: &view, Report: in.Report}, corp)
	s.must(err)
	if got := strings.Join(actions[0].Do[0].Argv, " "); got != "certutil -addstore -f ROOT {ca.crt}" || actions[0].Kind != CertAction {
		t.Errorf("windows: %s", got)
	}
	view.OS = "darwin"
	var manual *Manual
	if _, err := osStoreAddCA(&Input{View: &view, Report: in.Report}, corp); !errors.As(err, &manual) {
		t.Errorf("macOS: %v", err)
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
	if _, err := osStoreAddCA(in, newRoot(t, "A")); err == nil {
		t.Error("a CA was added to a generated store")
	}
}

// Every family's package manager gets the reference roots for its own https,
// or the bundle first where it has no option for that.
func TestPackageManagersOverride(t *testing.T) {
	for _, tt := range []struct {
		release, program, repoFile, repo string
		want                             string
	}{
		{
			"fedora", "usr/bin/dnf", "etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://mirror.example/x\n",
			"$ dnf --setopt=sslcacert={roots} -y install ca-certificates\n$ update-ca-trust extract",
		},
		{
			"alpine", "sbin/apk", "etc/apk/repositories", "https://mirror.example/x\n",
			"$ apk add --no-cache ca-certificates ca-certificates-bundle SSL_CERT_FILE={roots}\n$ update-ca-certificates --fresh SSL_CERT_FILE={roots}",
		},
		{
			"arch", "usr/bin/pacman", "etc/pacman.d/mirrorlist", "Server = https://mirror.example/$repo\n",
			"file /etc/ca-certificates/extracted/tls-ca-bundle.pem\nlink /etc/ssl/cert.pem\n$ pacman -Sy --noconfirm ca-certificates-utils ca-certificates ca-certificates-mozilla\n$ update-ca-trust",
		},
	} {
		h := platformtest.New(t, fmt.Sprintf("mode 0755 /%s\n-- etc/os-release --\nID=%s\n-- etc/passwd --\nroot:x:0:0::/root:/bin/sh\n-- %s --\n-- %s --\n%s", tt.program, tt.release, tt.program, tt.repoFile, tt.repo),
			platformtest.Network(&platformtest.Net{Gets: map[string]platformtest.Get{"mirror.example": {Response: &platform.Response{}}}}))
		r := &detect.Report{Options: detect.Options{Refs: bundles.NewRoots(newRoot(t, "A"))}}
		actions, err := installStore.Plan(context.Background(), &Input{View: h.View, Report: r}, []detect.Finding{{ID: "store-missing"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range actions {
			if len(a.Do) == 0 {
				got = append(got, string(a.Kind)+" "+a.Target)
			}
			for _, c := range a.Do {
				if c.Argv[0] == "mkdir" {
					continue
				}
				line := "$ " + strings.Join(c.Argv, " ")
				for _, e := range c.Env {
					if strings.Contains(e, "{roots}") {
						line += " " + e
					}
				}
				got = append(got, line)
			}
		}
		want := strings.Replace(tt.want, "--fresh SSL_CERT_FILE={roots}", "--fresh", 1)
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.release, strings.Join(got, "\n"), want)
		}
	}
}

func TestLocalRepository(t *testing.T) {
	for s, want := range map[string]bool{"file:/srv/repo": true, "file:///srv": true, "copy:/x": true, "cdrom:[x]/": true, "http://x/": false, "https://x/": false} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if local(u) != want {
			t.Errorf("%s: %v", s, local(u))
		}
	}
}
