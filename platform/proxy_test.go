package platform

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// tunnel is a CONNECT proxy that leads every name to addr. It reports the
// Proxy-Authorization headers it sees.
func tunnel(addr string, auth chan<- string) func(net.Conn) {
	return func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil || req.Method != http.MethodConnect {
			_, _ = io.WriteString(c, "HTTP/1.1 405 Method Not Allowed\r\n\r\n")
			return
		}
		auth <- req.Header.Get("Proxy-Authorization")
		up, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer up.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(up, c) }()
		_, _ = io.Copy(c, up)
	}
}

func TestProxies(t *testing.T) {
	cert := selfSigned(t, "good.example")
	target := listen(t, serveTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	auth := make(chan string, 10)
	plain := listen(t, tunnel(target, auth))
	secureCert := selfSigned(t, "proxy.example")
	secure := listen(t, func(c net.Conn) {
		tunnel(target, auth)(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{secureCert}}))
	})
	say := func(s string) string {
		return listen(t, func(c net.Conn) { readHello(c); _, _ = io.WriteString(c, s) })
	}
	roots := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(secureCert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(leaf)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("lin:pa ss"))

	for _, c := range []struct {
		name, proxy string
		roots       *x509.CertPool
		auth        string
		detail      string
	}{
		{"http", "http://" + plain, nil, "", ""},
		{"http with password", "http://lin:pa%20ss@" + plain, nil, basic, ""},
		{"https unverified keeps the password", "https://lin:pa%20ss@" + secure, nil, "", ""},
		{"https verified", "https://lin:pa%20ss@" + secure, roots, basic, ""},
		{"https not trusted", "https://" + secure, x509.NewCertPool(), "", "certificate signed by unknown authority"},
		{"asks for a password", "http://u:secret@" + say("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\r\n"), nil, "", "HTTP/1.1 407 Proxy Authentication Required, it asks for Negotiate"},
		{"forbids", "http://" + say("HTTP/1.1 403 Forbidden\r\n\r\n"), nil, "", "HTTP/1.1 403 Forbidden"},
		{"captive portal", "http://" + say("HTTP/1.0 302 Found\r\nLocation: http://portal.example/\r\n\r\n"), nil, "", "Location: http://portal.example/"},
		{"https that is http", "https://" + say("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, "", "should begin with http://"},
		{"http that is https", "http://" + secure, nil, "", "should begin with https://"},
		{"http that alerts", "http://" + say("\x15\x03\x01\x00\x02\x02\x46"), nil, "", "it speaks TLS"},
		{"not a proxy", "http://" + say("220 mail ready\r\n"), nil, "", "220 mail ready"},
		{"nobody there", "http://127.0.0.1:1", nil, "", "connection refused"},
		{"strange scheme", "ftp://127.0.0.1:1", nil, "", `scheme "ftp"`},
		{"socks that is http", "socks5://" + say("HTTP/1.1 400 Bad Request\r\n\r\n"), nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := url.Parse(c.proxy)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			s, err := newNetwork(nil).Handshake(ctx, Endpoint{Host: "good.example", Port: 443, Proxy: u, ProxyRoots: c.roots})
			var ne *NetError
			if c.detail == "" && !strings.HasPrefix(c.name, "socks") {
				if err != nil || !bytes.Equal(s.Certs[0], cert.Certificate[0]) {
					t.Fatalf("%v", err)
				}
				if got := <-auth; got != c.auth {
					t.Errorf("Proxy-Authorization %q, want %q", got, c.auth)
				}
				return
			}
			if !errors.As(err, &ne) || ne.Kind != NetProxy || !strings.Contains(ne.Detail, c.detail) {
				t.Errorf("%v; want net-proxy %q", err, c.detail)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

func TestSocks(t *testing.T) {
	cert := selfSigned(t, "good.example")
	target := listen(t, serveTLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	asked := make(chan string, 1)
	addr := listen(t, func(c net.Conn) { // RFC 1928, with a password (RFC 1929)
		r := bufio.NewReader(c)
		read := func(n int) []byte { b := make([]byte, n); _, _ = io.ReadFull(r, b); return b }
		read(int(read(2)[1]))
		_, _ = c.Write([]byte{5, 2})
		read(1)
		user := string(read(int(read(1)[0])))
		pass := string(read(int(read(1)[0])))
		_, _ = c.Write([]byte{1, 0})
		read(4)
		host := string(read(int(read(1)[0])))
		read(2)
		asked <- user + ":" + pass + "@" + host
		_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		up, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		defer up.Close()
		go func() { _, _ = io.Copy(up, r) }()
		_, _ = io.Copy(c, up)
	})
	s, err := newNetwork(nil).Handshake(t.Context(), Endpoint{Host: "good.example", Proxy: &url.URL{Scheme: "socks5", Host: addr, User: url.UserPassword("lin", "pw")}})
	if err != nil || len(s.Certs) != 1 || <-asked != "lin:pw@good.example" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestProxyFor(t *testing.T) {
	for _, c := range []struct {
		env  Env
		url  string
		want string
	}{
		{Env{"HTTPS_PROXY": "http://p:3128"}, "https://x.example/", "http://p:3128"},
		{Env{"https_proxy": "p:3128"}, "https://x.example/", "http://p:3128"},
		{Env{"HTTP_PROXY": "http://p:3128"}, "https://x.example/", ""},
		{Env{"ALL_PROXY": "socks5://p:1080"}, "https://x.example/", "socks5://p:1080"},
		{Env{"ALL_PROXY": "socks5://p:1080", "HTTP_PROXY": "http://q"}, "http://x.example/", "http://q"},
		{Env{"HTTPS_PROXY": "http://p", "NO_PROXY": ".example"}, "https://x.example/", ""},
		{Env{"HTTPS_PROXY": "http://p", "no_proxy": "*"}, "https://x.example/", ""},
		{Env{"HTTP_PROXY": "http://p", "REQUEST_METHOD": "GET"}, "http://x.example/", ""},
		{Env{}, "https://x.example/", ""},
	} {
		t.Setenv("HTTPS_PROXY", "http://leak.example")
		u, _ := url.Parse(c.url)
		got := ""
		if p := newNetwork(c.env).ProxyFor(u); p != nil {
			got = p.String()
		}
		if got != c.want {
			t.Errorf("%v %s: %q, want %q", c.env, c.url, got, c.want)
		}
	}
}
