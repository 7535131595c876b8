//go:build linux

package lab

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustfix/detect/chain"
)

// asker is a real client: one run of it answers for every chain.
type asker struct {
	name   string
	argv   []string // the questions follow
	direct func(s *Sandbox, questions []string) map[int]string
	rules  func(facts map[string]string) (rules *chain.Rules, family string)
}

// rulesNamed are one rule set and its column of the page.
func rulesNamed(name, family string, change func(*chain.Rules)) func(map[string]string) (*chain.Rules, string) {
	return func(map[string]string) (*chain.Rules, string) {
		r, ok := chain.RulesFor(name)
		if !ok {
			panic("no rules " + name)
		}
		if change != nil {
			change(r)
		}
		return r, family
	}
}

// opensslRules are those of a version of OpenSSL.
func opensslRules(version string, change func(*chain.Rules)) (*chain.Rules, string) {
	name, family := "openssl-3", "OpenSSL 3"
	switch {
	case less(version, "1.1"):
		name, family = "openssl-1.0.2", "OpenSSL 1.0.2"
	case less(version, "3"):
		name, family = "openssl-1.1.1", "OpenSSL 1.1.1"
	}
	return rulesNamed(name, family, change)(nil)
}

// pythonRules say how a library on a Python verifies. urllib3 before 2, with
// requests and pip on it, looks at the name after the chain; urllib3 2 and httpx
// before 0.28 do not take a common name.
// It is strict where it takes ssl.create_default_context of 3.13 or later, which urllib3 does since
// 2.4, httpx since 0.28, and pip (without truststore) since 26.1.
func pythonRules(library string) func(map[string]string) (*chain.Rules, string) {
	return func(f map[string]string) (*chain.Rules, string) {
		strict, change := !less(f["python"], "3.13"), func(r *chain.Rules) {
			r.NameLast, r.PartialWildcard = less(f["python"], "3.7"), less(f["python"], "3.7") // ssl.match_hostname
		}
		switch library {
		case "requests", "urllib3":
			version := cmp.Or(f["urllib3"], f["version"])
			strict = strict && !less(version, "2.4")
			change = func(r *chain.Rules) {
				r.CommonName, r.NameLast, r.PartialWildcard = less(version, "2"), less(version, "2"), false
			}
		case "httpx":
			strict = strict && !less(f["version"], "0.28")
			change = func(r *chain.Rules) { r.CommonName, r.PartialWildcard = !less(f["version"], "0.28"), false }
		case "pip":
			strict = false // up to 26.0 its urllib3 is old, since 24.2 it takes truststore
			change = func(r *chain.Rules) {
				r.NameLast, r.PartialWildcard = less(f["version"], "24.2") || less(f["python"], "3.10"), false
			}
		}
		if strict {
			return rulesNamed("python-3.13", "Python 3.13", change)(nil)
		}
		return opensslRules(f["openssl"], change)
	}
}

// less compares dotted versions by their numbers.
func less(a, b string) bool {
	number := func(s string) []int {
		var out []int
		for p := range strings.SplitSeq(s, ".") {
			end := strings.IndexFunc(p, func(r rune) bool { return r < '0' || r > '9' })
			if end >= 0 {
				p = p[:end]
			}
			n, _ := strconv.Atoi(p)
			out = append(out, n)
		}
		return out
	}
	return slices.Compare(number(a), number(b)) < 0
}

