package detect

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for in, want := range map[string]string{
		"example.org":                    "https://example.org example.org 443  ",
		"Example.ORG.:8443":              "https://example.org:8443 example.org 8443  ",
		"https://example.org/simple?x=1": "https://example.org/simple?x=1 example.org 443  ",
		"https://u:p@example.org:444/":   "https://example.org:444/ example.org 444  ",
		"name.test@127.0.0.1:4433":       "https://name.test:4433 name.test 4433 127.0.0.1:4433 ",
		"name.test@[::1]:4433":           "https://name.test:4433 name.test 4433 [::1]:4433 ",
		"name.test@127.0.0.1":            "https://name.test name.test 443 127.0.0.1:443 ",
		"::1":                            "https://[::1] ::1 443  ",
		"[2001:db8::1]:8443":             "https://[2001:db8::1]:8443 2001:db8::1 8443  ",
		"192.0.2.1:443":                  "https://192.0.2.1 192.0.2.1 443  ",
		"smtp://mail.example.org":        "smtp://mail.example.org mail.example.org 25  smtp",
		"imap://mail.example.org:1143":   "imap://mail.example.org:1143 mail.example.org 1143  imap",
		"bücher.example":                 "https://xn--bcher-kva.example xn--bcher-kva.example 443  ",
		"":                               "error", "http://example.org": "error", "a b": "error", "example.org:99999": "error", "name@nohost:1": "error", "https://": "error", "-x/../": "-",
	} {
		got := "error"
		if e, err := ParseTarget(in); err == nil {
			got = fmt.Sprintf("%s %s %d %s %s", e.URL, e.Target.Host, e.Target.Port, e.Target.Addr, e.Target.StartTLS)
		} else if in != "" && !strings.Contains(err.Error(), in) {
			t.Errorf("%q: the error does not name it: %v", in, err)
		}
		if want != "-" && got != want {
			t.Errorf("ParseTarget(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"a.example", "https://a:b@c:1/d", "n@[::1]:2", "[::1", "a@b@c", "://", "x://y", "a:b:c", "%zz", "https://a/%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseTarget(s)
		if err != nil {
			return
		}
		if e.Target.Host == "" || e.Target.Port < 1 || e.Target.Port > 65535 || e.Parsed.User != nil {
			t.Errorf("ParseTarget(%q) = %+v", s, e.Target)
		}
	})
}
