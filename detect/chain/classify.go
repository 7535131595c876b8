package chain

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"trustfix/internal/text"
)

// Diagnosis is what an error text can mean.
type Diagnosis struct {
	Tool   string     // who printed it, as far as it shows; "" unknown
	Code   string     // the library's own number or symbol, "" if none
	Match  string     // the words that gave it away
	Causes []string   // finding ids, the likeliest first
	Host   string     // the server it speaks of, "" if it names none
	Tell   []text.Msg // how to tell the causes apart
	Next   string     // the command to run
}

// maxClassified bounds a pasted text; what matters stands in a traceback's
// last lines, so the end is kept.
const maxClassified = 256 << 10

// Classify reads an error text of any client, a whole traceback or log
// included, and says which causes it can mean. Wrappers' words count only
// where nothing inside them says more. Nil means that nothing was recognised.
func Classify(s string) []Diagnosis {
	if len(s) > maxClassified {
		s = s[len(s)-maxClassified:]
	}
	s = ansi.ReplaceAllString(strings.ToValidUTF8(s, "?"), "")
	host, tool := hostIn(strings.Join(strings.Fields(s), " ")), toolIn(strings.ToLower(s))
	words := fold(validity.ReplaceAllString(s, " "))
	var out []Diagnosis
	for _, row := range classRows {
		if row.fallback && len(out) > 0 {
			continue
		}
		match, rest, ok := row.find(words)
		if !ok {
			continue
		}
		words = rest
		d := Diagnosis{Tool: tool, Code: row.code, Match: match, Causes: row.causes, Host: host, Tell: row.tell}
		if row.tool != "" && tool == "" {
			d.Tool = row.tool
		}
		d.Next = row.next(host)
		if !slices.ContainsFunc(out, func(o Diagnosis) bool { return slices.Equal(o.Causes, d.Causes) }) {
			out = append(out, d)
		}
	}
	return out
}

// classRow is one line of the classification table.
type classRow struct {
	any      []string // folded words, any of them
	code     string
	tool     string
	causes   []string
	tell     []text.Msg
	local    bool // this machine's settings decide: no need to look at the server
	fallback bool // only if nothing else says more
}

// find looks for the row's words and takes every occurrence out, so that a
// longer text is not read again as a shorter one.
func (r classRow) find(words string) (match, rest string, ok bool) {
	for _, w := range r.any {
		if strings.Contains(words, w) {
			words, ok = strings.ReplaceAll(words, w, " "), true
			if match == "" {
				match = w
			}
		}
	}
	return match, words, ok
}

func (r classRow) next(host string) string {
	switch {
	case r.local:
		return "trustfix clients"
	case host != "":
		return "trustfix verify " + host
	}
	return "trustfix"
}

var (
	ansi     = regexp.MustCompile(`\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))`)
	buildPos = regexp.MustCompile(`\(_ssl\.c:\d+\)`)
	validity = regexp.MustCompile(`(?i)\bv:NotBefore: [^;\n]*; NotAfter: [^\n]*`) // s_client lists every certificate's
	urls     = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>|)\]]+`)
	quotes   = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "`", "'")
)

// fold makes texts comparable: one line, lower case, plain quotes, without
// addresses and places in the source.
func fold(s string) string {
	s = buildPos.ReplaceAllString(urls.ReplaceAllString(s, " "), " ")
	return " " + strings.Join(strings.Fields(strings.ToLower(quotes.Replace(s))), " ") + " "
}

// hostPatterns find the server an error speaks of; the ones where the text
// itself says so come before mere addresses.
var hostPatterns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)host(?:name)?=["']([^"']+)["'](?:, port=(\d+))?`),
	regexp.MustCompile(`(?i)is not valid for ["']([^"']+)["']`),
	regexp.MustCompile(`(?i)altnames: (?:Host|IP): ([^\s,]+?)\.? is not`),
	regexp.MustCompile(`(?i)subject alternative (?:DNS )?names? matching (?:IP address )?(\S+) found`),
	regexp.MustCompile(`(?i)requested host ?name ["'‘]([^"'’]+)["'’]`),
	regexp.MustCompile(`(?i)host ?name ["']([^"']+)["'] doesn['’]t match`),
	regexp.MustCompile(`(?i)DNS name ["']([^"']+)["'] is not permitted`),
	regexp.MustCompile(`(?i)certificate is valid for .*?, not ([A-Za-z0-9.:-]+)`),
	regexp.MustCompile(`(?i)(?:does not match|matches) (?:target )?host ?name ["'‘]([^"'’]+)["'’]`),
	regexp.MustCompile(`(?i)Cannot connect to host ([A-Za-z0-9.-]+(?::\d+)?)`),
	regexp.MustCompile(`(?i)cannot verify ([A-Za-z0-9.-]+)['’]s certificate`),
	regexp.MustCompile(`(?i)certificate (?:signer )?of ["'‘]([^"'’]+)["'’]`),
	regexp.MustCompile(`(?i)\* Connected to ([A-Za-z0-9.-]+) \([^)]*\) port (\d+)`),
	regexp.MustCompile(`(?i)(?:Could not resolve (?:host|proxy): |lookup |ENOTFOUND |getaddrinfo E\w+ )([A-Za-z0-9.-]+)`),
	regexp.MustCompile(`(?i)\bhttps://(?:[^\s/@"'<>]+@)?(\[[0-9a-f:]+\](?::\d+)?|[A-Za-z0-9.-]+(?::\d+)?)`),
	regexp.MustCompile(`(?i)(?:connect to|connecting to|Failed to connect to) ([A-Za-z0-9.-]+\.[A-Za-z]{2,}(?::\d+)?)`),
}

// manuals are the hosts that error texts point to for reading.
var manuals = []string{"curl.se", "go.dev", "yarnpkg.com", "urllib3.readthedocs.io", "docs.conda.io", "pip.pypa.io", "docs.astral.sh", "errors.pydantic.dev"}

func hostIn(s string) string {
	for _, p := range hostPatterns {
		for _, m := range p.FindAllStringSubmatch(s, 20) {
			host := strings.Trim(strings.ToLower(m[1]), ".")
			if len(m) > 2 && m[2] != "" {
				host += ":" + m[2]
			}
			host = strings.TrimSuffix(host, ":443")
			name, _, _ := strings.Cut(host, ":")
			if slices.Contains(manuals, name) {
				continue
			}
			if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || validDNS(name) {
				return host
			}
		}
	}
	return ""
}

func toolIn(s string) string {
	for _, t := range toolMarks {
		if slices.ContainsFunc(t.marks, func(m string) bool { return strings.Contains(s, m) }) {
			return t.name
		}
	}
	return ""
}

// verifyNumber are the ways OpenSSL's programs spell an error number.
func verifyNumber(n int) []string {
	return []string{
		fmt.Sprintf("verify error:num=%d:", n), fmt.Sprintf("verify return code: %d (", n), fmt.Sprintf("error %d at ", n),
	}
}

// hexCodes are the ways a Windows status code is spelled.
func hexCodes(codes ...uint32) []string {
	var out []string
	for _, c := range codes {
		out = append(out, fmt.Sprintf("0x%08x", c), strconv.Itoa(int(int32(c)))) //nolint:gosec // the sign is meant
	}
	return out
}
