package detect

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform"
)

// The values of Endpoint.Verdict.
const (
	verdictOK          = "ok"
	verdictFail        = "fail"
	verdictUnreachable = "unreachable"
)

// judgement is what the endpoints of one diagnosis are judged with.
type judgement struct {
	report    *Report
	refs      *bundles.Roots
	system    time.Time // as clients see it
	truth     time.Time // as agreeing sources see it
	roots     *trustRoots
	store     []*x509.Certificate // what the system store trusts
	consented []string
}

func newJudge(v *platform.View, r *Report) *judgement {
	now := v.Now()
	j := &judgement{
		report: r, refs: r.Options.Refs, system: now, truth: r.Clock.True(now),
		roots: &trustRoots{v: v, stores: r.Stores, files: map[string]*loaded{}},
	}
	if j.refs == nil {
		j.refs = &bundles.Roots{}
	}
	j.roots.refs = j.refs
	if r.Clock.Offset == nil && r.Clock.Wrong {
		j.truth = r.Clock.Floor
	}
	for _, s := range r.Stores {
		j.store = append(j.store, s.Certs...)
	}
	for _, fp := range r.Options.Consented {
		if fp, err := bundles.ParseFingerprint(fp); err == nil {
			j.consented = append(j.consented, fp)
		}
	}
	return j
}

// judge fills in how the reference roots and every client see the chain, and
// what could complete it. Endpoints are judged independently of each other.
func (j *judgement) judge(e *Endpoint) {
	if e.Served == nil || len(e.Served.Certs) == 0 {
		return
	}
	e.Chain = chain.Infos(e.Served.Certs)
	in := chain.Input{Served: e.Served.Certs, Staple: e.Served.OCSP, Fetched: e.fetched, Roots: j.refs, Host: e.Target.Host, Time: j.truth}
	e.Reference = chain.Judge(in)
	if e.Reference.Root != nil {
		e.Fetched = e.Reference.Missing
	}
	if onlyUnknown(e.Reference) && !Completes(e.Reference) {
		j.findCA(e, in)
	}
	if len(e.Clients) == 0 && len(j.roots.stores) > 0 {
		// Nobody is known to use it: judge as what reads the system store would.
		e.Clients = []ClientVerdict{{Client: &client.Client{Name: "system", Trust: client.Trust{Kind: "os"}}}}
	}
	for i := range e.Clients {
		c := &e.Clients[i]
		in := chain.Input{Served: e.Served.Certs, Host: e.Target.Host, Rules: c.Client.Rules, Time: j.system}
		in.Roots, in.Broken = j.roots.of(c.Client)
		c.Now = chain.Judge(in)
		c.True = c.Now
		if !c.Now.OK {
			in.Time = j.truth
			c.True = chain.Judge(in)
		}
	}
}

// findCA looks for the self-signed certificate that would complete a chain
// nobody known vouches for: in the system store, in what was served, in what
// was fetched. It only counts when the chain stands with it.
func (j *judgement) findCA(e *Endpoint, in chain.Input) {
	try := func(c *x509.Certificate, inStore bool) bool {
		if !bytes.Equal(c.RawIssuer, c.RawSubject) {
			return false
		}
		in.Roots = bundles.NewRoots(c)
		v := chain.Judge(in)
		if !v.OK && !Completes(v) {
			return false
		}
		e.CA, e.CAInStore, e.ByCA = c, inStore, v
		return true
	}
	tops := map[string]bool{}
	for _, p := range e.Reference.Paths {
		for _, l := range p.Certs {
			if l.Cert != nil {
				tops[string(l.Cert.RawIssuer)] = true
			}
		}
	}
	for _, c := range j.store {
		if tops[string(c.RawSubject)] && try(c, true) {
			return
		}
	}
	for _, der := range slices.Concat(e.Served.Certs, e.fetched) {
		if c, err := x509.ParseCertificate(der); err == nil && try(c, false) {
			return
		}
	}
}

// unknown reports whether a cause only says that nobody known vouches for the
// chain: where trust could be a matter of consent.
func unknown(id string) bool {
	switch id {
	case "server-private-ca", "server-self-signed", "server-incomplete-chain", "server-intercepted":
		return true
	}
	return false
}

// onlyUnknown reports whether nothing else is wrong with a refused chain.
func onlyUnknown(v chain.Verdict) bool {
	return !v.OK && len(v.Causes) > 0 && !slices.ContainsFunc(v.Causes, func(c chain.Cause) bool { return !unknown(c.ID) && c.ID != "strict-ca" })
}

// Completes reports whether a refused chain stands once what was fetched is added.
func Completes(v chain.Verdict) bool {
	return onlyUnknown(v) && v.Root != nil && len(v.Missing) > 0
}

// Shown is the verdict to draw for an endpoint: the reference's, unless its
// only objection is to a CA that is accepted here, by a client or by the
// system store.
func (e *Endpoint) Shown() chain.Verdict {
	if !onlyUnknown(e.Reference) || Completes(e.Reference) {
		return e.Reference
	}
	for _, c := range e.Clients {
		if c.Now.OK {
			return c.Now
		}
	}
	if e.CAInStore {
		return e.ByCA
	}
	return e.Reference
}

