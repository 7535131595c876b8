package client

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// servers fills the endpoints: those that are configured, else the defaults.
func (s *scan) servers(c *Client, layers []layer) {
	proxies := s.proxies(layers)
	last := map[string]int{}
	for i, l := range layers {
		if l.role == RoleURL {
			last[l.urlKey()] = i
		}
	}
	for i, l := range layers {
		if l.role == RoleURL && (last[l.urlKey()] == i || l.many()) {
			for _, u := range strings.FieldsFunc(l.Value, func(r rune) bool { return r == ',' || r == '|' || r <= ' ' }) {
				s.endpoint(c, strings.TrimPrefix(u, "sparse+"), l.Where(), proxies)
			}
		}
	}
	if len(c.Endpoints) == 0 && c.Path != "" {
		defaults := c.Row.Servers
		if c.Row.OnlyConfigured {
			defaults = nil
		}
		if c.Row.Shipped != nil {
			defaults = c.Row.Shipped(s, c)
		}
		for _, u := range defaults {
			s.endpoint(c, u, "", proxies)
		}
	}
}

// urlKey is what a layer says: of two that say the same thing the last counts.
func (l layer) urlKey() string {
	if l.Env {
		return l.Setting.key()
	}
	return strings.ToLower(strings.Join(l.Entry.Path, "."))
}

// many reports whether the key is an element of a list, or one of many that the
// row knows by one name.
func (l layer) many() bool {
	return !l.Env && (len(l.key.Path) == 0 || l.key.Path[len(l.key.Path)-1] == "*")
}

// proxies are the proxies that a client's own configuration names, by scheme or
// server; "" stands for any.
func (s *scan) proxies(layers []layer) map[string]string {
	m := map[string]string{}
	for _, l := range layers {
		if l.role != RoleProxy || l.Value == "" || l.Env {
			continue
		}
		scheme := l.key.Scheme
		if len(l.Hosts) == 1 { // a scheme, or a server
			scheme = l.Hosts[0]
			if u, err := url.Parse(scheme); err == nil && u.Host != "" {
				scheme = u.Scheme + "://" + u.Hostname()
			}
		}
		m[scheme] = l.Value
		if strings.Contains(scheme, ".") && !strings.Contains(scheme, "://") { // a host
			m["https://"+scheme] = l.Value
		}
	}
	return m
}

func (s *scan) endpoint(c *Client, raw, setBy string, proxies map[string]string) {
	if _, host, ok := strings.Cut(raw, "://"); !ok || strings.HasPrefix(host, "$") {
		return // dnf fills in variables
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return
	}
	// Credentials are not needed to see what a server presents.
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	u.Path = channelToken.ReplaceAllString(u.Path, "/")
	id := u.String()
	if c.urls[id] {
		return
	}
	if c.urls == nil {
		c.urls = map[string]bool{}
	}
	c.urls[id] = true
	c.Endpoints = append(c.Endpoints, Endpoint{URL: u, Proxy: s.proxy(u, proxies), SetBy: setBy, Plain: u.Scheme == "http"})
}

var channelToken = regexp.MustCompile(`/t/[^/]+/`)

// proxy is what a client would connect through to reach u.
func (s *scan) proxy(u *url.URL, own map[string]string) *url.URL {
	for _, key := range []string{u.Scheme + "://" + u.Hostname(), u.Scheme, "all://" + u.Hostname(), "all", ""} {
		if p := own[key]; p != "" {
			if !strings.Contains(p, "://") {
				p = "http://" + p
			}
			if x, err := url.Parse(p); err == nil {
				return x
			}
		}
	}
	if s.v.Net != nil {
		return s.v.Net.ProxyFor(u)
	}
	return nil
}

// talksTo reports whether one of the hosts is one that c is configured to use.
func (c *Client) talksTo(hosts []string) bool {
	for _, e := range c.Endpoints {
		for _, h := range hosts {
			if u, err := url.Parse(h); err == nil && u.Host != "" {
				h = u.Host
			}
			name, port, hasPort := strings.Cut(h, ":")
			if strings.EqualFold(name, e.URL.Hostname()) && (!hasPort || port == portOf(e.URL)) {
				return true
			}
		}
	}
	return false
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// PublicHosts are the servers that programs ship as their default.
func PublicHosts() []string {
	hosts := []string{"conda.anaconda.org", "files.pythonhosted.org"}
	for _, r := range All() {
		for _, raw := range r.Servers {
			if u, err := url.Parse(raw); err == nil && !slices.Contains(hosts, u.Hostname()) {
				hosts = append(hosts, u.Hostname())
			}
		}
	}
	return hosts
}
