package chain

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/url"
	"testing"
)

func TestMatchesHost(t *testing.T) {
	strict, legacy := nameRules{}, nameRules{CommonName: true, PartialWildcard: true}
	leaf := func(dns []string, ips ...string) *cert {
		e := mint(t, "cn.example.org", nil, asServer, func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = dns, nil
			for _, ip := range ips {
				c.IPAddresses = append(c.IPAddresses, net.ParseIP(ip))
			}
		})
		return newCert(e.Certificate, FromServer, 0)
	}
	for _, c := range []struct {
		cert *cert
		host string
		m    nameRules
		want bool
	}{
		{leaf([]string{"a.example.org"}), "a.example.org", strict, true},
		{leaf([]string{"a.example.org"}), "A.Example.ORG.", strict, true},
		{leaf([]string{"a.example.org"}), "b.example.org", strict, false},
		{leaf([]string{"a.example.org"}), "x.a.example.org", strict, false},
		{leaf([]string{"*.example.org"}), "a.example.org", strict, true},
		{leaf([]string{"*.example.org"}), "example.org", strict, false},
		{leaf([]string{"*.example.org"}), "b.a.example.org", strict, false},
		{leaf([]string{"*.org"}), "example.org", strict, false},
		{leaf([]string{"*"}), "localhost", strict, false},
		{leaf([]string{"a.*.org"}), "a.example.org", strict, false},
		{leaf([]string{"f*.example.org"}), "foo.example.org", strict, false},
		{leaf([]string{"f*.example.org"}), "foo.example.org", legacy, true},
		{leaf([]string{"xn--f*.example.org"}), "xn--foo.example.org", legacy, false},
		{leaf(nil), "cn.example.org", strict, false},
		{leaf(nil), "cn.example.org", legacy, true},
		{leaf([]string{"a.example.org"}), "cn.example.org", legacy, false},
		{leaf(nil, "192.0.2.1"), "192.0.2.1", strict, true},
		{leaf(nil, "192.0.2.1"), "192.0.2.2", strict, false},
		{leaf(nil, "2001:db8::1"), "[2001:DB8:0::1]", strict, true},
		{leaf([]string{"192.0.2.1"}), "192.0.2.1", strict, false},
	} {
		if got := c.cert.matchesHost(c.host, c.m); got != c.want {
			t.Errorf("%v for %s: %v", c.cert.DNSNames, c.host, got)
		}
	}
}

// RFC 5280 §4.2.1.10, kind by kind.
func TestNameConstraints(t *testing.T) {
	_, inside, _ := net.ParseCIDR("192.0.2.0/24")
	uri := func(s string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { u, _ := url.Parse(s); c.URIs = []*url.URL{u} }
	}
	dns := func(s string) func(*x509.Certificate) { return func(c *x509.Certificate) { c.DNSNames = []string{s} } }
	ip := func(s string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP(s)} }
	}
	mail := func(s string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.EmailAddresses = []string{s} }
	}
	type ca = func(*x509.Certificate)
	permitDNS := func(s string) ca { return func(c *x509.Certificate) { c.PermittedDNSDomains = []string{s} } }
	excludeDNS := func(s string) ca { return func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{s} } }
	permitMail := func(s string) ca { return func(c *x509.Certificate) { c.PermittedEmailAddresses = []string{s} } }
	permitURI := func(s string) ca { return func(c *x509.Certificate) { c.PermittedURIDomains = []string{s} } }
	permitIP := func(c *x509.Certificate) { c.PermittedIPRanges = []*net.IPNet{inside} }
	excludeIP := func(c *x509.Certificate) { c.ExcludedIPRanges = []*net.IPNet{inside} }
	// permitted directoryName O=Corp
	corp := func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: oidNameConstraints, Critical: true, Value: []byte{
			0x30, 0x17, 0xa0, 0x15, 0x30, 0x13, 0xa4, 0x11, 0x30, 0x0f, 0x31, 0x0d, 0x30, 0x0b, 0x06, 3, 0x55, 4, 10, 0x0c, 4, 'C', 'o', 'r', 'p',
		}})
	}
	subject := func(o string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject = pkix.Name{Organization: []string{o}} }
	}
	for _, c := range []struct {
		name string
		ca   ca
		leaf func(*x509.Certificate)
		want bool
	}{
		{"the domain itself", permitDNS("example.org"), dns("example.org"), true},
		{"below it", permitDNS("example.org"), dns("a.b.example.org"), true},
		{"case", permitDNS("Example.ORG"), dns("a.EXAMPLE.org"), true},
		{"beside it", permitDNS("example.org"), dns("notexample.org"), false},
		{"only below", permitDNS(".example.org"), dns("example.org"), false},
		{"wildcard below", permitDNS("example.org"), dns("*.example.org"), true},
		{"wildcard above", permitDNS("a.example.org"), dns("*.example.org"), false},
		{"excluded", excludeDNS("example.org"), dns("a.example.org"), false},
		{"not excluded", excludeDNS("example.org"), dns("example.com"), true},
		{"a wildcard that could be an excluded name", excludeDNS("a.example.org"), dns("*.example.org"), false},
		{"a wildcard too short for it", excludeDNS("b.a.example.org"), dns("*.example.org"), true},
		{"another kind of name", permitDNS("example.org"), ip("192.0.2.1"), true},
		{"address inside", permitIP, ip("192.0.2.9"), true},
		{"address outside", permitIP, ip("192.0.3.9"), false},
		{"address excluded", excludeIP, ip("192.0.2.9"), false},
		{"IPv6 among IPv4", permitIP, ip("2001:db8::1"), false},
		{"mail, exact", permitMail("a@example.org"), mail("a@EXAMPLE.org"), true},
		{"mail, local part counts case", permitMail("a@example.org"), mail("A@example.org"), false},
		{"mail, host", permitMail("example.org"), mail("a@example.org"), true},
		{"mail, host below", permitMail("example.org"), mail("a@b.example.org"), false},
		{"mail, domain", permitMail(".example.org"), mail("a@b.example.org"), true},
		{"URI host", permitURI("example.org"), uri("https://example.org/x"), true},
		{"URI below", permitURI("example.org"), uri("https://a.example.org/x"), false},
		{"URI domain", permitURI(".example.org"), uri("https://a.example.org:8443/x"), true},
		{"URI address", permitURI("example.org"), uri("https://192.0.2.1/"), false},
		{"directory name", corp, subject("CORP "), true},
		{"another directory name", corp, subject("Other"), false},
	} {
		root := mint(t, "Root", nil, asCA)
		issuer := mint(t, "CA", root, asCA, c.ca, subject("Corp"))
		leaf := mint(t, "", issuer, asServer, func(c *x509.Certificate) { c.DNSNames = nil }, c.leaf)
		in := Input{Served: ders(leaf, issuer), Roots: roots(root), Time: now}
		v := Judge(in)
		if v.Has("name-constraint") == c.want {
			t.Errorf("%s: %v %v", c.name, v.IDs(), v.Causes)
		}
	}
}
