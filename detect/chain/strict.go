package chain

import (
	"crypto/x509"

	"trustfix/internal/text"
)

// strictChecks are what X509_V_FLAG_X509_STRICT adds for the i-th certificate
// of a path of n, as OpenSSL error numbers. A path of one certificate is
// exempt, and the last need not name its issuer's key.
func strictChecks(c *cert, i, n int) []int {
	if n < 2 {
		return nil
	}
	var out []int
	fail := func(when bool, code int) {
		if when {
			out = append(out, code)
		}
	}
	bc, hasBC := c.extension(oidBasicConstraints)
	_, hasKU := c.extension(oidKeyUsage)
	san, hasSAN := c.extension(oidSAN)
	aki, hasAKI := c.extension(oidAKI)
	ski, hasSKI := c.extension(oidSKI)
	isCA := hasBC && c.IsCA
	certSign := c.KeyUsage&x509.KeyUsageCertSign != 0
	if hasBC && (c.MaxPathLen > 0 || c.MaxPathLenZero) {
		fail(!isCA, 80)
		fail(hasKU && !certSign || !hasKU, 81)
	}
	fail(isCA && !bc.Critical, 89)
	fail(isCA && !hasKU, 92)
	fail(!isCA && hasKU && certSign, 82)
	emptySubject := len(c.Subject.Names) == 0
	fail(len(c.Issuer.Names) == 0, 83)
	fail(emptySubject && (isCA || hasKU && c.KeyUsage&x509.KeyUsageCRLSign != 0 || !hasSAN), 84)
	fail(emptySubject && hasSAN && !san.Critical, 88)
	fail(hasSAN && len(c.altNames().list) == 0, 87)
	fail(hasAKI && aki.Critical, 90)
	fail(hasSKI && ski.Critical, 91)
	if c.Version >= 3 {
		fail(i+1 < n && len(c.AuthorityKeyId) == 0, 85)
		fail(isCA && !hasSKI, 86)
	} else {
		fail(len(c.Extensions) > 0, 93)
	}
	return out
}

// strictCA is X509_check_ca under X509_STRICT: a CA must say so.
func strictCA(c *cert) bool {
	_, hasKU := c.extension(oidKeyUsage)
	return (!hasKU || c.KeyUsage&x509.KeyUsageCertSign != 0) && c.BasicConstraintsValid && c.IsCA
}

// strictNote says what Python 3.13 and later would refuse on a path besides.
func (j *judge) strictNote(t *trail) (Cause, bool) {
	n := len(t.certs)
	for i, c := range t.certs {
		codes := strictChecks(c, i, n)
		if i > 0 && !strictCA(c) {
			codes = append([]int{79}, codes...)
		}
		if len(codes) > 0 {
			msg := opensslText[codes[0]]
			return Cause{
				ID: "strict-ca", Depth: i, Subject: Name(c.Certificate), Text: msg,
				Evidence: []text.Msg{text.M("chain.strict", "subject", Name(c.Certificate), "error", msg)},
			}, true
		}
	}
	return Cause{}, false
}
