package text

import (
	"regexp"
	"slices"
	"strings"
)

var (
	userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/'"<>]*@`)
	// conda puts a channel's access token into the path: /t/TOKEN/.
	channelToken = regexp.MustCompile(`(://[^\s'"<>]*/t/)[^/\s'"<>]+`)
	// pairs of a name that says "secret" and a value, as npmrc, AWS, shells and headers write them.
	secretPair = regexp.MustCompile(`(?i)([\w.-]*(?:_auth|token|passwd|password|passphrase|secret|api[-_]?key|authorization)[\w-]*["']?\s*[:=]\s*)(?:"[^"\n]+"|'[^'\n]+'|(?:(?:basic|bearer)\s+)?[^\s,;}]+)`)
	// the same in the languages that put no sign between: fish, csh, yarn 1.
	secretWord = regexp.MustCompile(`(?i)([\w:/.-]*(?:_auth|_password|_token|_secret|_api_key)\w*["']?[ \t]+)(?:"[^"\n]+"|'[^'\n]+'|[^\s:=]\S*)`)
	// curl's user, and a proxy without a scheme.
	curlUser  = regexp.MustCompile(`(?m)^([ +-]?[ \t]*(?:-{0,2}(?:proxy-)?user\b[ \t]*[:= \t][ \t]*|-[uU][ \t]*)["']?[^\s:"']+:)[^\s"']+`)
	proxyUser = regexp.MustCompile(`(?i)(proxy["']?\s*[:= ]\s*["']?)[^\s/@'":]+:[^\s/'"]*@`)
)

// secretWords are in every name that the expressions match: looking for them
// is a hundred times cheaper than the expressions over a file of 20,000 lines.
var secretWords = []string{"auth", "pass", "secret", "token", "api"}

// accounts is the one file whose name reads like a secret's in errors that name it.
const accounts = "/etc/passwd"

// Redact hides passwords and tokens in a text that is about to be shown:
// userinfo of URLs, conda channel tokens, values of keys that name a secret.
func Redact(s string) string {
	if strings.Contains(s, "://") && strings.Contains(s, "@") {
		s = userinfo.ReplaceAllString(s, "${1}***@")
	}
	if strings.Contains(s, "/t/") {
		s = channelToken.ReplaceAllString(s, "${1}***")
	}
	lower := strings.ToLower(s)
	if slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(lower, w) }) {
		s = strings.ReplaceAll(s, accounts+":", accounts+"\x00") // a file, not a secret
		s = secretPair.ReplaceAllString(s, "${1}***")
		s = strings.ReplaceAll(s, accounts+"\x00", accounts+":")
		s = secretWord.ReplaceAllString(s, "${1}***")
	}
	if strings.Contains(s, ":") {
		s = curlUser.ReplaceAllString(s, "${1}***")
		if strings.Contains(s, "@") {
			s = proxyUser.ReplaceAllString(s, "${1}***@")
		}
	}
	return s
}
