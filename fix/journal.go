package fix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"trustfix/internal/text"
	"trustfix/platform"
)

// The journal is one directory for each run in the state directory:
//
//	runs/ID.tmp          being made; never became a run
//	runs/ID/run          what the run set out to do, before anything was touched
//	runs/ID/data/SHA256  contents, each once
//	runs/ID/NN.intent    step NN: every path as it was, and what is to be done
//	runs/ID/NN.events    step NN: programs began, ended and left this behind
//	runs/ID/NN.state     how step NN ended
//	runs/ID/commit       the run has ended
//	runs/ID/undoing      a rollback has begun
//	runs/ID/base         programs of an undo have begun; the tree stood like this
//	runs/ID/undone       the run has been taken back
//
// Every file but those in data is a line with the schema and the hash of what
// follows. Each is durable before the next is written and before the tree is
// touched, so that at every instant the files present say what may have changed.
const (
	schema   = 1
	magic    = "trustfix-journal"
	runsDir  = "runs"
	maxRuns  = 20
	maxAge   = 90 * 24 * time.Hour
	eventLen = 64 // hex digits of a line's hash
)

var runID = regexp.MustCompile(`^\d{4}-\d\d-\d\d-[0-9a-f]{4}$`)

// JournalError is a journal that cannot be relied on. Nothing is changed then.
type JournalError struct {
	Path string // of the damaged file
	Why  text.Msg
}

func (e *JournalError) Error() string { return e.Msg().String() }

// Msg is the error for a person.
func (e *JournalError) Msg() text.Msg {
	return text.M("engine.journal", "path", e.Path, "why", e.Why)
}

// header is what a run sets out to do.
type header struct {
	ID    string
	Seq   int // order of the runs; their ids do not sort and clocks go back
	Time  time.Time
	Steps []stepHeader
}

type stepHeader struct {
	Fix, Summary string
	Skip         string // why the step is not attempted; "" when it is
}

// intent is everything that is needed to take one step back.
type intent struct {
	Before  map[string]platform.Image // every path the step may change, as it was
	Changes []change                  // what it makes of single paths, in order
	Temps   map[string]change         // temporary files for its programs, by name
	Touches []string                  // what its programs may change, directories whole
	Undo    []savedCmd                // programs to run when it is taken back
	Dirs    map[string]dirState
}

// change is one path and what becomes of it.
type change struct {
	Path  string
	After platform.Image
}

// savedCmd is a program with its input, which is no part of a Cmd's JSON.
type savedCmd struct {
	platform.Cmd
	Input []byte `json:",omitempty"`
}

// dirState is a directory's times and the names in it. The times are put back
// when an undo leaves the same names in it.
type dirState struct {
	MTime time.Time
	Names string
}

// event is a line of NN.events.
type event struct {
	Event string                    // "begin" or "end" of programs
	After map[string]platform.Image `json:",omitempty"` // end: paths under Touches that differ from Before
}

// undoMark says how a rollback is to be carried out, should it be cut short.
type undoMark struct {
	Force  bool
	Newest int `json:",omitempty"` // Seq of the newest run at that time
}

// undoBase is the tree at and under Touches when the programs of an undo began.
type undoBase struct {
	Touches []string
	Images  map[string]platform.Image
}

// stepRecord is one step as the journal has it.
type stepRecord struct {
	intent
	Began, Ended bool
	After        map[string]platform.Image
	Result       *StepResult // nil while the step has not ended
}

// runRecord is one run as the journal has it.
type runRecord struct {
	header
	state   platform.Dir
	Steps   map[int]*stepRecord // those that came to an intent; filled by loadSteps
	Commit  *Run
	Undoing *undoMark
	Undone  *Run
	older   map[string]dirState // see lookBack
}

func (r *runRecord) name(file string) string { return path.Join(runsDir, r.ID, file) }

func (r *runRecord) stepFile(n int, kind string) string {
	return r.name(fmt.Sprintf("%02d.%s", n, kind))
}

// unfinished says whether the run was cut short in doing or undoing.
func (r *runRecord) unfinished() bool {
	return r.Undone == nil && (r.Commit == nil || r.Undoing != nil)
}

// standing says whether the run has changed something that still stands.
func (r *runRecord) standing() bool {
	return r.Undone == nil && (r.Commit == nil || r.Commit.Count(Done) > 0)
}

// encode makes a journal file of v.
func encode(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, "%s %d %s\n", magic, schema, hash(body)), body...), nil
}

// decode reads a journal file into v; the error says what is wrong with it.
func decode(data []byte, v any) *text.Msg {
	first, body, ok := bytes.Cut(data, []byte("\n"))
	var version int
	var sum string
	if _, err := fmt.Sscanf(string(first), magic+" %d %64s", &version, &sum); !ok || err != nil {
		return new(text.M("engine.journal-garbage"))
	}
	if version > schema {
		return new(text.M("engine.journal-newer", "schema", version))
	}
	if hash(body) != sum || json.Unmarshal(body, v) != nil {
		return new(text.M("engine.journal-garbage"))
	}
	return nil
}

func write(state platform.Dir, name string, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	return state.WriteFile(name, data)
}

// read fills v from a journal file and says whether it is there.
func read(state platform.Dir, name string, v any) (bool, error) {
	data, err := state.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if why := decode(data, v); why != nil {
		return false, &JournalError{Path: path.Join(state.Path(), name), Why: *why}
	}
	return true, nil
}

// encodeEvent makes a line of an events file.
func encodeEvent(e event) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s %s\n", hash(body), body), nil
}

// decodeEvents reads an events file. A last line without an end was cut short
// by a crash and never happened; anything else that does not fit is damage.
func decodeEvents(data []byte) ([]event, *text.Msg) {
	var out []event
	for line := range bytes.Lines(data) {
		body, whole := bytes.CutSuffix(line, []byte("\n"))
		if !whole {
			break
		}
		var e event
		if len(body) <= eventLen || body[eventLen] != ' ' ||
			hash(body[eventLen+1:]) != string(body[:eventLen]) || json.Unmarshal(body[eventLen+1:], &e) != nil {
			return nil, new(text.M("engine.journal-garbage"))
		}
		out = append(out, e)
	}
	return out, nil
}

// keep makes the content of an image durable, once.
func (r *runRecord) keep(img platform.Image) error {
	if img.Kind != platform.File {
		return nil
	}
	if int64(len(img.Data)) != img.Size {
		return platform.ErrTooLarge
	}
	name := r.name("data/" + img.SHA256)
	if old, err := r.state.ReadFile(name); err == nil && hash(old) == img.SHA256 {
		return nil
	}
	return r.state.WriteFile(name, img.Data)
}

// fill gives an image its content back.
func (r *runRecord) fill(img platform.Image) (platform.Image, error) {
	if img.Kind != platform.File {
		return img, nil
	}
	name := r.name("data/" + img.SHA256)
	data, err := r.state.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return img, err
	}
	if err != nil || hash(data) != img.SHA256 {
		return img, &JournalError{Path: path.Join(r.state.Path(), name), Why: text.M("engine.backup-damaged")}
	}
	img.Data = data
	return img, nil
}

// under says whether p is one of roots or inside one.
func under(p string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool {
		return p == root || strings.HasPrefix(p, strings.TrimSuffix(root, "/")+"/")
	})
}
