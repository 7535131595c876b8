package client

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trustfix/platform"
)

// The tests in this file ask the real programs of this machine what they make
// of a generated configuration, in a throw-away home with an empty environment
// and without network, and compare with the resolution. They run where the
// program is.

// program is a real one, or the test is not for this machine.
func program(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not on this machine", name)
	}
	if real, err := filepath.EvalSymlinks(p); err == nil && strings.Contains(real, "pyenv/libexec") || strings.Contains(p, "/shims/") {
		p = "/usr/bin/" + name
		if _, err := os.Stat(p); err != nil {
			t.Skipf("%s is only a shim on this machine", name)
		}
	}
	return p
}

func output(t *testing.T, home string, env []string, argv ...string) string {
	t.Helper()
	return outputAt(t, home, home, env, argv...)
}

// outputAt starts the program in a directory.
func outputAt(t *testing.T, home, dir string, env []string, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + home, "PATH=/usr/bin:/bin", "LC_ALL=C"}, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // several print what is asked for and then fail for want of a network
	return out.String() + errs.String()
}

// home writes files below a throw-away home directory.
func home(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// seen is this machine with that home and environment, less what others
// configured on it.
func seen(t *testing.T, home string, env ...string) Inventory {
	t.Helper()
	return seenAt(t, home, home, env...)
}

// seenAt is the same from a directory.
func seenAt(t *testing.T, home, dir string, env ...string) Inventory {
	t.Helper()
	h, err := platform.Open(platform.OpenOptions{Env: append([]string{"HOME=" + home, "PATH=/usr/bin:/bin"}, env...), StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	v := *h.View
	v.User.Home, v.Users, v.Elevated, v.Dir = home, nil, false, dir
	inv, err := Resolve(context.Background(), &v)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func one(t *testing.T, inv Inventory, name, path string) *Client {
	t.Helper()
	for _, c := range inv.Clients {
		if c.Name == name && (path == "" || c.Path == path) {
			return c
		}
	}
	t.Fatalf("no %s at %q among %d clients", name, path, len(inv.Clients))
	return nil
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// git decides per host; "git config --get-urlmatch" is its own resolution.
func TestAgreesWithGit(t *testing.T) {
	git := program(t, "git")
	r := rand.New(rand.NewPCG(1, 2))
	values := []string{"sslVerify = false", "sslVerify = no", "sslVerify = off", "sslVerify = 0", "sslVerify = 0x0", "sslVerify = 0k", "sslVerify =", "sslVerify", "sslVerify = true", "sslVerify = 1", "sslVerify = yes", "SSLVERIFY = \"false\"", ""}
	agree(t, configurationsIn(t), func(i int) string {
		global, xdg, included := pick(r, values...), pick(r, values...), pick(r, values...)
		files := map[string]string{
			".gitconfig":         fmt.Sprintf("[user]\n\tname = x\n[include]\n\tpath = more\n[http]\n\t%s\n\tsslCAInfo = ~/ca-%d.pem\n", global, i),
			".config/git/config": "[http]\n\t" + xdg + "\n",
			"more":               "[http]\n\t" + included + "\n",
		}
		dir := home(t, files)
		env := []string{"GIT_CONFIG_NOSYSTEM=1"}
		off := strings.TrimSpace(output(t, dir, env, git, "config", "--type=bool", "--default=true", "--get", "http.sslVerify")) == "false"
		ca := strings.TrimSpace(output(t, dir, env, git, "config", "--type=path", "--get", "http.sslCAInfo"))
		c := one(t, seen(t, dir, env...), "git", "")
		if (c.Verify == "off") != off || c.Trust.Path != ca {
			t.Errorf("%v: git says off=%v %s, we say verify=%s %s", files, off, ca, c.Verify, c.Trust.Path)
		}
		// Every place, with the line git names for the file.
		origins := output(t, dir, env, git, "config", "--show-origin", "--get-all", "http.sslVerify")
		for _, line := range strings.Split(strings.TrimSpace(origins), "\n") {
			file, _, ok := strings.Cut(strings.TrimPrefix(line, "file:"), "\t")
			if !ok || strings.HasPrefix(line, "command line") {
				continue
			}
			if !filepath.IsAbs(file) {
				file = filepath.Join(dir, file)
			}
			if !slices.ContainsFunc(c.Settings, func(s *Setting) bool { return s.File == file && s.Role == RoleVerify }) {
				t.Errorf("git reads %s, we do not", file)
			}
		}
		return c.Verify
	})
}

// curl -v names the bundle and the directory it has loaded.
func TestAgreesWithCurl(t *testing.T) {
	curl := program(t, "curl")
	bundle, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		t.Skip("no bundle on this machine")
	}
	r := rand.New(rand.NewPCG(5, 6))
	agree(t, configurationsIn(t), func(int) string {
		rc := pick(r, "", "cacert = \"$RC\"\n", "--cacert $RC\n", "insecure\n", "-k\n", "insecure = true\n", "# insecure\n")
		dir := home(t, map[string]string{"rc.pem": string(bundle), "bundle.pem": string(bundle), "file.pem": string(bundle)})
		where := pick(r, ".curlrc", ".config/curlrc")
		if err := os.MkdirAll(filepath.Join(dir, ".config"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, where), []byte(strings.ReplaceAll(rc, "$RC", dir+"/rc.pem")), 0o644); err != nil {
			t.Fatal(err)
		}
		var env []string
		if pick(r, true, false) {
			env = append(env, "CURL_CA_BUNDLE="+dir+"/bundle.pem")
		}
		if pick(r, true, false) {
			env = append(env, "SSL_CERT_FILE="+dir+"/file.pem")
		}
		out := silentServer(t, func(addr string) string {
			return output(t, dir, env, curl, "-v", "--max-time", "2", "https://"+addr+"/")
		})
		file := ""
		if m := regexp.MustCompile(`CAfile: (\S+)`).FindStringSubmatch(out); m != nil {
			file = m[1]
		}
		if file == "" && !strings.Contains(rc, "k\n") && !strings.Contains(rc, "insecure") {
			t.Fatalf("curl does not name its bundle:\n%s", out)
		}
		c := one(t, seen(t, dir, env...), "curl", "")
		off := rc == "insecure\n" || rc == "-k\n" || rc == "insecure = true\n"
		if (c.Verify == "off") != off || !off && c.Trust.Path != file {
			t.Errorf("%q in %s with %v: curl reads %s, we say %s verify=%s", rc, where, env, file, c.Trust.Path, c.Verify)
		}
		return c.Verify + " " + strings.TrimPrefix(file, dir)
	})
}

// pip's own word: "pip config debug" for the files, "pip config get" for the rest.
func TestAgreesWithPip(t *testing.T) {
	pip := program(t, "pip3")
	r := rand.New(rand.NewPCG(7, 8))
	values := []string{"trusted-host = a.example", "trusted_host: a.example b.example", "trusted-host =\n    a.example\n    b.example", "cert = /c%d.pem", "--cert = /d%d.pem", "cert =", "index-url = https://i%d.example/simple"}
	spell := func(i int) string {
		v := pick(r, values...)
		if strings.Contains(v, "%d") {
			v = fmt.Sprintf(v, i)
		}
		return v
	}
	agree(t, configurationsIn(t), func(i int) string {
		files := map[string]string{
			".pip/pip.conf":        "[global]\n" + spell(i) + "\n[install]\n" + spell(i) + "\n",
			".config/pip/pip.conf": "; mine\n[global]\n" + spell(i) + "\n",
		}
		dir := home(t, files)
		env := []string{"XDG_CONFIG_DIRS=" + dir + "/none"}
		got := map[string]string{}
		for _, line := range strings.Split(output(t, dir, env, pip, "config", "list"), "\n") {
			if k, v, ok := strings.Cut(line, "="); ok {
				got[k] = strings.Trim(v, "'")
			}
		}
		effective := func(key string) string {
			if v, ok := got["install."+key]; ok {
				return v
			}
			return got["global."+key]
		}
		inv := seen(t, dir, env...)
		var c *Client
		for _, x := range inv.Clients {
			if x.Name == "pip" && strings.HasPrefix(x.Path, "/usr/bin/") {
				c = x
			}
		}
		if c == nil {
			t.Fatal("the system's pip was not found")
		}
		if cert := effective("cert"); cert != "" && c.Trust.Path != cert && !slices.Contains(c.Trust.Adds, cert) {
			t.Errorf("%v: pip's cert is %s, we say %+v", files, cert, c.Trust)
		} else if cert == "" && c.Trust.SetBy != "" {
			t.Errorf("%v: pip has no cert, we say %+v", files, c.Trust)
		}
		if url := effective("index-url"); url != "" && c.Endpoints[0].URL.String() != url {
			t.Errorf("%v: pip's index is %s, we say %s", files, url, c.Endpoints[0].URL)
		}
		debug := ""
		if i%6 == 0 { // it names the files, which stand at the same places each time
			debug = output(t, dir, env, pip, "config", "debug")
		}
		for _, s := range c.Settings {
			if debug != "" && !strings.Contains(debug, s.File+", exists: True") {
				t.Errorf("pip does not read %s:\n%s", s.File, debug)
			}
		}
		return fmt.Sprint(effective("cert") != "", effective("index-url") != "", effective("trusted-host"))
	})
}

// Each Python's default bundle, as its ssl module names it.
func TestAgreesWithPython(t *testing.T) {
	h, err := os.UserHomeDir()
	if err != nil {
		t.Skip("no home")
	}
	dir := home(t, map[string]string{"x.pem": "x"})
	python := []string{"/usr/bin/python3"}
	installed, _ := filepath.Glob(filepath.Join(h, ".pyenv/versions/*/bin/python"))
	python = append(python, installed...)
	ran := 0
	for _, p := range python {
		if _, err := os.Stat(p); err != nil {
			continue
		}
		for _, env := range [][]string{
			nil,
			{"SSL_CERT_FILE=" + dir + "/x.pem"},
			{"SSL_CERT_DIR=" + dir},
			{"SSL_CERT_FILE="},
			{"SSL_CERT_FILE=" + dir + "/missing.pem"},
			{"SSL_CERT_FILE=" + dir + "/x.pem", "SSL_CERT_DIR=" + dir},
		} {
			out := strings.TrimSpace(output(t, dir, env, p, "-c", "import ssl; p = ssl.get_default_verify_paths(); print(p.cafile); print(p.openssl_cafile); print(ssl.OPENSSL_VERSION)"))
			lines := strings.Split(out, "\n")
			if len(lines) != 3 {
				t.Fatalf("%s: %s", p, out)
			}
			home := dir
			if strings.HasPrefix(p, h) { // pyenv is found below the home it belongs to
				home = h
			}
			inv := seen(t, home, env...)
			prefix := filepath.Dir(filepath.Dir(p))
			var c *Client
			for _, x := range inv.Clients {
				if x.Name == "python" && (x.Path == prefix || p == "/usr/bin/python3" && strings.HasPrefix(x.Path, p)) {
					c = x
				}
			}
			if c == nil {
				t.Errorf("%s was not found", p)
				continue
			}
			ran++
			want, _ := filepath.EvalSymlinks(lines[0])
			got, _ := filepath.EvalSymlinks(c.Trust.Path)
			if lines[0] != "None" && want != got {
				t.Errorf("%s %v reads %s, we say %s (%s)", p, env, lines[0], c.Trust.Path, c.Trust.Kind)
			}
			if !strings.HasPrefix(lines[2], "OpenSSL "+c.OpenSSL+" ") {
				t.Errorf("%s has %s, we say %s", p, lines[2], c.OpenSSL)
			}
		}
	}
	if ran == 0 {
		t.Skip("no Python on this machine")
	}
	t.Logf("%d configurations compared", ran)
}
