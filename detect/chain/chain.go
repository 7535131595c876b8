// Package chain is the judge: a served chain, roots, a time, a name and the
// rules of a client go in; every cause of refusal comes out, with evidence.
//
// It is pure: no I/O, no clock, no process-wide roots. "Unknown authority"
// alone proves nothing: forged signatures, issuers that are no CA and bad key
// usage look the same to most libraries and are told apart here. It never
// proposes a change; the callers do, by the fault it names.
package chain

import (
	"crypto/x509"
	"slices"
	"time"

	"trustfix/bundles"
	"trustfix/internal/text"
)

// Input is one question to the judge.
type Input struct {
	Served  [][]byte       // DER as sent, leaf first
	Fetched [][]byte       // DER fetched by AIA or known otherwise; completes paths, is not trusted
	Broken  [][]byte       // DER of trusted certificates that do not parse: named where a path ends at one
	Roots   *bundles.Roots // trust anchors as they stand, with their constraints
	Staple  []byte         // OCSP response that came with the chain; nil for none
	Answers []Answer       // what was asked about revocation besides
	Host    string         // DNS name or IP literal; "" leaves the name unchecked
	Time    time.Time
	Rules   *Rules // nil: RFC 5280 for a TLS server
}

// Fault is whose fault a failure is.
type Fault string

// The faults.
const (
	FaultNone      Fault = "none"
	FaultClient    Fault = "client"
	FaultClock     Fault = "clock"
	FaultNetwork   Fault = "network"
	FaultServer    Fault = "server"
	FaultPrivateCA Fault = "private-ca"
)

// Info is a certificate as the JSON contract shows it.
type Info struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	SHA256    string    `json:"sha256"`
}

// Infos describes the certificates that parse, in order. One that does not
// still has its fingerprint and whatever names could be read.
func Infos(ders [][]byte) []Info {
	out := make([]Info, 0, len(ders))
	for _, der := range ders {
		in := Info{SHA256: bundles.Fingerprint(der)}
		if c, err := x509.ParseCertificate(der); err == nil {
			in.Subject, in.Issuer = c.Subject.String(), c.Issuer.String()
			in.NotBefore, in.NotAfter = c.NotBefore.UTC(), c.NotAfter.UTC()
		} else {
			in.Subject, in.Issuer = roughNames(der)
		}
		out = append(out, in)
	}
	return out
}

// Verdict is the answer. A chain that only completes with a fetched
// certificate is not OK for clients that do not fetch: the cause is
// server-incomplete-chain and Missing holds what the server should send.
type Verdict struct {
	OK      bool
	Causes  []Cause             // most fundamental first; when OK only strict-ca notes
	Paths   []Path              // every path tried, best first
	Root    *x509.Certificate   // where the best path is anchored; nil if nowhere
	Leaf    *x509.Certificate   // nil if it does not parse
	Missing []*x509.Certificate // fetched certificates that the best path needs, leaf side first
	Limited bool                // the search was cut short: hostile or absurd input
	Client  string              // name of the rules, "" for RFC 5280
}

// Cause is one reason for refusal.
type Cause struct {
	ID       string     // finding id of PRODUCT §5
	Code     string     // finer code, or ""
	Depth    int        // position in the path, 0 is the leaf
	Subject  string     // of the certificate concerned
	Evidence []text.Msg // what can be checked
	Text     string     // what a client with these rules prints; "" if unknown
	ErrCode  string     // its error number or symbol

	completed bool // the chain stands with fetched certificates
}

// IDs are the ids, each followed by its finer code, without repetition.
func (v Verdict) IDs() []string {
	var ids []string
	for _, c := range v.Causes {
		for _, id := range []string{c.ID, c.Code} {
			if id != "" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// Has reports whether an id or finer code is among the causes.
func (v Verdict) Has(id string) bool { return slices.Contains(v.IDs(), id) }

// Path is one way from the leaf towards a trust anchor.
type Path struct {
	Certs    []Link // leaf first; a last link without Cert is the issuer nobody has
	Anchored bool   // ends at a trusted certificate
	Causes   []Cause
}

// OK reports whether the path stands.
func (p Path) OK() bool { return p.Anchored && len(p.Causes) == 0 }

// Origin says where a certificate of a path came from.
type Origin string

// The origins.
const (
	FromServer  Origin = "server"
	FromFetched Origin = "fetched"
	FromStore   Origin = "store"
)

// Link is one certificate of a path.
type Link struct {
	Cert   *x509.Certificate // nil: not to be had
	Name   string            // for people
	Origin Origin
	Served bool // the server sent it (it may be a trusted one too)
	Anchor bool // trusted as it stands
	Forged bool // the signature on it is not the next link's
}
