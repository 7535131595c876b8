package chain

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trustfix/internal/text"
)

// client is the verdict of in.Rules: accept or refuse as that verifier would,
// in its words. The causes are those that the certificates themselves show,
// the one that the client names first in front.
func (j *judge) client(base Verdict) Verdict {
	switch j.in.Rules.engine {
	case engineOpenSSL:
		return j.opensslVerdict(base)
	case engineGo:
		return j.goVerdict(base)
	}
	return j.worded(base)
}

func (j *judge) opensslVerdict(base Verdict) Verdict {
	r := j.in.Rules
	o := j.openssl(r)
	v := base
	v.Client, v.OK, v.Causes = r.Name, len(o.errs) == 0, nil
	if v.OK {
		v.Root = o.last().Certificate
		return v
	}
	for _, e := range r.reported(o.errs) {
		if c := j.opensslCause(e, o.chain, base); !hasCause(v.Causes, c) {
			v.Causes = append(v.Causes, c)
		}
	}
	return v
}

// reported puts the error in front that the program shows. Node goes on to
// the end, shows the last one, and looks at the name only if there was none.
func (r *Rules) reported(errs []osslError) []osslError {
	if !r.LastError {
		return errs
	}
	var names, rest []osslError
	for _, e := range slices.Backward(errs) {
		if e.code == 62 || e.code == 64 {
			names = append(names, e)
		} else {
			rest = append(rest, e)
		}
	}
	return append(rest, names...)
}

func hasCause(list []Cause, c Cause) bool {
	for _, o := range list {
		if o.ID == c.ID && o.Code == c.Code {
			return true
		}
	}
	return false
}

// opensslCause says what an error number stands for.
func (j *judge) opensslCause(e osslError, chain []*cert, base Verdict) Cause {
	at := chain[min(e.depth, len(chain)-1)]
	c := Cause{Depth: e.depth, Subject: Name(at.Certificate)}
	id := ""
	switch e.code {
	case 2, 18, 19, 20, 21:
		c.ID, id = j.noIssuer(e.code, base)
	case 7:
		id = "bad-signature"
	case 9:
		c.ID = "server-not-yet-valid"
	case 10:
		c.ID = "server-expired"
	case 24, 79:
		id = "issuer-not-ca"
		if at.BasicConstraintsValid && at.IsCA {
			id = "issuer-key-usage"
		}
	case 32:
		id = "issuer-key-usage"
	case 22, 25:
		id = "path-length"
	case 26:
		id = "eku"
		if e.depth > 0 && checkCA(at) == 0 {
			id = "issuer-not-ca"
		}
	case 34:
		id = "critical-extension"
	case 1, 47, 48, 49, 51, 52, 53:
		id = "name-constraint"
	case 62, 64:
		c.ID = "server-hostname"
	case 66, 67, 94:
		id = "weak-key"
	case 68:
		id = "weak-signature"
	}
	if id != "" {
		c.ID, c.Code = codeIDs[id], id
	}
	if c.ID == "" {
		c.ID = "strict-ca"
	}
	if j.in.Rules.Strict && (e.code == 79 || e.code == 26) && !base.Has(c.Code) {
		c.ID, c.Code = "strict-ca", ""
	}
	if base.OK && j.in.Rules.version < 110 && c.ID == "server-expired" {
		c.ID = "openssl-old" // the way past it is there, this version does not see it
	}
	c.ErrCode, c.Text = j.in.Rules.words(e.code, c, j)
	for _, b := range base.Causes {
		if b.ID == c.ID && b.Code == c.Code {
			c.Evidence = b.Evidence
			return c
		}
	}
	c.Evidence = []text.Msg{text.M("chain.client", "client", j.in.Rules.Title, "subject", c.Subject, "error", c.Text)}
	return c
}

// noIssuer is what lies behind OpenSSL's "unable to get issuer" family. A
// forged or unreadable issuer looks to it like none at all; where the roots at
// hand do vouch for the chain, it is OpenSSL's own search that failed.
func (j *judge) noIssuer(code int, base Verdict) (id, fine string) {
	for _, b := range base.Causes {
		if b.ID != "strict-ca" && kinds[b.ID].order != kinds["server-expired"].order && b.ID != "server-hostname" {
			return b.ID, b.Code
		}
	}
	switch {
	case code == 2, j.leaf.anchor && !j.leaf.own: // what is trusted leads to no root
		return "ca-path-partial", ""
	case j.in.Rules.version < 300:
		return "openssl-old", ""
	}
	return "", "no-way-back"
}

