package detect

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// runtimeChecks judge the TLS libraries under the clients. They are errors
// only where a configured endpoint fails because of them.
var runtimeChecks = []*Check{
	{ID: "openssl-old", Area: "runtime", Doc: text.M("openssl-old.doc"), Run: opensslOld},
	{ID: "tls-old", Area: "runtime", Doc: text.M("tls-old.doc"), Run: tlsOld},
	{ID: "strict-ca", Area: "runtime", Doc: text.M("strict-ca.doc"), Run: strictCA},
}

// opensslOld: before 1.1.0 OpenSSL takes the first path it finds, and an
// expired cross-signed certificate that a server still sends hides the good
// path; nobody has repaired it since 2019.
func opensslOld(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
	return runtimeFindings(r, "openssl-old", func(c *client.Client) (text.Msg, bool) {
		return text.M("openssl-old.version", "client", c.Name, "path", c.Path, "version", c.OpenSSL), before(c.OpenSSL, "1.1.0")
	}), nil
}

// tlsOld: no TLS 1.2, which every public package server asks for.
func tlsOld(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
	return runtimeFindings(r, "tls-old", func(c *client.Client) (text.Msg, bool) {
		switch {
		case c.Name == "java":
			return text.M("tls-old.java", "path", c.Path, "version", c.Version), c.Version != "" && before(strings.TrimPrefix(c.Version, "1."), "8")
		case c.Name == "python" && before(c.Version, "2.7.9"):
			return text.M("tls-old.python", "path", c.Path, "version", c.Version), true
		}
		return text.M("tls-old.openssl", "path", c.Path, "version", c.OpenSSL), before(c.OpenSSL, "1.0.1")
	}), nil
}

// runtimeFindings reports each runtime once, however many clients share it.
func runtimeFindings(r *Report, id string, old func(*client.Client) (text.Msg, bool)) []Finding {
	var out []Finding
	at := map[string]int{}
	for _, c := range r.Clients {
		if c.Path == "" {
			continue
		}
		why, is := old(c)
		if !is {
			continue
		}
		i, ok := at[c.Path]
		if !ok {
			i = len(out)
			at[c.Path] = i
			f := Finding{
				ID: id, Severity: Info, Client: c.Name, Subject: c.Path, Where: c.Path, Action: Manual,
				Evidence: []text.Msg{why},
			}
			if id == "openssl-old" {
				f.Summary = text.M("openssl-old", "client", c.Name, "path", c.Path, "version", c.OpenSSL)
				f.Advice = []text.Msg{text.M("openssl-old.advice")}
			} else {
				f.Summary = text.M("tls-old", "client", c.Name, "path", c.Path)
				f.Advice = []text.Msg{text.M("tls-old.advice")}
			}
			out = append(out, f)
		}
		if hosts := failing(r, c, id); len(hosts) > 0 {
			out[i].Severity, out[i].Client = Error, c.Name
			out[i].Evidence = append(out[i].Evidence, text.M("runtime.refuses", "client", c.Name, "hosts", strings.Join(hosts, ", ")))
		}
	}
	return out
}

// strictCA: a chain that is good but for what Python 3.13 asks of a CA.
func strictCA(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	at := map[string]int{} // by CA
	for _, e := range r.Endpoints {
		for _, cv := range e.Clients {
			for _, cause := range cv.True.Causes {
				if cause.ID != "strict-ca" {
					continue
				}
				i, ok := at[cause.Subject]
				if !ok {
					i = len(out)
					at[cause.Subject] = i
					out = append(out, Finding{
						ID: "strict-ca", Severity: Info, Client: cv.Client.Name, Subject: cause.Subject, Where: e.URL,
						Summary:  text.M("strict-ca", "ca", cause.Subject),
						Evidence: append([]text.Msg{}, cause.Evidence...),
						Action:   Manual, Advice: []text.Msg{text.M("strict-ca.advice")}, Endpoint: e,
					})
				}
				if cv.Cause == "strict-ca" && out[i].Severity == Info {
					out[i].Severity, out[i].Client, out[i].Where = Error, cv.Client.Name, e.URL
					out[i].Evidence = append(out[i].Evidence, text.M("runtime.refuses", "client", cv.Client.Name, "hosts", e.Parsed.Hostname()))
				}
			}
		}
	}
	return out, nil
}

// failing are the hosts that a client refuses for this cause.
func failing(r *Report, c *client.Client, cause string) []string {
	var out []string
	for _, e := range r.Endpoints {
		for _, cv := range e.Clients {
			if cv.Client == c && cv.Cause == cause && e.Parsed != nil && !slices.Contains(out, e.Parsed.Hostname()) && len(out) < 5 {
				out = append(out, e.Parsed.Hostname())
			}
		}
	}
	return out
}

// before compares versions by their numbers; an unknown one is not before any.
func before(v, than string) bool {
	if v == "" {
		return false
	}
	x, y := strings.Split(v, "."), strings.Split(than, ".")
	for i := range y {
		n, m := 0, leadingNumber(y[i])
		if i < len(x) {
			n = leadingNumber(x[i])
		} else if i > 0 {
			return false // "3" says nothing about its minor version
		}
		if n != m {
			return n < m
		}
	}
	return false
}

func leadingNumber(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(s)
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}
