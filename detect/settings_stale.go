package detect

import (
	"context"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// staleInfo is how many reference roots a bundle may lack before that is
// worth a word when no endpoint fails.
const staleInfo = 0

// caBundleStale compares the public bundles of clients with the reference
// roots: an error where an endpoint fails for lack of a root, else information.
func caBundleStale(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
	if r.Options.Refs == nil {
		return nil, nil
	}
	var out []Finding
	at := map[string]int{}                 // by path of the bundle
	lacks := map[*string][]bundles.Root{}  // by content, which copies share
	prints := fingerprints(r.Options.Refs) // of the reference roots
	for _, c := range r.Clients {
		if c.Trust.Kind != "certifi" && c.Trust.Kind != "file" || c.Trust.Path == "" || c.Trust.FromSystem() {
			continue
		}
		b := r.Inventory.Bundles.ReadTrust(c.Trust)
		if b.Err != nil || b.Dir || isStore(r, b) || !holdsAny(r.Options.Refs, b.Prints) {
			continue
		}
		missing, ok := lacks[&b.Prints[0]]
		if !ok {
			missing = lacking(r.Options.Refs, prints, b)
			lacks[&b.Prints[0]] = missing
		}
		host, name := neededRoot(r, c, b)
		if len(missing) <= staleInfo && host == "" {
			continue
		}
		i, ok := at[b.Real]
		if !ok {
			i = len(out)
			at[b.Real] = i
			out = append(out, Finding{
				ID: "ca-bundle-stale", Severity: Info, Client: c.Name, Subject: c.Path, Where: b.Path,
				Summary:  text.M("ca-bundle-stale", "client", c.Name, "path", b.Path, "n", len(missing)),
				Evidence: []text.Msg{text.M("ca-bundle-stale.lacks", "roots", someNames(missing), "n", len(missing))},
				Action:   Manual, Advice: []text.Msg{text.M("ca-bundle-stale.advice", "path", b.Path)},
			})
		}
		if host != "" && out[i].Severity == Info {
			out[i].Severity, out[i].Client, out[i].Subject = Error, c.Name, c.Path
			out[i].Summary = text.M("ca-bundle-stale.fails", "client", c.Name, "host", host)
			out[i].Evidence = append(out[i].Evidence, text.M("ca-bundle-stale.needs", "host", host, "root", name))
			refreshable(&out[i], c)
		}
		if host, name := lostRoot(r, c); host != "" && c.Trust.Owner != client.OwnerNone {
			// An update overwrites what somebody put into the package's file.
			f := &out[i]
			if f.Severity == Info {
				f.Severity = Warning
			}
			f.Action, f.Fix = Manual, ""
			f.Evidence = append(f.Evidence, text.M("ca-bundle-stale.would-remove", "host", host, "root", name))
			f.Advice = []text.Msg{text.M("ca-bundle-stale.keep", "root", name)}
		}
	}
	return out, nil
}

// refreshable says who can bring the bundle of a client up to date.
func refreshable(f *Finding, c *client.Client) {
	py := c.Program
	switch c.Trust.Owner {
	case client.OwnerPip:
		f.Action, f.Fix, f.Advice = Auto, "upgrade-certifi", nil
	case client.OwnerNone:
		if c.Trust.SetBy != "" {
			f.Action, f.Fix, f.Advice = Auto, "refresh-bundle", nil
		}
	case client.OwnerVendor:
		f.Advice = append(f.Advice, text.Raw(py+" install --upgrade --cert /etc/ssl/certs/ca-certificates.crt pip"))
	case client.OwnerConda:
		f.Advice = append(f.Advice, text.Raw("conda update --prefix "+c.Path+" certifi ca-certificates"))
	}
}

func isStore(r *Report, b *client.Bundle) bool {
	return slices.ContainsFunc(r.Stores, func(s *Store) bool {
		return s.Path == b.Path || s.Path == b.Real || inLayout(s, b.Real)
	})
}

// lacking are the reference roots that a bundle does not hold.
func lacking(refs *bundles.Roots, prints []string, b *client.Bundle) []bundles.Root {
	have := make(map[string]bool, len(b.Prints))
	for _, p := range b.Prints {
		have[p] = true
	}
	var out []bundles.Root
	for i, root := range refs.All() {
		if !have[prints[i]] {
			out = append(out, root)
		}
	}
	return out
}

func fingerprints(refs *bundles.Roots) []string {
	out := make([]string, refs.Len())
	for i, root := range refs.All() {
		out[i] = bundles.Fingerprint(root.Cert.Raw)
	}
	return out
}

func someNames(roots []bundles.Root) string {
	var names []string
	for _, r := range roots[:min(len(roots), 3)] {
		names = append(names, bundles.Name(r.Cert))
	}
	if len(roots) > 3 {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}

// lostRoot is an endpoint that this client accepts by a root of its bundle
// that no newer one will hold.
func lostRoot(r *Report, c *client.Client) (host, root string) {
	for _, e := range r.Endpoints {
		for _, cv := range e.Clients {
			if cv.Client == c && cv.Now.OK && cv.Now.Root != nil && !r.Options.Refs.Has(bundles.Fingerprint(cv.Now.Root.Raw)) {
				return e.Parsed.Hostname(), bundles.Name(cv.Now.Root)
			}
		}
	}
	return "", ""
}

// neededRoot is an endpoint that fails for this client because its bundle
// lacks the root to which the reference roots verified it.
func neededRoot(r *Report, c *client.Client, b *client.Bundle) (host, root string) {
	for _, e := range r.Endpoints {
		if !e.Reference.OK || e.Reference.Root == nil {
			continue
		}
		for _, cv := range e.Clients {
			if cv.Client == c && !cv.True.OK && !slices.Contains(b.Prints, bundles.Fingerprint(e.Reference.Root.Raw)) {
				return e.Parsed.Hostname(), bundles.Name(e.Reference.Root)
			}
		}
	}
	return "", ""
}

// inLayout reports whether a path is one of the places where the system keeps
// what this store is.
func inLayout(st *Store, name string) bool {
	l := st.Layout
	return l != nil && name != "" && (name == l.Bundle || name == l.HashDir || slices.Contains(l.Aliases, name))
}
