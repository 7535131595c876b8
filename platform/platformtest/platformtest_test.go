package platformtest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"trustfix/platform"
	"trustfix/platform/platformtest"
)

const debian = `
A small Debian machine.
link /etc/ssl/cert.pem -> certs/ca.crt
dir /root/.config
mode 0600 /root/.condarc
mtime 2021-03-04T05:06:07.5Z /root/.condarc
trim /root/.condarc
crlf /root/pip.conf
base64 /root/b
-- etc/os-release --
ID=debian
VERSION_ID="12"
-- etc/passwd --
root:x:0:0:root:/root:/bin/bash
lin:x:1000:1000::/home/lin:/bin/bash
-- etc/ssl/certs/ca.crt --
roots
-- home/lin/.condarc --
-- root/.condarc --
ssl_verify: false
-- root/pip.conf --
[global]
-- root/b --
AAH/
`

func TestNew(t *testing.T) {
	h := platformtest.New(t, debian, platformtest.User("lin"), platformtest.Env(map[string]string{"A": "b"}))
	if h.Distro.ID != "debian" || h.Distro.Version != "12" || h.Distro.Family != platform.Debian {
		t.Errorf("distro %+v", h.Distro)
	}
	if h.User.Name != "lin" || h.User.Home != "/home/lin" || len(h.Users) != 2 || h.Users[1].Name != "root" {
		t.Errorf("user %+v, users %+v", h.User, h.Users)
	}
	for name, want := range map[string]string{
		"/root/.condarc": "ssl_verify: false", "/root/pip.conf": "[global]\r\n", "/root/b": "\x00\x01\xff", "/etc/ssl/cert.pem": "roots\n",
	} {
		if got := platformtest.Read(h, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	img, err := h.Files.Snapshot("/root/.condarc")
	if err != nil || img.Mode != 0o600 || !img.MTime.Equal(time.Date(2021, 3, 4, 5, 6, 7, 5e8, time.UTC)) {
		t.Errorf("snapshot %+v, %v", img, err)
	}
	if h.Env["A"] != "b" || len(h.Env) != 1 || !h.Now().Equal(platformtest.DefaultNow) {
		t.Errorf("env %v, now %v", h.Env, h.Now())
	}
	if _, err := os.Stat(h.State.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening made the state directory: %v", err)
	}
	if a, b := platformtest.Tree(h), platformtest.Tree(platformtest.Reopen(h)); a != b {
		t.Errorf("reopening changed the tree:\n%s", platformtest.Diff(a, b))
	}
}

func TestTreeSeesEveryChange(t *testing.T) {
	h := platformtest.New(t, debian)
	before := platformtest.Tree(h)
	img, err := h.Files.Snapshot("/root/.condarc")
	if err != nil {
		t.Fatal(err)
	}
	changed := img
	changed.Mode = 0o644
	if err := h.Write.Put("/root/.condarc", changed); err != nil {
		t.Fatal(err)
	}
	if d := platformtest.Diff(before, platformtest.Tree(h)); !strings.Contains(d, "+ /root/.condarc file 0644") {
		t.Errorf("diff:\n%s", d)
	}
	contents := platformtest.Contents(h)
	if err := h.Write.Put("/root/.condarc", img); err != nil {
		t.Fatal(err)
	}
	if d := platformtest.Diff(before, platformtest.Tree(h)); strings.Contains(d, ".condarc") {
		t.Errorf("not as before:\n%s", d)
	}
	if contents == platformtest.Contents(h) {
		t.Error("Contents does not see a mode")
	}
}

func TestScript(t *testing.T) {
	h := platformtest.New(t, debian, platformtest.Script(platformtest.Programs{
		"/usr/sbin/update-ca-certificates": {Do: func(h *platform.Host, _ platform.Cmd) (platform.Output, error) {
			platformtest.WriteFile(h, "/etc/ssl/certs/ca.crt", "rebuilt")
			return platform.Output{Stdout: "done"}, nil
		}},
		"systemctl is-active chrony": {Stdout: "inactive\n", Code: 3},
		"unused":                     {Optional: true},
	}))
	ctx := context.Background()
	if p, err := h.Exec.LookPath("update-ca-certificates"); err != nil || p != "/usr/sbin/update-ca-certificates" {
		t.Errorf("LookPath = %s, %v", p, err)
	}
	if _, err := h.Exec.LookPath("dnf"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("LookPath(dnf) = %v", err)
	}
	out, err := h.Run.Run(ctx, platform.Cmd{Argv: []string{"update-ca-certificates", "--fresh"}})
	if err != nil || out.Stdout != "done" || platformtest.Read(h, "/etc/ssl/certs/ca.crt") != "rebuilt" {
		t.Errorf("Run = %+v, %v", out, err)
	}
	var exit *platform.ExitError
	if _, err := h.Exec.Query(ctx, platform.Cmd{Argv: []string{"systemctl", "is-active", "chrony"}}); !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("Query = %v", err)
	}
	if got := platformtest.Ran(h); len(got) != 2 {
		t.Errorf("ran %v", got)
	}
}

// silent is a testing.TB that notes failures instead of failing.
type silent struct {
	testing.TB
	failed   bool
	cleanups []func()
}

func (s *silent) Errorf(string, ...any) { s.failed = true }
func (s *silent) Failed() bool          { return s.failed }
func (s *silent) Cleanup(f func())      { s.cleanups = append(s.cleanups, f) }

func TestScriptIsStrict(t *testing.T) {
	s := &silent{TB: t}
	h := platformtest.New(s, debian, platformtest.Script(platformtest.Programs{"systemctl is-active chrony": {}}))
	_, _ = h.Run.Run(context.Background(), platform.Cmd{Argv: []string{"systemctl", "stop", "chrony"}})
	if !s.failed {
		t.Error("an unscripted command line passed")
	}
	s.failed = false
	for _, f := range s.cleanups {
		f()
	}
	if !s.failed {
		t.Error("an unused program passed")
	}
	s.failed = false
	if _, err := h.Net.Handshake(context.Background(), platform.Endpoint{Host: "x.example", Port: 443}); err == nil || !s.failed {
		t.Error("contact with an unnamed host passed")
	}
}

func TestFaults(t *testing.T) {
	h := platformtest.New(t, debian)
	boom := errors.New("boom")
	put := func() error { return h.Write.Put("/root/x", platform.Image{Kind: platform.Absent}) }
	platformtest.FailWrite(h, 2, boom)
	if err := put(); err != nil {
		t.Error(err)
	}
	if err := h.State.WriteFile("x", nil); !errors.Is(err, boom) {
		t.Errorf("second call: %v", err)
	}
	if err := put(); err != nil {
		t.Error(err)
	}
	platformtest.CrashAt(h, 1)
	if err := errors.Join(put(), h.Clock.SetClock(time.Now()), h.State.Mkdir("d")); strings.Count(err.Error(), "gone") != 3 {
		t.Errorf("after the crash: %v", err)
	}
	if n := len(platformtest.Mutations(h)); n != 6 {
		t.Errorf("%d mutations", n)
	}
	next := platformtest.Reopen(h)
	if err := next.Clock.SetClock(time.Unix(5, 0)); err != nil || !next.Now().Equal(time.Unix(5, 0)) || len(platformtest.Sets(next)) != 1 {
		t.Errorf("next run: %v, %v", err, next.Now())
	}
}

func TestLoopback(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello ", r.Host) }))
	defer srv.Close()
	s := &silent{TB: t}
	h := platformtest.New(s, debian, platformtest.Loopback(map[string]string{"mirror.example:80": srv.Listener.Addr().String()}))
	r, err := h.Net.Get(context.Background(), platform.Request{URL: "http://mirror.example/"})
	if err != nil || string(r.Body) != "hello mirror.example" || !r.At.Equal(platformtest.DefaultNow) || s.failed {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := h.Net.Get(context.Background(), platform.Request{URL: "http://192.0.2.1/"}); err == nil || !s.failed {
		t.Errorf("an address that is not loopback was reached: %v", err)
	}
}
