//go:build linux

package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Report is what the tests read of trustfix's JSON document. It is written
// down here again on purpose: the document is a contract, not a Go type.
type Report struct {
	Schema int
	Clock  struct {
		OffsetSeconds *float64
		Source        string
	}
	Stores  []struct{ Name, Path, Status string }
	Clients []struct {
		Name, Path, Verify string
		Trust              struct{ Kind, Path, SetBy string }
	}
	Endpoints []struct {
		URL, Verdict, Fault, Cause string
		UsedBy                     []string
	}
	Findings []Finding
	Plan     []struct {
		Fix, Summary string
		Elevated     bool
		Actions      []struct {
			Kind, Target, Diff string
			Argv               []string
		}
	}
	Run *struct {
		ID, State string
		Steps     []struct{ Fix, Status, Error string }
	}
}

// Finding is one of a report's findings.
type Finding struct {
	ID, Severity, Client, Subject, Where, Summary, CausedBy, Action, Fix string
	Evidence                                                             []string
}

func (f Finding) String() string {
	return fmt.Sprintf("%s %s %s %s (by %q, %s %s): %s %q", f.Severity, f.ID, f.Where, f.Subject, f.CausedBy, f.Action, f.Fix, f.Summary, f.Evidence)
}

// TrustfixCmd is trustfix with the lab's public roots among the reference roots.
func TrustfixCmd(args ...string) Cmd {
	return Cmd{Argv: append([]string{Program, "--reference-roots", "+" + ReferenceRoots}, args...)}
}

// Trustfix runs it as root.
func (s *Sandbox) Trustfix(args ...string) Result {
	s.t.Helper()
	return s.Exec(TrustfixCmd(args...))
}

// Diagnose runs trustfix --json and reads the document; want is the exit code.
func (s *Sandbox) Diagnose(want int, args ...string) Report {
	s.t.Helper()
	return s.DiagnoseAs(TrustfixCmd(args...), want)
}

// DiagnoseAs is Diagnose for a command of one's own.
func (s *Sandbox) DiagnoseAs(c Cmd, want int) Report {
	s.t.Helper()
	c.Argv = append(slices.Clip(c.Argv), "--json")
	r := s.Exec(c)
	var doc Report
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil {
		s.t.Fatalf("not a JSON document: %v\n%s", err, r)
	}
	if doc.Schema != 1 {
		s.t.Errorf("schema %d", doc.Schema)
	}
	if r.Code != want {
		s.t.Errorf("%v: exit %d, not %d\n%s\n%s", c.Argv, r.Code, want, r.Stderr, doc)
	}
	return doc
}

// Find returns the findings with that id.
func (r Report) Find(id string) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.ID == id {
			out = append(out, f)
		}
	}
	return out
}

// Errors are the findings that are not just information.
func (r Report) Errors() []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Severity == "info" })
}

func (r Report) String() string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	for _, p := range r.Plan {
		fmt.Fprintf(&b, "plan: %s: %s\n", p.Fix, p.Summary)
	}
	if r.Run != nil {
		fmt.Fprintf(&b, "run %s: %s %v\n", r.Run.ID, r.Run.State, r.Run.Steps)
	}
	return b.String()
}
