package client

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// Node and the package managers on it (reference/clients.md §8). Node's own
// switch does not reach npm, pnpm and yarn; their cafile hides
// NODE_EXTRA_CA_CERTS.

var nodeRow = &Row{
	Name:     "node",
	Programs: []string{"node", "nodejs"},
	Vars: []Var{
		{Name: "NODE_TLS_REJECT_UNAUTHORIZED", Role: RoleVerify, Off: is("0")},
		{Name: "NODE_EXTRA_CA_CERTS", Role: RoleCA, Adds: true},
		{Name: "NODE_OPTIONS", Role: roleOther},
		{Name: "NODE_USE_SYSTEM_CA", Role: roleOther},
	},
	Default: ofNode,
	Pin:     &Pin{Key: []string{"NODE_EXTRA_CA_CERTS"}, File: userProfile, Dir: ".config/node", Env: true, Adds: true},
	Rules:   ruleSet("node"),
	Ask:     askNode,
	Resolve: func(s *scan, c *Client, layers []layer) {
		s.verifyOf(c, layers)
		for _, l := range layers {
			switch {
			case l.Name == "NODE_OPTIONS" && strings.Contains(l.Value, "--use-openssl-ca"):
				c.Trust = s.openSSLTrust("")
			case l.Name == "NODE_OPTIONS" && strings.Contains(l.Value, "--use-system-ca"), l.Name == "NODE_USE_SYSTEM_CA" && l.Value == "1":
				c.Trust.Adds = append(c.Trust.Adds, s.osBundle())
			}
		}
		s.trustOf(c, layers)
	},
	Versions: (*scan).packaged,
}

// nodeOfDebian says whether the first node on the path is the package of Debian
// or Ubuntu. Theirs is built to read OpenSSL's default directory (measured with
// bullseye's 12 and sid's 24); nodejs.org's, NodeSource's and Arch's are not.
func (s *scan) nodeOfDebian() bool {
	return strings.Contains(s.packaged(&Client{Path: s.look("node")}), "dfsg")
}

var npmRow = &Row{
	Name:     "npm",
	Programs: []string{"npm"},
	Files:    npmFiles,
	Normal:   npmNormal,
	Keys: []Key{
		{Path: []string{"strict-ssl"}, Role: RoleVerify, Off: value(is("false"))},
		{Path: []string{"cafile"}, Role: RoleCA},
		{Path: []string{"ca"}, Class: npmCA},
		{Path: []string{"registry"}, Role: RoleURL},
		{Path: []string{":certfile"}, Role: RoleCert},
		{Path: []string{":keyfile"}, Role: RoleKey},
		{Path: []string{"proxy"}, Role: RoleProxy},
		{Path: []string{"https-proxy"}, Role: RoleProxy, Scheme: "https"},
	},
	Vars: []Var{
		{Name: "NODE_EXTRA_CA_CERTS", Role: RoleCA, Adds: true, Below: true},
		{Name: "npm_config_strict_ssl", Role: RoleVerify, Off: is("false")},
		{Name: "npm_config_cafile", Role: RoleCA},
		{Name: "npm_config_registry", Role: RoleURL},
	},
	Default: ofNode,
	Servers: []string{"https://registry.npmjs.org/"}, OnlyConfigured: true,
	Pin:      &Pin{Key: []string{"cafile"}, File: userNpmrc, Dir: ".config/npm"},
	Shipped:  npmRegistry,
	Rules:    ruleSet("node"),
	Resolve:  resolveNPM,
	Ask:      askNpm,
	Versions: npmVersion("npm"),
}

// npmCA: an empty ca trusts nothing; null is the default; else it is the
// certificates themselves.
func npmCA(e edit.Entry) (Role, bool) {
	if strings.TrimSpace(e.Value) == "" && !e.Parent {
		return RoleCA, false
	}
	return roleOther, false
}

func npmNormal(k string) string {
	if strings.HasPrefix(k, "@") && strings.HasSuffix(k, ":registry") {
		return "registry"
	}
	if i := strings.LastIndexByte(k, ':'); i > 0 && strings.HasPrefix(k, "//") {
		return k[i:] // of one registry
	}
	return k
}

// npmFiles: builtin, global, user, project.
func npmFiles(s *scan, c *Client) []File {
	var out []File
	add := func(names ...string) {
		for _, n := range names {
			if path.IsAbs(n) {
				out = append(out, File{Path: n, Format: edit.Npmrc})
			}
		}
	}
	add("/usr/lib/node_modules/npm/npmrc", "/usr/local/lib/node_modules/npm/npmrc", "/usr/share/nodejs/npm/npmrc")
	if g := s.getenv("npm_config_globalconfig"); g != "" {
		add(g)
	} else {
		add("/usr/etc/npmrc", "/usr/local/etc/npmrc", "/etc/npmrc")
		if p := s.getenv("npm_config_prefix"); p != "" {
			add(path.Join(p, "etc/npmrc"))
		}
	}
	user := userNpmrc(s, c)
	out = append(out, user)
	if p := s.npmProject(); p != user.Path && s.project(p) {
		out = append(out, File{Path: p, Format: edit.Npmrc, Here: true})
	}
	return out
}

