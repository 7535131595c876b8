package detect

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Bounds of asking about revocation.
const (
	revocationCerts  = 4 // of a path, from the server's own up
	revocationURLs   = 2 // of each kind for one certificate
	revocationRounds = 2 // where a certificate was revoked, another path may stand
	revocationTime   = 5 * time.Second
	ocspBytes        = 64 << 10
	crlBytes         = 8 << 20
)

// Revocation is what was learned about the revocation of one certificate.
type Revocation struct {
	Subject string      `json:"subject"`
	SHA256  string      `json:"sha256"`
	Status  chain.State `json:"status"`          // good, revoked, unknown
	From    string      `json:"from,omitempty"`  // the address that said so; "" where the server stapled it
	Notes   []text.Msg  `json:"notes,omitempty"` // which answers did not count, and why

	answer chain.Answer
}

// judgeRevocation asks about the certificates of the path that a verdict
// speaks for, and judges again where one was revoked. An answer that cannot be
// had, or does not count, is a note and never a fault.
func judgeRevocation(ctx context.Context, v *platform.View, in chain.Input, verdict chain.Verdict, proxy *url.URL) (chain.Verdict, []Revocation) {
	var all []Revocation
	for range revocationRounds {
		revoked := false
		for _, r := range askRevocation(ctx, v, in, verdict, all, proxy) {
			all = append(all, r)
			if r.Status == chain.RevocationRevoked {
				in.Answers, revoked = append(in.Answers, r.answer), true
			}
		}
		if !revoked {
			break
		}
		verdict = chain.Judge(in)
	}
	return verdict, all
}

// askRevocation asks about each certificate of the best path whose issuer is
// on it, all at the same time, except for those asked about before.
func askRevocation(ctx context.Context, v *platform.View, in chain.Input, verdict chain.Verdict, before []Revocation, proxy *url.URL) []Revocation {
	if len(verdict.Paths) == 0 {
		return nil
	}
	var wg sync.WaitGroup
	links := verdict.Paths[0].Certs
	out := make([]Revocation, 0, revocationCerts)
	for i := 0; i+1 < min(len(links), revocationCerts+1); i++ {
		c, issuer := links[i].Cert, links[i+1].Cert
		if c == nil || issuer == nil || links[i].Forged || links[i].Anchor {
			break
		}
		fp := bundles.Fingerprint(c.Raw)
		if slices.ContainsFunc(before, func(r Revocation) bool { return r.SHA256 == fp }) {
			continue
		}
		out = append(out, Revocation{Subject: chain.Name(c), SHA256: fp, Status: chain.RevocationUnknown})
		r := &out[len(out)-1]
		wg.Go(func() { r.ask(ctx, v, c, issuer, in, proxy) })
	}
	wg.Wait()
	return out
}

// ask takes the first answer that counts: what the server stapled, then the
// OCSP responders that the certificate names, then its CRLs. Only plain http
// is asked: the answers are signed, and https would need the trust that is
// being judged.
func (r *Revocation) ask(ctx context.Context, v *platform.View, c, issuer *x509.Certificate, in chain.Input, proxy *url.URL) {
	heed := func(a chain.Answer) bool {
		s := a.About(c, issuer, in.Time)
		if s.State == chain.RevocationUnknown {
			r.Notes = append(r.Notes, text.M("revocation.note", "from", a.From, "why", s.Why))
			return false
		}
		r.Status, r.From, r.answer = s.State, a.From, a
		return true
	}
	if s := (chain.Answer{OCSP: in.Staple}); len(in.Staple) > 0 && s.About(c, issuer, in.Time).State != chain.RevocationUnknown && heed(s) {
		return
	}
	responders, lists := plainURLs(c.OCSPServer, revocationURLs), plainURLs(c.CRLDistributionPoints, revocationURLs)
	if len(responders)+len(lists) == 0 {
		r.Notes = append(r.Notes, text.M("revocation.no-address"))
		return
	}
	fetch := func(u *url.URL, req platform.Request) []byte {
		req.URL, req.Proxy, req.Timeout = u.String(), proxyTo(v, u, proxy), revocationTime
		body, err := fetchAnswer(ctx, v, req)
		if err != nil {
			r.Notes = append(r.Notes, text.M("revocation.note", "from", u.String(), "why", text.Redact(err.Error())))
		}
		return body
	}
	question, err := ocsp.CreateRequest(c, issuer, nil)
	if err != nil { // an issuer's key that cannot be named
		responders = nil
	}
	for _, u := range responders {
		body := fetch(u, platform.Request{Method: http.MethodPost, Body: question, Type: "application/ocsp-request", Limit: ocspBytes})
		if body != nil && heed(chain.Answer{OCSP: body, From: u.String()}) {
			return
		}
	}
	for _, u := range lists {
		if body := fetch(u, platform.Request{Limit: crlBytes}); body != nil && heed(chain.Answer{CRL: derOfCRL(body), From: u.String()}) {
			return
		}
	}
}

// fetchAnswer is the body of a whole answer, never empty.
func fetchAnswer(ctx context.Context, v *platform.View, r platform.Request) ([]byte, error) {
	resp, err := v.Net.Get(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case resp.Status != http.StatusOK:
		return nil, fmt.Errorf("HTTP status %d", resp.Status)
	case resp.Truncated:
		return nil, fmt.Errorf("the answer is larger than %d kB", r.Limit>>10)
	case len(resp.Body) == 0:
		return nil, errors.New("the answer is empty")
	}
	return resp.Body, nil
}

// derOfCRL takes off the PEM that some put around a list.
func derOfCRL(body []byte) []byte {
	if block, _ := pem.Decode(body); block != nil && strings.HasSuffix(block.Type, "CRL") {
		return block.Bytes
	}
	return body
}
