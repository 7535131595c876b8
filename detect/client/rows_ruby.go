package client

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// Ruby, gem and bundler (reference/clients.md §8).

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
		out := []File{{Path: "/etc/gemrc", Format: edit.YAML}}
		for _, n := range gemrcs(s) {
			out = append(out, File{Path: n, Format: edit.YAML})
		}
		return out
	},
	Normal: func(k string) string { return strings.TrimPrefix(k, ":") },
	Keys: []Key{
		{Path: []string{"ssl_verify_mode"}, Role: RoleVerify, Off: gemOff},
		{Path: []string{"ssl_ca_cert"}, Role: RoleCA},
		{Path: []string{"ssl_client_cert"}, Role: RoleCert},
		{Path: []string{"sources", "*"}, Role: RoleURL},
	},
	Vars:    belowFiles(sslVars),
	Default: "os",
	Pin:     &Pin{Key: []string{":ssl_ca_cert"}, File: userGemrc, Dir: ".gem"},
	Servers: []string{"https://rubygems.org/"}, OnlyConfigured: true,
	Rules: ruleSet("openssl-3"),
	// ssl_ca_cert is read besides OpenSSL's own roots, but has to be there.
	Resolve: func(s *scan, c *Client, layers []layer) {
		s.verifyOf(c, layers)
		c.Trust = s.openSSLTrust("")
		own := shippedGemCA(s, c)
		var w *Setting
		for _, l := range layers {
			if l.role == RoleCA && !l.Env {
				w = l.Setting
			}
		}
		if w != nil {
			own, _ = s.expand(w.Value)
			w.Wins = true
		}
		if own != "" && own != c.Trust.Path {
			c.Trust.Adds = append(c.Trust.Adds, own)
		}
	},
}

// gemrcs are the files that stand above the machine's: those of GEMRC, or else
// the person's own.
func gemrcs(s *scan) []string {
	if list := s.getenv("GEMRC"); list != "" {
		return slices.DeleteFunc(strings.Split(list, ":"), func(p string) bool { return !path.IsAbs(p) })
	}
	user := path.Join(s.home, ".gemrc")
	if xdg := path.Join(s.configHome(), "gem/gemrc"); !s.something(user) && s.something(xdg) {
		user = xdg
	}
	return []string{user}
}

func userGemrc(s *scan, _ *Client) File {
	all := gemrcs(s)
	if len(all) == 0 {
		return File{}
	}
	return File{Path: all[len(all)-1], Format: edit.YAML}
}

// gemDefault is the bundle that a distribution gives gem and bundler; Debian's
// older packages name one in a way that they never read.
var gemDefault = regexp.MustCompile(`(?s)def operating_system_defaults\s.*?ssl_ca_cert: ["']([^"']+)`)

// shippedGemCA is the bundle that gem and bundler read where nothing names
// one; "" for OpenSSL's own roots alone.
func shippedGemCA(s *scan, c *Client) string {
	if path.Dir(c.Path) != "/usr/bin" {
		return ""
	}
	m := gemDefault.FindSubmatch(s.peek("/usr/lib/ruby/vendor_ruby/rubygems/defaults/operating_system.rb"))
	if m == nil {
		return ""
	}
	return string(m[1])
}

// gemOff: null and false stand for the default; a word stops gem.
func gemOff(e edit.Entry) bool {
	v := strings.ToLower(strings.TrimSpace(e.Value))
	return rubyOff(e) && v != "" && v != "~" && v != "null" && v != "false"
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
		Var{Name: "BUNDLE_SSL_VERIFY_MODE", Role: RoleVerify, Off: bundleOff, EmptyCounts: true},
		Var{Name: "BUNDLE_SSL_CA_CERT", Role: RoleCA},
		Var{Name: bundleMirror + "*", Role: RoleURL}),
	Default: "os",
	Pin:     &Pin{Key: []string{"BUNDLE_SSL_CA_CERT"}, File: userBundle, Dir: ".bundle"},
	Rules:   ruleSet("openssl-3"),
	// One bundle replaces all roots: bundler's own, else gem's, else the
	// distribution's. OpenSSL's count where there is none of them.
	Resolve: func(s *scan, c *Client, layers []layer) {
		s.verifyOf(c, layers)
		c.Trust = s.openSSLTrust("")
		if p := shippedGemCA(s, c); p != "" {
			c.Trust = Trust{Kind: "file", Path: p}
			if p == s.osBundle() {
				c.Trust.Kind = "os"
			}
		}
		gems := s.fileLayers(gemRow, gemRow, c, gemRow.Files(s, c))
		var w *Setting
		for _, l := range append(gems, layers...) {
			if l.role == RoleCA && l.Value != "" && !l.below {
				w = l.Setting
			}
		}
		if w != nil {
			s.replace(c, w, false)
			c.Trust.Adds = nil
		}
	},
}

// bundleMirror begins the keys that name a mirror of a source.
const bundleMirror = "BUNDLE_MIRROR__"

// bundlerFiles: the person's own, below variables, and the application's, above
// them.
func bundlerFiles(s *scan, c *Client) []File {
	user := userBundle(s, c)
	out := []File{user}
	root := s.nearest("Gemfile", "gems.rb", ".bundle/config")
	for _, n := range []string{"gems.rb", "Gemfile"} { // the first hides the other
		if p := path.Join(root, n); root != "" && s.project(p) {
			out = append(out, File{Path: p, Read: readGemfile, Here: true})
			break
		}
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
	own := path.Join(orElse(s.getenv("BUNDLE_USER_HOME"), path.Join(s.home, ".bundle")), "config")
	return File{Path: orElse(s.getenv("BUNDLE_CONFIG"), orElse(s.getenv("BUNDLE_USER_CONFIG"), own)), Format: edit.YAML}
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

// rubyOff: OpenSSL::SSL::VERIFY_NONE is 0.
func rubyOff(e edit.Entry) bool { return !e.Empty && bundleOff(e.Value) }

// bundleOff: any word but "false", an empty one too, counts as 0 for bundler.
func bundleOff(v string) bool { return v != "false" && number(strings.TrimSpace(v)) == 0 }

func belowFiles(vars []Var) []Var {
	out := make([]Var, len(vars))
	for i, v := range vars {
		v.Below = true
		out[i] = v
	}
	return out
}
