//go:build unix

package release

import (
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// installer is scripts/install.sh in a shell, with only the tools that are
// linked into its PATH. scripts/rehearse.sh runs it over real releases.
type installer struct {
	shell  []string
	dir    string // everything is in here
	env    []string
	nobody bool // not as root
}

// shells are those of this machine that the installer promises to run in.
func shells(t *testing.T) [][]string {
	t.Helper()
	var out [][]string
	for _, argv := range [][]string{{"dash"}, {"bash"}, {"busybox", "sh"}} {
		full, err := exec.LookPath(argv[0])
		if err == nil {
			out = append(out, append([]string{full}, argv[1:]...))
		} else if os.Getenv("CI") == "true" {
			t.Errorf("%s is missing", argv[0])
		}
	}
	if len(out) == 0 {
		t.Skip("no shell here")
	}
	return out
}

var tools = []string{"awk", "cat", "chmod", "cp", "curl", "cut", "grep", "gzip", "head", "id", "mkdir", "minisign", "mktemp", "mv", "openssl", "rm", "sed", "sh", "sha256sum", "shasum", "sort", "sync", "tail", "tar", "tr", "uname", "wc", "wget"}

// newInstaller is one with all tools less some.
func newInstaller(t *testing.T, shell []string, less ...string) *installer {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"..", "", "bin", "tmp", "home"} { // some tests run as nobody
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, d), 0o755), os.Chmod(filepath.Join(dir, d), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range tools {
		if full, err := exec.LookPath(tool); err == nil && !slices.Contains(less, tool) {
			if err := os.Symlink(full, filepath.Join(dir, "bin", tool)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &installer{shell: shell, dir: dir, env: []string{"PATH=" + filepath.Join(dir, "bin"), "TMPDIR=" + filepath.Join(dir, "tmp"), "HOME=" + filepath.Join(dir, "home")}}
}

func (in *installer) path(name string) string { return filepath.Join(in.dir, name) }

// prefix is where all but the tests without one install.
func (in *installer) program() string { return in.path("prefix/bin/trustfix") }

func (in *installer) run(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	script, err := filepath.Abs("../../scripts/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	return in.sh(t, append([]string{script}, args...)...)
}

func (in *installer) sh(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), in.shell[0], append(slices.Clone(in.shell[1:]), args...)...)
	c.Env, c.Dir = in.env, in.dir
	if in.nobody {
		if err := os.Chmod(in.path("tmp"), 0o777); err != nil {
			t.Fatal(err)
		}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(in.path("tmp/*")); len(left) > 0 {
		t.Errorf("left in TMPDIR: %v", left)
	}
	if left, _ := filepath.Glob(in.path("prefix/bin/.*trustfix*")); len(left) > 0 {
		t.Errorf("left beside the program: %v", left)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// install runs it over a release in a directory.
func (in *installer) install(t *testing.T, s signer, m made, args ...string) (code int, said string) {
	t.Helper()
	from := in.path("release")
	if err := errors.Join(os.RemoveAll(from), os.Mkdir(from, 0o755)); err != nil {
		t.Fatal(err)
	}
	for name, data := range m.files {
		if err := os.WriteFile(filepath.Join(from, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return in.run(t, append([]string{"--from-dir", from, "--prefix", in.path("prefix"), "--key", s.pub.String()}, args...)...)
}

// installs and refuses are what has to come of one.
func (in *installer) installs(t *testing.T, s signer, m made, args ...string) {
	t.Helper()
	if code, said := in.install(t, s, m, args...); code != 0 {
		t.Errorf("exit %d: %s", code, said)
	}
	out, err := exec.Command(in.program(), "version").Output()
	if err != nil || string(out) != "trustfix "+m.m.Version+"\n" {
		t.Errorf("installed: %q %v", out, err)
	}
}

func (in *installer) refuses(t *testing.T, why string, s signer, m made, args ...string) {
	t.Helper()
	before, _ := os.ReadFile(in.program())
	code, said := in.install(t, s, m, args...)
	if code != 1 || !strings.Contains(said, why) {
		t.Errorf("exit %d, want 1 and %q: %s", code, why, said)
	}
	if after, _ := os.ReadFile(in.program()); string(after) != string(before) {
		t.Errorf("installed all the same: %.80q", after)
	}
}

// edition is a release whose program says its version, as the installer asks.
func edition(t *testing.T, s signer, version string, edit func(*Manifest)) made {
	t.Helper()
	return make1(t, s, version, targz(t, entry{name: "trustfix", body: "#!/bin/sh\necho trustfix " + version + "\n"}), edit)
}

// inEveryShell runs a test of the installer in each.
func inEveryShell(t *testing.T, f func(t *testing.T, shell []string)) {
	for _, shell := range shells(t) {
		t.Run(filepath.Base(shell[0]), func(t *testing.T) { t.Parallel(); f(t, shell) })
	}
}

func TestInstallerTrust(t *testing.T) {
	ours, stranger := newSigner(t), newSigner(t)
	good, newer := edition(t, ours, "1.9.0", nil), edition(t, ours, "1.10.0", nil)
	inEveryShell(t, func(t *testing.T, shell []string) {
		for _, less := range [][]string{nil, {"minisign"}} {
			in := newInstaller(t, shell, less...)
			in.refuses(t, "not by the release key", ours, edition(t, stranger, "1.9.0", nil))
			in.refuses(t, "was revoked", ours, edition(t, ours, "1.9.0", func(m *Manifest) { m.Revoked = []string{"1.8.0", "1.9.0"} }))
			in.refuses(t, "not trustfix's", ours, edition(t, ours, "1.9.0", func(m *Manifest) { m.Product = "other" }))
			in.refuses(t, "not what the release key signed", ours, edition(t, ours, "1.9.0", func(m *Manifest) { m.Assets[0].BinarySHA256 = sum(nil) }))
			in.refuses(t, "not what the release key signed", ours, edition(t, ours, "1.9.0", func(m *Manifest) { m.Assets[0].BinarySHA256 = "" }))
			in.installs(t, ours, good)
			in.installs(t, ours, newer)
			// Who serves releases cannot bring an old one back, however well signed it is.
			in.refuses(t, "newer than 1.9.0", ours, good)
			in.installs(t, ours, good, "--version", "1.9.0")
		}
	})
}

// Where nothing can check a signature, nor make a sum to compare, nothing is
// installed: nothing is not equal to nothing.
func TestInstallerWithoutTools(t *testing.T) {
	ours, stranger := newSigner(t), newSigner(t)
	forged := edition(t, stranger, "1.0.0", func(m *Manifest) { m.Assets[0].SHA256, m.Assets[0].BinarySHA256 = "", "" })
	inEveryShell(t, func(t *testing.T, shell []string) {
		in := newInstaller(t, shell, "minisign", "openssl")
		in.refuses(t, "cannot be checked", ours, forged)
		in = newInstaller(t, shell, "minisign", "openssl", "sha256sum", "shasum")
		in.refuses(t, "cannot be checked", ours, forged)
		in.env = append(in.env, "TRUSTFIX_MANIFEST_SHA256=")
		in.refuses(t, "cannot be checked", ours, forged)
	})
}

// Half an installer does nothing.
func TestInstallerCutShort(t *testing.T) {
	s := newSigner(t)
	whole, err := os.ReadFile("../../scripts/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	inEveryShell(t, func(t *testing.T, shell []string) {
		in := newInstaller(t, shell)
		in.installs(t, s, edition(t, s, "1.0.0", nil))
		if err := os.RemoveAll(in.path("prefix")); err != nil {
			t.Fatal(err)
		}
		in.env = append(in.env, "TRUSTFIX_KEYS="+s.pub.String(), "TRUSTFIX_RELEASES=https://127.0.0.1:1")
		end := strings.LastIndex(string(whole), "main \"$@\"")
		for at := 0; at <= end; at += 211 {
			cut := in.path("cut.sh")
			if err := os.WriteFile(cut, whole[:at], 0o644); err != nil {
				t.Fatal(err)
			}
			if _, said := in.sh(t, cut, "--from-dir", in.path("release"), "--prefix", in.path("prefix")); strings.Contains(said, "install.sh: ") {
				t.Errorf("cut at %d it ran: %s", at, said)
			}
			if _, err := os.Lstat(in.path("prefix")); err == nil {
				t.Fatalf("cut at %d it made something", at)
			}
		}
	})
}

// What others put where the program goes, or who they are, does not lead root.
func TestInstallerPlaces(t *testing.T) {
	s := newSigner(t)
	inEveryShell(t, func(t *testing.T, shell []string) {
		in := newInstaller(t, shell)
		one := edition(t, s, "1.0.0", nil)
		in.installs(t, s, one)
		if err := errors.Join(os.Rename(in.program(), in.path("else")), os.Symlink(in.path("else"), in.program())); err != nil {
			t.Fatal(err)
		}
		in.refuses(t, "is a link", s, one)

		// A directory that is no state is not removed, whoever names it.
		if err := errors.Join(os.Mkdir(in.path("mine"), 0o755), os.WriteFile(in.path("mine/letter"), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		code, said := in.run(t, "--uninstall", "--purge", "--prefix", in.path("prefix"), "--state-dir", in.path("mine"))
		if _, err := os.Stat(in.path("mine/letter")); code != 0 || err != nil || !strings.Contains(said, "left "+in.path("mine")) {
			t.Errorf("exit %d, %v: %s", code, err, said)
		}
		if _, err := os.Lstat(in.program()); err == nil {
			t.Error("the link is still there")
		}
		if os.Geteuid() != 0 {
			return
		}
		// Root does not run what another user may have written.
		in.installs(t, s, one)
		if err := errors.Join(os.WriteFile(in.program(), []byte("#!/bin/sh\n: >"+in.path("ran")+"\necho trustfix 0.1.0\n"), 0o755), os.Chown(in.program(), 65534, 65534)); err != nil {
			t.Fatal(err)
		}
		if code, said := in.install(t, s, one); code != 0 {
			t.Errorf("exit %d: %s", code, said)
		}
		if err := os.Chown(in.program(), 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if code, said := in.run(t, "--uninstall", "--prefix", in.path("prefix"), "--state-dir", in.path("none")); code != 0 {
			t.Errorf("exit %d: %s", code, said)
		}
		if _, err := os.Stat(in.path("ran")); err == nil {
			t.Error("root ran another user's program")
		}

		// An ordinary user without a home, or without rights, reads what to do.
		in.nobody = true
		in.refuses(t, "run this as root", s, one)
		in.env = in.env[:2]
		if code, said := in.run(t, "--from-dir", in.path("release"), "--key", s.pub.String()); code == 0 || !strings.Contains(said, "--prefix") {
			t.Errorf("exit %d: %s", code, said)
		}
		if code, said := in.run(t, "--uninstall", "--prefix", in.path("prefix")); code == 0 || strings.Contains(said, "removed") {
			t.Errorf("exit %d: %s", code, said)
		}
	})
}

// What a server may send is bounded; http is refused, after a redirect too.
func TestInstallerDownloads(t *testing.T) {
	s := newSigner(t)
	good := edition(t, s, "1.0.0", nil)
	var sent atomic.Int64
	mux := http.NewServeMux()
	for name, data := range good.files {
		mux.HandleFunc("/good/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
		mux.HandleFunc("/short/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(data[:10])
		})
	}
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	mux.HandleFunc("/endless/", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil && sent.Load() < 1<<30 {
			n, err := w.Write(make([]byte, 1<<16))
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/down/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+"/good/"+filepath.Base(r.URL.Path), http.StatusFound)
	})
	server := httptest.NewUnstartedServer(mux)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, fetch := range []string{"curl", "wget"} {
		if _, err := exec.LookPath(fetch); err != nil {
			if os.Getenv("CI") == "true" {
				t.Errorf("%s is missing", fetch)
			}
			continue
		}
		less := map[string]string{"curl": "wget", "wget": "curl"}[fetch]
		for _, shell := range shells(t) {
			if len(shell) > 1 && fetch == "wget" {
				continue // busybox's own, which dies in TLS where it is linked statically
			}
			t.Run(fetch+" "+filepath.Base(shell[0]), func(t *testing.T) {
				in := newInstaller(t, shell, less)
				ca := in.path("ca.pem")
				if err := errors.Join(
					os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644),
					os.WriteFile(in.path("home/.wgetrc"), []byte("ca_certificate="+ca+"\ntries=2\n"), 0o644),
				); err != nil {
					t.Fatal(err)
				}
				in.env = append(in.env, "CURL_CA_BUNDLE="+ca)
				get := func(from string) (int, string) {
					return in.run(t, "--source", server.URL+from, "--prefix", in.path("prefix"), "--key", s.pub.String())
				}
				bad := []string{"/endless", "/short", "/none"}
				if fetch == "curl" {
					bad = append(bad, "/down") // wget follows: the signature decides
				}
				for _, from := range bad {
					sent.Store(0)
					if code, said := get(from); code != 1 || !strings.Contains(said, "cannot fetch") {
						t.Errorf("%s: exit %d: %s", from, code, said)
					}
					if n := sent.Load(); n > 32<<20 {
						t.Errorf("%s: it took %d bytes of an answer without an end", from, n)
					}
				}
				if code, said := get("/good"); code != 0 {
					t.Errorf("exit %d: %s", code, said)
				}
			})
		}
	}
}
