package bundles

import (
	"bytes"
	"encoding/base64"
	"errors"
	"unicode/utf8"
)

// decode reads the base64 of a block, with RFC 1421 headers if there are any.
func decode(body []byte) ([]byte, error) {
	if bytes.IndexByte(body, ':') >= 0 {
		for len(body) > 0 {
			line, rest, _ := bytes.Cut(body, []byte{'\n'})
			if bytes.IndexByte(line, ':') < 0 {
				if len(bytes.TrimSpace(line)) == 0 {
					body = rest
				}
				break
			}
			body = rest
		}
	}
	if bytes.ContainsAny(body, " \t") {
		body = bytes.Join(bytes.Fields(body), nil)
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(body)))
	n, err := base64.StdEncoding.Decode(out, body)
	if err != nil {
		return nil, err
	}
	return out[:n:n], nil
}

// certificateShape returns the first DER element of der if it has the outline
// of a certificate. What is inside is the business of whoever parses it: Go
// refuses certificates (negative serial numbers) that OpenSSL trusts.
func certificateShape(der []byte) ([]byte, error) {
	const sequence, bitString = 0x30, 0x03
	cert, rest, ok := element(der, sequence)
	if !ok {
		return nil, errShape
	}
	_, inside, ok := element(cert, sequence) // tbsCertificate
	if ok {
		_, inside, ok = element(inside, sequence) // signatureAlgorithm
	}
	if ok {
		_, inside, ok = element(inside, bitString) // signature
	}
	if !ok || len(inside) > 0 {
		return nil, errShape
	}
	return der[:len(der)-len(rest)], nil
}

var errShape = errors.New("not a DER certificate")

// element splits the DER element with this tag off b.
func element(b []byte, tag byte) (inside, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		size := n & 0x7f
		if size < 1 || size > 3 || len(b) < 2+size {
			return nil, nil, false
		}
		n = 0
		for _, c := range b[2 : 2+size] {
			n = n<<8 | int(c)
		}
		head += size
	}
	if n > len(b)-head {
		return nil, nil, false
	}
	return b[head : head+n], b[head+n:], true
}

// binaryAt is the offset of the first byte that no text has, or -1.
func binaryAt(b []byte) int {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			if b[i] < 0x20 && b[i] != '\n' && b[i] != '\r' && b[i] != '\t' && b[i] != '\f' && b[i] != 0x1b {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 && !latin1(b, i) {
			return i
		}
		i += n
	}
	return -1
}

// latin1 says that a stray high byte stands between letters, as in old bundles
// whose comments name Spanish or Hungarian authorities in Latin-1.
func latin1(b []byte, i int) bool {
	if b[i] < 0xa0 {
		return false
	}
	text := func(j int) bool {
		return j < 0 || j >= len(b) || b[j] >= 0xa0 || b[j] == '\n' || b[j] == '\r' || (b[j] >= 0x20 && b[j] < 0x7f)
	}
	return text(i-1) && text(i+1)
}

func isUTF16(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) ||
		bytes.HasPrefix(b, []byte("-\x00-\x00")) || bytes.HasPrefix(b, []byte("\x00-\x00-"))
}
