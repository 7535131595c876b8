package chain

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// ocspFor is a responder's answer about a serial number.
func ocspFor(tb testing.TB, ca, signer *entity, serial *big.Int, status int, mod ...func(*ocsp.Response)) []byte {
	tb.Helper()
	r := ocsp.Response{
		Status: status, SerialNumber: serial, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(23 * time.Hour),
		RevokedAt: now.Add(-2 * time.Hour), RevocationReason: ocsp.KeyCompromise, IssuerHash: crypto.SHA256,
	}
	if signer != ca {
		r.Certificate = signer.Certificate
	}
	for _, m := range mod {
		m(&r)
	}
	der, err := ocsp.CreateResponse(ca.Certificate, signer.Certificate, r, signer.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// crlFor is a list with the given serial numbers.
func crlFor(tb testing.TB, ca *entity, serials []*big.Int, mod ...func(*x509.RevocationList)) []byte {
	tb.Helper()
	list := &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(23 * time.Hour)}
	for _, s := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: now.Add(-2 * time.Hour), ReasonCode: 4})
	}
	for _, m := range mod {
		m(list)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Certificate, ca.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// issuingPoint is the extension that says what a list is about.
func issuingPoint(uri string, flags ...byte) func(*x509.RevocationList) {
	var body []byte
	if uri != "" {
		name := append([]byte{0x86, byte(len(uri))}, uri...)
		name = append([]byte{0xa0, byte(len(name))}, name...)
		body = append([]byte{0xa0, byte(len(name))}, name...)
	}
	for _, f := range flags {
		body = append(body, 0x80|f, 1, 0xff)
	}
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: oidIssuingPoint, Critical: true, Value: append([]byte{0x30, byte(len(body))}, body...)})
	}
}

