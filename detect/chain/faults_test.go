package chain

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustfix/detect/chain/chaintest"
)

type fault struct{ chaintest.Fault }

func makeFaults(tb testing.TB) []fault {
	tb.Helper()
	var out []fault
	for _, f := range chaintest.Faults(tb, now) {
		out = append(out, fault{f})
	}
	return out
}

func (f fault) input() Input {
	return Input{Served: f.Served, Roots: roots(f.Roots...), Host: f.Host, Time: now}
}

func TestFaults(t *testing.T) {
	for _, f := range makeFaults(t) {
		t.Run(f.Name, func(t *testing.T) {
			v := Judge(f.input())
			if got := strings.Join(v.IDs(), " "); got != f.IDs {
				t.Errorf("causes %q, want %q", got, f.IDs)
			}
			if want := f.IDs == "" || f.IDs == "strict-ca"; v.OK != want {
				t.Errorf("ok = %v", v.OK)
			}
			for _, c := range v.Causes {
				if len(c.Evidence) == 0 || c.Evidence[0].String() == "" {
					t.Errorf("%s: no evidence", c.ID)
				}
			}
			for _, name := range strings.Fields(chaintest.Everyone) {
				in := f.input()
				in.Rules, _ = RulesFor(name)
				v := Judge(in)
				if want := !slices.Contains(strings.Fields(f.Refuse), name); v.OK != want {
					t.Errorf("%s: ok = %v, want %v (%v)", name, v.OK, want, v.IDs())
				}
				if v.OK {
					continue
				}
				if c := v.Causes[0]; c.Text == "" || len(c.Evidence) == 0 {
					t.Errorf("%s: no words or evidence for %s %s", name, c.ID, c.Code)
				}
				code := map[string]int{"openssl-3": f.Code, "python-3.13": f.Strict}[name]
				if code != 0 && v.Causes[0].ErrCode != strconv.Itoa(code) {
					t.Errorf("%s: error %s, want %d", name, v.Causes[0].ErrCode, code)
				}
			}
		})
	}
}

// The same chains against the openssl program, where there is one: every
// prediction of acceptance and of the first error must come true.
func TestOpenSSLAgrees(t *testing.T) {
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl program here")
	}
	out, err := exec.Command(program, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "OpenSSL 3.") {
		t.Skipf("not OpenSSL 3: %s", out)
	}
	dir := t.TempDir()
	file := func(name string, ders ...[]byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, pemOf(ders...), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, f := range makeFaults(t) {
		if len(f.Roots) == 0 {
			continue // the program wants a file with something in it
		}
		t.Run(f.Name, func(t *testing.T) {
			args := []string{
				"verify", "-no-CApath", "-no-CAstore", "-CAfile", file("roots.pem", ders(f.Roots...)...), "-purpose", "sslserver",
				"-attime", strconv.FormatInt(now.Unix(), 10), "-auth_level", "2", "-trusted_first",
			}
			if net.ParseIP(f.Host) != nil {
				args = append(args, "-verify_ip", f.Host)
			} else {
				args = append(args, "-verify_hostname", f.Host)
			}
			if len(f.Served) > 1 {
				args = append(args, "-untrusted", file("sent.pem", f.Served[1:]...))
			}
			leaf := file("leaf.pem", f.Served[0])
			for _, strict := range []bool{false, true} {
				full, want := slices.Clone(args), f.Code
				if strict {
					full, want = append(full, "-x509_strict", "-partial_chain"), f.Strict
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				cmd := exec.CommandContext(ctx, program, append(full, leaf)...)
				cmd.Env = []string{"OPENSSL_CONF=/dev/null", "LC_ALL=C"}
				out, _ := cmd.CombinedOutput()
				cancel()
				got := 0
				if _, after, ok := strings.Cut(string(out), "\nerror "); ok {
					got, _ = strconv.Atoi(strings.Fields(after)[0])
				}
				if got != want {
					t.Errorf("strict=%v: openssl says %d, we said %d\n%s", strict, got, want, out)
				}
			}
		})
	}
}
