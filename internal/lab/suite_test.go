//go:build linux

package lab

import (
	"slices"
	"testing"
)

// A sandbox of each suite is a healthy machine of that release: its clients
// trust the world and refuse an interceptor, and trustfix finds nothing.
func TestSuites(t *testing.T) {
	for _, suite := range Suites {
		t.Run(string(suite), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: suite, Hosts: Hosts{"intercepted.example": Intercept}})
			if release := s.Read("/etc/os-release"); suite != Sid && codename(release) != string(suite) {
				t.Errorf("it is\n%s", release)
			}
			for _, host := range []string{"pypi.org", "intercepted.example"} {
				s.Clients(host == "pypi.org", Curl(host), Requests(host), Urllib(host), Git(host), Httpx(host), Wget(host))
				if slices.Contains(suiteMore[suite], "nodejs") { // Debian's reads the system's store
					s.Clients(host == "pypi.org", nodeGet(host))
				}
			}
			s.Clients(true, Pip(""))
			old := suite == Bullseye || suite == Bookworm // its newest package is behind, and trustfix says so
			doc := s.Diagnose(map[bool]int{true: 3}[old])
			if old {
				if doc = s.Diagnose(3, "--apply"); doc.Run != nil {
					t.Errorf("nothing can be done about it, and there is a run: %+v", doc.Run)
				}
			}
			for _, f := range doc.Errors() {
				if !old || f.ID != "store-stale" || f.Severity != "warning" {
					t.Errorf("something is wrong: %s", f)
				}
			}
			for _, e := range doc.Endpoints {
				if e.Verdict != "ok" {
					t.Errorf("endpoint: %+v", e)
				}
			}
			if r := s.Run("/bin/sh", "-c", `date -s "@$(date +%s)"`); r.Code == 0 {
				t.Fatal("a sandbox may set the clock")
			}
		})
	}
}
