package detect

import (
	"fmt"
	"strconv"
	"strings"

	"trustfix/bundles"
)

// A pin for Java is a key store, which has no comments: what the pin says of
// itself is the alias of its first entry. Java looks entries up in lower case,
// so everything but small letters, digits and plain signs is written %xx.

const plainAlias = "abcdefghijklmnopqrstuvwxyz0123456789 ./:_,=@+-*"

// Alias is what a key store that is the pin begins with.
func (p Pin) Alias() string {
	var words []string
	for line := range strings.Lines(p.Header()) {
		if text, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "# "); ok && !strings.HasPrefix(text, "Made by") {
			words = append(words, EscapeAlias(text))
		}
	}
	return strings.Join(words, "; ")
}

// EscapeAlias writes text so that every Java finds the entry of that name.
func EscapeAlias(s string) string {
	var out strings.Builder
	for _, b := range []byte(s) {
		if strings.IndexByte(plainAlias, b) >= 0 {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02x", b)
		}
	}
	return out.String()
}

// pinStore is the header of a pin that is a key store; "" for any other store.
func pinStore(data []byte) string {
	store, err := bundles.ReadKeyStore(data, "")
	if err != nil || len(store.Aliases) == 0 {
		return ""
	}
	var out strings.Builder
	for word := range strings.SplitSeq(store.Aliases[0], "; ") {
		out.WriteString("# ")
		for i := 0; i < len(word); i++ {
			if n, err := strconv.ParseUint(word[i+1:min(i+3, len(word))], 16, 8); word[i] == '%' && err == nil {
				out.WriteByte(byte(n))
				i += 2
				continue
			}
			out.WriteByte(word[i])
		}
		out.WriteByte('\n')
	}
	return out.String()
}
