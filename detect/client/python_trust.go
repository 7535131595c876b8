package client

import (
	"path"
	"regexp"
	"strings"
)

var quotedBundle = regexp.MustCompile(`["'](/[^"'\n]+\.(?:pem|crt))["']`)

// certifiIn is the bundle that a copy of certifi names: its own file, or the
// system's where a distribution patched it (§3.4).
func (s *scan) certifiIn(p *pyEnv, dir string) string {
	// Distributions patch what they install and what venv copies from there.
	patched := p.kind == pySystem || p.kind == pyVenv && strings.HasPrefix(p.base, "/usr/bin")
	if !patched {
		return path.Join(dir, "cacert.pem")
	}
	if core := s.peek(path.Join(dir, "core.py")); core != nil {
		if m := quotedBundle.FindAllSubmatch(core, -1); m != nil {
			return string(m[len(m)-1][1])
		}
	}
	return path.Join(dir, "cacert.pem")
}

// certifiOf is the certifi bundle of the Python at a path, "" when it has none.
func (s *scan) certifiOf(path string) string {
	if p := s.pyAt[path]; p != nil {
		if d, ok := p.dists["certifi"]; ok {
			return s.certifiIn(p, d.site+"/certifi")
		}
	}
	return ""
}

// openSSLTrust is where OpenSSL takes its roots from in the Python at a path:
// its own default, or what SSL_CERT_FILE names. The variable leaves the default
// directory of hashed roots in place (§5.3).
func (s *scan) openSSLTrust(at string) Trust {
	t := Trust{Kind: "os", Path: s.osBundle()}
	dir := "/etc/ssl/certs"
	if p := s.pyAt[at]; p != nil && s.condaOf(at) == "" {
		if o := s.opensslOf(p); o.dir != "" {
			t, dir = s.opensslDefault(o.dir), path.Join(o.dir, "certs")
		}
	}
	if p := s.condaOf(at); p != "" {
		t = Trust{Kind: "file", Path: path.Join(p, "ssl/cert.pem")}
		if s.v.OS == "windows" {
			t.Path = path.Join(p, "Library/ssl/cacert.pem")
		}
		dir = path.Join(p, "ssl/certs")
	}
	if v, x := s.envValue("SSL_CERT_DIR", at); x != nil && v != "" {
		dir = ""
		for _, d := range strings.Split(v, ":") {
			if p, ok := s.expand(d); ok && s.isDir(p) {
				t.Adds = append(t.Adds, p)
				x.Wins = true
			}
		}
	}
	if v, x := s.envValue("SSL_CERT_FILE", at); x != nil && v != "" {
		p, _ := s.expand(v)
		t.Kind, t.Path, t.SetBy = "file", p, x.Where()
		x.Wins = true
		if dir != "" && s.isDir(dir) {
			t.Adds = append(t.Adds, dir)
		}
	} else if dir != "" && !s.isFile(t.Path) && s.isDir(dir) {
		t.Adds = append(t.Adds, dir) // all that is left when the bundle is gone
	}
	return t
}

// opensslDefault is the trust source of an OpenSSL with this OPENSSLDIR: the
// system's store where its cert.pem leads there or it is the system's own.
func (s *scan) opensslDefault(dir string) Trust {
	file, system := path.Join(dir, "cert.pem"), s.osBundle()
	real, err := s.v.Files.Resolve(file)
	if want, e := s.v.Files.Resolve(system); err == nil && e == nil && real == want || strings.HasPrefix(dir, "/usr/lib/") || strings.HasPrefix(dir, "/etc/") {
		return Trust{Kind: "os", Path: system}
	}
	if certs := path.Join(dir, "certs"); !s.isFile(file) && len(s.readDir(certs)) > 0 {
		return Trust{Kind: "dir", Path: certs}
	}
	return Trust{Kind: "file", Path: file}
}

// condaOf is the conda environment whose OpenSSL a Python uses, or "".
func (s *scan) condaOf(at string) string {
	if s.prefixes[at] != nil {
		return at
	}
	if p := s.pyAt[at]; p != nil && p.base != "" {
		for _, d := range []string{path.Dir(p.base), p.base} {
			if s.prefixes[d] != nil {
				return d
			}
		}
	}
	return ""
}
