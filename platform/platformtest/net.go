package platformtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"trustfix/platform"
)

// Net is a scripted network. Contact with a host that it does not know fails
// the test: trustfix contacts only hosts that somebody named.
type Net struct {
	T testing.TB // set by New when nil

	// Handshakes by "host:port", else by "host".
	Handshakes map[string]Handshake
	// Gets by whole URL, else by "host:port" or "host".
	Gets map[string]Get
	// Times by server as asked for.
	Times map[string]Time
	// Proxy answers ProxyFor; nil: no proxy.
	Proxy func(u *url.URL) *url.URL

	mu        sync.Mutex
	contacted []string
}

// Loopback makes the network the real one, with every name of hosts
// ("name:port", or "name" for all ports) led to a loopback "address:port" (or
// "address", keeping the port). Loopback addresses are reached as they are;
// anything else fails the test and is answered as an unknown name.
func Loopback(hosts map[string]string) Option {
	return func(h *harness) {
		dialer := &net.Dialer{}
		h.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			to, ok := hosts[addr]
			if !ok {
				if to, ok = hosts[host]; ok && !strings.Contains(to, ":") {
					to = net.JoinHostPort(to, port)
				}
			}
			if !ok {
				to = addr
			}
			if ap, err := netip.ParseAddrPort(to); err != nil || !ap.Addr().IsLoopback() {
				h.t.Errorf("platformtest: contact beyond loopback: %s", addr)
				return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
			}
			return dialer.DialContext(ctx, network, to)
		}
	}
}

// Handshake is what comes of a handshake: Do, or Served and Err.
type Handshake struct {
	Served *platform.Served
	Err    *platform.NetError
	Do     func(ctx context.Context, e platform.Endpoint) (*platform.Served, error)
}

// Get is what comes of a request: Do, or Response and Err.
type Get struct {
	Response *platform.Response
	Err      error
	Do       func(ctx context.Context, r platform.Request) (*platform.Response, error)
}

// Time is one time server's answer.
type Time struct {
	Sample platform.Sample
	Err    error
}

// Contacted are the hosts, URLs and time servers asked so far, in order.
func (n *Net) Contacted() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.contacted)
}

func (n *Net) note(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.contacted = append(n.contacted, what)
}

func (n *Net) unknown(what string) error {
	if n.T != nil {
		n.T.Helper()
		n.T.Errorf("platformtest: unscripted contact: %s", what)
	}
	return &platform.NetError{Kind: platform.NetDNS, Host: what, Detail: "no such host", Err: fmt.Errorf("platformtest: %s is not scripted", what)}
}

// Handshake implements platform.Net.
func (n *Net) Handshake(ctx context.Context, e platform.Endpoint) (*platform.Served, error) {
	key := fmt.Sprintf("%s:%d", e.Host, e.Port)
	n.note(key)
	h, ok := n.Handshakes[key]
	if !ok {
		h, ok = n.Handshakes[e.Host]
	}
	switch {
	case !ok:
		return nil, n.unknown(key)
	case h.Do != nil:
		return h.Do(ctx, e)
	case h.Err != nil:
		return h.Served, h.Err
	}
	return h.Served, nil
}

// Get implements platform.Net.
func (n *Net) Get(ctx context.Context, r platform.Request) (*platform.Response, error) {
	n.note(r.URL)
	keys := []string{r.URL}
	if u, err := url.Parse(r.URL); err == nil {
		keys = append(keys, u.Host, u.Hostname())
	}
	for _, k := range keys {
		g, ok := n.Gets[k]
		switch {
		case !ok:
			continue
		case g.Do != nil:
			return g.Do(ctx, r)
		}
		return g.Response, g.Err
	}
	return nil, n.unknown(r.URL)
}

// Time implements platform.Net.
func (n *Net) Time(_ context.Context, server string) (platform.Sample, error) {
	n.note("ntp " + server)
	t, ok := n.Times[server]
	if !ok {
		return platform.Sample{}, n.unknown("ntp " + server)
	}
	if t.Sample.Server == "" {
		t.Sample.Server = server
	}
	return t.Sample, t.Err
}

// ProxyFor implements platform.Net.
func (n *Net) ProxyFor(u *url.URL) *url.URL {
	if n.Proxy == nil {
		return nil
	}
	return n.Proxy(u)
}
