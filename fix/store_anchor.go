package fix

import (
	"crypto/sha1" // #nosec G505 -- how certutil names a certificate, next to its SHA-256
	"crypto/x509"
	"encoding/hex"
	"path"
	"strings"
	"unicode"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// osStoreAddCA adds a CA that the user named by its SHA-256 to the operating
// system's store: a file among the administrator's own and a rebuild; into the
// bundle itself where there is no tool. Callers have checked the consent. An
// error of type *Manual where only a person can do it.
func osStoreAddCA(in *Input, cert *x509.Certificate) ([]Action, error) {
	if d, bad := bundles.Compromised(cert); bad {
		return nil, &Manual{Why: text.M("store-compromised-root.key", "name", d.Name), Do: text.M("store.never-trust")}
	}
	if why, _ := bundles.Weak(cert); why != "" {
		return nil, &Manual{Why: text.M("store-compromised-root.weak-refused", "name", bundles.Name(cert), "why", why), Do: text.M("store-compromised-root.weak-advice")}
	}
	switch in.OS {
	case "darwin":
		return nil, &Manual{
			Why: text.M("store.macos"),
			Do:  text.Raw("sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ca.pem"),
		}
	case "windows":
		sum := sha1.Sum(cert.Raw) // #nosec G401 -- see the import
		return []Action{{
			Kind: CertAction, Target: "ROOT", Summary: text.M("store.add", "name", bundles.Name(cert)),
			Do:   []platform.Cmd{{Argv: []string{"certutil", "-addstore", "-f", "ROOT", "{ca.crt}"}, Timeout: rebuildTime}},
			Undo: []platform.Cmd{{Argv: []string{"certutil", "-delstore", "ROOT", hex.EncodeToString(sum[:])}, Timeout: rebuildTime}},
			Temp: map[string][]byte{"ca.crt": bundles.Assemble(nil, cert)}, Elevated: true,
		}}, nil
	}
	_, l, err := systemStore(in)
	if err != nil {
		return nil, err
	}
	return addRoots(in, l, cert)
}

// addRoots brings certificates into the store.
func addRoots(in *Input, l *platform.StoreLayout, certs ...*x509.Certificate) ([]Action, error) {
	if len(l.Fresh) == 0 || l.Anchors == "" {
		data, err := in.Files.ReadFile(l.Bundle)
		if err != nil {
			return nil, err
		}
		a, err := bundleAction(in, l, bundles.Assemble(data, certs...))
		if err != nil {
			return nil, err
		}
		a.Summary = text.M("store.add-to-bundle", "n", len(certs), "path", l.Bundle)
		return []Action{a}, nil
	}
	var out []Action
	for _, c := range certs {
		a, err := anchorAction(l, c)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	rebuild, err := rebuildAction(in, l)
	return append(out, rebuild), err
}

// anchorAction writes one certificate among the administrator's own.
func anchorAction(l *platform.StoreLayout, c *x509.Certificate) (Action, error) {
	if l.Anchors == "" {
		return Action{}, &Manual{Why: text.M("store.no-tool"), Do: text.M("store.no-tool-do")}
	}
	return Action{
		Kind: FileAction, Target: path.Join(l.Anchors, anchorName(l, c)), Summary: text.M("store.add", "name", bundles.Name(c)),
		After:    platform.Image{Kind: platform.File, Mode: 0o644, Data: bundles.Assemble(nil, c)},
		Elevated: true,
	}, nil
}

// anchorName is a file name that says whose it is: a part of the name that
// every tool takes, and enough of the SHA-256 to be the only one.
func anchorName(l *platform.StoreLayout, c *x509.Certificate) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return unicode.ToLower(r)
		case r == ' ' || r == '-' || r == '_' || r == '.':
			return '-'
		}
		return -1
	}, bundles.Name(c))
	slug = strings.Trim(slug[:min(len(slug), 40)], "-")
	if slug != "" {
		slug += "-"
	}
	ext := l.AnchorExt
	if ext == "" {
		ext = ".crt"
	}
	return "trustfix-" + slug + bundles.Fingerprint(c.Raw)[:16] + ext
}

// embeddedStore writes the reference roots, and the administrator's own
// certificates, as a plain bundle: for systems that have neither network nor
// package manager. PEM cannot carry a distrust-after date, so roots that have
// one are left out.
func embeddedStore(in *Input, l *platform.StoreLayout) ([]Action, error) {
	if isDir(in, l.Bundle) {
		return nil, &Manual{Why: text.M("store-unreadable.kind", "path", l.Bundle, "kind", text.M("store.kind-dir")), Do: text.M("store-unreadable.advice-kind", "path", l.Bundle)}
	}
	certs := publicRoots(in)
	if len(certs) == 0 {
		return nil, &Manual{Why: text.M("store.no-roots"), Do: text.M("store.no-tool-do")}
	}
	a, err := bundleAction(in, l, bundles.Assemble(nil, append(certs, ownAnchors(in, l)...)...))
	if err != nil {
		return nil, err
	}
	a.Summary = text.M("install-store.embedded", "n", len(certs), "path", l.Bundle)
	out := []Action{a}
	if len(l.Aliases) > 0 && (l.Family == platform.RedHat || l.Family == platform.SUSE || l.Family == platform.Arch || l.Family == platform.Alpine) {
		if alias := l.Aliases[0]; absent(in, alias) {
			out = append(out, Action{
				Kind: LinkAction, Target: alias, Summary: text.M("install-store.alias", "path", alias),
				After: platform.Image{Kind: platform.Link, Link: l.Bundle}, Elevated: true,
			})
		}
	}
	return out, nil
}

// bundleAction makes the bundle what data says. Where a link stands in its
// place and leads nowhere, the file takes the link's place.
func bundleAction(in *Input, l *platform.StoreLayout, data []byte) (Action, error) {
	a := Action{Kind: FileAction, Target: l.Bundle, Elevated: true}
	if file, err := in.Files.Resolve(l.Bundle); err == nil {
		if img, err := in.Files.Snapshot(file); err == nil && img.Kind != platform.Absent {
			a.Target = file
		}
	}
	before, err := in.Files.Snapshot(a.Target)
	if err != nil {
		return a, err
	}
	if before.Kind == platform.Link {
		a.Kind = LinkAction
	}
	a.Before = before
	a.After = platform.Image{Kind: platform.File, Mode: 0o644, Data: data}
	if before.Kind == platform.File {
		a.After = before
		a.After.Data, a.After.SHA256 = data, ""
		a.After.Mode |= 0o444
	}
	return a, nil
}

func absent(in *Input, name string) bool {
	img, err := in.Files.Snapshot(name)
	return err == nil && img.Kind == platform.Absent
}

// publicRoots are the reference roots that a PEM file can express, and that
// nothing speaks against, whoever named them.
func publicRoots(in *Input) []*x509.Certificate {
	var out []*x509.Certificate
	if in.Report.Options.Refs == nil {
		return nil
	}
	for _, r := range in.Report.Options.Refs.All() {
		if _, bad := bundles.Compromised(r.Cert); !bad && r.Constraint == nil {
			out = append(out, r.Cert)
		}
	}
	return out
}

// ownAnchors are the certificates that the administrator added to this system's
// store and that it would trust after any rebuild; not those that nothing
// should trust.
func ownAnchors(in *Input, l *platform.StoreLayout) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range detect.StoreAnchors(in.View, l) {
		if _, bad := bundles.Compromised(c); !bad {
			out = append(out, c)
		}
	}
	return out
}
