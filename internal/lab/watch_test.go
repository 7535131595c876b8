//go:build linux

package lab

import (
	"encoding/json"
	"strings"
	"testing"
)

// watch says what fails and until when the rest holds, for a person, a program
// and a collector, and changes nothing but the file it is told to write.
func TestWatch(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{mirror: NoInt, "pypi.org": Good, "old.example": Expired}})
	s.mirrorConfig()
	if r := s.Trustfix("pin", mirror); r.Code != 0 {
		t.Fatalf("pin: %s", r)
	}
	s.Must("mkdir /var/lib/node_exporter")
	before := s.Snapshot()

	r := s.Trustfix("watch", "--target", "pypi.org", "--prometheus", "/var/lib/node_exporter/trustfix.prom")
	if r.Code != 0 || !strings.Contains(r.Stdout, "pypi.org") || !strings.Contains(r.Stdout, "days left") {
		t.Errorf("healthy: %s", r)
	}
	if d := s.Changes(before, "/var/lib/node_exporter"); len(d) > 0 {
		t.Errorf("watch changed:\n%s", strings.Join(d, "\n"))
	}
	prom := s.Read("/var/lib/node_exporter/trustfix.prom")
	for _, want := range []string{`trustfix_server_ok{url="https://pypi.org",fault="none",cause=""} 1`, `trustfix_pin_ok{path="`, "trustfix_clock_offset_seconds "} {
		if !strings.Contains(prom, want) {
			t.Errorf("no %s in\n%s", want, prom)
		}
	}

	r = s.Trustfix("watch", "--target", "old.example", "--json")
	var doc struct {
		Schema  int
		Servers []struct {
			URL, Verdict, Fault, Cause string
			First                      *struct{ SecondsLeft int64 }
		}
		Pins []struct {
			Client   string
			Hosts    []string
			Findings []string
		}
	}
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil || r.Code != 3 {
		t.Fatalf("expired: %v %s", err, r)
	}
	for _, srv := range doc.Servers {
		if strings.Contains(srv.URL, "old.example") && (srv.Verdict != "fail" || srv.Cause != "server-expired" || srv.First == nil || srv.First.SecondsLeft > -8*86400) {
			t.Errorf("expired: %+v", srv)
		}
	}
	if doc.Schema != 1 || len(doc.Pins) == 0 || len(doc.Pins[0].Hosts) != 1 || len(doc.Pins[0].Findings) != 0 {
		t.Errorf("pins: %s", r)
	}
}
