package detect

import (
	"bytes"
	"crypto/x509"
	"path"
	"slices"
	"strconv"
	"strings"

	"trustfix/bundles"
	"trustfix/internal/text"
	"trustfix/platform"
)

// broken is a finding about the store as a whole, with the fix that this
// system's state allows: what is there decides, not what is missing.
func (s *Store) broken(v *platform.View, id string, summary text.Msg) Finding {
	f := Finding{ID: id, Severity: Error, Subject: s.Name, Where: s.Path, Store: s, Summary: summary, Action: Auto}
	switch {
	case s.Layout.Managed != "":
		f.Action = Manual
		f.Advice = []text.Msg{text.M("store.managed", "system", s.Layout.Managed)}
		for _, line := range s.Layout.Recipe {
			f.Advice = append(f.Advice, text.Raw(line))
		}
		return f
	case s.state.damage && !s.state.byTool:
		f.Fix, f.CausedBy = "reselect-roots", "store-deselected"
	case len(s.Layout.Rebuild) > 0 && s.rebuildable(v):
		f.Fix = "rebuild-store"
	default:
		f.Fix = s.installFix(v)
	}
	f.Advice = containerAdvice(v, s.Layout)
	return f
}

// installFix says whether the package has to be installed or installed again;
// "" where no package owns the store.
func (s *Store) installFix(v *platform.View) string {
	if len(s.Layout.Rebuild) > 0 {
		return "reinstall-store"
	}
	for _, p := range s.Layout.Packages {
		if installed, _ := v.PackageInstalled(p); installed {
			return "reinstall-store"
		}
	}
	return "install-store"
}

// containerAdvice says that a repair goes with the container, and the line of
// the image's recipe that keeps it.
func containerAdvice(v *platform.View, l *platform.StoreLayout) []text.Msg {
	switch v.Container {
	case "docker", "podman", "kubernetes":
	default:
		return nil
	}
	pm := v.PackageManager()
	if pm == nil || len(l.Packages) == 0 {
		return []text.Msg{text.M("store.container")}
	}
	line := "RUN "
	if pm.Refresh != nil {
		line += strings.Join(pm.Refresh, " ") + " && "
	}
	line += strings.Join(append(slices.Clone(pm.Install), l.Packages...), " ")
	return []text.Msg{text.M("store.container-line"), text.Raw(line)}
}

// rebuildable says whether the distribution's tool would find certificates: a
// rebuild without them makes an empty store, and some tools call that success.
func (s *Store) rebuildable(v *platform.View) bool {
	l := s.Layout
	if l.Conf == "" {
		return slices.ContainsFunc(l.Sources, func(d string) bool { return holdsCertificates(v, d, 0) })
	}
	if l.Hashes && v.Tool("openssl") == "" && l.Family != platform.Alpine {
		return false // the script fails half way and leaves no bundle
	}
	data, err := v.Files.ReadFile(l.Conf)
	if err != nil {
		return false
	}
	there, gone := 0, 0
	for _, c := range ParseConf(data) {
		if c.Off {
			continue
		}
		if img, err := v.Files.Stat(l.SelectPath(c.Name)); err == nil && img.Kind == platform.File && img.Size > 0 {
			there++
		} else {
			gone++
		}
	}
	return there > 0 && gone <= there
}

func holdsCertificates(v *platform.View, dir string, depth int) bool {
	names, _ := v.Files.ReadDir(dir)
	for _, n := range names {
		p := path.Join(dir, n)
		if data, err := v.Files.ReadFile(p); err == nil {
			if bytes.Contains(data, []byte("-----BEGIN ")) {
				return true
			}
		} else if depth < 3 && n != "blacklist" && n != "blocklist" && holdsCertificates(v, p, depth+1) {
			return true
		}
	}
	return false
}

