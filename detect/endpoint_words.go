package detect

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/internal/text"
	"trustfix/platform"
)

func netDetail(e *platform.NetError) string {
	switch {
	case e.Detail != "":
		return text.Redact(e.Detail)
	case e.Err != nil:
		return text.Redact(e.Err.Error())
	}
	return string(e.Kind)
}

func causeEvidence(v chain.Verdict) []text.Msg {
	var out []text.Msg
	for _, c := range v.Causes {
		if c.ID != "strict-ca" {
			out = append(out, c.Evidence...)
		}
	}
	return out[:min(len(out), 4)]
}

// caName is the issuer that nobody known vouches for.
func (j *judgement) caName(e *Endpoint) string {
	if e.CA != nil {
		return chain.Name(e.CA)
	}
	if ps := e.Reference.Paths; len(ps) > 0 && len(ps[0].Certs) > 0 {
		return ps[0].Certs[len(ps[0].Certs)-1].Name
	}
	return "?"
}

// clockWord says how far the dates can be trusted.
func (j *judgement) clockWord() text.Msg {
	c := j.report.Clock
	switch {
	case c.Source == "none" || c.Offset == nil:
		return text.M("endpoint.clock-unchecked", "clock", j.system.UTC().Format(time.RFC3339))
	case max(*c.Offset, -*c.Offset) < skewInfo:
		return text.M("endpoint.clock-right", "within", fmt.Sprintf("%.1f", max(0.1, c.Margin)))
	}
	return text.M("endpoint.clock-true", "time", j.truth.UTC().Format(time.RFC3339))
}

// since is how long ago a certificate ended, or how long until it starts.
func since(c *x509.Certificate, at time.Time, ended bool) text.Msg {
	switch {
	case c == nil:
		return text.M("clock.days", "n", "?")
	case ended:
		return Span(at.Sub(c.NotAfter).Seconds())
	}
	return Span(c.NotBefore.Sub(at).Seconds())
}

// otherMirrors names other addresses of the same channel or index: those that
// this diagnosis found good, else some that it did not try.
func (j *judgement) otherMirrors(e *Endpoint) []text.Msg {
	var good, untried []string
	for _, m := range bundles.Mirrors(e.URL) {
		t, err := ParseTarget(m)
		if err != nil || t.Target.Host == e.Target.Host {
			continue
		}
		i := slices.IndexFunc(j.report.Endpoints, func(o *Endpoint) bool { return o.Target.Host == t.Target.Host })
		switch {
		case i < 0:
			untried = append(untried, t.Target.Host)
		case j.report.Endpoints[i].Reference.OK:
			good = append(good, t.Target.Host)
		}
	}
	switch {
	case len(good) > 0:
		return []text.Msg{text.M("endpoint.mirrors-good", "hosts", list(good, 3))}
	case len(untried) > 0:
		return []text.Msg{text.M("endpoint.mirrors-untried", "hosts", strings.Join(untried[:min(len(untried), 3)], ", "))}
	}
	return nil
}

// usersOf are the names of the clients that use endpoints, each once.
func usersOf(es []*Endpoint) string {
	var names []string
	for _, e := range es {
		for _, u := range e.UsedBy {
			if n, _, _ := strings.Cut(u, ":"); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// refusing are the names of the clients that refuse some of the endpoints;
// reachable is whether trustfix can give a CA to one of them.
func refusing(es []*Endpoint) (names []string, reachable bool) {
	for _, e := range es {
		for _, c := range e.Clients {
			if c.Now.OK {
				continue
			}
			if !slices.Contains(names, c.Client.Name) {
				names = append(names, c.Client.Name)
			}
			reachable = reachable || c.Client.Pinnable() || c.Client.Trust.Kind == "os" && !e.CAInStore
		}
	}
	slices.Sort(names)
	return names, reachable
}

// byHand are the lines by which a person gives the refusing clients a CA.
func byHand(es []*Endpoint) []text.Msg {
	var out []text.Msg
	seen := map[string]bool{}
	for _, e := range es {
		for _, c := range e.Clients {
			if c.Now.OK || c.Client.Row == nil || c.Client.Pinnable() || c.Client.Row.ByHand == "" {
				continue
			}
			if line := strings.ReplaceAll(c.Client.Row.ByHand, "HOST", e.host()); !seen[line] {
				seen[line] = true
				out = append(out, text.Raw(line))
			}
		}
	}
	return out
}

func hostsOf(es []*Endpoint) []string {
	var out []string
	for _, e := range es {
		if !slices.Contains(out, e.host()) {
			out = append(out, e.host())
		}
	}
	return out
}

func list(s []string, n int) string {
	if len(s) > n {
		return strings.Join(s[:n], ", ") + " …"
	}
	return strings.Join(s, ", ")
}
