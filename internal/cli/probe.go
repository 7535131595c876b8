package cli

import (
	"strings"

	"trustfix/detect"
	"trustfix/internal/text"
)

// printProofs names the clients that reach their servers after a step.
func (s *session) printProofs(probes []detect.Probe) {
	p := s.out
	var who []string
	for _, pr := range probes {
		if pr.Answer == detect.Accepts {
			who = append(who, p.show(text.M("probe.reaches", "client", pr.Client, "host", pr.Host)))
		}
	}
	if len(who) > 0 {
		p.wrap("", 4, p.show(text.M("probe.verified", "who", strings.Join(who, ", "))))
	}
}

// printDisagreements shows where a client itself says otherwise than the
// judgement, in its own words.
func (s *session) printDisagreements(probes []detect.Probe) {
	p, bad := s.out, detect.Disagreements(probes)
	if len(bad) == 0 {
		return
	}
	p.line("\n"+p.sign(signWarning)+" ", text.M("probe.disagreements"))
	for _, pr := range bad {
		m := text.M("probe.accepts", "client", pr.Client, "path", pr.Path, "host", pr.Host)
		if pr.Answer == detect.Refuses {
			m = text.M("probe.refuses", "client", pr.Client, "path", pr.Path, "host", pr.Host)
		}
		p.wrap("", 2, p.show(m))
		if pr.Words != "" {
			p.wrap("", 4, p.show(text.M("probe.words", "words", pr.Words)))
		}
	}
}
