package platform

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const handshakeTimeout = 10 * time.Second

// Handshake implements Net. Every suite and version down to TLS 1.0 is
// offered, so that the chain of a bad server is seen too; nothing is sent
// after the handshake.
func (n *network) Handshake(ctx context.Context, e Endpoint) (*Served, error) {
	ctx, cancel := bounded(ctx, handshakeTimeout)
	defer cancel()
	host, err := asciiHost(e.Host)
	if err != nil {
		return nil, &NetError{Kind: NetDNS, Host: e.Host, Detail: "not a usable host name", Err: err}
	}
	s, nerr := n.handshake(ctx, e, host, tls.VersionTLS13)
	if nerr != nil && nerr.Kind == NetMalformed && len(s.Certs) == 0 {
		// In TLS 1.3 the certificates are encrypted, and crypto/tls drops what
		// it cannot parse. Older versions send them in the clear.
		if again, _ := n.handshake(ctx, e, host, tls.VersionTLS12); again != nil && len(again.Certs) > 0 {
			s.Certs = again.Certs
		}
	}
	if nerr != nil && nerr.Kind == NetMalformed && len(s.Certs) > 0 && strings.Contains(nerr.Detail, "RSA key larger than") {
		nerr = nil // a bound of crypto/tls, not of other programs: the judge has the chain
	}
	if nerr != nil {
		return s, nerr
	}
	return s, nil
}

func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

func (n *network) handshake(ctx context.Context, e Endpoint, host string, maxVersion uint16) (*Served, *NetError) {
	port := e.Port
	if port == 0 {
		port = 443
	}
	addr := net.JoinHostPort(host, strconv.Itoa(port))
	if e.Addr != "" {
		addr = e.Addr
	}
	began := time.Now()
	conn, nerr := n.connect(ctx, e, e.Host, addr)
	if nerr != nil {
		return nil, nerr
	}
	defer conn.Close()
	stop := closeWith(ctx, conn)
	defer stop()
	s := &Served{Addr: conn.RemoteAddr().String()}
	if e.StartTLS != "" {
		if err := startTLS(conn, e.StartTLS); err != nil {
			kind := NetNotTLS
			if timedOut(ctx, err) {
				kind = NetTimeout
			} else if isReset(err) {
				kind = NetReset
			}
			return s, &NetError{Kind: kind, Host: e.Host, Detail: err.Error(), Err: err}
		}
	}
	rec := &recorder{Conn: conn}
	tc := tls.Client(rec, n.config(e, host, maxVersion, s))
	err := tc.HandshakeContext(ctx)
	if err == nil && s.WantsCert {
		err = refusal(tc, time.Since(began), e.Cert == nil)
	}
	if err == nil {
		return s, nil
	}
	state := handshakeState{wantsCert: s.WantsCert, gaveCert: e.Cert != nil}
	kind, detail := classifyTLS(ctx, err, rec, state)
	s.RequiresCert = kind == NetNeedsCert
	if len(s.Certs) == 0 {
		s.Certs = sentCertificates(rec.in)
	}
	return s, &NetError{Kind: kind, Host: e.Host, Detail: detail, Err: err}
}

// config is a client that accepts everything and writes down in s what it saw.
func (n *network) config(e Endpoint, host string, maxVersion uint16, s *Served) *tls.Config {
	var suites []uint16
	for _, c := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		suites = append(suites, c.ID)
	}
	return &tls.Config{
		ServerName:         host,
		InsecureSkipVerify: true, // the chain is fetched to be judged, and nothing is sent
		MinVersion:         tls.VersionTLS10,
		MaxVersion:         maxVersion,
		CipherSuites:       suites,
		Time:               n.now,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			s.WantsCert = true
			if e.Cert != nil {
				return e.Cert, nil
			}
			return &tls.Certificate{}, nil
		},
		VerifyConnection: func(cs tls.ConnectionState) error {
			s.Version, s.OCSP = cs.Version, cs.OCSPResponse
			for _, c := range cs.PeerCertificates {
				s.Certs = append(s.Certs, c.Raw)
			}
			return nil
		},
	}
}

// refusal waits for the server's word on the client certificate, which in TLS
// 1.3 comes after the handshake: a moment longer than the way there and back.
func refusal(tc *tls.Conn, rtt time.Duration, none bool) error {
	_ = tc.SetReadDeadline(time.Now().Add(300*time.Millisecond + min(rtt, time.Second)))
	_, err := tc.Read(make([]byte, 1))
	var op *net.OpError
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		return nil
	case errors.As(err, &op) && op.Op == "remote error":
		return err
	case none && isReset(err):
		return err
	}
	return nil
}
