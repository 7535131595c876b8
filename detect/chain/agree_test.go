package chain

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// program is a real client: one run answers for every server, so that slow
// starters are started once. It prints a line "N ok" or "N words" for each
// argument "port name roots".
type program struct {
	name   string
	args   []string
	script string // file under testdata/clients
	rules  func() *Rules
}

func rulesNamed(name string, change func(*Rules)) func() *Rules {
	return func() *Rules {
		r, _ := RulesFor(name)
		if change != nil {
			change(r)
		}
		return r
	}
}

var programs = []program{
	{name: "node", script: "ask.js", rules: rulesNamed("node", nil)},
	{name: "java", script: "Ask.java", rules: rulesNamed("java", nil)},
	{name: "curl", args: []string{"sh"}, script: "ask-curl.sh", rules: rulesNamed("openssl-3", func(r *Rules) { r.PartialChain = true })},
	{name: "wget", args: []string{"sh"}, script: "ask-wget.sh", rules: rulesNamed("gnutls", nil)},
	{name: "python3.12", script: "ask.py", rules: rulesNamed("openssl-3", nil)},
	{name: "python3.13", script: "ask.py", rules: rulesNamed("python-3.13", nil)},
	{name: "python3.14", script: "ask.py", rules: rulesNamed("python-3.13", nil)},
}

// Every client that is here must do what its rules predict, on every fault.
func TestProgramsAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("starts other programs")
	}
	faults := makeFaults(t)
	dir := t.TempDir()
	var questions []string
	for i, f := range faults {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := &httptest.Server{Listener: ln, Config: &http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }), ErrorLog: nil,
		}}
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: f.served, PrivateKey: f.key}}}
		srv.Config.ErrorLog = quiet()
		srv.StartTLS()
		t.Cleanup(srv.Close)
		pem := filepath.Join(dir, strconv.Itoa(i)+".pem")
		if err := os.WriteFile(pem, pemOf(ders(f.roots...)...), 0o600); err != nil {
			t.Fatal(err)
		}
		questions = append(questions, fmt.Sprintf("%d %s %s", ln.Addr().(*net.TCPAddr).Port, f.host, pem))
	}
	for _, p := range programs {
		path, err := exec.LookPath(p.name)
		if err != nil {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			args := append(append([]string{}, p.args...), filepath.Join("testdata/clients", p.script))
			if len(p.args) == 0 {
				args = append([]string{path}, args...)
			}
			cmd := exec.CommandContext(ctx, args[0], append(args[1:], questions...)...)
			cmd.Env = []string{"PATH=" + filepath.Dir(path) + ":/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8"}
			out, err := cmd.Output()
			if ctx.Err() != nil {
				t.Fatalf("%s took too long", p.name)
			}
			if err != nil {
				t.Skipf("%s does not run here, or is built on another library: %v", p.name, err)
			}
			asked := 0
			for line := range strings.Lines(string(out)) {
				n, words, _ := strings.Cut(strings.TrimSpace(line), " ")
				i, err := strconv.Atoi(n)
				if err != nil || words == "cannot be asked" {
					continue
				}
				asked++
				in := faults[i].input()
				in.Rules = p.rules()
				if v := Judge(in); v.OK != (words == "ok") {
					t.Errorf("%s: predicted ok=%v %v, really: %s", faults[i].name, v.OK, v.IDs(), words)
				} else if !v.OK {
					t.Logf("%s: %q; predicted %s %q", faults[i].name, words, v.Causes[0].ErrCode, v.Causes[0].Text)
				}
			}
			t.Logf("%d of %d chains", asked, len(faults))
			if asked < len(faults)/2 {
				t.Errorf("only %d of %d answers", asked, len(faults))
			}
		})
	}
}
