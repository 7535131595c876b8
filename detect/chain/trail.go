package chain

import (
	"bytes"
	"slices"
)

// trail is a path under construction or recorded.
type trail struct {
	certs    []*cert
	sigs     []signature // sigs[i] is how certs[i] verifies with certs[i+1]
	anchored bool
	causes   []Cause
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
