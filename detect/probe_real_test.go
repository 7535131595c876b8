//go:build unix

package detect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/detect/client"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// What every program of this machine that can be asked says of a server is
// what its rules and its settings predict: with its CA named and not, with a
// certificate that ended, with another name.
func TestProbesAgreeWithRealClients(t *testing.T) {
	now := time.Now()
	ca := platformtest.NewCA(t, "Probe Test CA", nil, platformtest.Between(now.Add(-48*time.Hour), now.Add(48*time.Hour)))
	valid := platformtest.Between(now.Add(-24*time.Hour), now.Add(24*time.Hour))
	for _, tc := range []struct {
		name  string
		trust bool
		all   bool // every instance, not one of each client
		host  string
		mod   func(*x509.Certificate)
		want  Answer
	}{
		{"trusted", true, true, "localhost", valid, Accepts},
		{"unknown CA", false, false, "localhost", valid, Refuses},
		{"expired", true, false, "localhost", platformtest.Between(now.Add(-24*time.Hour), now.Add(-time.Hour)), Refuses},
		{"another name", true, true, "elsewhere.test", valid, Refuses},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, clients, es, inv := here(t, tc.trust, ca, tc.host, tc.mod)
			p := newProber(v, es, nil, inv)
			var qs []question
			asked := map[string]bool{}
			for _, c := range clients {
				if asked[c.Name] && (!tc.all || testing.Short()) {
					continue
				}
				asked[c.Name] = true
				q, ok := p.ask(c, func(*Endpoint, Answer) bool { return false }, true)
				if !ok {
					t.Errorf("%s %s: nothing to ask", c.Name, c.Path)
					continue
				}
				if q.Expected != tc.want {
					t.Errorf("%s %s: judged that it %s", c.Name, c.Path, q.Expected)
				}
				qs = append(qs, q)
			}
			before := everything(t, v.User.Home)
			got := p.run(t.Context(), qs)
			if after := everything(t, v.User.Home); !slices.Equal(before, after) {
				t.Errorf("left behind: %q, before: %q", after, before)
			}
			for _, got := range got {
				if got.Answer != tc.want {
					t.Errorf("%s %s: %s: %s", got.Client, got.Path, got.Answer, got.Words)
				}
			}
		})
	}
}

// here is this machine with a server on loopback, as its clients that can be
// asked are configured to see it.
func here(t *testing.T, trust bool, ca *platformtest.CA, host string, mod func(*x509.Certificate)) (*platform.View, []*client.Client, []*Endpoint, client.Inventory) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s sent credentials", r.UserAgent())
		}
		http.NotFound(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{serverCert(t, ca, host, mod)}}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	url := "https://localhost:" + port + "/simple/"
	pyenv := filepath.Join(os.Getenv("HOME"), ".pyenv")
	env := []string{
		"HOME=" + dir, "PATH=/usr/bin:/bin", "PYENV_ROOT=" + pyenv, "PIP_INDEX_URL=" + url, "npm_config_registry=" + url,
		"WGETRC=" + filepath.Join(dir, "wgetrc"), "CURL_HOME=" + dir, "PIP_CONFIG_FILE=/dev/null",
	}
	bundle := filepath.Join(dir, "ca.pem")
	rc := ""
	if trust {
		write(t, bundle, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw})))
		rc = "ca_certificate = " + bundle + "\n"
		for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO", "npm_config_cafile", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"} {
			env = append(env, name+"="+bundle)
		}
	}
	write(t, filepath.Join(dir, "wgetrc"), rc)
	write(t, filepath.Join(dir, ".netrc"), "machine localhost login a password b\n")

	h, err := platform.Open(platform.OpenOptions{Env: env, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	v := *h.View
	v.User.Home, v.Users = dir, nil
	inv, err := client.Resolve(t.Context(), &v)
	if err != nil {
		t.Fatal(err)
	}
	var clients []*client.Client
	for _, c := range inv.Clients {
		if c.Asking() != nil && (strings.HasPrefix(c.Path, "/usr/") || strings.HasPrefix(c.Path, pyenv)) {
			clients = append(clients, c)
		}
	}
	if len(clients) == 0 {
		t.Skip("no client is installed")
	}
	es := collect(&v, clients, []string{url})
	for _, e := range es {
		probe(t.Context(), &v, e, Options{})
	}
	return &v, clients, es, inv
}

// everything is all that stands below a directory.
func everything(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		out = append(out, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, name, data string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// serverCert is a certificate of the CA with its key.
func serverCert(t *testing.T, ca *platformtest.CA, host string, mod func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{ca.LeafFor(t, &key.PublicKey, host, mod)}, PrivateKey: key}
}
