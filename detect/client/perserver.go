package client

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// Programs that are told of a CA by a section that a server belongs to, or by a
// directory of its name, rather than by a key that names it.

// sectionOf is the section whose URL is u, and what names that; in are the
// elements of a key's path in front of the section.
func sectionOf(layers []layer, in []string, u *url.URL) (name string, where *Setting) {
	for _, l := range layers {
		at := len(in)
		if l.role != RoleURL || l.Env || len(l.Entry.Path) <= at || !slices.Equal(l.Entry.Path[:at], in) {
			continue
		}
		for _, w := range strings.Fields(strings.ReplaceAll(l.Value, ",", " ")) {
			if p, err := url.Parse(w); err == nil && strings.EqualFold(p.Hostname(), u.Hostname()) && portOf(p) == portOf(u) && strings.HasPrefix(u.Path, p.Path) {
				return l.Entry.Path[at], l.Setting
			}
		}
	}
	return "", nil
}

// bySection gives a server the roots that its section names, and the section's
// key for others.
func (s *scan) bySection(c *Client, layers []layer, e *Endpoint, in []string, key func(section string) []string) {
	section, where := sectionOf(layers, in, e.URL)
	if where == nil {
		return
	}
	for _, l := range layers {
		if len(l.Hosts) != 1 || l.Hosts[0] != section || l.key.Aside || l.role != RoleCA && l.key.Class == nil {
			continue
		}
		e.own = append(e.own, l.Setting)
		if l.role == RoleCA && l.Value != "" {
			of := *c
			s.replace(&of, l.Setting, false)
			e.Trust = &of.Trust
		}
	}
	e.Site = &Site{File: where.File, Format: where.Format, Key: key(section), Elevated: where.Elevated}
}

func dnfServer(s *scan, c *Client, layers []layer, e *Endpoint) {
	s.bySection(c, layers, e, nil, func(section string) []string { return []string{section, "sslcacert"} })
}

// dnfResolve: a section's word is for its own servers, [main]'s for all.
func dnfResolve(s *scan, c *Client, layers []layer) {
	s.verifyOf(c, layers)
	s.trustOf(c, layers)
	for _, l := range layers {
		if l.role == RoleVerify && l.off && len(l.Hosts) == 1 && !l.key.Aside {
			c.Verify, l.Wins = "off", true
		}
	}
}

// dnfConf is the file of [main].
func dnfConf(s *scan, c *Client) File {
	if files := c.Row.Files(s, c); len(files) > 0 {
		return files[0]
	}
	return File{}
}

func poetryServer(s *scan, c *Client, layers []layer, e *Endpoint) {
	s.bySection(c, layers, e, []string{"repositories"}, func(section string) []string { return []string{"certificates", section, "cert"} })
	if e.Site != nil { // a project may name the repository; the person's own file is the first
		own := c.Row.Files(s, c)[0]
		e.Site.File, e.Site.Elevated = own.Path, s.elevated(own.Path)
	}
}

// dockerCerts holds a directory for each registry, whose files *.crt the daemon
// reads besides the system's roots.
const dockerCerts = "/etc/docker/certs.d"

func dockerServer(s *scan, c *Client, _ []layer, e *Endpoint) {
	dir := path.Join(dockerCerts, e.URL.Host)
	t := c.Trust
	t.Adds = slices.Clone(t.Adds)
	for _, n := range s.readDir(dir) {
		if strings.HasSuffix(n, ".crt") {
			t.Adds = append(t.Adds, path.Join(dir, n))
		}
	}
	e.Trust = &t
	e.Site = &Site{File: path.Join(dir, "trustfix-pin.crt"), Format: edit.Format(""), Elevated: true, Whole: true, Adds: true}
}

// dockerRegistries are the servers that have such a directory.
func (s *scan) dockerRegistries(c *Client) {
	for _, n := range s.readDir(dockerCerts) {
		if s.isDir(path.Join(dockerCerts, n)) {
			s.endpoint(c, "https://"+n, path.Join(dockerCerts, n), nil)
		}
	}
}
