//go:build linux

package lab

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// aiaHost serves the certificates that "authority information access" names.
const aiaHost = "aia.lab.example"

// Addresses of the CONNECT proxies inside a sandbox.
const (
	ProxyHonest    = "http://127.0.0.1:3128"
	ProxyIntercept = "http://127.0.0.1:3129" // re-signs as Zcorp
	ProxyLogin     = "http://127.0.0.1:3130" // 407 without lin:secret
)

// Hosts says which names meet which fault.
type Hosts map[string]Fault

// TimeServers says which names meet which time server.
type TimeServers map[string]Ticker

// realHosts are the names that clients use by default; they are good unless a test says otherwise.
var realHosts = []string{
	"pypi.org", "files.pythonhosted.org", "conda.anaconda.org", "repo.anaconda.com",
	"mirrors.tuna.tsinghua.edu.cn", "pypi.tuna.tsinghua.edu.cn", "mirrors.aliyun.com", "mirrors.ustc.edu.cn",
	"github.com", npmHost,
}

// World is the small internet of one sandbox.
type World struct {
	pki    *PKI
	site   *site
	offset time.Duration
	start  time.Time

	mu      sync.Mutex
	hosts   map[string]string // name -> address
	certs   map[string]*tls.Certificate
	events  []Event
	closers []func() error
	ns      *namespaces
}

// Event is something that reached the world.
type Event struct {
	Kind   string // dns, connect, hello, tls-error, request, proxy, ntp
	Fault  Fault  // of the server that was met
	Name   string // host asked for: SNI, Host header, CONNECT target, DNS question
	Detail string
}

func (e Event) String() string {
	return fmt.Sprintf("%s %s %s %s", e.Kind, e.Name, e.Fault, e.Detail)
}

// Now is true time: the machine's, plus the world's offset.
func (w *World) Now() time.Time { return w.start.Add(w.offset + time.Since(w.start)) }

func (w *World) log(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// Events is what reached the world so far, optionally only of some kinds.
func (w *World) Events(kinds ...string) []Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Event
	for _, e := range w.events {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			out = append(out, e)
		}
	}
	return out
}

// Forget drops the events so far.
func (w *World) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = nil
}

// openWorld starts every server inside the network namespace of ns.
func openWorld(b *base, ns *namespaces, offset time.Duration) (*World, error) {
	w := &World{pki: b.pki, ns: ns, offset: offset, start: time.Now(), certs: map[string]*tls.Certificate{}}
	w.site = newSite(b, w.Now)
	err := ns.network(func() error {
		for i := range scenarios {
			if err := w.openScenario(&scenarios[i]); err != nil {
				return err
			}
		}
		for _, s := range tickers {
			c, err := net.ListenPacket("udp", s.addr+":123")
			if err != nil {
				return err
			}
			w.onClose(c.Close)
			go w.serveTime(c, s)
		}
		plain, err := w.listen("0.0.0.0:80")
		if err != nil {
			return err
		}
		w.serve(plain, nil, "http", w.site)
		for _, p := range []string{ProxyHonest, ProxyIntercept, ProxyLogin} {
			l, err := w.listen(strings.TrimPrefix(p, "http://"))
			if err != nil {
				return err
			}
			w.serve(l, nil, "", &proxy{world: w, url: p})
		}
		dns, err := net.ListenPacket("udp", "127.0.0.1:53")
		if err != nil {
			return err
		}
		w.onClose(dns.Close)
		go w.serveDNS(dns)
		return nil
	})
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("cannot open the world: %w", err)
	}
	return w, nil
}

// Close stops every server.
func (w *World) Close() {
	for _, c := range w.closers {
		_ = c()
	}
	w.closers = nil
}

func (w *World) onClose(f func() error) { w.closers = append(w.closers, f) }

func (w *World) listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		w.onClose(l.Close)
	}
	return l, err
}

