package text

import "regexp"

var (
	userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@'"<>]*@`)
	// conda puts a channel's access token into the path: /t/TOKEN/.
	channelToken = regexp.MustCompile(`(://[^\s'"<>]*/t/)[^/\s'"<>]+`)
	// pairs of a name that says "secret" and a value, as npmrc, AWS and headers write them.
	secretPair = regexp.MustCompile(`(?i)((?:_auth|_authtoken|_password|password|passwd|secret|api[-_]?key|access[-_]?token|proxy-authorization|authorization)["']?\s*[:=]\s*)(?:(?:basic|bearer)\s+)?[^\s,;}]+`)
)

// Redact hides passwords and tokens in a text that is about to be shown:
// userinfo of URLs, conda channel tokens, values of keys that name a secret.
func Redact(s string) string {
	s = userinfo.ReplaceAllString(s, "${1}***@")
	s = channelToken.ReplaceAllString(s, "${1}***")
	return secretPair.ReplaceAllString(s, "${1}***")
}
