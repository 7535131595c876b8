// Package bundles is the trust material: the reference roots with their
// constraints, PEM reading that reports what is wrong instead of skipping it,
// assembling bundles, fingerprints, compromised roots and known interceptors.
//
// It is pure (bytes in, values out), does no I/O and imports nothing else of
// trustfix. The reference roots judge; they never become a process-wide
// default, or the diagnosis would lie.
package bundles

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"
)

// Root is a trust anchor.
type Root struct {
	Cert *x509.Certificate
	// Constraint refuses chains that the root programme no longer accepts from
	// this root (distrust-after); nil for an unconstrained root.
	Constraint func(chain []*x509.Certificate) error
}

// Roots is a set of anchors with the date they are of. The zero value is empty.
type Roots struct {
	Date      time.Time // of the reference set; zero for any other
	list      []Root
	bySubject map[string][]int
	byPrint   map[string]int
}

// NewRoots makes a set without constraints.
func NewRoots(certs ...*x509.Certificate) *Roots {
	r := &Roots{}
	for _, c := range certs {
		r.Add(Root{Cert: c})
	}
	return r
}

// Add adds a root unless it is there.
func (r *Roots) Add(root Root) {
	fp := Fingerprint(root.Cert.Raw)
	if _, ok := r.byPrint[fp]; ok {
		return
	}
	if r.byPrint == nil {
		r.byPrint, r.bySubject = map[string]int{}, map[string][]int{}
	}
	r.byPrint[fp] = len(r.list)
	s := string(root.Cert.RawSubject)
	r.bySubject[s] = append(r.bySubject[s], len(r.list))
	r.list = append(r.list, root)
}

// All is every root, in the order added. Do not change it.
func (r *Roots) All() []Root { return r.list }

// Len is the number of roots.
func (r *Roots) Len() int { return len(r.list) }

// Has reports whether the certificate with this fingerprint is a root.
func (r *Roots) Has(fingerprint string) bool { _, ok := r.byPrint[fingerprint]; return ok }

// BySubject is the roots with this raw DER subject.
func (r *Roots) BySubject(rawSubject []byte) []Root {
	var out []Root
	for _, i := range r.bySubject[string(rawSubject)] {
		out = append(out, r.list[i])
	}
	return out
}

// Pool is the set for crypto/x509, constraints included.
func (r *Roots) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	for _, root := range r.list {
		if root.Constraint != nil {
			p.AddCertWithConstraint(root.Cert, root.Constraint)
		} else {
			p.AddCert(root.Cert)
		}
	}
	return p
}

// Fingerprint is the SHA-256 of a DER certificate in lower-case hex.
func Fingerprint(der []byte) string {
	s := sha256.Sum256(der)
	return hex.EncodeToString(s[:])
}
