package cli

import (
	"encoding/json"
	"slices"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/fix"
)

// document is the one JSON document of PRODUCT.md §4.
type document struct {
	Schema int      `json:"schema"`
	Tool   toolInfo `json:"tool"`
	*detect.Report
	Plan      []*fix.Step      `json:"plan"`
	Run       *fix.Run         `json:"run"`
	Remaining []detect.Finding `json:"remaining,omitempty"` // after an apply
	// Disagreements are where a client says otherwise than trustfix.
	Disagreements []detect.Probe `json:"disagreements,omitempty"`
}

type toolInfo struct {
	Version        string   `json:"version"`
	ReferenceRoots rootInfo `json:"referenceRoots"`
}

type rootInfo struct {
	Count int    `json:"count"`
	Date  string `json:"date"`
}

func (s *session) tool(refs *bundles.Roots) toolInfo {
	t := toolInfo{Version: s.proc.Build.Version, ReferenceRoots: rootInfo{Count: refs.Len()}}
	if !refs.Date.IsZero() {
		t.ReferenceRoots.Date = refs.Date.Format(time.DateOnly)
	}
	return t
}

// newDocument fills in empty lists, so that a reader finds [] and never null. A
// finding whose step only a person can take is manual, whatever its check hoped for.
func newDocument(s *session, report *detect.Report, plan *fix.Plan, run *fix.Run) *document {
	r := new(*report)
	r.Findings = slices.Clone(report.Findings)
	for _, step := range plan.Steps {
		for _, i := range step.Findings {
			if step.Manual != nil {
				r.Findings[i].Action = detect.Manual
			}
		}
	}
	if r.Stores == nil {
		r.Stores = []*detect.Store{}
	}
	if r.Clients == nil {
		r.Clients = []*client.Client{}
	}
	if r.Endpoints == nil {
		r.Endpoints = []*detect.Endpoint{}
	}
	if r.Findings == nil {
		r.Findings = []detect.Finding{}
	}
	steps := plan.Steps
	if steps == nil {
		steps = []*fix.Step{}
	}
	return &document{Schema: 1, Tool: s.tool(r.Options.Refs), Report: r, Plan: steps, Run: run, Disagreements: detect.Disagreements(r.Probes)}
}

// printJSON prints one document and ends with a code.
func (s *session) printJSON(doc any, code int) error {
	s.printed = true
	enc := json.NewEncoder(s.out.w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return err
	}
	return exit(code)
}
