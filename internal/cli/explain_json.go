package cli

import (
	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/fix"
	"trustfix/internal/text"
)

// explanation is what explain prints with --json.
type explanation struct {
	Schema  int              `json:"schema"`
	ID      string           `json:"id,omitempty"`
	Kind    string           `json:"kind"` // finding, fix, client, text, list or unknown
	Summary string           `json:"summary,omitempty"`
	Fixes   []string         `json:"fixes,omitempty"`   // of a finding
	For     []string         `json:"for,omitempty"`     // findings that a fix removes
	IDs     []string         `json:"ids,omitempty"`     // everything that can be explained
	Clients []*client.Client `json:"clients,omitempty"` // instances on this machine
	Matches []textMatch      `json:"matches,omitempty"` // of an error text
}

type textMatch struct {
	Tool   string   `json:"tool"`
	Code   string   `json:"code"`
	Causes []string `json:"causes"`
	Host   string   `json:"host,omitempty"`
	Tell   []string `json:"tell"`
	Next   string   `json:"next,omitempty"`
}

// explainJSON is explain for a program; inv are the clients, when what names one.
func (s *session) explainJSON(what string, inv *client.Inventory) error {
	e := explanation{Schema: 1, ID: what}
	switch {
	case what == "":
		e.Kind, e.IDs = "list", detect.IDs()
		for _, f := range fix.All {
			e.IDs = append(e.IDs, f.ID)
		}
	case inv != nil:
		e.Kind = "client"
		for _, c := range inv.Clients {
			if c.Name == what {
				e.Clients = append(e.Clients, c)
			}
		}
	case detect.CheckFor(what) != nil:
		e.Kind, e.Summary = "finding", detect.DocFor(what).String()
		for _, f := range fix.All {
			for _, id := range f.For {
				if id == what {
					e.Fixes = append(e.Fixes, f.ID)
				}
			}
		}
	case fix.ByID(what) != nil:
		f := fix.ByID(what)
		e.Kind, e.Summary, e.For = "fix", f.Doc.String(), f.For
	default:
		e.ID, e.Kind = "", "unknown"
		for _, d := range chain.Classify(what) {
			e.Kind = "text"
			m := textMatch{Tool: d.Tool, Code: d.Code, Causes: d.Causes, Host: d.Host, Tell: []string{}, Next: text.Redact(d.Next)}
			for _, t := range d.Tell {
				m.Tell = append(m.Tell, text.Redact(t.String()))
			}
			e.Matches = append(e.Matches, m)
		}
		if e.Kind == "unknown" {
			return s.printJSON(e, exitFindings)
		}
	}
	return s.printJSON(e, exitOK)
}
