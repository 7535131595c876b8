package chain

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"trustfix/bundles"
)

var (
	oidSKI              = asn1.ObjectIdentifier{2, 5, 29, 14}
	oidAKI              = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	oidSAN              = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidEKU              = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// cert is a parsed certificate with what the search needs to know of it.
type cert struct {
	*x509.Certificate
	fp       [sha256.Size]byte
	id       string // subject and key: the logical CA, whatever certificate speaks for it
	origin   Origin
	served   int // position as sent, -1 if not
	anchor   bool
	distrust func([]*x509.Certificate) error

	own     bool  // RFC 5280's self-issued: the same name as issuer and subject
	self    *bool // signed by its own key, once asked
	nc      *constraints
	names   *altNames
	issuers []*cert // once asked
	asked   bool
}

func newCert(c *x509.Certificate, origin Origin, served int) *cert {
	return &cert{
		Certificate: c, fp: sha256.Sum256(c.Raw), origin: origin, served: served,
		own: isSelfIssued(c), id: string(c.RawSubject) + "\x00" + string(c.RawSubjectPublicKeyInfo),
	}
}

// extension is the value of an extension, and whether it is there.
func (c *cert) extension(oid asn1.ObjectIdentifier) (ext pkix.Extension, ok bool) {
	i := slices.IndexFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
	if i < 0 {
		return ext, false
	}
	return c.Extensions[i], true
}

// unknownCritical are the critical extensions that are not processed: those
// that the parser does not know, or that are not among known, where that is given.
// Name constraints and alternative names are read in full by this package, so
// the parser's word on those two does not count.
func (c *cert) unknownCritical(known []asn1.ObjectIdentifier) []string {
	var out []string
	for _, e := range c.Extensions {
		if !e.Critical || e.Id.Equal(oidNameConstraints) || e.Id.Equal(oidSAN) {
			continue
		}
		if slices.ContainsFunc(c.UnhandledCriticalExtensions, e.Id.Equal) || known != nil && !slices.ContainsFunc(known, e.Id.Equal) {
			out = append(out, e.Id.String())
		}
	}
	return out
}

// Name is how a certificate is called in a sentence: its common name, else
// its first DNS name, else the whole subject.
func Name(c *x509.Certificate) string {
	switch {
	case c.Subject.CommonName != "":
		return printable(c.Subject.CommonName)
	case len(c.DNSNames) > 0:
		return printable(c.DNSNames[0])
	case c.Subject.String() != "":
		return printable(c.Subject.String())
	}
	return "?"
}

func issuerName(c *x509.Certificate) string {
	if c.Issuer.CommonName != "" {
		return printable(c.Issuer.CommonName)
	}
	if s := c.Issuer.String(); s != "" {
		return printable(s)
	}
	return "?"
}

// printable keeps what a certificate says from steering a terminal or
// flooding it.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x202e || r == 0x2028 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 120 {
		s = string(r[:119]) + "…"
	}
	return s
}

// sameName compares two DER names as RFC 5280 §7.1 does: letter case and
// runs of spaces do not count.
func sameName(a, b []byte) bool {
	return bytes.Equal(a, b) || canonicalName(a) == canonicalName(b)
}

// canonicalName folds the strings of a DER name; a name that does not parse
// stands for itself.
func canonicalName(raw []byte) string {
	rdns, ok := parseName(raw)
	if !ok {
		return string(raw)
	}
	return strings.Join(rdns, "\x01")
}

// parseName splits a DER name into its folded RDNs.
func parseName(raw []byte) ([]string, bool) {
	in := cryptobyte.String(raw)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, casn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	var rdns []string
	for !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, casn1.SET) {
			return nil, false
		}
		var atvs []string
		for !set.Empty() {
			var atv, oid, value cryptobyte.String
			var tag casn1.Tag
			if !set.ReadASN1(&atv, casn1.SEQUENCE) || !atv.ReadASN1(&oid, casn1.OBJECT_IDENTIFIER) || !atv.ReadAnyASN1(&value, &tag) {
				return nil, false
			}
			atvs = append(atvs, string(oid)+"="+foldString(value, tag))
		}
		if len(atvs) > 1 {
			slices.Sort(atvs)
		}
		rdns = append(rdns, strings.Join(atvs, "+"))
	}
	return rdns, true
}

