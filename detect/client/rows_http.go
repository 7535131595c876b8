package client

import (
	"path"
	"strings"

	"trustfix/internal/edit"
)

// curl, wget and git (reference/clients.md §8).

var curlRow = &Row{
	Name:     "curl",
	Programs: []string{"curl"},
	Files: func(s *scan, _ *Client) []File {
		if f := s.curlrc(); s.something(f.Path) {
			return []File{f}
		}
		return nil
	},
	Normal: curlNormal,
	Keys: []Key{
		{Path: []string{"insecure"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"no-insecure"}, Role: RoleVerify, Off: value(never)},
		{Path: []string{"proxy-insecure"}, Role: RoleVerify, Off: value(always), Aside: true},
		{Path: []string{"doh-insecure"}, Role: RoleVerify, Off: value(always), Aside: true},
		{Path: []string{"cacert"}, Role: RoleCA},
		{Path: []string{"url"}, Role: RoleURL},
		{Path: []string{"proxy"}, Role: RoleProxy},
		{Path: []string{"capath"}, Role: RoleCA, Dir: true, Aside: true},
		{Path: []string{"proxy-cacert"}, Role: RoleCA, Aside: true},
		{Path: []string{"cert"}, Role: RoleCert},
		{Path: []string{"key"}, Role: RoleKey},
	},
	Vars: []Var{
		{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true, Below: true, Aside: true},
		{Name: "SSL_CERT_FILE", Role: RoleCA, Below: true},
		{Name: "CURL_CA_BUNDLE", Role: RoleCA, Below: true},
	},
	Default:  "os",
	Rules:    ruleSet("curl"),
	Pin:      &Pin{Key: []string{"cacert"}, File: func(s *scan, _ *Client) File { return s.curlrc() }, Dir: ".config/curl"},
	Ask:      askCurl,
	Versions: (*scan).packaged,
}

// curlrc is the only file that curl reads: the first that is there hides the
// others, even an empty one; the usual name where there is none.
func (s *scan) curlrc() File {
	xdg, home := s.getenv("XDG_CONFIG_HOME"), s.getenv("CURL_HOME")
	names := []string{
		under(home, ".curlrc"), under(xdg, "curlrc"), path.Join(s.home, ".curlrc"),
		under(home, ".config/curlrc"), path.Join(s.home, ".config/curlrc"),
	}
	if s.v.OS == "windows" {
		names = append(names, path.Join(s.home, "AppData/Roaming/.curlrc"), path.Join(s.home, "_curlrc"))
	}
	for _, n := range names {
		if n != "" && s.something(n) {
			return File{Path: n, Format: edit.Curlrc}
		}
	}
	return File{Path: path.Join(orElse(under(home, "."), s.home), ".curlrc"), Format: edit.Curlrc}
}

// curlNormal brings an option to its long name. A group of short options such
// as -kL counts as --insecure, up to the first that takes an argument.
func curlNormal(k string) string {
	long, dashes := strings.CutPrefix(k, "--")
	if dashes || !strings.HasPrefix(k, "-") {
		return long
	}
	for _, c := range k[1:] {
		switch c {
		case 'k':
			return "insecure"
		case 'E':
			return "cert"
		case 'x':
			return "proxy"
		}
		if strings.ContainsRune("AbCcdDeFHhKmoPQrtTuUwxXyYz", c) {
			break
		}
	}
	return k
}

var wgetRow = &Row{
	Name:     "wget",
	Programs: []string{"wget"},
	Files: func(s *scan, c *Client) []File {
		user := userWgetrc(s, c).Path
		var out []File
		for _, n := range []string{"/etc/wgetrc", "/usr/local/etc/wgetrc", user, "/etc/wget2rc", path.Join(s.home, ".wget2rc")} {
			out = append(out, File{Path: n, Format: edit.Wgetrc})
		}
		return out
	},
	Normal: func(k string) string { return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(k)) },
	Keys: []Key{
		{Path: []string{"checkcertificate"}, Role: RoleVerify, Off: value(oneOf("off", "no", "0", "quiet"))},
		{Path: []string{"cacertificate"}, Role: RoleCA},
		{Path: []string{"cadirectory"}, Role: RoleCA, Dir: true, Aside: true},
		{Path: []string{"certificate"}, Role: RoleCert},
		{Path: []string{"privatekey"}, Role: RoleKey},
		{Path: []string{"httpproxy"}, Role: RoleProxy, Scheme: "http"},
		{Path: []string{"httpsproxy"}, Role: RoleProxy, Scheme: "https"},
	},
	Default:  "os",
	Rules:    ruleSet("gnutls"),
	Pin:      &Pin{Key: []string{"ca_certificate"}, File: userWgetrc, Dir: ".config/wget"},
	Ask:      askWget,
	Versions: (*scan).packaged,
}

func userWgetrc(s *scan, _ *Client) File {
	user := path.Join(s.home, ".wgetrc")
	if rc := s.getenv("WGETRC"); path.IsAbs(rc) {
		user = rc
	}
	return File{Path: user, Format: edit.Wgetrc}
}

// under is a file in a directory that a variable may name; "" when it does not.
func under(dir, name string) string {
	if !path.IsAbs(dir) {
		return ""
	}
	return path.Join(dir, name)
}

func ruleSet(name string) func(*Client) string { return func(*Client) string { return name } }
