package platform

import "strings"

// parseOSRelease reads an os-release file: lines of NAME=value with the
// quoting of a shell (os-release(5)): single quotes, double quotes with
// backslash escapes, comments in lines of their own. Lines that are not
// assignments are skipped. The last of two equal names wins, as in a shell.
func parseOSRelease(data []byte) map[string]string {
	out := map[string]string{}
	text := strings.TrimPrefix(string(data), "\ufeff")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, ok := strings.Cut(line, "=")
		if !ok || !shellName(name) {
			continue
		}
		out[name] = shellUnquote(value)
	}
	return out
}

func shellName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// shellUnquote is the value of one shell word; what follows it (a comment, a
// second word) does not belong to the value.
func shellUnquote(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', ';':
			return out.String()
		case '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return out.String() + s[i+1:]
			}
			out.WriteString(s[i+1 : i+1+end])
			i += end + 1
		case '"':
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0 {
					i++
				}
				out.WriteByte(s[i])
			}
		case '\\':
			if i++; i < len(s) {
				out.WriteByte(s[i])
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}
