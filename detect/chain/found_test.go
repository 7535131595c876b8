package chain

import (
	"crypto/x509"
	"net"
	"slices"
	"strings"
	"testing"

	"trustfix/detect/chain/chaintest"
)

// Chains that random ones led to, as small as they can be: the real client did
// each time what stands here, and the judge once said otherwise.
func TestFoundByChance(t *testing.T) {
	root := mint(t, "Root", nil, asCA)
	inter := mint(t, "Issuing", root, asCA)
	leaf := mint(t, host, inter, asServer)
	old := mint(t, "Old Root", nil, asCA, until(now.AddDate(0, 0, -9)))
	cross := mintKey(t, "Issuing", old, inter.Key, asCA)

	wrongKey := *inter.Certificate
	wrongKey.SubjectKeyId = []byte("nobody's")
	strayed := mint(t, host, &entity{Certificate: &wrongKey, Key: inter.Key}, asServer)

	capitals := *root.Certificate
	capitals.RawSubject, capitals.Subject.CommonName = nil, "ROOT"
	respelt := mint(t, "Respelt", &entity{Certificate: &capitals, Key: root.Key}, asCA)
	underRespelt := mint(t, host, respelt, asServer)
	namesake := mint(t, "ROOT", nil, asCA)

	asks := mint(t, "Wants a policy", root, asCA, chaintest.Critical([]int{2, 5, 29, 36}, []byte{0x30, 3, 0x80, 1, 0}))
	askedNone := mint(t, host, asks, asServer)

	bound := mint(t, "Bound", root, asCA, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.com"}, true
	})
	address := func(cn string) *entity {
		return mint(t, cn, bound, asServer, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)} })
	}
	label, dotted := address("x"), address("x.test")
	future := mint(t, "Future", root, asCA, chaintest.From(now.AddDate(0, 0, 9)))
	underFuture := mint(t, host, future, asServer)
	junk := mint(t, "Junk", nil, asCA)
	many := []*entity{leaf, inter}
	for range 9 {
		many = append(many, mint(t, "Junk", nil, asCA))
	}

	for _, c := range []struct {
		name   string
		sent   []*entity
		roots  []*entity
		host   string
		ids    string // by RFC 5280
		refuse string // rule sets that do, whatever RFC 5280 says
		accept string
	}{
		{"an authority key identifier that is nobody's", []*entity{strayed, inter}, []*entity{root}, host, "", "openssl-3 gnutls", "go java rustls"},
		{"the issuer's name in capitals, and a namesake", []*entity{underRespelt, respelt, namesake}, []*entity{root}, host, "", "go gnutls rustls", "openssl-3 java"},
		{"a policy is asked for and there is none", []*entity{askedNone, asks}, []*entity{root}, host, "server-constraint policy", "go java gnutls rustls", "openssl-3 python-3.13 node"},
		{"name constraints, and a common name of one label", []*entity{label, bound}, []*entity{root}, "127.0.0.1", "", "gnutls java", "openssl-3 go rustls"},
		{"name constraints, and a common name like a host's", []*entity{dotted, bound}, []*entity{root}, "127.0.0.1", "", "gnutls java openssl-3 openssl-1.1.1", "openssl-1.0.2 go rustls"},
		{"a renewed root's certificate by an expired one first", []*entity{leaf, cross, inter}, []*entity{root, old}, host, "", "gnutls openssl-3", "go java rustls"},
		{"a trusted CA that is not valid yet, out of order", []*entity{underFuture, junk, future}, []*entity{future}, host, "", "gnutls openssl-3", "java rustls"},
		{"eleven certificates", many, []*entity{root}, host, "", "java", "openssl-3 go gnutls rustls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Served: ders(c.sent...), Roots: roots(c.roots...), Host: c.host, Time: now}
			if got := strings.Join(slices.DeleteFunc(Judge(in).IDs(), func(id string) bool { return id == "strict-ca" }), " "); got != c.ids {
				t.Errorf("causes %q, not %q", got, c.ids)
			}
			for _, name := range strings.Fields(c.refuse + " " + c.accept) {
				in.Rules, _ = RulesFor(name)
				v := Judge(in)
				if want := slices.Contains(strings.Fields(c.accept), name); v.OK != want {
					t.Errorf("%s: ok = %v, %v", name, v.OK, v.IDs())
				}
				if !v.OK && (v.Causes[0].Text == "" || len(v.Causes[0].Evidence) == 0) {
					t.Errorf("%s: no words or evidence for %v", name, v.IDs())
				}
				if c.ids == "" && !v.OK && v.Fault() == FaultPrivateCA {
					t.Errorf("%s: a good chain is a matter of consent: %v", name, v.IDs())
				}
			}
		})
	}
}
