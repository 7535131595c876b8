package detect

import (
	"context"

	"trustfix/internal/text"
	"trustfix/platform"
)

// selfChecks are about trustfix's own state.
var selfChecks = []*Check{{
	// Releases are internal/release's to judge, so the caller asks, and only
	// where the policy file wants it: see Options.
	ID: "update-available", Area: "self",
	Doc: text.M("update-available.doc"),
	Run: func(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
		if r.Options.Newest == nil {
			return nil, nil
		}
		version, revoked := r.Options.Newest()
		if version == "" {
			return nil, nil
		}
		f := Finding{
			ID: "update-available", Severity: Info, Subject: "trustfix " + version, Where: version,
			Summary: text.M("update-available", "version", version),
			Action:  Manual,
			Advice:  []text.Msg{text.M("update-available.advice")},
		}
		if revoked {
			f.Summary = text.M("update-available.revoked", "version", version)
		}
		return []Finding{f}, nil
	},
}, {
	ID: "run-interrupted", Area: "self",
	Doc: text.M("run-interrupted.doc"),
	// The journal is fix's to read, so the caller looks and says so in Options.
	Run: func(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
		id := r.Options.Interrupted
		if id == "" {
			return nil, nil
		}
		return []Finding{{
			ID: "run-interrupted", Severity: Error, Subject: id, Where: id,
			Summary:  text.M("run-interrupted", "run", id),
			Evidence: []text.Msg{text.M("run-interrupted.evidence")},
			Action:   Manual,
			Advice:   []text.Msg{text.M("run-interrupted.advice")},
		}}, nil
	},
}}
