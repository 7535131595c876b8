package fix

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"trustfix/internal/text"
)

// Status is how a step ended.
type Status string

// The ends of a step, and its beginning as an event. Failed: it could not be
// carried out and was taken back. Undone: it did not help, and was taken back.
const (
	Started Status = "started" // of the run; never in a result
	Done    Status = "done"
	Failed  Status = "failed"
	Undone  Status = "undone"
	Skipped Status = "skipped"
)

// The states of a run.
const (
	RunApplied     = "applied"
	RunPartial     = "partial"
	RunUndone      = "undone"
	RunFailed      = "failed"
	RunInterrupted = "interrupted" // in a history only
)

// Run is what came of an apply or a rollback. Its JSON is the contract of PRODUCT.md §4.
type Run struct {
	ID    string       `json:"id"`
	State string       `json:"state"`
	Steps []StepResult `json:"steps"`

	Outcome  text.Msg `json:"-"` // of a recovery: finished, or taken back
	Restored int      `json:"-"` // paths brought back
	// VerifyOff are the files in which a rollback put a switch back that turns
	// verification off, as it stood before the run.
	VerifyOff []string `json:"verifyOff,omitempty"`

	Notes []text.Msg `json:"-"` // what a rollback could not bring back; of an apply: what there is to know about the way back
}

// StepResult is how one step ended.
type StepResult struct {
	Fix     string   `json:"fix"`
	Status  Status   `json:"status"`
	Error   text.Msg `json:"error"`
	Summary text.Msg `json:"summary"`
	// Verified are clients that prove it: "conda /opt/conda reaches https://…".
	Verified []string `json:"verified,omitempty"`
}

// UnmarshalJSON reads the English texts back.
func (r *StepResult) UnmarshalJSON(data []byte) error {
	var v struct {
		Fix            string
		Status         Status
		Error, Summary string
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*r = StepResult{Fix: v.Fix, Status: v.Status, Error: raw(v.Error), Summary: raw(v.Summary)}
	return nil
}

func raw(s string) text.Msg {
	if s == "" {
		return text.Msg{}
	}
	return text.Raw(s)
}

// StepEvent is news of an apply: the run has begun, or a step has ended.
type StepEvent struct {
	Run    string
	Step   *Step
	Status Status
	Error  text.Msg
}

// Count is how many steps ended so.
func (r *Run) Count(s Status) int {
	n := 0
	for _, step := range r.Steps {
		if step.Status == s {
			n++
		}
	}
	return n
}

// Undone says whether a change failed or did not help, and was taken back.
func (r *Run) Undone() bool { return r.Count(Failed)+r.Count(Undone) > 0 }

// settle derives the run's state from its steps.
func (r *Run) settle() {
	switch bad := r.Undone(); {
	case !bad:
		r.State = RunApplied
	case r.Count(Done) > 0:
		r.State = RunPartial
	case r.Count(Failed) == 0:
		r.State = RunUndone
	default:
		r.State = RunFailed
	}
}

// RunInfo is a run as the history shows it.
type RunInfo struct {
	ID    string       `json:"id"`
	Time  time.Time    `json:"time"`
	State string       `json:"state"`
	Steps []StepResult `json:"steps"`
	Paths []string     `json:"paths"` // what it changed
}

// Conflict is a rollback that was refused before it touched anything, since
// somebody changed these paths after the run.
type Conflict struct {
	Run     string
	Paths   []ConflictPath
	Backups string // directory that holds the originals
	Later   string // a later run that changed them; roll that back first
}

// ConflictPath is one path in three versions, each in a few words.
type ConflictPath struct {
	Path                  string `json:"path"`
	Yours, Ours, Original string
}

// String is the path.
func (c ConflictPath) String() string { return c.Path }

func (c *Conflict) Error() string {
	var paths []string
	for _, p := range c.Paths {
		paths = append(paths, p.Path)
	}
	list := strings.Join(paths, ", ")
	if c.Later != "" {
		return fmt.Sprintf("run %s: a later run, %s, changed the same files: %s; nothing was touched", c.Run, c.Later, list)
	}
	return fmt.Sprintf("run %s: changed since: %s; nothing was touched", c.Run, list)
}

// Incomplete is a rollback that brought every file back but could not do the rest.
type Incomplete struct {
	Run   string
	Notes []text.Msg
}

func (e *Incomplete) Error() string {
	s := make([]string, len(e.Notes))
	for i, n := range e.Notes {
		s[i] = n.String()
	}
	return fmt.Sprintf("run %s: files are restored, but: %s", e.Run, strings.Join(s, "; "))
}

// Unwritable is a path that could not be brought back or changed, found out
// before anything was touched.
type Unwritable struct {
	Path string
	Err  error
}

func (e *Unwritable) Error() string { return fmt.Sprintf("cannot change %s: %v", e.Path, e.Err) }
func (e *Unwritable) Unwrap() error { return e.Err }
