package detect

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/internal/text"
	"trustfix/platform"
)

// endpointChecks are one per finding id, all reading the same judgement. What
// a client's own trust source or the clock explains is no finding here.
var endpointChecks = []*Check{
	endpointCheck("server-intercepted", "endpoints", text.M("server-intercepted.doc")),
	endpointCheck("server-incomplete-chain", "endpoints", text.M("server-incomplete-chain.doc")),
	endpointCheck("server-private-ca", "endpoints", text.M("server-private-ca.doc")),
	endpointCheck("server-self-signed", "endpoints", text.M("server-self-signed.doc")),
	endpointCheck("server-forged", "endpoints", text.M("server-forged.doc")),
	endpointCheck("server-expired", "endpoints", text.M("server-expired.doc")),
	endpointCheck("server-not-yet-valid", "endpoints", text.M("server-not-yet-valid.doc")),
	endpointCheck("server-hostname", "endpoints", text.M("server-hostname.doc")),
	endpointCheck("server-revoked", "endpoints", text.M("server-revoked.doc")),
	endpointCheck("server-weak", "endpoints", text.M("server-weak.doc")),
	endpointCheck("server-constraint", "endpoints", text.M("server-constraint.doc")),
	endpointCheck("server-tls-old", "endpoints", text.M("server-tls-old.doc")),
	endpointCheck("server-needs-client-cert", "endpoints", text.M("server-needs-client-cert.doc")),
	endpointCheck("server-malformed", "endpoints", text.M("server-malformed.doc")),
	endpointCheck("net-proxy", "network", text.M("net-proxy.doc")),
	endpointCheck("net-dns", "network", text.M("net-dns.doc")),
	endpointCheck("net-refused", "network", text.M("net-refused.doc")),
	endpointCheck("net-reset", "network", text.M("net-reset.doc")),
	endpointCheck("net-timeout", "network", text.M("net-timeout.doc")),
	endpointCheck("net-not-tls", "network", text.M("net-not-tls.doc")),
}

func endpointCheck(id, area string, doc text.Msg) *Check {
	return &Check{
		ID: id, IDs: []string{id}, Area: area, Doc: doc, After: []*Check{clockSkew},
		Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
			j := newJudge(v, r)
			var out []Finding
			for _, group := range grouped(r.Endpoints, id) {
				if f, ok := j.finding(id, group); ok {
					out = append(out, f)
				}
			}
			return out, nil
		},
	}
}

// grouped puts endpoints with one cause together: those of one host, and for
// an interceptor all that it signs.
func grouped(es []*Endpoint, id string) [][]*Endpoint {
	var keys []string
	groups := map[string][]*Endpoint{}
	for _, e := range es {
		if e.Cause != id && (id != "server-intercepted" || !e.intercepted) {
			continue
		}
		key := e.host()
		if id == "server-intercepted" {
			key = issuerKey(e)
		}
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], e)
	}
	out := make([][]*Endpoint, 0, len(keys))
	for _, k := range keys {
		out = append(out, groups[k])
	}
	return out
}

// finding is what is said about endpoints that share a cause.
func (j *judgement) finding(id string, es []*Endpoint) (Finding, bool) {
	e := es[0]
	f := Finding{
		ID: id, Severity: Error, Subject: e.host(), Where: e.URL, Client: usersOf(es),
		Action: None, Endpoint: e,
	}
	if strings.HasPrefix(id, "net-") {
		j.network(&f, e)
	} else if unknown(id) {
		j.unknownIssuer(&f, es)
	} else {
		j.server(&f, e)
	}
	if !slices.ContainsFunc(es, func(e *Endpoint) bool { return e.Named || len(e.SetBy) > 0 }) && strings.HasPrefix(id, "net-") {
		f.Severity = Warning // a default that nobody chose may be unused
	}
	var places []string
	for _, e := range es {
		for _, p := range e.SetBy {
			if !slices.Contains(places, p) {
				places = append(places, p)
			}
		}
	}
	if len(places) > 0 {
		f.Evidence = append(f.Evidence, text.M("endpoint.set-by", "places", strings.Join(places, ", ")))
	}
	return f, !f.Summary.IsZero()
}

