package fix

import (
	"encoding/json"

	"trustfix/internal/text"
)

type jsonAction struct {
	Kind   ActionKind `json:"kind"`
	Target string     `json:"target"`
	Diff   string     `json:"diff"`
	Argv   []string   `json:"argv"`
}

type jsonManual struct {
	Why text.Msg `json:"why"`
	Do  text.Msg `json:"do"`
}

// MarshalJSON is the contract of PRODUCT.md §4. An action of several programs
// becomes one entry for each of them.
func (s *Step) MarshalJSON() ([]byte, error) {
	actions := []jsonAction{}
	for _, a := range s.Actions {
		j := jsonAction{Kind: a.Kind, Target: text.Redact(a.Target), Diff: a.Diff(), Argv: []string{}}
		if len(a.Do) == 0 {
			actions = append(actions, j)
		}
		for _, c := range a.Do {
			j.Argv = redacted(c.Argv)
			actions = append(actions, j)
		}
	}
	var manual *jsonManual
	if s.Manual != nil {
		manual = &jsonManual{s.Manual.Why, s.Manual.Do}
	}
	return json.Marshal(struct {
		Fix        string       `json:"fix"`
		Findings   []int        `json:"findings"`
		Summary    text.Msg     `json:"summary"`
		Elevated   bool         `json:"elevated"`
		Reversible bool         `json:"reversible"`
		Actions    []jsonAction `json:"actions"`
		Manual     *jsonManual  `json:"manual,omitempty"`
	}{s.Fix.ID, s.Findings, s.Summary, s.Elevated, s.Reversible, actions, manual})
}

// MarshalJSON is the list of steps.
func (p *Plan) MarshalJSON() ([]byte, error) {
	if p == nil || p.Steps == nil {
		return []byte("[]"), nil
	}
	return json.Marshal(p.Steps)
}
