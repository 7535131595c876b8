package cli

import (
	"strings"
	"testing"

	"trustfix/detect"
	"trustfix/internal/text"
)

func shown(lang text.Lang, print func(*session)) string {
	var b strings.Builder
	print(&session{out: &printer{w: &b, utf8: true, lang: lang}})
	return b.String()
}

func TestPrintProofs(t *testing.T) {
	probes := []detect.Probe{
		{Client: "conda", Host: "repo.anaconda.com", Expected: detect.Accepts, Answer: detect.Accepts},
		{Client: "pip", Host: "pypi.org", Expected: detect.Accepts, Answer: detect.Unknown},
	}
	got := shown(text.English, func(s *session) { s.printProofs(probes) })
	if got != "    verified: conda reaches repo.anaconda.com\n" {
		t.Errorf("printed %q", got)
	}
	if got := shown(text.Chinese, func(s *session) { s.printProofs(probes) }); !strings.Contains(got, "已验证：conda 可以连接 repo.anaconda.com") {
		t.Errorf("printed %q", got)
	}
	if got := shown(text.English, func(s *session) { s.printProofs(probes[1:]) }); got != "" {
		t.Errorf("nobody proved it, printed %q", got)
	}
}

func TestPrintDisagreements(t *testing.T) {
	probes := []detect.Probe{
		{Client: "conda", Path: "/opt/conda", Host: "a.test", Expected: detect.Accepts, Answer: detect.Refuses, Words: "certificate verify failed"},
		{Client: "pip", Path: "/venv", Host: "b.test", Expected: detect.Refuses, Answer: detect.Accepts},
		{Client: "curl", Path: "/usr/bin/curl", Host: "c.test", Expected: detect.Accepts, Answer: detect.Accepts},
		{Client: "git", Path: "/usr/bin/git", Host: "d.test", Expected: detect.Accepts, Answer: detect.Unknown, Words: "timed out"},
	}
	got := shown(text.English, func(s *session) { s.printDisagreements(probes) })
	for _, want := range []string{"! ", "conda (/opt/conda) refuses a.test", "it says: certificate verify failed", "pip (/venv) accepts b.test"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
	for _, not := range []string{"curl", "git"} {
		if strings.Contains(got, not) {
			t.Errorf("%q stands in %q", not, got)
		}
	}
	if got := shown(text.English, func(s *session) { s.printDisagreements(probes[2:]) }); got != "" {
		t.Errorf("all agree, printed %q", got)
	}
}
