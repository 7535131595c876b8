package detect

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"trustfix/bundles"
	"trustfix/internal/text"
	"trustfix/platform"
)

// staleWarning is how many reference roots a store may lack without a warning.
const staleWarning = 20

// storeState is what was seen of a store besides its content.
type storeState struct {
	unusable []text.Msg // why nobody, or not everybody, can read the bundle
	err      error      // of reading it
	kind     platform.Kind
	link     string       // what a dangling link points to
	dirMode  string       // the directory that others may not pass, "" when they may
	refused  []Deselected // what conf and blocklist refuse and rightly so, or not a reference root
	damage   bool         // most of what could be selected is deselected
	byTool   bool         // … and cloud-init says that it was told to
	index    indexState
}

// gatherStores reads the operating system's trust store, itself: Go's own
// loader falls back and skips silently, so its answer proves nothing. It runs
// no program. None on systems that do not keep their store in files.
func gatherStores(ctx context.Context, v *platform.View, refs *bundles.Roots) []*Store {
	l := v.StoreLayout()
	if l == nil || ctx.Err() != nil {
		return nil
	}
	if refs == nil {
		refs = &bundles.Roots{}
	}
	s := &Store{Name: "system", Path: l.Bundle, Layout: l, Status: StoreOK}
	s.read(v)
	s.selection(v, refs)
	s.compare(refs)
	s.index(v)
	if s.Status == StoreOK {
		switch {
		case len(s.Deselected) > 0:
			s.Status = StoreDeselected
		case len(s.state.index.missing) > 0:
			s.Status = StoreUnindexed
		case len(s.Missing) > staleWarning:
			s.Status = StoreStale
		}
	}
	return []*Store{s}
}

// read fills in content and the states that keep programs from reading it.
func (s *Store) read(v *platform.View) {
	img, err := v.Files.Snapshot(s.Path)
	s.state.kind = img.Kind
	switch {
	case err != nil:
		s.unread(err)
		return
	case img.Kind == platform.Absent:
		s.Status = StoreMissing
		return
	case img.Kind == platform.Link:
		s.state.link = img.Link
		target, err := v.Files.Stat(s.Path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			s.Status = StoreMissing
			return
		}
		s.state.link = ""
		if err != nil {
			s.unread(err)
			return
		}
		img = target
	}
	if img.Kind != platform.File {
		s.state.kind = img.Kind
		s.unreadable(text.M("store-unreadable.kind", "path", s.Path, "kind", kindName(img.Kind)))
		return
	}
	data, err := v.Files.ReadFile(s.Path)
	if err == nil {
		s.Content = bundles.Read(data)
		for _, c := range s.Content.Certs {
			if !c.Trusted {
				s.Certs = append(s.Certs, c.Certificate)
			}
		}
		s.Roots = len(s.Certs) + len(s.Content.Opaque)
	}
	switch dir := ClosedDir(v, s.Path); {
	case err != nil && !errors.Is(err, platform.ErrTooLarge):
		s.unread(err)
		s.state.dirMode = dir
	case img.Mode&0o004 == 0:
		s.unreadable(text.M("store-unreadable.mode", "path", s.Path, "mode", octal(img.Mode)))
		s.state.dirMode = dir
	case dir != "":
		s.state.dirMode = dir
		s.unreadable(text.M("store-unreadable.dir", "path", dir))
	case err != nil:
		s.Status = StoreCorrupt
	case s.Content.Len() == 0 && blank(data):
		s.Status = StoreEmpty
	case slices.ContainsFunc(s.Content.Problems, damages):
		s.Status = StoreCorrupt
	}
}

func (s *Store) unread(err error) {
	s.unreadable(text.Raw(err.Error()))
	s.state.err = err
}

func (s *Store) unreadable(why text.Msg) {
	s.Status = StoreUnreadable
	s.state.unusable = append(s.state.unusable, why)
}

// damages says that some program loses certificates by p. A raw DER file among
// the administrator's own is judged where it stands.
func damages(p bundles.Problem) bool {
	switch p.Kind {
	case bundles.ProblemUnusual:
		return false
	case bundles.ProblemNone:
		return true
	}
	return !p.Harmless()
}

// blank says that a file has nothing but white space and comments: it was
// emptied, not damaged.
func blank(data []byte) bool {
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return false
		}
	}
	return true
}

// ClosedDir is the first directory on the way to a file that others may not
// pass, or "".
func ClosedDir(v *platform.View, name string) string {
	resolved, err := v.Files.Resolve(name)
	if err != nil {
		resolved = name
	}
	for _, p := range []string{name, resolved} {
		var up []string
		for d := path.Dir(p); d != "/"; d = path.Dir(d) {
			up = append(up, d)
		}
		for _, d := range slices.Backward(up) {
			if img, err := v.Files.Stat(d); err == nil && img.Kind == platform.DirKind && img.Mode&0o001 == 0 {
				return d
			}
		}
	}
	return ""
}

func octal(mode uint32) string {
	const digits = "01234567"
	return string([]byte{'0', digits[mode>>6&7], digits[mode>>3&7], digits[mode&7]})
}

