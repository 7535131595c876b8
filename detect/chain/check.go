package chain

import (
	"cmp"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"trustfix/internal/text"
)

// kind orders causes: what comes first is named first, because nothing that
// comes later helps while it stands; weight ranks whole paths.
type kind struct{ order, weight int }

var kinds = map[string]kind{
	"server-malformed":        {0, 7},
	"server-forged":           {1, 5},
	"server-revoked":          {1, 5},
	"server-expired":          {2, 2},
	"server-not-yet-valid":    {2, 2},
	"server-weak":             {3, 3},
	"server-constraint":       {4, 3},
	"server-hostname":         {5, 2},
	"server-self-signed":      {6, 6},
	"server-private-ca":       {6, 6},
	"server-incomplete-chain": {7, 6},
	"strict-ca":               {8, 0},
}

// weight is how bad a cause is for a path; that fetched certificates are
// needed is the least of them.
func (c Cause) weight() int {
	if c.completed {
		return 1
	}
	return kinds[c.ID].weight
}

// unknownIssuer reports whether an id says that nobody known vouches for the
// chain: the only ones where trust could be a matter of consent.
func unknownIssuer(id string) bool { return kinds[id].order >= 6 && id != "strict-ca" }

// codeIDs are the finer codes with their ids.
var codeIDs = map[string]string{
	"bad-signature": "server-forged", "issuer-not-ca": "server-forged", "issuer-key-usage": "server-forged",
	"path-length": "server-constraint", "name-constraint": "server-constraint", "eku": "server-constraint",
	"critical-extension": "server-constraint", "distrusted": "server-constraint", "leaf-ca": "server-constraint",
	"no-way-back": "server-constraint", "lifetime": "server-constraint", "chain-length": "server-constraint",
	"policy":   "server-constraint",
	"weak-key": "server-weak", "weak-signature": "server-weak", "unread-signature": "server-weak", "malformed": "server-malformed",
}

// Least RSA key, in bits, that RFC 5280 judgement takes.
const minRSABits = 2048

// check is every reason why a path does not stand, most fundamental first. A
// trusted certificate is taken as it stands: only the bounds it sets for what
// lies below it count. One that is the server's own is checked all the same.
func (j *judge) check(t *trail) []Cause {
	last := len(t.certs) - 1
	p := &j.rules.profile
	r := &reasons{j: j, t: t, pinned: p.pinned && t.anchored && last == 0}
	intermediates := 0 // not self-issued, below the current one
	for i, c := range t.certs {
		asStands := t.anchored && i == last && i > 0
		if !asStands || p.anchorTime {
			r.time(i)
		}
		if !asStands {
			r.strength(i)
			r.content(i)
		}
		if i < last && t.sigs[i] == sigBad {
			why := text.M("chain.bad-signature", "subject", Name(c.Certificate), "issuer", Name(t.certs[i+1].Certificate))
			if !keyIDsAgree(c, t.certs[i+1]) {
				why = text.M("chain.other-key", "subject", Name(c.Certificate), "issuer", Name(t.certs[i+1].Certificate))
			}
			r.add("bad-signature", i, why)
		}
		if len(j.answers) > 0 {
			r.revoked(i)
		}
		if i == 0 {
			continue
		}
		if _, says := c.extension(oidBasicConstraints); !asStands || p.anchorBC || p.anchorCA && says {
			r.authority(i)
		}
		if asStands && p.anchorFree {
			continue
		}
		if c.IsCA && c.hasPathLen() && intermediates > c.MaxPathLen {
			r.add("path-length", i, text.M("chain.path-length", "subject", Name(c.Certificate), "allowed", c.MaxPathLen, "found", intermediates))
		}
		r.names(i)
		if !c.own {
			intermediates++
		}
	}
	r.policy()
	if j.in.Host != "" && !j.leaf.matchesHost(j.in.Host, j.rules.names()) {
		r.add("server-hostname", 0, j.hostEvidence())
	}
	if t.anchored {
		r.distrust(last)
		r.fetched()
	} else {
		r.out = append(r.out, j.unknown(t))
	}
	slices.SortStableFunc(r.out, func(a, b Cause) int { return cmp.Compare(kinds[a.ID].order, kinds[b.ID].order) })
	return r.out
}

// reasons collects what is wrong with one path.
type reasons struct {
	j      *judge
	t      *trail
	pinned bool
	out    []Cause
}

// add takes a finer code or a finding id. What the rules at hand do not look
// at is dropped.
func (r *reasons) add(id string, depth int, why text.Msg) {
	if slices.Contains(r.j.rules.profile.skip, id) || r.pinned && id != "server-hostname" {
		return
	}
	c := Cause{ID: id, Depth: depth, Subject: Name(r.t.certs[depth].Certificate), Evidence: []text.Msg{why}}
	if full, ok := codeIDs[id]; ok {
		c.ID, c.Code = full, id
	}
	r.out = append(r.out, c)
}

