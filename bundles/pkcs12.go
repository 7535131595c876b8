package bundles

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

	stdasn1 "encoding/asn1"
)

var (
	oidData      = stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidEncrypted = stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	oidCertBag   = stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}
	oidPBES2     = stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBMAC1    = stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}
	// oidTrusted marks a certificate as an anchor; Java overlooks one without it.
	oidTrusted = stdasn1.ObjectIdentifier{2, 16, 840, 1, 113894, 746875, 1, 1}

	tag0 = asn1.Tag(0).ContextSpecific().Constructed()
)

// maxRounds bounds what a file can make us compute for a password; Java's own
// stores have 10,000.
const maxRounds = 1_000_000

// isPFX reports whether data begins as a PKCS#12 file does: a sequence that
// opens with the version 3.
func isPFX(data []byte) bool {
	if len(data) < 16 || data[0] != 0x30 {
		return false
	}
	head := 2
	if data[1]&0x80 != 0 {
		head += int(data[1] & 0x7f)
	}
	return head < 10 && bytes.HasPrefix(data[head:], []byte{2, 1, 3, 0x30})
}

// pfx is a PKCS#12 file taken apart as far as no password is needed.
type pfx struct {
	bags      []cryptobyte.String // SafeContents that are not encrypted
	encrypted int                 // those that are
	mac       bool
	rounds    int64 // the most that a password has to go through
}

func readPFX(data []byte, password string) (KeyStore, error) {
	k := KeyStore{Format: "PKCS12"}
	p, ok := parsePFX(data)
	if !ok {
		// Java reads BER too, so a shape that is not DER proves nothing but
		// where the file ends before its first element does.
		if _, _, whole := element(data, 0x30); !whole && data[1] != 0x80 {
			return k, fmt.Errorf("%w: cut or damaged", ErrStoreBroken)
		}
		return k, fmt.Errorf("%w: a PKCS#12 file of an unknown shape", ErrStoreUnread)
	}
	seen := map[string]bool{}
	if password != "" && p.mac {
		if p.rounds > maxRounds {
			return k, fmt.Errorf("%w: a password of %d rounds", ErrStoreUnread, p.rounds)
		}
		certs, err := pkcs12.DecodeTrustStore(data, password)
		switch {
		case err == nil:
			for _, c := range certs {
				k.anchor(seen, "", c.Raw)
			}
			return k, nil
		case errors.Is(err, pkcs12.ErrIncorrectPassword):
			return k, ErrStorePassword
		case p.encrypted > 0:
			return k, fmt.Errorf("%w: %w", ErrStoreUnread, err)
		}
	} else if password != "" && p.encrypted > 0 {
		return k, fmt.Errorf("%w: encrypted without a check of its password", ErrStoreUnread)
	}
	k.Hidden = p.encrypted
	for _, bag := range p.bags {
		if !k.readBags(seen, bag) {
			return k, fmt.Errorf("%w: a PKCS#12 file of an unknown shape", ErrStoreUnread)
		}
	}
	return k, nil
}

// parsePFX reads PFX, its ContentInfo and the AuthenticatedSafe in that.
func parsePFX(data []byte) (p pfx, ok bool) {
	in := cryptobyte.String(data)
	var body, safe, infos cryptobyte.String
	var version int64
	if !in.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 3 ||
		!content(&body, oidData, &safe) || !safe.ReadASN1(&infos, asn1.OCTET_STRING) {
		return p, false
	}
	if !body.Empty() {
		if p.mac = true; !p.macRounds(&body) {
			return p, false
		}
	}
	if !infos.ReadASN1(&infos, asn1.SEQUENCE) {
		return p, false
	}
	for !infos.Empty() {
		var info, inner cryptobyte.String
		var id stdasn1.ObjectIdentifier
		if !infos.ReadASN1(&info, asn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&id) || !info.ReadASN1(&inner, tag0) {
			return p, false
		}
		switch {
		case id.Equal(oidData):
			if !inner.ReadASN1(&inner, asn1.OCTET_STRING) {
				return p, false
			}
			p.bags = append(p.bags, inner)
		case id.Equal(oidEncrypted):
			p.encrypted++
			if !p.encryptedRounds(inner) {
				return p, false
			}
		default: // sealed for somebody's key, which no trust store is
			return p, false
		}
	}
	return p, true
}

