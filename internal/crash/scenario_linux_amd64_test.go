package crash

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/platform/platformtest"
)

// scenario is a broken machine and what an apply does to it.
type scenario struct {
	name  string
	tree  string // txtar, with the directives of platformtest
	setup func(t *testing.T, m *made)
	steps [][]string // the places that each step changes
	code  int        // of the apply
	roots string     // the reference roots, in the tree; "": the built-in ones
}

// made is a scenario with its trees: as found, and after an apply.
type made struct {
	scenario
	found, applied string // directories
	before, after  tree
	consent        string // SHA-256 of a CA; with it the network, which is loopback, is asked
}

func (s scenario) make(t *testing.T) *made {
	need(t)
	m := &made{scenario: s, found: filepath.Join(t.TempDir(), "tree")}
	if err := platformtest.Extract(txtar.Parse([]byte(s.tree)), m.found); err != nil {
		t.Fatal(err)
	}
	if s.setup != nil {
		s.setup(t, m)
	}
	m.before = look(t, m.found)
	m.applied = duplicate(t, m.found)
	if d := m.before.diff(look(t, m.applied)); d != "" {
		t.Fatalf("the copy differs:\n%s", d)
	}
	if code, out := run(t, m.repair(m.applied)...); code != s.code {
		t.Fatalf("apply: exit %d\n%s", code, out)
	}
	m.after = look(t, m.applied)
	if got := m.after.stand(m.before, m.after, m.steps); got != asAfter && len(m.steps) > 0 || got != asBefore && len(m.steps) == 0 {
		t.Fatalf("the steps of this test are not those of the run: %s\n%s", got, m.before.diff(m.after))
	}
	return m
}

// trustfix is the program on that tree.
func (m *made) trustfix(root string, args ...string) []string {
	argv := []string{program, "--root", root, "--user", "lin", "--lang", "en"}
	if m.roots != "" {
		argv = append(argv, "--reference-roots", filepath.Join(root, m.roots))
	}
	return append(argv, args...)
}

// repair is the apply.
func (m *made) repair(root string) []string {
	if m.consent != "" {
		return m.trustfix(root, "--apply", "--trust-ca", m.consent)
	}
	return m.trustfix(root, "--apply", "--offline")
}

func (m *made) rollback(root string) []string { return m.trustfix(root, "rollback") }

// recovery is a run that has nothing to do but what an earlier one left.
func (m *made) recovery(root string) []string {
	return m.trustfix(root, "--apply", "--offline", "--only", "pin-expired")
}

func copyOf(dir string) func(t *testing.T) string {
	return func(t *testing.T) string { return duplicate(t, dir) }
}

// cut is a tree whose run was killed at its call at.
func (m *made) cut(t *testing.T, from string, at int, argv func(root string) []string) string {
	t.Helper()
	root := duplicate(t, from)
	if o := trace(t, []string{root}, fault{at: at}, environment, argv(root)...); o.code != killed {
		t.Fatalf("not killed at %d: exit %d\n%s", at, o.code, o.output)
	}
	return root
}

// calls are those of a run on a tree.
func (m *made) calls(t *testing.T, from string, argv func(root string) []string) []*call {
	t.Helper()
	root := duplicate(t, from)
	o := trace(t, []string{root}, fault{}, environment, argv(root)...)
	for _, c := range o.calls {
		c.path, c.to = inside(root, c.path), inside(root, c.to)
	}
	return o.calls
}

// inside is a host path as seen inside a root.
func inside(root, p string) string {
	if rel, err := filepath.Rel(root, p); err == nil && p != "" {
		return filepath.Join("/", rel)
	}
	return p
}

// standing compares a tree that has to be whole.
func (m *made) standing(t *testing.T, root string) standing {
	t.Helper()
	now := look(t, root)
	how := now.stand(m.before, m.after, m.steps)
	if how == torn {
		t.Logf("before, and now:\n%s", m.before.diff(now))
	}
	return how
}

// undo rolls back what may be left; the tree is then exactly as before.
func (m *made) undo(t *testing.T, root string) {
	t.Helper()
	must(t, m.rollback(root)...)
	m.original(t, root)
}

func (m *made) original(t *testing.T, root string) {
	t.Helper()
	if now := look(t, root); !maps.Equal(now, m.before) {
		t.Errorf("not as before the run:\n%s", m.before.diff(now))
	}
}

