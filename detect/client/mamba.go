package client

import (
	"path"
	"strings"

	"trustfix/internal/edit"
)

// mambaRow follows reference/clients.md §2: it reads conda's files, compares
// ssl_verify as a string, and prefers conda-forge's bundle to the system's.
var mambaRow = &Row{
	Name:  "mamba",
	Find:  mambas,
	Reads: []string{"conda"},
	Files: func(s *scan, c *Client) []File {
		var out []File
		for _, d := range []string{"/etc/conda", "/var/lib/conda", c.Path, path.Join(s.home, ".config/mamba"), path.Join(s.home, ".mamba"), s.home} {
			if d != "" {
				out = append(out, File{Path: path.Join(d, ".mambarc"), Format: edit.YAML})
			}
		}
		if rc := s.getenv("MAMBARC"); path.IsAbs(rc) {
			out = append(out, File{Path: rc, Format: edit.YAML})
		}
		return out
	},
	Keys: append([]Key{
		{Path: []string{"ssl_verify"}, Class: mambaVerify},
		{Path: []string{"cacert_path"}, Role: RoleCA},
	}, condaRow.Keys[2:]...),
	Vars: []Var{
		{Name: "MAMBA_SSL_VERIFY", Class: mambaVerify},
		{Name: "MAMBA_CACERT_PATH", Role: RoleCA},
	},
	Default: "file",
	Source: func(s *scan, c *Client) string {
		if p := s.first(path.Join(c.Path, "ssl/cert.pem")); p != "" {
			return p
		}
		return s.osBundle()
	},
	Pin:        condaRow.Pin, // a path means the same to both
	Servers:    condaRow.Servers,
	Rules:      func(*Client) string { return "openssl-3" },
	Endpoints:  (*scan).condaServers,
	Unverified: "run-time behaviour",
}

func mambaVerify(e edit.Entry) (Role, bool) {
	switch strings.TrimSpace(e.Value) {
	case "", "true", "1", "<true>", "<system>":
		return RoleVerify, false
	case "false", "0", "<false>":
		return RoleVerify, true
	}
	return RoleCA, false
}

func mambas(s *scan) []*Client {
	var out []*Client
	for _, p := range s.conda {
		for _, n := range []string{"libmamba", "mamba", "micromamba"} {
			if v := p.pkg(n); v != "" && p.base == "" {
				if prog := s.first(path.Join(p.dir, "bin/mamba"), path.Join(p.dir, "bin/micromamba")); prog != "" {
					out = append(out, &Client{Path: p.dir, Version: v, Program: prog})
					break
				}
			}
		}
	}
	if p := s.look("micromamba"); p != "" {
		out = append(out, &Client{Path: p, Program: p})
	}
	return out
}
