package cli

import (
	"strings"

	"charm.land/lipgloss/v2"

	"trustfix/detect"
	"trustfix/fix"
	"trustfix/internal/text"
)

// printPlan prints every change as a unified diff or an exact command.
func (s *session) printPlan(plan *fix.Plan) {
	p := s.out
	for i, step := range plan.Steps {
		if step.Manual != nil {
			continue
		}
		p.printf("\n")
		p.wrap("", 0, p.bold(p.show(text.M("cli.step", "n", i+1, "fix", step.Fix.ID, "summary", step.Summary))))
		if step.Elevated {
			p.line("  ", text.M("cli.needs-root"))
		}
		if !step.Reversible {
			p.line("  ", text.M("cli.not-reversible"))
		}
		for _, a := range step.Actions {
			s.printAction(a)
		}
	}
}

// bundleLines is how much of a new bundle is shown: its head says what it is for.
const bundleLines = 12

func (s *session) printAction(a fix.Action) {
	p := s.out
	if diff := a.Diff(); diff != "" {
		lines := strings.Split(strings.TrimRight(diff, "\n"), "\n")
		for i, l := range lines {
			// A bundle would bury everything else; -v shows it.
			if n := strings.Count(diff, "\n+-----BEGIN CERTIFICATE"); i == bundleLines && n > 3 && !s.flags.verbose {
				p.line("  ", text.M("cli.bundle", "lines", len(lines)-i, "n", n))
				break
			}
			p.printf("  %s\n", s.diffLine(l))
		}
		return
	}
	if !a.Summary.IsZero() {
		p.line("  # ", a.Summary)
	}
	for _, argv := range a.Commands() {
		p.printf("  %s\n", p.clean(argv))
	}
}

func (s *session) diffLine(l string) string {
	p := s.out
	l = p.clean(l)
	switch {
	case strings.HasPrefix(l, "+"):
		return p.paint(l, lipgloss.NewStyle().Foreground(lipgloss.Green))
	case strings.HasPrefix(l, "-"):
		return p.paint(l, lipgloss.NewStyle().Foreground(lipgloss.Red))
	case strings.HasPrefix(l, "@@"):
		return p.paint(l, lipgloss.NewStyle().Foreground(lipgloss.Cyan))
	}
	return l
}

// stepProgress prints each step as it ends, with the clients that proved it;
// nothing while it runs, so that a pipe and a terminal show the same.
func (s *session) stepProgress(proofs map[*fix.Step][]detect.Probe) func(fix.StepEvent) {
	if s.flags.json {
		return nil
	}
	return func(e fix.StepEvent) {
		p := s.out
		switch e.Status {
		case fix.Started:
			p.printf("\n%s\n", p.show(text.M("cli.run", "run", e.Run)))
		case fix.Done:
			p.wrap("  "+p.sign(signDone), 4, p.show(text.M("cli.step-done", "summary", e.Step.Summary)))
			for _, m := range e.Step.Rest() {
				p.wrap("", 4, p.show(m))
			}
			s.printProofs(proofs[e.Step])
		case fix.Undone:
			p.wrap("  "+p.sign(signUndone), 4, p.show(text.M("cli.step-undone", "summary", e.Step.Summary, "error", e.Error)))
		case fix.Failed:
			p.wrap("  "+p.sign(signError), 4, p.show(text.M("cli.step-failed", "summary", e.Step.Summary, "error", e.Error)))
		case fix.Skipped:
			p.wrap("  "+p.sign(signInfo), 4, p.show(text.M("cli.step-skipped", "summary", e.Step.Summary, "error", e.Error)))
		}
	}
}

// printOutcome says what came of a run and how to go back.
func (s *session) printOutcome(run *fix.Run, plan *fix.Plan) {
	p := s.out
	p.printf("\n")
	if run == nil {
		p.line("", text.M("cli.nothing-changed"))
	} else {
		if n := run.Count(fix.Done); n > 0 {
			p.line("", text.M("cli.repaired", "n", n))
			if plan.NeedsNewShell() {
				p.line("", text.M("cli.new-shell"))
			}
			p.line("", text.M("cli.go-back"))
			for _, n := range run.Notes {
				p.line("  ", n)
			}
		}
	}
	if sudo := plan.SudoLine(s.passOn()...); sudo != "" {
		p.line("", text.M("cli.sudo"))
		p.printf("  %s\n", p.clean(sudo))
	}
}

// printRemaining lists what an apply left.
func (s *session) printRemaining(after *detect.Report) {
	p, first := s.out, true
	for _, f := range after.Findings {
		if f.Severity == detect.Info {
			continue
		}
		if first {
			p.line("\n", text.M("cli.remaining"))
			first = false
		}
		p.right("  "+p.sign(severitySign(f.Severity))+" "+p.show(f.Summary), f.ID)
	}
}