// server says what is wrong on the other side and what its operator has to
// do; nothing on this machine can or should change.
func (j *judgement) server(f *Finding, e *Endpoint) {
	host := e.host()
	var cert *x509.Certificate
	depth := 0
	if len(e.Reference.Causes) > 0 {
		f.Evidence = causeEvidence(e.Reference)
		depth = e.Reference.Causes[0].Depth
	}
	if ps := e.Reference.Paths; len(ps) > 0 && depth < len(ps[0].Certs) {
		cert = ps[0].Certs[depth].Cert
	}
	if e.NetErr != nil && string(e.NetErr.Kind) == f.ID {
		f.Evidence = []text.Msg{text.Raw(netDetail(e.NetErr))}
	}
	f.Advice = []text.Msg{text.M("endpoint.not-here")}
	switch f.ID {
	case "server-expired":
		f.Summary = text.M("server-expired", "host", host, "amount", since(cert, j.truth, true))
		f.Evidence = append(f.Evidence, j.clockWord())
		f.Advice = append(f.Advice, text.M("server-expired.operator"))
	case "server-not-yet-valid":
		f.Summary = text.M("server-not-yet-valid", "host", host, "amount", since(cert, j.truth, false))
		f.Evidence = append(f.Evidence, j.clockWord())
		f.Advice = append(f.Advice, text.M("server-not-yet-valid.operator"))
	case "server-hostname":
		f.Summary = text.M("server-hostname", "host", host)
		f.Advice = append(f.Advice, text.M("server-hostname.operator", "host", host))
	case "server-forged":
		f.Summary = text.M("server-forged", "host", host)
		f.Advice = []text.Msg{text.M("server-forged.stop")}
	case "server-revoked":
		f.Summary = text.M("server-revoked", "host", host)
		f.Advice = append(f.Advice, text.M("server-revoked.operator"))
	case "server-weak":
		f.Summary = text.M("server-weak", "host", host)
		f.Advice = append(f.Advice, text.M("server-weak.operator"))
	case "server-constraint":
		f.Summary = text.M("server-constraint", "host", host)
		f.Advice = append(f.Advice, text.M("server-constraint.operator"))
	case "server-tls-old":
		f.Summary = text.M("server-tls-old", "host", host)
		f.Advice = append(f.Advice, text.M("server-tls-old.operator"))
	case "server-needs-client-cert":
		f.Summary = text.M("server-needs-client-cert", "host", host)
		f.Action, f.Advice = Manual, []text.Msg{text.M("server-needs-client-cert.configure")}
	case "server-malformed":
		f.Summary = text.M("server-malformed", "host", host)
		f.Advice = append(f.Advice, text.M("server-malformed.operator"))
	}
	f.Advice = append(f.Advice, j.otherMirrors(e)...)
}

