package detect

import (
	"net/url"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/platform/platformtest"
)

// Roots that the user adds judge, but they are in no program: one with roots
// of its own still refuses, and is offered the root by its SHA-256.
func TestAddedReferenceIsInNoProgram(t *testing.T) {
	const host = "npm.example.org"
	public, added := newCA(t, "Public Root", nil), newCA(t, "Added Root", nil)
	refs := bundles.NewRoots(public.Cert, added.Cert)
	for _, c := range []struct {
		name    string
		builtin *bundles.Roots
		ca      *platformtest.CA
		want    string
	}{
		{"a public root", bundles.NewRoots(public.Cert), public, "ok none "},
		{"one that was added", bundles.NewRoots(public.Cert), added, "fail client server-private-ca"},
		{"one that replaces the reference", nil, added, "ok none "},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(&platformtest.Net{Handshakes: hosts(host, served(c.ca.Leaf(t, host), c.ca.Cert.Raw))}))
			node, _ := chain.RulesFor("node")
			npm := &client.Client{
				Name: "npm", Path: "/usr/bin/npm", Verify: "on", Rules: node, Trust: client.Trust{Kind: "file", Builtin: true},
				Endpoints: []client.Endpoint{{URL: &url.URL{Scheme: "https", Host: host}, SetBy: "/root/.npmrc:1"}},
			}
			off := 0.0
			r := &Report{
				Clock: Clock{System: h.Now(), Offset: &off, Source: "ntp"}, Clients: []*client.Client{npm},
				Options: Options{Refs: refs, Builtin: c.builtin},
			}
			gatherEndpoints(t.Context(), h.View, r)
			e := r.Endpoints[0]
			if got := e.Verdict + " " + string(e.Fault) + " " + e.Cause; got != c.want || !e.Reference.OK {
				t.Fatalf("%s, reference %v; want %s", got, e.Reference.IDs(), c.want)
			}
			_, certs, _ := SourceOf(h.View, r, npm)
			if len(certs) != r.Options.builtin().Len() {
				t.Errorf("a bundle would begin with %d roots", len(certs))
			}
			if c.want == "ok none " {
				return
			}
			for _, check := range endpointChecks {
				fs, err := check.Run(t.Context(), h.View, r)
				if err != nil {
					t.Fatal(err)
				}
				r.Findings = append(r.Findings, fs...)
			}
			if len(r.Findings) != 1 || r.Findings[0].ID != "server-private-ca" || r.Findings[0].Action == Auto ||
				!strings.Contains(r.Findings[0].Evidence[0].String(), bundles.FormatFingerprint(fingerprint(added.Cert))) {
				t.Errorf("findings: %+v", r.Findings)
			}
		})
	}
}

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
