package chain

import (
	"bytes"
	"slices"

	"trustfix/bundles"
	"trustfix/internal/text"
)

// route is how a verifier that does not try every path comes to those it does:
// checked as the judge checks them.
type route func(*judge) []*trail

// routed is the verdict of a verifier that may miss the path that stands.
func (j *judge) routed(v Verdict) Verdict {
	p := j.rules.profile
	if most := p.mostSent; most > 0 && len(j.in.Served) > most {
		v.OK, v.Root = false, nil
		v.Causes = append([]Cause{{
			ID: codeIDs["chain-length"], Code: "chain-length", Subject: Name(j.leaf.Certificate),
			Evidence: []text.Msg{text.M("chain.many-sent", "client", j.rules.Title, "found", len(j.in.Served), "allowed", most)},
		}}, v.Causes...)
	}
	if !v.OK || p.route == nil {
		return v
	}
	tried := p.route(j)
	best := slices.MinFunc(tried, func(a, b *trail) int { return slices.Compare(a.badness(), b.badness()) })
	if last := best.certs[len(best.certs)-1]; best.anchored {
		v.Root = last.Certificate
	}
	v.OK, v.Causes = len(best.causes) == 0, slices.Clone(best.causes)
	for i, c := range v.Causes {
		if unknownIssuer(c.ID) { // a path is there, this client does not see it
			_, said := j.rules.words(0, c, j)
			v.Causes[i].ID, v.Causes[i].Code = codeIDs["no-way-back"], "no-way-back"
			v.Causes[i].Evidence = []text.Msg{text.M("chain.client", "client", j.rules.Title, "subject", c.Subject, "error", said)}
		}
	}
	return v
}

// ended is the path of certs that an anchor has signed, one for each of them;
// where none has, the path that ends nowhere.
func (j *judge) ended(certs []*cert, anchors []*cert) []*trail {
	t := &trail{certs: certs[:1]}
	for _, c := range certs[1:] {
		t = t.with(c, j.signature(t.certs[len(t.certs)-1], c))
	}
	var out []*trail
	for _, a := range anchors {
		if s := j.signature(certs[len(certs)-1], a); s == sigGood {
			end := t.with(a, s)
			end.anchored = true
			out = append(out, end)
		}
	}
	if out == nil {
		out = append(out, t)
	}
	return j.checked(out...)
}

// checked asks what keeps paths from standing; few clients look at revocation,
// and the judge has.
func (j *judge) checked(paths ...*trail) []*trail {
	for _, t := range paths {
		t.causes = slices.DeleteFunc(j.check(t), isRevoked)
	}
	return paths
}

// store are the anchors that can be the issuer of c.
func (j *judge) store(c *cert, issued func(c, issuer *cert) bool) []*cert {
	return slices.DeleteFunc(slices.Clone(j.issuers(c)), func(n *cert) bool { return !n.anchor || !issued(c, n) })
}

// sent are the server's certificates in its order, those that repeat too.
func (j *judge) sent() []*cert {
	var out []*cert
	for _, der := range j.in.Served {
		i := slices.IndexFunc(j.pool, func(c *cert) bool { return bytes.Equal(c.Raw, der) })
		switch {
		case i >= 0:
			out = append(out, j.pool[i])
		case bytes.Equal(der, j.leaf.Raw):
			out = append(out, j.leaf)
		}
	}
	return out
}