// rebuildGives says whether the tool would bring all of certs: they stand in
// its sources and are selected there.
func (s *Store) rebuildGives(v *platform.View, certs []*x509.Certificate) bool {
	if len(s.Layout.Rebuild) == 0 {
		return false
	}
	src := StoreSources(v, s.Layout)
	selected := map[string]bool{}
	if s.Layout.Conf != "" {
		data, err := v.Files.ReadFile(s.Layout.Conf)
		if err != nil {
			return false
		}
		for _, c := range ParseConf(data) {
			if !c.Off {
				selected[s.Layout.SelectPath(c.Name)] = true
			}
		}
	}
	return !slices.ContainsFunc(certs, func(c *x509.Certificate) bool {
		fp := bundles.Fingerprint(c.Raw)
		file, vendor := src.Vendor[fp]
		_, own := src.Own[fp]
		return !own && (!vendor || s.Layout.Conf != "" && !selected[file])
	})
}

// dropped says which certificates a repair would lose: they stand in the bundle
// and in no source. Nothing where the sources themselves are gone.
func (s *Store) dropped(v *platform.View, f *Finding) {
	if f.Fix == "" || len(s.Certs) == 0 {
		return
	}
	src := StoreSources(v, s.Layout)
	if len(src.Vendor) == 0 {
		return
	}
	var lost []*x509.Certificate
	for _, c := range s.Certs {
		fp := bundles.Fingerprint(c.Raw)
		if _, bad := bundles.Compromised(c); !bad && src.Vendor[fp] == "" && src.Own[fp] == "" {
			lost = append(lost, c)
		}
	}
	if len(lost) > 0 {
		f.Evidence = append(f.Evidence, text.M("store.only-here", "names", rootNames(lost)))
	}
}

// compromised is the finding of one root that nothing should trust.
func (s *Store) compromised(v *platform.View, d bundles.Distrust, name, fp string) Finding {
	f := s.broken(v, "store-compromised-root", text.M("store-compromised-root.key", "name", d.Name))
	f.Subject, f.CausedBy = name, ""
	f.Evidence = []text.Msg{text.M("store.root", "name", name, "sha256", bundles.FormatFingerprint(fp))}
	if f.Fix != "" {
		f.Fix = "distrust-root"
	}
	if d.Reason == bundles.KeyPublic {
		f.Evidence = append(f.Evidence, text.M("store-compromised-root.key-evidence", "year", strconv.Itoa(d.Year)))
		return f
	}
	f.Severity = Warning
	f.Summary = text.M("store-compromised-root.removed", "name", d.Name, "year", strconv.Itoa(d.Year))
	return f
}

// shipped is one note for all distrusted roots that the distribution's own
// package brings: an old package, not an intruder, and nothing for us to edit.
func (s *Store) shipped(names []string) Finding {
	slices.Sort(names)
	summary := text.M("store-compromised-root.shipped", "n", len(names))
	if len(names) == 1 {
		summary = text.M("store-compromised-root.shipped-one")
	}
	return Finding{
		ID: "store-compromised-root", Severity: Info, Subject: s.Name, Where: s.Path, Store: s, Action: None,
		Summary:  summary,
		Evidence: []text.Msg{text.Raw(strings.Join(names, ", "))},
		Advice:   []text.Msg{text.M("store-compromised-root.shipped-advice", "package", s.Layout.Packages[len(s.Layout.Packages)-1])},
	}
}

// weak is one note for all roots of a store whose keys are too short for what
// they certify. An administrator's old CA may be among them, and what it signed
// would stop to work without it: that is for people to decide.
func (s *Store) weak() []Finding {
	f := Finding{
		ID: "store-compromised-root", Severity: Info, Subject: s.Name, Where: s.Path, Store: s, Action: Manual,
		Advice: []text.Msg{text.M("store-compromised-root.weak-advice")},
	}
	for _, c := range s.Content.Certs {
		why, bits := bundles.Weak(c.Certificate)
		if _, known := bundles.Compromised(c.Certificate); why == "" || known {
			continue
		}
		if bits > 0 && bits < 1024 { // calculated in days
			f.Severity = Warning
		}
		f.Evidence = append(f.Evidence, text.M("store-compromised-root.weak-root", "why", why, "root", rootName(c.Certificate)))
	}
	if len(f.Evidence) == 0 {
		return nil
	}
	f.Summary = text.M("store-compromised-root.weak", "n", len(f.Evidence))
	return []Finding{f}
}

