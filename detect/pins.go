package detect

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// pinHead is the first line of a bundle that trustfix wrote. What it was made
// of stands in comments below, so the file alone tells what it is.
const pinHead = "# trustfix pin 1"

// Pin is a bundle that trustfix wrote for a client: public roots, and the CA
// certificates that some hosts need besides.
type Pin struct {
	Path   string
	Client string   // row name: "conda"
	Hosts  []string // host or host:port, sorted
	Base   string   // where the public roots came from: a path, or "reference roots"
	Was    string   // what the setting named before it named this file; "" when it was not set
	Pinned []PinnedCert
}

// PinnedCert is a CA certificate in a pin that is no public root.
type PinnedCert struct {
	SHA256 string
	Until  time.Time
	Hosts  []string // that need it
	Name   string
}

// Header is the comment block that a pin begins with.
func (p Pin) Header() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# client %s\n", pinHead, p.Client)
	for _, h := range p.Hosts {
		fmt.Fprintf(&b, "# host %s\n", h)
	}
	fmt.Fprintf(&b, "# base %s\n", p.Base)
	if p.Was != "" {
		fmt.Fprintf(&b, "# was %s\n", p.Was)
	}
	for _, c := range p.Pinned {
		fmt.Fprintf(&b, "# pinned %s %s %s %s\n", c.SHA256, c.Until.UTC().Format(time.DateOnly), strings.Join(c.Hosts, ","), c.Name)
	}
	b.WriteString("# Made by trustfix; \"trustfix pin\" renews it, \"trustfix unpin\" removes it.\n\n")
	return b.String()
}

// ReadPin reads what a bundle says about itself; ok is false for a file that
// trustfix did not write.
func ReadPin(path string, data []byte) (p Pin, ok bool) {
	head := string(data)
	if bundles.IsKeyStore(data) {
		head = pinStore(data)
	}
	rest, ok := strings.CutPrefix(head, pinHead+"\n")
	if !ok {
		return p, false
	}
	p.Path = path
	for line := range strings.Lines(rest) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "#" {
			break
		}
		if len(words) < 3 {
			continue
		}
		switch words[1] {
		case "client":
			p.Client = words[2]
		case "host":
			p.Hosts = append(p.Hosts, words[2])
		case "base":
			p.Base = strings.Join(words[2:], " ")
		case "was":
			p.Was = strings.Join(words[2:], " ")
		case "pinned":
			if len(words) > 4 {
				until, _ := time.Parse(time.DateOnly, words[3])
				p.Pinned = append(p.Pinned, PinnedCert{words[2], until, strings.Split(words[4], ","), strings.Join(words[5:], " ")})
			}
		}
	}
	return p, true
}

