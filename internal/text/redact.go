package text

import (
	"regexp"
	"slices"
	"strings"
)

var (
	userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@'"<>]*@`)
	// conda puts a channel's access token into the path: /t/TOKEN/.
	channelToken = regexp.MustCompile(`(://[^\s'"<>]*/t/)[^/\s'"<>]+`)
	// pairs of a name that says "secret" and a value, as npmrc, AWS and headers write them.
	secretPair = regexp.MustCompile(`(?i)((?:_auth|_authtoken|_password|password|passwd|secret|api[-_]?key|access[-_]?token|proxy-authorization|authorization)["']?\s*[:=]\s*)(?:(?:basic|bearer)\s+)?[^\s,;}]+`)
)

// secretWords are in every name that secretPair matches: looking for them is
// a hundred times cheaper than the expression over a file of 20,000 lines.
var secretWords = []string{"auth", "pass", "secret", "token", "api"}

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
		s = secretPair.ReplaceAllString(s, "${1}***")
	}
	return s
}
