package chain

import (
	"time"

	"golang.org/x/crypto/ocsp"

	"trustfix/internal/text"
)

// revoked looks at the OCSP answer that the server stapled. It is never
// required, and one that is stale, unsigned or about another certificate says
// nothing; but where the issuer itself says that the certificate was revoked,
// the server must not go on showing it. Responders and CRLs are not asked:
// they are hosts that nobody named.
func revoked(in Input, v Verdict) (Cause, bool) {
	if len(in.Staple) == 0 || len(v.Paths) == 0 || len(v.Paths[0].Certs) < 2 {
		return Cause{}, false
	}
	leaf, issuer := v.Paths[0].Certs[0].Cert, v.Paths[0].Certs[1].Cert
	if leaf == nil || issuer == nil {
		return Cause{}, false
	}
	answer, err := ocsp.ParseResponseForCert(in.Staple, leaf, issuer)
	if err != nil || answer.Status != ocsp.Revoked || in.Time.Before(answer.ThisUpdate) ||
		!answer.NextUpdate.IsZero() && in.Time.After(answer.NextUpdate) {
		return Cause{}, false
	}
	return Cause{
		ID: "server-revoked", Subject: Name(leaf),
		Evidence: []text.Msg{text.M("chain.revoked", "subject", Name(leaf), "issuer", Name(issuer), "when", answer.RevokedAt.UTC().Format(time.DateOnly))},
	}, true
}
