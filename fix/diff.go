package fix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"

	"trustfix/internal/text"
	"trustfix/platform"
)

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (a Action) isPath() bool {
	return a.Kind == FileAction || a.Kind == LinkAction || a.Kind == EnvAction
}

// Diff is a path action as a unified diff with passwords hidden, "" for the
// other kinds.
func (a Action) Diff() string {
	if !a.isPath() {
		return ""
	}
	return unified(a.Target, a.Before, a.Target, a.After)
}

// Commands are the programs an action runs, each as one line for a shell.
func (a Action) Commands() []string {
	var out []string
	for _, c := range a.Do {
		out = append(out, quote(redacted(c.Argv)))
	}
	return out
}

func unified(oldName string, before platform.Image, newName string, after platform.Image) string {
	var out strings.Builder
	if before.Kind == platform.File && after.Kind == platform.File && before.Mode != after.Mode {
		fmt.Fprintf(&out, "old mode %06o\nnew mode %06o\n", before.Mode, after.Mode)
	}
	if before.Kind == platform.Absent {
		oldName = "/dev/null"
	}
	if after.Kind == platform.Absent {
		newName = "/dev/null"
	}
	x, okX := shown(before)
	y, okY := shown(after)
	if !okX || !okY {
		if before.SHA256 != after.SHA256 || before.Kind != after.Kind {
			fmt.Fprintf(&out, "--- %s\n+++ %s\ncontents differ and are not shown\n", oldName, newName)
		}
		return out.String()
	}
	body := diff.Diff(oldName, x, newName, y)
	if len(body) == 0 && before.SHA256 != after.SHA256 {
		fmt.Fprintf(&out, "--- %s\n+++ %s\nonly secrets differ and are not shown\n", oldName, newName)
	}
	// The first line repeats the two that follow it.
	_, body, _ = bytes.Cut(body, []byte("\n"))
	out.Write(body)
	return out.String()
}

// privateKey is the body of a PEM private key.
var privateKey = regexp.MustCompile(`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)

// shown is a path's content as a diff may print it; false when it must not or
// cannot be: binary, or its own owner has no right to read it.
func shown(img platform.Image) ([]byte, bool) {
	switch img.Kind {
	case platform.Absent, platform.DirKind, "":
		return nil, true
	case platform.Link:
		return []byte("link to " + img.Link + "\n"), true
	case platform.File:
		if int64(len(img.Data)) != img.Size || img.Mode&0o400 == 0 || bytes.IndexByte(img.Data, 0) >= 0 || !utf8.Valid(img.Data) {
			return nil, false
		}
		s := privateKey.ReplaceAllString(string(img.Data), "$1 *** $2")
		return []byte(text.Redact(s)), true
	}
	return nil, false
}

func redacted(argv []string) []string {
	out := make([]string, len(argv))
	for i, s := range argv {
		out[i] = text.Redact(s)
	}
	return out
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quote joins arguments into a line that a POSIX shell splits the same way.
func quote(argv []string) string {
	words := make([]string, len(argv))
	for i, s := range argv {
		if !plainWord.MatchString(s) {
			s = "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
		words[i] = s
	}
	return strings.Join(words, " ")
}
