package platform

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// selfSigned makes a certificate for name, good from 2020 to 2040.
func selfSigned(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// listen serves every connection with f and returns the address.
func listen(t testing.TB, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(20 * time.Second))
				f(c)
			}()
		}
	}()
	return l.Addr().String()
}

// serveTLS handshakes and then holds the connection until the peer leaves.
func serveTLS(cfg *tls.Config) func(net.Conn) {
	return func(c net.Conn) {
		tc := tls.Server(c, cfg)
		if tc.Handshake() == nil {
			_, _ = io.Copy(io.Discard, tc)
		}
	}
}

func readHello(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }

func TestHandshake(t *testing.T) {
	cert := selfSigned(t, "good.example")
	two := cert
	two.Certificate = append(two.Certificate, selfSigned(t, "other.example").Certificate...)
	two.OCSPStaple = []byte("staple")
	bad := cert
	bad.Certificate = [][]byte{[]byte("\x30\x03\x02\x01\x01")} // DER, but no certificate
	config := func(f func(*tls.Config)) func(net.Conn) {
		c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10}
		f(c)
		return serveTLS(c)
	}
	old := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }

	for _, c := range []struct {
		name   string
		serve  func(net.Conn)
		kind   NetKind
		detail string
		certs  int
		check  func(*Served) bool
	}{
		{"tls 1.3 with staple", config(func(c *tls.Config) { c.Certificates = []tls.Certificate{two} }), "", "", 2, func(s *Served) bool {
			return s.Version == tls.VersionTLS13 && string(s.OCSP) == "staple" && bytes.Equal(s.Certs[1], two.Certificate[1]) && !s.WantsCert
		}},
		{"tls 1.0 only", config(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 }), "", "", 1, func(s *Served) bool { return s.Version == tls.VersionTLS10 }},
		{"insecure suite only", config(func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA}
		}), "", "", 1, nil},
		{"asks for a client certificate", config(func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }), "", "", 1, func(s *Served) bool { return s.WantsCert && !s.RequiresCert }},
		{"needs one, tls 1.3", config(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert }), NetNeedsCert, "certificate required", 1, func(s *Served) bool { return s.WantsCert && s.RequiresCert }},
		{"needs one, tls 1.2", config(func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert; old(c) }), NetNeedsCert, "", 1, func(s *Served) bool { return s.RequiresCert }},
		{"malformed, tls 1.3", config(func(c *tls.Config) { c.Certificates = []tls.Certificate{bad} }), NetMalformed, "certificate", 1, func(s *Served) bool { return bytes.Equal(s.Certs[0], bad.Certificate[0]) }},
		{"malformed, tls 1.2", config(func(c *tls.Config) { c.Certificates = []tls.Certificate{bad}; old(c) }), NetMalformed, "certificate", 1, nil},
		{"unknown name alert", config(func(c *tls.Config) {
			c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no such site") }
		}), NetReset, "refused the handshake", 0, nil},
		{"protocol version alert", func(c net.Conn) { readHello(c); _, _ = c.Write([]byte{0x15, 3, 1, 0, 2, 2, 70}) }, NetTLSOld, "protocol version", 0, nil},
		{"ssl 3.0 answer", func(c net.Conn) {
			readHello(c)
			hello := append([]byte{2, 0, 0, 38, 3, 0}, make([]byte, 36)...)
			_, _ = c.Write(append([]byte{0x16, 3, 0, 0, byte(len(hello))}, hello...))
			readHello(c)
		}, NetTLSOld, "", 0, nil},
		{"plain http", func(c net.Conn) {
			readHello(c)
			_, _ = io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: http://portal.example/login?u=1\r\n\r\n")
		}, NetNotTLS, "HTTP/1.1 302 Found, Location: http://portal.example/login?u=1", 0, nil},
		{"http in pieces", func(c net.Conn) {
			readHello(c)
			for _, s := range []string{"HTTP/", "1.1 400", " Bad Request\r\n", "\r\n"} {
				_, _ = io.WriteString(c, s)
				time.Sleep(20 * time.Millisecond)
			}
		}, NetNotTLS, "HTTP/1.1 400 Bad Request", 0, nil},
		{"ssh", func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n"); readHello(c) }, NetNotTLS, "SSH-2.0-OpenSSH_9.2", 0, nil},
		{"greets and waits", func(c net.Conn) { _, _ = io.WriteString(c, "220 "); time.Sleep(2 * time.Second) }, NetNotTLS, "220", 0, nil},
		{"binary", func(c net.Conn) { readHello(c); _, _ = c.Write([]byte{0, 1, 2, 3, 4, 5, 6}) }, NetNotTLS, "not TLS", 0, nil},
		{"closes", func(c net.Conn) { readHello(c) }, NetReset, "closed", 0, nil},
		{"resets", func(c net.Conn) { readHello(c); _ = c.(*net.TCPConn).SetLinger(0) }, NetReset, "closed", 0, nil},
		{"hangs", func(c net.Conn) { readHello(c); time.Sleep(5 * time.Second) }, NetTimeout, "no TLS answer", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			limit := 20 * time.Second
			if c.kind == NetTimeout {
				limit = time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			s, err := newNetwork(nil).Handshake(ctx, Endpoint{Host: "good.example", Port: 443, Addr: listen(t, c.serve)})
			var ne *NetError
			if c.kind == "" && err != nil || c.kind != "" && (!errors.As(err, &ne) || ne.Kind != c.kind || !strings.Contains(ne.Detail, c.detail)) {
				t.Fatalf("error %v; want %s %q", err, c.kind, c.detail)
			}
			if s == nil || len(s.Certs) != c.certs {
				t.Fatalf("served %+v, want %d certificates", s, c.certs)
			}
			if c.check != nil && !c.check(s) {
				t.Errorf("served %+v", s)
			}
		})
	}
}

