package detect

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"

	"trustfix/bundles"
	"trustfix/platform"
)

// Limits of fetching what a server forgot to send.
const (
	aiaHops  = 5
	aiaBytes = 64 << 10
	aiaTime  = 5 * time.Second
	aiaURLs  = 2 // tried for one certificate
)

// fetchIssuers fetches the certificates that a served chain lacks from where
// its own certificates say their issuers are (authorityInfoAccess, RFC 5280
// §4.2.2.1), over plain http only: an https address would need the trust that
// is being judged. What comes back is not trusted and not verified; the judge
// decides whether it completes a path to a root. It stops at an issuer that is
// already at hand.
func fetchIssuers(ctx context.Context, v *platform.View, served [][]byte, roots *bundles.Roots, proxy *url.URL) [][]byte {
	ctx, cancel := context.WithTimeout(ctx, aiaTime)
	defer cancel()
	var known []*x509.Certificate
	for _, der := range served {
		if c, err := x509.ParseCertificate(der); err == nil {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		return nil
	}
	var fetched [][]byte
	tip := topOf(known[0], known)
	for range aiaHops {
		if tip == nil || bytes.Equal(tip.RawIssuer, tip.RawSubject) || anchored(tip, roots) {
			return fetched
		}
		var next *x509.Certificate
		for _, c := range fetchIssuer(ctx, v, tip, proxy) {
			known = append(known, c)
			fetched = append(fetched, c.Raw)
			if signs(c, tip) {
				next = c
			}
		}
		if next == nil {
			return fetched
		}
		tip = topOf(next, known)
	}
	return fetched
}

// topOf climbs from c through the known certificates as far as signatures lead.
func topOf(c *x509.Certificate, known []*x509.Certificate) *x509.Certificate {
	for range len(known) {
		up := c
		for _, k := range known {
			if !bytes.Equal(k.Raw, c.Raw) && signs(k, c) {
				up = k
				break
			}
		}
		if up == c || bytes.Equal(up.RawIssuer, up.RawSubject) {
			return up
		}
		c = up
	}
	return c
}

func signs(issuer, c *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(issuer) == nil
}

// anchored reports whether a root signed c, so that nothing is missing above it.
func anchored(c *x509.Certificate, roots *bundles.Roots) bool {
	if roots == nil {
		return false
	}
	for _, r := range roots.BySubject(c.RawIssuer) {
		if signs(r.Cert, c) {
			return true
		}
	}
	return false
}

func fetchIssuer(ctx context.Context, v *platform.View, c *x509.Certificate, proxy *url.URL) []*x509.Certificate {
	for _, u := range plainURLs(c.IssuingCertificateURL, aiaURLs) {
		if ctx.Err() != nil {
			break
		}
		r, err := v.Net.Get(ctx, platform.Request{URL: u.String(), Proxy: proxyTo(v, u, proxy), Limit: aiaBytes, Timeout: aiaTime})
		if err != nil || r.Status != 200 {
			continue
		}
		if certs := readIssuers(r.Body); len(certs) > 0 {
			return certs
		}
	}
	return nil
}

// plainURLs are the first n addresses of plain http that a certificate names;
// an https address would need the trust that is being judged.
func plainURLs(list []string, n int) []*url.URL {
	var out []*url.URL
	for _, raw := range list {
		u, err := url.Parse(raw)
		if err != nil || !strings.EqualFold(u.Scheme, "http") || u.Host == "" {
			continue
		}
		if u.User = nil; len(out) < n {
			out = append(out, u)
		}
	}
	return out
}

// proxyTo is the proxy on the way to an address: the server's own, else what
// the environment names.
func proxyTo(v *platform.View, u, proxy *url.URL) *url.URL {
	if proxy != nil {
		return proxy
	}
	return v.Net.ProxyFor(u)
}

// readIssuers reads a caIssuers answer: one DER certificate, PKCS#7 certs-only,
// or PEM, which is not allowed and common.
func readIssuers(body []byte) []*x509.Certificate {
	if block, _ := pem.Decode(body); block != nil {
		if block.Type != "PKCS7" {
			var out []*x509.Certificate
			for _, c := range bundles.Read(body).Certs {
				out = append(out, c.Certificate)
			}
			return out
		}
		body = block.Bytes
	}
	if c, err := x509.ParseCertificate(body); err == nil {
		return []*x509.Certificate{c}
	}
	if p, err := pkcs7.Parse(body); err == nil {
		return p.Certificates
	}
	return nil
}
