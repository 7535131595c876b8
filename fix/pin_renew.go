package fix

import (
	"context"
	"slices"

	"trustfix/detect"
)

// RenewPlan plans `trustfix pin --renew`: every pin is written anew for those
// of its hosts that verify today, with the public roots its client has today.
// The others keep what they have, and so do those that show another CA than
// was pinned: a person has to look at that first.
func RenewPlan() func(context.Context, *Input) (*Plan, error) {
	return func(ctx context.Context, in *Input) (*Plan, error) {
		var hosts []string
		for _, p := range detect.Pins(in.View, in.Report.Clients) {
			for _, h := range p.Hosts {
				if !slices.Contains(hosts, h) && renewable(in, h) {
					hosts = append(hosts, h)
				}
			}
		}
		return PinPlan(hosts)(ctx, in)
	}
}

func renewable(in *Input, host string) bool {
	changed := func(f detect.Finding) bool { return f.ID == "pin-mismatch" && f.Subject == host }
	return !slices.ContainsFunc(in.Report.Findings, changed) && slices.ContainsFunc(in.Report.Endpoints, func(e *detect.Endpoint) bool {
		_, ok := verified(in, e)
		return ok && named(host, e)
	})
}