func (w *World) openScenario(s *scenario) error {
	if s.raw == "none" {
		return nil
	}
	l, err := w.listen(s.fault.address() + ":443")
	if err != nil {
		return err
	}
	switch s.raw {
	case "http":
		w.serve(l, nil, s.fault, w.site)
	case "hang", "reset":
		go w.refuse(l, s)
	default:
		w.serve(l, w.tlsConfig(s), s.fault, w.site)
	}
	return nil
}

// refuse accepts connections and either never answers or resets them.
func (w *World) refuse(l net.Listener, s *scenario) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		w.log(Event{Kind: "connect", Fault: s.fault})
		if s.raw == "hang" {
			time.AfterFunc(2*time.Minute, func() { _ = c.Close() })
			continue
		}
		go func() {
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			_, _ = c.Read(make([]byte, 1)) // the ClientHello has arrived
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}()
	}
}

// serve answers http, over TLS when conf is not nil.
func (w *World) serve(l net.Listener, conf *tls.Config, f Fault, h http.Handler) {
	s := &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			detail := r.Method + " " + r.URL.Path + " " + r.UserAgent()
			if r.Header.Get("Authorization") != "" {
				detail += " with credentials"
			}
			w.log(Event{Kind: "request", Fault: f, Name: r.Host, Detail: detail})
			h.ServeHTTP(rw, r)
		}),
		TLSConfig:         conf,
		ReadHeaderTimeout: 30 * time.Second,
		ErrorLog:          log.New(eventLog{w, f}, "", 0),
	}
	go func() {
		if conf != nil {
			_ = s.ServeTLS(l, "", "")
		} else {
			_ = s.Serve(l)
		}
	}()
	w.onClose(s.Close)
}

// eventLog takes what net/http says of failed handshakes.
type eventLog struct {
	w *World
	f Fault
}

func (e eventLog) Write(p []byte) (int, error) {
	e.w.log(Event{Kind: "tls-error", Fault: e.f, Detail: string(bytes.TrimSpace(p))})
	return len(p), nil
}

func (w *World) tlsConfig(s *scenario) *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			w.log(Event{Kind: "hello", Fault: s.fault, Name: h.ServerName})
			name := h.ServerName
			if name == "" { // asked by address
				name, _, _ = net.SplitHostPort(h.Conn.LocalAddr().String())
			}
			return w.certificate(s, name), nil
		},
	}
	if s.tls != nil {
		s.tls(c, w.pki)
	}
	return c
}

func (w *World) certificate(s *scenario, host string) *tls.Certificate {
	now := w.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	key := string(s.fault) + "/" + host
	if w.certs[key] == nil {
		w.certs[key] = w.pki.mint(host, now, s.leaf)
	}
	return w.certs[key]
}

// hostsFile resolves every name, and remembers it for the proxies.
func (w *World) hostsFile(hosts Hosts, times TimeServers) string {
	table := map[string]string{"localhost": "127.0.0.1", "lab": "127.0.0.1", aiaHost: "127.0.0.1"}
	for _, n := range realHosts {
		table[n] = Good.address()
	}
	for _, n := range dateServers {
		table[n] = "127.0.0.1"
	}
	for i, n := range timeServers {
		table[n] = []Ticker{True1, True2, True3, True4}[i%4].address()
	}
	for n, f := range hosts {
		if f == NoName {
			delete(table, n)
		} else {
			table[n] = f.address()
		}
	}
	for n, t := range times {
		table[n] = t.address()
	}
	w.mu.Lock()
	w.hosts = table
	w.mu.Unlock()
	var b strings.Builder
	for n, a := range table {
		fmt.Fprintf(&b, "%s %s\n", a, n)
	}
	return b.String()
}

func (w *World) lookup(host string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hosts[host]
}

// dial connects from inside the network namespace; ip must be a literal.
func (w *World) dial(ctx context.Context, addr string) (net.Conn, error) {
	var c net.Conn
	err := w.ns.network(func() (err error) {
		var d net.Dialer
		c, err = d.DialContext(ctx, "tcp", addr)
		return err
	})
	return c, err
}
