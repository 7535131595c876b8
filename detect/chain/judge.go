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

// trail is a path under construction or recorded.
type trail struct {
	certs    []*cert
	sigs     []signature // sigs[i] is how certs[i] verifies with certs[i+1]
	anchored bool
	causes   []Cause
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

// walk extends t by every issuer that fits and records each path that ends.
// A signature that does not verify is followed only where none does, so that
// a certificate of the same name never turns an unknown issuer into a forgery.
func (j *judge) walk(t *trail) {
	if j.steps--; j.steps < 0 || len(t.certs) > maxDepth || len(j.paths) >= maxPaths {
		j.limited = true
		if len(j.paths) == 0 {
			j.record(t, false)
		}
		j.done = true
		return
	}
	last := t.certs[len(t.certs)-1]
	anchored := last.anchor && j.mayAnchor(t)
	if anchored {
		if j.record(t, true); j.done || last.own {
			return
		}
	}
	var forged, unread []*cert
	verified := false
	for _, n := range j.issuers(last) {
		if slices.ContainsFunc(t.certs, func(c *cert) bool { return c.id == n.id }) ||
			j.rules.profile.exactNames && !bytes.Equal(last.RawIssuer, n.RawSubject) {
			continue
		}
		switch j.signature(last, n) {
		case sigGood:
			verified = true
			j.walk(t.with(n, sigGood))
		case sigBad:
			forged = append(forged, n)
		case sigUnknown:
			unread = append(unread, n)
		}
		if j.done {
			return
		}
	}
	switch {
	case verified || anchored:
	case len(unread) > 0:
		j.walk(t.with(unread[0], sigUnknown))
	case len(forged) > 0 && !j.selfSigned(last):
		j.walk(t.with(forged[0], sigBad))
	default:
		j.record(t, false)
	}
}

// mayAnchor reports whether the rules let the trusted certificate at the end
// of t stand as an anchor.
func (j *judge) mayAnchor(t *trail) bool {
	last := t.certs[len(t.certs)-1]
	if last.own || j.rules.Name == "" {
		return true
	}
	p := j.rules.profile
	return j.rules.PartialChain && (len(t.certs) > 1 || !p.issuerOnly && (!p.pinAlone || j.alone))
}

func (t *trail) with(n *cert, s signature) *trail {
	return &trail{
		certs: append(t.certs[:len(t.certs):len(t.certs)], n),
		sigs:  append(t.sigs[:len(t.sigs):len(t.sigs)], s),
	}
}

func (j *judge) record(t *trail, anchored bool) {
	t = &trail{certs: t.certs, sigs: t.sigs, anchored: anchored}
	t.causes = j.check(t)
	j.paths = append(j.paths, t)
	j.done = j.done || (anchored && len(t.causes) == 0)
}

// verdict ranks the paths and speaks for the best.
func (j *judge) verdict() Verdict {
	v := Verdict{Leaf: j.leaf.Certificate, Limited: j.limited}
	if len(j.paths) == 0 { // the search ended before any path did
		j.record(&trail{certs: []*cert{j.leaf}}, false)
	}
	sent := slices.MinFunc(j.paths, func(a, b *trail) int { return slices.Compare(a.order(), b.order()) })
	slices.SortStableFunc(j.paths, func(a, b *trail) int { return slices.Compare(a.badness(), b.badness()) })
	best := j.paths[0]
	v.Causes = best.causes
	if len(v.Causes) > 0 && best.anchored && !sent.anchored {
		// The chain as the server meant it ends elsewhere: that is true as well.
		for _, c := range sent.causes {
			if unknownIssuer(c.ID) {
				v.Causes = append(slices.Clone(v.Causes), c)
			}
		}
	}
	v.OK = best.anchored && len(best.causes) == 0
	for _, t := range j.paths {
		v.Paths = append(v.Paths, j.path(t))
	}
	if best.anchored {
		v.Root = best.certs[len(best.certs)-1].Certificate
	}
	for _, c := range best.certs {
		if c.origin == FromFetched && !c.anchor {
			v.Missing = append(v.Missing, c.Certificate)
		}
	}
	if note, ok := j.strictNote(best); ok && j.in.Rules == nil && !v.Has("server-forged") {
		v.Causes = append(slices.Clone(v.Causes), note)
	}
	return v
}

// order is how the server sent the path; what it did not send comes last.
func (t *trail) order() []int {
	var o []int
	for _, c := range t.certs {
		if c.served >= 0 {
			o = append(o, c.served)
		} else {
			o = append(o, 1<<20)
		}
	}
	return o
}

// badness sorts paths: by the worst cause, then by their number and length, then
// by what they are, so that the order in which they were sent decides nothing.
func (t *trail) badness() []int {
	worst := 0
	for _, c := range t.causes {
		worst = max(worst, c.weight())
	}
	out := []int{worst, len(t.causes), len(t.certs)}
	for _, c := range t.causes {
		out = append(out, kinds[c.ID].order)
	}
	for _, c := range t.certs {
		out = append(out, int(c.fp[0])<<8|int(c.fp[1]))
	}
	return out
}

func (j *judge) path(t *trail) Path {
	p := Path{Anchored: t.anchored, Causes: t.causes}
	for i, c := range t.certs {
		p.Certs = append(p.Certs, Link{
			Cert: c.Certificate, Name: Name(c.Certificate), Origin: c.origin, Served: c.served >= 0,
			Anchor: t.anchored && i == len(t.certs)-1,
			Forged: i < len(t.sigs) && t.sigs[i] == sigBad,
		})
	}
	if last := t.certs[len(t.certs)-1]; !t.anchored && !last.own {
		p.Certs = append(p.Certs, Link{Name: issuerName(last.Certificate)})
	}
	return p
}
