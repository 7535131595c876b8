package client

import (
	"path"
	"strings"

	"trustfix/internal/edit"
)

// uv, poetry, pdm, pipx and pixi (reference/clients.md §2, §4). The laboratory
// runs all but pixi, which is read in its sources: uv 0.6, poetry 1.3 and 2.3,
// pdm 2.2 and 2.29, pipx 1.1 and 1.15.

const readNotRun = "run-time behaviour: read in sources"

var uvRow = &Row{
	Name:     "uv",
	Programs: []string{"uv"},
	Files: func(s *scan, _ *Client) []File {
		if p := s.getenv("UV_CONFIG_FILE"); path.IsAbs(p) { // in place of all others
			return []File{{Path: p, Format: edit.TOML}}
		}
		var out []File
		if s.v.OS == "windows" {
			out = append(out, File{Path: "C:/ProgramData/uv/uv.toml", Format: edit.TOML}, File{Path: path.Join(s.home, "AppData/Roaming/uv/uv.toml"), Format: edit.TOML})
		} else {
			system := "/etc/uv/uv.toml"
			for _, d := range strings.Split(orElse(s.getenv("XDG_CONFIG_DIRS"), "/etc/xdg"), ":") {
				if p := path.Join(d, "uv/uv.toml"); path.IsAbs(p) && s.isFile(p) {
					system = p // the first that exists is the only one
					break
				}
			}
			out = append(out, File{Path: system, Format: edit.TOML}, File{Path: path.Join(s.configHome(), "uv/uv.toml"), Format: edit.TOML})
		}
		return append(out, s.uvProject()...)
	},
	Keys: []Key{
		{Path: []string{"allow-insecure-host"}, Role: RoleVerify, Hosts: true, Off: nonEmpty},
		{Path: []string{"pip", "allow-insecure-host"}, Role: RoleVerify, Hosts: true, Off: nonEmpty},
		{Path: []string{"system-certs"}, Role: roleOther},
		{Path: []string{"native-tls"}, Role: roleOther},
		{Path: []string{"index", "*", "url"}, Role: RoleURL},
		{Path: []string{"index-url"}, Role: RoleURL},
		{Path: []string{"extra-index-url", "*"}, Role: RoleURL},
		{Path: []string{"pip", "index-url"}, Role: RoleURL},
		{Path: []string{"pip", "extra-index-url", "*"}, Role: RoleURL},
	},
	Vars: []Var{
		{Name: "UV_INSECURE_HOST", Role: RoleVerify, Hosts: true, Off: filled},
		{Name: "UV_SYSTEM_CERTS", Role: roleOther},
		{Name: "UV_NATIVE_TLS", Role: roleOther},
		{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true},
		{Name: "SSL_CERT_FILE", Role: RoleCA},
		{Name: "SSL_CLIENT_CERT", Role: RoleCert},
		{Name: "UV_INDEX_URL", Role: RoleURL},
		{Name: "UV_DEFAULT_INDEX", Role: RoleURL},
		{Name: "UV_EXTRA_INDEX_URL", Role: RoleURL},
	},
	ByHand:     "SSL_CERT_FILE=/path/to/bundle.pem uv …",
	Default:    builtIn,
	Servers:    []string{"https://pypi.org/simple/"},
	Rules:      ruleSet("rustls"),
	Resolve:    func(s *scan, c *Client, layers []layer) { s.rustls(c, layers, "system-certs", "native-tls") },
	Versions:   (*scan).packaged,
	Unverified: "SSL_CERT_DIR by itself, system-certs, bundles that are not there (since 0.9 to 0.12): read in sources",
}

// uvProject is the nearest uv.toml, or pyproject.toml with a table for uv.
func (s *scan) uvProject() []File {
	for _, d := range s.ancestors() {
		if p := path.Join(d, "uv.toml"); s.project(p) {
			return []File{{Path: p, Format: edit.TOML, Here: true}}
		}
		if f := pyproject(d, "uv"); s.hasTable(f) {
			return []File{f}
		}
	}
	return nil
}

