package client

import (
	"path"
	"strings"

	"trustfix/platform"
)

// configHome is the XDG base specification's directory of the examined user's settings.
func (s *scan) configHome() string {
	if d := s.getenv("XDG_CONFIG_HOME"); d != "" && path.IsAbs(d) {
		return d
	}
	return path.Join(s.home, ".config")
}

// osBundles are where systems keep the bundle of their store, in the order in
// which truststore and mamba look (reference/clients.md §2, §5.3).
var osBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/pki/tls/cert.pem",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
	"/opt/local/etc/openssl/cert.pem",
	"/usr/local/etc/ssl/cert.pem",
}

// SystemBundles are the paths at which systems keep their own bundle.
func SystemBundles() []string { return osBundles }

// osBundle is the bundle of the system's store; the usual path of the system
// where it is missing.
func (s *scan) osBundle() string {
	if p := s.first(osBundles...); p != "" {
		return p
	}
	switch s.v.Distro.Family {
	case platform.Debian, platform.Unknown, platform.Flatcar, platform.NixOS:
		return osBundles[0]
	case platform.RedHat:
		return osBundles[2]
	case platform.SUSE:
		return "/etc/ssl/ca-bundle.pem"
	}
	return "/etc/ssl/cert.pem"
}

// expand resolves "~", $NAME and ${NAME} in a path as the program would. ok is
// false when it cannot be known from here: another variable, a command
// substitution, a relative path.
func (s *scan) expand(v string) (string, bool) { return s.expandIn(v, "") }

// pathOf is the file or directory that a setting names.
func (s *scan) pathOf(x *Setting) (string, bool) {
	p, ok := s.expandIn(x.Value, x.Scope)
	if !ok && x.Beside && p != "" && !strings.ContainsAny(p, "$`") {
		return path.Join(path.Dir(x.File), p), true
	}
	return p, ok
}

// expandIn is expand inside a conda environment, "" for none.
func (s *scan) expandIn(v, scope string) (string, bool) {
	if rest, ok := strings.CutPrefix(v, "~"); ok && (rest == "" || rest[0] == '/') {
		v = s.home + rest
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		switch {
		case v[i] == '`', v[i] == '$' && i+1 < len(v) && v[i+1] == '(':
			return v, false
		case v[i] != '$':
			b.WriteByte(v[i])
			continue
		}
		j := i + 1
		braced := j < len(v) && v[j] == '{'
		if braced {
			j++
		}
		k := j
		for k < len(v) && (v[k] == '_' || v[k] >= '0' && v[k] <= '9' || v[k]|0x20 >= 'a' && v[k]|0x20 <= 'z') {
			k++
		}
		name := v[j:k]
		if braced {
			if k >= len(v) || v[k] != '}' {
				return v, false
			}
			k++
		}
		val, ok := s.v.Env[name]
		if name == "HOME" {
			val, ok = s.home, true
		} else if name == "CONDA_PREFIX" && scope != "" {
			val, ok = scope, true
		} else if name == "USER" {
			val, ok = s.v.User.Name, s.v.User.Name != ""
		}
		if !ok || name == "" {
			return v, false
		}
		b.WriteString(val)
		i = k - 1
	}
	out := b.String()
	return out, path.IsAbs(out) || len(out) > 2 && out[1] == ':'
}
