package detect

import (
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"strings"
	"unicode"
)

// readChain splits a saved chain into certificates as they stand, also those
// that do not parse: PEM blocks, or one DER certificate after another. Text
// between the blocks, a byte order mark, any line ends, indentation and blocks
// glued together are slips of whoever saved them; a block that does not decode
// keeps its place, for the judge to call it malformed.
func readChain(data []byte) ([][]byte, error) {
	const begin, dashes = "-----BEGIN ", "-----"
	rest := string(data)
	if !strings.Contains(rest, begin) {
		if len(data) == 0 || data[0] != 0x30 {
			return nil, errors.New("it holds no certificate, neither PEM nor DER")
		}
		return splitDER(data), nil
	}
	var out [][]byte
	for {
		_, block, ok := strings.Cut(rest, begin)
		if !ok {
			break
		}
		kind, block, _ := strings.Cut(block, dashes)
		body, _, _ := strings.Cut(block, dashes)
		rest = block[len(body):]
		switch kind {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
			der := unarmoured(body)
			if kind == "TRUSTED CERTIFICATE" {
				der = splitDER(der)[0] // OpenSSL's purposes stand behind it
			}
			if !strings.HasPrefix(rest, "-----END ") {
				der = []byte(body) // cut off: it is not what was sent
			}
			out = append(out, der)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no certificate")
	}
	return out, nil
}

// unarmoured is the content of a PEM block, or the block itself where it is
// none; lines with a colon are headers.
func unarmoured(body string) []byte {
	var b strings.Builder
	for _, line := range strings.FieldsFunc(body, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if !strings.Contains(line, ":") {
			b.WriteString(strings.Join(strings.FieldsFunc(line, unicode.IsSpace), ""))
		}
	}
	der, err := base64.StdEncoding.DecodeString(b.String())
	if err != nil {
		return []byte(body)
	}
	return der
}

// splitDER is one element after another; what is none stays in one piece with
// the element before it, which it spoils.
func splitDER(data []byte) [][]byte {
	var out [][]byte
	for rest := data; len(rest) > 0; {
		var element asn1.RawValue
		after, err := asn1.Unmarshal(rest, &element)
		if err != nil || rest[0] != 0x30 {
			return [][]byte{data}
		}
		out, rest = append(out, element.FullBytes), after
	}
	if len(out) == 0 {
		return [][]byte{data}
	}
	return out
}
