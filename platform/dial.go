package platform

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/net/idna"
	"golang.org/x/net/proxy"
)

// DialFunc opens a connection, as net.Dialer.DialContext does.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// network is the real Net.
type network struct {
	dial  DialFunc
	proxy func(*url.URL) (*url.URL, error)
	now   func() time.Time
}

func newNetwork(env Env) Net { return NewNetwork(env, nil, nil) }

// NewNetwork is a Net whose proxies come from env, whose connections come from
// dial (nil: the machine's own network) and whose system clock is now (nil:
// the machine's own clock).
func NewNetwork(env Env, dial DialFunc, now func() time.Time) Net {
	if dial == nil {
		dial = (&net.Dialer{ControlContext: refuseUnspecified}).DialContext
	}
	if now == nil {
		now = time.Now
	}
	return &network{dial: dial, proxy: proxyFunc(env), now: now}
}

// errUnspecified stands for a name that a filter answers with 0.0.0.0 or ::,
// where connecting would reach this machine itself.
var errUnspecified = errors.New("the name resolves to the null address, as DNS filters answer")

func refuseUnspecified(_ context.Context, _, addr string, _ syscall.RawConn) error {
	if ap, err := netip.ParseAddrPort(addr); err == nil && ap.Addr().IsUnspecified() {
		return errUnspecified
	}
	return nil
}

// proxyFunc reads the variables as net/http does, and ALL_PROXY besides, which
// curl, git and Python read. It never looks at the process's own environment.
func proxyFunc(env Env) func(*url.URL) (*url.URL, error) {
	get := func(name string) string { return cmp.Or(env[name], env[strings.ToLower(name)]) }
	all := get("ALL_PROXY")
	c := httpproxy.Config{
		HTTPProxy: cmp.Or(get("HTTP_PROXY"), all), HTTPSProxy: cmp.Or(get("HTTPS_PROXY"), all),
		NoProxy: get("NO_PROXY"), CGI: env["REQUEST_METHOD"] != "",
	}
	return c.ProxyFunc()
}

func (n *network) ProxyFor(u *url.URL) *url.URL {
	p, err := n.proxy(u)
	if err != nil {
		return nil
	}
	return p
}

// asciiHost is the form of a host name that goes on the wire, or an error for
// what cannot be one.
func asciiHost(host string) (string, error) {
	host = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return host, nil
	}
	ascii := host
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		var err error
		if ascii, err = idna.Lookup.ToASCII(host); err != nil {
			return "", err
		}
	}
	if ascii == "" || len(ascii) > 253 {
		return "", errors.New("not a host name")
	}
	for label := range strings.SplitSeq(ascii, ".") {
		bad := strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
		})
		if bad || label == "" || len(label) > 63 {
			return "", errors.New("not a host name")
		}
	}
	return ascii, nil
}

// connect opens the way to addr, directly or through a proxy.
func (n *network) connect(ctx context.Context, e Endpoint, host, addr string) (net.Conn, *NetError) {
	if e.Proxy == nil {
		conn, err := n.dial(ctx, "tcp", addr)
		if err != nil {
			kind, detail := classifyDial(ctx, err)
			return nil, &NetError{Kind: kind, Host: host, Detail: detail, Err: err}
		}
		return conn, nil
	}
	conn, detail, err := n.throughProxy(ctx, e, addr)
	if err != nil {
		return nil, &NetError{Kind: NetProxy, Host: host, Detail: "proxy " + proxyAddr(e.Proxy) + ": " + detail, Err: err}
	}
	return conn, nil
}

func proxyAddr(p *url.URL) string {
	port := p.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[p.Scheme]
	}
	return net.JoinHostPort(p.Hostname(), cmp.Or(port, "1080"))
}

