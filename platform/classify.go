package platform

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// recorder keeps what the peer sent first, enough to tell what it speaks and
// to find the certificates of a handshake that crypto/tls gave up.
type recorder struct {
	net.Conn
	in []byte
}

const recorded = 256 << 10

func (r *recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.in = append(r.in, b[:min(n, recorded-len(r.in))]...)
	return n, err
}

// more waits a moment for the rest of a first line.
func (r *recorder) more() {
	_ = r.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	buf := make([]byte, 1024)
	for range 4 {
		if bytes.Contains(r.in, []byte("\r\n\r\n")) || len(r.in) > 4096 {
			return
		}
		if _, err := r.Read(buf); err != nil {
			return
		}
	}
}

// plainText is the first line of what a server said that does not speak TLS,
// with the target of a redirect.
func plainText(in []byte) (string, bool) {
	if len(in) == 0 || in[0] == 0x15 || in[0] == 0x16 {
		return "", false
	}
	line, rest, _ := bytes.Cut(in, []byte("\n"))
	s := strings.TrimSpace(string(line))
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
		return "bytes that are not TLS", true
	}
	for h := range bytes.Lines(rest) {
		name, value, ok := strings.Cut(string(h), ":")
		if ok && strings.EqualFold(name, "Location") {
			s += ", Location: " + redactURLs(strings.TrimSpace(value))
		}
	}
	return s, true
}

// classifyDial says why no connection came about.
func classifyDial(ctx context.Context, err error) (NetKind, string) {
	var dns *net.DNSError
	switch text := err.Error(); {
	case errors.Is(err, errUnspecified):
		return NetDNS, errUnspecified.Error()
	case errors.As(err, &dns):
		switch {
		case dns.IsNotFound:
			return NetDNS, "no such host: " + dns.Name
		case dns.IsTimeout:
			return NetDNS, "the name servers did not answer"
		}
		return NetDNS, dns.Err
	case errors.Is(err, syscall.ECONNREFUSED) || strings.Contains(text, "refused"):
		return NetRefused, "connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return NetRefused, lastError(err)
	case timedOut(ctx, err):
		return NetTimeout, "no connection in time"
	case isReset(err):
		return NetReset, "connection reset"
	}
	return NetRefused, lastError(err)
}

func lastError(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

func timedOut(ctx context.Context, err error) bool {
	var ne net.Error
	return ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNABORTED) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "forcibly closed") // Windows
}

// handshakeState is what a handshake had come to when it failed.
type handshakeState struct {
	wantsCert, gaveCert bool
}

// classifyTLS says why a handshake failed on a connection that stood.
func classifyTLS(ctx context.Context, err error, rec *recorder, s handshakeState) (NetKind, string) {
	var header tls.RecordHeaderError
	var op *net.OpError
	text := err.Error()
	if errors.As(err, &header) {
		rec.more()
	}
	if line, ok := plainText(rec.in); ok && (errors.As(err, &header) || isReset(err) || timedOut(ctx, err)) {
		return NetNotTLS, line
	}
	switch {
	case errors.As(err, &op) && op.Op == "remote error":
		alert := strings.TrimPrefix(op.Err.Error(), "tls: ")
		switch {
		case s.wantsCert && !s.gaveCert, strings.Contains(alert, "certificate required"):
			return NetNeedsCert, "it answered: " + alert
		case s.wantsCert && strings.Contains(alert, "certificate"):
			return NetNeedsCert, "it refused the client certificate: " + alert
		case strings.Contains(alert, "protocol version"):
			return NetTLSOld, "it answered: " + alert
		}
		return NetReset, "it refused the handshake: " + alert
	case strings.Contains(text, "unsupported protocol version"), strings.Contains(text, "unsupported SSLv2"):
		return NetTLSOld, strings.TrimPrefix(text, "tls: ")
	case errors.As(err, &header):
		return NetNotTLS, strings.TrimPrefix(header.Msg, "tls: ")
	case isReset(err) && s.wantsCert && !s.gaveCert:
		return NetNeedsCert, "it closed the connection when no client certificate came"
	case timedOut(ctx, err):
		return NetTimeout, "connected, but no TLS answer in time"
	case isReset(err):
		return NetReset, "the connection was closed during the TLS handshake"
	case strings.Contains(text, "certificate"), strings.Contains(text, "handshake message of length"): // hundreds of kilobytes
		return NetMalformed, strings.TrimPrefix(text, "tls: ")
	}
	return NetReset, strings.TrimPrefix(text, "tls: ")
}

// sentCertificates finds the Certificate message in the recorded records of a
// handshake up to TLS 1.2, where it is sent in the clear.
func sentCertificates(in []byte) [][]byte {
	var msgs []byte
	for len(in) >= 5 && in[0] == 0x16 {
		n := int(in[3])<<8 | int(in[4])
		if len(in) < 5+n {
			break
		}
		msgs, in = append(msgs, in[5:5+n]...), in[5+n:]
	}
	for len(msgs) >= 4 {
		kind, n := msgs[0], u24(msgs[1:])
		if len(msgs) < 4+n {
			return nil
		}
		if body := msgs[4 : 4+n]; kind == 11 && n >= 3 {
			return certificateList(body[3:])
		}
		msgs = msgs[4+n:]
	}
	return nil
}

func certificateList(b []byte) (out [][]byte) {
	for len(b) >= 3 {
		n := u24(b)
		if len(b) < 3+n {
			return out
		}
		out, b = append(out, b[3:3+n]), b[3+n:]
	}
	return out
}

func u24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
