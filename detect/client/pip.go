package client

import (
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// pipRow follows reference/clients.md §3.
var pipRow = &Row{
	Name:   "pip",
	Find:   pips,
	Files:  pipFiles,
	Normal: pipNormal,
	Keys: []Key{
		{Path: []string{"*", "trusted-host"}, Role: RoleVerify, Hosts: true, Off: func(e edit.Entry) bool { return strings.TrimSpace(e.Value) != "" }},
		{Path: []string{"*", "cert"}, Role: RoleCA},
		{Path: []string{"*", "client-cert"}, Role: RoleCert},
		{Path: []string{"*", "index-url"}, Role: RoleURL},
		{Path: []string{"*", "extra-index-url"}, Role: RoleURL},
		{Path: []string{"*", "find-links"}, Role: RoleURL},
		{Path: []string{"*", "proxy"}, Role: RoleProxy},
		{Path: []string{"*", "no-index"}, Role: roleOther},
		{Path: []string{"*", "use-deprecated"}, Role: roleOther},
		{Path: []string{"*", "use-feature"}, Role: roleOther},
	},
	Vars: []Var{
		{Name: "CURL_CA_BUNDLE", Role: RoleCA},
		{
			Name: "CURL_CA_BUNDLE", Role: RoleVerify, Off: is(""), OffOnly: true,
			Applies: func(c *Client) bool { return older(c.Version, "22.2") },
		},
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA},
		{Name: "PIP_TRUSTED_HOST", Role: RoleVerify, Hosts: true, Off: func(v string) bool { return strings.TrimSpace(v) != "" }},
		{Name: "PIP_CERT", Role: RoleCA},
		{Name: "PIP_CLIENT_CERT", Role: RoleCert},
		{Name: "PIP_INDEX_URL", Role: RoleURL},
		{Name: "PIP_EXTRA_INDEX_URL", Role: RoleURL},
		{Name: "PIP_FIND_LINKS", Role: RoleURL},
		{Name: "PIP_PROXY", Role: RoleProxy},
	},
	Default: "certifi",
	Source:  func(s *scan, c *Client) string { return s.pipBundle(c) },
	Pin:     &Pin{Key: []string{"global", "cert"}, File: userPipConf, Dir: ".config/pip"},
	Servers: []string{"https://pypi.org/simple/"},
	Rules: func(c *Client) string {
		if older(c.Version, "26.1") || pipTruststore(c) {
			return c.sslRules()
		}
		return c.pyRules()
	},
	Endpoints: (*scan).pipServers,
	Resolve:   resolvePip,
	Ask:       askPython(pipAsks),
}

func pips(s *scan) []*Client {
	out := s.pyClients("pip")
	for _, c := range out {
		if c.py.kind != pySystem {
			c.Program = path.Join(c.py.prefix, "bin/pip")
		}
	}
	name := pipConf(s)
	for _, p := range s.pys { // its file counts where pip itself was taken out, too
		if _, ok := p.dists["pip"]; !ok && p.kind != pySystem && s.isFile(path.Join(p.prefix, name)) {
			out = append(out, &Client{Path: p.path, py: p})
		}
	}
	for _, p := range s.conda {
		if s.pyAt[p.dir] == nil && slices.Contains(p.names, name) {
			out = append(out, &Client{Path: p.dir, py: &pyEnv{path: p.dir, prefix: p.dir, kind: pyConda}})
		}
	}
	return out
}

// pipConf is the name of pip's file in an environment.
func pipConf(s *scan) string {
	if s.v.OS == "windows" {
		return "pip.ini"
	}
	return "pip.conf"
}

func pipNormal(k string) string {
	k = strings.ReplaceAll(strings.ToLower(k), "_", "-")
	return strings.TrimPrefix(k, "--")
}

// pipFiles: global, user, site, in this order; PIP_CONFIG_FILE stands in for
// the user's files.
func pipFiles(s *scan, c *Client) []File {
	var out []File
	add := func(p string) { out = append(out, File{Path: p, Format: edit.INI}) }
	own := s.getenv("PIP_CONFIG_FILE")
	if own == "/dev/null" || strings.EqualFold(own, "nul") {
		return nil
	}
	custom := own != "" && s.isFile(own)
	cfg := s.configHome()
	switch s.v.OS {
	case "windows":
		add("C:/ProgramData/pip/pip.ini")
		if !custom {
			add(path.Join(s.home, "pip/pip.ini"))
			add(path.Join(s.home, "AppData/Roaming/pip/pip.ini"))
		}
	case "darwin":
		add("/Library/Application Support/pip/pip.conf")
		if !custom {
			add(path.Join(s.home, ".pip/pip.conf"))
			if d := path.Join(s.home, "Library/Application Support/pip"); s.isDir(d) {
				add(path.Join(d, "pip.conf"))
			} else {
				add(path.Join(cfg, "pip/pip.conf"))
			}
		}
	default:
		dirs := s.getenv("XDG_CONFIG_DIRS")
		if dirs == "" {
			dirs = "/etc/xdg"
		}
		for _, d := range strings.Split(dirs, ":") {
			if path.IsAbs(d) {
				add(path.Join(d, "pip/pip.conf"))
			}
		}
		add("/etc/pip.conf")
		if !custom {
			add(path.Join(s.home, ".pip/pip.conf"))
			add(path.Join(cfg, "pip/pip.conf"))
		}
	}
	if c.py != nil {
		name := pipConf(s)
		if p := s.prefixes[c.py.prefix]; p == nil || slices.Contains(p.names, name) {
			add(path.Join(c.py.prefix, name))
		}
	}
	if custom {
		add(own)
	}
	return out
}

