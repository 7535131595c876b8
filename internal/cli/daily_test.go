package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aead.dev/minisign"

	"trustfix/detect"
	"trustfix/fix"
	"trustfix/internal/release"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// A diagnosis tells of a newer release only where its policy file wants to
// know, and then as information, which leaves it healthy.
func TestDailyCheck(t *testing.T) {
	keys, srv, asked := releaseServer(t)
	for _, tt := range []struct {
		name, policy string
		offline      bool
		want         bool
	}{
		{"without a policy", "", false, false},
		{"a policy that does not ask", "release-source: " + srv.URL + "\n", false, false},
		{"a policy that asks", fmt.Sprintf("update-check: true\nrelease-source: %s\n", srv.URL), false, true},
		{"never offline", fmt.Sprintf("update-check: true\nrelease-source: %s\n", srv.URL), true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked.Store(0)
			policy := filepath.Join(t.TempDir(), "policy.yaml")
			if err := os.WriteFile(policy, []byte(tt.policy), 0o600); err != nil {
				t.Fatal(err)
			}
			s := newSession(Process{
				Stdout: os.Stdout, Stderr: os.Stderr,
				Build: Build{Version: "1.0.0", ReleaseKeys: keys},
			})
			s.flags = flags{offline: tt.offline, only: []string{"update-available"}, timeout: time.Second}
			if err := s.flags.merge(policy, true); err != nil {
				t.Fatal(err)
			}
			s.flags.refRoots = rootsOf(t, srv)
			h := platformtest.New(t, "")
			h.Now = time.Now
			h.Net = onlySource{h.Net, platform.NewNetwork(nil, nil, nil), srv.URL}
			h.State = platform.NewState(filepath.Join(t.TempDir(), "state"))
			_, report, _, err := s.examine(t.Context(), h, fix.Make)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.want {
				if len(report.Findings) > 0 || asked.Load() > 0 {
					t.Errorf("%d requests, %+v", asked.Load(), report.Findings)
				}
				if _, err := os.Stat(h.State.Path()); err == nil {
					t.Error("a state directory was made")
				}
				return
			}
			if len(report.Findings) != 1 || report.Findings[0].ID != "update-available" || report.Findings[0].Severity != detect.Info || report.Findings[0].Where != "1.2.0" {
				t.Errorf("%+v", report.Findings)
			}
			if code(report) != exitOK {
				t.Error("information alone is healthy")
			}
		})
	}
}

// update --check says what there is and changes nothing: 3 for a newer one, 0
// for none.
func TestUpdateCheck(t *testing.T) {
	keys, srv, _ := releaseServer(t)
	roots, state := rootsOf(t, srv), filepath.Join(t.TempDir(), "state")
	for _, tt := range []struct {
		running, says string
		code          int
	}{
		{"1.0.0", "trustfix 1.2.0 is available", exitFindings},
		{"1.2.0", "trustfix 1.2.0 is the newest version", exitOK},
		{"1.3.0", "older than the running 1.3.0", exitFailed},
	} {
		for _, format := range []string{"", "--json"} {
			var out bytes.Buffer
			code := Main(t.Context(), Process{
				Args:   slices.DeleteFunc([]string{"trustfix", "update", "--check", "--source", srv.URL, "--reference-roots", roots, "--state-dir", state, format}, func(s string) bool { return s == "" }),
				Stdout: &out, Stderr: &out, Build: Build{Version: tt.running, ReleaseKeys: keys},
			})
			if code != tt.code {
				t.Errorf("%s %s: exit code %d, want %d", tt.running, format, code, tt.code)
			}
			parsed, err := release.ParseKeys(keys)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{tt.says}
			if tt.code != exitFailed {
				want = append(want, parsed.Infos()[0].ID, parsed.Infos()[0].SHA256)
			}
			if format != "" && tt.code != exitFailed {
				want[0] = fmt.Sprintf(`"newer": %v`, tt.code == exitFindings)
			}
			for _, w := range want {
				if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), w) {
					t.Errorf("%s %s does not say %q:\n%s", tt.running, format, w, out.String())
				}
			}
		}
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a state directory was made")
	}
}

// releaseServer is a release source with version 1.2.0, signed by one key.
func releaseServer(t *testing.T) (keys string, srv *httptest.Server, asked *atomic.Int32) {
	t.Helper()
	pub, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sum := strings.Repeat("0", 64)
	manifest, err := json.Marshal(release.Manifest{Product: "trustfix", Version: "1.2.0", Released: time.Now(), Assets: []release.Asset{{
		Name: release.AssetName("1.2.0", runtime.GOOS, runtime.GOARCH), OS: runtime.GOOS, Arch: runtime.GOARCH, Size: 1, SHA256: sum, BinarySHA256: sum,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	signer := minisign.NewReader(strings.NewReader(string(manifest)))
	if _, err := signer.Read(make([]byte, len(manifest)+1)); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"/" + release.ManifestName: manifest, "/" + release.SignatureName: signer.Sign(key)}
	asked = new(atomic.Int32)
	srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = w.Write(files[r.URL.Path])
	}))
	t.Cleanup(srv.Close)
	return pub.String(), srv, asked
}

// rootsOf is --reference-roots for a server's own certificate.
func rootsOf(t *testing.T, srv *httptest.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return "+" + name
}

// onlySource reaches the release source and nothing else.
type onlySource struct {
	platform.Net
	real platform.Net
	url  string
}

func (n onlySource) Get(ctx context.Context, r platform.Request) (*platform.Response, error) {
	if strings.HasPrefix(r.URL, n.url+"/") {
		return n.real.Get(ctx, r)
	}
	return nil, &platform.NetError{Kind: platform.NetRefused}
}

func (onlySource) Time(context.Context, string) (platform.Sample, error) {
	return platform.Sample{}, &platform.NetError{Kind: platform.NetRefused}
}
