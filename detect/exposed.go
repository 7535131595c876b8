package detect

import (
	"slices"
	"strconv"

	"trustfix/bundles"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// keysInBundles finds private keys among trusted certificates: bundles are
// there to be read by everybody, and whoever put a key into one did not mean
// it. Its mode cannot be the repair, so a person has to take the key out.
func keysInBundles(v *platform.View, r *Report) []Finding {
	var out []Finding
	add := func(file string, c bundles.Content, more ...text.Msg) {
		p := c.Find(bundles.ProblemPrivateKey)
		real, err := v.Files.Resolve(file)
		if p == nil || err != nil || slices.ContainsFunc(out, func(f Finding) bool { return f.Subject == real }) {
			return
		}
		img, err := v.Files.Stat(real)
		if err != nil || !exposed(img, v.User) || v.OS == "windows" {
			return
		}
		out = append(out, Finding{
			ID: "client-key-exposed", Severity: Error, Subject: real, Where: real + ":" + strconv.Itoa(p.Line),
			Summary: text.M("client-key-exposed.bundle", "file", real),
			Evidence: append([]text.Msg{
				text.M("bundle.private-key", "line", p.Line), text.M("client-key-exposed.mode", "file", real, "mode", octal(img.Mode)),
			}, more...),
			Action: Manual,
			Advice: []text.Msg{text.M("client-key-exposed.bundle-advice", "file", real), text.M("client-key-exposed.advice")},
		})
	}
	for _, s := range r.Stores {
		if s.Content.Find(bundles.ProblemPrivateKey) == nil {
			continue
		}
		found := len(out)
		if l := s.Layout; l.Anchors != "" {
			certFiles(v, []string{l.Anchors}, l.AnchorExt, l.AnchorFlat, func(file string, c bundles.Content) {
				add(file, c, text.M("client-key-exposed.copied", "file", s.Path))
			})
		}
		if len(out) == found { // else a rebuild takes it out of the bundle as well
			add(s.Path, s.Content)
		}
	}
	for _, s := range r.Inventory.Settings {
		if s.Role != client.RoleCA || s.Path == "" {
			continue
		}
		b := r.Inventory.Bundles.Read(s.Path)
		if b.Dir || slices.ContainsFunc(r.Stores, func(st *Store) bool { return st.Path == b.Path || st.Path == b.Real }) {
			continue
		}
		add(s.Path, bundles.Content{Problems: b.Problems}, text.M("setting.says", "where", s.Where(), "line", Written(s)))
	}
	return out
}
