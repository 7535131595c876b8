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

// findings are the finer codes with their ids.
var codeIDs = map[string]string{
	"bad-signature": "server-forged", "issuer-not-ca": "server-forged", "issuer-key-usage": "server-forged",
	"path-length": "server-constraint", "name-constraint": "server-constraint", "eku": "server-constraint",
	"critical-extension": "server-constraint", "distrusted": "server-constraint", "leaf-ca": "server-constraint",
	"no-way-back": "server-constraint", "lifetime": "server-constraint",
	"weak-key": "server-weak", "weak-signature": "server-weak", "malformed": "server-malformed",
}

// Least RSA key, in bits, that RFC 5280 judgement takes.
const minRSABits = 2048

// check is every reason why a path does not stand, most fundamental first.
func (j *judge) check(t *trail) []Cause {
	var out []Cause
	last := len(t.certs) - 1
	pinned := j.rules.profile.pinned && t.anchored && last == 0
	add := func(id string, depth int, why text.Msg) {
		if slices.Contains(j.rules.profile.skip, id) || pinned && id != "server-hostname" {
			return
		}
		c := Cause{ID: id, Depth: depth, Subject: Name(t.certs[depth].Certificate), Evidence: []text.Msg{why}}
		if full, ok := codeIDs[id]; ok {
			c.ID, c.Code = full, id
		}
		out = append(out, c)
	}
	intermediates := 0 // not self-issued, below the current one
	for i, c := range t.certs {
		name := Name(c.Certificate)
		asStands := t.anchored && i == last
		if !asStands || i == 0 || j.rules.profile.anchorTime {
			j.checkTime(c, i, add)
		}
		if i == 0 && c.IsCA && j.rules.profile.leafNotCA {
			add("leaf-ca", i, text.M("chain.leaf-ca", "subject", name))
		}
		if !asStands || i == 0 {
			j.checkStrength(c, i, t, add)
			if crit := c.unknownCritical(); len(crit) > 0 {
				add("critical-extension", i, text.M("chain.critical", "subject", name, "oid", strings.Join(crit[:min(len(crit), 3)], ", ")))
			}
			if days := j.rules.profile.leafDays; i == 0 && days > 0 && c.NotAfter.Sub(c.NotBefore) > time.Duration(days)*24*time.Hour+time.Second {
				add("lifetime", i, text.M("chain.lifetime", "subject", name, "days", days))
			}
			if c.altNames().badSAN {
				add("malformed", i, text.M("chain.malformed-names", "subject", name))
			}
			if c.refusesServerAuth() && (i == 0 || !j.rules.profile.anyCAUse) {
				add("eku", i, text.M("chain.eku", "subject", name, "usages", usages(c)))
			}
		}
		if i < last && t.sigs[i] == sigBad {
			why := text.M("chain.bad-signature", "subject", name, "issuer", Name(t.certs[i+1].Certificate))
			if !keyIDsAgree(c, t.certs[i+1]) {
				why = text.M("chain.other-key", "subject", name, "issuer", Name(t.certs[i+1].Certificate))
			}
			add("bad-signature", i, why)
		}
		if i == 0 {
			continue
		}
		if !asStands || j.rules.profile.anchorCA {
			if !c.BasicConstraintsValid || !c.IsCA {
				add("issuer-not-ca", i, text.M("chain.not-ca", "subject", name, "child", Name(t.certs[i-1].Certificate)))
			}
			if _, ok := c.extension(oidKeyUsage); ok && c.KeyUsage&x509.KeyUsageCertSign == 0 {
				add("issuer-key-usage", i, text.M("chain.key-usage", "subject", name, "child", Name(t.certs[i-1].Certificate)))
			}
		}
		if c.IsCA && c.hasPathLen() && intermediates > c.MaxPathLen {
			add("path-length", i, text.M("chain.path-length", "subject", name, "allowed", c.MaxPathLen, "found", intermediates))
		}
		for k := i - 1; k >= 0; k-- {
			if k > 0 && t.certs[k].selfIssued() {
				continue
			}
			if why, ok := c.constraints().check(t.certs[k], name, &j.comparisons); !ok {
				add("name-constraint", k, why)
				break
			}
		}
		if !c.selfIssued() {
			intermediates++
		}
	}
	if j.in.Host != "" && !j.leaf.matchesHost(j.in.Host, j.rules.names()) {
		add("server-hostname", 0, j.hostEvidence())
	}
	if anchor := t.certs[last]; t.anchored && anchor.distrust != nil {
		plain := make([]*x509.Certificate, 0, len(t.certs))
		for _, c := range t.certs {
			plain = append(plain, c.Certificate)
		}
		if err := anchor.distrust(plain); err != nil {
			add("distrusted", last, text.M("chain.distrusted", "subject", Name(anchor.Certificate), "error", printable(err.Error())))
		}
	}
	if !t.anchored {
		out = append(out, j.unknown(t))
	} else if len(out) == 0 || !slices.ContainsFunc(out, func(c Cause) bool { return c.ID == "server-forged" }) {
		out = append(out, j.completed(t)...)
	}
	slices.SortStableFunc(out, func(a, b Cause) int { return cmp.Compare(kinds[a.ID].order, kinds[b.ID].order) })
	return out
}

