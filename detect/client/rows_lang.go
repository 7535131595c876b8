package client

import (
	"path"
	"strings"

	"trustfix/internal/edit"
)

// Java and its build tools, Go, Ruby, cargo, R (reference/clients.md §8).

const trustStore = "-Djavax.net.ssl.trustStore="

var javaRow = &Row{
	Name: "java",
	Find: javas,
	Vars: []Var{
		{Name: "JAVA_TOOL_OPTIONS", Role: RoleCA, Word: trustStore, Foreign: true},
		{Name: "JDK_JAVA_OPTIONS", Role: RoleCA, Word: trustStore, Foreign: true},
		{Name: "_JAVA_OPTIONS", Role: RoleCA, Word: trustStore, Foreign: true},
	},
	Default: "file",
	Source: func(s *scan, c *Client) string {
		p := path.Join(c.Path, "lib/security/cacerts")
		if c.Path != "" && !s.isFile(p) && s.isFile(path.Join(c.Path, "jre/lib/security/cacerts")) {
			p = path.Join(c.Path, "jre/lib/security/cacerts")
		}
		if real, err := s.v.Files.Resolve(p); err == nil {
			return real
		}
		return p
	},
	Rules: ruleSet("java"),
}

// javas are the Java homes: on the path, in the usual places, by variable.
func javas(s *scan) []*Client {
	homes := []string{s.getenv("JAVA_HOME")}
	for _, d := range []string{"/usr/lib/jvm", path.Join(s.home, ".sdkman/candidates/java"), "/Library/Java/JavaVirtualMachines"} {
		for _, n := range s.readDir(d) {
			homes = append(homes, path.Join(d, n), path.Join(d, n, "Contents/Home"))
		}
	}
	if p := s.look("java"); p != "" {
		if real, err := s.v.Files.Resolve(p); err == nil {
			homes = append(homes, parent(real))
		}
	}
	var out []*Client
	seen := map[string]bool{}
	for _, h := range homes {
		if !path.IsAbs(h) {
			continue
		}
		real, err := s.v.Files.Resolve(h)
		if err != nil || seen[real] || !s.isFile(path.Join(real, "bin/java")) {
			continue
		}
		seen[real] = true
		c := &Client{Path: real, Program: path.Join(real, "bin/java")}
		if _, v, ok := strings.Cut(string(s.peek(path.Join(real, "release"))), `JAVA_VERSION="`); ok {
			c.Version, _, _ = strings.Cut(v, `"`)
		}
		out = append(out, c)
	}
	return out
}

var mavenRow = &Row{
	Name:     "maven",
	Programs: []string{"mvn"},
	Files: func(s *scan, _ *Client) []File {
		return []File{{Path: "/etc/mavenrc", Format: edit.Shell}, {Path: path.Join(s.home, ".mavenrc"), Format: edit.Shell}}
	},
	Keys: []Key{
		{Path: []string{"MAVEN_OPTS"}, Role: RoleVerify, Off: value(mavenInsecure), Word: mavenWord},
	},
	Vars: []Var{
		{Name: "MAVEN_OPTS", Role: RoleVerify, Off: mavenInsecure, Word: mavenWord, OffOnly: true},
		{Name: "MAVEN_OPTS", Role: RoleCA, Word: trustStore, Foreign: true},
	},
	Default:    "file",
	Source:     func(s *scan, _ *Client) string { return s.firstJava() },
	Rules:      ruleSet("java"),
	Unverified: "-Dmaven.wagon.http.ssl.insecure",
}

const mavenWord = "-Dmaven.wagon.http.ssl.insecure="

func mavenInsecure(v string) bool { return strings.EqualFold(v, "true") }

// firstJava is the trust store of the Java that programs on it would run.
func (s *scan) firstJava() string {
	for _, c := range s.inv.Clients {
		if c.Name == "java" {
			return c.Trust.Path
		}
	}
	return ""
}

