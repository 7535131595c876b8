package detect

import (
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"sync"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/internal/text"
	"trustfix/platform"
)

// storeChecks are about the operating system's trust store, what keeps
// programs from reading it first.
var storeChecks = []*Check{
	storeMissing, storeUnreadable, storeEmpty, storeCorrupt, storeCompromised, storeDeselected, storeStale, storeUnindexed,
}

var storeMissing = &Check{
	ID: "store-missing", Area: "store", Doc: text.M("store-missing.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		return r.storeIn(StoreMissing, func(s *Store) []Finding {
			f := s.broken(v, "store-missing", text.M("store-missing", "path", s.Path))
			if s.state.link != "" {
				f.Evidence = append(f.Evidence, text.M("store-missing.link", "path", s.Path, "target", s.state.link))
			}
			if len(s.Layout.Rebuild) == 0 && len(s.Layout.Packages) > 0 && s.Layout.Managed == "" {
				f.Evidence = append(f.Evidence, text.M("store-missing.package", "package", s.Layout.Packages[0]))
			}
			f.Evidence = append(f.Evidence, text.M("store-missing.who"))
			return []Finding{f}
		}), nil
	},
}

var storeUnreadable = &Check{
	ID: "store-unreadable", Area: "store", Doc: text.M("store-unreadable.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		return r.storeIn(StoreUnreadable, func(s *Store) []Finding {
			f := s.broken(v, "store-unreadable", text.M("store-unreadable", "path", s.Path))
			f.Evidence = append(f.Evidence, s.state.unusable...)
			if s.state.kind == platform.Other {
				f.Action, f.Fix = Manual, ""
				f.Advice = append([]text.Msg{text.M("store-unreadable.advice-kind", "path", s.Path)}, f.Advice...)
			}
			f.doubt(s.state.err)
			return []Finding{f}
		}), nil
	},
}

var storeEmpty = &Check{
	ID: "store-empty", Area: "store", Doc: text.M("store-empty.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		return r.storeIn(StoreEmpty, func(s *Store) []Finding {
			f := s.broken(v, "store-empty", text.M("store-empty", "path", s.Path))
			f.Evidence = append(f.Evidence, text.M("store-empty.who", "path", s.Path))
			return []Finding{f}
		}), nil
	},
}

var storeCorrupt = &Check{
	ID: "store-corrupt", Area: "store", Doc: text.M("store-corrupt.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		return r.storeIn(StoreCorrupt, func(s *Store) []Finding {
			found, rest := s.corruptAnchors(v)
			if len(rest) == 0 && len(found) > 0 {
				return found
			}
			f := s.broken(v, "store-corrupt", text.M("store-corrupt", "path", s.Path))
			f.Severity = severityOf(rest)
			for _, p := range rest[:min(3, len(rest))] {
				f.Evidence = append(f.Evidence, ProblemText(p))
			}
			if len(s.Content.Problems) == 0 {
				f.Evidence = append(f.Evidence, text.M("store-corrupt.large", "path", s.Path))
			} else if s.Roots > 0 {
				f.Evidence = append(f.Evidence, text.M("store-corrupt.left", "n", s.Roots))
			}
			s.dropped(v, &f)
			return append(found, f)
		}), nil
	},
}

var storeCompromised = &Check{
	ID: "store-compromised-root", Area: "store", Doc: text.M("store-compromised-root.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		var out []Finding
		for _, s := range r.Stores {
			var old []string
			src := sync.OnceValue(func() Sources { return StoreSources(v, s.Layout) })
			look := func(d bundles.Distrust, name, fp string) {
				// What the package ships is its maintainers' word, but for keys that everybody has.
				if d.Reason != bundles.KeyPublic && len(s.Layout.Packages) > 0 && src().Vendor[fp] != "" && src().Own[fp] == "" {
					old = append(old, d.Name)
				} else {
					out = append(out, s.compromised(v, d, name, fp))
				}
			}
			for _, c := range s.Content.Certs {
				if d, bad := bundles.Compromised(c.Certificate); bad {
					look(d, bundles.Name(c.Certificate), bundles.Fingerprint(c.DER))
				}
			}
			for _, der := range s.Content.Opaque {
				if d, bad := bundles.CompromisedPrint(bundles.Fingerprint(der)); bad {
					look(d, d.Name, bundles.Fingerprint(der))
				}
			}
			if len(old) > 0 {
				out = append(out, s.shipped(old))
			}
			out = append(out, s.weak()...)
		}
		return out, nil
	},
}

