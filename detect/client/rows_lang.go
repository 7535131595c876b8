package client

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// Go, Ruby, cargo, R (reference/clients.md §8).

var goRow = &Row{
	Name:     "go",
	Programs: []string{"go"},
	Files: func(s *scan, c *Client) []File {
		var out []File
		if root := s.goRoot(c); root != "" {
			out = append(out, File{Path: path.Join(root, "go.env"), Format: edit.EnvFile})
		}
		user := path.Join(s.configHome(), "go/env")
		switch s.v.OS {
		case "darwin":
			user = path.Join(s.home, "Library/Application Support/go/env")
		case "windows":
			user = path.Join(s.home, "AppData/Roaming/go/env")
		}
		if p := s.getenv("GOENV"); p == "off" {
			return out
		} else if path.IsAbs(p) {
			user = p
		}
		return append(out, File{Path: user, Format: edit.EnvFile})
	},
	Keys: []Key{
		{Path: []string{"GOINSECURE"}, Role: RoleVerify, Hosts: true, Off: nonEmpty},
		{Path: []string{"GOPROXY"}, Role: RoleURL, Signed: true},
	},
	Vars: []Var{
		{Name: "GOINSECURE", Role: RoleVerify, Hosts: true, Off: filled},
		{Name: "GOPROXY", Role: RoleURL},
		{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true, Aside: true},
		{Name: "SSL_CERT_FILE", Role: RoleCA},
	},
	ByHand:  "SSL_CERT_FILE=/path/to/bundle.pem go …",
	Default: "os",
	Rules:   ruleSet("go"),
	Endpoints: func(s *scan, c *Client, layers []layer) {
		var last []layer // GOPROXY is one value, the last one
		for _, l := range layers {
			if l.role == RoleURL {
				last = []layer{l}
			}
		}
		s.servers(c, last)
	},
	Resolve: func(s *scan, c *Client, layers []layer) {
		s.verifyOf(c, layers)
		if s.v.OS == "linux" {
			s.trustOf(c, layers)
		}
	},
	Versions: func(s *scan, c *Client) string {
		v, _, _ := strings.Cut(string(s.peek(path.Join(s.goRoot(c), "VERSION"))), "\n")
		return strings.TrimPrefix(v, "go")
	},
}

// goRoot is the directory of a Go installation, by its program.
func (s *scan) goRoot(c *Client) string {
	if p := s.getenv("GOROOT"); path.IsAbs(p) {
		return p
	}
	if c.Path == "" {
		return ""
	}
	real, err := s.v.Files.Resolve(c.Path)
	if err != nil {
		return ""
	}
	return parent(real)
}

var rubyRow = &Row{
	Name:     "ruby",
	Programs: []string{"ruby"},
	Vars:     sslVars,
	Default:  "os",
	Rules:    ruleSet("openssl-3"),
	Resolve:  func(s *scan, c *Client, _ []layer) { c.Trust = s.openSSLTrust("") },
	Versions: (*scan).packaged,
}

var gemRow = &Row{
	Name:     "gem",
	Programs: []string{"gem"},
	Files: func(s *scan, c *Client) []File {
		return []File{{Path: "/etc/gemrc", Format: edit.YAML}, userGemrc(s, c)}
	},
	Normal: func(k string) string { return strings.TrimPrefix(k, ":") },
	Keys: []Key{
		{Path: []string{"ssl_verify_mode"}, Role: RoleVerify, Off: rubyOff},
		{Path: []string{"ssl_ca_cert"}, Role: RoleCA},
		{Path: []string{"ssl_client_cert"}, Role: RoleCert},
		{Path: []string{"sources", "*"}, Role: RoleURL},
	},
	Vars:    belowFiles(sslVars),
	Default: "os",
	Pin:     &Pin{Key: []string{":ssl_ca_cert"}, File: userGemrc, Dir: ".gem"},
	Servers: []string{"https://rubygems.org/"}, OnlyConfigured: true,
	Rules: ruleSet("openssl-3"),
}

func userGemrc(s *scan, _ *Client) File {
	user := path.Join(s.home, ".gemrc")
	if xdg := path.Join(s.configHome(), "gem/gemrc"); !s.something(user) && s.something(xdg) {
		user = xdg
	}
	return File{Path: user, Format: edit.YAML}
}

