package crash

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
)

// releaseKey is a throw-away key, as text.
func releaseKey() []byte {
	_, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	text, err := key.MarshalText()
	if err != nil {
		panic(err)
	}
	return text
}

func privateKey(text []byte) (key minisign.PrivateKey) {
	if err := key.UnmarshalText(text); err != nil {
		panic(err)
	}
	return key
}

func publicKey(text []byte) string {
	return privateKey(text).Public().(minisign.PublicKey).String()
}

// site is an installed trustfix 1.0.0 and a release server with 1.1.0.
type site struct {
	source, roots    string
	first, second    string // directories: as installed, and after an update
	oldBin, newBin   []byte
	oldNode, newNode node
}

func newSite(t *testing.T) *site {
	t.Helper()
	need(t)
	s := &site{first: filepath.Join(t.TempDir(), "site"), roots: filepath.Join(t.TempDir(), "server.pem")}
	for name, data := range map[string]*[]byte{program: &s.oldBin, newer: &s.newBin} {
		var err error
		if *data, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(s.first, "bin/trustfix"), s.oldBin, 0o755)
	put(t, filepath.Join(s.first, "bin/neighbour"), []byte("mine"), 0o644)
	if err := os.Chtimes(filepath.Join(s.first, "bin/trustfix"), time.Time{}, time.Unix(1.7e9, 123456789)); err != nil {
		t.Fatal(err)
	}
	s.serve(t)
	s.second = duplicate(t, s.first)
	must(t, s.update(s.second)...)
	s.oldNode, s.newNode = s.node(t, s.first), s.node(t, s.second)
	return s
}

// serve signs the release and puts it on a loopback https server.
func (s *site) serve(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(storetool), "key"))
	if err != nil {
		t.Fatal(err)
	}
	archive := pack(t, s.newBin)
	name := "trustfix_1.1.0_linux_" + runtime.GOARCH + ".tar.gz"
	manifest, err := json.Marshal(map[string]any{
		"product": "trustfix", "version": "1.1.0", "released": time.Now().UTC(), "revoked": []string{},
		"assets": []any{map[string]any{
			"name": name, "os": "linux", "arch": runtime.GOARCH, "size": len(archive), "sha256": sum(archive), "binarySha256": sum(s.newBin),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	signed := minisign.NewReader(bytes.NewReader(manifest))
	if _, err := io.Copy(io.Discard, signed); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for name, data := range map[string][]byte{"manifest.json": manifest, "manifest.json.minisig": signed.Sign(privateKey(text)), name: archive} {
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
	}
	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that are killed
	server.StartTLS()
	t.Cleanup(server.Close)
	s.source = server.URL
	put(t, s.roots, pemOf(server.Certificate()), 0o644)
}

func pack(t *testing.T, bin []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	w := tar.NewWriter(gz)
	err := w.WriteHeader(&tar.Header{Name: "trustfix", Mode: 0o755, Size: int64(len(bin)), Typeflag: tar.TypeReg})
	for _, step := range []func() error{func() error { _, err := w.Write(bin); return err }, w.Close, gz.Close} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func (s *site) trustfix(dir string, args ...string) []string {
	return append([]string{filepath.Join(dir, "bin/trustfix"), "--state-dir", filepath.Join(dir, "state"), "--lang", "en"}, args...)
}

func (s *site) update(dir string) []string {
	return s.trustfix(dir, "update", "--source", s.source, "--reference-roots", "+"+s.roots)
}

func (s *site) node(t *testing.T, dir string) node {
	t.Helper()
	n, err := readNode(filepath.Join(dir, "bin/trustfix"))
	if err != nil {
		t.Fatalf("no program: %v", err)
	}
	return n
}

// standing is which program stands at the path: it is whole, with its mode and
// owner, and it runs.
func (s *site) standing(t *testing.T, dir string) standing {
	t.Helper()
	n := s.node(t, dir)
	said := strings.TrimSpace(must(t, s.trustfix(dir, "version")...))
	bare := func(n node) string { // a second name comes and goes: the version before
		return strings.Replace(strings.Replace(n.what, " 1 names", "", 1), " 2 names", "", 1)
	}
	switch {
	case bare(n) == bare(s.oldNode) && n.time == s.oldNode.time && said == "trustfix 1.0.0":
		return asBefore
	case bare(n) == bare(s.newNode) && said == "trustfix 1.1.0":
		return asAfter
	}
	t.Logf("%s says %q", n.what, said)
	return torn
}

func (s *site) names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(dir, "bin"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// holds says that nothing else stands beside the program.
func (s *site) holds(t *testing.T, dir string, want standing, names ...string) {
	t.Helper()
	if how := s.standing(t, dir); how != want {
		t.Errorf("in the end the program is %s, not %s", how, want)
	}
	if got := s.names(t, dir); !slices.Equal(got, append([]string{"neighbour"}, names...)) {
		t.Errorf("beside the program: %v", got)
	}
}

// Row 33 of reliability.md §6, with the released program itself: whatever
// happens to an update, a whole program stands at its path and runs, and the
// next update, and the way back, work.
func TestUpdate(t *testing.T) {
	s := newSite(t)
	job{
		name: "update", least: 15, starts: []func(*testing.T) string{copyOf(s.first)}, argv: s.update,
		after: func(t *testing.T, p point) standing {
			how := s.standing(t, p.root)
			s.saidSo(t, p, how == asAfter)
			must(t, s.update(p.root)...)
			s.holds(t, p.root, asAfter, "trustfix", "trustfix.prev")
			must(t, s.trustfix(p.root, "update", "--rollback")...)
			s.holds(t, p.root, asBefore, "trustfix")
			return how
		},
	}.try(t)
}

func TestUpdateRollback(t *testing.T) {
	s := newSite(t)
	job{
		name: "update --rollback", least: 3, starts: []func(*testing.T) string{copyOf(s.second)},
		argv: func(dir string) []string { return s.trustfix(dir, "update", "--rollback") },
		after: func(t *testing.T, p point) standing {
			how := s.standing(t, p.root)
			s.saidSo(t, p, how == asBefore)
			if how == asAfter {
				must(t, s.trustfix(p.root, "update", "--rollback")...)
			}
			s.holds(t, p.root, asBefore, "trustfix")
			must(t, s.update(p.root)...)
			s.holds(t, p.root, asAfter, "trustfix", "trustfix.prev")
			return how
		},
	}.try(t)
}

// saidSo judges a run that met an error: done is whether it did what it was to do.
func (s *site) saidSo(t *testing.T, p point, done bool) {
	t.Helper()
	switch {
	case p.fault.errno == 0:
	case p.code == 0 && !done:
		t.Error("it says that it is done")
	case p.code != 0 && p.code != 1:
		t.Errorf("exit %d", p.code)
	case p.code == 1 && !p.explained():
		t.Error("exit 1 without the reason")
	}
}