func (r *reasons) time(i int) {
	c, now := r.t.certs[i], r.j.now
	why := text.Msg{Args: text.Args{
		"subject": Name(c.Certificate), "from": day(c.NotBefore), "until": day(c.NotAfter), "at": stamp(now),
	}}
	switch {
	case now.After(c.NotAfter):
		why.Key = "chain.expired"
		r.add("server-expired", i, why)
	case now.Before(c.NotBefore):
		why.Key = "chain.not-yet-valid"
		r.add("server-not-yet-valid", i, why)
	}
}

func (r *reasons) strength(i int) {
	c := r.t.certs[i]
	name := Name(c.Certificate)
	kind, bits := keyBits(c.Certificate)
	least := cmp.Or(r.j.rules.profile.minRSA, minRSABits)
	if kind == "RSA" && (bits < least || bits > maxRSABits) || kind == "DSA" || bits == 0 {
		r.add("weak-key", i, text.M("chain.weak-key", "subject", name, "kind", kind, "bits", bits))
	}
	switch algorithm := c.SignatureAlgorithm; {
	case i < len(r.t.sigs) && r.t.sigs[i] == sigUnknown: // no rules let pass what was not verified
		r.add("unread-signature", i, text.M("chain.unread-signature", "subject", name, "algorithm", algorithm.String()))
	case i == len(r.t.certs)-1 && c.own: // its own signature proves nothing, so its strength says nothing
	case weakSignature(algorithm):
		r.add("weak-signature", i, text.M("chain.weak-signature", "subject", name, "algorithm", algorithm.String()))
	}
}

// content is what a certificate says of itself.
func (r *reasons) content(i int) {
	c, p := r.t.certs[i], &r.j.rules.profile
	name := Name(c.Certificate)
	if crit := c.unknownCritical(p.processes); len(crit) > 0 {
		r.add("critical-extension", i, text.M("chain.critical", "subject", name, "oid", strings.Join(crit[:min(len(crit), 3)], ", ")))
	}
	if c.altNames().badSAN {
		r.add("malformed", i, text.M("chain.malformed-names", "subject", name))
	}
	if c.refusesServerAuth() && (i == 0 || !p.anyCAUse) {
		r.add("eku", i, text.M("chain.eku", "subject", name, "usages", usages(c)))
	}
	if i > 0 {
		return
	}
	if c.IsCA && p.leafNotCA {
		r.add("leaf-ca", i, text.M("chain.leaf-ca", "subject", name))
	}
	if p.leafDays > 0 && c.NotAfter.Sub(c.NotBefore) > time.Duration(p.leafDays)*24*time.Hour+time.Second {
		r.add("lifetime", i, text.M("chain.lifetime", "subject", name, "days", p.leafDays))
	}
}

// authority is whether a certificate may sign others.
func (r *reasons) authority(i int) {
	c := r.t.certs[i]
	name, child := Name(c.Certificate), Name(r.t.certs[i-1].Certificate)
	if !c.BasicConstraintsValid || !c.IsCA {
		r.add("issuer-not-ca", i, text.M("chain.not-ca", "subject", name, "child", child))
	}
	if _, ok := c.extension(oidKeyUsage); ok && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		r.add("issuer-key-usage", i, text.M("chain.key-usage", "subject", name, "child", child))
	}
}

// names holds every name below a CA against its constraints; self-issued
// certificates in between are exempt.
func (r *reasons) names(i int) {
	ca := r.t.certs[i]
	for k := i - 1; k >= 0; k-- {
		if k > 0 && r.t.certs[k].own {
			continue
		}
		if why, ok := ca.constraints().check(r.t.certs[k], Name(ca.Certificate), k == 0 && r.j.rules.profile.boundCN, &r.j.comparisons); !ok {
			r.add("name-constraint", k, why)
			return
		}
	}
}

// distrust asks the root programme.
func (r *reasons) distrust(last int) {
	anchor := r.t.certs[last]
	if anchor.distrust == nil {
		return
	}
	plain := make([]*x509.Certificate, 0, len(r.t.certs))
	for _, c := range r.t.certs {
		plain = append(plain, c.Certificate)
	}
	if err := anchor.distrust(plain); err != nil {
		r.add("distrusted", last, text.M("chain.distrusted", "subject", Name(anchor.Certificate), "error", printable(err.Error())))
	}
}