var storeDeselected = &Check{
	ID: "store-deselected", Area: "store", Doc: text.M("store-deselected.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		var out []Finding
		for _, s := range r.Stores {
			if s.state.damage {
				out = append(out, s.mostDeselected(v))
				continue
			}
			for _, d := range s.Deselected {
				out = append(out, s.deselected(v, r.Options.Consented, d))
			}
		}
		return out, nil
	},
}

var storeStale = &Check{
	ID: "store-stale", Area: "store", Doc: text.M("store-stale.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		var out []Finding
		for _, s := range r.Stores {
			if !s.usable() || len(s.Missing) == 0 || s.state.damage {
				continue
			}
			hosts := s.needed(r)
			f := s.broken(v, "store-stale", text.M("store-stale", "n", len(s.Missing)))
			switch {
			case len(s.Needed) > 0:
				f.Summary = text.M("store-stale.needed", "host", hosts[0])
				for _, c := range s.Needed {
					f.Evidence = append(f.Evidence, rootName(c))
				}
				f.Evidence = append(f.Evidence, text.M("store-stale.hosts", "hosts", strings.Join(hosts, ", ")))
			case len(s.Missing) > staleWarning:
				f.Severity = Warning
			default:
				f.Severity, f.Action, f.Fix, f.Advice = Info, None, "", nil
			}
			if f.Severity != Error {
				e := text.M("store-stale.first", "names", rootNames(s.Missing))
				if len(r.Endpoints) == 0 {
					e = text.M("store-stale.untried", "names", rootNames(s.Missing))
				}
				f.Evidence = append(f.Evidence, e)
			}
			if s.Status == StoreOK && f.Severity != Info {
				s.Status = StoreStale
			}
			if f.Fix != "" && !s.rebuildGives(v, s.wanted()) {
				f.Fix = s.installFix(v)
			}
			s.dropped(v, &f)
			out = append(out, f)
		}
		return out, nil
	},
}

var storeUnindexed = &Check{
	ID: "store-unindexed", Area: "store", Doc: text.M("store-unindexed.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		var out []Finding
		for _, s := range r.Stores {
			ix := s.state.index
			if len(ix.missing) > 0 {
				f := s.broken(v, "store-unindexed", text.M("store-unindexed", "path", s.Layout.HashDir))
				f.Severity, f.Where = Warning, s.Layout.HashDir
				f.Evidence = []text.Msg{text.M("store-unindexed.count", "n", len(ix.missing), "of", len(s.Certs), "names", rootNames(ix.missing))}
				if ix.dead > 0 {
					f.Evidence = append(f.Evidence, text.M("store-unindexed.dead", "n", ix.dead))
				}
				f.Evidence = append(f.Evidence, text.M("store-unindexed.who"))
				s.dropped(v, &f)
				out = append(out, f)
			}
			for file, names := range ix.many {
				out = append(out, Finding{
					ID: "store-unindexed", Severity: Warning, Where: file, Store: s, Action: Manual,
					Summary:  text.M("store-unindexed.many", "path", file),
					Evidence: []text.Msg{text.M("store-unindexed.many-names", "names", strings.Join(names, ", "))},
					Advice:   []text.Msg{text.M("store-unindexed.many-advice", "path", file)},
				})
			}
		}
		slices.SortFunc(out, func(a, b Finding) int { return cmp.Compare(a.Where, b.Where) })
		return out, nil
	},
}

// storeIn asks f about the stores in a state.
func (r *Report) storeIn(status StoreStatus, f func(*Store) []Finding) []Finding {
	var out []Finding
	for _, s := range r.Stores {
		if s.Status == status {
			out = append(out, f(s)...)
		}
	}
	return out
}

// needed fills in which missing roots the diagnosed endpoints end at, and
// names the hosts that programs with the system's roots cannot verify for it.
func (s *Store) needed(r *Report) (hosts []string) {
	s.Needed = nil
	for _, e := range r.Endpoints {
		root := e.Reference.Root
		if !e.Reference.OK || root == nil || !slices.ContainsFunc(e.Clients, func(c ClientVerdict) bool {
			return c.Fault == chain.FaultClient && c.Client.Trust.Kind == "os"
		}) {
			continue
		}
		fp := bundles.Fingerprint(root.Raw)
		i := slices.IndexFunc(s.Missing, func(c *x509.Certificate) bool { return bundles.Fingerprint(c.Raw) == fp })
		if i < 0 {
			continue
		}
		if !slices.Contains(s.Needed, s.Missing[i]) {
			s.Needed = append(s.Needed, s.Missing[i])
		}
		if h := e.host(); !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// wanted are the missing roots that a repair has to bring: the needed ones,
// else all.
func (s *Store) wanted() []*x509.Certificate {
	if len(s.Needed) > 0 {
		return s.Needed
	}
	return s.Missing
}
