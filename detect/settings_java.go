package detect

import (
	"errors"
	"io/fs"
	"slices"

	"trustfix/bundles"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// storePath judges a setting that names a Java key store: is it there, does
// Java load it with what it is told, does it show anchors.
func storePath(v *platform.View, r *Report, s *client.Setting) (Finding, bool) {
	if !s.KeyStore.InFile() {
		return Finding{}, false // a token, or the system's own
	}
	name := s.Path
	if name == "" && s.Value != "NONE" {
		return Finding{}, false // relative, or made by a program: not known from here
	}
	invalid := func(why text.Msg) (Finding, bool) {
		f := caFinding("ca-path-invalid", v, s)
		f.Summary = text.M("ca-path-invalid", "client", s.Client, "path", orNone(name))
		f.Evidence = append(f.Evidence, why)
		return f, true
	}
	if name == "" {
		return invalid(text.M("java-store.empty", "path", s.Value))
	}
	b := r.Inventory.Bundles.ReadStore(name, s.KeyStore)
	switch {
	case b.Missing():
		return storeGone(v, r, s), true
	case errors.Is(b.Err, bundles.ErrStoreUnread):
		return Finding{}, false
	case errors.Is(b.Err, fs.ErrPermission) && !v.Elevated:
		return Finding{}, false // whose Java may read it, nobody can say from here
	case errors.Is(b.Err, bundles.ErrStorePassword):
		return invalid(text.M("java-store.password", "path", name))
	case errors.Is(b.Err, bundles.ErrStoreBroken):
		return invalid(text.M("java-store.broken", "path", name, "error", b.Err.Error()))
	case b.Err != nil:
		f, ok := invalid(text.Raw(b.Err.Error()))
		f.doubt(b.Err)
		return f, ok
	case len(b.Prints) == 0 && b.Hidden > 0 && s.KeyStore.Password == "":
		return invalid(text.M("java-store.hidden", "path", name))
	case len(b.Prints) == 0 && b.Hidden > 0:
		return invalid(text.M("java-store.unmarked", "path", name, "n", b.Hidden))
	case len(b.Prints) == 0:
		return invalid(text.M("java-store.empty", "path", name))
	case r.Options.Refs != nil && !holdsAny(r.Options.Refs, b.Prints):
		return caPartial(v, r, s, b)
	}
	return Finding{}, false
}

// storeGone: Java goes on with its own roots, unless it cannot open them
// with the password that was meant for the other store. Gradle gives up.
func storeGone(v *platform.View, r *Report, s *client.Setting) Finding {
	f := caFinding("ca-path-missing", v, s)
	f.Summary = text.M("ca-path-missing", "client", s.Client, "path", s.Path)
	gradle, locked := s.Client == "gradle", ""
	for _, c := range r.Clients {
		gradle = gradle || c.Name == "gradle" && c.Path != "" && slices.Contains(s.Affects, c.Name)
		if t := c.Trust; t.SetBy == s.Where() && t.KeyStore != nil && errors.Is(r.Inventory.Bundles.ReadStore(t.Path, t.KeyStore).Err, bundles.ErrStorePassword) {
			locked = t.Path
		}
	}
	switch {
	case gradle:
		f.Evidence = append(f.Evidence, text.M("java-store.missing-gradle"))
	case locked != "":
		f.Evidence = append(f.Evidence, text.M("java-store.missing-password", "path", locked))
	default:
		f.Severity = Warning // the default roots still stand
		f.Evidence = append(f.Evidence, text.M("java-store.missing"))
	}
	return f
}

func orNone(name string) string {
	if name == "" {
		return "NONE"
	}
	return name
}
