package detect

import (
	"bytes"
	"crypto/sha1" // #nosec G505 -- the name of OpenSSL's links, no security depends on it
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"trustfix/bundles"
	"trustfix/platform"
)

// indexState is what is wrong with the directory of hash links.
type indexState struct {
	missing []*x509.Certificate // roots of the bundle that no live link leads to
	links   int                 // live links
	dead    int                 // dangling ones
	many    map[string][]string // administrator's files that hold several certificates, with those that get no link
}

// index compares the bundle with the hash links that programs which read the
// directory (wget, git, apt) go by. Roots that only stand in the bundle, were
// deselected, or never get a link do not count.
func (s *Store) index(v *platform.View) {
	l := s.Layout
	if !l.Hashes || l.HashDir == "" || !s.usable() || len(s.Certs) == 0 {
		return
	}
	names, err := v.Files.ReadDir(l.HashDir)
	if err != nil {
		return
	}
	live := map[string]int{}
	for _, n := range names {
		hash, ok := hashLink(n)
		if !ok {
			continue
		}
		if _, err := v.Files.Stat(path.Join(l.HashDir, n)); err != nil {
			s.state.index.dead++
			continue
		}
		live[hash]++
		s.state.index.links++
	}
	var missing []*x509.Certificate
	for _, c := range s.Certs {
		h := SubjectHash(c.RawSubject)
		if live[h]--; live[h] < 0 {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return
	}
	refused := map[string]bool{}
	for _, d := range slices.Concat(s.Deselected, s.state.refused) {
		refused[d.Print] = true
	}
	src := StoreSources(v, l)
	if len(src.Vendor) == 0 && s.state.index.links+s.state.index.dead == 0 {
		return // a bundle from elsewhere: nobody ever made links for it
	}
	for _, c := range missing {
		fp := bundles.Fingerprint(c.Raw)
		own, isOwn := src.Own[fp]
		_, vendor := src.Vendor[fp]
		switch {
		case refused[fp]:
		case isOwn && src.Many[fp] && !vendor:
			if s.state.index.many == nil {
				s.state.index.many = map[string][]string{}
			}
			s.state.index.many[own] = append(s.state.index.many[own], bundles.Name(c))
		case isOwn || vendor || s.state.index.dead > 0 && len(src.Vendor) == 0:
			s.state.index.missing = append(s.state.index.missing, c)
		}
	}
}

// hashLink splits the name of a hash link: eight hex digits, a dot, a number.
func hashLink(name string) (hash string, ok bool) {
	hash, num, ok := strings.Cut(name, ".")
	return hash, ok && len(hash) == 8 && strings.Trim(hash, "0123456789abcdef") == "" && num != "" && strings.Trim(num, "0123456789") == ""
}

// SubjectHash is OpenSSL's X509_NAME_hash (since 1.0.0): the first four bytes,
// little endian, of the SHA-1 of the canonical form of a name, in which text is
// UTF-8, lower-case in ASCII, with single spaces and none at the ends, and the
// outer SEQUENCE is left out. "" for a name that is not DER.
func SubjectHash(rawSubject []byte) string {
	var rdns []asn1.RawValue
	if rest, err := asn1.Unmarshal(rawSubject, &rdns); err != nil || len(rest) > 0 {
		return ""
	}
	var canon []byte
	for _, rdn := range rdns {
		var attrs [][]byte
		for rest := rdn.Bytes; len(rest) > 0; {
			var attr struct {
				Type  asn1.ObjectIdentifier
				Value asn1.RawValue
			}
			var err error
			if rest, err = asn1.Unmarshal(rest, &attr); err != nil {
				return ""
			}
			if s, ok := nameText(attr.Value); ok {
				attr.Value = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: s}
			}
			der, err := asn1.Marshal(attr)
			if err != nil {
				return ""
			}
			attrs = append(attrs, der)
		}
		slices.SortFunc(attrs, bytes.Compare) // DER sorts a SET OF
		set, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: bytes.Join(attrs, nil)})
		if err != nil {
			return ""
		}
		canon = append(canon, set...)
	}
	sum := sha1.Sum(canon) // #nosec G401 -- see the import
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(sum[:4]))
}

// nameText is the canonical text of an attribute of one of the string types
// that OpenSSL converts.
func nameText(v asn1.RawValue) ([]byte, bool) {
	const tagUniversal, tagVisible, tagT61 = 28, 26, 20
	var s []byte
	if v.Class != asn1.ClassUniversal {
		return nil, false
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, tagVisible:
		s = v.Bytes
	case tagT61: // as Latin-1
		for _, b := range v.Bytes {
			s = append(s, string(rune(b))...)
		}
	case asn1.TagBMPString:
		u := make([]uint16, 0, len(v.Bytes)/2)
		for i := 0; i+1 < len(v.Bytes); i += 2 {
			u = append(u, binary.BigEndian.Uint16(v.Bytes[i:]))
		}
		s = []byte(string(utf16.Decode(u)))
	case tagUniversal:
		for i := 0; i+3 < len(v.Bytes); i += 4 {
			s = append(s, string(rune(binary.BigEndian.Uint32(v.Bytes[i:])))...)
		}
	default:
		return nil, false
	}
	var out []byte
	space := false
	for _, b := range s {
		switch {
		case b == ' ' || b >= '\t' && b <= '\r':
			space = len(out) > 0
			continue
		case b >= 'A' && b <= 'Z':
			b += 'a' - 'A'
		}
		if space {
			out, space = append(out, ' '), false
		}
		out = append(out, b)
	}
	return out, true
}
