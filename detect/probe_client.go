package detect

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform"
)

// How much is run to confirm a judgement.
const (
	probesBefore  = 8  // programs for a diagnosis
	probesAfter   = 12 // programs for all steps of an apply together
	probesPerStep = 3
	probesApace   = 4 // programs at the same time
	probeLimit    = 15 * time.Second
)

// Answer is what a client says to a server.
type Answer string

// The answers. Unknown: it could not be run, or failed for another reason.
const (
	Accepts Answer = "accepts"
	Refuses Answer = "refuses"
	Unknown Answer = "unknown"
)

// Probe is one judgement put to the client itself.
type Probe struct {
	Client   string `json:"client"`
	Path     string `json:"path"`
	URL      string `json:"url"`
	Expected Answer `json:"expected"` // what the judgement says
	Answer   Answer `json:"answer"`
	Words    string `json:"words,omitempty"`    // the client's own, when it did not accept
	Repaired bool   `json:"repaired,omitempty"` // asked after a repair
	Host     string `json:"-"`
}

// Disagrees reports whether the client contradicts the judgement.
func (p Probe) Disagrees() bool { return p.Answer != Unknown && p.Answer != p.Expected }

// Verified is the probe as a fact for the record: "conda /opt/conda reaches https://…".
func (p Probe) Verified() string {
	return strings.TrimSpace(p.Client+" "+p.Path) + " reaches " + p.URL
}

// Disagreements are the probes in which a client contradicts the judgement.
func Disagreements(ps []Probe) []Probe {
	var out []Probe
	for _, p := range ps {
		if p.Disagrees() {
			out = append(out, p)
		}
	}
	return out
}

// prober puts judgements to clients. Settings and stores are those of now,
// the chains are those that the endpoints were judged by.
type prober struct {
	v         *platform.View
	endpoints []*Endpoint
	inv       client.Inventory
	roots     *trustRoots
}

// question is a probe to be made.
type question struct {
	Probe
	e    *Endpoint
	c    *client.Client
	rank int
}

// probeClients confirms a diagnosis: for each instance that verifies, one
// endpoint, those that it is expected to refuse first.
func probeClients(ctx context.Context, v *platform.View, r *Report) []Probe {
	p := newProber(v, r.Endpoints, r.Stores, r.Inventory)
	var qs []question
	for _, c := range r.Clients {
		if q, ok := p.ask(c, func(_ *Endpoint, expected Answer) bool { return expected == Refuses }, true); ok {
			qs = append(qs, q)
		}
	}
	return p.run(ctx, chosen(qs, probesBefore))
}

// newProber lets the roots compiled into trustfix stand for those compiled
// into a program: what --reference-roots adds is in no program.
func newProber(v *platform.View, es []*Endpoint, stores []*Store, inv client.Inventory) *prober {
	return &prober{
		v: v, endpoints: es, inv: inv,
		roots: &trustRoots{v: v, stores: stores, refs: bundles.Reference(), files: map[string]*loaded{}},
	}
}

// Prover confirms the steps of one apply by the clients that they are for.
type Prover struct {
	Probes []Probe // all that were made

	before *Report
	gone   map[string]bool // variables that a new shell will not have any more
}

// NewProver takes the diagnosis that the plan was made of.
func NewProver(before *Report) *Prover { return &Prover{before: before, gone: map[string]bool{}} }

// Prove runs the clients that a step with these findings was for, against
// endpoints that they now are expected to accept. A probe that comes out
// otherwise contradicts the judgement and takes nothing back.
func (p *Prover) Prove(ctx context.Context, v *platform.View, were []Finding) []Probe {
	for _, f := range were {
		if s := f.Setting; s != nil && s.Env && s.Process && s.Placed() {
			p.gone[s.Name] = true // the file no longer sets it so
		}
	}
	if len(p.Probes) >= probesAfter || len(p.before.Endpoints) == 0 {
		return nil
	}
	now := *v
	now.Env = maps.Clone(v.Env)
	maps.DeleteFunc(now.Env, func(name, _ string) bool { return p.gone[name] })
	inv, err := client.Resolve(ctx, &now)
	if err != nil {
		return nil
	}
	pr := newProber(&now, p.before.Endpoints, gatherStores(ctx, &now, p.before.Options.Refs), inv)
	var qs []question
	for _, c := range inv.Clients {
		was := slices.IndexFunc(p.before.Clients, func(o *client.Client) bool { return o.Name == c.Name && o.Path == c.Path })
		if was < 0 || !slices.ContainsFunc(were, func(f Finding) bool { return concerns(f, p.before.Clients[was]) }) {
			continue
		}
		wanted := func(e *Endpoint, _ Answer) bool {
			return slices.ContainsFunc(were, func(f Finding) bool { return f.Endpoint == e }) || failed(e, p.before.Clients[was])
		}
		if q, ok := pr.ask(c, wanted, false); ok {
			qs = append(qs, q)
		}
	}
	out := pr.run(ctx, chosen(qs, min(probesPerStep, probesAfter-len(p.Probes))))
	for i := range out {
		out[i].Repaired = true
	}
	p.Probes = append(p.Probes, out...)
	return out
}

