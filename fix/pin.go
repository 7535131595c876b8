package fix

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

var writePin = &Fix{
	ID: "write-pin", Doc: text.M("write-pin.doc"), For: []string{"server-incomplete-chain"}, Reversible: true,
	Group: func(detect.Finding) string { return "pin" }, // the hosts of a client share one bundle
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		var needs []need
		for _, e := range endpointsOf(in.Report, fs) {
			if detect.Completes(e.Reference) {
				needs = append(needs, needFor(e, e.Reference))
			}
		}
		return planPins(in, needs, refusing)
	},
}

var addPrivateCA = &Fix{
	ID: "add-private-ca", Doc: text.M("add-private-ca.doc"), Reversible: true,
	For:   []string{"server-private-ca", "server-self-signed", "server-intercepted"},
	Group: func(f detect.Finding) string { return caOf(f) },
	Plan:  planPrivateCA,
}

// planPrivateCA adds a CA that the user named by its SHA-256 to the system
// store, and to the bundles of clients that do not read that. A CA that the
// system store trusts already needs no other consent.
func planPrivateCA(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
	ca := fs[0].Endpoint.CA
	if ca == nil {
		return nil, errors.New("the certificate of the CA is not at hand")
	}
	if d, bad := bundles.Compromised(ca); bad {
		return nil, &Manual{Why: text.M("store-compromised-root.key", "name", d.Name), Do: text.M("store.never-trust")}
	}
	inStore := fs[0].Endpoint.CAInStore
	if !inStore && !consentedTo(in, ca) {
		return nil, &Manual{Why: text.M("add-private-ca.no-consent"), Do: text.Raw("trustfix --apply --trust-ca " + bundles.Fingerprint(ca.Raw))}
	}
	var needs []need
	for _, e := range in.Report.Endpoints {
		if e.CA != nil && e.CA.Equal(ca) {
			needs = append(needs, needFor(e, e.ByCA))
		}
	}
	behind := false // a Java's store was not made anew when the system's was
	actions, err := planPins(in, needs, func(c detect.ClientVerdict) bool {
		behind = behind || inStore && refusing(c) && c.Client.Trust.FromSystem()
		fromStore := (c.Client.Trust.Kind == "os" || c.Client.Trust.FromSystem()) && !c.Client.Row.Resident
		return refusing(c) && (!fromStore || !inStore && !in.Elevated)
	})
	if err == nil && (in.Elevated || len(actions) > 0) {
		var java []Action
		java, err = planJava(in, fs[0].Endpoint, ca)
		actions = append(actions, java...)
	}
	if err == nil && behind {
		rebuild, err := rebuildJava(in)
		return append(actions, rebuild...), err
	}
	if err != nil || inStore || !in.Elevated && len(actions) > 0 {
		return actions, err // the store is a step for somebody with the rights
	}
	store, err := osStoreAddCA(in, ca)
	var manual *Manual
	if errors.As(err, &manual) && len(actions) > 0 {
		return actions, nil
	}
	return append(store, actions...), err
}

// caOf groups findings by the CA that they are about.
func caOf(f detect.Finding) string {
	if f.Endpoint == nil || f.Endpoint.CA == nil {
		return f.Key()
	}
	return bundles.Fingerprint(f.Endpoint.CA.Raw)
}

func refusing(c detect.ClientVerdict) bool { return !c.Now.OK }

// endpointsOf are the endpoints of the report that findings are about.
func endpointsOf(r *detect.Report, fs []detect.Finding) []*detect.Endpoint {
	var out []*detect.Endpoint
	for _, e := range r.Endpoints {
		if slices.ContainsFunc(fs, func(f detect.Finding) bool {
			return f.Endpoint != nil && f.Endpoint.Name() == e.Name() && f.ID == e.Cause
		}) {
			out = append(out, e)
		}
	}
	return out
}

// need is what one host's chain takes besides public roots.
type need struct {
	endpoint *detect.Endpoint
	certs    []*x509.Certificate // CA certificates of the verified path, never the leaf
}

