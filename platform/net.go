package platform

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"time"
)

// Net reaches the network. Nothing it returns has been verified unless it says so.
type Net interface {
	// Handshake connects (through e.Proxy when set), performs a TLS handshake
	// without verification and returns what the server sent, so that it can be
	// judged. The error is always a *NetError. A Served may come together with
	// an error (the server sent its chain, then refused us).
	Handshake(ctx context.Context, e Endpoint) (*Served, error)
	// Get makes one bounded http or https request; https is always verified, with r.Roots.
	Get(ctx context.Context, r Request) (*Response, error)
	// Time asks one SNTP server once. The error names what was wrong with the
	// answer (kiss of death, unsynchronised, bad origin, timeout …).
	Time(ctx context.Context, server string) (Sample, error)
	// ProxyFor is the proxy that the caller's environment names for u
	// (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, both cases), or nil.
	ProxyFor(u *url.URL) *url.URL
}

// Endpoint is where a TLS handshake goes.
type Endpoint struct {
	Host     string // name asked for: SNI and certificate name, or an IP literal
	Port     int
	Addr     string   // "ip:port" to connect to instead of resolving Host; "" normally
	Proxy    *url.URL // http, https (CONNECT) or socks5; nil for a direct connection
	StartTLS string   // "", "smtp", "imap", "pop3", "postgres", "ldap"
	Cert     *tls.Certificate
	// ProxyRoots verify an https proxy. Without them its certificate is not
	// checked, and its credentials are not sent to it.
	ProxyRoots *x509.CertPool
}

// Served is what a server presented.
type Served struct {
	Certs        [][]byte // DER, leaf first, in the order and number sent
	OCSP         []byte   // stapled response
	Version      uint16   // tls.VersionTLS12 …
	Addr         string   // address connected to
	WantsCert    bool     // a client certificate was requested
	RequiresCert bool     // … and the server closed when none came
}

// NetKind classifies why no handshake came about. The values are the finding ids.
type NetKind string

// The kinds of network failure.
const (
	NetDNS       NetKind = "net-dns"
	NetRefused   NetKind = "net-refused"
	NetReset     NetKind = "net-reset"
	NetTimeout   NetKind = "net-timeout"
	NetProxy     NetKind = "net-proxy"
	NetNotTLS    NetKind = "net-not-tls"
	NetTLSOld    NetKind = "server-tls-old"   // the server offers nothing newer than TLS 1.1
	NetMalformed NetKind = "server-malformed" // a certificate that does not parse
	NetNeedsCert NetKind = "server-needs-client-cert"
)

// NetError says why a request or a handshake failed.
type NetError struct {
	Kind   NetKind
	Host   string
	Detail string // short and checkable: "HTTP/1.1 302 Found, Location: http://portal.example/login"
	Err    error
}

// Request is one bounded GET (or HEAD, or POST).
type Request struct {
	URL      string
	Method   string // default GET
	Body     []byte // of a POST
	Type     string // media type of Body
	Proxy    *url.URL
	Roots    *x509.CertPool // for https; nil refuses https
	Now      time.Time      // verification time; zero: system time
	Limit    int64          // bytes of body; default 64 kB
	Timeout  time.Duration  // default 5 s
	NoFollow bool           // do not follow redirects
}

// Response is what came back.
type Response struct {
	Status int
	Header map[string][]string
	Body   []byte
	// Truncated says that the body went on beyond Request.Limit.
	Truncated bool
	At        time.Time // system clock when the header arrived
}

// Sample is one answer of a time server.
type Sample struct {
	Server       string
	Offset       time.Duration // true time minus system time
	RootDistance time.Duration // half width of the interval that holds the true offset
	Stratum      int
}

func (e *NetError) Error() string {
	msg := e.Host
	if e.Kind != "" {
		msg += ": " + string(e.Kind)
	}
	switch {
	case e.Detail != "":
		msg += ": " + e.Detail
	case e.Err != nil:
		msg += ": " + e.Err.Error()
	}
	return redactURLs(msg)
}

func (e *NetError) Unwrap() error { return e.Err }
