package bundles

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
)

// interceptor is how a TLS-inspecting product names its CA. All patterns of a
// row that are set have to match, without regard to case.
type interceptor struct {
	vendor string
	cn     string // part of the common name
	cnHead string // how the common name starts
	o      string // part of the organisation
	ou     string // part of an organisational unit
	email  string // part of an e-mail address in the name
}

// Names seen in public certificates; reference os.md §6 has the evidence.
// Products without a name of their own (Palo Alto, Blue Coat, Skyhigh) match
// only where the administrator kept the maker's.
var interceptors = []interceptor{
	{vendor: "Zscaler", o: "zscaler"},
	{vendor: "Zscaler", cn: "zscaler"},
	{vendor: "Netskope", o: "netskope"},
	{vendor: "Netskope", cn: ".goskope.com"},
	{vendor: "Netskope", email: "certadmin@netskope.com"},
	{vendor: "Fortinet FortiGate", o: "fortinet"},
	{vendor: "Fortinet FortiGate", cn: "fortigate"},
	{vendor: "Palo Alto Networks", o: "palo alto networks"},
	{vendor: "Palo Alto Networks", cn: "palo alto networks"},
	{vendor: "Cisco Umbrella", cn: "cisco umbrella"},
	{vendor: "Blue Coat (Symantec, Broadcom)", o: "blue coat"},
	{vendor: "Blue Coat (Symantec, Broadcom)", cn: "bluecoat"},
	{vendor: "Sophos", o: "sophos"},
	{vendor: "Sophos", cnHead: "sophos ssl ca"},
	{vendor: "ESET", cn: "eset ssl filter ca"},
	{vendor: "Kaspersky", cn: "kaspersky anti-virus personal root"},
	{vendor: "Kaspersky", o: "kaspersky lab"},
	{vendor: "Avast", cn: "avast web/mail shield"},
	{vendor: "AVG", cn: "avg web/mail shield"},
	{vendor: "Norton", cn: "norton web/mail shield"},
	{vendor: "Bitdefender", cn: "bitdefender ca ssl"},
	{vendor: "Bitdefender", cn: "bitdefender personal ca"},
	{vendor: "Skyhigh (McAfee Web Gateway)", cn: "mcafee web gateway"},
	{vendor: "Cloudflare Gateway", cnHead: "gateway ca - cloudflare managed"},
	{vendor: "mitmproxy", cn: "mitmproxy"},
	{vendor: "Burp Suite", o: "portswigger"},
	{vendor: "Charles Proxy", cnHead: "charles proxy"},
	{vendor: "Fiddler", cn: "fiddlerroot"},
	{vendor: "Superfish", o: "superfish"},
}

// Interceptor names the TLS-inspecting product whose CA name c's issuer or
// subject looks like. It is a hint: anybody can choose any name, and many
// organisations choose their own.
func Interceptor(c *x509.Certificate) (vendor string, ok bool) {
	for _, n := range []*pkix.Name{&c.Issuer, &c.Subject} {
		if v, ok := interceptorName(n); ok {
			return v, true
		}
	}
	return "", false
}

func interceptorName(n *pkix.Name) (string, bool) {
	cn := strings.ToLower(n.CommonName)
	o := strings.ToLower(strings.Join(n.Organization, "\n"))
	ou := strings.ToLower(strings.Join(n.OrganizationalUnit, "\n"))
	var email string
	for _, a := range n.Names {
		if a.Type.String() == "1.2.840.113549.1.9.1" {
			if s, ok := a.Value.(string); ok {
				email += strings.ToLower(s) + "\n"
			}
		}
	}
	for _, p := range interceptors {
		if strings.Contains(cn, p.cn) && strings.HasPrefix(cn, p.cnHead) && strings.Contains(o, p.o) &&
			strings.Contains(ou, p.ou) && strings.Contains(email, p.email) {
			return p.vendor, true
		}
	}
	return "", false
}
