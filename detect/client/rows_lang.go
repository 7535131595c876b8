package client

import (
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// Go and cargo (reference/clients.md §8).

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
		{Name: "SSL_CERT_DIR", Role: RoleCA, Dir: true, Below: true, Aside: true, Applies: ownCurl},
		{Name: "SSL_CERT_FILE", Role: RoleCA, Below: true, Applies: ownCurl},
		{Name: "CARGO_HTTP_CAINFO", Role: RoleCA},
	},
	Default: "os",
	Pin:     &Pin{Key: []string{"http", "cainfo"}, File: userCargo},
	Servers: []string{"https://index.crates.io/"}, OnlyConfigured: true,
	Rules:    ruleSet("curl"), // it carries libcurl
	Versions: (*scan).packaged,
}

// ownCurl: rustup's cargo looks for the system's roots itself; a distribution's
// leaves that to the system's libcurl, which does not read variables.
func ownCurl(c *Client) bool { return c.Version == "" }

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
