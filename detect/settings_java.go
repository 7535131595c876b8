package detect

import (
	"errors"
	"io/fs"

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
		f := caFinding("ca-path-missing", v, s)
		f.Summary = text.M("ca-path-missing", "client", s.Client, "path", name)
		f.Evidence = append(f.Evidence, text.M("java-store.missing"))
		return f, true
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

func orNone(name string) string {
	if name == "" {
		return "NONE"
	}
	return name
}
