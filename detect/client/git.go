package client

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"trustfix/internal/edit"
)

// git (reference/clients.md §8): its files with what they include, the
// repository around the working directory, and sections that are for some
// servers only.

var gitRow = &Row{
	Name:     "git",
	Programs: []string{"git"},
	Files:    gitFiles,
	Layers:   gitVariables,
	Normal:   strings.ToLower,
	Keys: []Key{
		{Path: []string{"http", "sslverify"}, Role: RoleVerify, Off: gitOff},
		{Path: []string{"http", "*", "sslverify"}, Role: RoleVerify, Off: gitOff, HostAt: 2},
		{Path: []string{"http", "sslcainfo"}, Role: RoleCA},
		{Path: []string{"http", "*", "sslcainfo"}, Role: RoleCA, HostAt: 2},
		{Path: []string{"http", "sslcapath"}, Role: RoleCA, Dir: true, Aside: true},
		{Path: []string{"http", "*", "sslcapath"}, Role: RoleCA, Dir: true, HostAt: 2, Aside: true},
		{Path: []string{"http", "proxysslcainfo"}, Role: RoleCA, Aside: true},
		{Path: []string{"http", "sslcert"}, Role: RoleCert},
		{Path: []string{"http", "*", "sslcert"}, Role: RoleCert, HostAt: 2},
		{Path: []string{"http", "sslkey"}, Role: RoleKey},
		{Path: []string{"http", "*", "sslkey"}, Role: RoleKey, HostAt: 2},
		{Path: []string{"http", "proxy"}, Role: RoleProxy},
		{Path: []string{"http", "*", "proxy"}, Role: RoleProxy, HostAt: 2},
		{Path: []string{"remote", "*", "url"}, Role: RoleURL},
		{Path: []string{"remote", "*", "pushurl"}, Role: RoleURL},
		{Path: []string{"url", "*", "insteadof"}, Role: roleOther},
	},
	Vars: []Var{
		// Any value, "0" and "" too: git only looks whether it is there.
		{Name: "GIT_SSL_NO_VERIFY", Role: RoleVerify, Off: always},
		{Name: "GIT_SSL_CAPATH", Role: RoleCA, Dir: true, Aside: true},
		{Name: "GIT_SSL_CAINFO", Role: RoleCA},
		{Name: "GIT_PROXY_SSL_CAINFO", Role: RoleCA, Aside: true},
		{Name: "GIT_SSL_CERT", Role: RoleCert},
		{Name: "GIT_SSL_KEY", Role: RoleKey},
		{Name: "GIT_CONFIG_COUNT", Role: roleOther},
		{Name: "GIT_CONFIG_KEY_*", Role: roleOther},
		{Name: "GIT_CONFIG_VALUE_*", Role: roleOther, EmptyCounts: true},
	},
	Default:   "os",
	Pin:       &Pin{Key: []string{"http", perServer, "sslCAInfo"}, File: userGitconfig, Dir: ".config/git"},
	Endpoints: (*scan).gitServers,
	Match:     gitMatch,
	Ask:       askGit,
	Rules:     ruleSet("gnutls"),
	Versions:  (*scan).packaged,
}

// gitOff: a key without "=" is true, one with an empty value false.
func gitOff(e edit.Entry) bool {
	if e.Empty {
		return false
	}
	// Numbers as C writes them, with git's units: 0x0 and 0k are false, too.
	number := strings.TrimRight(strings.ToLower(strings.TrimSpace(e.Value)), "kmg")
	if n, err := strconv.ParseInt(number, 0, 64); err == nil {
		return n == 0
	}
	return oneOf("false", "no", "off", "")(e.Value)
}

// gitServers are the remotes of the repository, rewritten as git does, and the
// servers that have a section of their own.
func (s *scan) gitServers(c *Client, layers []layer) {
	type rewrite struct{ from, to string }
	var rewrites []rewrite
	for _, l := range layers {
		if p := l.Entry.Path; !l.Env && len(p) == 3 && strings.EqualFold(p[2], "insteadOf") && l.Value != "" {
			rewrites = append(rewrites, rewrite{l.Value, p[1]})
		}
	}
	// The longest one counts.
	slices.SortStableFunc(rewrites, func(a, b rewrite) int { return len(b.from) - len(a.from) })
	proxies := s.proxies(layers)
	for _, l := range layers {
		switch {
		case l.role == RoleURL:
			to := l.Value
			for _, r := range rewrites {
				if rest, ok := strings.CutPrefix(to, r.from); ok {
					to = r.to + rest
					break
				}
			}
			s.endpoint(c, to, l.Where(), proxies)
		case len(l.Hosts) == 1 && !strings.Contains(l.Hosts[0], "*"):
			s.endpoint(c, l.Hosts[0], l.Where(), proxies)
		}
	}
}

// gitMatch is git's own idea of whether a section http.<pattern> is about a
// URL: same scheme, host and port, a path that is above it. The longer the
// pattern the more it counts.
func gitMatch(pattern string, u *url.URL) (weight int, ok bool) {
	p, err := url.Parse(pattern)
	if err != nil || !strings.EqualFold(p.Scheme, u.Scheme) || portOf(p) != portOf(u) {
		return 0, false
	}
	hosts, want := strings.Split(strings.ToLower(u.Hostname()), "."), strings.Split(strings.ToLower(p.Hostname()), ".")
	if len(hosts) != len(want) {
		return 0, false
	}
	for i, w := range want {
		if w != "*" && w != hosts[i] {
			return 0, false
		}
	}
	above := strings.TrimSuffix(p.Path, "/")
	if above != "" && u.Path != above && !strings.HasPrefix(u.Path, above+"/") {
		return 0, false
	}
	weight = 1 + len(above)
	if !strings.Contains(p.Hostname(), "*") {
		weight += 1 << 16 // the host comes before the path
	}
	return weight, true
}

// gitVariables are the keys that GIT_CONFIG_COUNT, _KEY_n and _VALUE_n set, the
// last of all layers.
func gitVariables(s *scan, c *Client) []layer {
	count, _ := s.envValue("GIT_CONFIG_COUNT", "")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil {
		return nil
	}
	var out []layer
	for i := range min(n, 1000) {
		at := strconv.Itoa(i)
		name, _ := s.envValue("GIT_CONFIG_KEY_"+at, "")
		val, x := s.envValue("GIT_CONFIG_VALUE_"+at, "")
		p := gitKey(name)
		if x == nil || p == nil {
			continue
		}
		e := edit.Entry{Path: p, Value: val, Quoted: true}
		k := c.Row.key(edit.GitConfig, e)
		if k == nil {
			continue
		}
		role, off := k.class(e)
		id := "GIT_CONFIG_VALUE\x00" + x.Where() + "\x00" + at
		set := s.own[id]
		if set == nil {
			copied := *x
			set = &copied
			set.Role, set.Off, set.Adds, set.Dir, set.Affects = role, off, k.Adds, k.Dir, nil
			if role == RoleVerify {
				set.Instead = "true" // without a value git refuses to start
			} else {
				set.ByHand = true
			}
			if k.HostAt > 0 {
				set.Hosts = []string{p[k.HostAt-1]}
			}
			s.own[id] = set
			if role != roleOther {
				s.inv.Settings = append(s.inv.Settings, set)
			}
		}
		out = append(out, layer{set, *k, role, off, false})
	}
	return out
}

// gitKey splits section.subsection.name.
func gitKey(name string) []string {
	section, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil
	}
	if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		return []string{section, rest[:i], rest[i+1:]}
	}
	return []string{section, rest}
}
