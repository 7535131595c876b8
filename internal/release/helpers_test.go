//go:build unix

package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"aead.dev/minisign"

	"trustfix/platform"
)

// The programs of these tests are shell scripts that answer __selftest.
func script(version, body string) []byte {
	return fmt.Appendf(nil, "#!/bin/sh\n%s\necho '{\"version\":\"%s\",\"roots\":117,\"keys\":[]}'\n", body, version)
}

// entry is one entry of an archive.
type entry struct {
	name, body, link string
	kind             byte
}

func targz(t testing.TB, list ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	gz := gzip.NewWriter(&buf)
	w := tar.NewWriter(gz)
	for _, e := range list {
		kind := byte(tar.TypeReg)
		if e.kind != 0 {
			kind = e.kind
		}
		if err := w.WriteHeader(&tar.Header{Name: e.name, Mode: 0o755, Size: int64(len(e.body)), Typeflag: kind, Linkname: e.link}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type signer struct {
	pub minisign.PublicKey
	key minisign.PrivateKey
}

func newSigner(t testing.TB) signer {
	t.Helper()
	pub, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{pub, key}
}

// sign signs as the minisign program does by default: over the hash.
func (s signer) sign(data []byte) []byte {
	r := minisign.NewReader(bytes.NewReader(data))
	if _, err := r.Read(make([]byte, len(data)+1)); err != nil {
		panic(err)
	}
	return r.Sign(s.key)
}

// made is a release as its makers publish it.
type made struct {
	m     *Manifest
	files map[string][]byte // by name: manifest, signature, archive
}

// make1 makes a release of one archive for this machine. edit may change the
// manifest before it is signed.
func make1(t testing.TB, s signer, version string, archive []byte, edit func(*Manifest)) made {
	t.Helper()
	name := AssetName(version, runtime.GOOS, runtime.GOARCH)
	m := &Manifest{Product: "trustfix", Version: version, Released: time.Now().UTC(), Revoked: []string{}, Assets: []Asset{{
		Name: name, OS: runtime.GOOS, Arch: runtime.GOARCH, Size: int64(len(archive)), SHA256: sum(archive), BinarySHA256: sum(nil),
	}}}
	if p, err := program(archive, m.Assets[0]); err == nil {
		m.Assets[0].BinarySHA256 = sum(p)
	}
	if edit != nil {
		edit(m)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return made{m, map[string][]byte{ManifestName: data, SignatureName: s.sign(data), name: archive}}
}

func plain(t testing.TB, s signer, version string) made {
	t.Helper()
	return make1(t, s, version, targz(t, entry{name: "LICENSE", body: "words"}, entry{name: "trustfix", body: string(script(version, ""))}), nil)
}

func (m made) archive() string { return m.m.Assets[0].Name }

// asFiles is the release as --from-file takes it.
func (m made) asFiles() *Files {
	return &Files{Archive: m.files[m.archive()], Manifest: m.files[ManifestName], Signature: m.files[SignatureName]}
}

// machine is an installed trustfix 1.0.0 and a release server.
type machine struct {
	t    *testing.T
	h    *platform.Host
	path string
	key  signer
	next signer
	o    Options
	mux  *http.ServeMux
	srv  *httptest.Server
	mu   sync.Mutex
	seen []*http.Request
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, key: newSigner(t), next: newSigner(t), mux: http.NewServeMux()}
	h, err := platform.Open(platform.OpenOptions{StateDir: filepath.Join(t.TempDir(), "state")})
	if err != nil {
		t.Fatal(err)
	}
	m.h = h
	dir := filepath.Join(t.TempDir(), "bin")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m.path = filepath.Join(dir, "trustfix")
	if err := os.WriteFile(m.path, script("1.0.0", ""), 0o755); err != nil {
		t.Fatal(err)
	}
	m.srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.seen = append(m.seen, r)
		m.mu.Unlock()
		m.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(m.srv.Close)
	m.srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	m.o = Options{Version: "1.0.0", Keys: m.key.pub.String() + "," + m.next.pub.String(), Source: m.srv.URL, Refs: pool(m.srv.Certificate()), Timeout: 5 * time.Second}
	return m
}

func pool(certs ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

// archiveTime shortens the patience with archives for one test.
func (m *machine) archiveTime(factor time.Duration) {
	old := archiveTime
	archiveTime = factor
	m.t.Cleanup(func() { archiveTime = old })
}

// serve puts a release into the plain directory at prefix ("/").
func (m *machine) serve(prefix string, r made) {
	for name, data := range r.files {
		m.mux.HandleFunc(prefix+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
	}
}

// update is what the command does.
func (m *machine) update() (*Offer, error) {
	m.t.Helper()
	b, err := platform.OpenBinary(m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer b.Close()
	if err := b.Replaceable(); err != nil {
		return nil, err
	}
	f, err := Find(m.t.Context(), m.h, m.o)
	if err != nil || f.Same {
		return f, err
	}
	return f, f.Install(m.t.Context(), m.h, b)
}

// refused runs an update that has to be refused for one reason, and looks
// whether everything is as before.
func (m *machine) refused(key string) *Refused {
	m.t.Helper()
	before := m.files()
	_, err := m.update()
	var r *Refused
	if !errors.As(err, &r) || r.Reason.Key != key {
		m.t.Fatalf("got %v, want %s", err, key)
	}
	if after := m.files(); after != before {
		m.t.Fatalf("changed:\n%s\nwas:\n%s", after, before)
	}
	return r
}

// installed runs an update that has to succeed.
func (m *machine) installed(version string) *Offer {
	m.t.Helper()
	f, err := m.update()
	if err != nil {
		m.t.Fatal(err)
	}
	if got := readFile(m.t, m.path); !strings.Contains(got, `"version":"`+version+`"`) {
		m.t.Fatalf("installed is %q, want %s", got, version)
	}
	return f
}

// files is everything in the program's directory, with modes.
func (m *machine) files() string {
	m.t.Helper()
	var out strings.Builder
	list, err := os.ReadDir(filepath.Dir(m.path))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			m.t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s %v %s\n", e.Name(), info.Mode(), sum([]byte(readFile(m.t, filepath.Join(filepath.Dir(m.path), e.Name())))))
	}
	return out.String()
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