var bundlerRow = &Row{
	Name:     "bundler",
	Programs: []string{"bundle", "bundler"},
	Files:    bundlerFiles,
	Normal: func(k string) string {
		if strings.HasPrefix(k, bundleMirror) {
			return bundleMirror + "*"
		}
		return k
	},
	Keys: []Key{
		{Path: []string{"BUNDLE_SSL_VERIFY_MODE"}, Role: RoleVerify, Off: rubyOff},
		{Path: []string{"BUNDLE_SSL_CA_CERT"}, Role: RoleCA},
		{Path: []string{"BUNDLE_SSL_CLIENT_CERT"}, Role: RoleCert},
		{Path: []string{bundleMirror + "*"}, Role: RoleURL},
		{Path: []string{"source"}, Role: RoleURL},
	},
	Vars: append(belowFiles(sslVars),
		Var{Name: "BUNDLE_SSL_VERIFY_MODE", Role: RoleVerify, Off: func(v string) bool { return number(v) == 0 }},
		Var{Name: "BUNDLE_SSL_CA_CERT", Role: RoleCA},
		Var{Name: bundleMirror + "*", Role: RoleURL}),
	Default: "os",
	Pin:     &Pin{Key: []string{"BUNDLE_SSL_CA_CERT"}, File: userBundle, Dir: ".bundle"},
	Rules:   ruleSet("openssl-3"),
}

// bundleMirror begins the keys that name a mirror of a source.
const bundleMirror = "BUNDLE_MIRROR__"

// bundlerFiles: the person's own, below variables, and the application's, above
// them.
func bundlerFiles(s *scan, c *Client) []File {
	user := userBundle(s, c)
	out := []File{user}
	root := s.nearest("Gemfile", "gems.rb", ".bundle/config")
	if p := path.Join(root, "Gemfile"); root != "" && s.project(p) {
		out = append(out, File{Path: p, Read: readGemfile, Here: true})
	}
	own := path.Join(root, ".bundle/config")
	if d := s.v.Env["BUNDLE_APP_CONFIG"]; path.IsAbs(d) {
		own = path.Join(d, "config")
	}
	if root != "" && own != user.Path && s.project(own) {
		out = append(out, File{Path: own, Format: edit.YAML, Above: true, Here: true})
	}
	return out
}

func userBundle(s *scan, _ *Client) File {
	return File{Path: path.Join(orElse(s.getenv("BUNDLE_USER_HOME"), path.Join(s.home, ".bundle")), "config"), Format: edit.YAML}
}

// readGemfile finds the sources of a Gemfile, which is a program, where they
// stand as plain words.
func readGemfile(data []byte) []edit.Entry {
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		if m := gemSource.FindStringSubmatch(line); m != nil {
			out = append(out, edit.Entry{Path: []string{"source"}, Value: m[1] + m[2], Line: i + 1, EndLine: i + 1})
		}
	}
	return out
}

var gemSource = regexp.MustCompile(`^\s*source[\s(]+(?:"([^"#]+)"|'([^']+)')`)

// rubyOff: OpenSSL::SSL::VERIFY_NONE is 0, and a word counts as 0 for bundler.
func rubyOff(e edit.Entry) bool { return !e.Empty && number(strings.TrimSpace(e.Value)) == 0 }

func belowFiles(vars []Var) []Var {
	out := make([]Var, len(vars))
	for i, v := range vars {
		v.Below = true
		out[i] = v
	}
	return out
}

var cargoRow = &Row{
	Name:     "cargo",
	Programs: []string{"cargo"},
	Files: func(s *scan, c *Client) []File {
		out := []File{userCargo(s, c)}
		for _, d := range slices.Backward(s.ancestors()) {
			if p := cargoConfig(s, path.Join(d, ".cargo")); p != out[0].Path && s.project(p) {
				out = append(out, File{Path: p, Format: edit.TOML, Here: true})
			}
		}
		return out
	},
	Keys: []Key{
		{Path: []string{"http", "cainfo"}, Role: RoleCA},
		{Path: []string{"http", "proxy-cainfo"}, Role: RoleCA, Aside: true},
		{Path: []string{"http", "proxy"}, Role: RoleProxy},
		{Path: []string{"source", "*", "registry"}, Role: RoleURL},
		{Path: []string{"registries", "*", "index"}, Role: RoleURL},
	},
	Vars: []Var{
		{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true, Below: true, Aside: true},
		{Name: "SSL_CERT_FILE", Role: RoleCA, Below: true},
		{Name: "CARGO_HTTP_CAINFO", Role: RoleCA},
	},
	Default: "os",
	Pin:     &Pin{Key: []string{"http", "cainfo"}, File: userCargo},
	Servers: []string{"https://index.crates.io/"}, OnlyConfigured: true,
	Rules: ruleSet("curl"), // it carries libcurl
}