// foldString is a name's string without regard to its ASN.1 type, to letter
// case and to runs of spaces; what is no string stands for itself.
func foldString(v []byte, tag casn1.Tag) string {
	s := string(v)
	switch tag {
	case casn1.PrintableString, casn1.UTF8String, casn1.IA5String, casn1.T61String, casn1.Tag(26): // VisibleString
	case casn1.Tag(30): // BMPString
		var b strings.Builder
		for i := 0; i+1 < len(v); i += 2 {
			b.WriteRune(rune(v[i])<<8 | rune(v[i+1]))
		}
		s = b.String()
	default:
		return "#" + string(rune('0'+int(tag)%64)) + s
	}
	if strings.Contains(s, "  ") || strings.TrimSpace(s) != s {
		s = strings.Join(strings.Fields(s), " ")
	}
	return strings.ToLower(s)
}

// roughNames reads subject and issuer out of a certificate that does not
// parse otherwise.
func roughNames(der []byte) (subject, issuer string) {
	s, i := roughRawNames(der)
	return showName(s), showName(i)
}

// showName is a DER name for people, "" if it is none.
func showName(raw []byte) string {
	var n pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &n); err != nil || len(rest) > 0 {
		return ""
	}
	return printable(n.String())
}

func roughRawNames(der []byte) (subject, issuer []byte) {
	subject, issuer, _ = roughParts(der)
	return subject, issuer
}

// roughParts are the names of a certificate, and what follows the subject.
func roughParts(der []byte) (subject, issuer []byte, rest cryptobyte.String) {
	in := cryptobyte.String(der)
	var cert, tbs, subj, iss cryptobyte.String
	if in.ReadASN1(&cert, casn1.SEQUENCE) && cert.ReadASN1(&tbs, casn1.SEQUENCE) &&
		tbs.SkipOptionalASN1(casn1.Tag(0).Constructed().ContextSpecific()) &&
		tbs.SkipASN1(casn1.INTEGER) && tbs.SkipASN1(casn1.SEQUENCE) &&
		tbs.ReadASN1Element(&iss, casn1.SEQUENCE) && tbs.SkipASN1(casn1.SEQUENCE) &&
		tbs.ReadASN1Element(&subj, casn1.SEQUENCE) {
		return subj, iss, tbs
	}
	return nil, iss, nil
}

// roughSAN is the value of the subject alternative names in a certificate that
// does not parse otherwise; nil if there are none.
func roughSAN(der []byte) []byte {
	_, _, tbs := roughParts(der)
	var exts, list, ext, oid, value cryptobyte.String
	if !tbs.SkipASN1(casn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(casn1.Tag(1).ContextSpecific()) || !tbs.SkipOptionalASN1(casn1.Tag(2).ContextSpecific()) ||
		!tbs.ReadASN1(&exts, casn1.Tag(3).Constructed().ContextSpecific()) || !exts.ReadASN1(&list, casn1.SEQUENCE) {
		return nil
	}
	for !list.Empty() {
		if !list.ReadASN1(&ext, casn1.SEQUENCE) || !ext.ReadASN1(&oid, casn1.OBJECT_IDENTIFIER) ||
			!ext.SkipOptionalASN1(casn1.BOOLEAN) || !ext.ReadASN1(&value, casn1.OCTET_STRING) {
			return nil
		}
		if string(oid) == "\x55\x1d\x11" {
			return value
		}
	}
	return nil
}

func printOf(c *x509.Certificate) string { return bundles.Fingerprint(c.Raw) }

func isSelfIssued(c *x509.Certificate) bool { return sameName(c.RawSubject, c.RawIssuer) }
