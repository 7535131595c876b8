package detect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// probesAtOnce bounds the handshakes under way; all of them together cost
// what the slowest costs.
const probesAtOnce = 16

// gatherEndpoints probes every server that a client is configured to use and
// every target at the same time, and judges what they served.
func gatherEndpoints(ctx context.Context, v *platform.View, r *Report) {
	r.Endpoints = collect(v, r.Clients, r.Options.Targets)
	claim(v, r)
	var wg sync.WaitGroup
	if r.Clock.Source == "none" && !v.Rooted {
		// No time server answered: the hosts that are asked anyway may know.
		wg.Go(func() { clockFromHosts(ctx, v, r) })
	}
	var probed atomic.Int32
	slots := make(chan struct{}, probesAtOnce)
	for _, e := range r.Endpoints {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			probe(ctx, v, e, r.Options)
			if r.Options.Probed != nil {
				r.Options.Probed(int(probed.Add(1)), len(r.Endpoints))
			}
		})
	}
	wg.Wait()
	j := newJudge(v, r)
	for _, e := range r.Endpoints {
		wg.Go(func() { j.judge(e) })
	}
	wg.Wait()
	j.interception()
	for _, e := range r.Endpoints {
		j.conclude(e)
	}
}

// collect lists the endpoints, each once: the same server through the same
// proxy is one, whatever the path.
func collect(v *platform.View, clients []*client.Client, targets []string) []*Endpoint {
	out := []*Endpoint{}
	seen := map[string]*Endpoint{}
	add := func(e *Endpoint) *Endpoint {
		e.UsedBy, e.Chain = []string{}, []chain.Info{}
		key := fmt.Sprint(e.Parsed.Scheme, "\x00", e.Target.Host, "\x00", e.Target.Port, "\x00", e.Target.Addr, "\x00", e.Target.Proxy)
		if old := seen[key]; old != nil {
			return old
		}
		seen[key] = e
		out = append(out, e)
		return e
	}
	for _, t := range targets {
		e, err := ParseTarget(t)
		if err != nil {
			continue // the command line has refused it
		}
		if e.Target.StartTLS == "" && e.Target.Addr == "" {
			e.Target.Proxy = v.Net.ProxyFor(e.Parsed)
		}
		add(e).Named = true
	}
	for _, c := range clients {
		for _, ce := range c.Endpoints {
			if ce.Plain {
				continue
			}
			e, err := ParseTarget(ce.URL.String())
			if err != nil {
				continue
			}
			e.URL, e.Target.Proxy = text.Redact(e.URL), ce.Proxy
			if e = add(e); e.Target.Cert == nil {
				e.Target.Cert = clientCert(v, c)
			}
			e.use(c, ce)
			if ce.SetBy != "" && !slices.Contains(e.SetBy, ce.SetBy) {
				e.SetBy = append(e.SetBy, ce.SetBy)
			}
		}
	}
	return out
}

func named(a, b *Endpoint) bool {
	return a.Target.Host == b.Target.Host && a.Target.Port == b.Target.Port
}

// use notes that a client talks to the endpoint.
func (e *Endpoint) use(c *client.Client, ce client.Endpoint) {
	if id := c.Name + ":" + c.Path; !slices.Contains(e.UsedBy, id) {
		e.UsedBy = append(e.UsedBy, id)
		e.Clients = append(e.Clients, ClientVerdict{Client: c.For(ce)})
	}
}

// claim adds the clients that are said to use the targets, and those that read
// a pin for the hosts it was made for.
func claim(v *platform.View, r *Report) {
	for _, p := range Pins(v, r.Clients) {
		for _, h := range p.Hosts {
			e, err := ParseTarget(h)
			if err != nil {
				continue
			}
			if i := slices.IndexFunc(r.Endpoints, func(o *Endpoint) bool { return named(o, e) }); i >= 0 {
				e = r.Endpoints[i]
			} else {
				e.Target.Proxy = v.Net.ProxyFor(e.Parsed)
				e.UsedBy, e.Chain = []string{}, []chain.Info{}
				r.Endpoints = append(r.Endpoints, e)
			}
			for _, c := range r.Clients {
				if at := c.At(e.Parsed); p.Serves(c.For(at)) {
					e.use(c, at)
				}
			}
		}
	}
	for _, e := range r.Endpoints {
		for _, c := range r.Clients {
			if e.Named && slices.Contains(r.Options.UsedBy, c.Name) {
				e.use(c, c.At(e.Parsed))
			}
		}
	}
}

// clientCert is the certificate that a client is configured to show, when it
// and its key can be read here.
func clientCert(v *platform.View, c *client.Client) *tls.Certificate {
	read := func(role client.Role) []byte {
		for _, s := range slices.Backward(c.Settings) {
			if s.Role == role && s.Path != "" && !s.Inert {
				data, _ := v.Files.ReadFile(s.Path)
				return data
			}
		}
		return nil
	}
	cert := read(client.RoleCert)
	if cert == nil {
		return nil
	}
	key := read(client.RoleKey)
	if key == nil {
		key = cert // pip: both in one file
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil // the client's own configuration is for the settings' checks
	}
	return &pair
}

// probe fetches the chain without trusting it and, where its top issuer is
// not at hand, what its certificates say their issuers are.
func probe(ctx context.Context, v *platform.View, e *Endpoint, o Options) {
	limit := o.Timeout
	if limit <= 0 {
		limit = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	served, err := v.Net.Handshake(ctx, e.Target)
	e.Served = served
	if err != nil {
		if !errors.As(err, &e.NetErr) {
			e.NetErr = &platform.NetError{Kind: platform.NetReset, Host: e.Target.Host, Err: err}
		}
	}
	if e.NetErr == nil && served != nil && served.Version != 0 && served.Version < tls.VersionTLS12 {
		// The chain was fetched to be judged; no client of today would have got that far.
		e.NetErr = &platform.NetError{Kind: platform.NetTLSOld, Host: e.Target.Host, Detail: "it offers nothing newer than " + tls.VersionName(served.Version)}
	}
	if served != nil && len(served.Certs) > 0 {
		e.fetched = fetchIssuers(ctx, v, served.Certs, o.Refs, e.Target.Proxy)
	}
}

// clockFromHosts asks the endpoints' own hosts for the Date header of plain
// http; operators who agree by majority stand in for time servers.
func clockFromHosts(ctx context.Context, v *platform.View, r *Report) {
	m := &measurement{v: v, answer: make(chan answer, len(r.Endpoints))}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	asked := map[string]bool{}
	for _, e := range r.Endpoints {
		if h := e.Target.Host; !asked[h] && e.Target.Addr == "" && e.Target.StartTLS == "" {
			asked[h] = true
			m.askDate(ctx, dateSource(h))
		}
	}
	for len(m.got) < m.asked {
		select {
		case a := <-m.answer:
			m.got = append(m.got, a)
		case <-ctx.Done():
			m.asked = len(m.got)
		}
	}
	c := r.Clock
	if m.settle(&c); c.Source != "none" {
		r.Clock = c
	}
}

// Name is how an endpoint is called in a sentence and in a pin: its host, with
// the port only when it is not the usual one.
func (e *Endpoint) Name() string { return e.host() }

func (e *Endpoint) host() string {
	if e.Target.Port == 443 || strings.HasSuffix(e.Parsed.Host, e.Target.Host) {
		return e.Target.Host
	}
	return e.Parsed.Host
}
