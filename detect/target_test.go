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
		"https://例子。测试:8443/x":           "https://xn--fsqu00a.xn--0zwm56d:8443/x xn--fsqu00a.xn--0zwm56d 8443  ",
		"xn--i-7iq.ws":                   "https://xn--i-7iq.ws xn--i-7iq.ws 443  ", // an emoji: in use, whatever IDNA says
		"a_b.example":                    "https://a_b.example a_b.example 443  ",
		"i❤.ws":                          "https://xn--i-7iq.ws xn--i-7iq.ws 443  ",
		"例 子.测试":                         "error", "-例.测试": "error", "ab--例.测试": "error",
		"imaps://mail.example.org": "imaps://mail.example.org mail.example.org 993  ",
		"LDAPS://ldap.example:636": "ldaps://ldap.example ldap.example 636  ",
		"ftp://example.org":        "error", "file:///etc/passwd": "error", "ssh://example.org:22": "error",
		"": "error", "http://example.org": "error", "a b": "error", "example.org:99999": "error", "name@nohost:1": "error", "https://": "error", "-x/../": "-",
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

// What cannot be judged is refused with what can.
func TestParseTargetSaysWhatIsSupported(t *testing.T) {
	_, err := ParseTarget("ftp://example.org")
	for _, want := range []string{`"ftp://" is not supported`, "https", "smtp", "imaps", "postgres"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

func TestParseHost(t *testing.T) {
	for in, want := range map[string]string{
		"例子.测试": "xn--fsqu00a.xn--0zwm56d", "Example.ORG.": "example.org", "::1": "::1", "[2001:db8::1]": "2001:db8::1", "192.0.2.7": "192.0.2.7",
		"h.example:443": "", "a b": "", "": "", "https://h.example": "", "-例.测试": "",
	} {
		if got, err := ParseHost(in); (err != nil) != (want == "") || want != "" && got != want {
			t.Errorf("ParseHost(%q) = %q, %v; want %q", in, got, err, want)
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
