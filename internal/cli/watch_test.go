package cli

import (
	"testing"
	"time"

	"trustfix/detect"
)

// The metrics as a collector reads them; a password in a URL is none of its
// business, and a quotation mark does not end a label.
func TestMetrics(t *testing.T) {
	at := time.Date(2026, 12, 3, 0, 0, 0, 0, time.UTC)
	off := -1.5
	r := &detect.Report{
		Clock:    detect.Clock{System: at.Add(-24 * time.Hour), Offset: &off},
		Findings: []detect.Finding{{Severity: detect.Error}, {Severity: detect.Info}},
	}
	h := detect.Health{
		Servers: []detect.ServerHealth{
			{URL: "https://lin:secret@mirror.example/simple", Verdict: "ok", Fault: "none", First: &detect.Ending{NotAfter: at}},
			{URL: "https://down.example", Verdict: "unreachable", Fault: "network", Cause: "net-dns"},
		},
		Pins: []detect.PinHealth{{Path: `/home/a"b/pin.pem`, Client: "pip", Findings: []string{"pin-expired"}, First: &detect.Ending{NotAfter: at}}},
	}
	const want = `# HELP trustfix_server_ok Whether a server verifies for every client that uses it.
# TYPE trustfix_server_ok gauge
trustfix_server_ok{url="https://***@mirror.example/simple",fault="none",cause=""} 1
trustfix_server_ok{url="https://down.example",fault="network",cause="net-dns"} 0
# HELP trustfix_server_not_after_seconds Unix time at which the first certificate of a server's chain ends.
# TYPE trustfix_server_not_after_seconds gauge
trustfix_server_not_after_seconds{url="https://***@mirror.example/simple"} 1796256000
# HELP trustfix_pin_ok Whether a pin holds and fits what its hosts serve.
# TYPE trustfix_pin_ok gauge
trustfix_pin_ok{path="/home/a\"b/pin.pem",client="pip"} 0
# HELP trustfix_pin_not_after_seconds Unix time at which the first pinned certificate ends.
# TYPE trustfix_pin_not_after_seconds gauge
trustfix_pin_not_after_seconds{path="/home/a\"b/pin.pem",client="pip"} 1796256000
# HELP trustfix_findings What a diagnosis finds, by severity.
# TYPE trustfix_findings gauge
trustfix_findings{severity="error"} 1
trustfix_findings{severity="warning"} 0
trustfix_findings{severity="info"} 1
# HELP trustfix_clock_offset_seconds True time minus system time.
# TYPE trustfix_clock_offset_seconds gauge
trustfix_clock_offset_seconds -1.5
# HELP trustfix_last_run_timestamp_seconds Unix time of this look, by the system clock.
# TYPE trustfix_last_run_timestamp_seconds gauge
trustfix_last_run_timestamp_seconds 1796169600
`
	if got := string(metrics(r, h)); got != want {
		t.Errorf("got\n%s", got)
	}
}
