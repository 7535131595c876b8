package client

import (
	"bytes"
	"strings"

	"trustfix/internal/edit"
)

// The rows of reference/clients.md §5: a Python by its standard library, and
// the libraries in it that bring their own idea of trust.

var sslVars = []Var{
	{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true},
	{Name: "SSL_CERT_FILE", Role: RoleCA},
}

var pythonRow = &Row{
	Name: "python",
	Find: func(s *scan) []*Client { return s.pyClients("") },
	// Code that runs at every start can switch verification off for good.
	Files: func(s *scan, c *Client) []File {
		var out []File
		if c.py != nil {
			for _, f := range c.py.startup {
				out = append(out, File{Path: f, Read: readUnverified})
			}
		}
		return out
	},
	Keys: []Key{{Path: []string{unverifiedDefault}, Role: RoleVerify, Off: value(always)}},
	Vars: append([]Var{{
		Name: "PYTHONHTTPSVERIFY", Role: RoleVerify, Off: is("0"),
		Applies: func(c *Client) bool { return strings.HasPrefix(c.Version, "2.7") },
	}}, sslVars...),
	Default: "os",
	Rules:   (*Client).pyRules,
	Resolve: func(s *scan, c *Client, layers []layer) {
		s.verifyOf(c, layers)
		c.Trust = s.openSSLTrust(c.Path)
	},
	Ask: askPython(pythonAsks),
}

const unverifiedDefault = "ssl._create_default_https_context"

// readUnverified finds the lines that replace the default TLS context of
// urllib by one that does not verify.
func readUnverified(data []byte) []edit.Entry {
	if !bytes.Contains(data, []byte("_create_unverified_context")) {
		return nil
	}
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		code, _, _ := strings.Cut(line, "#")
		if strings.Contains(code, "_create_default_https_context") && strings.Contains(code, "_create_unverified_context") {
			out = append(out, edit.Entry{Path: []string{unverifiedDefault}, Value: "ssl._create_unverified_context", Line: i + 1, EndLine: i + 1})
		}
	}
	return out
}

var requestsRow = &Row{
	Name: "requests",
	Find: func(s *scan) []*Client { return s.pyClients("requests") },
	Vars: []Var{
		{Name: "CURL_CA_BUNDLE", Role: RoleCA},
		{
			Name: "CURL_CA_BUNDLE", Role: RoleVerify, Off: is(""), OffOnly: true,
			Applies: func(c *Client) bool { return older(c.Version, "2.28") },
		},
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA},
	},
	Default: "certifi",
	Source:  func(s *scan, c *Client) string { return s.certifiOf(c.Path) },
	Rules: func(c *Client) string {
		if older(c.dist("urllib3"), "2.4") {
			return c.sslRules()
		}
		return c.pyRules()
	},
	Resolve: (*scan).requestsTrust,
	Ask:     askPython(requestsAsks),
}

// requestsTrust: the first variable beats the second; only where neither names
// a bundle an empty CURL_CA_BUNDLE reaches an old requests as "do not verify".
func (s *scan) requestsTrust(c *Client, layers []layer) {
	s.trustOf(c, layers)
	if v, x := s.envValue("REQUESTS_CA_BUNDLE", c.Path); x == nil || v == "" {
		s.verifyOf(c, layers)
	}
}

var httpxRow = &Row{
	Name:    "httpx",
	Find:    func(s *scan) []*Client { return s.pyClients("httpx") },
	Vars:    sslVars,
	Default: "certifi",
	Source:  func(s *scan, c *Client) string { return s.certifiOf(c.Path) },
	Rules: func(c *Client) string {
		if older(c.Version, "0.28") {
			return c.sslRules()
		}
		return c.pyRules()
	},
	Resolve: resolveHTTPX,
	Ask:     askPython(httpxAsks),
}

// resolveHTTPX: SSL_CERT_FILE hides SSL_CERT_DIR. Before 0.28 what does not
// exist is ignored; since then it is used, and a directory that does not exist
// leaves an empty store (§5.2).
func resolveHTTPX(s *scan, c *Client, _ []layer) {
	old := older(c.Version, "0.28")
	if v, x := s.envValue("SSL_CERT_FILE", c.Path); x != nil && v != "" {
		if p, _ := s.expand(v); !old || s.isFile(p) {
			s.replace(c, x, false)
			return
		}
	}
	if v, x := s.envValue("SSL_CERT_DIR", c.Path); x != nil && v != "" {
		if p, _ := s.expand(v); !old || s.isDir(p) {
			s.replace(c, x, true)
		}
	}
}

var aiohttpRow = &Row{
	Name:    "aiohttp",
	Find:    func(s *scan) []*Client { return s.pyClients("aiohttp") },
	Vars:    sslVars,
	Default: "os",
	Rules:   (*Client).pyRules,
	Resolve: func(s *scan, c *Client, _ []layer) { c.Trust = s.openSSLTrust(c.Path) },
	Ask:     direct(askPython(aiohttpAsks)),
}

// pyClients are the Pythons that hold a distribution; "" for all.
func (s *scan) pyClients(name string) []*Client {
	var out []*Client
	for _, p := range s.pys {
		c := &Client{Path: p.path, Program: p.program, Version: p.version, OpenSSL: s.opensslOf(p).version, py: p}
		if name != "" {
			d, ok := p.dists[name]
			if !ok {
				continue
			}
			c.Version = d.version
		}
		out = append(out, c)
	}
	return out
}

// dist is the version of a distribution in the Python that c lives in.
func (c *Client) dist(name string) string {
	if c.py == nil {
		return ""
	}
	return c.py.dists[name].version
}

// bundleGroup is the package that a client's own copy of the roots comes with.
func (c *Client) bundleGroup() string {
	switch v := c.dist("certifi"); {
	case c.Name == "pip" && c.Version != "":
		return "pip " + c.Version
	case v != "":
		return "certifi " + v
	}
	return ""
}

// bundleOwner is the tool that brought a client's own copy of the roots.
func (s *scan) bundleOwner(c *Client) Owner {
	switch p := c.py; {
	case strings.HasPrefix(c.Trust.Path, "/usr/lib/python"):
		return OwnerDistro
	case p == nil:
		return OwnerNone
	case strings.Contains(c.Trust.Path, "/pip/_vendor/"):
		return OwnerVendor
	case s.prefixes[p.prefix] != nil && s.prefixes[p.prefix].pkg("certifi") != "":
		return OwnerConda
	case strings.HasSuffix(c.Trust.Path, "/certifi/cacert.pem"):
		return OwnerPip
	}
	return OwnerNone
}

// PythonVersion is the version of the Python that c lives in, "" for others.
func (c *Client) PythonVersion() string {
	if c.py == nil {
		return ""
	}
	return c.py.version
}

// pyRules is the rule set of ssl.create_default_context.
func (c *Client) pyRules() string {
	if v := c.PythonVersion(); v != "" && !older(v, "3.13") {
		return "python-3.13"
	}
	return c.sslRules()
}

// sslRules is the rule set of the OpenSSL under a Python that asks for nothing more.
func (c *Client) sslRules() string {
	switch v := c.OpenSSL; {
	case v == "":
		return "openssl-3"
	case older(v, "1.1.0"):
		return "openssl-1.0.2"
	case older(v, "3"):
		return "openssl-1.1.1"
	}
	return "openssl-3"
}
