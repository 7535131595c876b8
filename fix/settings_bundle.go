package fix

import (
	"bytes"
	"crypto/x509"
	"path"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/internal/text"
	"trustfix/platform"
)

// bundleHead is the first line of a bundle that completes a partial one.
const bundleHead = "# Public roots and those of "

// completeBundle points settings that name a bundle of private CAs alone at a
// file that holds these and the public roots. The client trusts nobody new:
// the private CAs it trusted already, the public roots are its default. Where
// the system's store holds both, the setting names that.
func completeBundle(in *Input, fs []detect.Finding) ([]Action, error) {
	s := fs[0].Setting
	if s == nil || s.File == "" || s.Format == "" {
		return nil, byHand(fs[0])
	}
	if s.KeyStore != nil {
		return completeStore(in, fs)
	}
	private, err := in.Files.ReadFile(s.Path)
	if err != nil {
		return nil, err
	}
	content := bundles.Read(private)
	name, out := systemHolds(in, content), []Action(nil)
	if name == "" {
		name = completeName(in, s)
		a, err := completeFile(in, name, s.Path, content)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	point, err := pointSettings(in, fs, name)
	if err != nil {
		return nil, err
	}
	return append(out, point), nil // the file first: the setting never names nothing
}

// systemHolds is the path of the system's bundle if it is sound and holds all
// these certificates, else "".
func systemHolds(in *Input, content bundles.Content) string {
	for _, st := range in.Report.Stores {
		if st.Status != detect.StoreOK && st.Status != detect.StoreStale || st.Path == "" {
			continue
		}
		held := func(c bundles.Cert) bool {
			return slices.ContainsFunc(st.Certs, func(o *x509.Certificate) bool { return o.Equal(c.Certificate) })
		}
		if len(content.Opaque) == 0 && !slices.ContainsFunc(content.Certs, func(c bundles.Cert) bool { return !held(c) }) {
			return st.Path
		}
	}
	return ""
}

// completeName is where the complete bundle goes: beside the partial one, or
// where the caller has no right to write there, below the user's configuration.
func completeName(in *Input, s *client.Setting) string {
	base := path.Base(s.Path)
	base = strings.TrimSuffix(base, path.Ext(base)) + "-and-public" + bundleExt
	name := path.Join(path.Dir(s.Path), base)
	if !in.Elevated && writable(in.Files, name) != nil {
		name = path.Join(in.User.Home, ".config/trustfix", base)
	}
	return name
}

// completeFile is the bundle: the private CAs, then the public roots of the
// system's store, or the reference roots where that is not sound.
func completeFile(in *Input, name, from string, content bundles.Content) (Action, error) {
	before, err := in.Files.Snapshot(name)
	if err != nil {
		return Action{}, err
	}
	if before.Kind != platform.Absent && !bytes.HasPrefix(before.Data, []byte(bundleHead)) {
		return Action{}, &Manual{
			Why: text.M("repair-ca-path.taken", "file", name),
			Do:  text.M("repair-ca-path.taken-do", "file", name, "from", from),
		}
	}
	certs := plain(content)
	for _, st := range in.Report.Stores {
		if st.Status == detect.StoreOK {
			certs = append(certs, st.Certs...)
			break
		}
	}
	if refs := in.Report.Options.Refs; refs != nil && len(certs) == len(content.Certs) {
		for _, r := range refs.All() {
			certs = append(certs, r.Cert)
		}
	}
	data := append([]byte(bundleHead+from+"; made by trustfix.\n"), bundles.Assemble(nil, certs...)...)
	return Action{
		Kind: FileAction, Target: name, Before: before,
		After:   platform.Image{Kind: platform.File, Mode: 0o644, Data: data},
		Summary: text.M("repair-ca-path.bundle", "file", name, "from", from),
	}, nil
}

// pointSettings makes every line of one file that says the same name another
// bundle.
func pointSettings(in *Input, fs []detect.Finding, name string) (Action, error) {
	first := fs[0].Setting
	target, before, err := fileOf(in, first)
	if err != nil {
		return Action{}, err
	}
	data := before.Data
	for _, f := range fs {
		e, ok, err := locate(f.Setting, data)
		if err == nil && ok {
			data, err = edit.Set(f.Setting.Format, data, e, naming(f.Setting, e, name))
		}
		if err != nil {
			return Action{}, cannotEdit(f, err)
		}
	}
	after := before
	after.Data = data
	return Action{
		Kind: FileAction, Target: target, Before: before, After: after,
		Summary: text.M("repair-ca-path.point", "name", first.Name, "where", first.Where(), "file", name),
	}, nil
}
