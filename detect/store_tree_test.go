package detect

import (
	"context"
	"crypto/x509"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// debian is a Debian system's store, to be broken before make.
type debian struct {
	roots []*x509.Certificate
	files map[string]string
	extra []string // directives of platformtest
	links map[string]string
}

const (
	bundleFile = "/etc/ssl/certs/ca-certificates.crt"
	confFile   = "/etc/ca-certificates.conf"
	localDir   = "/usr/local/share/ca-certificates/"
)

func vendorFile(c *x509.Certificate) string {
	return "/usr/share/ca-certificates/mozilla/" + strings.ReplaceAll(c.Subject.CommonName, " ", "_") + ".crt"
}

// newDebian is a healthy store of n roots.
func newDebian(t testing.TB, n int) *debian {
	d := &debian{files: map[string]string{
		"/etc/os-release": "ID=debian\nVERSION_ID=12\n", "/etc/passwd": "root:x:0:0::/root:/bin/sh\n",
		"/var/lib/dpkg/status":             "Package: ca-certificates\nStatus: install ok installed\n\n",
		"/usr/sbin/update-ca-certificates": "#!/bin/sh\n", "/usr/bin/openssl": "#!/bin/sh\n",
	}, links: map[string]string{}}
	conf := "# comment\n"
	for i := range n {
		c := platformtest.Root(t, fmt.Sprintf("Root %d", i))
		d.roots = append(d.roots, c)
		d.files[vendorFile(c)] = platformtest.PEM(c)
		conf += strings.TrimPrefix(vendorFile(c), "/usr/share/ca-certificates/") + "\n"
		d.index(c, vendorFile(c))
	}
	d.files[confFile] = conf
	d.files[bundleFile] = platformtest.PEM(d.roots...)
	d.extra = []string{"mode 0755 /usr/sbin/update-ca-certificates", "mode 0755 /usr/bin/openssl"}
	return d
}

// index makes the links that a rebuild makes.
func (d *debian) index(c *x509.Certificate, file string) {
	pemLink := "/etc/ssl/certs/" + strings.TrimSuffix(path.Base(file), ".crt") + ".pem"
	d.links[pemLink] = file
	d.links["/etc/ssl/certs/"+SubjectHash(c.RawSubject)+".0"] = path.Base(pemLink)
}

func (d *debian) without(names ...string) {
	for _, n := range names {
		delete(d.files, n)
		d.extra = slices.DeleteFunc(d.extra, func(e string) bool { return strings.HasSuffix(e, " "+n) })
	}
}

// unhash removes the hash links, and with all the .pem links too.
func (d *debian) unhash(all bool) {
	for l := range d.links {
		if all || !strings.HasSuffix(l, ".pem") {
			delete(d.links, l)
		}
	}
}

func (d *debian) make(t testing.TB, opts ...platformtest.Option) *platform.Host {
	t.Helper()
	a := &txtar.Archive{}
	lines := append([]string{"dir /etc/ssl/certs"}, d.extra...)
	for l, to := range d.links {
		lines = append(lines, "link "+l+" -> "+to)
	}
	a.Comment = []byte(strings.Join(lines, "\n") + "\n")
	for name, data := range d.files {
		a.Files = append(a.Files, txtar.File{Name: strings.TrimPrefix(name, "/"), Data: []byte(data)})
	}
	return platformtest.New(t, a, opts...)
}

func (d *debian) refs() *bundles.Roots { return bundles.NewRoots(d.roots...) }

// report gathers the store as Run does.
func storeReport(v *platform.View, refs *bundles.Roots) *Report {
	r := &Report{Options: Options{Refs: refs}}
	r.Stores = gatherStores(context.Background(), v, refs)
	return r
}

// storeFindings runs every check of the store.
func storeFindings(t testing.TB, v *platform.View, r *Report) []Finding {
	t.Helper()
	var out []Finding
	for _, c := range storeChecks {
		fs, err := c.Run(context.Background(), v, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fs {
			if f.ID != c.ID {
				t.Errorf("check %s yields %s", c.ID, f.ID)
			}
			if f.Action == Auto && f.Fix == "" || f.Action != Auto && f.Action != Consent && f.Fix != "" {
				t.Errorf("%s: action %s with fix %q", f.ID, f.Action, f.Fix)
			}
			if f.Action == Manual && len(f.Advice) == 0 {
				t.Errorf("%s: manual without advice", f.ID)
			}
		}
		out = append(out, fs...)
	}
	return out
}

// briefly writes findings as "id severity where action fix", one a line.
func briefly(fs []Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, strings.TrimRight(fmt.Sprintf("%s %s %s %s %s", f.ID, f.Severity, f.Where, f.Action, f.Fix), " "))
	}
	return strings.Join(out, "\n")
}
