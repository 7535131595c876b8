//go:build linux

package lab

import (
	"strings"
	"testing"
)

// Endpoints are judged through the proxy that the client would use.
func TestProxies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, proxy string
		works       bool
		id, fault   string
	}{
		{"honest", ProxyHonest, true, "", "none"},
		{"intercepting", ProxyIntercept, false, "server-intercepted", "network"},
		{"wants a login", ProxyLogin, false, "net-proxy", "network"},
		{"with a login", "http://lin:secret@" + strings.TrimPrefix(ProxyLogin, "http://"), true, "", "none"},
		{"https to an http proxy", "https://" + strings.TrimPrefix(ProxyHonest, "http://"), false, "net-proxy", "network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			s.Write("/root/.config/pip/pip.conf", "[global]\nproxy = "+c.proxy+"\n")
			s.Clients(c.works, Pip(""))
			s.World.Forget()
			code := 3
			if c.works {
				code = 0
			}
			doc := s.Diagnose(code)
			if c.id != "" && len(doc.Find(c.id)) == 0 {
				t.Errorf("no %s:\n%s", c.id, doc)
			}
			judged := false
			for _, e := range doc.Endpoints {
				if strings.Contains(e.URL, "pypi.org") && strings.Contains(strings.Join(e.UsedBy, " "), "pip") {
					judged = true
					if e.Fault != c.fault {
						t.Errorf("endpoint: %+v", e)
					}
				}
			}
			reached := strings.HasPrefix(c.proxy, "https:") || len(s.World.Events("proxy")) > 0
			if !judged || !reached {
				t.Errorf("the index was not asked through the proxy:\n%s\n%v", doc, s.World.Events())
			}
		})
	}
}

// Credentials in URLs are never printed, and never sent by trustfix.
func TestSecretsStayHome(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	s := Start(t, Config{Hosts: Hosts{mirror: Expired}})
	s.Write("/root/.config/pip/pip.conf", "[global]\nindex-url = https://lin:"+secret+"@"+mirror+"/pypi/simple\ntrusted-host = "+mirror+"\n")
	for _, args := range [][]string{{}, {"--dry-run"}, {"--json"}, {"-v"}, {"clients"}, {"--apply"}, {"--apply", "--json"}, {"history"}} {
		if r := s.Trustfix(args...); strings.Contains(r.Stdout+r.Stderr, secret) {
			t.Errorf("trustfix %v prints the password: %s", args, r)
		}
	}
	for _, e := range s.World.Events("request") {
		if strings.Contains(e.Detail, "with credentials") {
			t.Errorf("sent: %s", e)
		}
	}
}
