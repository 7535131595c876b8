//go:build linux

package lab

import (
	"path/filepath"
	"strings"
	"testing"
)

// The machine's own interpreters, old ones above all: a bundle that is not
// there, and Python 2's switch. Each fails or is insecure before, verifies
// after, and is as before after the rollback.
func TestInterpreters(t *testing.T) {
	t.Parallel()
	need(t)
	pythons, show := []string{"/usr/bin/python3"}, []string{}
	for _, p := range machine.Programs {
		if strings.HasPrefix(filepath.Base(p), "python") && strings.Contains(p, "/versions/") { // pyenv's: a directory each
			pythons, show = append(pythons, p), append(show, filepath.Dir(filepath.Dir(p)))
		}
	}
	s := Start(t, Config{Hosts: Hosts{rowGood: Good, rowEvil: Intercept}, Show: show})
	for _, p := range pythons {
		t.Log(p)
		c := rowCase{row: "python", file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(urlopen(p))}
		s.row(c, "ca-path-missing", func() (broken bool) { return !s.trusts(c, rowGood) }, true)
		if strings.HasPrefix(filepath.Base(p), "python2") {
			c.text = "umask 022\nexport PYTHONHTTPSVERIFY=0\n"
			s.row(c, "verify-off", func() (insecure bool) { return s.trusts(c, rowEvil) }, true)
		}
	}
}

// urlopen fetches a host's greeting with a Python of any age.
func urlopen(python string) func(host string) Cmd {
	return func(host string) Cmd {
		return Cmd{Argv: []string{python, "-c", `import sys
try:
    from urllib.request import urlopen
except ImportError:
    from urllib2 import urlopen
urlopen(sys.argv[1], timeout=8).read()`, "https://" + host + "/"}}
	}
}