// An answer counts only when it is about this certificate, of this time, and
// signed by its issuer or by a responder that the issuer made one.
func TestAnswerAbout(t *testing.T) {
	root := mint(t, "Root", nil, asCA)
	other := mint(t, "Other Root", nil, asCA)
	noCRLs := mint(t, "Root", nil, asCA, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	const point = "http://crl.example/1.crl"
	leaf := mint(t, host, root, asServer, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{point} })
	responder := func(by *entity, opts ...func(*x509.Certificate)) *entity {
		return mint(t, "Responder", by, append([]func(*x509.Certificate){func(c *x509.Certificate) {
			c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		}}, opts...)...)
	}
	serverAuth := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	oneOCSP := func(ca, signer *entity, status int, mod ...func(*ocsp.Response)) Answer {
		return Answer{OCSP: ocspFor(t, ca, signer, leaf.SerialNumber, status, mod...)}
	}
	crl := func(ca *entity, serial *big.Int, mod ...func(*x509.RevocationList)) Answer {
		return Answer{CRL: crlFor(t, ca, []*big.Int{big.NewInt(1), serial, big.NewInt(3)}, mod...)}
	}
	deltaOf := func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 5}})
	}
	for _, c := range []struct {
		name   string
		answer Answer
		issuer *entity
		want   State
		why    string // key, where unknown
	}{
		{"OCSP: good", oneOCSP(root, root, ocsp.Good), root, RevocationGood, ""},
		{"OCSP: revoked", oneOCSP(root, root, ocsp.Revoked), root, RevocationRevoked, ""},
		{"OCSP: without an end", oneOCSP(root, root, ocsp.Revoked, func(r *ocsp.Response) { r.NextUpdate = time.Time{} }), root, RevocationRevoked, ""},
		{"OCSP: the responder does not know", oneOCSP(root, root, ocsp.Unknown), root, RevocationUnknown, "revocation.responder-unknown"},
		{"OCSP: another certificate", Answer{OCSP: ocspFor(t, root, root, big.NewInt(77), ocsp.Revoked)}, root, RevocationUnknown, "revocation.unreadable"},
		{"OCSP: stale", oneOCSP(root, root, ocsp.Revoked, func(r *ocsp.Response) { r.NextUpdate = now.Add(-time.Minute) }), root, RevocationUnknown, "revocation.stale"},
		{"OCSP: of tomorrow", oneOCSP(root, root, ocsp.Revoked, func(r *ocsp.Response) { r.ThisUpdate = now.Add(time.Hour) }), root, RevocationUnknown, "revocation.later"},
		{"OCSP: signed by somebody else", oneOCSP(other, other, ocsp.Revoked), root, RevocationUnknown, "revocation.signature"},
		{"OCSP: a delegated responder", oneOCSP(root, responder(root), ocsp.Revoked), root, RevocationRevoked, ""},
		{"OCSP: the CA sends its own certificate along", oneOCSP(root, root, ocsp.Good, func(r *ocsp.Response) { r.Certificate = root.Certificate }), root, RevocationGood, ""},
		{"OCSP: a server's certificate is no responder", oneOCSP(root, responder(root, serverAuth), ocsp.Revoked), root, RevocationUnknown, "revocation.not-delegated"},
		{"OCSP: a responder of another CA", oneOCSP(root, responder(other), ocsp.Revoked), root, RevocationUnknown, "revocation.signature"},
		{"OCSP: a responder that has expired", oneOCSP(root, responder(root, until(now.Add(-time.Hour))), ocsp.Revoked), root, RevocationUnknown, "revocation.responder-time"},
		{"OCSP: refused", Answer{OCSP: ocsp.UnauthorizedErrorResponse}, root, RevocationUnknown, "revocation.unreadable"},
		{"OCSP: garbage", Answer{OCSP: []byte("<html>login</html>")}, root, RevocationUnknown, "revocation.unreadable"},

		{"CRL: listed", crl(root, leaf.SerialNumber), root, RevocationRevoked, ""},
		{"CRL: not listed", crl(root, big.NewInt(99)), root, RevocationGood, ""},
		{"CRL: stale", crl(root, leaf.SerialNumber, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = now.AddDate(0, 0, -9), now.AddDate(0, 0, -2)
		}), root, RevocationUnknown, "revocation.stale"},
		{"CRL: of another CA", crl(other, leaf.SerialNumber), root, RevocationUnknown, "revocation.signature"},
		{"CRL: of a namesake", crl(mint(t, "Root", nil, asCA), leaf.SerialNumber), root, RevocationUnknown, "revocation.signature"},
		{"CRL: the issuer may not sign lists", crl(root, leaf.SerialNumber), noCRLs, RevocationUnknown, "revocation.signature"},
		{"CRL: this shard", crl(root, leaf.SerialNumber, issuingPoint(point)), root, RevocationRevoked, ""},
		{"CRL: another shard says nothing", crl(root, big.NewInt(99), issuingPoint("http://crl.example/2.crl")), root, RevocationUnknown, "revocation.other-list"},
		{"CRL: for servers only", crl(root, big.NewInt(99), issuingPoint(point, 1)), root, RevocationGood, ""},
		{"CRL: for CAs only", crl(root, big.NewInt(99), issuingPoint("", 2)), root, RevocationUnknown, "revocation.other-list"},
		{"CRL: some reasons only", crl(root, big.NewInt(99), issuingPoint("", 3)), root, RevocationUnknown, "revocation.other-list"},
		{"CRL: indirect", crl(root, leaf.SerialNumber, issuingPoint("", 4)), root, RevocationUnknown, "revocation.other-list"},
		{"CRL: a difference", crl(root, leaf.SerialNumber, deltaOf), root, RevocationUnknown, "revocation.other-list"},
		{"CRL: garbage", Answer{CRL: []byte("404")}, root, RevocationUnknown, "revocation.unreadable"},
		{"nothing", Answer{}, root, RevocationUnknown, "revocation.unreadable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.answer.About(leaf.Certificate, c.issuer.Certificate, now)
			if s.State != c.want || s.Why.Key != c.why {
				t.Errorf("%s (%s), want %s (%s)", s.State, s.Why, c.want, c.why)
			}
			if s.State == RevocationRevoked && (s.When.IsZero() || s.Reason == "unspecified") {
				t.Errorf("without time or reason: %+v", s)
			}
		})
	}
}