func TestHandshakeWithClientCertificate(t *testing.T) {
	server, client := selfSigned(t, "good.example"), selfSigned(t, "client")
	got := make(chan int, 1)
	addr := listen(t, serveTLS(&tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error { got <- len(raw); return nil },
	}))
	s, err := newNetwork(nil).Handshake(t.Context(), Endpoint{Host: "good.example", Addr: addr, Cert: &client})
	if err != nil || !s.WantsCert || s.RequiresCert || <-got != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestHandshakeNoConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	dns := func(e net.DNSError) DialFunc {
		return func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &e}
		}
	}
	for _, c := range []struct {
		name   string
		e      Endpoint
		dial   DialFunc
		kind   NetKind
		detail string
	}{
		{"refused", Endpoint{Host: "x.example", Addr: closed}, nil, NetRefused, "connection refused"},
		{"no such host", Endpoint{Host: "x.example"}, dns(net.DNSError{Err: "no such host", Name: "x.example", IsNotFound: true}), NetDNS, "no such host: x.example"},
		{"name servers silent", Endpoint{Host: "x.example"}, dns(net.DNSError{Err: "i/o timeout", IsTimeout: true}), NetDNS, "did not answer"},
		{"name server fails", Endpoint{Host: "x.example"}, dns(net.DNSError{Err: "server misbehaving", IsTemporary: true}), NetDNS, "server misbehaving"},
		{"null address", Endpoint{Host: "0.0.0.0"}, nil, NetDNS, "null address"},
		{"no connection in time", Endpoint{Host: "x.example"}, func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }, NetTimeout, "no connection in time"},
		{"not a name", Endpoint{Host: "a b"}, nil, NetDNS, "not a usable host name"},
		{"empty", Endpoint{}, nil, NetDNS, "not a usable host name"},
		{"long label", Endpoint{Host: strings.Repeat("a", 64) + ".example"}, nil, NetDNS, "not a usable host name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			limit := 20 * time.Second
			if c.kind == NetTimeout {
				limit = 50 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			s, err := NewNetwork(nil, c.dial, nil).Handshake(ctx, c.e)
			var ne *NetError
			if s != nil || !errors.As(err, &ne) || ne.Kind != c.kind || !strings.Contains(ne.Detail, c.detail) {
				t.Errorf("%+v, %v; want %s %q", s, err, c.kind, c.detail)
			}
		})
	}
}

// Names go on the wire as punycode, and IP literals of both kinds are dialled as they are.
func TestHandshakeNames(t *testing.T) {
	for host, want := range map[string]string{
		"镜像.example": "xn--o1q148n.example:443", "good.example.": "good.example:443", "::1": "[::1]:443", "[::1]": "[::1]:443", "10.0.0.1": "10.0.0.1:443", "under_score.example": "under_score.example:443",
	} {
		var dialled string
		n := NewNetwork(nil, func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, errors.New("no")
		}, nil)
		_, _ = n.Handshake(t.Context(), Endpoint{Host: host})
		if dialled != want {
			t.Errorf("%s: dialled %q, want %q", host, dialled, want)
		}
	}
}