// settings is a machine whose users switched verification off in many places,
// and whose store is gone together with the tool that makes it. It has what a
// change may lose: links, owners, attributes, modes, times, second names.
var settings = scenario{
	name: "settings, key, new store",
	tree: `
link /home/lin/.condarc -> dots/condarc
hardlink /home/lin/notes2 /home/lin/notes
mode 0640 /home/lin/.npmrc
mode 0644 /srv/key.pem
owner 1000:1000 /home/lin
owner 1000:1000 /srv
xattr user.origin=here /home/lin/dots/condarc
xattr user.origin=there /srv/key.pem
mtime 2021-03-04T05:06:07.123456789Z /home/lin/dots/condarc
mtime 2020-03-04T05:06:07.987654321Z /home/lin/dots
mtime 2019-03-04T05:06:07.000000001Z /etc
-- etc/os-release --
ID=fedora
VERSION_ID=42
-- etc/passwd --
root:x:0:0:root:/root:/bin/sh
lin:x:1000:1000::/home/lin:/bin/sh
-- etc/environment --
REQUESTS_CA_BUNDLE=/srv/gone.pem
EDITOR=vi
-- home/lin/notes --
two names
-- home/lin/dots/condarc --
# mine
ssl_verify: false
always_yes: true
client_ssl_cert: /srv/cert.pem
client_ssl_cert_key: /srv/key.pem
-- home/lin/.config/pip/pip.conf --
[global]
trusted-host = pypi.org
timeout = 3
-- home/lin/.npmrc --
strict-ssl=false
loglevel=warn
-- home/lin/.gitconfig --
[http]
	sslVerify = false
[user]
	name = lin
-- home/lin/.curlrc --
insecure
retry = 2
-- srv/key.pem --
-----BEGIN PRIVATE KEY-----
AAAA
-----END PRIVATE KEY-----
-- var/lib/x --
-- root/x --
`,
	steps: [][]string{
		{"/etc/pki"},
		{"/home/lin/dots/condarc"},
		{"/home/lin/.config"},
		{"/home/lin/.npmrc"},
		{"/home/lin/.gitconfig"},
		{"/home/lin/.curlrc"},
		{"/etc/environment"},
		{"/srv/key.pem"},
	},
}

// store is a machine whose own tool makes the store again: a program that
// writes over what is there, as those tools do.
var store = scenario{
	name: "store, by the system's tool",
	tree: `
link /etc/ssl/certs/stale.pem -> /usr/share/ca-certificates/gone.crt
mtime 2021-03-04T05:06:07.123456789Z /etc/ssl/certs
-- etc/os-release --
ID=alpine
-- etc/passwd --
root:x:0:0:root:/root:/bin/sh
lin:x:1000:1000::/home/lin:/bin/sh
-- etc/ca-certificates.conf --
one.crt
two.crt
three.crt
-- etc/ssl/certs/ca-certificates.crt --
-- home/lin/.condarc --
ssl_verify: false
-- var/lib/x --
-- root/x --
-- run/x --
-- usr/local/share/ca-certificates/x --
`,
	steps: [][]string{{"/etc/ssl/certs"}, {"/home/lin/.condarc"}}, roots: "/srv/roots.pem",
	setup: func(t *testing.T, m *made) {
		root := m.found
		var roots []byte
		for _, name := range []string{"one", "two", "three"} {
			cert := pemOf(platformtest.NewCA(t, name, nil).Cert)
			put(t, filepath.Join(root, "usr/share/ca-certificates", name+".crt"), cert, 0o644)
			roots = append(roots, cert...)
		}
		put(t, filepath.Join(root, "srv/roots.pem"), roots, 0o644)
		tool, err := os.ReadFile(storetool)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(root, "usr/sbin/update-ca-certificates"), tool, 0o755)
	},
}

// brokenStore is the same with a tool that fails half-way: the run takes the
// step back by itself, and that is where the faults happen.
var brokenStore = scenario{
	name: "store, taken back by itself",
	tree: store.tree, code: 4, steps: [][]string{{"/home/lin/.condarc"}}, roots: store.roots,
	setup: func(t *testing.T, m *made) {
		store.setup(t, m)
		put(t, filepath.Join(m.found, "etc/broken"), nil, 0o644)
	},
}

// pin is a user's machine whose package index has a certificate of a private
// CA that the user consents to: a bundle is written for it, and named.
var pin = scenario{
	name: "private CA, pinned",
	tree: `
-- etc/os-release --
ID=debian
-- etc/passwd --
root:x:0:0:root:/root:/bin/sh
lin:x:1000:1000::/home/lin:/bin/sh
-- etc/ssl/certs/x --
-- home/lin/x --
-- var/lib/x --
-- root/x --
`,
	roots: "/srv/roots.pem", steps: [][]string{{"/etc/ssl/certs", "/home/lin/.config"}},
	setup: func(t *testing.T, m *made) {
		ca := platformtest.NewCA(t, "Example Private CA", nil)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		leaf := ca.LeafFor(t, &key.PublicKey, "127.0.0.1", platformtest.Between(time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)))
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf, ca.Cert.Raw}, PrivateKey: key}}}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		m.consent = sum(ca.Cert.Raw)
		put(t, filepath.Join(m.found, "home/lin/.config/pip/pip.conf"), []byte("[global]\nindex-url = "+server.URL+"/simple\n"), 0o644)
		public := pemOf(platformtest.NewCA(t, "one", nil).Cert)
		put(t, filepath.Join(m.found, "etc/ssl/certs/ca-certificates.crt"), public, 0o644)
		put(t, filepath.Join(m.found, m.roots), public, 0o644)
		if out, err := exec.Command("chown", "-R", "1000:1000", filepath.Join(m.found, "home/lin")).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	},
}
