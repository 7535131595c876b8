package chain

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"trustfix/bundles"
	"trustfix/internal/text"
)

// Bounds of the work one question may cost: what is sent is hostile until
// proven otherwise. A normal chain needs a hundredth of them.
const (
	maxSignatures  = 200
	maxEffort      = 4000 // of checking them, one being an RSA 2048 signature
	maxSteps       = 2000
	maxPaths       = 64
	maxDepth       = 128
	maxComparisons = 250_000
)

// judge is one question being answered.
type judge struct {
	in    Input
	rules Rules // the zero value is RFC 5280
	now   time.Time
	leaf  *cert
	pool  []*cert // what may complete a path, as sent, then as fetched
	names map[string][]*cert

	alone   bool              // the server sent its own certificate and nothing else
	rough   map[string][]byte // subject -> DER of certificates that do not parse
	unread  bool              // the server sent one of which not even the subject can be read
	anchors map[[32]byte]*cert
	folded  map[string][]bundles.Root // anchors by folded subject, once needed

	sigs        map[[2][32]byte]signature
	signatures  int
	effort      int
	steps       int
	comparisons int
	answers     []Answer
	revocations map[[2][32]byte]*text.Msg // evidence by certificate and issuer, once asked; nil: none
	limited     bool

	hostCause *text.Msg // once asked
	paths     []*trail
	done      bool
}

// Judge answers the question. It never fails: input that cannot be judged is
// server-malformed.
func Judge(in Input) (v Verdict) {
	defer func() {
		if r := recover(); r != nil { // a parser's bug must not stop the diagnosis
			v = Verdict{Limited: true, Causes: []Cause{{
				ID: "server-malformed", Code: "malformed",
				Evidence: []text.Msg{text.M("chain.malformed", "subject", "?", "error", printable(fmt.Sprint(r)))},
			}}}
		}
	}()
	return answer(in)
}

func answer(in Input) Verdict {
	j := newJudge(in)
	if j.leaf == nil {
		return Verdict{Causes: []Cause{j.malformedLeaf()}}
	}
	if r := in.Rules; r != nil && r.engine == engineSearch {
		j.rules = *r
	}
	j.walk(&trail{certs: []*cert{j.leaf}})
	v := j.verdict()
	if in.Rules == nil {
		return v
	}
	// Few clients look at revocation; it stands whatever they say.
	all := v.Causes
	v.Causes = slices.DeleteFunc(slices.Clone(all), isRevoked)
	v.OK = v.Root != nil && len(v.Causes) == 0
	said := j.client(v)
	if i := slices.IndexFunc(all, isRevoked); i >= 0 {
		said.OK, said.Causes = false, append([]Cause{all[i]}, said.Causes...)
	}
	return said
}

func isRevoked(c Cause) bool { return c.ID == "server-revoked" }

func newJudge(in Input) *judge {
	if in.Roots == nil {
		in.Roots = &bundles.Roots{}
	}
	j := &judge{
		in: in, now: in.Time.Truncate(time.Second), names: map[string][]*cert{},
		rough: map[string][]byte{}, anchors: map[[32]byte]*cert{}, sigs: map[[2][32]byte]signature{},
		signatures: maxSignatures, effort: maxEffort, steps: maxSteps, comparisons: maxComparisons,
		answers: in.Answers, revocations: map[[2][32]byte]*text.Msg{},
		alone: !slices.ContainsFunc(in.Served, func(der []byte) bool { return !bytes.Equal(der, in.Served[0]) }),
	}
	if len(in.Staple) > 0 {
		j.answers = append([]Answer{{OCSP: in.Staple}}, in.Answers...)
	}
	seen := map[[32]byte]bool{}
	add := func(der []byte, origin Origin, i int) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			subject, _ := roughRawNames(der)
			j.rough[canonicalName(subject)] = der
			j.unread = j.unread || origin == FromServer && len(subject) == 0
			return
		}
		n := newCert(c, origin, i)
		if seen[n.fp] {
			return
		}
		seen[n.fp] = true
		if j.in.Roots.Has(bundles.Fingerprint(c.Raw)) {
			for _, r := range j.in.Roots.BySubject(c.RawSubject) {
				if r.Cert.Equal(c) {
					n.anchor, n.distrust = true, r.Constraint
				}
			}
			j.anchors[n.fp] = n
		}
		if origin == FromServer && i == 0 {
			j.leaf = n
			return
		}
		j.pool = append(j.pool, n)
		key := canonicalName(c.RawSubject)
		j.names[key] = append(j.names[key], n)
	}
	for i, der := range in.Served {
		add(der, FromServer, i)
		if j.leaf == nil {
			return j
		}
	}
	for _, der := range in.Fetched {
		add(der, FromFetched, -1)
	}
	for _, der := range in.Broken {
		subject, _ := roughRawNames(der)
		j.rough[canonicalName(subject)] = der
	}
	return j
}