// askers are the clients of a system.
func askers(t *testing.T, s *Sandbox, system Suite) []asker {
	var out []asker
	python := func(program string, libraries ...string) {
		for _, l := range libraries {
			argv := []string{program, "/srv/ask/ask.py", l}
			if s.Exec(Cmd{Argv: []string{program, "-c", "import " + l}}).Code != 0 {
				continue
			}
			name := "Python"
			if l != "ssl" {
				name = l
			}
			out = append(out, asker{name: name, argv: argv, rules: pythonRules(l)})
		}
	}
	has := func(program string) bool {
		return s.Run("/bin/sh", "-c", "command -v "+program).Code == 0
	}
	program := func(name, command string, rules func(map[string]string) (*chain.Rules, string)) {
		out = append(out, asker{name: name, argv: strings.Fields(command), rules: rules})
	}
	if system != Machine {
		python("python3", "ssl", "requests", "urllib3", "httpx", "pip")
	} else {
		for _, p := range machine.Programs {
			switch filepath.Base(p) {
			case "deno":
				program("deno", p+" run --quiet --allow-all /srv/ask/ask.deno.js", rulesNamed("rustls", "rustls", nil))
			case "uv": // with the roots of SSL_CERT_FILE, and as if they were the system's
				program("uv", "sh /srv/ask/ask.uv.sh "+p+" file", rulesNamed("rustls", "uv", nil))
				program("native-tls uv", "sh /srv/ask/ask.uv.sh "+p+" native", rulesNamed("rustls", "uv", nil))
			default:
				python(p, "ssl", "requests", "urllib3", "httpx", "pip")
			}
		}
		out = append(out, asker{name: "Go", direct: askGo, rules: rulesNamed("go", "Go", nil)})
	}
	gnutls := func(must string) func(map[string]string) (*chain.Rules, string) {
		return func(f map[string]string) (*chain.Rules, string) {
			if must != "" && f["version"] != must {
				t.Errorf("built with %s, not %s", f["version"], must)
			}
			return rulesNamed("gnutls", "GnuTLS", nil)(nil)
		}
	}
	for _, c := range []struct {
		name  string
		rules func(map[string]string) (*chain.Rules, string)
	}{
		{"openssl", func(f map[string]string) (*chain.Rules, string) {
			return opensslRules(strings.TrimPrefix(f["version"], "OpenSSL/"), nil)
		}},
		{"curl", func(f map[string]string) (*chain.Rules, string) {
			r, _ := opensslRules(strings.TrimPrefix(f["version"], "OpenSSL/"), func(r *chain.Rules) {
				r.PartialChain, r.NameLast, r.PartialWildcard, r.CommonNameAlone = true, true, false, true
			})
			return r, "curl"
		}},
		{"wget", gnutls("ssl/gnutls")},
		{"git", gnutls("libcurl-gnutls")},
		{"gnutls-cli", gnutls("")},
	} {
		if has(c.name) {
			program(c.name, "sh /srv/ask/ask.sh "+c.name, c.rules)
		}
	}
	if system != Bullseye && has("node") { // Node 12 stops in the middle of the questions
		program("node", "node /srv/ask/ask.js", func(f map[string]string) (*chain.Rules, string) {
			return rulesNamed("node", "Node", func(r *chain.Rules) {
				// Node's own OpenSSL asks for level 1 up to 22; Debian's, and Node's since 24, for 2.
				if system != Machine || !less(f["version"], "24") {
					r.SecurityLevel = 2
				}
			})(nil)
		})
	}
	if has("java") {
		compileAsk(t, s, has("javac"))
		program("java", "java -cp /srv/ask Ask", rulesNamed("java", "Java", nil))
	}
	return out
}

// compileAsk makes the Java client ready: by the system's own compiler, or by
// that of the oldest Java, whose classes all others run.
func compileAsk(t *testing.T, s *Sandbox, own bool) {
	const compile = "cd /srv/ask && javac -nowarn Ask.java"
	if own {
		s.Must(compile)
		return
	}
	old := Start(t, Config{Suite: Bullseye})
	old.Write("/srv/ask/Ask.java", s.Read("/srv/ask/Ask.java"))
	old.Must(compile)
	s.Write("/srv/ask/Ask.class", old.Read("/srv/ask/Ask.class"))
}

// askGo is this very program's crypto/tls, inside the sandbox's network.
func askGo(s *Sandbox, questions []string) map[int]string {
	out := map[int]string{}
	for i, q := range questions {
		port, rest, _ := strings.Cut(q, " ")
		name, pem, _ := strings.Cut(rest, " ")
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM([]byte(s.Read(pem)))
		err := s.ns.network(func() error {
			c, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", "127.0.0.1:"+port, &tls.Config{RootCAs: pool, ServerName: name})
			if err != nil {
				return err
			}
			defer c.Close()
			if _, err := c.Write([]byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
				return err
			}
			_, err = c.Read(make([]byte, 1))
			return err
		})
		out[i] = "ok"
		if err != nil {
			out[i] = err.Error()
		}
	}
	return out
}
