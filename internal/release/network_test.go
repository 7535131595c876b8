//go:build unix

package release

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// listing is one release of an API: its tag and what was made.
type listing struct {
	tag string
	r   made
}

// api serves releases as GitHub and Gitea list them.
func (m *machine) api(list ...listing) {
	m.t.Helper()
	m.o.Source = m.srv.URL + "/api/v3/repos/o/r"
	m.mux.HandleFunc("/api/v3/repos/o/r/releases", func(w http.ResponseWriter, _ *http.Request) { m.page(w, list) })
	for _, l := range list {
		m.serve("/dl/"+l.tag+"/", l.r)
	}
}

func (m *machine) page(w io.Writer, list []listing) {
	out := []any{}
	for i, l := range list {
		assets := []any{}
		for name, data := range l.r.files {
			assets = append(assets, map[string]any{"name": name, "size": len(data), "browser_download_url": m.srv.URL + "/dl/" + l.tag + "/" + name})
		}
		out = append(out, map[string]any{"id": 1000 - i, "tag_name": l.tag, "assets": assets, "draft": l.tag == "v8.0.0", "prerelease": l.tag == "v7.0.0"})
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		m.t.Error(err)
	}
}

func (m *machine) open() *platform.Binary {
	m.t.Helper()
	b, err := platform.OpenBinary(m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(b.Close)
	return b
}

func TestAPI(t *testing.T) {
	m := newMachine(t)
	// Drafts and prereleases are not taken unasked; one without an archive for
	// this system, or without a version, is passed over.
	m.api(listing{"v8.0.0", plain(t, m.key, "8.0.0")}, listing{"v7.0.0", plain(t, m.key, "7.0.0")}, listing{"nightly", made{}},
		listing{"v1.9.0", made{}}, listing{"v1.2.0", plain(t, m.key, "1.2.0")}, listing{"v1.3.0", plain(t, m.key, "1.3.0")})
	m.installed("1.3.0")
	m.o.Want = "7.0.0"
	m.installed("7.0.0")
	m.o.Want = "6.6.6"
	m.refused("release.no-such-version")
}

func TestSourceURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://github.com/someone/trustfix":                                  "https://api.github.com/repos/someone/trustfix api",
		"https://github.com/someone/trustfix.git":                              "https://api.github.com/repos/someone/trustfix api",
		"https://github.com/someone/trustfix/releases/latest":                  "https://api.github.com/repos/someone/trustfix api",
		"https://api.github.com/repos/someone/trustfix":                        "https://api.github.com/repos/someone/trustfix api",
		"https://git.example/api/v1/repos/o/r/releases":                        "https://git.example/api/v1/repos/o/r api",
		"https://github.com/o/r/releases/latest/download":                      "https://github.com/o/r/releases/latest/download",
		"https://mirror.example/https://github.com/o/r/releases/download/v1.2": "https://mirror.example/https:/github.com/o/r/releases/download/v1.2",
		"https://user:secret@mirror.example/trustfix/":                         "https://mirror.example/trustfix/",
	} {
		s, err := newSource(nil, nil, Options{Source: in})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got := s.base.String()
		if s.api {
			got += " api"
		}
		if strings.ReplaceAll(got, "//", "/") != strings.ReplaceAll(want, "//", "/") {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"http://plain.example/", "ftp://x/", "/srv/releases", "https://", "::"} {
		if _, err := newSource(nil, nil, Options{Source: in}); err == nil {
			t.Errorf("%s was accepted", in)
		}
	}
}

// A mirror that takes the other address as its path gets it unchanged.
func TestMirrorPrefix(t *testing.T) {
	s, err := newSource(nil, nil, Options{Source: "https://mirror.example/https://host.example/dir"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.beside(ManifestName); got != "https://mirror.example/https://host.example/dir/manifest.json" {
		t.Error(got)
	}
}

// Row 28: bodies without end, servers without haste, wrong lengths, HTML.
func TestRow28Bodies(t *testing.T) {
	forever := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	slow := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte{'{'})
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}
	short := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		_, _ = w.Write([]byte("short"))
	}
	html := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>404 not found</title>"))
	}
	for _, tt := range []struct {
		name, file, want string
		serve            http.HandlerFunc
	}{
		{"endless manifest", ManifestName, "release.too-large", forever},
		{"endless signature", SignatureName, "release.too-large", forever},
		{"endless archive", "archive", "release.too-large", forever},
		{"slow manifest", ManifestName, "release.unreachable", slow},
		{"slow archive", "archive", "release.unreachable", slow},
		{"short manifest", ManifestName, "release.unreachable", short},
		{"short archive", "archive", "release.unreachable", short},
		{"html for a manifest", ManifestName, "release.bad-signature", html},
		{"html for a signature", SignatureName, "release.not-a-signature", html},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			r := plain(t, m.key, "1.2.0")
			file := tt.file
			if file == "archive" {
				file = r.archive()
			}
			if strings.HasPrefix(tt.name, "slow") {
				m.o.Timeout = 300 * time.Millisecond
				if tt.file == "archive" {
					m.archiveTime(1)
				}
			}
			delete(r.files, file)
			m.serve("/", r)
			m.mux.HandleFunc("/"+file, tt.serve)
			m.refused(tt.want)
		})
	}
}