// fetched is the cause of a chain that stands only with what the server did
// not send.
func (r *reasons) fetched() {
	if r.j.rules.FetchesIssuers {
		return
	}
	for i, c := range r.t.certs {
		if c.origin == FromFetched && !c.anchor {
			r.out = append(r.out, Cause{
				ID: "server-incomplete-chain", completed: true, Depth: i, Subject: Name(c.Certificate),
				Evidence: []text.Msg{text.M("chain.not-sent", "subject", Name(c.Certificate), "child", Name(r.t.certs[i-1].Certificate))},
			})
			return
		}
	}
}

// refusesServerAuth reports whether an extended key usage leaves out TLS
// servers; for a CA it bounds what lies below.
func (c *cert) refusesServerAuth() bool {
	if _, ok := c.extension(oidEKU); !ok {
		return false
	}
	return !slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageAny || u == x509.ExtKeyUsageServerAuth
	})
}

func usages(c *cert) string {
	var out []string
	for _, u := range c.ExtKeyUsage {
		out = append(out, u.String())
	}
	for _, oid := range c.UnknownExtKeyUsage {
		out = append(out, oid.String())
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out[:min(len(out), 4)], ", ")
}

func (j *judge) hostEvidence() text.Msg {
	if j.hostCause == nil {
		why := j.hostMismatch()
		j.hostCause = &why
	}
	return *j.hostCause
}

func (j *judge) hostMismatch() text.Msg {
	host := ShowHost(j.in.Host)
	var names []string
	for _, n := range j.leaf.altNames().list {
		switch n.kind {
		case kindDNS:
			names = append(names, ShowHost(n.value))
		case kindIP:
			names = append(names, n.show())
		}
	}
	if len(names) == 0 {
		if j.leaf.Subject.CommonName != "" {
			return text.M("chain.hostname-cn", "host", host, "cn", printable(j.leaf.Subject.CommonName))
		}
		return text.M("chain.hostname-none", "host", host)
	}
	list := strings.Join(names[:min(len(names), 4)], ", ")
	if len(names) > 4 {
		return text.M("chain.hostname-more", "host", host, "names", list, "more", len(names)-4)
	}
	return text.M("chain.hostname", "host", host, "names", list)
}

// unknown names the end of a path that reaches no anchor. What the issuer's
// absence means depends on what was sent (PRODUCT §5).
func (j *judge) unknown(t *trail) Cause {
	depth := len(t.certs) - 1
	last := t.certs[depth]
	c := Cause{Depth: depth, Subject: Name(last.Certificate)}
	issuer := issuerName(last.Certificate)
	_, broken := j.rough[canonicalName(last.RawIssuer)]
	switch {
	case j.selfSigned(last) && depth == 0:
		c.ID, c.Evidence = "server-self-signed", []text.Msg{text.M("chain.self-signed", "subject", c.Subject, "sha256", printOf(last.Certificate))}
	case j.selfSigned(last):
		c.ID, c.Evidence = "server-private-ca", []text.Msg{text.M("chain.private-root", "subject", c.Subject, "sha256", printOf(last.Certificate))}
	case j.unread && !broken:
		c.ID, c.Code, c.Evidence = "server-malformed", "malformed", []text.Msg{text.M("chain.malformed-unread", "subject", c.Subject, "issuer", issuer)}
	case broken:
		c.ID, c.Code, c.Evidence = "server-malformed", "malformed", []text.Msg{text.M("chain.malformed-issuer", "subject", c.Subject, "issuer", issuer)}
	case j.alone:
		c.ID, c.Evidence = "server-incomplete-chain", []text.Msg{text.M("chain.incomplete", "subject", c.Subject, "issuer", issuer)}
	default:
		c.ID, c.Evidence = "server-private-ca", []text.Msg{text.M("chain.private-issuer", "subject", c.Subject, "issuer", issuer)}
	}
	return c
}

func (j *judge) malformedLeaf() Cause {
	c := Cause{ID: "server-malformed", Code: "malformed"}
	if len(j.in.Served) == 0 {
		c.Evidence = []text.Msg{text.M("chain.empty")}
		return c
	}
	_, err := x509.ParseCertificate(j.in.Served[0])
	if c.Subject, _ = roughNames(j.in.Served[0]); c.Subject == "" {
		c.Subject = "?"
	}
	c.Evidence = []text.Msg{text.M("chain.malformed", "subject", c.Subject, "error", printable(err.Error()))}
	if name, ascii, ok := unicodeName(j.in.Served[0]); ok {
		c.Evidence = append(c.Evidence, text.M("chain.unicode-name", "name", printable(name), "ascii", ascii))
	}
	return c
}

func day(t time.Time) string   { return t.UTC().Format("2006-01-02") }
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
