package cli

import (
	"fmt"
	"slices"
	"strings"

	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// maxLines is how much one finding may say without -v.
const maxLines = 9

// printReport prints the verdict first, then every finding, most fundamental
// cause first, its symptoms folded under it.
func (s *session) printReport(v *platform.View, r *detect.Report, plan *fix.Plan) {
	p := s.out
	folded := foldSymptoms(r.Findings)
	p.wrap("", 0, p.bold("trustfix "+s.proc.Build.Version)+p.dot()+s.headline(v, r, plan))
	shown := map[int]bool{}
	for i, f := range r.Findings {
		if f.Severity == detect.Info || folded.child[i] || shown[i] {
			continue
		}
		same := alike(r.Findings, i, folded)
		for _, j := range same {
			shown[j] = true
		}
		s.printFinding(plan, r.Findings, same, folded.of[i])
	}
	if !s.flags.apply || s.flags.verbose { // who applies has read them
		s.printInfos(r)
	}
	for _, f := range r.Failed {
		p.line("\n"+p.sign(signWarning)+" ", text.M("cli.check-failed", "check", f.Check, "error", f.Error))
	}
	if s.flags.verbose {
		s.printChecked(r)
	}
}

// dot is the separator of the headline.
func (p *printer) dot() string {
	if p.utf8 {
		return " · "
	}
	return " - "
}

// headline says what was looked at and how it stands.
func (s *session) headline(v *platform.View, r *detect.Report, plan *fix.Plan) string {
	p := s.out
	system := v.Distro.Pretty
	if system == "" {
		system = strings.TrimSpace(v.OS + " " + v.Distro.Version)
	}
	parts := []string{system}
	if v.Rooted {
		parts = append(parts, v.Root)
	}
	if v.User.Name != "" {
		parts = append(parts, p.show(text.M("cli.user", "user", v.User.Name)))
	}
	problems, fixable := 0, 0
	for i, f := range r.Findings {
		if f.Severity == detect.Info {
			continue
		}
		problems++
		if step := plan.StepFor(i); step != nil && step.Manual == nil || f.CausedBy != "" {
			fixable++
		}
	}
	var state text.Msg
	switch {
	case problems == 0:
		state = text.M("cli.no-problems")
	case fixable == problems && problems == 1:
		state = text.M("cli.one-problem-fixable")
	case fixable == problems:
		state = text.M("cli.problems-all-fixable", "n", problems)
	case problems == 1:
		state = text.M("cli.one-problem")
	case fixable == 0:
		state = text.M("cli.problems-none", "n", problems)
	default:
		state = text.M("cli.problems", "n", problems, "fixable", fixable)
	}
	return strings.Join(append(parts, p.show(state)), p.dot())
}

// printInfos lists what is worth knowing and needs nothing done, a line each;
// of many alike the first and their number.
func (s *session) printInfos(r *detect.Report) {
	p := s.out
	kinds := map[string]int{}
	for _, f := range r.Findings {
		if f.Severity == detect.Info {
			kinds[f.ID]++
		}
	}
	if len(kinds) > 0 {
		p.printf("\n")
	}
	shown := map[string]bool{}
	for _, f := range r.Findings {
		if f.Severity != detect.Info || shown[f.ID] && kinds[f.ID] > 2 && !s.flags.verbose {
			continue
		}
		p.right(p.sign(signInfo)+" "+p.show(f.Summary), f.ID)
		if n := kinds[f.ID]; n > 2 && !s.flags.verbose {
			p.line("  ", text.M("cli.more-alike", "n", n-1))
		}
		shown[f.ID] = true
		if s.flags.verbose {
			for _, e := range f.Evidence {
				p.wrap("", 2, p.show(e))
			}
		}
	}
}

// printChecked is what -v adds: everything that was looked at.
func (s *session) printChecked(r *detect.Report) {
	p := s.out
	p.line("\n", text.M("cli.checked"))
	if r.Clock.Source != "" {
		p.printf("  clock  %s", r.Clock.Source)
		if r.Clock.Offset != nil {
			p.printf("  %+.2f s", *r.Clock.Offset)
		}
		p.printf("  %s\n", r.Clock.Service.Name)
		for _, t := range r.Clock.Samples {
			p.printf("    %s (%s) %+.3f s %s\n", t.Server, t.Operator, t.Offset, t.Error)
		}
	}
	for _, st := range r.Stores {
		p.printf("  store  %s  %s  %d\n", st.Path, st.Status, st.Roots)
	}
	for _, c := range r.Clients {
		p.printf("  client %s %s  %s  verify %s, %s %s %s\n", c.Name, c.Version, p.clean(c.Path), c.Verify, c.Trust.Kind, p.clean(c.Trust.Path), p.clean(c.Trust.SetBy))
	}
	for _, e := range r.Endpoints {
		p.printf("  server %s  %s %s %s\n", p.clean(e.URL), e.Verdict, fault(e.Fault), e.Cause)
	}
	for _, c := range detect.All {
		ids := c.IDs
		if !slices.Contains(ids, c.ID) {
			ids = append([]string{c.ID}, ids...)
		}
		p.printf("  check  %s\n", strings.Join(ids, " "))
	}
}

func fault(f chain.Fault) string {
	if f == chain.FaultNone {
		return ""
	}
	return fmt.Sprintf("(%s)", f)
}

// printFooter says what to type next.
func (s *session) printFooter(r *detect.Report, plan *fix.Plan) {
	p := s.out
	p.printf("\n")
	if code(r) == exitOK {
		n := 0
		for _, e := range r.Endpoints {
			if e.Verdict == "ok" {
				n++
			}
		}
		if len(r.Clients) == 0 && len(r.Endpoints) == 0 {
			p.line(p.sign(signInfo)+" ", text.M("cli.nothing-here"))
			return
		}
		p.line(p.sign(signDone)+" ", text.M("cli.healthy", "endpoints", n, "clients", len(r.Clients)))
		return
	}
	mine, sudo := plan.Possible(), plan.SudoLine(s.passOn()...)
	switch {
	case mine > 0 && !s.flags.dryRun:
		p.line("", text.M("cli.next"))
	case mine > 0:
		p.line("", text.M("cli.next-apply"))
	case r.Options.Interrupted != "":
		p.line("", text.M("cli.next-recover"))
	case sudo == "":
		p.line("", text.M("cli.nothing-to-apply"))
	}
	if sudo != "" {
		p.line("", text.M("cli.sudo"))
		p.printf("  %s\n", p.clean(sudo))
	}
}