// rustls: SSL_CERT_FILE and SSL_CERT_DIR are merged and replace everything;
// else the system's store if a switch asks for it, else the roots inside.
func (s *scan) rustls(c *Client, layers []layer, switches ...string) {
	s.verifyOf(c, layers)
	var file, dir *Setting
	for _, l := range layers {
		name := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(l.Name, "UV_"), "PIXI_")), "_", "-")
		for _, w := range switches {
			if name == w && oneOf("true", "1", "yes", "on", "system", "native")(l.Value) {
				c.Trust = Trust{Kind: "os", Path: s.osBundle(), SetBy: l.Where()}
			}
		}
		switch {
		case l.Name == "SSL_CERT_FILE" && l.Value != "":
			file = l.Setting
		case l.Name == "SSL_CERT_DIR" && l.Value != "":
			dir = l.Setting
		}
	}
	if dir != nil {
		s.replace(c, dir, true)
	}
	if file != nil {
		was := c.Trust.Path
		s.replace(c, file, false)
		if dir != nil {
			c.Trust.Adds = append(c.Trust.Adds, was)
		}
	}
}

var pixiRow = &Row{
	Name:     "pixi",
	Programs: []string{"pixi"},
	Files: func(s *scan, _ *Client) []File {
		if s.getenv("PIXI_NO_CONFIG") != "" {
			return nil
		}
		var out []File
		names := []string{
			"/etc/pixi/config.toml", path.Join(s.configHome(), "pixi/config.toml"),
			path.Join(s.home, ".pixi/config.toml"), under(s.getenv("PIXI_HOME"), "config.toml"), under(s.getenv("PIXI_CONFIG_FILE"), ""),
		}
		if s.v.OS == "windows" {
			names[0], names[1] = "C:/ProgramData/pixi/config.toml", path.Join(s.home, "AppData/Roaming/pixi/config.toml")
		}
		for _, n := range names {
			if n != "" {
				out = append(out, File{Path: n, Format: edit.TOML})
			}
		}
		return append(out, s.pixiProject()...)
	},
	Normal: func(k string) string { return strings.ReplaceAll(k, "_", "-") },
	Keys: []Key{
		{Path: []string{"tls-no-verify"}, Role: RoleVerify, Off: value(is("true"))},
		{Path: []string{"pypi-config", "allow-insecure-host"}, Role: RoleVerify, Hosts: true, Off: nonEmpty},
		{Path: []string{"tls-root-certs"}, Role: roleOther},
		{Path: []string{"default-channels", "*"}, Role: RoleURL},
		{Path: []string{"mirrors", "*", "*"}, Role: RoleURL},
		{Path: []string{"workspace", "channels", "*"}, Role: RoleURL},
		{Path: []string{"project", "channels", "*"}, Role: RoleURL},
		{Path: []string{"pypi-config", "index-url"}, Role: RoleURL},
		{Path: []string{"pypi-config", "extra-index-urls", "*"}, Role: RoleURL},
	},
	Vars: []Var{
		{Name: "PIXI_TLS_ROOT_CERTS", Role: roleOther},
		{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true},
		{Name: "SSL_CERT_FILE", Role: RoleCA},
	},
	ByHand:     "SSL_CERT_FILE=/path/to/bundle.pem pixi …",
	Default:    builtIn,
	Servers:    []string{"https://conda.anaconda.org/conda-forge"},
	Rules:      ruleSet("rustls"),
	Resolve:    func(s *scan, c *Client, layers []layer) { s.rustls(c, layers, "tls-root-certs") },
	Unverified: readNotRun,
}

// pixiProject is what the nearest manifest and its .pixi directory say.
func (s *scan) pixiProject() []File {
	for _, d := range s.ancestors() {
		manifest := File{Path: path.Join(d, "pixi.toml"), Format: edit.TOML, Here: true}
		if !s.project(manifest.Path) {
			if manifest = pyproject(d, "pixi"); !s.hasTable(manifest) {
				continue
			}
		}
		out := []File{manifest}
		if p := path.Join(d, ".pixi/config.toml"); s.project(p) {
			out = append(out, File{Path: p, Format: edit.TOML, Here: true})
		}
		return out
	}
	return nil
}

