package chain

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/net/idna"
)

// Kinds of GeneralName, RFC 5280 §4.2.1.6.
const (
	kindOther     = 0
	kindEmail     = 1
	kindDNS       = 2
	kindDirectory = 4
	kindURI       = 6
	kindIP        = 7
)

// altName is one GeneralName.
type altName struct {
	kind  int
	value string // ASCII names as they stand, IP and directory names as bytes
}

// altNames are the names of a certificate. all is what constraints speak of:
// the subject, the names of the extension, and an e-mail address in the
// subject where the extension has none.
type altNames struct {
	list   []altName // of the extension
	all    []altName
	badSAN bool
}

func (c *cert) altNames() *altNames {
	if c.names != nil {
		return c.names
	}
	n := &altNames{}
	c.names = n
	if ext, ok := c.extension(oidSAN); ok {
		in := cryptobyte.String(ext.Value)
		var seq cryptobyte.String
		n.badSAN = !in.ReadASN1(&seq, casn1.SEQUENCE) || !in.Empty()
		for !n.badSAN && !seq.Empty() {
			name, ok := readGeneralName(&seq)
			if n.badSAN = !ok; ok {
				n.list = append(n.list, name)
			}
		}
	}
	if len(c.Subject.Names) > 0 {
		n.all = append(n.all, altName{kindDirectory, string(c.RawSubject)})
	}
	n.all = append(n.all, n.list...)
	for _, atv := range c.Subject.Names {
		if s, ok := atv.Value.(string); ok && atv.Type.String() == "1.2.840.113549.1.9.1" && !c.hasName(kindEmail) {
			n.all = append(n.all, altName{kindEmail, s})
		}
	}
	return n
}

// readGeneralName takes one GeneralName off in: context tags 0 to 8, of which
// some are constructed.
func readGeneralName(in *cryptobyte.String) (altName, bool) {
	var v cryptobyte.String
	var tag casn1.Tag
	if !in.ReadAnyASN1(&v, &tag) {
		return altName{}, false
	}
	n := altName{int(tag & 0x1f), string(v)}
	want := casn1.Tag(n.kind).ContextSpecific()
	switch n.kind {
	case kindOther, 3, kindDirectory, 5:
		want = want.Constructed()
	}
	return n, tag == want && n.kind <= 8
}

// matchesHost reports whether a certificate is for host, a DNS name or an IP
// literal. Only subject alternative names count, as in RFC 9525; m says what
// else a client lets pass.
func (c *cert) matchesHost(host string, m nameRules) bool {
	if ip, ok := parseIP(host); ok {
		want := string(ip.AsSlice())
		for _, n := range c.altNames().list {
			if n.kind == kindIP && n.value == want {
				return true
			}
		}
		return m.CommonName && !c.hasName(kindDNS, kindIP) && c.Subject.CommonName == host && m.CommonNameIP
	}
	if m.NoUnderscore && strings.Contains(host, "_") {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, n := range c.altNames().list {
		if n.kind == kindDNS && matchesDNS(n.value, host, m) {
			return true
		}
	}
	if m.CommonNameAlone && (c.hasName(kindIP) || c.refusesServerAuth()) {
		return false
	}
	return m.CommonName && !c.hasName(kindDNS) && matchesDNS(c.Subject.CommonName, host, m)
}

func (c *cert) hasName(kinds ...int) bool {
	for _, n := range c.altNames().list {
		for _, k := range kinds {
			if n.kind == k {
				return true
			}
		}
	}
	return false
}

// ShowHost is a host name for people: one of IDNA in both its forms, what is
// looked up first, so that look-alikes are seen.
func ShowHost(host string) string {
	if !strings.Contains(host, "xn--") {
		return printable(host)
	}
	u, err := idna.Display.ToUnicode(host)
	if err != nil || u == host {
		return printable(host)
	}
	return printable(host) + " (" + printable(u) + ")"
}

// unicodeName is a DNS name in a certificate that is written in Unicode, and
// how it has to be written; the parser refuses the whole certificate for it.
func unicodeName(der []byte) (name, ascii string, ok bool) {
	in := cryptobyte.String(roughSAN(der))
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, casn1.SEQUENCE) {
		return "", "", false
	}
	for !seq.Empty() {
		n, read := readGeneralName(&seq)
		if !read {
			return "", "", false
		}
		if n.kind != kindDNS || !strings.ContainsFunc(n.value, func(r rune) bool { return r >= utf8.RuneSelf }) {
			continue
		}
		if a, err := idna.Lookup.ToASCII(n.value); err == nil {
			return n.value, a, true
		}
	}
	return "", "", false
}

func parseIP(host string) (netip.Addr, bool) {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	return ip.WithZone("").Unmap(), true
}

// nameRules is what a client allows in names.
type nameRules struct {
	CommonName      bool // falls back to the common name where there is no DNS name
	CommonNameAlone bool // not where there is an address, or another use than a server's
	CommonNameIP    bool // also for an IP address
	PartialWildcard bool // "f*.example.com"
	ShortWildcard   bool // "*.com"
	NoUnderscore    bool // in the host
}

func (r *Rules) names() nameRules {
	return nameRules{CommonName: r.CommonName, CommonNameAlone: r.CommonNameAlone, PartialWildcard: r.PartialWildcard, NoUnderscore: r.NoUnderscore}
}

func matchesDNS(pattern, host string, m nameRules) bool {
	pattern = strings.ToLower(strings.TrimSuffix(pattern, "."))
	if pattern == host {
		return validDNS(host)
	}
	first, rest, ok := strings.Cut(pattern, ".")
	label, domain, ok2 := strings.Cut(host, ".")
	if !ok || !ok2 || rest != domain || !validDNS(rest) || (!m.ShortWildcard && !strings.Contains(rest, ".")) {
		return false
	}
	if first == "*" {
		return label != ""
	}
	pre, post, ok := strings.Cut(first, "*")
	return ok && m.PartialWildcard && !strings.Contains(post, "*") && !strings.HasPrefix(first, "xn--") && !strings.HasPrefix(label, "xn--") &&
		len(label) >= len(pre)+len(post) && strings.HasPrefix(label, pre) && strings.HasSuffix(label, post)
}

// validDNS reports whether s is a host name in preferred syntax; underscores
// are let pass as everywhere.
func validDNS(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}
