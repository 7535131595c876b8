package detect

import (
	"crypto/x509"
	"errors"
	"path"
	"slices"
	"strings"
	"sync"

	"trustfix/bundles"
	"trustfix/detect/client"
	"trustfix/platform"
)

// trustRoots loads what clients trust, each file once.
type trustRoots struct {
	v      *platform.View
	stores []*Store
	refs   *bundles.Roots // stand for those inside programs too, what the user added included
	mu     sync.Mutex
	files  map[string]*loaded
}

// loaded is one file or directory of roots.
type loaded struct {
	certs    []*x509.Certificate
	broken   [][]byte // DER that Go cannot parse
	problems []bundles.Problem
	pin      bool // trustfix wrote it
	err      error
}

// lost reports whether a library cannot use any of it.
func (l *loaded) lost(lib string) bool {
	return l.err != nil || slices.ContainsFunc(l.problems, func(p bundles.Problem) bool { return slices.Contains(p.Breaks(), lib) })
}

// of is what a client trusts: its own source and what is read besides it. A
// source that cannot be read trusts nothing, as the client will find out.
func (t *trustRoots) of(c *client.Client) (roots *bundles.Roots, broken [][]byte) {
	if c.Trust.Kind == "os" && c.Trust.Path == "" && len(t.stores) == 0 {
		return t.refs, nil // a platform store that is no file: its own checks judge it
	}
	roots = &bundles.Roots{}
	add := func(l *loaded) {
		if l.lost(libraryOf(c)) {
			return
		}
		for _, cert := range l.certs {
			roots.Add(bundles.Root{Cert: cert})
		}
		broken = append(broken, l.broken...)
	}
	own := t.own(c.Trust)
	if c.Trust.Builtin || errors.Is(own.err, bundles.ErrStoreUnread) { // Mozilla's, inside the program: the reference stands for them
		for _, r := range t.refs.All() {
			roots.Add(r)
		}
	} else {
		add(own)
	}
	for _, p := range c.Trust.Adds {
		add(t.source("", p))
	}
	return roots, broken
}

// SourceOf is what a client trusts, pins of trustfix apart: where its own
// source stands, the certificates of that and of what it reads besides, and the
// DER of those that only other libraries parse.
func SourceOf(v *platform.View, r *Report, c *client.Client) (name string, certs []*x509.Certificate, opaque [][]byte) {
	t := trustRoots{v: v, stores: r.Stores, refs: r.Options.Refs, files: map[string]*loaded{}}
	name = c.Trust.Path
	if s := t.store(name); name == "" && c.Trust.Kind == "os" && s != nil {
		name = s.Path
	}
	if c.Trust.Builtin && t.refs != nil {
		for _, root := range t.refs.All() {
			certs = append(certs, root.Cert)
		}
	}
	sources := []*loaded{t.own(c.Trust)}
	for _, file := range c.Trust.Adds {
		sources = append(sources, t.source("", file))
	}
	for _, l := range sources {
		if l.pin || l.lost(libraryOf(c)) {
			continue
		}
		certs, opaque = append(certs, l.certs...), append(opaque, l.broken...)
	}
	return name, certs, opaque
}

// libraryOf is the library that reads a client's bundle.
func libraryOf(c *client.Client) string {
	if c.Rules == nil {
		return bundles.LibOpenSSL
	}
	switch c.Rules.Name {
	case "gnutls":
		return bundles.LibGnuTLS
	case "go", "rustls", "java":
		return bundles.LibGo
	case "node":
		return bundles.LibNode
	}
	return bundles.LibOpenSSL
}

// own is what a client reads in the first place.
func (t *trustRoots) own(trust client.Trust) *loaded {
	if trust.KeyStore == nil {
		return t.source(trust.Kind, trust.Path)
	}
	id := strings.Join([]string{trust.Path, trust.KeyStore.Type, trust.KeyStore.Password}, "\x00")
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files[id] == nil {
		t.files[id] = readStore(t.v, trust)
	}
	return t.files[id]
}

// readStore reads a Java key store. One that only Java can read is no reason
// for a verdict; Java itself has to be asked.
func readStore(v *platform.View, trust client.Trust) *loaded {
	l := &loaded{}
	data, err := v.Files.ReadFile(trust.Path)
	if err != nil {
		l.err = err
		return l
	}
	_, l.pin = ReadPin(trust.Path, data)
	store, err := trust.KeyStore.Open(data)
	l.certs, l.broken, l.err = store.Certs, store.Opaque, err
	return l
}

// source is the content of a trust source of a kind of client.Trust; "" finds
// out by itself whether name is a file or a directory.
func (t *trustRoots) source(kind, name string) *loaded {
	switch {
	case kind == "none":
		return &loaded{}
	case kind == "os":
		if s := t.store(name); s != nil {
			return &loaded{certs: s.Certs, problems: s.Content.Problems}
		}
	}
	if name == "" {
		return &loaded{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.files[name]; l != nil {
		return l
	}
	l := &loaded{}
	if img, err := t.v.Files.Stat(name); err != nil {
		l.err = err
	} else if img.Kind == platform.DirKind {
		l.readDir(t.v, name)
	} else {
		l.readFile(t.v, name)
	}
	t.files[name] = l
	return l
}

// store is the operating system's store at a path, or its first one.
func (t *trustRoots) store(name string) *Store {
	for _, s := range t.stores {
		if s.Path == name {
			return s
		}
	}
	if name == "" && len(t.stores) > 0 {
		return t.stores[0]
	}
	return nil
}

func (l *loaded) readFile(v *platform.View, name string) {
	data, err := v.Files.ReadFile(name)
	if err != nil {
		l.err = err
		return
	}
	_, l.pin = ReadPin(name, data)
	c := bundles.Read(data)
	l.problems = c.Problems
	for _, cert := range c.Certs {
		l.certs = append(l.certs, cert.Certificate)
	}
	l.broken = append(l.broken, c.Opaque...)
}

// readDir reads a hashed directory as OpenSSL does: only names like
// 5ad8a5d6.0 count.
func (l *loaded) readDir(v *platform.View, dir string) {
	names, err := v.Files.ReadDir(dir)
	if err != nil {
		l.err = err
		return
	}
	for _, n := range names {
		hash, num, ok := strings.Cut(n, ".")
		if !ok || len(hash) != 8 || strings.Trim(hash, "0123456789abcdef") != "" || num == "" || strings.Trim(num, "0123456789") != "" {
			continue
		}
		one := &loaded{}
		one.readFile(v, path.Join(dir, n))
		l.certs = append(l.certs, one.certs...)
		l.broken = append(l.broken, one.broken...)
	}
}
