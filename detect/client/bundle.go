package client

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"trustfix/bundles"
	"trustfix/platform"
)

// Bundle is what a trust setting leads to: a PEM file, or a directory of them.
type Bundle struct {
	Path     string // as asked for
	Real     string // the file itself, links followed
	Dir      bool
	Hashed   bool     // Dir: OpenSSL finds something in it
	Prints   []string // SHA-256 of the certificates
	Hidden   int      // of a Java key store: certificates that Java does not take for anchors
	Problems []bundles.Problem
	Err      error // it cannot be read; fs.ErrNotExist when it is missing
	read     func() *bundles.Roots
}

// Missing reports whether nothing is there.
func (b *Bundle) Missing() bool { return errors.Is(b.Err, fs.ErrNotExist) }

// Fatal is the first problem that makes a library lose the file, or nil.
func (b *Bundle) Fatal() *bundles.Problem {
	return bundles.Content{Problems: b.Problems}.Fatal()
}

// Roots are the certificates, parsed when first asked for.
func (b *Bundle) Roots() *bundles.Roots { return b.read() }

// Bundles reads each file once, however many clients use it: copies of one
// certifi share their content by hash, links by identity. It is safe for use
// by several goroutines.
type Bundles struct {
	files  platform.Files
	mu     sync.Mutex
	byPath map[string]*Bundle
	byID   map[fileID]*Bundle
	byHash map[string]*Bundle
	byKind map[string]*Bundle // by group and size
}

type fileID struct {
	dev, ino uint64
	size     int64
	mtime    int64
}

// NewBundles is an empty cache over a tree.
func NewBundles(files platform.Files) *Bundles {
	return &Bundles{files: files, byPath: map[string]*Bundle{}, byID: map[fileID]*Bundle{}, byHash: map[string]*Bundle{}, byKind: map[string]*Bundle{}}
}

// Read is the bundle at a path. It never fails: see Bundle.Err.
func (c *Bundles) Read(name string) *Bundle { return c.ReadAs(name, "") }

// ReadAs is Read for the copy of a package's bundle: one content stands for
// all copies of that group and size. A thousand environments hold a thousand
// copies of few versions.
func (c *Bundles) ReadAs(name, group string) *Bundle {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.byPath[name]; b != nil {
		return b
	}
	b := c.load(name, group)
	c.byPath[name] = b
	return b
}

// Trust are the roots that a trust source comes to, with what it adds; nil
// when nothing is known of it.
func (c *Bundles) Trust(t Trust) *bundles.Roots {
	if t.Path == "" && len(t.Adds) == 0 {
		return nil
	}
	if len(t.Adds) == 0 {
		return c.Read(t.Path).Roots()
	}
	all := bundles.NewRoots()
	for _, p := range append([]string{t.Path}, t.Adds...) {
		if p == "" {
			continue
		}
		for _, r := range c.Read(p).Roots().All() {
			all.Add(r)
		}
	}
	return all
}

var empty = bundles.NewRoots()

func (c *Bundles) load(name, group string) *Bundle {
	b := &Bundle{Path: name, Real: name, read: func() *bundles.Roots { return empty }}
	img, err := c.files.Stat(name)
	if err != nil {
		b.Err = err
		return b
	}
	if group == "" { // a package's own file stands where it stands
		if real, err := c.files.Resolve(name); err == nil {
			b.Real = real
		}
	}
	if img.Kind == platform.DirKind {
		c.loadDir(b)
		return b
	}
	id := fileID{img.Dev, img.Ino, img.Size, img.MTime.UnixNano()}
	if same := c.byID[id]; same != nil && img.Ino != 0 {
		return b.like(same)
	}
	kind := fmt.Sprint(group, "\x00", img.Size)
	if same := c.byKind[kind]; same != nil && group != "" {
		return b.like(same)
	}
	data, err := c.files.ReadFile(name)
	if err != nil {
		b.Err = err
		return b
	}
	sum := bundles.Fingerprint(data)
	if same := c.byHash[sum]; same != nil {
		b.like(same)
	} else {
		b.Prints, b.Problems = bundles.Scan(data)
		b.read = sync.OnceValue(func() *bundles.Roots { return rootsOf(bundles.Read(data)) })
		c.byHash[sum] = b
	}
	c.byID[id], c.byKind[kind] = b, b
	return b
}

// like takes the content of a bundle that is the same file or the same bytes.
func (b *Bundle) like(o *Bundle) *Bundle {
	b.Prints, b.Problems, b.Err, b.read = o.Prints, o.Problems, o.Err, o.read
	return b
}

func rootsOf(content bundles.Content) *bundles.Roots {
	r := bundles.NewRoots()
	for _, cert := range content.Certs {
		r.Add(bundles.Root{Cert: cert.Certificate})
	}
	return r
}

// maxDirFiles bounds what is read of a directory of certificates.
const maxDirFiles = 2000

var hashName = regexp.MustCompile(`^[0-9a-f]{8}\.\d+$`)

func (c *Bundles) loadDir(b *Bundle) {
	names, err := c.files.ReadDir(b.Path)
	if err != nil {
		b.Err = err
		return
	}
	all, seen := bundles.NewRoots(), map[string]bool{}
	var files [][]byte
	for _, n := range names[:min(len(names), maxDirFiles)] {
		hash := hashName.MatchString(n)
		b.Hashed = b.Hashed || hash
		if !hash && !strings.HasSuffix(n, ".pem") && !strings.HasSuffix(n, ".crt") && !strings.HasSuffix(n, ".cer") {
			continue
		}
		data, err := c.files.ReadFile(path.Join(b.Path, n))
		if err != nil {
			continue
		}
		files = append(files, data)
		prints, _ := bundles.Scan(data)
		for _, p := range prints {
			if !seen[p] {
				seen[p] = true
				b.Prints = append(b.Prints, p)
			}
		}
	}
	b.Dir = true
	b.read = sync.OnceValue(func() *bundles.Roots {
		for _, data := range files {
			for _, r := range rootsOf(bundles.Read(data)).All() {
				all.Add(r)
			}
		}
		return all
	})
}
