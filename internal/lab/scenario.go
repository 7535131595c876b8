//go:build linux

package lab

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
)

// Fault is one way in which a TLS server can be. Every fault answers on port
// 443 of an address of its own, with a certificate for whatever name is asked
// for: /etc/hosts decides which name meets which fault.
type Fault string

// The faults. [Good] chains to a root that the sandbox's distribution ships.
const (
	Good        Fault = "good"
	GoodEC      Fault = "ec"         // ECDSA all the way, another public root
	CrossSigned Fault = "crosssign"  // sends a cross-sign by a root that has ended
	Expired     Fault = "expired"    // nine days ago
	NotYet      Fault = "notyet"     // in two days
	WrongHost   Fault = "wronghost"  // names another host
	SelfSigned  Fault = "selfsigned" //
	NoInt       Fault = "noint"      // intermediate not sent; AIA names it
	NoIntNoAIA  Fault = "nointnoaia" // intermediate not sent and nowhere to be had
	IntEnded    Fault = "intended"   // intermediate has expired
	Intercept   Fault = "intercept"  // re-signed by Zcorp's proxy
	Private     Fault = "private"    // under the campus's private root
	Sloppy      Fault = "sloppy"     // private root with non-critical basicConstraints, leaf without key id
	Forged      Fault = "forged"     // says it is from Issuing CA 1; the signature says no
	Constrained Fault = "constr"     // issuer may only sign for allowed.example
	WeakKey     Fault = "weakkey"    // RSA 1024
	ClientOnly  Fault = "clientonly" // extended key usage: clientAuth
	TLS10       Fault = "tls10"      // nothing newer than TLS 1.0
	MutualTLS   Fault = "mtls"       // wants a client certificate
	PlainHTTP   Fault = "plainhttp"  // http on 443
	Hang        Fault = "hang"       // accepts and says nothing
	Reset       Fault = "reset"      // RST upon the ClientHello
	Refused     Fault = "refused"    // nobody listens
	NoName      Fault = ""           // the name does not resolve
)

type scenario struct {
	fault Fault
	leaf  leaf
	tls   func(*tls.Config, *PKI)
	raw   string // instead of TLS: "http", "hang", "reset", "none"
}

// scenarios in the order of their addresses, 127.0.1.1 onward.
var scenarios = []scenario{
	{fault: Good, leaf: leaf{key: "rsa"}},
	{fault: GoodEC, leaf: leaf{issuer: "ec-int"}},
	{fault: CrossSigned, leaf: leaf{issuer: "y1-int", chain: []string{"y1-int", "y1-by-x3"}}},
	{fault: Expired, leaf: leaf{from: -90 * day, until: -9 * day}},
	{fault: NotYet, leaf: leaf{from: 2 * day, until: 90 * day}},
	{fault: WrongHost, leaf: leaf{names: []string{"other.example"}}},
	{fault: SelfSigned, leaf: leaf{selfSigned: true}},
	{fault: NoInt, leaf: leaf{chain: []string{}}},
	{fault: NoIntNoAIA, leaf: leaf{chain: []string{}, withoutAIA: true}},
	{fault: IntEnded, leaf: leaf{issuer: "int-ended"}},
	{fault: Intercept, leaf: leaf{issuer: "corp-int", chain: []string{"corp-int", "corp"}, withoutAIA: true}},
	{fault: Private, leaf: leaf{issuer: "campus", withoutAIA: true}},
	{fault: Sloppy, leaf: leaf{issuer: "sloppy", withoutAIA: true, withoutKeyIDs: true}},
	{fault: Forged, leaf: leaf{issuer: "forger", chain: []string{"int"}, withoutAIA: true}},
	{fault: Constrained, leaf: leaf{issuer: "constrained"}},
	{fault: WeakKey, leaf: leaf{key: "rsa1024"}},
	{fault: ClientOnly, leaf: leaf{mod: func(t *x509.Certificate) { t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }}},
	{fault: TLS10, leaf: leaf{key: "rsa"}, tls: func(c *tls.Config, _ *PKI) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }},
	{fault: MutualTLS, tls: func(c *tls.Config, p *PKI) {
		c.ClientCAs, c.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		c.ClientCAs.AddCert(p.CA("campus").Cert)
	}},
	{fault: PlainHTTP, raw: "http"},
	{fault: Hang, raw: "hang"},
	{fault: Reset, raw: "reset"},
	{fault: Refused, raw: "none"},
}

// address is the fault's own; it panics for a fault that has none.
func (f Fault) address() string {
	for i, s := range scenarios {
		if s.fault == f {
			return fmt.Sprintf("127.0.1.%d", i+1)
		}
	}
	panic("lab: no such fault: " + string(f))
}