// concerns reports whether a finding is about a client.
func concerns(f Finding, c *client.Client) bool {
	switch {
	case f.Setting != nil && f.Setting.Env:
		return slices.Contains(f.Setting.Affects, c.Name) || f.Setting.Client == c.Name
	case f.Setting != nil:
		return slices.Contains(c.Settings, f.Setting)
	case f.Store != nil:
		return c.Trust.Kind == "os"
	case f.Endpoint != nil:
		return slices.ContainsFunc(f.Endpoint.Clients, func(cv ClientVerdict) bool { return cv.Client == c })
	case f.ID == "clock-skew":
		return len(c.Endpoints) > 0
	}
	return f.Where != "" && (f.Where == c.Path || f.Where == c.Trust.Path)
}

// failed reports whether a client of the endpoint was judged to refuse it.
func failed(e *Endpoint, c *client.Client) bool {
	return slices.ContainsFunc(e.Clients, func(cv ClientVerdict) bool { return cv.Client == c && !cv.Now.OK })
}

// ask chooses the endpoint to ask an instance about: a preferred one, one of
// its own, or one that somebody else uses. Refusals are asked about only on
// request: after a repair they prove nothing.
func (p *prober) ask(c *client.Client, preferred func(*Endpoint, Answer) bool, refusals bool) (question, bool) {
	best := question{rank: -1}
	a := c.Asking()
	if a == nil || c.Path == "" || c.Verify == "off" {
		return best, false
	}
	for _, e := range p.endpoints {
		own := slices.Contains(e.UsedBy, c.Name+":"+c.Path)
		if e.Served == nil || e.NetErr != nil || len(e.Served.Certs) == 0 || e.Target.Addr != "" || e.Target.StartTLS != "" ||
			!own && (a.Own || len(c.Endpoints) > 0 && !e.Named) || !p.reaches(a, e, own) {
			continue
		}
		expected := p.expect(c, e)
		if expected == Refuses && !refusals {
			continue
		}
		rank := 0
		if own {
			rank++
		}
		if preferred(e, expected) {
			rank += 2
		}
		if rank > best.rank {
			best = question{Probe{Client: c.Name, Path: c.Path, URL: e.Parsed.String(), Host: e.host(), Expected: expected}, e, c, rank}
		}
	}
	return best, best.rank >= 0
}

// reaches reports whether a program comes to an endpoint on the way that it
// was judged on.
func (p *prober) reaches(a *client.Ask, e *Endpoint, own bool) bool {
	if a.Direct {
		return e.Target.Proxy == nil
	}
	if own || e.Target.Proxy == nil && p.v.Net == nil {
		return true
	}
	proxy := p.v.Net.ProxyFor(e.Parsed)
	return proxy == e.Target.Proxy || proxy != nil && e.Target.Proxy != nil && *proxy == *e.Target.Proxy
}

// expect judges the chain as a client would, by its settings of now.
func (p *prober) expect(c *client.Client, e *Endpoint) Answer {
	c = c.For(c.At(e.Parsed)) // git and others have settings for one server
	in := chain.Input{Served: e.Served.Certs, Host: e.Target.Host, Rules: c.Rules, Time: p.v.Now()}
	in.Roots, in.Broken = p.roots.of(c)
	if chain.Judge(in).OK {
		return Accepts
	}
	return Refuses
}

// chosen are n questions: the best ones, of as many kinds of clients as there
// are.
func chosen(qs []question, n int) []question {
	slices.SortStableFunc(qs, func(a, b question) int { return b.rank - a.rank })
	seen := map[string]int{}
	turn := make(map[*client.Client]int, len(qs))
	for _, q := range qs {
		turn[q.c] = seen[q.Client]
		seen[q.Client]++
	}
	slices.SortStableFunc(qs, func(a, b question) int { return turn[a.c] - turn[b.c] })
	return qs[:min(n, len(qs))]
}
