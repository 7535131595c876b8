//go:build linux

package lab

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// proxy is an http proxy: honest, intercepting or with a login, by its address.
type proxy struct {
	world *World
	url   string
}

func (p *proxy) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	p.world.log(Event{Kind: "proxy", Name: r.Host, Detail: p.url + " " + r.Method})
	if user, pass, _ := proxyLogin(r); p.url == ProxyLogin && (user != "lin" || pass != "secret") {
		rw.Header().Set("Proxy-Authenticate", `Basic realm="lab"`)
		http.Error(rw, "log in first", http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		p.world.site.ServeHTTP(rw, r)
		return
	}
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	if p.url == ProxyIntercept {
		p.intercept(rw)
		return
	}
	if ip := p.world.lookup(host); ip != "" {
		host = ip
	}
	up, err := p.world.dial(r.Context(), net.JoinHostPort(host, port))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	down, err := established(rw)
	if err != nil {
		_ = up.Close()
		return
	}
	go func() {
		_, _ = io.Copy(up, down)
		_ = up.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(down, up)
	_ = down.Close()
	_ = up.Close()
}

func (p *proxy) intercept(rw http.ResponseWriter) {
	c, err := established(rw)
	if err != nil {
		return
	}
	for i := range scenarios {
		if s := &scenarios[i]; s.fault == Intercept {
			p.world.serve(&oneConn{c: c, closed: make(chan struct{})}, p.world.tlsConfig(s), Intercept, p.world.site)
		}
	}
}

func proxyLogin(r *http.Request) (user, pass string, ok bool) {
	return (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
}

// established answers a CONNECT and takes the connection over.
func established(rw http.ResponseWriter) (net.Conn, error) {
	c, b, err := rw.(http.Hijacker).Hijack()
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Time{})
	_, err = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	return &hijacked{c, b.Reader}, err
}

// hijacked gives back first what net/http had read ahead.
type hijacked struct {
	net.Conn
	r *bufio.Reader
}

func (h *hijacked) Read(p []byte) (int, error) { return h.r.Read(p) }

// oneConn is a listener that accepts one connection that is already there.
type oneConn struct {
	c      net.Conn
	closed chan struct{}
}

func (o *oneConn) Accept() (net.Conn, error) {
	if c := o.c; c != nil {
		o.c = nil
		return c, nil
	}
	<-o.closed
	return nil, io.EOF
}

func (o *oneConn) Close() error {
	select {
	case <-o.closed:
	default:
		close(o.closed)
	}
	return nil
}

func (o *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// serveDNS says of every name that it does not exist (names that do are in
// /etc/hosts) and writes down who was asked for.
func (w *World) serveDNS(c net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
			continue
		}
		w.log(Event{Kind: "dns", Name: m.Questions[0].Name.String()})
		a := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RecursionDesired: m.RecursionDesired, RCode: dnsmessage.RCodeNameError},
			Questions: m.Questions,
		}
		if out, err := a.Pack(); err == nil {
			_, _ = c.WriteTo(out, from)
		}
	}
}
