package client

import (
	"bytes"
	"encoding/xml"
	"strings"
	"time"

	"trustfix/internal/edit"
	"trustfix/platform"
)

// Where macOS and Windows keep variables besides the files of shells.

// RegistryValue is where Windows keeps a variable.
type RegistryValue struct {
	Key  string // HKCU\Environment
	Type string // REG_SZ, REG_EXPAND_SZ
}

const (
	machineVars = `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`
	personVars  = `HKCU\Environment`
)

// readRegistry reads the variables of the machine and of the person, who wins.
// Both are values of the running system: another one's tree has them in files
// that only Windows reads.
func (s *scan) readRegistry() {
	if s.v.OS != "windows" || s.v.Rooted {
		return
	}
	for _, key := range []string{machineVars, personVars} {
		out, err := s.v.Exec.Query(s.ctx, platform.Cmd{Argv: []string{"reg", "query", key}, Timeout: 5 * time.Second})
		if err != nil {
			continue // an account without variables of its own has no key
		}
		for line := range strings.Lines(out.Stdout) {
			// "    NAME    REG_SZ    value": four spaces between, in every language.
			f := strings.SplitN(strings.TrimRight(line, "\r\n"), "    ", 4)
			if len(f) != 4 || f[0] != "" || !strings.HasPrefix(f[2], "REG_") {
				continue
			}
			s.addEnv(f[1], Setting{
				Name: f[1], Value: f[3], Env: true, Elevated: key == machineVars,
				Registry: &RegistryValue{Key: key, Type: f[2]},
			})
		}
	}
}

// parseLaunchd reads what a launch agent or daemon sets for everything that is
// started afterwards, with `launchctl setenv NAME value` as words of its own or
// as a line for a shell.
func parseLaunchd(data []byte) []edit.Entry {
	var out []edit.Entry
	var words []string // of the array that is being read
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.Strict = false
	text := ""
	for {
		tok, err := dec.RawToken()
		if err != nil {
			return out // a property list in Apple's binary form has no words to read
		}
		switch t := tok.(type) {
		case xml.StartElement:
			text = ""
			if t.Name.Local == "array" {
				words = nil
			}
		case xml.CharData:
			text += string(t)
		case xml.EndElement:
			if t.Name.Local != "string" {
				continue
			}
			line, _ := dec.InputPos()
			words = append(words, text)
			set := setenvs(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == ';' || r == '&' }))
			if n := len(words); n >= 3 && words[n-3] == "setenv" {
				set = append(set, [2]string{words[n-2], words[n-1]})
			}
			for _, nv := range set {
				out = append(out, edit.Entry{Path: []string{nv[0]}, Value: nv[1], Line: line, EndLine: line})
			}
		}
	}
}

// setenvs are the names and values after each "setenv" of a shell's line.
func setenvs(words []string) (out [][2]string) {
	for i := 0; i+2 < len(words); i++ {
		if words[i] == "setenv" {
			out = append(out, [2]string{words[i+1], strings.Trim(words[i+2], `"'`)})
		}
	}
	return out
}
