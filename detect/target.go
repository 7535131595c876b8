package detect

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"trustfix/internal/text"
)

// direct are the schemes that begin with TLS, with their ports.
var direct = map[string]int{"https": 443, "wss": 443, "imaps": 993, "pop3s": 995, "smtps": 465, "submissions": 465, "ldaps": 636}

// starttls are the schemes that begin in the clear, with their ports.
var starttls = map[string]int{"smtp": 25, "submission": 587, "imap": 143, "pop3": 110, "postgres": 5432, "postgresql": 5432, "ldap": 389}

// ParseTarget reads an endpoint as people name it: a URL, host, host:port,
// name@ip:port (connect there, but ask for and verify name), an IPv6 literal
// with or without brackets. The port is 443 unless the scheme says otherwise;
// smtp, imap, pop3, postgres and ldap are upgraded with STARTTLS. Names in
// Unicode become what is looked up and what certificates hold. User names and
// passwords are dropped. The proxy is left to the caller.
func ParseTarget(s string) (*Endpoint, error) {
	raw := strings.TrimSpace(s)
	if raw == "" {
		return nil, fmt.Errorf("cannot read target %q: it is empty", s)
	}
	e := &Endpoint{}
	scheme, rest := "https", raw
	if before, after, ok := strings.Cut(raw, "://"); ok {
		scheme, rest = strings.ToLower(before), after
	}
	_, upgraded := starttls[scheme]
	switch port, ok := direct[scheme]; {
	case scheme == "http":
		return nil, fmt.Errorf("cannot judge %q: plain http has no certificate", text.Redact(raw))
	case !ok && !upgraded:
		return nil, fmt.Errorf("cannot judge %q: %q is not supported; these are: %s", text.Redact(raw), scheme+"://", schemes())
	default:
		e.Target.Port = port
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if name, addr, ok := strings.Cut(authority, "@"); ok && scheme == "https" && !strings.Contains(raw, "://") {
		ap, err := netip.ParseAddrPort(addr)
		if err != nil {
			ip, err := netip.ParseAddr(strings.Trim(addr, "[]"))
			if err != nil {
				return nil, fmt.Errorf("cannot read target %q: want name@ip:port", s)
			}
			ap = netip.AddrPortFrom(ip, 443)
		}
		e.Target.Addr, e.Target.Port, authority = ap.String(), int(ap.Port()), name
	} else if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if p, ok := starttls[scheme]; ok {
		e.Target.Port, e.Target.StartTLS = p, map[string]string{"submission": "smtp", "postgresql": "postgres"}[scheme]
		if e.Target.StartTLS == "" {
			e.Target.StartTLS = scheme
		}
	}
	host, port, err := splitHost(authority)
	if err != nil {
		return nil, fmt.Errorf("cannot read target %q: %w", text.Redact(s), err)
	}
	if port != 0 {
		e.Target.Port = port
	}
	e.Target.Host = host
	e.Parsed = &url.URL{Scheme: scheme, Host: hostPort(host, e.Target.Port, scheme)}
	if p, err := url.Parse(path); err == nil {
		e.Parsed.Path, e.Parsed.RawQuery = p.Path, p.RawQuery
	}
	e.URL = e.Parsed.String()
	return e, nil
}

// schemes lists what ParseTarget takes.
func schemes() string {
	names := slices.Concat(slices.Collect(maps.Keys(direct)), slices.Collect(maps.Keys(starttls)))
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// ParseHost reads a host name or IP literal without a port, as it is looked up.
func ParseHost(s string) (string, error) {
	host, port, err := splitHost(strings.TrimSpace(s))
	if err == nil && port != 0 {
		err = fmt.Errorf("%q is more than a host name", s)
	}
	return host, err
}

// splitHost splits "host:port", brackets optional around a lone IPv6 address,
// and gives the host as it is looked up: lower case, punycode, no final dot.
func splitHost(s string) (host string, port int, err error) {
	host = s
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return ip.WithZone("").String(), 0, nil
	}
	if h, p, err := net.SplitHostPort(s); err == nil {
		host = h
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return "", 0, fmt.Errorf("%q is no port", p)
		}
		if ip, err := netip.ParseAddr(h); err == nil {
			return ip.WithZone("").String(), port, nil
		}
	}
	// What is ASCII already stands as it is: there are names in use that IDNA
	// would not make, such as those with underscores.
	if strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", 0, fmt.Errorf("%q is no host name: %w", host, err)
		}
		host = ascii
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" || len(host) > 253 || strings.ContainsFunc(host, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	}) {
		return "", 0, fmt.Errorf("%q is no host name", host)
	}
	return host, port, nil
}

// hostPort is the authority of a URL: brackets for IPv6, no default port.
func hostPort(host string, port int, scheme string) string {
	if direct[scheme] == port || starttls[scheme] == port {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
