package cli

import (
	"context"
	"strings"

	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/fix"
	"trustfix/internal/text"
)

// planner makes a plan from a diagnosis.
type planner func(context.Context, *fix.Input) (*fix.Plan, error)

// pin writes a verified bundle for the clients that use the hosts.
func pin(ctx context.Context, s *session, hosts []string) error {
	switch {
	case len(hosts) == 0 && !s.flags.renew:
		return usage(text.M("cli.pin-what"))
	case len(hosts) > 0 && s.flags.renew:
		return usage(text.M("cli.renew-and-hosts"))
	}
	if s.flags.offline {
		return usage(text.M("cli.pin-offline"))
	}
	for _, h := range hosts {
		if _, err := detect.ParseTarget(h); err != nil {
			return usage(text.M("cli.bad-target", "error", err.Error()))
		}
	}
	if s.flags.renew {
		return s.change(ctx, fix.RenewPlan())
	}
	clients := strings.FieldsFunc(s.flags.client, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range clients {
		if client.ByName(name) == nil {
			return usage(text.M("cli.pin-client", "name", name))
		}
	}
	if len(clients) > 0 { // they count as users of the hosts
		s.flags.targets, s.flags.usedBy = append(s.flags.targets, hosts...), clients
	}
	return s.change(ctx, fix.PinPlan(hosts, clients...))
}

// unpin takes the hosts out of the pins, all of them when none is named. It
// needs no network.
func unpin(ctx context.Context, s *session, hosts []string) error {
	s.flags.offline = true
	return s.change(ctx, fix.UnpinPlan(hosts))
}

// change carries out one plan that the user asked for by name. It is done when
// its own step is: what else is wrong on the machine is not its business.
func (s *session) change(ctx context.Context, plans planner) error {
	h, err := s.open()
	if err != nil {
		return err
	}
	if err := s.recover(ctx, h); err != nil {
		return err
	}
	o, report, plan, err := s.examine(ctx, h, plans)
	if err != nil {
		return err
	}
	run, probes, err := s.carryOut(ctx, h, o, report, plan)
	if err != nil {
		return err
	}
	code := exitOK
	switch {
	case run != nil && run.Undone():
		code = exitUndone
	case plan.Possible() < len(plan.Steps):
		code = exitFindings
	}
	if s.flags.json {
		report.Probes = append(report.Probes, probes...)
		return s.printJSON(newDocument(s, report, plan, run), code)
	}
	for _, step := range plan.Steps {
		if step.Manual != nil {
			s.out.wrap(s.out.sign(signError), 2, s.out.show(step.Manual.Why))
			s.out.wrap("", 2, s.out.show(step.Manual.Do))
		}
	}
	s.printDisagreements(probes)
	s.printOutcome(run, plan)
	return exit(code)
}