var poetryRow = &Row{
	Name: "poetry",
	Find: func(s *scan) []*Client { return s.pyTool("poetry") },
	Files: func(s *scan, _ *Client) []File {
		d := path.Join(s.configHome(), "pypoetry")
		switch s.v.OS {
		case "darwin":
			d = path.Join(s.home, "Library/Application Support/pypoetry")
		case "windows":
			d = path.Join(s.home, "AppData/Roaming/pypoetry")
		}
		if p := s.getenv("POETRY_CONFIG_DIR"); path.IsAbs(p) {
			d = p
		}
		out := []File{{Path: path.Join(d, "config.toml"), Format: edit.TOML}, {Path: path.Join(d, "auth.toml"), Format: edit.TOML}}
		out = append(out, s.inProject("pyproject.toml", edit.TOML, "pyproject.toml")...)
		return append(out, s.inProject("poetry.toml", edit.TOML, "pyproject.toml")...)
	},
	Keys: []Key{
		{Path: []string{"certificates", "*", "verify"}, Class: poetryCert, HostAt: 2}, // before cert, if both are there
		{Path: []string{"certificates", "*", "cert"}, Class: poetryCert, HostAt: 2},
		{Path: []string{"certificates", "*", "client-cert"}, Role: RoleCert},
		{Path: []string{"repositories", "*", "url"}, Role: RoleURL},
		{Path: []string{"tool", "poetry", "source", "*", "url"}, Role: RoleURL},
	},
	Vars: []Var{
		{Name: "CURL_CA_BUNDLE", Role: RoleCA, Below: true},
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA, Below: true},
		{Name: "POETRY_CERTIFICATES_*_CERT", Role: RoleCA},
	},
	ByHand:  "poetry config certificates.REPOSITORY.cert /path/to/bundle.pem",
	Pin:     &Pin{Key: []string{"certificates", perServer, "cert"}, File: func(*scan, *Client) File { return File{} }, Dir: ".config/pypoetry"},
	Server:  poetryServer,
	Default: "certifi",
	Source:  func(s *scan, c *Client) string { return s.certifiOf(envOf(c)) },
	Servers: []string{"https://pypi.org/simple/"},
	Rules:   (*Client).pyRules,
	// A certificate is one repository's: it does not change where the others
	// take their roots from.
	Resolve: func(s *scan, c *Client, layers []layer) {
		for _, l := range layers {
			switch {
			case l.below:
				s.trustOf(c, []layer{l})
			case l.role == RoleVerify && l.off:
				c.Verify, l.Wins = "off", true
			case l.role == RoleCA:
				l.Wins = true
			}
		}
	},
}

// poetryCert: only TOML's own false, and not a string of that name, which is a
// path to poetry, switches verification off. Other numbers and words do nothing.
func poetryCert(e edit.Entry) (Role, bool) {
	if e.Quoted && e.Value != "" {
		return RoleCA, false
	}
	return RoleVerify, e.Value == "false"
}

