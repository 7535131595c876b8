package fix

import (
	"context"
	"slices"

	"trustfix/detect"
)

// RenewPlan plans `trustfix pin --renew`: every pin is written anew for those
// of its hosts that verify today, with the public roots its client has today.
// Hosts that do not verify keep what they have.
func RenewPlan() func(context.Context, *Input) (*Plan, error) {
	return func(ctx context.Context, in *Input) (*Plan, error) {
		var hosts []string
		for _, p := range detect.Pins(in.View, in.Report.Clients) {
			for _, h := range p.Hosts {
				if !slices.Contains(hosts, h) && slices.ContainsFunc(in.Report.Endpoints, func(e *detect.Endpoint) bool { return named(h, e) && verified(in, e) }) {
					hosts = append(hosts, h)
				}
			}
		}
		return PinPlan(hosts)(ctx, in)
	}
}

// verified reports whether an endpoint's chain, served or completed, ends at a
// reference root or at a CA that the user named or the system store trusts.
func verified(in *Input, e *detect.Endpoint) bool {
	return e.Reference.OK || detect.Completes(e.Reference) || e.CA != nil && (e.CAInStore || consentedTo(in, e.CA))
}
