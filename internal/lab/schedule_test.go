//go:build linux

package lab

import (
	"strings"
	"testing"
)

// The daily job is a line that a shell runs: it says nothing while all is well,
// says what is not, renews a pin, and goes away without a trace.
func TestSchedule(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{mirror: NoInt, "pypi.org": Good}})
	s.mirrorConfig()
	s.Must("mkdir -p /etc/cron.d; ln -s /bin/true /usr/sbin/cron")
	if r := s.Trustfix("pin", mirror); r.Code != 0 {
		t.Fatalf("pin: %s", r)
	}
	before := s.Snapshot()
	if r := s.Trustfix("schedule", "--target", "pypi.org", "--days", "7"); r.Code != 0 {
		t.Fatalf("schedule: %s", r)
	}
	lines := strings.Split(strings.TrimSpace(s.Read("/etc/cron.d/trustfix")), "\n")
	_, job, ok := strings.Cut(lines[len(lines)-1], " * * * root ")
	if !ok || !strings.Contains(job, " --target pypi.org ") || !strings.Contains(job, "--days 7") {
		t.Fatalf("no job in %q", lines)
	}
	job = strings.ReplaceAll(job, `\%`, "%")
	if r := s.Run("sh", "-c", job); r.Code != 0 || r.Stdout+r.Stderr != "" {
		t.Errorf("all is well, and the job says %s", r)
	}
	s.Map(Hosts{mirror: NoInt, "pypi.org": Expired}, nil)
	if r := s.Run("sh", "-c", job); !strings.Contains(r.Stdout, "server-expired") {
		t.Errorf("the server's certificate has ended, and the job says %s", r)
	}
	if r := s.Trustfix("schedule", "remove"); r.Code != 0 {
		t.Errorf("remove: %s", r)
	}
	if d := s.Changes(before, "/var/lib/trustfix", "/etc/hosts"); len(d) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(d, "\n"))
	}
	if r := s.Trustfix("schedule", "remove"); r.Code != 0 {
		t.Errorf("nothing to remove: %s", r)
	}
}
