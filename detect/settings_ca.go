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