// Row 29: redirects.
func TestRow29Redirects(t *testing.T) {
	t.Run("to http", func(t *testing.T) {
		m := newMachine(t)
		plainHTTP := httptest.NewServer(http.NotFoundHandler())
		defer plainHTTP.Close()
		m.mux.Handle("/", http.RedirectHandler(plainHTTP.URL+"/manifest.json", http.StatusFound))
		m.refused("release.unreachable")
	})
	t.Run("without end", func(t *testing.T) {
		m := newMachine(t)
		m.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/again"+r.URL.Path, http.StatusFound)
		})
		m.refused("release.unreachable")
	})
	t.Run("to another host, with nothing of ours", func(t *testing.T) {
		m := newMachine(t)
		other := newMachine(t)
		other.serve("/", plain(t, m.key, "1.2.0"))
		m.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "x"})
			http.Redirect(w, r, other.srv.URL+r.URL.Path, http.StatusFound)
		})
		m.o.Refs = pool(m.srv.Certificate(), other.srv.Certificate())
		m.o.Source = strings.Replace(m.srv.URL, "https://", "https://user:secret@", 1)
		m.installed("1.2.0")
		for _, r := range append(m.seen, other.seen...) {
			for _, name := range []string{"Authorization", "Cookie", "Referer"} {
				if v := r.Header.Get(name); v != "" {
					t.Errorf("%s was sent %s: %s", r.Host, name, v)
				}
			}
		}
	})
}

// withProxy makes every request go through a proxy.
func (m *machine) withProxy(p string) {
	m.h.Net = platform.NewNetwork(platform.Env{"HTTPS_PROXY": p}, nil, nil)
	// 127.0.0.1 is never proxied: the source gets a name that the proxy knows.
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(m.srv.URL, "https://"))
	m.o.Source = "https://example.com:" + port
}

// tunnel is a proxy that leads every CONNECT to one address.
func tunnel(t *testing.T, to string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = client.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
		go func() { _, _ = io.Copy(conn, client); _ = conn.Close() }()
		go func() { _, _ = io.Copy(client, conn); _ = client.Close() }()
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Row 30: what stands between is named, and the signature still decides.
func TestRow30Between(t *testing.T) {
	t.Run("a proxy that works", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", plain(t, m.key, "1.2.0"))
		m.withProxy(tunnel(t, strings.TrimPrefix(m.srv.URL, "https://")))
		m.installed("1.2.0") // httptest's certificate is for example.com too
	})
	t.Run("a proxy that asks for a password", func(t *testing.T) {
		m := newMachine(t)
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
		defer proxy.Close()
		u, _ := url.Parse(proxy.URL)
		u.User = url.UserPassword("me", "secret")
		m.withProxy(u.String())
		r := m.refused("release.unreachable")
		if s := r.Error(); !strings.Contains(s, "407") || strings.Contains(s, "secret") {
			t.Error(s)
		}
	})
	t.Run("a captive portal", func(t *testing.T) {
		m := newMachine(t)
		portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "please log in") }))
		defer portal.Close()
		m.o.Source = strings.Replace(portal.URL, "http://", "https://", 1)
		if s := m.refused("release.unreachable").Error(); !strings.Contains(s, "net-not-tls") {
			t.Error(s)
		}
	})
	t.Run("an interceptor whose CA is not trusted", func(t *testing.T) {
		m := newMachine(t)
		m.o.Refs = pool()
		s := m.refused("release.untrusted").Error()
		for _, want := range []string{"Acme Co", "trustfix verify", "--from-file"} {
			if !strings.Contains(s, want) {
				t.Errorf("%q is not in %s", want, s)
			}
		}
	})
	t.Run("an interceptor whose CA is trusted changes the release", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", plain(t, newSigner(t), "1.2.0"))
		m.refused("release.other-key")
	})
}

