package detect

import (
	"context"

	"trustfix/internal/text"
	"trustfix/platform"
)

// selfChecks are about trustfix's own state.
var selfChecks = []*Check{{
	// A diagnosis contacts no release source; trustfix update --check does.
	ID: "update-available", Area: "self",
	Doc: text.M("update-available.doc"),
	Run: func(context.Context, *platform.View, *Report) ([]Finding, error) { return nil, nil },
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
