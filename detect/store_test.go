package detect

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func TestStore(t *testing.T) {
	foreign := platformtest.Root(t, "Somebody's CA")
	deselect := func(s string, n int) string { // the first n entries
		for i := range n {
			s = strings.Replace(s, fmt.Sprintf("\nmozilla/Root_%d.crt", i), fmt.Sprintf("\n!mozilla/Root_%d.crt", i), 1)
		}
		return s
	}
	for _, tt := range []struct {
		name   string
		broken func(d *debian)
		status StoreStatus
		roots  int
		want   string
	}{
		{"healthy", func(*debian) {}, StoreOK, 5, ""},
		{"an administrator's CA besides", func(d *debian) {
			d.files[localDir+"corp.crt"] = platformtest.PEM(foreign)
			d.files[bundleFile] += platformtest.PEM(foreign)
			d.index(foreign, localDir+"corp.crt")
		}, StoreOK, 6, ""},
		{
			"missing", func(d *debian) { d.without(bundleFile) }, StoreMissing, 0,
			"store-missing error " + bundleFile + " auto rebuild-store",
		},
		{"dangling link", func(d *debian) {
			d.without(bundleFile)
			d.links[bundleFile] = "/nonexistent/x"
		}, StoreMissing, 0, "store-missing error " + bundleFile + " auto rebuild-store"},
		{"missing with its sources", func(d *debian) {
			d.without(bundleFile, vendorFile(d.roots[0]), vendorFile(d.roots[1]), vendorFile(d.roots[2]), vendorFile(d.roots[3]), vendorFile(d.roots[4]))
		}, StoreMissing, 0, "store-missing error " + bundleFile + " auto reinstall-store"},
		{
			"missing with its conf", func(d *debian) { d.without(bundleFile, confFile) }, StoreMissing, 0,
			"store-missing error " + bundleFile + " auto reinstall-store",
		},
		{
			"missing with openssl, without which the tool leaves no bundle", func(d *debian) { d.without(bundleFile, "/usr/bin/openssl") },
			StoreMissing, 0, "store-missing error " + bundleFile + " auto reinstall-store",
		},
		{
			"missing with the tool", func(d *debian) { d.without(bundleFile, "/usr/sbin/update-ca-certificates") }, StoreMissing, 0,
			"store-missing error " + bundleFile + " auto reinstall-store",
		},
		{"package not installed", func(d *debian) {
			d.unhash(true)
			for f := range d.files {
				if strings.Contains(f, "ca-certificates") {
					d.without(f)
				}
			}
			d.files["/var/lib/dpkg/status"] = ""
		}, StoreMissing, 0, "store-missing error " + bundleFile + " auto install-store"},
		{
			"empty beside a good hash directory", func(d *debian) { d.files[bundleFile] = "" }, StoreEmpty, 0,
			"store-empty error " + bundleFile + " auto rebuild-store",
		},
		{
			"only a comment", func(d *debian) { d.files[bundleFile] = "# roots\n\n" }, StoreEmpty, 0,
			"store-empty error " + bundleFile + " auto rebuild-store",
		},
		{
			"truncated", func(d *debian) { d.files[bundleFile] = d.files[bundleFile][:len(platformtest.PEM(d.roots[:2]...))+100] }, StoreCorrupt, 2,
			"store-corrupt error " + bundleFile + " auto rebuild-store",
		},
		{
			"not PEM", func(d *debian) { d.files[bundleFile] = string(d.roots[0].Raw) }, StoreCorrupt, 0,
			"store-corrupt error " + bundleFile + " auto rebuild-store",
		},
		{
			"an error page", func(d *debian) { d.files[bundleFile] = "<html>404</html>\n" }, StoreCorrupt, 0,
			"store-corrupt error " + bundleFile + " auto rebuild-store",
		},
		{
			"BOM", func(d *debian) { d.extra = append(d.extra, "bom "+bundleFile) }, StoreCorrupt, 4,
			"store-corrupt error " + bundleFile + " auto rebuild-store",
		},
		{
			"head cut off", func(d *debian) { d.files[bundleFile] = d.files[bundleFile][100:] }, StoreCorrupt, 4,
			"store-corrupt error " + bundleFile + " auto rebuild-store",
		},
		{"CRLF is fine", func(d *debian) { d.extra = append(d.extra, "crlf "+bundleFile) }, StoreOK, 5, ""},
		{"twice by --default is fine", func(d *debian) { d.files[bundleFile] += d.files[bundleFile] }, StoreOK, 5, ""},
		{"DER under .crt", func(d *debian) {
			d.files[localDir+"corp.crt"] = string(foreign.Raw)
			d.files[bundleFile] += string(foreign.Raw) + "\n"
		}, StoreCorrupt, 5, "store-corrupt warning " + localDir + "corp.crt manual"},
		{"BOM in the administrator's file", func(d *debian) {
			d.files[localDir+"corp.crt"] = "\xef\xbb\xbf" + platformtest.PEM(foreign)
			d.files[bundleFile] += "\xef\xbb\xbf" + platformtest.PEM(foreign)
		}, StoreCorrupt, 5, "store-corrupt error " + localDir + "corp.crt manual"},
		{"two BOMs, one of them nobody's", func(d *debian) {
			d.files[localDir+"corp.crt"] = "\xef\xbb\xbf" + platformtest.PEM(foreign)
			d.files[bundleFile] = "\xef\xbb\xbf" + d.files[bundleFile] + "\xef\xbb\xbf" + platformtest.PEM(foreign)
		}, StoreCorrupt, 4, "store-corrupt error " + localDir + "corp.crt manual\nstore-corrupt error " + bundleFile + " auto rebuild-store"},
		{
			"mode 0600", func(d *debian) { d.extra = append(d.extra, "mode 0600 "+bundleFile) }, StoreUnreadable, 5,
			"store-unreadable error " + bundleFile + " auto rebuild-store",
		},
		{
			"directory 0700", func(d *debian) { d.extra = append(d.extra, "mode 0700 /etc/ssl/certs") }, StoreUnreadable, 5,
			"store-unreadable error " + bundleFile + " auto rebuild-store",
		},
		{"a directory in its place", func(d *debian) {
			d.without(bundleFile)
			d.extra = append(d.extra, "dir "+bundleFile)
		}, StoreUnreadable, 0, "store-unreadable error " + bundleFile + " auto rebuild-store"},
		{"a FIFO in its place", func(d *debian) {
			d.without(bundleFile)
			d.extra = append(d.extra, "fifo "+bundleFile)
		}, StoreUnreadable, 0, "store-unreadable error " + bundleFile + " manual"},
		{
			"hash links gone", func(d *debian) { d.unhash(false) }, StoreUnindexed, 5,
			"store-unindexed warning /etc/ssl/certs auto rebuild-store",
		},
		{"conf gone: links cleared, the old bundle stays", func(d *debian) {
			d.unhash(true)
			d.without(confFile)
		}, StoreUnindexed, 5, "store-unindexed warning /etc/ssl/certs auto reinstall-store"},
		{"sources gone: every link dangles", func(d *debian) {
			for _, c := range d.roots {
				d.without(vendorFile(c))
			}
		}, StoreUnindexed, 5, "store-unindexed warning /etc/ssl/certs auto reinstall-store"},
		{"a bundle from outside the package has nothing to index", func(d *debian) {
			d.unhash(true)
			for _, c := range d.roots {
				d.without(vendorFile(c))
			}
		}, StoreOK, 5, ""},
		{"a certificate that was appended by hand gets no link", func(d *debian) { d.files[bundleFile] += platformtest.PEM(foreign) }, StoreOK, 6, ""},
		{"several certificates in one .crt", func(d *debian) {
			d.files[localDir+"two.crt"] = platformtest.PEM(foreign, platformtest.Root(t, "Second"))
			d.files[bundleFile] += d.files[localDir+"two.crt"]
		}, StoreOK, 7, "store-unindexed warning " + localDir + "two.crt manual"},
		{
			"one deselected, the old bundle still good", func(d *debian) { d.files[confFile] = deselect(d.files[confFile], 1) }, StoreDeselected, 5,
			"store-deselected warning " + confFile + ":2 consent reselect-roots",
		},
		{"two deselected and gone", func(d *debian) {
			d.files[confFile] = deselect(d.files[confFile], 2)
			d.files[bundleFile] = platformtest.PEM(d.roots[2:]...)
		}, StoreDeselected, 3, "store-deselected warning " + confFile + ":2 consent reselect-roots\nstore-deselected warning " + confFile + ":3 consent reselect-roots"},
		{"most deselected: links go, the old bundle stays", func(d *debian) {
			d.files[confFile] = deselect(d.files[confFile], 5)
			d.unhash(true)
		}, StoreDeselected, 5, "store-deselected warning " + confFile + ":2 auto reselect-roots"},
		{"most deselected by cloud-init", func(d *debian) {
			d.files[confFile] = "# Modified by cloud-init to deselect certs due to user-data\n" + deselect(d.files[confFile], 5)
		}, StoreDeselected, 5, "store-deselected warning " + confFile + ":3 manual"},
		{"all deselected on Debian 11: a 0-byte bundle", func(d *debian) {
			d.files[confFile] = deselect(d.files[confFile], 5)
			d.files[bundleFile] = ""
		}, StoreEmpty, 0, "store-empty error " + bundleFile + " auto reselect-roots\nstore-deselected warning " + confFile + ":2 auto reselect-roots"},
		{"a root that is no reference root may be deselected", func(d *debian) {
			d.files[vendorFile(foreign)] = platformtest.PEM(foreign)
			d.files[confFile] += "!mozilla/Somebody's_CA.crt\n!mozilla/long-gone.crt\n"
		}, StoreOK, 5, ""},
		{
			"one lost from the bundle", func(d *debian) { d.files[bundleFile] = platformtest.PEM(d.roots[1:]...) }, StoreOK, 4,
			"store-stale info " + bundleFile + " none",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDebian(t, 5)
			refs := d.refs()
			tt.broken(d)
			h := d.make(t)
			r := storeReport(h.View, refs)
			fs := storeFindings(t, h.View, r)
			if got := briefly(fs); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			s := r.SystemStore()
			if s.Status != tt.status || s.Roots != tt.roots {
				t.Errorf("status %s with %d roots, want %s with %d", s.Status, s.Roots, tt.status, tt.roots)
			}
			keys := map[string]bool{}
			for _, f := range fs {
				if keys[f.Key()] {
					t.Errorf("two findings for %q", f.Key())
				}
				keys[f.Key()] = true
				if f.ID == "store-empty" && f.Fix == "reselect-roots" && f.CausedBy != "store-deselected" {
					t.Errorf("%s: caused by %q", f.ID, f.CausedBy)
				}
			}
		})
	}
}

