package client

import (
	"strings"

	"trustfix/internal/edit"
)

// parsePAM reads pam_env.conf: NAME [DEFAULT=value] [OVERRIDE=value].
func parsePAM(data []byte) []edit.Entry {
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest := line, ""
		if i := strings.IndexAny(line, " \t"); i > 0 {
			name, rest = line[:i], line[i:]
		}
		if k, v, ok := strings.Cut(name, "="); ok { // ~/.pam_environment knows the plain form too
			out = append(out, edit.Entry{Path: []string{k}, Value: strings.Trim(v, `"`), Line: i + 1, EndLine: i + 1})
			continue
		}
		val := ""
		for _, key := range []string{"DEFAULT=", "OVERRIDE="} {
			if _, v, ok := strings.Cut(rest, key); ok {
				if strings.HasPrefix(v, `"`) {
					v, _, _ = strings.Cut(v[1:], `"`)
				} else {
					v, _, _ = strings.Cut(strings.ReplaceAll(v, "\t", " "), " ")
				}
				val = v
			}
		}
		out = append(out, edit.Entry{Path: []string{name}, Value: val, Line: i + 1, EndLine: i + 1})
	}
	return out
}

// parseSystemd reads DefaultEnvironment= of system.conf and user.conf.
func parseSystemd(data []byte) []edit.Entry {
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "DefaultEnvironment=")
		if !ok {
			continue
		}
		for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
			var word string
			if q := rest[0]; q == '"' || q == '\'' {
				word, rest, _ = strings.Cut(rest[1:], string(q))
			} else {
				word, rest, _ = strings.Cut(rest, " ")
			}
			if k, v, ok := strings.Cut(word, "="); ok {
				out = append(out, edit.Entry{Path: []string{k}, Value: v, Line: i + 1, EndLine: i + 1})
			}
		}
	}
	return out
}