// unknownIssuer is about chains that nobody known vouches for: completed by a
// fetched intermediate, or a matter of consent to one CA by its SHA-256.
func (j *judgement) unknownIssuer(f *Finding, es []*Endpoint) {
	e := es[0]
	host := e.host()
	f.Evidence = causeEvidence(e.Reference)
	refusing, reachable := refusing(es)
	if len(refusing) > 0 {
		f.Client = strings.Join(refusing, ", ") // what a repair for some of them leaves is another finding
	}
	if f.ID == "server-incomplete-chain" {
		f.Summary = text.M("server-incomplete-chain", "host", host)
		f.Advice = []text.Msg{text.M("server-incomplete-chain.operator")}
		if len(e.Fetched) == 0 {
			f.Advice = append(f.Advice, text.M("server-incomplete-chain.unfetched"))
		} else {
			f.Evidence = append(f.Evidence, text.M("server-incomplete-chain.completes", "root", chain.Name(e.Reference.Root), "clients", whoDoesNotFetch(refusing)))
			if slices.ContainsFunc(e.Clients, func(c ClientVerdict) bool { return !c.Now.OK && c.Client.Pinnable() }) {
				f.Action, f.Fix = Auto, "write-pin"
			} else {
				f.Action = Manual
				f.Advice = append(f.Advice, text.M("server-incomplete-chain.other-clients", "clients", list(refusing, 6)))
				f.Advice = append(f.Advice, byHand(es)...)
			}
		}
		f.Advice = append(f.Advice, j.otherMirrors(e)...)
		j.pinned(f, es)
		return
	}
	if e.CA != nil || len(refusing) == 0 {
		f.Evidence = nil // its fingerprint below says all, or it is trusted here
	}
	name := j.caName(e)
	switch f.ID {
	case "server-self-signed":
		f.Summary = text.M("server-self-signed", "host", host)
	case "server-private-ca":
		f.Summary = text.M("server-private-ca", "host", host, "ca", name)
	case "server-intercepted":
		f.Subject = name
		hosts := hostsOf(es)
		if len(hosts) > 1 {
			f.Summary = text.M("server-intercepted.many", "n", len(hosts), "ca", name)
			f.Evidence = append(f.Evidence, text.M("endpoint.hosts", "hosts", list(hosts, 6)))
		} else {
			f.Summary = text.M("server-intercepted", "host", host, "ca", name)
		}
		if v := vendor(e); v != "" {
			f.Evidence = append(f.Evidence, text.M("server-intercepted.vendor", "vendor", v))
		}
		if len(refusing) == 0 {
			f.Severity = Info
			f.Evidence = append(f.Evidence, text.M("server-intercepted.accepted", "ca", name))
		}
	}
	if e.CA == nil && len(refusing) > 0 {
		f.Action = Manual
		f.Advice = []text.Msg{text.M("server-private-ca.ask", "ca", name)}
		return
	}
	if e.CA == nil {
		return
	}
	fp := bundles.Fingerprint(e.CA.Raw)
	f.Evidence = append(f.Evidence, text.M("server-private-ca.print", "ca", name, "sha256", bundles.FormatFingerprint(fp), "until", e.CA.NotAfter.UTC().Format(time.DateOnly)))
	f.Fix = "add-private-ca"
	switch {
	case len(refusing) == 0:
		f.Action, f.Fix = None, ""
	case !reachable:
		f.Action, f.Fix = Manual, ""
		f.Advice = append([]text.Msg{text.M("server-private-ca.other-clients", "clients", list(refusing, 6))}, byHand(es)...)
	case slices.Contains(j.consented, fp):
		f.Action = Auto
	case e.CAInStore:
		f.Action = Auto
		f.Evidence = append(f.Evidence, text.M("server-private-ca.in-store", "clients", list(refusing, 6)))
	default:
		f.Action = Consent
		f.Advice = []text.Msg{text.M("server-private-ca.consent"), text.Raw("trustfix --apply --trust-ca " + fp)}
	}
	if f.ID == "server-intercepted" {
		f.Advice = append(f.Advice, text.M("server-intercepted.stop"))
	}
	j.pinned(f, es)
}

// whoDoesNotFetch names the clients that refuse a chain which browsers complete.
func whoDoesNotFetch(refusing []string) text.Msg {
	names := slices.DeleteFunc(slices.Clone(refusing), func(n string) bool { return n == "system" })
	if len(names) == 0 {
		return text.M("server-incomplete-chain.most")
	}
	return text.M("server-incomplete-chain.these", "clients", list(names, 6))
}

// pinned leaves what an earlier pin was made for to that pin's own finding: a
// server that shows another CA than it did is for a person to look at.
func (j *judgement) pinned(f *Finding, es []*Endpoint) {
	for _, p := range Pins(j.roots.v, j.report.Clients) {
		if slices.ContainsFunc(es, func(e *Endpoint) bool { return mismatch(p, e) }) {
			f.CausedBy, f.Action, f.Fix = "pin-mismatch", Manual, ""
		}
	}
}

// network says why there was no handshake.
func (j *judgement) network(f *Finding, e *Endpoint) {
	host := e.host()
	if e.NetErr != nil {
		f.Evidence = []text.Msg{text.Raw(netDetail(e.NetErr))}
	}
	if p := e.Target.Proxy; p != nil {
		f.Evidence = append(f.Evidence, text.M("endpoint.proxy", "proxy", text.Redact(p.Redacted())))
	}
	switch f.ID {
	case "net-dns":
		f.Summary, f.Advice = text.M("net-dns", "host", host), []text.Msg{text.M("net-dns.do")}
	case "net-refused":
		f.Summary, f.Advice = text.M("net-refused", "host", host, "port", e.Target.Port), []text.Msg{text.M("net-refused.do")}
	case "net-reset":
		f.Summary, f.Advice = text.M("net-reset", "host", host), []text.Msg{text.M("net-reset.do")}
	case "net-timeout":
		f.Summary, f.Advice = text.M("net-timeout", "host", host), []text.Msg{text.M("net-timeout.do")}
	case "net-proxy":
		f.Summary, f.Advice = text.M("net-proxy", "host", host), []text.Msg{text.M("net-proxy.do")}
	case "net-not-tls":
		f.Summary, f.Advice = text.M("net-not-tls", "host", host), []text.Msg{text.M("net-not-tls.do")}
	}
	f.Action = Manual
}
