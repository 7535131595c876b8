package chain

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"

	"trustfix/internal/text"
)

// Answer is a word about revocation as it came: an OCSP response or a CRL.
type Answer struct {
	OCSP []byte // DER
	CRL  []byte // DER
	From string // the address it came from; "" for one that the server stapled
}

// State is what is known of a certificate's revocation.
type State string

// The states. Unknown is no fault: revocation is never required.
const (
	RevocationGood    State = "good"
	RevocationRevoked State = "revoked"
	RevocationUnknown State = "unknown"
)

// Standing is what an answer says about one certificate.
type Standing struct {
	State  State
	When   time.Time // of the revocation
	Reason string    // RFC 5280's name for it, "unspecified" where none was given
	Why    text.Msg  // where State is unknown: why the answer does not count
}

// About reads what an answer says of c at a time. It counts only when it is
// about c, of that time and signed by c's issuer, or for OCSP by a responder
// that the issuer delegated with a certificate for this purpose.
func (a Answer) About(c, issuer *x509.Certificate, at time.Time) Standing {
	if a.OCSP != nil {
		return ocspAbout(a.OCSP, c, issuer, at)
	}
	return crlAbout(a.CRL, c, issuer, at)
}

func uncounted(why text.Msg) Standing { return Standing{State: RevocationUnknown, Why: why} }

func ocspAbout(der []byte, c, issuer *x509.Certificate, at time.Time) Standing {
	r, err := ocsp.ParseResponseForCert(der, c, issuer)
	if err != nil {
		// Some responders send their CA's certificate along, which no certificate
		// of its own signed.
		r, err = ocsp.ParseResponseForCert(der, c, nil)
		if err == nil && (r.Certificate == nil || !bytes.Equal(r.Certificate.Raw, issuer.Raw)) {
			return uncounted(text.M("revocation.signature"))
		}
	}
	if err != nil {
		return uncounted(text.M("revocation.unreadable", "error", printable(err.Error())))
	}
	if d := r.Certificate; d != nil && !bytes.Equal(d.Raw, issuer.Raw) {
		switch {
		case !slices.Contains(d.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
			return uncounted(text.M("revocation.not-delegated", "responder", Name(d)))
		case at.Before(d.NotBefore) || at.After(d.NotAfter):
			return uncounted(text.M("revocation.responder-time", "responder", Name(d)))
		}
	}
	if why, ok := current(r.ThisUpdate, r.NextUpdate, at); !ok {
		return uncounted(why)
	}
	switch r.Status {
	case ocsp.Good:
		return Standing{State: RevocationGood}
	case ocsp.Revoked:
		return Standing{State: RevocationRevoked, When: r.RevokedAt, Reason: reasonName(r.RevocationReason)}
	}
	return uncounted(text.M("revocation.responder-unknown"))
}

// current reports whether an answer speaks of a time.
func current(from, until, at time.Time) (text.Msg, bool) {
	switch {
	case at.Before(from):
		return text.M("revocation.later", "from", stamp(from)), false
	case !until.IsZero() && at.After(until):
		return text.M("revocation.stale", "until", stamp(until)), false
	}
	return text.Msg{}, true
}

var (
	oidIssuingPoint      = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
)

func crlAbout(der []byte, c, issuer *x509.Certificate, at time.Time) Standing {
	list, err := x509.ParseRevocationList(der)
	switch {
	case err != nil:
		return uncounted(text.M("revocation.unreadable", "error", printable(err.Error())))
	case !sameName(list.RawIssuer, c.RawIssuer) || list.CheckSignatureFrom(issuer) != nil:
		return uncounted(text.M("revocation.signature"))
	}
	if why, ok := current(list.ThisUpdate, list.NextUpdate, at); !ok {
		return uncounted(why)
	}
	if !wholeList(list.Extensions, c) {
		return uncounted(text.M("revocation.other-list"))
	}
	for _, e := range list.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(c.SerialNumber) != 0 {
			continue
		}
		if slices.ContainsFunc(e.Extensions, func(x pkix.Extension) bool { return x.Critical && x.Id.Equal(oidCertificateIssuer) }) {
			return uncounted(text.M("revocation.other-list")) // of another issuer's certificates
		}
		return Standing{State: RevocationRevoked, When: e.RevocationTime, Reason: reasonName(e.ReasonCode)}
	}
	return Standing{State: RevocationGood}
}

