package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	cli "github.com/urfave/cli/v2"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

func watchFlags(s *session) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "prometheus", Usage: "`FILE` " + s.say(flagUsage["prometheus"])},
		&cli.IntFlag{Name: "days", Value: 14, Usage: "`N` " + s.say(flagUsage["days"])},
	}
}

// watch looks once at what ends and what fails: the servers that somebody
// configured, the targets and the pins. It changes nothing but the file
// that --prometheus names.
func watch(ctx context.Context, s *session, _ []string) error {
	if s.flags.offline {
		return usage(text.M("cli.watch-offline"))
	}
	if s.flags.days < 0 {
		return usage(text.M("cli.bad-days"))
	}
	h, err := s.open()
	if err != nil {
		return err
	}
	o, err := s.options(h)
	if err != nil {
		return err
	}
	r, err := s.detect(ctx, h, o)
	if err != nil {
		return err
	}
	health := detect.Watch(h.View, r, time.Duration(s.flags.days)*24*time.Hour)
	code := exitOK
	if !health.Well() {
		code = exitFindings
	}
	if name := s.flags.prometheus; name != "" {
		if err := platform.WriteOutput(name, metrics(r, health), s.out.w); err != nil {
			return usage(text.Raw(err.Error()))
		}
	}
	switch {
	case s.flags.json:
		return s.printJSON(struct {
			Schema int          `json:"schema"`
			Clock  detect.Clock `json:"clock"`
			detect.Health
		}{1, r.Clock, health}, code)
	case s.flags.prometheus != "-":
		s.printHealth(health)
	}
	return exit(code)
}

// printHealth is a line for every server and pin: what it is, and until when.
func (s *session) printHealth(h detect.Health) {
	p := s.out
	if len(h.Servers) == 0 && len(h.Pins) == 0 {
		p.line("", text.M("cli.watch-nothing"))
		return
	}
	for _, srv := range h.Servers {
		switch {
		case srv.Verdict != "ok":
			p.right(p.sign(signError)+" "+p.clean(srv.URL), srv.Cause)
		case srv.First != nil:
			s.printEnding(srv.URL, *srv.First)
		default:
			p.printf("%s %s\n", p.sign(signDone), p.clean(srv.URL))
		}
	}
	for _, pin := range h.Pins {
		switch {
		case len(pin.Findings) > 0:
			p.right(p.sign(signError)+" "+p.clean(pin.Path), strings.Join(pin.Findings, " "))
		case pin.First != nil:
			s.printEnding(pin.Path, *pin.First)
		default:
			p.printf("%s %s\n", p.sign(signDone), p.clean(pin.Path))
		}
	}
}

func (s *session) printEnding(what string, e detect.Ending) {
	mark := signDone
	if e.Soon {
		mark = signWarning
	}
	s.out.wrap(s.out.sign(mark), 2, s.out.clean(what)+s.out.dot()+
		s.out.show(text.M("cli.watch-until", "date", e.NotAfter.Format(time.DateOnly), "amount", detect.Span(float64(e.Seconds)))))
}

// metrics is the health in Prometheus's text format, for the textfile
// collector of its node exporter.
func metrics(r *detect.Report, h detect.Health) []byte {
	var b strings.Builder
	gauge := func(name, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, help) }
	bit := map[bool]int{true: 1}

	gauge("trustfix_server_ok", "Whether a server verifies for every client that uses it.")
	for _, s := range h.Servers {
		fmt.Fprintf(&b, "trustfix_server_ok{%s} %d\n", labels("url", s.URL, "fault", string(s.Fault), "cause", s.Cause), bit[s.Verdict == "ok"])
	}
	gauge("trustfix_server_not_after_seconds", "Unix time at which the first certificate of a server's chain ends.")
	for _, s := range h.Servers {
		if s.First != nil {
			fmt.Fprintf(&b, "trustfix_server_not_after_seconds{%s} %d\n", labels("url", s.URL), s.First.NotAfter.Unix())
		}
	}
	gauge("trustfix_pin_ok", "Whether a pin holds and fits what its hosts serve.")
	for _, p := range h.Pins {
		fmt.Fprintf(&b, "trustfix_pin_ok{%s} %d\n", labels("path", p.Path, "client", p.Client), bit[len(p.Findings) == 0])
	}
	gauge("trustfix_pin_not_after_seconds", "Unix time at which the first pinned certificate ends.")
	for _, p := range h.Pins {
		if p.First != nil {
			fmt.Fprintf(&b, "trustfix_pin_not_after_seconds{%s} %d\n", labels("path", p.Path, "client", p.Client), p.First.NotAfter.Unix())
		}
	}
	gauge("trustfix_findings", "What a diagnosis finds, by severity.")
	count := map[detect.Severity]int{}
	for _, f := range r.Findings {
		count[f.Severity]++
	}
	for _, sev := range []detect.Severity{detect.Error, detect.Warning, detect.Info} {
		fmt.Fprintf(&b, "trustfix_findings{%s} %d\n", labels("severity", string(sev)), count[sev])
	}
	if r.Clock.Offset != nil {
		gauge("trustfix_clock_offset_seconds", "True time minus system time.")
		fmt.Fprintf(&b, "trustfix_clock_offset_seconds %g\n", *r.Clock.Offset)
	}
	gauge("trustfix_last_run_timestamp_seconds", "Unix time of this look, by the system clock.")
	fmt.Fprintf(&b, "trustfix_last_run_timestamp_seconds %d\n", r.Clock.System.Unix())
	return []byte(b.String())
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// labels are name, value pairs as the text format writes them.
func labels(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+`="`+labelEscapes.Replace(text.Redact(pairs[i+1]))+`"`)
	}
	return strings.Join(out, ",")
}