// Row 31: no roots of the system, and a clock that is years off.
func TestRow31BrokenMachine(t *testing.T) {
	ca := platformtest.NewCA(t, "public root", nil)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := tls.Certificate{Certificate: [][]byte{ca.LeafFor(t, &key.PublicKey, "127.0.0.1")}, PrivateKey: key}
	start := func(m *machine) {
		srv := httptest.NewUnstartedServer(m.mux)
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
		srv.StartTLS()
		t.Cleanup(srv.Close)
		m.o.Source, m.o.Refs = srv.URL, pool(ca.Cert)
	}
	at := func(m *machine, now time.Time) {
		clock := func() time.Time { return now }
		m.h.Now, m.h.Net = clock, platform.NewNetwork(nil, nil, clock)
	}
	t.Run("only the reference roots know the source", func(t *testing.T) {
		m := newMachine(t)
		start(m)
		at(m, platformtest.DefaultNow)
		m.serve("/", plain(t, m.key, "1.2.0"))
		m.installed("1.2.0")
	})
	t.Run("clock two years off", func(t *testing.T) {
		m := newMachine(t)
		start(m)
		at(m, platformtest.DefaultNow.AddDate(-2, 0, 0))
		r := plain(t, m.key, "1.2.0")
		m.serve("/", r)
		if s := m.refused("release.untrusted").Error(); !strings.Contains(s, "--from-file") {
			t.Error(s)
		}
		m.o.Files = r.asFiles() // the signature has no date to be fooled by
		if f := m.installed("1.2.0"); len(f.Notes) != 1 || f.Notes[0].Key != "release.future" {
			t.Errorf("%v", f.Notes)
		}
	})
}

// Row 35: an API that says nothing is never "up to date".
func TestRow35API(t *testing.T) {
	t.Run("rate limit", func(t *testing.T) {
		m := newMachine(t)
		m.o.Source = m.srv.URL + "/repos/o/r"
		m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", "1795305600")
			w.WriteHeader(http.StatusForbidden)
		})
		if s := m.refused("release.rate-limit").Error(); !strings.Contains(s, "2026-11-22T") {
			t.Error(s)
		}
	})
	t.Run("a limit of another kind", func(t *testing.T) {
		m := newMachine(t)
		m.o.Source = m.srv.URL + "/repos/o/r"
		m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusForbidden)
		})
		m.refused("release.rate-limit")
	})
	t.Run("forbidden", func(t *testing.T) {
		m := newMachine(t)
		m.o.Source = m.srv.URL + "/repos/o/r"
		m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		m.refused("release.status")
	})
	t.Run("empty list", func(t *testing.T) {
		m := newMachine(t)
		m.api()
		m.refused("release.none")
	})
	t.Run("no list", func(t *testing.T) {
		m := newMachine(t)
		m.o.Source = m.srv.URL + "/repos/o/r"
		m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"message":"hello"}`) })
		m.refused("release.not-api")
	})
	t.Run("releases without a manifest", func(t *testing.T) {
		m := newMachine(t)
		r := plain(t, m.key, "1.2.0")
		delete(r.files, SignatureName)
		m.api(listing{"v1.2.0", r})
		m.refused("release.unsigned")
	})
	t.Run("more than 30 releases", func(t *testing.T) {
		m := newMachine(t)
		newest := plain(t, m.key, "2.5.0")
		m.o.Source = m.srv.URL + "/repos/o/r"
		m.serve("/dl/v2.5.0/", newest)
		m.mux.HandleFunc("/repos/o/r/releases", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("page") == "2" {
				m.page(w, []listing{{"v2.5.0", newest}})
				return
			}
			w.Header().Set("Link", `<x>; rel="next"`)
			fmt.Fprint(w, "[")
			for i := range 30 {
				fmt.Fprintf(w, `{"id":%d,"tag_name":"v1.0.%d","assets":[]},`, i+1, i)
			}
			fmt.Fprint(w, `{"id":99,"tag_name":"v1.1.0"}]`)
		})
		m.installed("2.5.0")
	})
}

// Gitea and Forgejo answer alike, with fifty releases a page at most and, some
// versions, without a Link header.
func TestGitea(t *testing.T) {
	m := newMachine(t)
	newest := plain(t, m.key, "2.5.0")
	m.o.Source = m.srv.URL + "/api/v1/repos/o/r"
	m.serve("/dl/v2.5.0/", newest)
	m.mux.HandleFunc("/api/v1/repos/o/r/releases", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("limit") == "" {
			t.Error("Gitea's word for the size of a page is missing")
		}
		switch r.URL.Query().Get("page") {
		case "1":
			fmt.Fprint(w, "[")
			for i := range 50 {
				fmt.Fprintf(w, `{"id":%d,"tag_name":"v1.0.%d","assets":[]},`, i+1, i)
			}
			fmt.Fprint(w, `{"id":99,"tag_name":"v1.1.0"}]`)
		case "2":
			m.page(w, []listing{{"v2.5.0", newest}})
		default:
			fmt.Fprint(w, "[]")
		}
	})
	m.installed("2.5.0")
}

// Row 36: a token in the environment is nobody's business.
func TestRow36Token(t *testing.T) {
	m := newMachine(t)
	t.Setenv("GITHUB_TOKEN", "invalid")
	t.Setenv("GITEA_TOKEN", "invalid")
	m.h.Env = platform.Env{"GITHUB_TOKEN": "invalid", "GITEA_TOKEN": "invalid"}
	m.api(listing{"v1.2.0", plain(t, m.key, "1.2.0")})
	m.installed("1.2.0")
	for _, r := range m.seen {
		if r.Header.Get("Authorization")+r.Header.Get("Private-Token") != "" {
			t.Errorf("%s was sent a token", r.URL)
		}
	}
}