// gnutlsRoute sorts what was sent, each certificate followed by the first that
// can be its issuer; where nobody trusted has issued the last, what is left over
// goes on behind it. The issuer of the last is looked for among the trusted, and
// where that is unknown, expired or weakly signed, the last itself.
func gnutlsRoute(j *judge) []*trail {
	var list []*cert
	for rest := j.sent(); len(rest) > 0; {
		seen := len(list)
		list, rest = append(list, rest[0]), rest[1:]
		for last := list[seen]; !gnutlsIssued(last, last); { // one of its own name ends the order too
			i := slices.IndexFunc(rest, func(c *cert) bool { return c != last && gnutlsIssued(last, c) })
			if i < 0 {
				break
			}
			last = rest[i]
			list, rest = append(list, last), slices.Delete(rest, i, i+1)
		}
		if again := slices.IndexFunc(list[seen+1:], func(c *cert) bool { return slices.Contains(list[:seen], c) }); again >= 0 {
			list = list[:seen+1+again]
			break
		}
		if len(j.store(list[len(list)-1], gnutlsIssued)) > 0 {
			break
		}
	}
	if n := len(list) - 1; n > 0 && gnutlsIssued(list[n], list[n]) {
		list = list[:n] // a root that was sent proves nothing
	}
	last := list[len(list)-1]
	tried := j.gnutlsTry(list, last.RawIssuer)
	if !last.own && slices.ContainsFunc(tried[0].causes, func(c Cause) bool {
		return unknownIssuer(c.ID) || c.ID == "server-expired" || c.Code == "weak-signature"
	}) {
		tried = append(tried, j.gnutlsTry(list, last.RawSubject)...)
	}
	return tried
}

// gnutlsTry ends list at the trusted certificates of a name: at one of them that
// is in it, or at one that has issued its last.
func (j *judge) gnutlsTry(list []*cert, name []byte) []*trail {
	trusted := j.rootsNamed(name, "", false)
	end := slices.IndexFunc(list, func(c *cert) bool {
		return slices.ContainsFunc(trusted, func(r bundles.Root) bool {
			return r.Cert.Equal(c.Certificate) || c != j.leaf && bytes.Equal(r.Cert.RawSubject, c.RawSubject) && bytes.Equal(r.Cert.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
		})
	})
	switch {
	case end == 0:
		return j.checked(&trail{certs: list[:1], anchored: true})
	case end > 0:
		list = list[:end]
	}
	for i, c := range list[1:] {
		if !gnutlsIssued(list[i], c) {
			return j.ended(list[:i+1], nil)
		}
	}
	last := list[len(list)-1]
	var newest []*cert // of several that could be, it tries one
	for _, a := range j.store(last, gnutlsIssued) {
		if bytes.Equal(a.RawSubject, name) && (newest == nil || !a.NotBefore.Before(newest[0].NotBefore)) {
			newest = []*cert{a}
		}
	}
	return j.ended(list, newest)
}

// gnutlsIssued compares names byte for byte.
func gnutlsIssued(c, issuer *cert) bool {
	return bytes.Equal(c.RawIssuer, issuer.RawSubject) && keyIDsAgree(c, issuer)
}

// javaRoute takes the chain as it was sent where each certificate names the
// next as its issuer and one of them, or the issuer of the last, is trusted.
// Only else it searches, and then an anchor has to be valid that has not signed
// the server's own certificate.
func javaRoute(j *judge) []*trail {
	var list []*cert
	for _, c := range j.sent() {
		if n := len(list); n > 0 && !sameName(list[n-1].RawIssuer, c.RawSubject) {
			return javaSearch(j)
		}
		if c.anchor || len(list) > 0 && slices.ContainsFunc(j.rootsNamed(c.RawSubject, canonicalName(c.RawSubject), true), func(r bundles.Root) bool {
			return bytes.Equal(r.Cert.RawSubjectPublicKeyInfo, c.RawSubjectPublicKeyInfo)
		}) {
			if len(list) == 0 {
				return j.checked(&trail{certs: []*cert{c}, anchored: true})
			}
			return j.ended(list, j.store(list[len(list)-1], keyIDsAgree))
		}
		list = append(list, c)
	}
	if end := j.ended(list, j.store(list[len(list)-1], keyIDsAgree)); end[0].anchored {
		return end
	}
	return javaSearch(j)
}

func javaSearch(j *judge) []*trail {
	valid := *j
	valid.paths, valid.done, valid.rules.profile.anchorTime = nil, false, true
	valid.walk(&trail{certs: []*cert{j.leaf}})
	return append(valid.paths, j.ended([]*cert{j.leaf}, j.store(j.leaf, keyIDsAgree))...)
}