// What was revoked is the server's fault, whichever certificate and whoever
// looks at it; and a way around a revoked intermediate is taken.
func TestRevokedIsTheServersFault(t *testing.T) {
	root, second := mint(t, "Root", nil, asCA), mint(t, "Second Root", nil, asCA)
	inter := mint(t, "Issuing", root, asCA)
	cross := mintKey(t, "Issuing", second, inter.Key, asCA)
	leaf := mint(t, host, inter, asServer)
	ofLeaf := ocspFor(t, inter, inter, leaf.SerialNumber, ocsp.Revoked)
	ofInter := Answer{CRL: crlFor(t, root, []*big.Int{inter.SerialNumber}), From: "http://crl.example/root.crl"}
	for _, c := range []struct {
		name  string
		in    Input
		ok    bool
		depth int
		says  string
	}{
		{"nothing stapled", Input{Served: ders(leaf, inter), Roots: roots(root)}, true, 0, ""},
		{"stapled: good", Input{Served: ders(leaf, inter), Roots: roots(root), Staple: ocspFor(t, inter, inter, leaf.SerialNumber, ocsp.Good)}, true, 0, ""},
		{"stapled: revoked", Input{Served: ders(leaf, inter), Roots: roots(root), Staple: ofLeaf}, false, 0, "keyCompromise"},
		{"stapled garbage", Input{Served: ders(leaf, inter), Roots: roots(root), Staple: []byte("staple")}, true, 0, ""},
		{"a revoked intermediate", Input{Served: ders(leaf, inter), Roots: roots(root), Answers: []Answer{ofInter}}, false, 1, "http://crl.example/root.crl"},
		{"a way around it", Input{Served: ders(leaf, inter, cross), Roots: roots(root, second), Answers: []Answer{ofInter}}, true, 0, ""},
		{"and an unknown issuer", Input{Served: ders(leaf, inter), Staple: ofLeaf}, false, 0, "keyCompromise"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.Host, c.in.Time = host, now
			for _, name := range append([]string{""}, RuleNames()...) {
				c.in.Rules, _ = RulesFor(name)
				v := Judge(c.in)
				if name == "openssl-1.0.2" && c.ok && len(c.in.Served) > 2 {
					continue // sees one path only, as it does without revocation
				}
				if v.OK != c.ok || v.Has("server-revoked") == c.ok {
					t.Fatalf("%s: ok %v, %v", name, v.OK, v.IDs())
				}
				if c.ok {
					continue
				}
				if first := v.Causes[0]; first.ID != "server-revoked" || first.Depth != c.depth || !strings.Contains(first.Evidence[0].String(), c.says) {
					t.Errorf("%s: first cause %+v", name, first)
				}
				if d := Decide(v, v, v, true); d.Fault != FaultServer {
					t.Errorf("%s: fault %s, want the server's", name, d.Fault)
				}
			}
			c.in.Rules = nil
			tree := Draw(Judge(c.in))
			if !c.ok && !strings.Contains(tree[len(tree)-1-c.depth].Notes[0].String(), "revoked") {
				t.Errorf("not drawn: %+v", tree)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	root := mint(f, "Root", nil, asCA)
	leaf := mint(f, host, root, asServer)
	f.Add(ocspFor(f, root, root, leaf.SerialNumber, ocsp.Revoked))
	f.Add(crlFor(f, root, []*big.Int{leaf.SerialNumber}, issuingPoint("http://crl.example/", 1)))
	f.Add(ocsp.TryLaterErrorResponse)
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, der []byte) {
		for _, a := range []Answer{{OCSP: der}, {CRL: der}} {
			s := a.About(leaf.Certificate, root.Certificate, now)
			if (s.State == RevocationUnknown) == s.Why.IsZero() {
				t.Errorf("%+v", s)
			}
		}
		_ = pointFits(der, leaf.Certificate)
	})
}
