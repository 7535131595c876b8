// Package edit reads configuration files with their line numbers and changes
// one key of them without touching any other byte.
//
// []byte in, []byte out: no I/O, and it imports nothing of trustfix. A reader
// and an editor of a format are the same scanner, so what a finding points at
// is what an edit removes. Every edit is proven by reading the result again:
// it must say what it said before but for this key, and every other line must
// be the same bytes; else the error is ErrUnproven and a person has to do it.
package edit

import (
	"errors"
	"fmt"
)

// Format is a configuration syntax, named after the program that defines it.
type Format string

// The formats.
const (
	YAML      Format = "yaml"      // .condarc, .yarnrc.yml (YAML 1.2, top level a map)
	INI       Format = "ini"       // Python configparser: pip.conf, dnf and yum, AWS, gcloud
	TOML      Format = "toml"      // uv, pixi, poetry, pdm, cargo
	JSON      Format = "json"      // docker daemon.json, conda env state (env_vars)
	Npmrc     Format = "npmrc"     // npm's ini
	Curlrc    Format = "curlrc"    //
	Wgetrc    Format = "wgetrc"    //
	GitConfig Format = "gitconfig" //
	AptConf   Format = "aptconf"   //
	Yarnrc    Format = "yarnrc"    // yarn 1: key space value
	Shell     Format = "shell"     // sh, bash, zsh profiles: export NAME=value, NAME=value
	EnvFile   Format = "envfile"   // /etc/environment, environment.d: NAME=value without shell words
	Fish      Format = "fish"      // set -gx NAME value
	Csh       Format = "csh"       // setenv NAME value

	Properties Format = "properties" // Java: gradle.properties
	Options    Format = "options"    // what a program is started with: Maven's .mvn/jvm.config and maven.config
)

// Entry is one key as it stands in a file.
type Entry struct {
	Path    []string // section and key, verbatim: {"global", "trusted-host"}, {"ssl_verify"}, {"http", "https://x/", "sslVerify"}, {"channels", "0"}
	Value   string   // unquoted and unescaped; continuation lines joined by "\n"
	Quoted  bool     // was quoted: a YAML string whatever it looks like
	Tag     string   // YAML's explicit tag, "" otherwise
	Empty   bool     // the key stands without a value (YAML null by absence); in gitconfig and npmrc only `key`, not `key =`
	Parent  bool     // a map or list; its members follow as entries of their own
	Line    int      // 1-based line where the key starts
	EndLine int      // last line of the value
	Comment string   // comment on the key's own line, with its sign: "#!final"
}

// ErrUnproven is wrapped by the error of an edit that could not be proven to
// change just this key. Nothing is lost: the caller keeps the old bytes.
var ErrUnproven = errors.New("the edit cannot be proven to leave everything else alone")

// SyntaxError is a file that its own client could not read either.
type SyntaxError struct {
	Line int
	Msg  string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

func syntaxErrorf(line int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Line: line, Msg: fmt.Sprintf(format, args...)}
}

func unprovenf(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrUnproven)...)
}