// Pins are the pins that some client of the report reads, each once.
func Pins(v *platform.View, clients []*client.Client) []Pin {
	var out []Pin
	seen := map[string]bool{}
	for _, c := range clients {
		var names []string
		for _, t := range c.Trusts() {
			names = append(names, t.Adds...)
			if t.SetBy != "" { // a pin is what a setting names, never a package's own file
				names = append(names, t.Path)
			}
		}
		for _, name := range names {
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			data, err := v.Files.ReadFile(name)
			if err != nil {
				continue
			}
			if p, ok := ReadPin(name, data); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// Covers reports whether a pin was made for an endpoint.
func (p Pin) Covers(e *Endpoint) bool { return slices.Contains(p.Hosts, e.host()) }

// Serves reports whether a client reads the pin.
func (p Pin) Serves(c *client.Client) bool {
	return c.Trust.Path == p.Path || slices.Contains(c.Trust.Adds, p.Path)
}

var pinChecks = []*Check{
	{
		ID: "pin-mismatch", IDs: []string{"pin-mismatch"}, Area: "pins", Doc: text.M("pin-mismatch.doc"), After: endpointChecks,
		Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
			var out []Finding
			for _, p := range Pins(v, r.Clients) {
				for _, e := range r.Endpoints {
					if mismatch(p, e) {
						out = append(out, mismatchFinding(p, e))
					}
				}
			}
			return out, nil
		},
	},
	pinAge("pin-expired", text.M("pin-expired.doc")),
	pinAge("pin-expiring", text.M("pin-expiring.doc")),
}

// mismatch reports whether an endpoint that a pin was made for no longer
// verifies with it, though the clock is right and the server is in order.
func mismatch(p Pin, e *Endpoint) bool {
	if !p.Covers(e) || !e.Reference.OK && !onlyUnknown(e.Reference) || len(e.Chain) == 0 {
		return false
	}
	return slices.ContainsFunc(e.Clients, func(c ClientVerdict) bool { return p.Serves(c.Client) && !c.True.OK })
}

// mismatchFinding shows the pinned and the served CA certificates; a pin is
// never renewed by itself when what it holds no longer fits.
func mismatchFinding(p Pin, e *Endpoint) Finding {
	f := Finding{
		ID: "pin-mismatch", Severity: Error, Client: p.Client, Subject: e.host(), Where: p.Path,
		Summary: text.M("pin-mismatch", "host", e.host(), "client", p.Client), Action: Manual, Endpoint: e,
	}
	for _, c := range p.Pinned {
		f.Evidence = append(f.Evidence, text.M("pin-mismatch.old", "name", c.Name, "sha256", bundles.FormatFingerprint(c.SHA256)))
	}
	served := e.Served.Certs[1:]
	if e.Reference.Has("server-self-signed") {
		served = e.Served.Certs[:1]
	}
	fetched := make([][]byte, 0, len(e.Fetched))
	for _, c := range e.Fetched {
		fetched = append(fetched, c.Raw)
	}
	for _, der := range slices.Concat(served, fetched) {
		if c, err := x509.ParseCertificate(der); err == nil {
			f.Evidence = append(f.Evidence, text.M("pin-mismatch.new", "name", chain.Name(c), "sha256", bundles.FormatFingerprint(bundles.Fingerprint(der))))
		}
	}
	if e.Reference.OK || Completes(e.Reference) {
		f.Evidence = append(f.Evidence, text.M("pin-mismatch.verifies"))
	}
	f.Advice = []text.Msg{text.M("pin-mismatch.renew"), text.Raw("trustfix pin " + e.host())}
	return f
}

// Days before the end of a pinned certificate that make it worth a word.
const pinWarning = 30 * 24 * time.Hour

// pinAge finds pinned certificates that have ended, or soon will.
func pinAge(id string, doc text.Msg) *Check {
	return &Check{
		ID: id, IDs: []string{id}, Area: "pins", Doc: doc, After: []*Check{clockSkew},
		Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
			now := r.Clock.True(v.Now())
			var out []Finding
			for _, p := range Pins(v, r.Clients) {
				for _, c := range p.Pinned {
					left := c.Until.Sub(now)
					if c.Until.IsZero() || left > pinWarning || (left <= 0) != (id == "pin-expired") {
						continue
					}
					f := Finding{
						ID: id, Severity: Warning, Client: p.Client, Subject: c.Name, Where: p.Path, Action: Manual,
						Evidence: []text.Msg{text.M("pin.print", "name", c.Name, "sha256", bundles.FormatFingerprint(c.SHA256), "until", c.Until.Format(time.DateOnly))},
						Advice:   []text.Msg{text.M("pin.renew"), text.Raw("trustfix pin " + strings.Join(p.Hosts, " "))},
					}
					if id == "pin-expired" {
						f.Severity, f.Summary = Error, text.M("pin-expired", "name", c.Name, "client", p.Client, "amount", Span(left.Seconds()))
					} else {
						f.Summary = text.M("pin-expiring", "name", c.Name, "client", p.Client, "amount", Span(left.Seconds()))
					}
					out = append(out, f)
				}
			}
			return out, nil
		},
	}
}
