package detect

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// caPaths judges every setting that names a bundle or a directory of roots:
// is it there, can it be read, does it hold what the client needs.
func caPaths(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	for _, s := range r.Inventory.Settings {
		if s.Role != client.RoleCA || s.Value == "" && !s.TrustsNothing() {
			continue
		}
		if f, ok := caPath(v, r, s); ok {
			out = append(out, f)
		}
	}
	return out, nil
}

func caPath(v *platform.View, r *Report, s *client.Setting) (Finding, bool) {
	if s.KeyStore != nil {
		return storePath(v, r, s)
	}
	name := s.Path
	if why, ok := s.Refused(); ok {
		f := caFinding("ca-path-invalid", v, s)
		f.Summary = text.M("ca-path-invalid", "client", s.Client, "path", text.Redact(s.Value))
		f.Evidence = append(f.Evidence, why)
		return f, true
	}
	if name == "" {
		return Finding{}, false // relative, or made by a program: not known from here
	}
	b := r.Inventory.Bundles.Read(name)
	for _, part := range strings.Split(name, ":") { // SSL_CERT_DIR takes a list: one that works is enough
		if !s.Dir || !strings.Contains(name, ":") {
			break
		}
		if b = r.Inventory.Bundles.Read(part); !b.Missing() {
			break
		}
	}
	switch fatal := b.Fatal(); {
	case b.Missing():
		f := caFinding("ca-path-missing", v, s)
		f.Summary = text.M("ca-path-missing", "client", s.Client, "path", name)
		if s.Dir {
			f.Summary = text.M("ca-path-missing.dir", "client", s.Client, "path", name)
		}
		causedByStore(&f, r, name)
		return f, true
	case b.Err != nil:
		f := caFinding("ca-path-invalid", v, s)
		f.Summary = text.M("ca-path-invalid", "client", s.Client, "path", name)
		f.Evidence = append(f.Evidence, text.Raw(b.Err.Error()))
		f.doubt(b.Err)
		causedByStore(&f, r, name)
		return f, true
	case b.Dir && len(b.Prints) == 0, b.Dir && !b.Hashed && s.NeedsHashes():
		f := caFinding("ca-path-invalid", v, s)
		f.Summary = text.M("ca-path-invalid", "client", s.Client, "path", name)
		if len(b.Prints) == 0 {
			f.Evidence = append(f.Evidence, text.M("ca-path-invalid.empty-dir", "path", name))
		} else {
			f.Evidence = append(f.Evidence, text.M("ca-path-invalid.unhashed", "path", name, "n", len(b.Prints)))
			f.Advice = append(f.Advice, text.Raw("openssl rehash "+name))
		}
		causedByStore(&f, r, name)
		return f, true
	case !b.Dir && fatal != nil:
		f := caFinding("ca-path-invalid", v, s)
		f.Summary = text.M("ca-path-invalid", "client", s.Client, "path", name)
		f.Evidence = append(f.Evidence, problemText(name, fatal))
		causedByStore(&f, r, name)
		return f, true
	case !s.Adds && !b.Dir && s.Replaces() && r.Options.Refs != nil && !holdsAny(r.Options.Refs, b.Prints):
		return caPartial(v, r, s, b)
	}
	return Finding{}, false
}

// doubt leaves a finding to a person where the disk is why something could not
// be read: what stands there may be as right as ever.
func (f *Finding) doubt(err error) {
	if platform.Failing(err) {
		f.Action, f.Fix, f.Advice = Manual, "", []text.Msg{text.M("read-failed.advice")}
	}
}

func caFinding(id string, v *platform.View, s *client.Setting) Finding {
	f := settingFinding(id, s, v)
	f.Severity, f.Fix = Error, "repair-ca-path"
	if s.Adds {
		f.Severity = Warning // the default roots still stand
	}
	if len(s.Affects) > 0 {
		f.Evidence = append(f.Evidence, text.M("ca-path.hits", "clients", strings.Join(s.Affects, ", ")))
	}
	return f
}

// causedByStore folds a finding under the store's: a setting that names the
// system's own bundle is right, it is the bundle that has to come back.
func causedByStore(f *Finding, r *Report, name string) {
	for _, st := range r.Stores {
		if st.Path != name && r.Inventory.Bundles.Read(st.Path).Real != r.Inventory.Bundles.Read(name).Real && !inLayout(st, name) {
			continue
		}
		switch st.Status {
		case StoreMissing, StoreEmpty, StoreCorrupt, StoreUnreadable, StoreUnindexed:
			f.CausedBy, f.Action, f.Fix, f.Advice = "store-"+string(st.Status), None, "", nil
			return
		}
	}
}

// problemText says what is wrong with a bundle, and at which line.
func problemText(name string, p *bundles.Problem) text.Msg {
	if p.Kind == bundles.ProblemNone {
		return text.M("ca-path-invalid.no-certificates", "path", name)
	}
	return text.M("ca-path-invalid.problem", "path", name, "line", p.Line, "kind", string(p.Kind), "libraries", strings.Join(p.Breaks(), ", "))
}

