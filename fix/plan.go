package fix

import (
	"context"
	"errors"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Plan is what would be done, in order.
type Plan struct {
	Steps  []*Step
	report *detect.Report
	root   string // --root, "" for the running system
	user   string // whose files are meant there
}

// Step is one fix applied to the findings that one change repairs. It is done
// and undone as a whole.
type Step struct {
	Fix        *Fix
	Findings   []int // indices into Report.Findings
	Actions    []Action
	Summary    text.Msg
	Elevated   bool // needs rights that the caller lacks, or that a planner asked for
	Reversible bool
	Manual     *Manual // a person has to do it; there are no actions then

	attempt bool               // the caller has the rights it needs
	asked   []*detect.Endpoint // servers that it was asked for by name
}

func (m *Manual) Error() string { return m.Why.String() }

// Make plans the repair of a report's findings. Later steps are planned
// against what the earlier ones leave behind, so that two fixes of one file
// compose and the diffs show the true sequence. Nothing is changed.
func Make(ctx context.Context, in *Input) (*Plan, error) {
	return makePlan(ctx, in, All)
}

func makePlan(ctx context.Context, in *Input, fixes []*Fix) (*Plan, error) {
	p := &Plan{report: in.Report}
	if in.Rooted {
		p.root, p.user = in.Root, in.User.Name
	}
	over := &overlay{Files: in.Files, images: map[string]platform.Image{}}
	view := *in.View
	view.Files = over
	for _, f := range fixes {
		for _, group := range groups(f, in.Report) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			step, err := planStep(ctx, f, group, &Input{View: &view, Report: in.Report})
			if err != nil {
				return nil, err
			}
			if step == nil {
				continue
			}
			step.attempt = step.Manual == nil && (in.Elevated || !step.Elevated)
			p.Steps = append(p.Steps, step)
			if step.attempt {
				over.add(step.Actions)
			}
		}
	}
	return p, nil
}

// groups are the findings that f repairs, as indices, one list for each step.
func groups(f *Fix, r *detect.Report) [][]int {
	var out [][]int
	at := map[string]int{}
	for i, finding := range r.Findings {
		if !wanted(f, finding, r.Options) {
			continue
		}
		if f.Group == nil {
			out = append(out, []int{i})
			continue
		}
		key := f.Group(finding)
		if n, ok := at[key]; ok {
			out[n] = append(out[n], i)
			continue
		}
		at[key] = len(out)
		out = append(out, []int{i})
	}
	return out
}

// wanted says whether a plan may repair a finding by f.
func wanted(f *Fix, finding detect.Finding, o detect.Options) bool {
	if finding.Fix != f.ID || finding.Severity == detect.Info {
		return false
	}
	named := func(ids []string) bool { return slices.Contains(ids, f.ID) || slices.Contains(ids, finding.ID) }
	if len(o.Only) > 0 && !named(o.Only) || named(o.Skip) {
		return false
	}
	return finding.Action == detect.Auto || finding.Action == detect.Consent && consented(finding, o)
}

// consented says whether the user named the finding's CA by its SHA-256.
func consented(f detect.Finding, o detect.Options) bool {
	return f.Endpoint != nil && f.Endpoint.CA != nil &&
		slices.Contains(o.Consented, bundles.Fingerprint(f.Endpoint.CA.Raw))
}

// planStep asks a fix for its actions; nil when there is nothing left to do.
func planStep(ctx context.Context, f *Fix, group []int, in *Input) (*Step, error) {
	step := &Step{Fix: f, Findings: group, Reversible: f.Reversible}
	actions, err := f.Plan(ctx, in, step.Of(in.Report))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil {
		err = step.take(in.View, actions)
	}
	if err != nil {
		if !errors.As(err, &step.Manual) {
			step.Manual = &Manual{Why: text.M("engine.cannot-plan", "error", text.Redact(err.Error()))}
		}
		step.Actions, step.Summary = nil, step.Manual.Why
		return step, nil
	}
	if len(step.Actions) == 0 {
		return nil, nil
	}
	step.Summary = step.Actions[0].Summary
	return step, nil
}

// Of are the findings that the step repairs.
func (s *Step) Of(r *detect.Report) []detect.Finding {
	out := make([]detect.Finding, len(s.Findings))
	for i, n := range s.Findings {
		out[i] = r.Findings[n]
	}
	return out
}

// Proof are the findings whose clients can prove the step: its own, and of the
// servers that it was asked for by name, whatever was wrong with them.
func (s *Step) Proof(r *detect.Report) []detect.Finding {
	out := s.Of(r)
	for _, e := range s.asked {
		out = append(out, detect.Finding{Endpoint: e})
	}
	return out
}

// Rest are the summaries of what the step does besides the first action.
func (s *Step) Rest() []text.Msg {
	var out []text.Msg
	seen := map[string]bool{s.Summary.String(): true}
	for _, a := range s.Actions {
		if m := a.Summary; !m.IsZero() && !seen[m.String()] {
			seen[m.String()] = true
			out = append(out, m)
		}
	}
	return out
}

// StepFor is the step that repairs the finding of that index, or nil.
func (p *Plan) StepFor(finding int) *Step {
	for _, s := range p.Steps {
		if slices.Contains(s.Findings, finding) {
			return s
		}
	}
	return nil
}

// Possible is how many steps an apply by this caller would try.
func (p *Plan) Possible() int {
	n := 0
	for _, s := range p.Steps {
		if s.attempt {
			n++
		}
	}
	return n
}

// Variables are the environment variables that an apply by this caller takes
// out of files: a process that is running keeps them.
func (p *Plan) Variables() []string {
	var names []string
	for _, s := range p.Steps {
		for _, f := range s.Of(p.report) {
			if s.attempt && f.Setting != nil && f.Setting.Env && f.Setting.Placed() {
				names = append(names, f.Setting.Name)
			}
		}
	}
	return names
}

// NeedsNewShell says whether a step changes what only a new shell reads.
func (p *Plan) NeedsNewShell() bool { return len(p.Variables()) > 0 }

// SudoLine is the command that does what this caller has no right to do, ""
// when there is nothing of that kind. Other flags of the call are passed as more.
func (p *Plan) SudoLine(more ...string) string {
	var only []string
	for _, s := range p.Steps {
		if s.Manual == nil && !s.attempt {
			only = append(only, s.Fix.ID)
		}
	}
	if len(only) == 0 {
		return ""
	}
	slices.Sort(only)
	argv := []string{"sudo", "trustfix", "--apply", "--only", strings.Join(slices.Compact(only), ",")}
	if p.root != "" {
		argv = append(argv, "--root", p.root)
		if p.user != "" && p.user != "root" {
			argv = append(argv, "--user", p.user)
		}
	}
	for _, t := range p.report.Options.Targets {
		argv = append(argv, "--target", t)
	}
	for _, server := range p.report.Options.NTP {
		argv = append(argv, "--ntp", server)
	}
	for _, ca := range p.report.Options.Consented {
		argv = append(argv, "--trust-ca", ca)
	}
	return quote(append(argv, more...))
}
