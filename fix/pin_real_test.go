//go:build unix

package fix

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustfix/platform/platformtest"
)

// The programs themselves refuse a server that leaves out its intermediate,
// and accept it with what trustfix writes: the file and its setting are carried
// to a home of their own. A 404 is an answer over TLS.
func TestPinForRealClients(t *testing.T) {
	for _, tc := range []struct {
		name     string
		file     string // under the home
		config   string // URL and ROOTS stand for the server and the public roots
		argv     []string
		refused  string // in what it says without the pin
		answered string // in what it says of a 404, with it
	}{
		{"npm", ".npmrc", "registry=URL/\ncafile=ROOTS\nfetch-retries=0\nupdate-notifier=false\n", []string{"npm", "view", "nothing"}, "unable to verify the first certificate", "404"},
		{"cargo", ".cargo/config.toml", "[registries.campus]\nindex = \"sparse+URL/\"\n[http]\ncainfo = \"ROOTS\"\n[net]\nretry = 0\n", []string{"cargo", "search", "--registry", "campus", "nothing"}, "unable to get local issuer certificate", "config.json not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			program, err := exec.LookPath(tc.argv[0])
			if err != nil {
				t.Skipf("there is no %s here", tc.argv[0])
			}
			c := newCampus(t, "")
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			leaf := c.inter.LeafFor(t, key.Public(), "localhost", platformtest.Between(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)))
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf}, PrivateKey: key}}}
			server.StartTLS()
			defer server.Close()
			url := "https://localhost" + server.URL[strings.LastIndexByte(server.URL, ':'):]

			const roots = "/opt/conda/ssl/cacert.pem"
			home := t.TempDir()
			carry := func(name string) {
				data := strings.ReplaceAll(c.read(name), "/root/", home+"/")
				to := filepath.Join(home, strings.TrimPrefix(name, "/root/"))
				if name == roots {
					to = filepath.Join(home, "roots.pem")
				}
				data = strings.ReplaceAll(data, roots, filepath.Join(home, "roots.pem"))
				if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(to, []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			says := func() string {
				cmd := exec.CommandContext(t.Context(), program, tc.argv[1:]...)
				cmd.Dir, cmd.WaitDelay = home, time.Second
				// rustup's cargo finds its toolchain by these.
				cmd.Env = []string{"HOME=" + home, "CARGO_HOME=" + filepath.Join(home, ".cargo"), "PATH=" + filepath.Dir(program) + ":/usr/bin:/bin", "RUSTUP_HOME=" + filepath.Join(os.Getenv("HOME"), ".rustup")}
				out, _ := cmd.CombinedOutput() // 404 is a failure to it too
				return string(out)
			}

			file := "/root/" + tc.file
			config := strings.NewReplacer("URL", url, "ROOTS", roots).Replace(tc.config)
			c = c.again("mode 0755 /usr/bin/"+tc.argv[0]+"\n", "-- usr/bin/"+tc.argv[0]+" --\n-- "+file[1:]+" --\n"+config)
			carry(roots)
			carry(file)
			if out := says(); !strings.Contains(out, tc.refused) {
				t.Fatalf("before: %s", out)
			}
			served := c.inter.LeafFor(t, key.Public(), "localhost", aia)
			host := strings.TrimPrefix(url, "https://")
			c.net.Handshakes[host], c.net.Handshakes["localhost"] = platformtest.ServedCerts(served), platformtest.ServedCerts(served)
			c.apply(Make)
			carry(file)
			for _, name := range []string{"/root/.config/npm/trustfix-pin.pem", "/root/.cargo/trustfix-pin.pem"} {
				if exists(c.host.View, name) {
					carry(name)
				}
			}
			if out := says(); strings.Contains(out, "certificate") || !strings.Contains(out, tc.answered) {
				t.Errorf("after: %s", out)
			}
		})
	}
}