// onlyTime reports whether a chain is refused for its dates alone.
func onlyTime(v chain.Verdict) bool {
	return !v.OK && len(v.Causes) > 0 && !slices.ContainsFunc(v.Causes, func(c chain.Cause) bool {
		return c.ID != "server-expired" && c.ID != "server-not-yet-valid" && c.ID != "strict-ca"
	})
}

// conclude compares the reference's word with the clients' (PRODUCT §2). A
// fault that all clients share is the endpoint's; else the clock comes before
// a single client's trust source.
func (j *judgement) conclude(e *Endpoint) {
	served := e.Served != nil && len(e.Served.Certs) > 0
	if !served && e.NetErr == nil {
		e.NetErr = &platform.NetError{Kind: platform.NetNotTLS, Host: e.Target.Host, Detail: "no certificate was sent"}
	}
	if e.NetErr != nil && (!served || e.Reference.OK) {
		e.blameNetwork()
		return
	}
	worst := chain.Decide(e.Reference, e.Reference, e.Reference, e.intercepted)
	for i := range e.Clients {
		c := &e.Clients[i]
		d := chain.Decide(e.Reference, c.Now, c.True, e.intercepted)
		if d.Fault == chain.FaultClient && d.Cause == "" {
			d.Cause = j.whyClient(c)
		}
		c.Fault, c.Cause = d.Fault, d.Cause
		if i == 0 || gravity(d.Fault) > gravity(worst.Fault) {
			worst = d
		}
	}
	switch unfinished := worst.Cause == "server-incomplete-chain" && !Completes(e.Reference); {
	case j.report.Clock.Wrong && j.report.Clock.Offset == nil && onlyTime(e.Reference):
		worst = chain.Judgement{Verdict: verdictFail, Fault: chain.FaultClock, Cause: "clock-skew"}
	case unfinished && e.intercepted:
		worst.Fault, worst.Cause = chain.FaultNetwork, "server-intercepted"
	case unfinished && e.CA != nil: // its issuer is at hand after all
		worst.Fault, worst.Cause = chain.FaultPrivateCA, "server-private-ca"
	}
	e.Verdict, e.Fault, e.Cause = worst.Verdict, worst.Fault, worst.Cause
}

// blameNetwork is the judgement where there was no handshake. Some kinds are
// the server's own doing.
func (e *Endpoint) blameNetwork() {
	e.Verdict, e.Fault, e.Cause = verdictUnreachable, chain.FaultNetwork, string(e.NetErr.Kind)
	if strings.HasPrefix(e.Cause, "server-") {
		e.Verdict, e.Fault = verdictFail, chain.FaultServer
	}
}

func gravity(f chain.Fault) int {
	return slices.Index([]chain.Fault{chain.FaultNone, chain.FaultClient, chain.FaultClock, chain.FaultPrivateCA, chain.FaultNetwork, chain.FaultServer}, f)
}

// whyClient names the finding that explains a client's refusal by where its
// roots come from.
func (j *judgement) whyClient(c *ClientVerdict) string {
	t := c.Client.Trust
	if t.Builtin {
		return c.True.Cause()
	}
	if t.Kind == "os" {
		if s := j.roots.store(t.Path); s != nil && s.Status != StoreOK {
			return "store-" + string(s.Status)
		}
		return "store-stale"
	}
	l := j.roots.own(t)
	switch {
	case l.err != nil:
		return "ca-path-missing"
	case l.lost(libraryOf(c.Client)), len(l.certs) == 0:
		return "ca-path-invalid"
	case t.SetBy != "" && len(l.certs) < fewRoots:
		return "ca-path-partial"
	}
	return "ca-bundle-stale"
}

// fewRoots is below what any public bundle holds: a file with fewer roots was
// made for a few hosts.
const fewRoots = 20

// interception finds the issuers that stand between this machine and the
// world: a name that inspection products use, the same unknown CA for unrelated
// hosts, or an unknown CA for a host that a client ships as its default, which
// has no private one.
func (j *judgement) interception() {
	verdicts := map[string]chain.Verdict{}
	for _, e := range j.report.Endpoints {
		if len(e.Chain) > 0 && onlyUnknown(e.Reference) && !Completes(e.Reference) {
			verdicts[e.Target.Host] = e.Reference
		}
	}
	found := chain.Intercepted(verdicts, bundles.Interceptor)
	for _, e := range j.report.Endpoints {
		if _, suspect := verdicts[e.Target.Host]; suspect && onlyUnknown(e.Reference) {
			e.intercepted = found[e.Target.Host] != nil || e.Reference.Cause() == "server-private-ca" && slices.Contains(client.PublicHosts(), e.Target.Host)
		}
	}
}

// issuerKey tells unknown issuers apart: the name of the highest one known.
func issuerKey(e *Endpoint) string {
	if e.CA != nil {
		return string(e.CA.RawSubject)
	}
	if len(e.Reference.Paths) == 0 {
		return ""
	}
	var top *x509.Certificate
	for _, l := range e.Reference.Paths[0].Certs {
		if l.Cert != nil {
			top = l.Cert
		}
	}
	if top == nil {
		return ""
	}
	return string(top.RawIssuer)
}

// vendor is the inspection product that some name in the chain looks like.
func vendor(e *Endpoint) string {
	for _, der := range e.Served.Certs {
		if c, err := x509.ParseCertificate(der); err == nil {
			if v, ok := bundles.Interceptor(c); ok {
				return v
			}
		}
	}
	return ""
}