// content reads a ContentInfo of one kind.
func content(in *cryptobyte.String, kind stdasn1.ObjectIdentifier, out *cryptobyte.String) bool {
	var info cryptobyte.String
	var id stdasn1.ObjectIdentifier
	return in.ReadASN1(&info, asn1.SEQUENCE) && info.ReadASN1ObjectIdentifier(&id) && id.Equal(kind) && info.ReadASN1(out, tag0)
}

// macRounds notes the rounds of MacData.
func (p *pfx) macRounds(in *cryptobyte.String) bool {
	var mac, digest, algorithm, salt cryptobyte.String
	if !in.ReadASN1(&mac, asn1.SEQUENCE) || !mac.ReadASN1(&digest, asn1.SEQUENCE) || !digest.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!mac.ReadASN1(&salt, asn1.OCTET_STRING) {
		return false
	}
	n := int64(1)
	if !mac.Empty() && !mac.ReadASN1Integer(&n) {
		return false
	}
	p.rounds = max(p.rounds, n)
	return p.algorithmRounds(algorithm)
}

// encryptedRounds notes the rounds of an EncryptedData.
func (p *pfx) encryptedRounds(in cryptobyte.String) bool {
	var data, info, algorithm cryptobyte.String
	var version int64
	var id stdasn1.ObjectIdentifier
	return in.ReadASN1(&data, asn1.SEQUENCE) && data.ReadASN1Integer(&version) && data.ReadASN1(&info, asn1.SEQUENCE) &&
		info.ReadASN1ObjectIdentifier(&id) && info.ReadASN1(&algorithm, asn1.SEQUENCE) && p.algorithmRounds(algorithm)
}

// algorithmRounds notes the rounds that an AlgorithmIdentifier asks for: of
// PBES2 and PBMAC1 in the key derivation inside, else beside the salt.
func (p *pfx) algorithmRounds(in cryptobyte.String) bool {
	var id stdasn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&id) {
		return false
	}
	if in.Empty() || in.PeekASN1Tag(asn1.NULL) {
		return true
	}
	var params, salt cryptobyte.String
	if !in.ReadASN1(&params, asn1.SEQUENCE) {
		return false
	}
	if id.Equal(oidPBES2) || id.Equal(oidPBMAC1) {
		if !params.ReadASN1(&params, asn1.SEQUENCE) || !params.ReadASN1ObjectIdentifier(&id) || !params.ReadASN1(&params, asn1.SEQUENCE) {
			return false
		}
	}
	var n int64
	if !params.ReadASN1(&salt, asn1.OCTET_STRING) || !params.ReadASN1Integer(&n) {
		return false
	}
	p.rounds = max(p.rounds, n)
	return true
}

// readBags takes the anchors out of a SafeContents.
func (k *KeyStore) readBags(seen map[string]bool, in cryptobyte.String) bool {
	if !in.ReadASN1(&in, asn1.SEQUENCE) {
		return false
	}
	for !in.Empty() {
		var bag, value, cert, der cryptobyte.String
		var id, kind stdasn1.ObjectIdentifier
		if !in.ReadASN1(&bag, asn1.SEQUENCE) || !bag.ReadASN1ObjectIdentifier(&id) || !bag.ReadASN1(&value, tag0) {
			return false
		}
		if !id.Equal(oidCertBag) {
			continue
		}
		if !value.ReadASN1(&cert, asn1.SEQUENCE) || !cert.ReadASN1ObjectIdentifier(&kind) || !cert.ReadASN1(&der, tag0) || !der.ReadASN1(&der, asn1.OCTET_STRING) {
			return false
		}
		if trusted(bag) {
			k.anchor(seen, "", der)
		} else {
			k.Hidden++
		}
	}
	return true
}

// trusted looks for Java's mark among a bag's attributes.
func trusted(bag cryptobyte.String) bool {
	var attrs, attr cryptobyte.String
	var id stdasn1.ObjectIdentifier
	if !bag.ReadASN1(&attrs, asn1.SET) {
		return false
	}
	for attrs.ReadASN1(&attr, asn1.SEQUENCE) && attr.ReadASN1ObjectIdentifier(&id) {
		if id.Equal(oidTrusted) {
			return true
		}
	}
	return false
}