func (j *judge) checkTime(c *cert, i int, add func(string, int, text.Msg)) {
	why := func(key string) text.Msg {
		args := text.Args{
			"subject": Name(c.Certificate), "from": day(c.NotBefore), "until": day(c.NotAfter), "at": stamp(j.now),
		}
		return text.Msg{Key: key, Args: args}
	}
	switch {
	case j.now.After(c.NotAfter):
		add("server-expired", i, why("chain.expired"))
	case j.now.Before(c.NotBefore):
		add("server-not-yet-valid", i, why("chain.not-yet-valid"))
	}
}

func (j *judge) checkStrength(c *cert, i int, t *trail, add func(string, int, text.Msg)) {
	name := Name(c.Certificate)
	kind, bits := keyBits(c.Certificate)
	switch {
	case kind == "RSA" && (bits < cmp.Or(j.rules.profile.minRSA, minRSABits) || bits > maxRSABits), kind == "DSA", bits == 0:
		add("weak-key", i, text.M("chain.weak-key", "subject", name, "kind", kind, "bits", bits))
	}
	// A signature of its own proves nothing, so its strength says nothing.
	if own := i == len(t.certs)-1 && c.selfIssued(); own {
		return
	}
	if weakHash(c.SignatureAlgorithm) {
		add("weak-signature", i, text.M("chain.weak-signature", "subject", name, "algorithm", c.SignatureAlgorithm.String()))
	} else if i < len(t.sigs) && t.sigs[i] == sigUnknown {
		add("weak-signature", i, text.M("chain.unread-signature", "subject", name, "algorithm", c.SignatureAlgorithm.String()))
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
	host := printable(j.in.Host)
	var names []string
	for _, n := range j.leaf.altNames().list {
		if n.kind == kindDNS || n.kind == kindIP {
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
	case broken:
		c.ID, c.Code, c.Evidence = "server-malformed", "malformed", []text.Msg{text.M("chain.malformed-issuer", "subject", c.Subject, "issuer", issuer)}
	case j.alone:
		c.ID, c.Evidence = "server-incomplete-chain", []text.Msg{text.M("chain.incomplete", "subject", c.Subject, "issuer", issuer)}
	default:
		c.ID, c.Evidence = "server-private-ca", []text.Msg{text.M("chain.private-issuer", "subject", c.Subject, "issuer", issuer)}
	}
	return c
}

// completed is the cause of a chain that only stands with fetched
// certificates.
func (j *judge) completed(t *trail) []Cause {
	for i, c := range t.certs {
		if c.origin == FromFetched && !c.anchor && !j.rules.FetchesIssuers {
			return []Cause{{
				ID: "server-incomplete-chain", completed: true, Depth: i, Subject: Name(c.Certificate),
				Evidence: []text.Msg{text.M("chain.not-sent", "subject", Name(c.Certificate), "child", Name(t.certs[i-1].Certificate))},
			}}
		}
	}
	return nil
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
	return c
}

func day(t time.Time) string   { return t.UTC().Format("2006-01-02") }
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
