package bundles

import (
	"crypto/x509"
	"sync"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// referenceDate is the day the compiled-in Mozilla roots were taken. It is the
// date in the bundle module's pseudo-version; a test compares it with go.mod.
const referenceDate = "2026-10-30"

// Reference is the Mozilla roots compiled into the binary, with the
// constraints of the root programme. They judge; nothing may make them a
// process-wide default. The set is shared: use [Roots.With] to add to it.
func Reference() *Roots { return reference() }

var reference = sync.OnceValue(func() *Roots {
	r := &Roots{}
	r.Date, _ = time.Parse(time.DateOnly, referenceDate)
	for root := range bundle.Roots() {
		// A root this Go cannot parse is left out; a test holds that there is none.
		if c, err := x509.ParseCertificate(root.Certificate); err == nil {
			r.Add(Root{Cert: c, Constraint: root.Constraint})
		}
	}
	return r
})

// With is a copy of r with more roots, which have no constraints. r is not changed.
func (r *Roots) With(certs ...*x509.Certificate) *Roots {
	out := &Roots{Date: r.Date}
	for _, root := range r.list {
		out.Add(root)
	}
	for _, c := range certs {
		out.Add(Root{Cert: c})
	}
	return out
}

// ReadRoots makes a set of every certificate of a PEM file (--reference-roots).
// What is wrong with the file is in the Content; a caller that was promised
// roots has to look at it.
func ReadRoots(data []byte) (*Roots, Content) {
	c := Read(data)
	r := &Roots{}
	for _, cert := range c.Certs {
		r.Add(Root{Cert: cert.Certificate})
	}
	return r, c
}
