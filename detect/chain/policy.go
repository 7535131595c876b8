package chain

import (
	"slices"

	"trustfix/internal/text"
)

const anyPolicy = "2.5.29.32.0"

// policies are the certificate policies that are still valid at a certificate
// of a path, by the names that the next one has to use for them. Of RFC 5280's
// tree no more is needed where any policy will do: whether it is empty.
type policies map[string]bool

// policy is RFC 5280 §6.1 for the certificates below the anchor: where one of
// them asks for an explicit policy, there has to be one that all agree on.
func (r *reasons) policy() {
	if !slices.ContainsFunc(r.t.certs, func(c *cert) bool {
		return c.RequireExplicitPolicy > 0 || c.RequireExplicitPolicyZero || len(c.PolicyMappings) > 0
	}) {
		return
	}
	n := len(r.t.certs)
	if r.t.anchored && n > 1 {
		n-- // the anchor is taken as it stands
	}
	explicit, mapping, anyLeft := n+1, n+1, n+1
	asks := 0 // who wants an explicit one
	valid := policies{anyPolicy: true}
	for i := n - 1; i >= 0; i-- {
		c := r.t.certs[i]
		valid = valid.below(c, anyLeft > 0 || i > 0 && c.own)
		if i == 0 {
			break
		}
		if explicit == 0 && len(valid) == 0 {
			break
		}
		if !valid.mapped(c, mapping > 0) {
			r.add("policy", i, text.M("chain.policy-any", "subject", Name(c.Certificate)))
			return
		}
		if !c.own {
			explicit, mapping, anyLeft = max(explicit-1, 0), max(mapping-1, 0), max(anyLeft-1, 0)
		}
		if limit, ok := limitOf(c.RequireExplicitPolicy, c.RequireExplicitPolicyZero); ok && limit < explicit {
			explicit, asks = limit, i
		}
		if limit, ok := limitOf(c.InhibitPolicyMapping, c.InhibitPolicyMappingZero); ok {
			mapping = min(mapping, limit)
		}
		if limit, ok := limitOf(c.InhibitAnyPolicy, c.InhibitAnyPolicyZero); ok {
			anyLeft = min(anyLeft, limit)
		}
	}
	leaf := r.t.certs[0]
	explicit = max(explicit-1, 0)
	if leaf.RequireExplicitPolicyZero {
		explicit = 0
	}
	if explicit == 0 && len(valid) == 0 {
		r.add("policy", asks, text.M("chain.policy", "subject", Name(r.t.certs[asks].Certificate)))
	}
}

func limitOf(n int, zero bool) (limit int, ok bool) { return n, n > 0 || zero }

// below is what c leaves of them; anyCounts says that anyPolicy in c stands for
// all of them.
func (p policies) below(c *cert, anyCounts bool) policies {
	out := policies{}
	for _, oid := range c.Policies {
		id := oid.String()
		switch {
		case id != anyPolicy && (p[id] || p[anyPolicy]):
			out[id] = true
		case id == anyPolicy && anyCounts:
			for id := range p {
				out[id] = true
			}
		}
	}
	return out
}

// mapped renames them as c says for what lies below it, or drops those where
// that is not allowed; false where c maps from or to any policy.
func (p policies) mapped(c *cert, allowed bool) bool {
	if len(c.PolicyMappings) == 0 {
		return true
	}
	fromAny := p[anyPolicy]
	var from, to []string
	for _, m := range c.PolicyMappings {
		issuer, subject := m.IssuerDomainPolicy.String(), m.SubjectDomainPolicy.String()
		if issuer == anyPolicy || subject == anyPolicy {
			return false
		}
		if from = append(from, issuer); allowed && (p[issuer] || fromAny) {
			to = append(to, subject)
		}
	}
	for _, id := range from {
		delete(p, id)
	}
	for _, id := range to {
		p[id] = true
	}
	return true
}
