package client

import (
	"slices"
	"strings"

	"trustfix/internal/edit"
	"trustfix/internal/text"
)

// Where is the place of a setting as findings name it: "path:line" or "env:NAME".
func (x *Setting) Where() string {
	switch {
	case x.Registry != nil:
		return x.Registry.Key + `\` + x.Name
	case x.File == "":
		return "env:" + x.Name
	}
	return at(x.File, x.Entry.Line)
}

// Placed reports whether it is known what sets it.
func (x *Setting) Placed() bool { return x.File != "" || x.Registry != nil }

// Refused says why a client cannot take this value for a bundle at all, where
// that is certain: conda accepts only an absolute path, "truststore" or a
// boolean, and expands no "~" (reference/clients.md §1.1).
func (x *Setting) Refused() (text.Msg, bool) {
	v := x.Value
	if x.TrustsNothing() {
		return text.M("ca-path-invalid.npm"), true
	}
	if x.Client == "poetry" && oneOf("false", "true", "0", "1")(v) {
		return text.M("ca-path-invalid.poetry"), true
	}
	if x.Client != "conda" || v == "truststore" || strings.ContainsAny(v, "$/\\") && !strings.HasPrefix(v, "~") {
		return text.Msg{}, false
	}
	return text.M("ca-path-invalid.conda", "value", v), true
}

// TrustsNothing reports npm's ca without a value, which leaves it without any root.
func (x *Setting) TrustsNothing() bool {
	return x.Role == RoleCA && x.Name == "ca" && x.Value == "" && x.Format == edit.Npmrc
}

// hashless read a directory of roots without hash names.
var hashless = []string{"go", "uv", "pixi", "apt"}

// NeedsHashes reports whether a program that reads this directory finds roots
// only by their hash names, as OpenSSL does.
func (x *Setting) NeedsHashes() bool {
	if len(x.Affects) == 0 {
		return !slices.Contains(hashless, x.Client)
	}
	return slices.ContainsFunc(x.Affects, func(n string) bool { return !slices.Contains(hashless, n) })
}

// Replaces reports whether the bundle stands instead of the default roots for
// some program that reads it. SSL_CERT_FILE leaves OpenSSL's directory of
// roots in place, but not httpx's or uv's (§5.2, §5.3).
func (x *Setting) Replaces() bool { return x.Role == RoleCA && !x.Adds }

// Rivals reports whether x and the layer that wins over it are a conflict
// rather than an ordinary override: a shared variable that silently beats what
// one program was told, or one variable that two files set differently. A
// directory is read besides a file, not against it.
func (x *Setting) Rivals(winner *Setting) bool {
	if x == winner || x.Where() == winner.Where() || x.Dir != winner.Dir {
		return false
	}
	if x.key() == winner.key() {
		return x.Env && winner.Env
	}
	return winner.Env && (!x.Env || len(x.Affects) == 1 && len(winner.Affects) > 1)
}

// key is what a setting is about, however its layer spells it: PIP_CERT and
// "cert" in any section are one.
func (x *Setting) key() string {
	name := x.Name
	if !x.Env && len(x.Entry.Path) > 0 {
		name = x.Entry.Path[len(x.Entry.Path)-1]
	}
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, p := range []string{"pip-", "conda-", "mamba-", "npm-config-", "--"} {
		name = strings.TrimPrefix(name, p)
	}
	return name
}
