package cli

import (
	"context"
	"errors"
	"maps"

	"trustfix/detect"
	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// diagnose is the main job: look, say what is wrong and what would be done;
// with --apply, do it.
func diagnose(ctx context.Context, s *session, _ []string) error {
	if s.flags.version {
		return version(ctx, s, nil)
	}
	h, err := s.open()
	if err != nil {
		return err
	}
	if s.flags.apply {
		return s.apply(ctx, h)
	}
	_, report, plan, err := s.examine(ctx, h, fix.Make)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.printJSON(newDocument(s, report, plan, nil), code(report))
	}
	s.printReport(h.View, report, plan)
	s.printDisagreements(report.Probes)
	if s.flags.dryRun {
		s.printPlan(plan)
	}
	s.printFooter(report, plan)
	return exit(code(report))
}

// examine diagnoses and plans.
func (s *session) examine(ctx context.Context, h *platform.Host, plans planner) (o detect.Options, report *detect.Report, plan *fix.Plan, err error) {
	if o, err = s.options(h); err != nil {
		return o, nil, nil, err
	}
	if s.flags.updateCheck && !s.flags.offline && s.flags.root == "" {
		var stop func()
		o.Newest, stop = s.newest(ctx, h, o)
		defer stop()
	}
	if report, err = s.detect(ctx, h, o); err != nil {
		return o, nil, nil, err
	}
	plan, err = plans(ctx, &fix.Input{View: h.View, Report: report})
	return o, report, plan, err
}

// code is the exit code of a diagnosis: info alone is healthy.
func code(r *detect.Report) int {
	for _, f := range r.Findings {
		if f.Severity != detect.Info {
			return exitFindings
		}
	}
	return exitOK
}

// apply recovers an interrupted run, diagnoses, carries the plan out and
// diagnoses again.
func (s *session) apply(ctx context.Context, h *platform.Host) error {
	if err := s.recover(ctx, h); err != nil {
		return err
	}
	o, report, plan, err := s.examine(ctx, h, fix.Make)
	if err != nil {
		return err
	}
	if !s.flags.json {
		s.printReport(h.View, report, plan)
		s.printDisagreements(report.Probes)
	}
	run, probes, err := s.carryOut(ctx, h, o, report, plan)
	if err != nil {
		return err
	}
	o.ProbeClients = false // each step had its own
	after := report
	if run != nil {
		if after, err = s.detect(ctx, newShell(h, plan), o); err != nil {
			return err
		}
	}
	code := applied(run, after)
	if s.flags.json {
		report.Probes = append(report.Probes, probes...)
		doc := newDocument(s, report, plan, run)
		doc.Remaining = after.Findings
		return s.printJSON(doc, code)
	}
	s.printDisagreements(probes)
	s.printOutcome(run, plan)
	s.printRemaining(after)
	return exit(code)
}

// newShell is the host as a new shell sees it: a variable that was taken out of
// the file that sets it is still in this process's environment.
func newShell(h *platform.Host, plan *fix.Plan) *platform.Host {
	view := *h.View
	view.Env = maps.Clone(view.Env)
	for _, name := range plan.Variables() {
		delete(view.Env, name)
	}
	fresh := *h
	fresh.View = &view
	return &fresh
}

// carryOut lets the engine do a plan, each step proven by the diagnosis that
// found its cause and, where that is wanted, by the clients it is for. An
// interrupted run has been taken back when it returns.
func (s *session) carryOut(ctx context.Context, h *platform.Host, o detect.Options, report *detect.Report, plan *fix.Plan) (*fix.Run, []detect.Probe, error) {
	prover := detect.NewProver(report)
	proofs := map[*fix.Step][]detect.Probe{}
	run, err := fix.Apply(ctx, h, plan, fix.ApplyOptions{
		Verify: func(ctx context.Context, v *platform.View, step *fix.Step) ([]detect.Finding, error) {
			still, err := detect.Recheck(ctx, v, o, step.Of(report))
			if err == nil && len(still) == 0 && o.ProbeClients && !o.Offline {
				proofs[step] = prover.Prove(ctx, v, step.Proof(report))
			}
			return still, err
		},
		Progress: s.stepProgress(proofs),
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, nil, s.engineError(err)
	}
	if run != nil {
		for i, step := range plan.Steps {
			for _, p := range proofs[step] {
				if p.Answer == detect.Accepts && run.Steps[i].Status == fix.Done {
					run.Steps[i].Verified = append(run.Steps[i].Verified, p.Verified())
				}
			}
		}
	}
	return run, prover.Probes, err
}

// applied is the exit code after an apply: a change that failed or did not
// help weighs more than findings that were never ours to repair.
func applied(run *fix.Run, after *detect.Report) int {
	if run != nil && run.Undone() {
		return exitUndone
	}
	return code(after)
}

// recover finishes or undoes a run that was cut short, and says which.
func (s *session) recover(ctx context.Context, h *platform.Host) error {
	run, err := fix.Recover(ctx, h)
	if err != nil {
		return s.engineError(err)
	}
	if run != nil && !s.flags.json {
		s.out.line(s.out.sign(signUndone)+" ", run.Outcome)
	}
	return nil
}

// engineError turns what the engine refuses into exit codes.
func (s *session) engineError(err error) error {
	var conflict *fix.Conflict
	var incomplete *fix.Incomplete
	var journal *fix.JournalError
	var noRun *fix.NoRun
	switch {
	case errors.Is(err, platform.ErrLocked):
		return &exitError{code: exitLocked, msg: text.M("cli.locked")}
	case errors.As(err, &noRun):
		return usage(text.M("cli.no-such-run", "run", noRun.ID))
	case errors.As(err, &conflict):
		s.printConflict(conflict)
		return &exitError{code: exitConflict, because: conflict}
	case errors.As(err, &incomplete):
		for _, n := range incomplete.Notes {
			s.err.line(s.err.sign(signError)+" ", n)
		}
		return &exitError{code: exitConflict, because: incomplete}
	case errors.As(err, &journal):
		return &exitError{code: exitFailed, msg: journal.Msg()}
	}
	return err
}