func holdsAny(refs *bundles.Roots, prints []string) bool {
	return slices.ContainsFunc(prints, refs.Has)
}

// caPartial: the bundle holds no public root, replaces all of them, and a
// client that reads it talks to public hosts.
func caPartial(v *platform.View, r *Report, s *client.Setting, b *client.Bundle) (Finding, bool) {
	hosts := publicHosts(r, s)
	if len(hosts) == 0 {
		hosts = defaultHosts(r, s)
	}
	if len(hosts) == 0 {
		return Finding{}, false
	}
	f := caFinding("ca-path-partial", v, s)
	f.Summary = text.M("ca-path-partial", "client", s.Client, "path", b.Path)
	f.Evidence = append(f.Evidence, text.M("ca-path-partial.hosts", "n", len(b.Prints), "hosts", strings.Join(hosts, ", ")))
	return f, true
}

// addsPublic reports whether a client reads public roots besides the bundle
// that a setting names, as OpenSSL does in its default directory.
func addsPublic(r *Report, c *client.Client) bool {
	return slices.ContainsFunc(c.Trust.Adds, func(p string) bool { return holdsAny(r.Options.Refs, r.Inventory.Bundles.Read(p).Prints) })
}

// publicHosts are the public servers of the clients for which s is the
// effective source: those that the reference roots verified, and those that
// programs ship as their default.
func publicHosts(r *Report, s *client.Setting) []string {
	var out []string
	add := func(host string) {
		if !slices.Contains(out, host) && len(out) < 5 {
			out = append(out, host)
		}
	}
	for _, c := range r.Clients {
		if c.Trust.SetBy != s.Where() || addsPublic(r, c) {
			continue
		}
		for _, e := range c.Endpoints {
			if slices.Contains(client.PublicHosts(), e.URL.Hostname()) {
				add(e.URL.Hostname())
			}
		}
	}
	for _, e := range r.Endpoints {
		for _, cv := range e.Clients {
			if e.Parsed != nil && e.Reference.OK && cv.Client.Trust.SetBy == s.Where() && !cv.True.OK {
				add(e.Parsed.Hostname())
			}
		}
	}
	return out
}

// defaultHosts are the public servers of the programs that s speaks to where
// none of them stands here: in an image, or a home that machines share, the
// setting is there before the program. A library for any server counts always.
func defaultHosts(r *Report, s *client.Setting) []string {
	readers := s.Affects
	if len(readers) == 0 {
		readers = []string{s.Client}
	}
	for _, c := range r.Clients {
		if c.Heeds(s) && slices.Contains(c.Trust.Adds, s.Path) {
			return nil // read besides the roots of its own
		}
		if c.Trust.SetBy != s.Where() {
			continue
		}
		if c.Name == "requests" || c.Name == "httpx" || c.Name == "java" {
			readers = []string{"pip"} // stands for all that is public
			break
		}
		onCentral := c.Row != nil && c.Row.Name != "java" && c.Trust.KeyStore != nil // where no mirror is named
		if c.Path != "" && !onCentral || len(c.Endpoints) > 0 {
			readers = nil
		}
	}
	var out []string
	for _, name := range readers {
		row := client.ByName(name)
		if row == nil {
			continue
		}
		for _, raw := range row.Servers {
			if u, err := url.Parse(raw); err == nil && !slices.Contains(out, u.Hostname()) && len(out) < 5 {
				out = append(out, u.Hostname())
			}
		}
	}
	return out
}

// caConflict: two settings of one instance name different roots, and the one
// that a person would look at is not the one that counts.
func caConflict(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	seen := map[string]bool{}
	for _, c := range r.Clients {
		win := slices.IndexFunc(c.Settings, func(s *client.Setting) bool {
			return s.Role == client.RoleCA && s.Value != "" && s.Where() == c.Trust.SetBy
		})
		if win < 0 {
			continue
		}
		w := c.Settings[win]
		for _, s := range c.Settings {
			if s.Role != client.RoleCA || s.Value == "" || s.Path == "" || s.Adds || w.Path == "" || sameTrust(r, s, w) || !s.Rivals(w) || slices.Contains(c.Trust.Adds, s.Path) {
				continue
			}
			if key := s.Where() + "\x00" + w.Where(); !seen[key] {
				seen[key] = true
				f := settingFinding("ca-conflict", s, v)
				f.Client, f.Severity, f.Action = c.Name, Warning, Manual
				f.Summary = text.M("ca-conflict", "client", c.Name, "loser", s.Name, "winner", w.Name)
				f.Evidence = append(f.Evidence, text.M("setting.says", "where", w.Where(), "line", Written(w)))
				f.Advice = []text.Msg{text.M("ca-conflict.advice", "winner", w.Where(), "loser", s.Where())}
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func sameTrust(r *Report, a, b *client.Setting) bool {
	x, y := r.Inventory.Bundles.Read(a.Path), r.Inventory.Bundles.Read(b.Path)
	return x.Real == y.Real || x.Err == nil && y.Err == nil && slices.Equal(x.Prints, y.Prints)
}

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
