//go:build linux

package lab

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/chain/chaintest"
)

// cell is what one real client did with one chain.
type cell struct {
	system Suite
	client string // with its version
	family string
	fault  *chaintest.Fault
	want   chain.Verdict
	ok     bool   // the server was sent a request
	words  string // what the client printed
}

func (c cell) String() string {
	return fmt.Sprintf("%s %s, %s", c.system, c.client, c.fault.Name)
}

// Every real client of this machine and of four Debian releases does with
// every chain what its rules predict, and what it prints is recognised as what
// the chain has wrong. What differs stands in exceptions, with the reason;
// docs/agreement.md is generated from the rest.
func TestAgreement(t *testing.T) {
	need(t)
	needStep(t, true)
	now := time.Now().UTC().Truncate(time.Second)
	faults := chaintest.Faults(t, now)
	var (
		mu    sync.Mutex
		cells []cell
		ran   []Suite
	)
	t.Run("ask", func(t *testing.T) {
		for _, system := range append([]Suite{Machine}, Suites...) {
			t.Run(strings.TrimSpace("system "+string(system)), func(t *testing.T) {
				t.Parallel()
				got := ask(t, system, faults, now, nil)
				mu.Lock()
				defer mu.Unlock()
				cells, ran = append(cells, got...), append(ran, system)
			})
		}
	})
	a := agreement{faults, now, cells, len(ran) == 1+len(Suites)}
	for _, f := range families {
		if !slices.ContainsFunc(cells, func(c cell) bool { return c.family == f.name }) {
			a.complete = false
			if required {
				t.Errorf("nobody was asked who verifies like %s; scripts/ci-setup.sh installs %s", f.name, f.speaker)
			}
		}
	}
	a.check(t)
}

// ask puts every chain before every client of a system, or those of names.
func ask(t *testing.T, system Suite, faults []chaintest.Fault, now time.Time, names []string) []cell {
	s := startAs(t, system)
	hosts := "127.0.0.1 localhost"
	for _, f := range faults {
		if net.ParseIP(f.Host) == nil && !strings.Contains(hosts, " "+f.Host) {
			hosts += " " + f.Host
		}
	}
	s.Write("/etc/hosts", hosts+"\n")
	scripts, err := filepath.Glob("testdata/clients/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range scripts {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s.Write("/srv/ask/"+filepath.Base(path), string(content))
	}
	seen := make([]atomic.Bool, len(faults))
	var questions []string
	for i, f := range faults {
		port := s.serveChain(t, f, &seen[i])
		pem := fmt.Sprintf("/srv/ask/%d.pem", i)
		s.Write(pem, pemOf(f.Roots))
		questions = append(questions, fmt.Sprintf("%d %s %s", port, f.Host, pem))
	}
	var cells []cell
	for _, a := range askers(t, s, system) {
		if names != nil && !slices.Contains(names, a.name) {
			continue
		}
		since := time.Now()
		answers, facts := a.ask(t, s, questions)
		client := strings.TrimSpace(a.name + " " + cmp.Or(facts["version"], facts["python"]))
		rules, family := a.rules(facts)
		asked := 0
		for i := range faults {
			words, ok := answers[i]
			met := seen[i].Swap(false)
			if !ok || words == "cannot be asked" {
				continue
			}
			asked++
			in := chain.Input{Served: faults[i].Served, Roots: rootsOf(faults[i].Roots), Host: faults[i].Host, Time: now, Rules: rules}
			c := cell{system: system, client: client, family: family, fault: &faults[i], want: chain.Judge(in), ok: met, words: words}
			if met != (words == "ok") {
				t.Errorf("%s: it says %q, and sent a request: %v", c, words, met)
			}
			cells = append(cells, c)
		}
		t.Logf("%s (%v): %d of %d chains by the rules of %s, %.1f s", client, facts, asked, len(faults), rules.Name, time.Since(since).Seconds())
		if asked < len(faults)-3 {
			t.Errorf("%s answered %d of %d questions", client, asked, len(faults))
		}
	}
	return cells
}

// startAs is Start, except that the machine itself is shown whole: what its
// owner installed, Pythons above all, is among the clients.
func startAs(t *testing.T, system Suite) *Sandbox {
	if system != Machine {
		return Start(t, Config{Suite: system})
	}
	s := &Sandbox{t: t, dir: t.TempDir()}
	ns, err := openOverlay(s.dir, []string{"/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ns.close)
	s.ns = ns
	return s
}

// serveChain opens an https server that shows a chain, and notes who went on
// after having seen it.
func (s *Sandbox) serveChain(t *testing.T, f chaintest.Fault, seen *atomic.Bool) int {
	var l net.Listener
	err := s.ns.network(func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			seen.Store(true)
			if r.URL.Path != "/" {
				http.NotFound(rw, r)
			}
		}),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{{Certificate: f.Served, PrivateKey: f.Key}}, NextProtos: []string{"http/1.1"}},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { _ = srv.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// ask runs the client once, over all questions.
func (a asker) ask(t *testing.T, s *Sandbox, questions []string) (map[int]string, map[string]string) {
	if a.direct != nil {
		return a.direct(s, questions), map[string]string{}
	}
	// A pip of old asks three times before it believes; all of it is bounded.
	r := s.Exec(Cmd{Argv: append(append([]string{}, a.argv...), questions...), Timeout: 5 * time.Minute, Dir: "/tmp", Env: []string{
		"PYTHONNOUSERSITE=1", "PYTHONWARNINGS=ignore", "DENO_DIR=/tmp/deno", "DENO_NO_UPDATE_CHECK=1", "LC_ALL=C.UTF-8",
	}})
	answers, facts := map[int]string{}, map[string]string{}
	for line := range strings.Lines(r.Stdout) {
		n, words, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n == "#" {
			for _, f := range strings.Fields(words) {
				k, v, _ := strings.Cut(f, "=")
				facts[k] = v
			}
		} else if i, err := strconv.Atoi(n); err == nil {
			answers[i] = words
		}
	}
	if len(answers) == 0 {
		t.Errorf("%s says nothing: %s", a.name, r)
	}
	return answers, facts
}

func pemOf(es []*chaintest.Entity) string {
	var b strings.Builder
	for _, e := range es {
		b.WriteString((&CA{Cert: e.Certificate}).PEM())
	}
	return b.String()
}

func rootsOf(es []*chaintest.Entity) *bundles.Roots {
	r := &bundles.Roots{}
	for _, e := range es {
		r.Add(bundles.Root{Cert: e.Certificate})
	}
	return r
}