// issuers are the certificates whose subject is c's issuer, the likeliest
// first: anchors, then matching key identifiers, then valid ones, then as sent.
func (j *judge) issuers(c *cert) []*cert {
	if c.asked {
		return c.issuers
	}
	c.asked = true
	key := canonicalName(c.RawIssuer)
	out := slices.Clone(j.names[key])
	exact := slices.ContainsFunc(out, func(n *cert) bool { return bytes.Equal(n.RawSubject, c.RawIssuer) && j.signature(c, n) == sigGood })
	for _, r := range j.rootsNamed(c.RawIssuer, key, !exact) {
		n := newCert(r.Cert, FromStore, -1)
		n.anchor, n.distrust = true, r.Constraint
		if known, ok := j.anchors[n.fp]; ok {
			n = known
		} else {
			j.anchors[n.fp] = n
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	rank := func(n *cert) int {
		r := 0
		if !n.anchor {
			r += 8
		}
		if !keyIDsAgree(c, n) {
			r += 4
		}
		if n.origin == FromFetched {
			r += 2
		}
		if j.now.Before(n.NotBefore) || j.now.After(n.NotAfter) {
			r++
		}
		return r
	}
	slices.SortStableFunc(out, func(a, b *cert) int { return rank(a) - rank(b) })
	c.issuers = out
	return out
}

// rootsNamed are the anchors with this name; only where nothing else of just
// this name has signed is it worth folding the names of them all.
func (j *judge) rootsNamed(raw []byte, key string, search bool) []bundles.Root {
	if roots := j.in.Roots.BySubject(raw); len(roots) > 0 || !search {
		return roots
	}
	if j.folded == nil {
		j.folded = map[string][]bundles.Root{}
		for _, r := range j.in.Roots.All() {
			k := canonicalName(r.Cert.RawSubject)
			j.folded[k] = append(j.folded[k], r)
		}
	}
	return j.folded[key]
}

// keyIDsAgree is false only where both name a key and the keys differ.
func keyIDsAgree(c, issuer *cert) bool {
	return len(c.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 ||
		string(c.AuthorityKeyId) == string(issuer.SubjectKeyId)
}

// signature is checkSignature, remembered and bounded.
func (j *judge) signature(c, issuer *cert) signature {
	key := [2][32]byte{c.fp, issuer.fp}
	if s, ok := j.sigs[key]; ok {
		return s
	}
	j.signatures--
	j.effort -= effort(issuer.Certificate)
	if j.signatures < 0 || j.effort < 0 {
		j.limited, j.done = true, true
		return sigUnknown
	}
	s := checkSignature(c.Certificate, issuer.Certificate)
	j.sigs[key] = s
	return s
}

// selfSigned reports whether c is signed with its own key.
func (j *judge) selfSigned(c *cert) bool {
	if c.self == nil {
		yes := c.own && keyIDsAgree(c, c) && j.signature(c, c) == sigGood
		c.self = &yes
	}
	return *c.self
}
