package client

import (
	"path"
	"strconv"
	"strings"

	"trustfix/internal/edit"
)

// curl, wget and git (reference/clients.md §8).

var curlRow = &Row{
	Name:     "curl",
	Programs: []string{"curl"},
	Files: func(s *scan, _ *Client) []File {
		xdg, home := s.getenv("XDG_CONFIG_HOME"), s.getenv("CURL_HOME")
		names := []string{
			under(home, ".curlrc"), under(xdg, "curlrc"), path.Join(s.home, ".curlrc"),
			under(home, ".config/curlrc"), path.Join(s.home, ".config/curlrc"),
		}
		if s.v.OS == "windows" {
			names = append(names, path.Join(s.home, "AppData/Roaming/.curlrc"), path.Join(s.home, "_curlrc"))
		}
		// Only one is read: the first that is there hides the others, even an empty one.
		for _, n := range names {
			if n != "" && s.something(n) {
				return []File{{Path: n, Format: edit.Curlrc}}
			}
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
	Rules:    ruleSet("openssl-3"),
	Ask:      askCurl,
	Versions: (*scan).packaged,
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
	Files: func(s *scan, _ *Client) []File {
		user := path.Join(s.home, ".wgetrc")
		if rc := s.getenv("WGETRC"); path.IsAbs(rc) {
			user = rc
		}
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
	},
	Default:  "os",
	Rules:    ruleSet("gnutls"),
	Ask:      askWget,
	Versions: (*scan).packaged,
}

var gitRow = &Row{
	Name:     "git",
	Programs: []string{"git"},
	Files:    gitFiles,
	Normal:   strings.ToLower,
	Keys: []Key{
		{Path: []string{"http", "sslverify"}, Role: RoleVerify, Off: gitOff},
		{Path: []string{"http", "*", "sslverify"}, Role: RoleVerify, Off: gitOff, HostAt: 2},
		{Path: []string{"http", "sslcainfo"}, Role: RoleCA},
		{Path: []string{"http", "*", "sslcainfo"}, Role: RoleCA, HostAt: 2},
		{Path: []string{"http", "sslcapath"}, Role: RoleCA, Dir: true, Aside: true},
		{Path: []string{"http", "*", "sslcapath"}, Role: RoleCA, Dir: true, HostAt: 2},
		{Path: []string{"http", "proxysslcainfo"}, Role: RoleCA, Aside: true},
		{Path: []string{"http", "sslcert"}, Role: RoleCert},
		{Path: []string{"http", "*", "sslcert"}, Role: RoleCert},
		{Path: []string{"http", "sslkey"}, Role: RoleKey},
		{Path: []string{"http", "*", "sslkey"}, Role: RoleKey},
	},
	Vars: []Var{
		// Any value, "0" and "" too: git only looks whether it is there.
		{Name: "GIT_SSL_NO_VERIFY", Role: RoleVerify, Off: always},
		{Name: "GIT_SSL_CAPATH", Role: RoleCA, Dir: true, Aside: true},
		{Name: "GIT_SSL_CAINFO", Role: RoleCA},
		{Name: "GIT_PROXY_SSL_CAINFO", Role: RoleCA, Aside: true},
		{Name: "GIT_SSL_CERT", Role: RoleCert},
		{Name: "GIT_SSL_KEY", Role: RoleKey},
	},
	Default:  "os",
	Rules:    ruleSet("gnutls"),
	Ask:      askGit,
	Versions: (*scan).packaged,
}

// gitOff: a key without "=" is true, one with an empty value false.
func gitOff(e edit.Entry) bool {
	if e.Empty {
		return false
	}
	if n, err := strconv.Atoi(strings.TrimSpace(e.Value)); err == nil {
		return n == 0
	}
	return oneOf("false", "no", "off", "")(e.Value)
}

// gitFiles: system, global, and what they include without a condition.
func gitFiles(s *scan, _ *Client) []File {
	var names []string
	if p := s.getenv("GIT_CONFIG_SYSTEM"); p != "" {
		names = append(names, p)
	} else if !oneOf("1", "true", "yes", "on")(s.getenv("GIT_CONFIG_NOSYSTEM")) {
		names = append(names, "/etc/gitconfig", "/usr/local/etc/gitconfig", "/opt/homebrew/etc/gitconfig")
	}
	if p := s.getenv("GIT_CONFIG_GLOBAL"); p != "" {
		names = append(names, p)
	} else {
		names = append(names, path.Join(s.configHome(), "git/config"), path.Join(s.home, ".gitconfig"))
	}
	var out []File
	var add func(name string, depth int)
	add = func(name string, depth int) {
		if !path.IsAbs(name) || depth > 4 {
			return
		}
		from := 0
		part := func(to int) {
			out = append(out, File{Path: name, Format: edit.GitConfig, From: from, To: to})
			from = to
		}
		defer func() { part(0) }()
		if !s.something(name) {
			return
		}
		for _, e := range s.parse("git", name, edit.GitConfig) {
			if len(e.Path) == 2 && strings.EqualFold(e.Path[0], "include") && strings.EqualFold(e.Path[1], "path") {
				part(e.Line + 1)
				p, ok := s.expand(e.Value)
				if !ok {
					p = path.Join(path.Dir(name), e.Value)
				}
				add(p, depth+1)
			}
		}
	}
	for _, n := range names {
		add(n, 0)
	}
	return out
}

// under is a file in a directory that a variable may name; "" when it does not.
func under(dir, name string) string {
	if !path.IsAbs(dir) {
		return ""
	}
	return path.Join(dir, name)
}

func ruleSet(name string) func(*Client) string { return func(*Client) string { return name } }