var gradleRow = &Row{
	Name:     "gradle",
	Programs: []string{"gradle"},
	Vars: []Var{
		{Name: "GRADLE_OPTS", Role: RoleCA, Word: trustStore, Foreign: true},
	},
	Default:    "file",
	Source:     func(s *scan, _ *Client) string { return s.firstJava() },
	Rules:      ruleSet("java"),
	Unverified: "systemProp.javax.net.ssl.trustStore in gradle.properties is not read",
}

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
	Files: func(s *scan, _ *Client) []File {
		user := path.Join(s.home, ".gemrc")
		if !s.something(user) {
			user = path.Join(s.configHome(), "gem/gemrc")
		}
		return []File{{Path: "/etc/gemrc", Format: edit.YAML}, {Path: user, Format: edit.YAML}}
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
	Pin:     &Pin{Key: []string{":ssl_ca_cert"}, Dir: ".gem"},
	Servers: []string{"https://rubygems.org/"},
	Rules:   ruleSet("openssl-3"),
}

var bundlerRow = &Row{
	Name:     "bundler",
	Programs: []string{"bundle", "bundler"},
	Files: func(s *scan, _ *Client) []File {
		return []File{{Path: path.Join(orElse(s.getenv("BUNDLE_USER_HOME"), path.Join(s.home, ".bundle")), "config"), Format: edit.YAML}}
	},
	Keys: []Key{
		{Path: []string{"BUNDLE_SSL_VERIFY_MODE"}, Role: RoleVerify, Off: rubyOff},
		{Path: []string{"BUNDLE_SSL_CA_CERT"}, Role: RoleCA},
		{Path: []string{"BUNDLE_SSL_CLIENT_CERT"}, Role: RoleCert},
	},
	Vars: append(belowFiles(sslVars),
		Var{Name: "BUNDLE_SSL_VERIFY_MODE", Role: RoleVerify, Off: func(v string) bool { return number(v) == 0 }},
		Var{Name: "BUNDLE_SSL_CA_CERT", Role: RoleCA}),
	Default: "os",
	Rules:   ruleSet("openssl-3"),
}

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
	Files: func(s *scan, _ *Client) []File {
		home := path.Join(s.home, ".cargo")
		if p := s.getenv("CARGO_HOME"); path.IsAbs(p) {
			home = p
		}
		if old := path.Join(home, "config"); s.isFile(old) { // the name without an ending comes first
			return []File{{Path: old, Format: edit.TOML}}
		}
		return []File{{Path: path.Join(home, "config.toml"), Format: edit.TOML}}
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
	Pin:     &Pin{Key: []string{"http", "cainfo"}},
	Servers: []string{"https://index.crates.io/"},
	Rules:   ruleSet("openssl-3"),
}

// rRow: profiles are programs, so the lines are found by their words and
// changed by a person.
var rRow = &Row{
	Name:     "r",
	Programs: []string{"R"},
	Files: func(s *scan, _ *Client) []File {
		var out []File
		for _, n := range []string{"/etc/R/Renviron", "/etc/R/Renviron.site", "/usr/lib/R/etc/Renviron.site", path.Join(s.home, ".Renviron")} {
			out = append(out, File{Path: n, Format: edit.EnvFile})
		}
		for _, n := range []string{"/etc/R/Rprofile.site", "/usr/lib/R/etc/Rprofile.site", path.Join(s.home, ".Rprofile")} {
			out = append(out, File{Path: n, Read: readRprofile})
		}
		return out
	},
	Keys: []Key{
		{Path: []string{"ssl_verifypeer"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"download.file.extra"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"CURL_CA_BUNDLE"}, Role: RoleCA},
		{Path: []string{"SSL_CERT_FILE"}, Role: RoleCA, Aside: true},
	},
	Vars:       []Var{{Name: "CURL_CA_BUNDLE", Role: RoleCA, Below: true}},
	Default:    "os",
	Rules:      ruleSet("openssl-3"),
	Unverified: "documentation and issues only, not run",
}

// readRprofile finds the lines of an R profile that switch verification off.
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
		}
	}
	return out
}
