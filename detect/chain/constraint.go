package chain

import (
	"encoding/hex"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"trustfix/internal/text"
)

// constraints are the name constraints of a CA certificate, RFC 5280
// §4.2.1.10.
type constraints struct {
	permitted, excluded map[int][]subtree
	bad                 bool // not to be understood: then nothing may pass
}

type subtree struct {
	kind  int
	value string
	rdns  []string // directory names
}

func (c *cert) constraints() *constraints {
	if c.nc == nil {
		c.nc = &constraints{}
		if ext, ok := c.extension(oidNameConstraints); ok {
			c.nc.parse(ext.Value)
		}
	}
	return c.nc
}

func (nc *constraints) none() bool {
	return !nc.bad && len(nc.permitted) == 0 && len(nc.excluded) == 0
}

func (nc *constraints) parse(der []byte) {
	in := cryptobyte.String(der)
	var seq, perm, excl cryptobyte.String
	var hasPerm, hasExcl bool
	if !in.ReadASN1(&seq, casn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadOptionalASN1(&perm, &hasPerm, casn1.Tag(0).ContextSpecific().Constructed()) ||
		!seq.ReadOptionalASN1(&excl, &hasExcl, casn1.Tag(1).ContextSpecific().Constructed()) || !seq.Empty() {
		nc.bad = true
		return
	}
	nc.permitted, nc.excluded = nc.subtrees(perm), nc.subtrees(excl)
}

func (nc *constraints) subtrees(in cryptobyte.String) map[int][]subtree {
	out := map[int][]subtree{}
	for !in.Empty() {
		var tree cryptobyte.String
		if !in.ReadASN1(&tree, casn1.SEQUENCE) {
			nc.bad = true
			return out
		}
		name, ok := readGeneralName(&tree)
		if !ok || !tree.Empty() { // minimum and maximum are not for the Internet
			nc.bad = true
			return out
		}
		s := subtree{kind: name.kind, value: name.value}
		switch name.kind {
		case kindDirectory:
			s.rdns, ok = parseName([]byte(name.value))
		case kindIP:
			ok = len(name.value) == 8 || len(name.value) == 32
		case kindDNS:
			s.value = strings.ToLower(name.value)
			ok = s.value == "" || validDNS(strings.TrimPrefix(s.value, "."))
		case kindEmail, kindURI:
			_, host, at := strings.Cut(name.value, "@")
			if !at {
				host = name.value
			}
			ok = host == "" || validDNS(strings.TrimPrefix(host, "."))
		}
		nc.bad = nc.bad || !ok
		out[name.kind] = append(out[name.kind], s)
	}
	return out
}

// check holds a certificate's names against the constraints of ca. It
// returns the first violation as evidence; commonName says that the common name
// counts where there is no DNS name; budget bounds the comparisons.
func (nc *constraints) check(c *cert, ca string, commonName bool, budget *int) (text.Msg, bool) {
	names := c.altNames()
	if nc.none() {
		return text.Msg{}, true
	}
	if nc.bad || names.badSAN {
		return text.M("chain.constraint-unread", "ca", ca), false
	}
	all := names.all
	if cn := c.Subject.CommonName; commonName && !c.hasName(kindDNS) && validDNS(cn) {
		all = append(slices.Clip(all), altName{kindDNS, cn})
	}
	for _, n := range all {
		perm, excl := nc.permitted[n.kind], nc.excluded[n.kind]
		if *budget -= 1 + len(perm) + len(excl); *budget < 0 {
			return text.M("chain.constraint-many", "ca", ca), false
		}
		if len(perm) == 0 && len(excl) == 0 {
			continue
		}
		m, ok := newMatcher(n)
		if !ok {
			return text.M("chain.constraint-name", "ca", ca, "name", n.show()), false
		}
		for _, s := range excl {
			if m.within(s, true) {
				return text.M("chain.constraint-excluded", "ca", ca, "name", n.show(), "subtree", s.show()), false
			}
		}
		inside := len(perm) == 0
		for _, s := range perm {
			if inside = m.within(s, false); inside {
				break
			}
		}
		if !inside {
			return text.M("chain.constraint-outside", "ca", ca, "name", n.show()), false
		}
	}
	return text.Msg{}, true
}

func (n altName) show() string { return subtree{kind: n.kind, value: n.value}.show() }

func (s subtree) show() string {
	switch s.kind {
	case kindIP:
		b := []byte(s.value)
		if a, ok := netip.AddrFromSlice(b); ok && len(b) != 8 {
			return a.String()
		}
		if a, ok := netip.AddrFromSlice(b[:len(b)/2]); ok {
			return a.String() + "/" + hex.EncodeToString(b[len(b)/2:])
		}
	case kindDirectory:
		return showName([]byte(s.value))
	case kindEmail, kindDNS, kindURI:
		return printable(s.value)
	}
	return "#" + string(rune('0'+s.kind%10))
}

// matcher is a name made ready for many comparisons.
type matcher struct {
	altName
	local, host string // of an e-mail address; host of a URI or DNS name
	wildcard    bool
	rdns        []string
}

func newMatcher(n altName) (m matcher, ok bool) {
	m.altName = n
	switch n.kind {
	case kindDNS:
		m.host = strings.ToLower(strings.TrimSuffix(n.value, "."))
		m.wildcard = strings.HasPrefix(m.host, "*.")
		m.host = strings.TrimPrefix(m.host, "*.")
		return m, validDNS(m.host)
	case kindEmail:
		i := strings.LastIndexByte(n.value, '@')
		if i < 1 {
			return m, false
		}
		m.local, m.host = n.value[:i], strings.ToLower(n.value[i+1:])
		return m, validDNS(m.host)
	case kindURI:
		u, err := url.Parse(n.value)
		if err != nil {
			return m, false
		}
		m.host = strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		_, isIP := parseIP(m.host)
		return m, !isIP && validDNS(m.host)
	case kindIP:
		return m, len(n.value) == 4 || len(n.value) == 16
	case kindDirectory:
		m.rdns, ok = parseName([]byte(n.value))
		return m, ok
	}
	return m, false // a kind nobody here can compare: RFC 5280 says refuse
}

// within reports whether the name lies in the subtree. For an excluded
// subtree a wildcard lies within if any name it stands for does.
func (m matcher) within(s subtree, excluded bool) bool {
	switch m.kind {
	case kindDNS:
		base := strings.TrimPrefix(s.value, ".")
		if s.value == "" || strings.HasSuffix(m.host, "."+base) || (m.host == base && (s.value == base || m.wildcard)) {
			return true
		}
		if !excluded || !m.wildcard {
			return false
		}
		label, rest, ok := strings.Cut(s.value, ".")
		return ok && label != "" && rest == m.host
	case kindEmail:
		if i := strings.LastIndexByte(s.value, '@'); i >= 0 {
			return m.local == s.value[:i] && m.host == strings.ToLower(s.value[i+1:])
		}
		return underHost(m.host, s.value)
	case kindURI:
		return underHost(m.host, s.value)
	case kindIP:
		n := len(m.value)
		if len(s.value) != 2*n {
			return false
		}
		for i := range n {
			if (m.value[i]^s.value[i])&s.value[n+i] != 0 {
				return false
			}
		}
		return true
	case kindDirectory:
		if len(s.rdns) > len(m.rdns) {
			return false
		}
		for i, r := range s.rdns {
			if m.rdns[i] != r {
				return false
			}
		}
		return true
	}
	return false
}

// underHost is the rule of e-mail and URI constraints: a host stands for
// itself, a leading period for everything below.
func underHost(host, constraint string) bool {
	constraint = strings.ToLower(constraint)
	if strings.HasPrefix(constraint, ".") {
		return strings.HasSuffix(host, constraint) && len(host) > len(constraint)
	}
	return constraint == "" || host == constraint
}