// throughProxy asks the proxy for a tunnel to addr. The string says what was
// wrong. The proxy's credentials go to the proxy only, and to an https proxy
// only when it has been verified.
func (n *network) throughProxy(ctx context.Context, e Endpoint, addr string) (net.Conn, string, error) {
	p := e.Proxy
	switch p.Scheme {
	case "http", "https":
	case "socks5", "socks5h":
		return n.throughSocks(ctx, p, addr)
	default:
		err := fmt.Errorf("scheme %q is not one of a proxy", p.Scheme)
		return nil, err.Error(), err
	}
	conn, err := n.dial(ctx, "tcp", proxyAddr(p))
	if err != nil {
		_, detail := classifyDial(ctx, err)
		return nil, detail, err
	}
	stop := closeWith(ctx, conn)
	defer stop()
	user := p.User
	if p.Scheme == "https" {
		rec := &recorder{Conn: conn}
		cfg := &tls.Config{ServerName: p.Hostname(), RootCAs: e.ProxyRoots, NextProtos: []string{"http/1.1"}}
		if e.ProxyRoots == nil {
			cfg.InsecureSkipVerify, user = true, nil
		}
		tc := tls.Client(rec, cfg)
		if err := tc.HandshakeContext(ctx); err != nil {
			conn.Close()
			_, detail := classifyTLS(ctx, err, rec, handshakeState{})
			if line, ok := plainText(rec.in); ok {
				detail = "it does not speak TLS (" + line + "): its URL should begin with http://"
			}
			return nil, detail, err
		}
		conn = tc
	}
	conn, detail, err := connectTunnel(conn, addr, user)
	if err != nil && ctx.Err() != nil {
		detail = "no answer in time"
	}
	return conn, detail, err
}

func connectTunnel(conn net.Conn, addr string, user *url.Userinfo) (net.Conn, string, error) {
	req := "CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: trustfix\r\n"
	if user != nil {
		pass, _ := user.Password()
		req += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+pass)) + "\r\n"
	}
	if _, err := conn.Write([]byte(req + "\r\n")); err != nil {
		conn.Close()
		return nil, err.Error(), err
	}
	head := &headReader{r: conn, left: 64 << 10}
	br := bufio.NewReader(head)
	resp, err := http.ReadResponse(br, &http.Request{Method: http.MethodConnect}) //nolint:bodyclose // the body of an answer to CONNECT is the tunnel itself
	if err != nil {
		conn.Close()
		detail := "no HTTP answer to CONNECT: " + err.Error()
		if isReset(err) && len(head.seen) == 0 {
			detail = "it closed the connection without an answer; the URL of an https proxy should begin with https://"
		} else if len(head.seen) > 1 && (head.seen[0] == 0x15 || head.seen[0] == 0x16) && head.seen[1] == 3 {
			detail = "it speaks TLS: its URL should begin with https://"
		} else if line, ok := plainText(head.seen); ok {
			detail = "no HTTP answer to CONNECT: " + line
		}
		return nil, detail, err
	}
	if resp.StatusCode != http.StatusOK {
		conn.Close()
		detail := resp.Proto + " " + resp.Status
		if resp.StatusCode == http.StatusProxyAuthRequired {
			if a := resp.Header.Get("Proxy-Authenticate"); a != "" {
				detail += ", it asks for " + a
			}
		}
		if l := resp.Header.Get("Location"); l != "" {
			detail += ", Location: " + redactURLs(l)
		}
		return nil, detail, errors.New(detail)
	}
	head.left = math.MaxInt
	if br.Buffered() == 0 {
		return conn, "", nil
	}
	return &buffered{conn, br}, "", nil
}

func (n *network) throughSocks(ctx context.Context, p *url.URL, addr string) (net.Conn, string, error) {
	var auth *proxy.Auth
	if p.User != nil {
		pass, _ := p.User.Password()
		auth = &proxy.Auth{User: p.User.Username(), Password: pass}
	}
	d, err := proxy.SOCKS5("tcp", proxyAddr(p), auth, forward(n.dial))
	if err != nil {
		return nil, err.Error(), err
	}
	conn, err := d.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		detail := lastError(err) // refused by the proxy, or the proxy's port
		if timedOut(ctx, err) {
			detail = "no answer in time"
		}
		return nil, detail, err
	}
	return conn, "", nil
}

type forward DialFunc

func (f forward) Dial(network, addr string) (net.Conn, error) {
	return f(context.Background(), network, addr)
}

func (f forward) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return f(ctx, network, addr)
}

// closeWith ends every read and write of conn with ctx.
func closeWith(ctx context.Context, conn net.Conn) func() bool {
	if t, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(t)
	}
	return context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
}

// headReader limits an answer's header and remembers how it began.
type headReader struct {
	r    net.Conn
	left int
	seen []byte
}

func (h *headReader) Read(b []byte) (int, error) {
	if h.left <= 0 {
		return 0, errors.New("the header is larger than 64 kB")
	}
	n, err := h.r.Read(b[:min(len(b), h.left)])
	h.left -= n
	h.seen = append(h.seen, b[:min(n, max(0, 256-len(h.seen)))]...)
	return n, err
}

// buffered is a connection of which some bytes have been read ahead.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b *buffered) Read(p []byte) (int, error) { return b.r.Read(p) }