// An ordinary user sees the mode, too, where the file cannot be opened.
func TestStoreUnreadableByUser(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root can read everything: the mode alone is judged")
	}
	d := newDebian(t, 3)
	d.extra = append(d.extra, "mode 0000 "+bundleFile)
	h := d.make(t, platformtest.NotElevated())
	r := storeReport(h.View, d.refs())
	if s := r.SystemStore(); s.Status != StoreUnreadable {
		t.Errorf("status %s", s.Status)
	}
}

func TestStoreStale(t *testing.T) {
	d := newDebian(t, 30)
	lost := d.roots[0]
	d.files[bundleFile] = platformtest.PEM(d.roots[1:]...)
	use := func(root *x509.Certificate, kind string, fault chain.Fault) *Endpoint {
		u := &url.URL{Scheme: "https", Host: "mirror.example"}
		e := &Endpoint{Parsed: u, Target: platform.Endpoint{Host: "mirror.example", Port: 443}}
		e.Reference.OK, e.Reference.Root = true, root
		e.Clients = []ClientVerdict{{Client: &client.Client{Name: "curl", Trust: client.Trust{Kind: kind}}, Fault: fault}}
		return e
	}
	for _, tt := range []struct {
		name     string
		endpoint *Endpoint
		bundle   []*x509.Certificate
		sources  bool
		conf     string // name taken out of conf
		want     string
	}{
		{"nobody needs it", use(d.roots[3], "os", chain.FaultNone), d.roots[1:], true, "", "store-stale info " + bundleFile + " none"},
		{"needed", use(lost, "os", chain.FaultClient), d.roots[1:], true, "", "store-stale error " + bundleFile + " auto rebuild-store"},
		{"needed, source gone", use(lost, "os", chain.FaultClient), d.roots[1:], false, "", "store-stale error " + bundleFile + " auto reinstall-store"},
		{"needed, conf does not name it", use(lost, "os", chain.FaultClient), d.roots[1:], true, "mozilla/Root_0.crt\n", "store-stale error " + bundleFile + " auto reinstall-store"},
		{"needed by a client with roots of its own", use(lost, "certifi", chain.FaultClient), d.roots[1:], true, "", "store-stale info " + bundleFile + " none"},
		{"the server needs it, its clients know another path", use(lost, "os", chain.FaultNone), d.roots[1:], true, "", "store-stale info " + bundleFile + " none"},
		{"21 lost", nil, d.roots[21:], true, "", "store-stale warning " + bundleFile + " auto rebuild-store"},
		{"20 lost", nil, d.roots[20:], true, "", "store-stale info " + bundleFile + " none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d2 := *d
			d2.files = map[string]string{}
			for k, v := range d.files {
				d2.files[k] = v
			}
			d2.files[bundleFile] = platformtest.PEM(tt.bundle...)
			if !tt.sources {
				delete(d2.files, vendorFile(lost))
			}
			d2.files[confFile] = strings.Replace(d2.files[confFile], tt.conf, "", 1)
			h := d2.make(t)
			r := storeReport(h.View, d.refs())
			if tt.endpoint != nil {
				r.Endpoints = []*Endpoint{tt.endpoint}
			}
			if got := briefly(storeFindings(t, h.View, r)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// A root with a distrust-after date is nobody's lack: PEM cannot carry the date.
func TestStoreStaleLeavesConstrainedRootsOut(t *testing.T) {
	d := newDebian(t, 3)
	refs := d.refs()
	refs.Add(bundles.Root{Cert: platformtest.Root(t, "Sunset"), Constraint: func([]*x509.Certificate) error { return nil }})
	h := d.make(t)
	if got := briefly(storeFindings(t, h.View, storeReport(h.View, refs))); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestStoreCompromised(t *testing.T) {
	data, err := os.ReadFile("../bundles/testdata/badssl/ca-superfish.crt")
	if err != nil {
		t.Fatal(err)
	}
	d := newDebian(t, 3)
	d.files[localDir+"superfish.crt"] = string(data)
	d.files[bundleFile] += string(data)
	c := bundles.Read(data)
	if len(c.Certs) > 0 {
		d.index(c.Certs[0].Certificate, localDir+"superfish.crt")
	}
	h := d.make(t)
	fs := storeFindings(t, h.View, storeReport(h.View, d.refs()))
	if got, want := briefly(fs), "store-compromised-root error "+bundleFile+" auto distrust-root"; got != want {
		t.Errorf("got %s", got)
	}
	if len(fs) > 0 && !strings.Contains(fs[0].Evidence[0].String(), "B6:FE:91:51") {
		t.Errorf("evidence: %s", fs[0].Evidence[0])
	}
	// Deselected before the next rebuild: still there, and not an administrator's fault.
	d.files[confFile] += "!mozilla/Superfish.crt\n"
	d.files["/usr/share/ca-certificates/mozilla/Superfish.crt"] = string(data)
	h = d.make(t)
	if got := briefly(storeFindings(t, h.View, storeReport(h.View, d.refs()))); strings.Contains(got, "store-deselected") {
		t.Errorf("a compromised root is refused rightly: %s", got)
	}
}

// The user's word for the SHA-256 turns an administrator's deselection into a repair.
func TestStoreDeselectedWithConsent(t *testing.T) {
	d := newDebian(t, 5)
	d.files[confFile] = strings.Replace(d.files[confFile], "\nmozilla/Root_0", "\n!mozilla/Root_0", 1)
	h := d.make(t)
	r := storeReport(h.View, d.refs())
	r.Options.Consented = []string{bundles.Fingerprint(d.roots[0].Raw)}
	if got, want := briefly(storeFindings(t, h.View, r)), "store-deselected warning "+confFile+":2 auto reselect-roots"; got != want {
		t.Errorf("got %s", got)
	}
	r.Options.Consented = []string{bundles.Fingerprint(d.roots[1].Raw)}
	if got := briefly(storeFindings(t, h.View, r)); !strings.Contains(got, "consent") {
		t.Errorf("consent to another root is no consent: %s", got)
	}
}

func TestStoreBlocklist(t *testing.T) {
	root, other := platformtest.Root(t, "A"), platformtest.Root(t, "B")
	tree := func(name, data string) *txtar.Archive {
		return &txtar.Archive{
			Comment: []byte("mode 0755 /usr/bin/update-ca-trust\nlink /etc/pki/ca-trust/source/blacklist -> blocklist\n"),
			Files: []txtar.File{
				{Name: "etc/os-release", Data: []byte("ID=fedora\n")},
				{Name: "etc/passwd", Data: []byte("root:x:0:0::/root:/bin/sh\n")},
				{Name: "usr/bin/update-ca-trust", Data: []byte("#!/bin/sh\n")},
				{Name: "usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit", Data: []byte(platformtest.PEM(root, other))},
				{Name: "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", Data: []byte(platformtest.PEM(other))},
				{Name: "etc/pki/ca-trust/source/blocklist/" + name, Data: []byte(data)},
			},
		}
	}
	for name, data := range map[string]string{"a.pem": platformtest.PEM(root), "a.der": string(root.Raw)} {
		a := tree(name, data)
		if name == "a.der" {
			a.Files[len(a.Files)-1].Data = []byte(data)
		}
		h := platformtest.New(t, a)
		got := briefly(storeFindings(t, h.View, storeReport(h.View, bundles.NewRoots(root, other))))
		want := "store-deselected warning /etc/pki/ca-trust/source/blocklist/" + name + " consent reselect-roots"
		if name == "a.der" && got == "" {
			continue // txtar adds a final newline to what is not text: not DER any more
		}
		if got != want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestStoreManagedAndContainer(t *testing.T) {
	h := platformtest.New(t, "link /etc/ssl/certs/ca-certificates.crt -> /nix/store/gone\n-- etc/NIXOS --\n-- etc/passwd --\nroot:x:0:0::/root:/bin/sh\n")
	fs := storeFindings(t, h.View, storeReport(h.View, bundles.NewRoots(platformtest.Root(t, "A"))))
	if got, want := briefly(fs), "store-missing error "+bundleFile+" manual"; got != want {
		t.Errorf("got %s", got)
	}
	d := newDebian(t, 3)
	d.without(bundleFile)
	d.files["/usr/bin/apt-get"] = "#!/bin/sh\n"
	d.extra = append(d.extra, "mode 0755 /usr/bin/apt-get")
	h = d.make(t, platformtest.Container("docker"))
	fs = storeFindings(t, h.View, storeReport(h.View, d.refs()))
	if want := "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates"; len(fs) != 1 || fs[0].Advice[len(fs[0].Advice)-1].String() != want {
		t.Errorf("no Dockerfile line: %+v", fs)
	}
}

// Every state's sentences exist and name what they are about.
func BenchmarkGatherStores(b *testing.B) {
	d := newDebian(b, 140)
	h := d.make(b)
	refs := d.refs()
	for b.Loop() {
		if s := gatherStores(context.Background(), h.View, refs); s[0].Status != StoreOK {
			b.Fatal(s[0].Status)
		}
	}
}