func kindName(k platform.Kind) text.Msg {
	if k == platform.DirKind {
		return text.M("store.kind-dir")
	}
	return text.M("store.kind-other")
}

// compare finds the reference roots that the store lacks. Roots that the
// programme itself only half trusts (distrust-after) are nobody's lack.
func (s *Store) compare(refs *bundles.Roots) {
	have := map[string]bool{}
	for _, c := range s.Certs {
		have[bundles.Fingerprint(c.Raw)] = true
	}
	for _, der := range s.Content.Opaque {
		have[bundles.Fingerprint(der)] = true
	}
	for _, d := range s.Deselected {
		have[d.Print] = true
	}
	for _, d := range s.state.refused {
		have[d.Print] = true
	}
	for _, r := range refs.All() {
		if _, bad := bundles.Compromised(r.Cert); !bad && r.Constraint == nil && !have[bundles.Fingerprint(r.Cert.Raw)] {
			s.Missing = append(s.Missing, r.Cert)
		}
	}
}

// usable says that programs can take roots from the store at all.
func (s *Store) usable() bool {
	switch s.Status {
	case StoreMissing, StoreEmpty, StoreCorrupt, StoreUnreadable:
		return false
	}
	return true
}

// SystemStore is the operating system's own store, or nil.
func (r *Report) SystemStore() *Store {
	for _, s := range r.Stores {
		if s.Name == "system" {
			return s
		}
	}
	return nil
}

// certFiles are the certificates of every file below dirs by fingerprint, with
// the file they stand in. Extension "" takes any name; flat leaves
// subdirectories alone. Unreadable files are passed over.
func certFiles(v *platform.View, dirs []string, ext string, flat bool, found func(file string, c bundles.Content)) {
	const maxFiles = 5000
	n := 0
	var walk func(dir string, depth int)
	walk = func(dir string, depth int) {
		names, _ := v.Files.ReadDir(dir)
		for _, name := range names {
			p := path.Join(dir, name)
			if n++; n > maxFiles {
				return
			}
			if ext != "" && strings.HasSuffix(name, ext) || ext == "" && strings.Contains(name, ".") {
				if data, err := v.Files.ReadFile(p); err == nil {
					found(p, bundles.Read(data))
					continue
				}
			}
			if img, err := v.Files.Stat(p); err == nil && img.Kind == platform.DirKind && depth < 8 && !flat {
				walk(p, depth+1)
			} else if err == nil && img.Kind == platform.File && ext == "" {
				if data, err := v.Files.ReadFile(p); err == nil {
					found(p, bundles.Read(data))
				}
			}
		}
	}
	for _, d := range dirs {
		walk(d, 0)
	}
}

// Sources are the certificates that a rebuild of the store would find, by
// fingerprint, with the file each stands in.
type Sources struct {
	Vendor map[string]string // the distribution's, whether selected or not
	Own    map[string]string // the administrator's anchors
	Many   map[string]bool   // of Own: stands in a file with others, which gets no hash link
}

// StoreSources reads the distribution's certificates and the administrator's
// anchors. It costs some hundred file reads: only for stores in trouble.
func StoreSources(v *platform.View, l *platform.StoreLayout) Sources {
	s := Sources{Vendor: map[string]string{}, Own: map[string]string{}, Many: map[string]bool{}}
	ext := ""
	if l.Conf != "" {
		ext = ".crt"
	}
	certFiles(v, l.Sources, ext, false, func(file string, c bundles.Content) {
		for _, fp := range prints(c) {
			s.Vendor[fp] = file
		}
	})
	if l.Anchors != "" {
		certFiles(v, []string{l.Anchors}, l.AnchorExt, l.AnchorFlat, func(file string, c bundles.Content) {
			for _, fp := range prints(c) {
				s.Own[fp] = file
				s.Many[fp] = c.Len() > 1 && !l.AnchorMulti
			}
		})
	}
	return s
}

// StoreAnchors are the administrator's own certificates, each once.
func StoreAnchors(v *platform.View, l *platform.StoreLayout) []*x509.Certificate {
	var out []*x509.Certificate
	seen := map[string]bool{}
	if l.Anchors == "" || l.Anchors == l.HashDir {
		return nil
	}
	certFiles(v, []string{l.Anchors}, l.AnchorExt, l.AnchorFlat, func(_ string, c bundles.Content) {
		for _, cert := range c.Certs {
			if fp := bundles.Fingerprint(cert.DER); !seen[fp] && !cert.Trusted {
				seen[fp] = true
				out = append(out, cert.Certificate)
			}
		}
	})
	return out
}

func prints(c bundles.Content) []string {
	var out []string
	for _, cert := range c.Certs {
		out = append(out, bundles.Fingerprint(cert.DER))
	}
	for _, der := range c.Opaque {
		out = append(out, bundles.Fingerprint(der))
	}
	return out
}

// rootName is how a root is called in evidence: name and SHA-256.
func rootName(c *x509.Certificate) text.Msg {
	return text.M("store.root", "name", bundles.Name(c), "sha256", bundles.FormatFingerprint(bundles.Fingerprint(c.Raw)))
}