// maxGoBits is the largest RSA key that crypto/tls looks at in a server's chain.
const maxGoBits = 8192

// goVerdict asks crypto/x509, which is what Go programs use.
func (j *judge) goVerdict(base Verdict) Verdict {
	v := base
	v.Client, v.Causes = j.in.Rules.Name, nil
	for _, c := range append([]*cert{j.leaf}, j.pool...) {
		if kind, n := keyBits(c.Certificate); kind == "RSA" && n > maxGoBits {
			v.OK = false
			v.Causes = []Cause{{
				ID: "server-weak", Code: "weak-key", Subject: Name(c.Certificate),
				Evidence: []text.Msg{text.M("chain.weak-key", "subject", Name(c.Certificate), "kind", kind, "bits", n)},
				Text:     fmt.Sprintf("tls: server sent certificate containing RSA key larger than %d bits", maxGoBits),
			}}
			return v
		}
	}
	more := x509.NewCertPool()
	for _, c := range j.pool {
		if c.origin == FromServer {
			more.AddCert(c.Certificate)
		}
	}
	opts := x509.VerifyOptions{Roots: j.in.Roots.Pool(), Intermediates: more, CurrentTime: j.in.Time}
	chains, err := j.leaf.Verify(opts)
	if err == nil && j.in.Host != "" {
		err = j.leaf.VerifyHostname(j.in.Host)
	}
	if v.OK = err == nil; v.OK {
		v.Root = chains[0][len(chains[0])-1]
		return v
	}
	c := goCause(err, base)
	c.Subject, c.Text = Name(j.leaf.Certificate), "tls: failed to verify certificate: "+err.Error()
	for _, b := range base.Causes {
		if b.ID == c.ID && b.Code == c.Code {
			c.Evidence, c.Depth, c.Subject = b.Evidence, b.Depth, b.Subject
		}
	}
	if c.Evidence == nil {
		c.Evidence = []text.Msg{text.M("chain.client", "client", j.in.Rules.Title, "subject", c.Subject, "error", c.Text)}
	}
	v.Causes = []Cause{c}
	for _, b := range base.Causes {
		if b.ID != "strict-ca" && !hasCause(v.Causes, b) {
			v.Causes = append(v.Causes, b)
		}
	}
	return v
}

// goCause reads crypto/x509's error types. "Unknown authority" hides forged
// signatures and issuers that are no CA: there the judge's own cause counts.
func goCause(err error, base Verdict) Cause {
	var (
		invalid  x509.CertificateInvalidError
		host     x509.HostnameError
		critical x509.UnhandledCriticalExtension
		fine     string
	)
	switch {
	case errors.As(err, &host):
		return Cause{ID: "server-hostname"}
	case errors.As(err, &critical):
		fine = "critical-extension"
	case errors.As(err, &invalid):
		switch invalid.Reason {
		case x509.Expired:
			if strings.Contains(invalid.Detail, "before") {
				return Cause{ID: "server-not-yet-valid"}
			}
			return Cause{ID: "server-expired"}
		case x509.NotAuthorizedToSign:
			fine = "issuer-not-ca"
		case x509.TooManyIntermediates:
			fine = "path-length"
		case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
			fine = "eku"
		case x509.NoValidChains:
			if fine = "eku"; strings.Contains(invalid.Detail, "policies") {
				fine = "policy"
			}
		case x509.CANotAuthorizedForThisName, x509.TooManyConstraints, x509.NameConstraintsWithoutSANs, x509.UnconstrainedName:
			fine = "name-constraint"
		}
	}
	if fine != "" {
		return Cause{ID: codeIDs[fine], Code: fine}
	}
	for _, b := range base.Causes {
		if b.ID == "server-forged" || b.ID == "server-weak" || b.ID == "server-malformed" || unknownIssuer(b.ID) {
			return Cause{ID: b.ID, Code: b.Code}
		}
	}
	return Cause{ID: "server-forged", Code: "issuer-not-ca"}
}

// worded is the verdict of a verifier that this package's own search stands
// for, in its words.
func (j *judge) worded(v Verdict) Verdict {
	v = j.routed(v)
	v.Client = j.in.Rules.Name
	v.Causes = slices.Clone(v.Causes)
	for i := range v.Causes {
		v.Causes[i].ErrCode, v.Causes[i].Text = j.in.Rules.words(0, v.Causes[i], j)
	}
	return v
}
