package platform

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const maxRedirects = 5

// Get implements Net. Credentials in r.URL are not sent; a redirect from
// https to http is refused. The error is a *NetError; its Kind is empty when
// the connection stood and TLS verification or HTTP itself failed.
func (n *network) Get(ctx context.Context, r Request) (*Response, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, &NetError{Detail: "not a URL", Err: err}
	}
	fail := func(kind NetKind, detail string, err error) error {
		return &NetError{Kind: kind, Host: u.Hostname(), Detail: detail, Err: err}
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fail("", "", fmt.Errorf("scheme %q is neither http nor https", u.Scheme))
	case u.Scheme == "https" && r.Roots == nil:
		return nil, fail("", "", errors.New("no roots to verify https with"))
	}
	if _, err := asciiHost(u.Hostname()); err != nil {
		return nil, fail(NetDNS, "not a usable host name", err)
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, 5*time.Second))
	defer cancel()

	u.User = nil
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodGet), u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, fail("", "", err)
	}
	req.Header.Set("User-Agent", "trustfix")
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	var proxyAnswer string
	transport := n.transport(r, &proxyAnswer)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: redirects(r.NoFollow)}
	resp, err := client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		kind, detail := classifyGet(ctx, err)
		if proxyAnswer != "" {
			kind, detail = NetProxy, "proxy "+proxyAddr(r.Proxy)+": "+proxyAnswer
		} else if r.Proxy != nil && kind != "" && kind != NetTimeout {
			kind, detail = NetProxy, "proxy "+proxyAddr(r.Proxy)+": "+detail
		}
		return nil, fail(kind, detail, err)
	}
	defer resp.Body.Close()
	out := &Response{Status: resp.StatusCode, Header: resp.Header, At: n.now()}
	limit := cmp.Or(r.Limit, 64<<10)
	out.Body, err = io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		kind, detail := classifyGet(ctx, err)
		return nil, fail(kind, detail, err)
	}
	if int64(len(out.Body)) > limit {
		out.Body, out.Truncated = out.Body[:limit], true
	}
	return out, nil
}

func (n *network) transport(r Request, proxyAnswer *string) *http.Transport {
	now := n.now
	if !r.Now.IsZero() {
		now = func() time.Time { return r.Now }
	}
	roots := r.Roots
	if roots == nil {
		roots = x509.NewCertPool() // an https proxy is not trusted unasked either
	}
	t := &http.Transport{
		DialContext:       n.dial,
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, Time: now, MinVersion: tls.VersionTLS12},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				*proxyAnswer = resp.Proto + " " + resp.Status
			}
			return nil
		},
		MaxResponseHeaderBytes: 64 << 10,
	}
	if r.Proxy != nil {
		t.Proxy = http.ProxyURL(r.Proxy)
	}
	return t
}

func redirects(noFollow bool) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		switch {
		case noFollow:
			return http.ErrUseLastResponse
		case len(via) >= maxRedirects:
			return fmt.Errorf("more than %d redirects", maxRedirects)
		case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
			return errors.New("redirect from https to " + req.URL.Scheme)
		}
		req.URL.User = nil
		req.Header.Del("Referer") // where we came from is not the next host's business
		return nil
	}
}

func classifyGet(ctx context.Context, err error) (NetKind, string) {
	var header tls.RecordHeaderError
	var cert *tls.CertificateVerificationError
	var alert *net.OpError
	switch {
	case errors.As(err, &cert):
		return "", cert.Err.Error()
	case errors.As(err, &header), errors.Is(err, http.ErrSchemeMismatch):
		return NetNotTLS, "an answer that is not TLS"
	case errors.As(err, &alert) && alert.Op == "remote error":
		return NetReset, "it refused the handshake: " + alert.Err.Error()
	}
	var op interface{ Timeout() bool }
	if errors.As(err, &op) || isReset(err) || ctx.Err() != nil {
		return classifyDial(ctx, err)
	}
	return "", err.Error()
}