// userNpmrc is the person's own, which pnpm and yarn 1 read too.
func userNpmrc(s *scan, _ *Client) File {
	u := s.getenv("npm_config_userconfig")
	if !path.IsAbs(u) {
		u = path.Join(s.home, ".npmrc")
	}
	return File{Path: u, Format: edit.Npmrc}
}

// resolveNPM: a cafile that exists replaces everything, NODE_EXTRA_CA_CERTS
// included; one that does not is silently ignored.
func resolveNPM(s *scan, c *Client, layers []layer) {
	s.verifyOf(c, layers)
	var file *layer
	for i := range layers {
		if l := &layers[i]; l.role == RoleCA && !l.key.Adds && l.Value != "" {
			file = l
		}
	}
	if file != nil {
		if p, ok := s.expand(file.Value); ok && s.isFile(p) {
			s.replace(c, file.Setting, false)
			return
		}
	}
	for _, l := range layers {
		if l.role != RoleCA {
			continue
		}
		if p, ok := s.expand(l.Value); l.key.Adds && ok && s.isFile(p) {
			c.Trust.Adds = append(c.Trust.Adds, p)
			l.Wins = true
		}
		if !l.key.Adds && l.Value == "" && !l.Env {
			c.Trust = Trust{Kind: "none", SetBy: l.Where()}
			l.Wins = true
		}
	}
}

var pnpmRow = &Row{
	Name:     "pnpm",
	Programs: []string{"pnpm"},
	Files: func(s *scan, c *Client) []File {
		all := npmFiles(s, c)
		at := len(all)
		if all[at-1].Here {
			at--
		}
		var out []File
		if s.getenv("npm_config_globalconfig") == "" { // which names another in its place
			out = append(out, File{Path: path.Join(s.configHome(), "pnpm/rc"), Format: edit.Npmrc})
		}
		out = append(out, all[:at]...)
		// The workspace's file stands below that of the package in it.
		if root := s.inProject(".npmrc", edit.Npmrc, "pnpm-workspace.yaml"); len(root) > 0 && root[0].Path != s.npmProject() {
			out = append(out, root...)
		}
		out = append(out, all[at:]...)
		if ws := s.inProject("pnpm-workspace.yaml", edit.YAML, "pnpm-workspace.yaml"); len(ws) > 0 && (c.Version == "" || !older(c.Version, "10.5")) {
			ws[0].Above = true
			out = append(out, ws[0])
		}
		return out
	},
	Normal:  npmNormal,
	Keys:    append(only(edit.Npmrc, npmRow.Keys), pnpmWorkspace...),
	Vars:    npmRow.Vars,
	Default: ofNode,
	Servers: []string{"https://registry.npmjs.org/"}, OnlyConfigured: true,
	Pin:      npmRow.Pin,
	Rules:    ruleSet("node"),
	Resolve:  resolveNPM,
	Versions: npmVersion("pnpm"),
}

// pnpmWorkspace are the settings that pnpm takes from pnpm-workspace.yaml, over
// all others. It shows cafile and registry of that file too, and heeds neither.
var pnpmWorkspace = only(edit.YAML, []Key{
	{Path: []string{"strictSsl"}, Role: RoleVerify, Off: unquotedFalse},
	{Path: []string{"strict-ssl"}, Role: RoleVerify, Off: unquotedFalse},
	{Path: []string{"registries", "*"}, Role: RoleURL},
	{Path: []string{"httpsProxy"}, Role: RoleProxy, Scheme: "https"},
	{Path: []string{"https-proxy"}, Role: RoleProxy, Scheme: "https"},
})

// unquotedFalse: a quoted "false", 0 and null leave verification on.
func unquotedFalse(e edit.Entry) bool { return !e.Quoted && strings.EqualFold(e.Value, "false") }

// only are keys that count in files of one format.
func only(format edit.Format, keys []Key) []Key {
	keys = slices.Clone(keys)
	for i := range keys {
		keys[i].Only = format
	}
	return keys
}

