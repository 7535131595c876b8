package client

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// settle computes the effective state of an instance.
func (s *scan) settle(r *Row, c *Client, layers []layer) {
	seen := make(map[*Setting]bool, len(layers))
	for _, l := range layers {
		if !seen[l.Setting] {
			seen[l.Setting] = true
			c.Settings = append(c.Settings, l.Setting)
		}
	}
	c.Trust = Trust{Kind: r.Default}
	switch {
	case r.Default == ofNode && s.nodeOfDebian():
		c.Trust = s.openSSLTrust("")
	case r.Default == builtIn, r.Default == ofNode:
		c.Trust = Trust{Kind: "certifi", Builtin: true}
	case r.Source != nil:
		c.Trust.Path = r.Source(s, c)
		c.Trust.Builtin = c.Trust.Path == ""
		if slices.Contains(osBundles, c.Trust.Path) { // a distribution's certifi (§3.4)
			c.Trust.Kind = "os"
		}
		c.Trust.Group = c.bundleGroup()
		c.Trust.Owner = s.bundleOwner(c)
	case r.Default == "os":
		c.Trust.Path = s.osBundle()
	}
	if r.Endpoints != nil {
		r.Endpoints(s, c, layers)
	} else {
		s.servers(c, layers)
	}
	if r.Resolve != nil {
		r.Resolve(s, c, layers)
	} else { // the rule of most programs: for each role the last layer counts
		s.verifyOf(c, layers)
		s.trustOf(c, layers)
	}
}

func (s *scan) verifyOf(c *Client, layers []layer) {
	var w *Setting
	off, forHost := false, false
	for _, l := range layers {
		if l.role != RoleVerify || l.key.Aside {
			continue
		}
		if len(l.Hosts) > 0 {
			if l.off && c.talksTo(l.Hosts) {
				forHost, l.Wins = true, true
			}
			continue
		}
		w, off = l.Setting, l.off
	}
	if w != nil {
		w.Wins = true
	}
	if off || forHost { // what is said of one server is not taken back by what is said of all
		c.Verify = "off"
	}
}

func (s *scan) trustOf(c *Client, layers []layer) {
	var w *layer
	for i := range layers {
		if l := &layers[i]; l.role == RoleCA && l.Value != "" && len(l.Hosts) == 0 && !l.key.Aside {
			if l.key.Adds {
				if p, ok := s.expand(l.Value); ok {
					c.Trust.Adds = append(c.Trust.Adds, p)
				}
				l.Wins = true
				continue
			}
			w = l
		}
	}
	if w != nil {
		s.replace(c, w.Setting, w.key.Dir)
	}
}

// replace makes a setting the trust source of c.
func (s *scan) replace(c *Client, x *Setting, dir bool) {
	p, _ := s.pathOf(x)
	kind := "file"
	if dir || s.isDir(p) {
		kind = "dir"
	}
	c.Trust.Kind, c.Trust.Path, c.Trust.SetBy, c.Trust.Builtin, c.Trust.Group, c.Trust.Owner = kind, p, x.Where(), false, "", OwnerNone
	x.Wins = true
}

// settleShared finishes what needs all clients: which of them a shared
// variable hits, and whether a switch still means anything here.
func (s *scan) settleShared() {
	present := map[string]bool{}
	for _, c := range s.inv.Clients {
		present[c.Name] = present[c.Name] || c.Path != ""
	}
	for _, x := range s.inv.Settings {
		if x.Role == RoleCA || x.Role == RoleCert || x.Role == RoleKey {
			if p, ok := s.pathOf(x); ok {
				x.Path = path.Clean(p)
			}
		}
		if !x.Env {
			continue
		}
		var here []string
		for _, n := range x.Affects {
			if present[n] && !slices.Contains(here, n) {
				here = append(here, n)
			}
		}
		if len(here) > 0 {
			x.Affects = here
		}
		x.Inert = x.Off && !s.heeded(x)
	}
}

// heeded reports whether a variable that only some versions know counts for a
// program that was found.
func (s *scan) heeded(x *Setting) bool {
	conditional := false
	for _, u := range s.vars[canon(x.Name)] {
		if u.v.Role != RoleVerify || u.v.Applies == nil {
			continue
		}
		conditional = true
		for _, c := range s.inv.Clients {
			if c.Row == u.row && u.v.Applies(c) {
				return true
			}
		}
	}
	return !conditional
}

// settleServers finds, for each server of a client that knows settings for one
// alone, where its roots come from there and where they would be set.
func (s *scan) settleServers(r *Row, c *Client, layers []layer) {
	perKey := r.Pin != nil && slices.Contains(r.Pin.Key, perServer)
	if r.Server != nil {
		c.judge = func(e *Endpoint) { r.Server(s, c, layers, e) }
		for i := range c.Endpoints {
			c.judge(&c.Endpoints[i])
		}
		return
	}
	if !perKey && !slices.ContainsFunc(layers, func(l layer) bool { return l.role == RoleCA && len(l.Hosts) == 1 }) {
		return
	}
	c.judge = func(e *Endpoint) {
		e.own, e.Trust = s.forServer(r, c, layers, e.URL)
		if perKey && c.Site != nil && e.URL.Scheme == "https" {
			site := *c.Site
			site.Key = slices.Clone(site.Key)
			site.Key[slices.Index(site.Key, perServer)] = "https://" + e.URL.Host + "/"
			e.Site = &site
		}
	}
	for i := range c.Endpoints {
		c.judge(&c.Endpoints[i])
	}
}

// forServer are the settings that name roots for a server alone, the one that
// counts last, and the trust source that it makes; nil where none counts.
func (s *scan) forServer(r *Row, c *Client, layers []layer, u *url.URL) (own []*Setting, t *Trust) {
	weight := 0
	var best *layer
	for i := range layers {
		l := &layers[i]
		switch w, ok := r.match(l, u); {
		case ok && w >= weight:
			best, weight = l, w
			own = append(own, l.Setting)
		case l.role == RoleCA && l.Env && !l.below && !l.key.Aside && l.Value != "" && len(l.Hosts) == 0:
			best, weight = nil, 0 // a variable wins over what files say of one server
		}
	}
	if best == nil {
		return own, nil
	}
	own = append(slices.DeleteFunc(own, func(x *Setting) bool { return x == best.Setting }), best.Setting)
	at := *c
	s.replace(&at, best.Setting, best.key.Dir)
	return own, &at.Trust
}

// match weighs a layer that names roots for one server against a URL.
func (r *Row) match(l *layer, u *url.URL) (weight int, ok bool) {
	if l.role != RoleCA || len(l.Hosts) != 1 || l.Value == "" || l.key.Aside || l.key.Adds {
		return 0, false
	}
	if r.Match != nil {
		return r.Match(l.Hosts[0], u)
	}
	return 1, strings.EqualFold(l.Hosts[0], u.Hostname()) || strings.EqualFold(l.Hosts[0], u.Host)
}