func userCargo(s *scan, _ *Client) File {
	home := path.Join(s.home, ".cargo")
	if p := s.getenv("CARGO_HOME"); path.IsAbs(p) {
		home = p
	}
	return File{Path: cargoConfig(s, home), Format: edit.TOML}
}

// cargoConfig is the file of a directory: the name without an ending comes first.
func cargoConfig(s *scan, dir string) string {
	if old := path.Join(dir, "config"); s.isFile(old) {
		return old
	}
	return path.Join(dir, "config.toml")
}

// rRow: profiles are programs, so the lines are found by their words and
// changed by a person.
var rRow = &Row{
	Name:     "r",
	Programs: []string{"R"},
	Files: func(s *scan, _ *Client) []File {
		var out []File
		for _, n := range []string{"/etc/R/Renviron", "/etc/R/Renviron.site", "/usr/lib/R/etc/Renviron.site"} {
			out = append(out, File{Path: n, Format: edit.EnvFile})
		}
		out = append(out, s.userR("R_ENVIRON_USER", ".Renviron"))
		out[len(out)-1].Format = edit.EnvFile
		for _, n := range []string{"/etc/R/Rprofile.site", "/usr/lib/R/etc/Rprofile.site"} {
			out = append(out, File{Path: n, Read: readRprofile})
		}
		out = append(out, s.userR("R_PROFILE_USER", ".Rprofile"))
		out[len(out)-1].Read = readRprofile
		return out
	},
	Keys: []Key{
		{Path: []string{"ssl_verifypeer"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"download.file.extra"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"CURL_CA_BUNDLE"}, Role: RoleCA},
		{Path: []string{"SSL_CERT_FILE"}, Role: RoleCA, Aside: true},
		{Path: []string{"repos"}, Role: RoleURL},
	},
	Vars:    []Var{{Name: "CURL_CA_BUNDLE", Role: RoleCA, Below: true}},
	Default: "os",
	Pin: &Pin{Key: []string{"CURL_CA_BUNDLE"}, File: func(s *scan, _ *Client) File {
		return File{Path: path.Join(s.home, ".Renviron"), Format: edit.EnvFile}
	}, Dir: ".config/R"},
	Rules:      ruleSet("openssl-3"),
	Unverified: "documentation and issues only, not run",
}

// userR is the one file of a person that R reads: by variable, of the working
// directory, of the home.
func (s *scan) userR(variable, name string) File {
	if p := s.getenv(variable); path.IsAbs(p) {
		return File{Path: p}
	}
	if p := path.Join(s.v.Dir, name); s.v.Dir != "" && s.v.Dir != s.home && s.project(p) {
		return File{Path: p, Here: true}
	}
	return File{Path: path.Join(s.home, name)}
}

// rRepos are the plain addresses of an options(repos = …).
var rRepos = regexp.MustCompile(`"(https?://[^"]+)"`)

// readRprofile finds the lines of an R profile that switch verification off or
// name a repository.
func readRprofile(data []byte) []edit.Entry {
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		code, _, _ := strings.Cut(line, "#")
		flat := strings.NewReplacer(" ", "", "\t", "", "'", `"`).Replace(code)
		switch {
		case strings.Contains(flat, "ssl_verifypeer=0"), strings.Contains(flat, "ssl_verifypeer=FALSE"), strings.Contains(flat, "ssl_verifypeer=F)"):
			out = append(out, edit.Entry{Path: []string{"ssl_verifypeer"}, Value: "0", Line: i + 1, EndLine: i + 1})
		case strings.Contains(flat, `download.file.extra="`) && (strings.Contains(flat, "-k") || strings.Contains(flat, "--insecure") || strings.Contains(flat, "--no-check-certificate")):
			_, v, _ := strings.Cut(flat, `download.file.extra="`)
			v, _, _ = strings.Cut(v, `"`)
			out = append(out, edit.Entry{Path: []string{"download.file.extra"}, Value: v, Line: i + 1, EndLine: i + 1})
		case strings.Contains(flat, "repos=") || strings.Contains(flat, `repos["`):
			var urls []string
			for _, m := range rRepos.FindAllStringSubmatch(flat, -1) {
				urls = append(urls, m[1])
			}
			if len(urls) > 0 {
				out = append(out, edit.Entry{Path: []string{"repos"}, Value: strings.Join(urls, " "), Line: i + 1, EndLine: i + 1})
			}
		}
	}
	return out
}