// yarnRow is yarn 1: it reads cafile of npm's files, and not their strict-ssl.
var yarnRow = &Row{
	Name: "yarn",
	Find: func(s *scan) []*Client { return s.yarns(false) },
	Files: func(s *scan, _ *Client) []File {
		return append([]File{
			{Path: "/etc/yarnrc", Format: edit.Yarnrc},
			{Path: "/usr/local/etc/yarnrc", Format: edit.Yarnrc},
			{Path: path.Join(s.home, ".yarnrc"), Format: edit.Yarnrc},
		}, s.upward(".yarnrc", edit.Yarnrc)...)
	},
	Reads:  []string{"npm"},
	Normal: npmNormal,
	Keys: []Key{
		{Path: []string{"strict-ssl"}, Role: RoleVerify, Off: unquotedFalse, Only: edit.Yarnrc},
		{Path: []string{"cafile"}, Role: RoleCA},
		{Path: []string{"registry"}, Role: RoleURL},
		{Path: []string{"https-proxy"}, Role: RoleProxy, Scheme: "https"},
	},
	Vars: []Var{
		{Name: "NODE_EXTRA_CA_CERTS", Role: RoleCA, Adds: true, Below: true},
		{Name: "npm_config_cafile", Role: RoleCA, Between: true},
		{Name: "npm_config_registry", Role: RoleURL, Between: true},
		{Name: "YARN_STRICT_SSL", Role: RoleVerify, Off: is("false")},
		{Name: "YARN_CAFILE", Role: RoleCA},
		{Name: "YARN_REGISTRY", Role: RoleURL},
	},
	Default: ofNode,
	Pin:     npmRow.Pin,
	Servers: []string{"https://registry.yarnpkg.com/"}, OnlyConfigured: true,
	Rules:   ruleSet("node"),
	Resolve: resolveNPM,
}

// berryRow is yarn 2 and later: its own file, none of npm's.
var berryRow = &Row{
	Name: "yarn-berry",
	Find: func(s *scan) []*Client { return s.yarns(true) },
	Files: func(s *scan, c *Client) []File {
		// The variable renames the project's files, not the home's.
		return append([]File{userYarnrc(s, c)}, s.upward(path.Base(orElse(s.getenv("YARN_RC_FILENAME"), ".yarnrc.yml")), edit.YAML)...)
	},
	Keys: []Key{
		{Path: []string{"enableStrictSsl"}, Role: RoleVerify, Off: value(berryOff)},
		{Path: []string{"httpsCaFilePath"}, Role: RoleCA, Beside: true},
		{Path: []string{"networkSettings", "*", "httpsCaFilePath"}, Role: RoleCA, HostAt: 2, Beside: true},
		{Path: []string{"httpsCertFilePath"}, Role: RoleCert},
		{Path: []string{"httpsKeyFilePath"}, Role: RoleKey},
		{Path: []string{"npmRegistryServer"}, Role: RoleURL},
		{Path: []string{"httpsProxy"}, Role: RoleProxy, Scheme: "https"},
	},
	Vars: []Var{
		{Name: "NODE_EXTRA_CA_CERTS", Role: RoleCA, Adds: true, Below: true},
		{Name: "YARN_ENABLE_STRICT_SSL", Role: RoleVerify, Off: berryOff},
		{Name: "YARN_HTTPS_CA_FILE_PATH", Role: RoleCA},
		{Name: "YARN_NPM_REGISTRY_SERVER", Role: RoleURL},
	},
	Default: ofNode,
	Pin:     &Pin{Key: []string{"httpsCaFilePath"}, File: userYarnrc, Dir: ".yarn"},
	Servers: yarnRow.Servers, OnlyConfigured: true,
	Rules: ruleSet("node"),
}

// berryOff: it refuses to start with any other spelling.
func berryOff(v string) bool { return v == "false" || v == "0" }

func userYarnrc(s *scan, _ *Client) File {
	return File{Path: path.Join(s.home, ".yarnrc.yml"), Format: edit.YAML}
}

// yarns are the yarn programs of a generation: 1, or later.
func (s *scan) yarns(berry bool) []*Client {
	p := s.look("yarn")
	if p == "" {
		return nil
	}
	v := npmVersion("yarn")(s, &Client{Path: p})
	if berry != (v != "" && !older(v, "2")) {
		return nil
	}
	return []*Client{{Path: p, Program: p, Version: v}}
}

// shippedRegistry is the default that npm states in its own definitions.
var shippedRegistry = regexp.MustCompile(`'registry', \{\s*default: '(https://[^']+)'`)

// npmRegistry reads the default registry from npm's own files: it is judged
// only where the installed program says so itself.
func npmRegistry(s *scan, c *Client) []string {
	at, err := s.v.Files.Resolve(c.Path)
	if err != nil {
		return nil
	}
	root := path.Dir(path.Dir(at)) // bin/npm-cli.js stands in the package
	m := shippedRegistry.FindSubmatch(s.peek(path.Join(root, "node_modules/@npmcli/config/lib/definitions/definitions.js")))
	if m == nil {
		return nil
	}
	return []string{string(m[1])}
}

// npmVersion reads the version of a program that is a package on Node: its
// package.json stands above the script that the link on the path leads to.
func npmVersion(name string) func(s *scan, c *Client) string {
	return func(s *scan, c *Client) string {
		at, err := s.v.Files.Resolve(c.Path)
		if err != nil {
			return ""
		}
		for range 3 {
			at = path.Dir(at)
			var pkg struct{ Name, Version string }
			if json.Unmarshal(s.peek(path.Join(at, "package.json")), &pkg) == nil && (pkg.Name == name || pkg.Name == "@yarnpkg/cli-dist") {
				return pkg.Version
			}
		}
		return ""
	}
}