var pdmRow = &Row{
	Name:  "pdm",
	Find:  func(s *scan) []*Client { return s.pyTool("pdm") },
	Files: pdmFiles,
	Keys: []Key{
		{Path: []string{"pypi", "verify_ssl"}, Role: RoleVerify, Off: value(pdmOff)},
		{Path: []string{"pypi", "*", "verify_ssl"}, Role: RoleVerify, Off: value(pdmOff), Aside: true},
		{Path: []string{"pypi", "ca_certs"}, Role: RoleCA},
		{Path: []string{"pypi", "*", "ca_certs"}, Role: RoleCA, Aside: true},
		{Path: []string{"pypi", "client_cert"}, Role: RoleCert},
		{Path: []string{"pypi", "client_key"}, Role: RoleKey},
		{Path: []string{"pypi", "url"}, Role: RoleURL},
		{Path: []string{"pypi", "*", "url"}, Role: RoleURL},
		{Path: []string{"tool", "pdm", "source", "*", "url"}, Role: RoleURL},
		{Path: []string{"tool", "pdm", "source", "*", "verify_ssl"}, Role: RoleVerify, Off: value(pdmOff), Aside: true},
		{Path: []string{"tool", "pdm", "source", "*", "ca_certs"}, Role: RoleCA, Aside: true},
	},
	Vars: []Var{
		{Name: "CURL_CA_BUNDLE", Role: RoleCA, Below: true},
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA, Below: true},
		{Name: "PDM_PYPI_VERIFY_SSL", Role: RoleVerify, Off: pdmOff},
	},
	Default: "certifi",
	Source: func(s *scan, c *Client) string {
		return s.certifiOf(envOf(c))
	},
	ByHand:  "pdm config pypi.NAME.ca_certs /path/to/bundle.pem",
	Pin:     &Pin{Key: []string{"pypi", "ca_certs"}, File: userPDM},
	Servers: []string{"https://pypi.org/simple/"},
	Rules:   (*Client).pyRules,
}

// pdmOff: an empty string is as good as false to pdm, and "off" is not.
var pdmOff = oneOf("false", "0", "no", "")

func pdmFiles(s *scan, _ *Client) []File {
	site, user := "/etc/xdg/pdm/config.toml", path.Join(s.configHome(), "pdm/config.toml")
	switch s.v.OS {
	case "darwin":
		site, user = "/Library/Application Support/pdm/config.toml", path.Join(s.home, "Library/Application Support/pdm/config.toml")
	case "windows":
		site, user = "C:/ProgramData/pdm/pdm/config.toml", path.Join(s.home, "AppData/Local/pdm/pdm/config.toml")
	}
	out := []File{{Path: site, Format: edit.TOML}, {Path: user, Format: edit.TOML}}
	out = append(out, s.inProject("pyproject.toml", edit.TOML, "pyproject.toml")...)
	out = append(out, s.inProject(".pdm.toml", edit.TOML, "pyproject.toml")...) // of old
	return append(out, s.inProject("pdm.toml", edit.TOML, "pyproject.toml")...)
}

// userPDM: the key at the top is for the main index alone, so where another one
// is configured, its own entry is for a person.
func userPDM(s *scan, c *Client) File {
	for _, x := range c.Settings {
		if x.Role == RoleURL && len(x.Entry.Path) > 2 {
			return File{}
		}
	}
	return pdmFiles(s, c)[1]
}

// pipxRow has no settings of its own: pip's or uv's count. It is listed for
// the shared environment whose pip it runs.
var pipxRow = &Row{
	Name:    "pipx",
	Find:    func(s *scan) []*Client { return s.pyTool("pipx") },
	Default: "certifi",
	Source: func(s *scan, c *Client) string {
		for _, d := range []string{path.Join(s.home, ".local/share/pipx/shared"), path.Join(s.home, ".local/pipx/shared")} {
			if p := s.pyAt[d]; p != nil {
				return s.pipBundle(&Client{Path: d, py: p})
			}
		}
		return s.certifiOf(envOf(c))
	},
	Rules:      (*Client).pyRules,
	Unverified: readNotRun,
}

// pyTool are the Pythons that hold a tool written in Python.
func (s *scan) pyTool(name string) []*Client {
	out := s.pyClients(name)
	for _, c := range out {
		if c.py.kind != pySystem {
			c.Program = path.Join(c.py.prefix, "bin", name)
		}
	}
	return out
}

func envOf(c *Client) string {
	if c.py != nil {
		return c.py.path
	}
	return ""
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func filled(v string) bool { return strings.TrimSpace(v) != "" }

func nonEmpty(e edit.Entry) bool { return filled(e.Value) }
