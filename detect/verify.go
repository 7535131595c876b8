package detect

import (
	"context"
	"crypto/tls"
	"sync"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/platform"
)

// VerifyOptions are what `trustfix verify` judges with.
type VerifyOptions struct {
	Roots   *bundles.Roots   // trust anchors: the reference roots, or those of --roots
	Broken  [][]byte         // DER of anchors that do not parse
	Rules   *chain.Rules     // of --client; nil: RFC 5280
	At      time.Time        // verification time; zero: the true time
	NTP     []string         // as in Options
	Timeout time.Duration    // as in Options
	Cert    *tls.Certificate // client certificate to show, or nil

	Revocation bool // ask the addresses that the certificates name; never required

	ChainPEM []byte // a saved chain, leaf first, PEM or DER: judged instead of targets
	Host     string // name to verify a saved chain for; "" leaves it unchecked
}

// VerifyResult is the judgement on one target. Its JSON is PRODUCT.md §4.
type VerifyResult struct {
	Target  string       `json:"target"`
	Verdict string       `json:"verdict"` // ok, fail, unreachable
	Fault   chain.Fault  `json:"fault"`
	Cause   string       `json:"cause"`
	Causes  []string     `json:"causes"` // finding ids, each followed by its finer code
	Chain   []chain.Info `json:"chain"`

	// Revocation is what was learned where that was asked for, from the server's own up.
	Revocation []Revocation `json:"revocation,omitempty"`

	Detail chain.Verdict      `json:"-"`
	NetErr *platform.NetError `json:"-"`
	Clock  Clock              `json:"-"`
	// Interception says what speaks for somebody in between; nil when nothing does.
	Interception *chain.Interception `json:"-"`
}

// Verify judges targets, all at the same time, or the saved chain of
// o.ChainPEM without any network. The error is about what was asked: a target
// or a chain file that cannot be read.
func Verify(ctx context.Context, v *platform.View, targets []string, o VerifyOptions) ([]VerifyResult, error) {
	if o.ChainPEM != nil {
		r, err := verifyChain(ctx, v, o)
		return []VerifyResult{r}, err
	}
	endpoints := make([]*Endpoint, len(targets))
	for i, t := range targets {
		e, err := ParseTarget(t)
		if err != nil {
			return nil, err
		}
		if e.Target.Cert = o.Cert; e.Target.StartTLS == "" && e.Target.Addr == "" {
			e.Target.Proxy = v.Net.ProxyFor(e.Parsed)
		}
		endpoints[i] = e
	}
	clock := Clock{System: v.Now(), Source: "none"}
	opts := Options{Refs: o.Roots, NTP: o.NTP, Timeout: o.Timeout, Targets: targets}
	var wg sync.WaitGroup
	if o.At.IsZero() {
		wg.Go(func() { clock = gatherClock(ctx, v, opts) })
	}
	for _, e := range endpoints {
		wg.Go(func() { probe(ctx, v, e, opts) })
	}
	wg.Wait()
	system, truth := v.Now(), o.At
	if truth.IsZero() {
		truth = clock.True(system)
	} else {
		system = truth
	}
	out := make([]VerifyResult, len(targets))
	verdicts := map[string]chain.Verdict{}
	for i, e := range endpoints {
		out[i] = VerifyResult{Target: targets[i], Causes: []string{}, Chain: []chain.Info{}, NetErr: e.NetErr, Clock: clock}
		if e.Served == nil || len(e.Served.Certs) == 0 {
			continue
		}
		in := chain.Input{
			Served: e.Served.Certs, Staple: e.Served.OCSP, Fetched: e.fetched, Broken: o.Broken, Roots: o.Roots, Host: e.Target.Host, Time: truth, Rules: o.Rules,
		}
		r := &out[i]
		r.Chain = chain.Infos(e.Served.Certs)
		if r.Detail = chain.Judge(in); o.Revocation {
			wg.Go(func() { r.Detail, r.Revocation = judgeRevocation(ctx, v, in, r.Detail, e.Target.Proxy) })
		}
	}
	wg.Wait()
	for i, e := range endpoints {
		if onlyUnknown(out[i].Detail) {
			verdicts[e.Target.Host] = out[i].Detail
		}
	}
	intercepted := chain.Intercepted(verdicts, bundles.Interceptor)
	for i, e := range endpoints {
		r := &out[i]
		if e.NetErr != nil && (len(r.Chain) == 0 || r.Detail.OK) {
			r.unreached(e.NetErr)
			continue
		}
		now := r.Detail
		if r.Detail.OK && !system.Equal(truth) {
			now = chain.Judge(chain.Input{Served: e.Served.Certs, Roots: o.Roots, Host: e.Target.Host, Time: system, Rules: o.Rules})
		}
		if onlyUnknown(r.Detail) {
			r.Interception = intercepted[e.Target.Host]
		}
		r.decide(now)
	}
	return out, nil
}

// decide fills in the judgement of what was served.
func (r *VerifyResult) decide(now chain.Verdict) {
	d := chain.Decide(r.Detail, now, r.Detail, r.Interception != nil)
	r.Verdict, r.Fault, r.Cause = d.Verdict, d.Fault, d.Cause
	if ids := r.Detail.IDs(); ids != nil {
		r.Causes = ids
	}
	if d.Cause != "" && !r.Detail.Has(d.Cause) {
		r.Causes = append([]string{d.Cause}, r.Causes...)
	}
}

// unreached is a target that sent no chain, or then refused us.
func (r *VerifyResult) unreached(err *platform.NetError) {
	e := Endpoint{NetErr: err}
	e.blameNetwork()
	r.Verdict, r.Fault, r.Cause, r.Causes = e.Verdict, e.Fault, e.Cause, []string{e.Cause}
}

// maxServed bounds a saved chain. A TLS message that held more certificates
// would be refused by every library, so what stands behind is as if not sent.
const maxServed = 10_000

// verifyChain judges a saved chain.
func verifyChain(ctx context.Context, v *platform.View, o VerifyOptions) (VerifyResult, error) {
	ders, err := readChain(o.ChainPEM)
	if err != nil {
		return VerifyResult{}, err
	}
	ders = ders[:min(len(ders), maxServed)]
	at := o.At
	if at.IsZero() {
		at = v.Now()
	}
	r := VerifyResult{Target: o.Host, Causes: []string{}, Chain: chain.Infos(ders)}
	in := chain.Input{Served: ders, Broken: o.Broken, Roots: o.Roots, Host: o.Host, Time: at, Rules: o.Rules}
	if r.Detail = chain.Judge(in); o.Revocation {
		r.Detail, r.Revocation = judgeRevocation(ctx, v, in, r.Detail, nil)
	}
	suspects := map[string]chain.Verdict{}
	if onlyUnknown(r.Detail) {
		suspects[o.Host] = r.Detail
	}
	r.Interception = chain.Intercepted(suspects, bundles.Interceptor)[o.Host]
	r.decide(r.Detail)
	return r, nil
}