// needFor takes the CA certificates of the path that a verdict accepted. A
// server certificate that signs itself is its own root.
func needFor(e *detect.Endpoint, v chain.Verdict) need {
	n := need{endpoint: e}
	if len(v.Paths) == 0 {
		return n
	}
	for i, l := range v.Paths[0].Certs {
		if l.Cert != nil && (i > 0 || l.Anchor) {
			n.certs = append(n.certs, l.Cert)
		}
	}
	return n
}

// planPins gives every client that can have one a bundle with what its hosts
// need, and points it there. pick says which of an endpoint's clients count.
func planPins(in *Input, needs []need, pick func(detect.ClientVerdict) bool) ([]Action, error) {
	var jobs []*pinJob
	var byHand error
	for _, n := range needs {
		for _, cv := range n.endpoint.Clients {
			if !cv.Client.Pinnable() || !pick(cv) {
				continue
			}
			s, err := findSite(in, cv.Client)
			var manual *Manual
			if errors.As(err, &manual) {
				byHand = cmp.Or(byHand, err)
				continue
			}
			if err != nil {
				return nil, err
			}
			i := slices.IndexFunc(jobs, func(j *pinJob) bool { return j.pin == s.pin })
			if i < 0 {
				i = len(jobs)
				jobs = append(jobs, &pinJob{site: s, name: cv.Client.Name})
			}
			jobs[i].add(cv.Client, s, n)
		}
	}
	if len(jobs) == 0 {
		return nil, byHand
	}
	slices.SortStableFunc(jobs, func(a, b *pinJob) int { return cmp.Compare(a.name, b.name) })
	var out []Action
	for _, j := range jobs {
		actions, err := j.plan(in)
		if err != nil {
			return nil, err
		}
		out = append(out, actions...)
	}
	return out, nil
}

// pinJob is one bundle to write.
type pinJob struct {
	site
	name    string // of the client
	sites   []site // every setting that has to name it: relatives may share the bundle, not the file
	clients []*client.Client
	needs   []need
}

func (j *pinJob) add(c *client.Client, s site, n need) {
	if !slices.ContainsFunc(j.sites, func(o site) bool { return o.file == s.file && slices.Equal(o.key, s.key) }) {
		j.sites = append(j.sites, s)
	}
	if !slices.Contains(j.clients, c) {
		j.clients = append(j.clients, c)
	}
	if !slices.ContainsFunc(j.needs, func(o need) bool { return o.endpoint == n.endpoint }) {
		j.needs = append(j.needs, n)
	}
}

func (j *pinJob) hosts() []string {
	var out []string
	for _, n := range j.needs {
		if h := n.endpoint.Name(); !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return out
}

// plan writes the bundle first and points the client to it then, so that no
// moment has a setting without its file.
func (j *pinJob) plan(in *Input) ([]Action, error) {
	data, err := j.bundle(in)
	if err != nil {
		return nil, err
	}
	out := []Action{{
		Kind: FileAction, Target: resolved(in, j.pin), After: platform.Image{Kind: platform.File, Mode: 0o644, Data: data},
		Summary:  text.M("write-pin", "hosts", strings.Join(j.hosts(), ", "), "client", j.name, "path", j.pin),
		Elevated: j.elevated,
	}}
	for _, s := range j.sites {
		a, changed, err := s.point(in, out)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(out, func(o Action) bool { return o.Target == a.Target }); changed && i >= 0 {
			out[i].After = a.After // one file with a key for each server
		} else if changed {
			out = append(out, a)
		}
	}
	return out, nil
}

// resolved follows links to the file itself; a name whose directory is yet to
// be made stands for itself.
func resolved(in *Input, name string) string {
	if to, err := in.Files.Resolve(name); err == nil {
		return to
	}
	return name
}

func exists(v *platform.View, name string) bool {
	img, err := v.Files.Snapshot(name)
	return err == nil && img.Kind != platform.Absent
}