// pipLayers finds the layer that counts for a key and a role: all files are
// merged first, then [global] gives way to the section of the command, and both
// to the environment. A list of a higher layer replaces that of a lower one.
func pipLayers(layers []layer) func(key string, role Role) *layer {
	best := map[string]*layer{}
	rank := map[string]int{}
	for i := range layers {
		l := &layers[i]
		var key string
		r := 3
		if l.Env {
			if key = pipNormal(strings.TrimPrefix(l.Name, "PIP_")); l.Value == "" && strings.HasPrefix(l.Name, "PIP_") {
				continue
			}
		} else {
			key = pipNormal(l.Entry.Path[1])
			switch l.Entry.Path[0] {
			case "global":
				r = 1
			case "install":
				r = 2
			default:
				continue
			}
		}
		if key+string(l.role) == "" || r < rank[key+string(l.role)] {
			continue
		}
		best[key+string(l.role)], rank[key+string(l.role)] = l, r
	}
	return func(key string, role Role) *layer { return best[key+string(role)] }
}

func resolvePip(s *scan, c *Client, layers []layer) {
	get := pipLayers(layers)
	legacy := get("use-deprecated", roleOther)
	modern := pipTruststore(c) && (legacy == nil || !strings.Contains(legacy.Value, "legacy-certs"))
	if f := get("use-feature", roleOther); f != nil && strings.Contains(f.Value, "truststore") && !older(c.Version, "24.1.1") && !older(c.PythonVersion(), "3.10") {
		modern = true
	}
	if modern {
		certifi := c.Trust.Path
		c.Trust = s.openSSLTrust(c.Path)
		if certifi != "" && certifi != c.Trust.Path {
			c.Trust.Adds = append(c.Trust.Adds, certifi)
		}
	}
	cert := get("cert", RoleCA)
	if cert != nil && cert.Value == "" {
		cert = nil
	}
	for _, name := range []string{"requests-ca-bundle", "curl-ca-bundle"} {
		if l := get(name, RoleCA); l != nil && l.Value != "" {
			cert = l
			break
		}
	}
	if cert != nil && modern {
		if p, ok := s.expand(cert.Value); ok {
			c.Trust.Adds = append(c.Trust.Adds[:max(0, len(c.Trust.Adds)-1)], p)
		}
		cert.Wins = true
	} else if cert != nil {
		s.replace(c, cert.Setting, false)
	}
	if l := get("trusted-host", RoleVerify); l != nil && len(l.Hosts) > 0 {
		l.Wins = true
		if c.talksTo(l.Hosts) {
			c.Verify = "off"
		}
	}
	if l := get("curl-ca-bundle", RoleVerify); l != nil && l.off && get("requests-ca-bundle", RoleCA) == nil {
		c.Verify, l.Wins = "off", true
	}
}

// pipServers: find-links alone does not replace the index; no-index does.
func (s *scan) pipServers(c *Client, layers []layer) {
	get := pipLayers(layers)
	index, none := get("index-url", RoleURL), get("no-index", roleOther)
	urls := []*layer{get("find-links", RoleURL)}
	if none == nil || !oneOf("1", "true", "yes", "on")(none.Value) {
		urls = []*layer{index, get("extra-index-url", RoleURL), urls[0]}
	}
	var proxies map[string]string
	if l := get("proxy", RoleProxy); l != nil && l.Value != "" {
		l.Wins = true
		proxies = map[string]string{"": l.Value}
	}
	if len(urls) > 1 && (index == nil || index.Value == "") && c.Path != "" {
		s.endpoint(c, c.Row.Servers[0], "", proxies)
	}
	for _, l := range urls {
		if l == nil || l.Value == "" {
			continue
		}
		l.Wins = true
		for _, u := range strings.Fields(l.Value) {
			s.endpoint(c, u, l.Where(), proxies)
		}
	}
}

// userPipConf is the person's own, or what PIP_CONFIG_FILE puts in its place.
func userPipConf(s *scan, _ *Client) File {
	if all := pipFiles(s, &Client{}); len(all) > 0 {
		return all[len(all)-1]
	}
	return File{}
}

// pipTruststore reports whether this pip reads the system's store by itself.
func pipTruststore(c *Client) bool {
	return c.Version != "" && !older(c.Version, "24.2") && !older(c.PythonVersion(), "3.10")
}

// pipBundle is the certifi that pip carries, or the system's bundle where a
// distribution patched it or took it out (§3.4).
func (s *scan) pipBundle(c *Client) string {
	if c.py == nil {
		return ""
	}
	site := c.py.dists["pip"].site
	if dir := path.Join(site, "pip/_vendor/certifi"); slices.Contains(s.readDir(dir), "cacert.pem") || s.isFile(path.Join(dir, "core.py")) {
		return s.certifiIn(c.py, dir)
	}
	if p := s.certifiOf(c.Path); p != "" {
		return p
	}
	return s.osBundle()
}
