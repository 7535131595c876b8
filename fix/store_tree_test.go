package fix

import (
	"context"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
		platformtest.WriteFile(h, sysSource+sourceName(r), platformtest.PEM(r))
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
		"usr/local/share/ca-certificates/own.crt":   platformtest.PEM(platformtest.Root(t, "Own CA")),
		"var/lib/dpkg/info/ca-certificates.list":    "/.\n/usr/share/doc/ca-certificates/examples/ca-certificates-local/local/Local_Root_CA.crt\n",
		"etc/ca-certificates/update.d/jks-keystore": "",
	}
	conf := "# what the package selects\n"
	for i := range 5 {
		c := platformtest.Root(t, fmt.Sprintf("Root %d", i))
		s.roots = append(s.roots, c)
		files[strings.TrimPrefix(sysSource, "/")+sourceName(c)] = platformtest.PEM(c)
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