// wholeList reports whether a CRL speaks of all that c's issuer could have
// revoked at the place where c points: neither a difference to another list,
// nor one about other certificates (RFC 5280 §5.2.4, §5.2.5).
func wholeList(exts []pkix.Extension, c *x509.Certificate) bool {
	for _, e := range exts {
		switch {
		case e.Id.Equal(oidIssuingPoint):
			if !pointFits(e.Value, c) {
				return false
			}
		case e.Critical:
			return false
		}
	}
	return true
}

// pointFits reads an issuing distribution point: the fields are a name, only
// for servers, only for CAs, only some reasons, indirect, only for attributes.
func pointFits(der []byte, c *x509.Certificate) bool {
	in := cryptobyte.String(der)
	var seq, name, full cryptobyte.String
	if !in.ReadASN1(&seq, casn1.SEQUENCE) || !in.Empty() {
		return false
	}
	var named bool
	if !seq.ReadOptionalASN1(&name, &named, casn1.Tag(0).Constructed().ContextSpecific()) {
		return false
	}
	for !seq.Empty() {
		var flag cryptobyte.String
		var tag casn1.Tag
		if !seq.ReadAnyASN1(&flag, &tag) {
			return false
		}
		set := len(flag) == 1 && flag[0] != 0
		switch tag {
		case casn1.Tag(1).ContextSpecific():
			if set && c.IsCA {
				return false
			}
		case casn1.Tag(2).ContextSpecific():
			if set && !c.IsCA {
				return false
			}
		default:
			if set || tag == casn1.Tag(3).ContextSpecific() {
				return false
			}
		}
	}
	if !named {
		return true
	}
	if !name.ReadASN1(&full, casn1.Tag(0).Constructed().ContextSpecific()) {
		return false
	}
	for !full.Empty() {
		n, ok := readGeneralName(&full)
		if !ok {
			return false
		}
		if n.kind == kindURI && slices.Contains(c.CRLDistributionPoints, n.value) {
			return true
		}
	}
	return false
}

// reasonName is a CRLReason of RFC 5280 §5.3.1 by name.
func reasonName(code int) string {
	names := []string{
		"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
		"certificateHold", "unspecified", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
	}
	if code < 0 || code >= len(names) {
		return names[0]
	}
	return names[code]
}

// revoked holds each certificate below the end of a path against the answers
// at hand. None is ever required; but where the issuer itself says that it
// revoked a certificate, the server must not go on showing it.
func (r *reasons) revoked(i int) {
	if i+1 >= len(r.t.certs) || r.t.sigs[i] != sigGood {
		return
	}
	c, issuer := r.t.certs[i], r.t.certs[i+1]
	key := [2][32]byte{c.fp, issuer.fp}
	why, known := r.j.revocations[key]
	if !known {
		why = r.j.revocation(c, issuer)
		r.j.revocations[key] = why
	}
	if why != nil {
		r.out = append(r.out, Cause{ID: "server-revoked", Depth: i, Subject: Name(c.Certificate), Evidence: []text.Msg{*why}})
	}
}

func (j *judge) revocation(c, issuer *cert) *text.Msg {
	for _, a := range j.answers {
		s := a.About(c.Certificate, issuer.Certificate, j.in.Time)
		if s.State != RevocationRevoked {
			continue
		}
		why := text.M("chain.revoked", "subject", Name(c.Certificate), "issuer", Name(issuer.Certificate), "when", day(s.When), "reason", s.Reason)
		if a.From != "" {
			why = text.M("chain.revoked-by", "subject", Name(c.Certificate), "issuer", Name(issuer.Certificate), "when", day(s.When), "reason", s.Reason, "from", printable(a.From))
		}
		return &why
	}
	return nil
}
