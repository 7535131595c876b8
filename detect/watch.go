package detect

import (
	"crypto/x509"
	"slices"
	"time"

	"trustfix/detect/chain"
	"trustfix/platform"
)

// Health is what is worth watching from one day to the next: whether the
// servers that this machine needs verify, and when what they and the pins
// depend on ends.
type Health struct {
	Servers []ServerHealth `json:"servers"`
	Pins    []PinHealth    `json:"pins"`
}

// ServerHealth is one endpoint of a report. First is nil when no certificate
// was served.
type ServerHealth struct {
	URL     string      `json:"url"`
	UsedBy  []string    `json:"usedBy"`
	Verdict string      `json:"verdict"` // ok, fail, unreachable
	Fault   chain.Fault `json:"fault"`
	Cause   string      `json:"cause"`
	First   *Ending     `json:"first"`
}

// PinHealth is one bundle that trustfix wrote. Findings are the ids of what is
// wrong with it, less what is only worth knowing.
type PinHealth struct {
	Path     string   `json:"path"`
	Client   string   `json:"client"`
	Hosts    []string `json:"hosts"`
	Findings []string `json:"findings"`
	First    *Ending  `json:"first"`
}

// Ending is the certificate that ends first of those that something depends on.
type Ending struct {
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"notAfter"`
	Seconds  int64     `json:"secondsLeft"` // until NotAfter at true time; negative when past
	Soon     bool      `json:"soon"`
}

// Well reports whether nothing has to be done.
func (h Health) Well() bool {
	for _, s := range h.Servers {
		if s.Verdict != "ok" || s.First != nil && s.First.Soon {
			return false
		}
	}
	for _, p := range h.Pins {
		if len(p.Findings) > 0 || p.First != nil && p.First.Soon {
			return false
		}
	}
	return true
}

// Watch reads the health out of a report: of the targets, the servers that
// somebody configured, and the pins. What ends within notice is soon, but
// never before three quarters of a certificate's life have passed: one that
// lives for six days would always be.
func Watch(v *platform.View, r *Report, notice time.Duration) Health {
	now := r.Clock.True(v.Now())
	h := Health{Servers: []ServerHealth{}, Pins: []PinHealth{}}
	for _, e := range r.Endpoints {
		if !e.Named && len(e.SetBy) == 0 {
			continue // a client's default that nobody chose may well be out of reach
		}
		s := ServerHealth{URL: e.URL, UsedBy: e.UsedBy, Verdict: e.Verdict, Fault: e.Fault, Cause: e.Cause}
		for _, c := range e.dependsOn() {
			s.First = earlier(s.First, Ending{Subject: chain.Name(c), NotAfter: c.NotAfter}, now, min(notice, c.NotAfter.Sub(c.NotBefore)/4))
		}
		h.Servers = append(h.Servers, s)
	}
	for _, p := range Pins(v, r.Clients) {
		ph := PinHealth{Path: p.Path, Client: p.Client, Hosts: p.Hosts, Findings: []string{}}
		for _, c := range p.Pinned {
			if !c.Until.IsZero() {
				ph.First = earlier(ph.First, Ending{Subject: c.Name, NotAfter: c.Until}, now, notice)
			}
		}
		for _, f := range r.Findings {
			if f.Where == p.Path && f.Severity != Info && !slices.Contains(ph.Findings, f.ID) {
				ph.Findings = append(ph.Findings, f.ID)
			}
		}
		h.Pins = append(h.Pins, ph)
	}
	return h
}

// dependsOn are the certificates of the chain that have to be valid for the
// endpoint to verify: those of its best path without the trust anchor, which
// some clients accept when it has ended.
func (e *Endpoint) dependsOn() []*x509.Certificate {
	verdict := e.Reference
	if !verdict.OK && e.CA != nil {
		verdict = e.ByCA
	}
	var out []*x509.Certificate
	if len(verdict.Paths) > 0 {
		for _, l := range verdict.Paths[0].Certs {
			if l.Cert != nil && !l.Anchor {
				out = append(out, l.Cert)
			}
		}
	}
	if len(out) == 0 && verdict.Leaf != nil {
		out = append(out, verdict.Leaf)
	}
	return out
}

// earlier is the one of two endings that comes first.
func earlier(old *Ending, e Ending, now time.Time, notice time.Duration) *Ending {
	if old != nil && !e.NotAfter.Before(old.NotAfter) {
		return old
	}
	left := e.NotAfter.Sub(now)
	e.NotAfter, e.Seconds, e.Soon = e.NotAfter.UTC(), int64(left/time.Second), left <= notice
	return &e
}
