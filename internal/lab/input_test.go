//go:build linux

package lab

import (
	"strings"
	"testing"
	"unicode/utf16"
)

// Files as people have them. Each is either edited minimally or left alone
// with a refusal that names it; nothing is lost, nothing hangs, nothing panics.
func TestBadInput(t *testing.T) {
	t.Parallel()
	const condarc, pipconf = "/root/.condarc", "/root/.config/pip/pip.conf"
	utf16le := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	const refused = "\x00" // instead of the text after an apply: nothing may change, and the place is named
	for _, c := range []struct {
		name, path   string
		before, make string // content, or a script that makes it
		after        string
	}{
		{name: "tabs", path: condarc, before: "channels:\n\t- defaults\nssl_verify: false\n", after: refused},
		{name: "duplicate keys", path: condarc, before: "ssl_verify: false\nchannels: []\nssl_verify: false\n", after: refused},
		{name: "anchors", path: condarc, before: "x: &off false\nssl_verify: *off\nchannels: []\n", after: "x: &off false\nchannels: []\n"},
		{name: "anchor on the value", path: condarc, before: "ssl_verify: &off false\nauto_update_conda: *off\n", after: refused},
		{name: "merge keys and a comment", path: condarc, before: "ssl_verify: false # why\nchannels: []\n", after: "channels: []\n"},
		{name: "CRLF", path: condarc, before: "channels: []\r\nssl_verify: false\r\nauto: 1\r\n", after: "channels: []\r\nauto: 1\r\n"},
		{name: "BOM", path: condarc, before: "\ufeffssl_verify: false\nchannels: []\n", after: "\ufeffchannels: []\n"},
		{name: "UTF-16", path: condarc, before: utf16le("ssl_verify: false\n"), after: refused},
		{name: "several documents", path: condarc, before: "ssl_verify: false\n---\nssl_verify: true\n", after: refused},
		{name: "not YAML", path: condarc, before: "ssl_verify: [\n", after: refused},
		{name: "binary", path: condarc, before: "ssl_verify: false\n\x00\x01\x02", after: refused},
		{name: "50 MB", path: condarc, make: "(echo 'ssl_verify: false'; yes '# filler filler filler filler filler filler filler' | head -c 52428800) >" + condarc, after: refused},
		{name: "FIFO", path: condarc, make: "mkfifo " + condarc, after: refused},
		{name: "dangling link", path: condarc, make: "ln -s /nonexistent/condarc " + condarc},
		{name: "directory", path: condarc, make: "mkdir " + condarc},
		{name: "link to a file", path: condarc, make: "mkdir /root/dot; echo 'ssl_verify: false' >/root/dot/condarc; ln -s dot/condarc " + condarc, after: "L"},
		{name: "pip: [global] twice", path: pipconf, before: "[global]\ntimeout = 3\n[global]\ntrusted-host = pypi.org\n", after: refused},
		{name: "pip: percent", path: pipconf, before: "[global]\nindex-url = https://u:p%40x@pypi.org/simple\ntrusted-host = pypi.org\n", after: "[global]\nindex-url = https://u:p%40x@pypi.org/simple\n"},
		{name: "pip: continuation lines", path: pipconf, before: "[global]\ntrusted-host =\n    pypi.org\n    # not a host\n    files.pythonhosted.org\ntimeout = 3\n", after: "[global]\ntimeout = 3\n"},
		{name: "pip: no section", path: pipconf, before: "trusted-host = pypi.org\n", after: refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.InstallConda()
			s.Must("mkdir -p /root/.config/pip")
			if c.make != "" {
				s.Must(c.make)
			} else {
				s.Write(c.path, c.before)
			}
			before := s.Snapshot()
			args := []string{"--offline", "--json"}
			for _, apply := range []string{"", "--apply"} {
				r := s.Exec(TrustfixCmd(append(strings.Fields(apply), args...)...))
				if r.Code != 0 && r.Code != 3 || strings.Contains(r.Stderr, "goroutine ") || !strings.HasPrefix(r.Stdout, "{") {
					t.Fatalf("trustfix %s: %s", apply, r)
				}
				if r.Took.Seconds() > 20 {
					t.Errorf("trustfix %s took %v", apply, r.Took)
				}
				if c.after == refused && (r.Code != 3 || !strings.Contains(r.Stdout, c.path)) {
					t.Errorf("trustfix %s does not name %s: %s", apply, c.path, r)
				}
				if apply == "" || c.after == refused || c.after == "" {
					if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
						t.Errorf("trustfix %s changed:\n%s", apply, strings.Join(d, "\n"))
					}
				}
			}
			switch c.after {
			case refused, "":
				return
			case "L":
				if s.Read("/root/dot/condarc") != "" || s.Snapshot()[condarc] != before[condarc] {
					t.Error("the edit did not go through the link")
				}
			default:
				if got := s.Read(c.path); got != c.after {
					t.Errorf("became %q, not %q", got, c.after)
				}
			}
			if r := s.Trustfix("rollback"); r.Code != 0 {
				t.Errorf("rollback: %s", r)
			}
			if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
				t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
			}
		})
	}
}
