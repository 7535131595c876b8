package detect

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/platform/platformtest"
)

// Who does not fetch a missing intermediate is named by who refuses here.
func TestWhoDoesNotFetch(t *testing.T) {
	for want, names := range map[string][]string{
		"most other programs": {"system"},
		"gem, uv":             {"gem", "uv"},
	} {
		if got := whoDoesNotFetch(names).String(); got != want {
			t.Errorf("%v: %q, want %q", names, got, want)
		}
	}
}

// A CA that is accepted here, by a client or by the system store, is not said
// and not drawn to be untrusted; what is wrong with the chain besides still is.
func TestAcceptedIsNotUntrusted(t *testing.T) {
	const host = "pypi.org" // whoever signs for it but a public CA stands between
	public, ca := newCA(t, "Public Root", nil), newCA(t, "Company CA", nil)
	sub := newCA(t, "Company Sub CA", ca)
	expired := between(validFrom, platformtest.DefaultNow.AddDate(0, 0, -9))
	sent := func(mod ...func(*x509.Certificate)) platformtest.Handshake {
		return served(sub.Leaf(t, host, mod...), sub.Cert.Raw)
	}
	for _, c := range []struct {
		name     string
		world    world
		severity Severity
		broken   bool // somewhere in the tree
	}{
		{"nobody accepts it", world{trust: platformtest.PEM(public.Cert), hosts: hosts(host, sent())}, Error, true},
		{"the client does, and the root is not sent", world{trust: platformtest.PEM(ca.Cert), hosts: hosts(host, sent())}, Info, false},
		{"the client does, and the root is sent", world{trust: platformtest.PEM(ca.Cert), hosts: hosts(host, served(sub.Leaf(t, host), sub.Cert.Raw, ca.Cert.Raw))}, Info, false},
		{"the system store does", world{trust: platformtest.PEM(public.Cert), store: []*x509.Certificate{ca.Cert}, hosts: hosts(host, sent())}, Error, false},
		{"the client does, and it has expired", world{trust: platformtest.PEM(ca.Cert), hosts: hosts(host, sent(expired))}, Error, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.world.refs = bundles.NewRoots(public.Cert)
			r := c.world.diagnose(t)
			if len(r.Findings) != 1 || r.Findings[0].Severity != c.severity || len(r.Findings[0].Evidence) == 0 {
				t.Fatalf("findings: %+v", r.Findings)
			}
			said := fmt.Sprint(r.Findings[0].Evidence, chain.Draw(r.Endpoints[0].Shown()))
			for _, wrong := range []string{"not trusted", "nobody here trusts", "unknown here", "✗"} {
				if !c.broken && strings.Contains(said, wrong) {
					t.Errorf("%q: %s", wrong, said)
				}
			}
			broken := slices.ContainsFunc(chain.Draw(r.Endpoints[0].Shown()), func(l chain.DrawLine) bool { return l.Broken })
			if broken != c.broken {
				t.Errorf("broken %v: %s", broken, said)
			}
		})
	}
}