// mostDeselected is one finding for a configuration that refuses most of what
// it lists: damage, unless a tool says that it was told to.
func (s *Store) mostDeselected(v *platform.View) Finding {
	f := s.broken(v, "store-deselected", text.M("store-deselected.most", "n", len(s.Deselected), "path", s.Layout.Conf))
	f.Severity, f.Where, f.Subject, f.CausedBy = Warning, s.Deselected[0].Where, s.Name, ""
	f.Evidence = []text.Msg{text.M("store-deselected.reinstall")}
	if s.state.byTool {
		f.Action, f.Fix = Manual, ""
		f.Evidence = []text.Msg{text.M("store-deselected.cloud-init", "path", s.Layout.Conf)}
		f.Advice = []text.Msg{text.M("store-deselected.cloud-init-advice")}
	}
	return f
}

// deselected is the finding of one root that an administrator keeps out; only
// the user's own word for its SHA-256 puts it back.
func (s *Store) deselected(v *platform.View, consented []string, d Deselected) Finding {
	name := bundles.Name(d.Cert)
	f := s.broken(v, "store-deselected", text.M("store-deselected", "name", name))
	f.Severity, f.Where, f.Subject = Warning, d.Where, name
	f.Evidence = []text.Msg{rootName(d.Cert)}
	if f.Action == Manual {
		return f
	}
	f.Action, f.Fix, f.Store = Consent, "reselect-roots", nil
	if slices.Contains(consented, d.Print) {
		f.Action, f.Store = Auto, s
		return f
	}
	f.Advice = []text.Msg{text.M("store-deselected.consent"), text.Raw("trustfix --apply --trust-ca " + bundles.FormatFingerprint(d.Print))}
	return f
}

// corruptAnchors finds the administrator's files that the damage comes from:
// every rebuild would bring it back, and what such a file was to say is not
// for us to guess. rest are the problems that the bundle has besides.
func (s *Store) corruptAnchors(v *platform.View) (found []Finding, rest []bundles.Problem) {
	for _, p := range s.Content.Problems {
		if damages(p) {
			rest = append(rest, p)
		}
	}
	l := s.Layout
	if l.Conf == "" || l.Anchors == "" {
		return nil, rest
	}
	certFiles(v, []string{l.Anchors}, l.AnchorExt, l.AnchorFlat, func(file string, c bundles.Content) {
		var bad []bundles.Problem
		for _, p := range c.Problems {
			if damages(p) && p.Kind != bundles.ProblemNone {
				bad = append(bad, p)
			}
		}
		if len(bad) == 0 {
			return
		}
		f := Finding{
			ID: "store-corrupt", Severity: severityOf(bad), Subject: s.Name, Where: file, Store: s, Action: Manual,
			Summary: text.M("store-corrupt.anchor", "path", file, "bundle", s.Path),
			Advice:  []text.Msg{text.M("store-corrupt.anchor-advice", "path", file), text.Raw("update-ca-certificates")},
		}
		for _, p := range bad {
			f.Evidence = append(f.Evidence, ProblemText(p))
			if p.Kind == bundles.ProblemDER {
				f.Advice = []text.Msg{
					text.M("store-corrupt.anchor-der"),
					text.Raw("openssl x509 -inform DER -in " + file + " -out " + strings.TrimSuffix(file, path.Ext(file)) + "-pem.crt && rm " + file + " && update-ca-certificates"),
				}
			}
			// The same kind in the bundle, once, is this file's doing.
			if i := slices.IndexFunc(rest, func(r bundles.Problem) bool { return r.Kind == p.Kind }); i >= 0 {
				rest = slices.Delete(rest, i, i+1)
			}
		}
		found = append(found, f)
	})
	return found, rest
}