func TestStartTLS(t *testing.T) {
	cert := selfSigned(t, "mail.example")
	talk := func(steps ...string) func(net.Conn) { // alternately say and hear
		return func(c net.Conn) {
			r := bufio.NewReader(c)
			for i, s := range steps {
				if i%2 == 0 {
					_, _ = io.WriteString(c, s)
				} else if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, s) {
					_, _ = io.WriteString(c, "500 unexpected "+line+"\r\n")
					return
				}
			}
			serveTLS(&tls.Config{Certificates: []tls.Certificate{cert}})(c)
		}
	}
	binary := func(n int, answer string) func(net.Conn) {
		return func(c net.Conn) {
			_, _ = io.ReadFull(c, make([]byte, n))
			_, _ = io.WriteString(c, answer)
			serveTLS(&tls.Config{Certificates: []tls.Certificate{cert}})(c)
		}
	}
	for _, c := range []struct {
		protocol string
		serve    func(net.Conn)
		detail   string // "" for success
	}{
		{"smtp", talk("220-hello\r\n220 there\r\n", "EHLO", "250-mail\r\n250 STARTTLS\r\n", "STARTTLS", "220 go\r\n"), ""},
		{"smtp", talk("220 hello\r\n", "EHLO", "250 mail\r\n", "STARTTLS", "502 no\r\n"), "502 no"},
		{"smtp", talk("554 go away\r\n"), "554 go away"},
		{"imap", talk("* OK ready\r\n", "a1 STARTTLS", "* BYE maybe\r\na1 OK go\r\n"), ""},
		{"imap", talk("* OK ready\r\n", "a1 STARTTLS", "a1 BAD no\r\n"), "a1 BAD no"},
		{"pop3", talk("+OK ready\r\n", "STLS", "+OK go\r\n"), ""},
		{"pop3", talk("+OK ready\r\n", "STLS", "-ERR no\r\n"), "-ERR no"},
		{"postgres", binary(8, "S"), ""},
		{"postgres", binary(8, "N"), "no TLS"},
		{"ldap", binary(31, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"), ""},
		{"ldap", binary(31, "\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"), ""},
		{"ldap", binary(31, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00"), "result code 52"},
		{"ldap", binary(31, "HTTP/1.1 400 Bad Request\r\n"), "not an LDAP answer"},
		{"gopher", talk(""), "no STARTTLS is known"},
	} {
		s, err := newNetwork(nil).Handshake(t.Context(), Endpoint{Host: "mail.example", Addr: listen(t, c.serve), StartTLS: c.protocol})
		var ne *NetError
		switch {
		case c.detail == "" && (err != nil || len(s.Certs) != 1):
			t.Errorf("%s: %v", c.protocol, err)
		case c.detail != "" && (!errors.As(err, &ne) || ne.Kind != NetNotTLS || !strings.Contains(ne.Detail, c.detail)):
			t.Errorf("%s: %v, want %q", c.protocol, err, c.detail)
		}
	}
}

func TestGet(t *testing.T) {
	var seen http.Header
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) { seen = r.Header; fmt.Fprint(w, strings.Repeat("x", 100)) })
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Host+"/ok", http.StatusFound)
	})
	mux.HandleFunc("/same", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cert := selfSigned(t, "good.example")
	srv := httptest.NewUnstartedServer(mux)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.StartTLS()
	defer srv.Close()
	plain := httptest.NewServer(mux)
	defer plain.Close()
	roots := x509.NewCertPool()
	leaf, _ := x509.ParseCertificate(cert.Certificate[0])
	roots.AddCert(leaf)

	n := newNetwork(nil)
	get := func(r Request) (*Response, *NetError) {
		resp, err := n.Get(t.Context(), r)
		var ne *NetError
		if err != nil && !errors.As(err, &ne) {
			t.Fatalf("%s: %T is no *NetError", r.URL, err)
		}
		return resp, ne
	}
	if r, err := get(Request{URL: srv.URL + "/ok", Roots: roots, Limit: 10}); err != nil || len(r.Body) != 10 || !r.Truncated || r.Status != 200 || r.At.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := get(Request{URL: srv.URL + "/same", Roots: roots}); err != nil || len(r.Body) != 100 || r.Truncated {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := get(Request{URL: srv.URL + "/same", Roots: roots, NoFollow: true}); err != nil || r.Status != 302 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := get(Request{URL: strings.Replace(plain.URL, "//", "//u:secret@", 1) + "/ok"}); err != nil || r.Status != 200 || seen.Get("Authorization") != "" {
		t.Errorf("credentials of a URL were sent: %v, %v", seen, err)
	}
	for name, c := range map[string]struct {
		r    Request
		kind NetKind
		text string
	}{
		"no roots":        {Request{URL: srv.URL + "/ok"}, "", "no roots"},
		"not trusted":     {Request{URL: srv.URL + "/ok", Roots: x509.NewCertPool()}, "", "unknown authority"},
		"expired by then": {Request{URL: srv.URL + "/ok", Roots: roots, Now: time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC)}, "", "expired"},
		"downgrade":       {Request{URL: srv.URL + "/down", Roots: roots}, "", "redirect from https to http"},
		"loop":            {Request{URL: srv.URL + "/loop", Roots: roots}, "", "more than 5 redirects"},
		"slow":            {Request{URL: plain.URL + "/slow", Timeout: 50 * time.Millisecond}, NetTimeout, ""},
		"http as https":   {Request{URL: "https" + strings.TrimPrefix(plain.URL, "http") + "/ok", Roots: roots}, NetNotTLS, ""},
		"refused":         {Request{URL: "http://127.0.0.1:1/"}, NetRefused, ""},
		"file":            {Request{URL: "file:///etc/passwd"}, "", "neither http nor https"},
		"bad name":        {Request{URL: "http://a b/"}, "", ""},
		"proxy refuses": {Request{URL: srv.URL + "/ok", Roots: roots, Proxy: &url.URL{Scheme: "http", Host: listen(t, func(c net.Conn) {
			readHello(c)
			_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		})}}, NetProxy, "407"},
	} {
		if r, err := get(c.r); err == nil || err.Kind != c.kind || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %+v, %v; want %q %q", name, r, err, c.kind, c.text)
		}
	}
}
