// Package fix turns findings into plans, carries plans out, and takes them
// back exactly.
//
// A [Fix] is a literal with one pure function from a finding to actions. An
// [Action] is inert data of one of a few kinds; doing, undoing, backing up,
// verifying and journalling are written once per kind in the engine (apply.go,
// undo.go, journal.go). Only this package holds a platform.Host. A dry run is
// not a mode: it is stopping after [Make].
package fix

import (
	"context"
	"time"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Fix is one kind of repair.
type Fix struct {
	ID         string
	Doc        text.Msg // what it does, what it changes, how to undo it by hand
	For        []string // finding ids
	Reversible bool
	// Plan makes the actions that remove the findings, which all have the same
	// group (see Group). It looks and computes, and changes nothing. No actions
	// and an error of type *Manual mean that a person has to do it.
	Plan func(ctx context.Context, in *Input, findings []detect.Finding) ([]Action, error)
	// Group puts findings that one step repairs together; nil: a step per finding.
	Group func(f detect.Finding) string
}

// Input is what a planner may look at.
type Input struct {
	*platform.View
	Report *detect.Report
}

// Manual is a change that trustfix will not make itself, with what to do instead.
type Manual struct{ Why, Do text.Msg }

// ActionKind is a way of changing the machine.
type ActionKind string

// The kinds of action.
const (
	FileAction    ActionKind = "file"
	LinkAction    ActionKind = "link"
	CertAction    ActionKind = "cert"
	EnvAction     ActionKind = "env"
	CommandAction ActionKind = "command"
	ClockAction   ActionKind = "clock"
)

// Action is one change as data.
type Action struct {
	Kind    ActionKind
	Target  string   // logical path, program, or what the person knows it by
	Summary text.Msg // one line
	// Before and After are the path's images for file, link and env actions.
	// Apply refuses when the path no longer is Before.
	Before, After platform.Image
	// Do and Undo are the programs of command and clock actions. Undo runs
	// after the Touches have been restored.
	Do, Undo []platform.Cmd
	// Touches are the paths (directories whole) a command may change: they
	// are snapshotted before, and restored by hash on undo.
	Touches []string
	// Temp are files that exist only while the programs run: {name} in Argv and
	// Env is replaced by where the file of that name stands.
	Temp     map[string][]byte
	Elevated bool // needs rights that the user may lack
	// Lenient: a program that fails does not end the step; the check that
	// follows judges what it left behind. For programs whose exit status says
	// neither that they worked nor that they did not (reference os.md §0.3).
	Lenient bool
	// Offset is for a clock action: after Do, the clock is set to Measured plus
	// Offset plus the time that has passed since Measured on the monotonic clock
	// (both readings come from View.Now and carry it), so it does not matter what
	// a time service did to the system clock in between. Zero: Do alone is enough.
	Offset   time.Duration
	Measured time.Time
}
