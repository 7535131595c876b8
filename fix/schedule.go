package fix

import (
	"context"
	"fmt"
	"hash/fnv"
	"path"
	"slices"
	"strings"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Job is what runs once a day: the pins are renewed, then everything that may
// end or fail is looked at.
type Job struct {
	Program string   // trustfix itself
	Args    []string // flags of both commands
	Watch   []string // flags of `trustfix watch` alone
}

// SchedulePlan plans `trustfix schedule`: the job runs by what this system has
// for that. It replaces what an earlier one installed.
func SchedulePlan(job Job) func(context.Context, *Input) (*Plan, error) {
	return schedulePlan(func(in *Input) ([]Action, error) {
		i := slices.IndexFunc(schedulers, func(s scheduler) bool { return s.fits(in) })
		if in.Rooted || i < 0 {
			return nil, &Manual{Why: text.M("schedule.none"), Do: text.Raw(job.cronLine(in, ""))}
		}
		return schedulers[i].install(in, job)
	})
}

// UnschedulePlan plans `trustfix schedule remove`; there is nothing to do where
// nothing was scheduled.
func UnschedulePlan() func(context.Context, *Input) (*Plan, error) {
	return schedulePlan(func(in *Input) ([]Action, error) {
		var out []Action
		for _, s := range schedulers {
			out = append(out, s.remove(in)...)
		}
		return out, nil
	})
}

func schedulePlan(plan func(*Input) ([]Action, error)) func(context.Context, *Input) (*Plan, error) {
	return func(ctx context.Context, in *Input) (*Plan, error) {
		return oneStep(ctx, in, &Fix{
			ID: "schedule", Doc: text.M("schedule.doc"),
			Reversible: in.OS != "windows", // a deleted task is not put back
			Plan:       func(_ context.Context, in *Input, _ []detect.Finding) ([]Action, error) { return plan(in) },
		}, nil)
	}
}

// scheduler is one way in which systems run a job once a day. Its functions
// look and compute.
type scheduler struct {
	name string
	fits func(in *Input) bool
	// files are what the job is written into.
	files func(in *Input, job Job) []jobFile
	// marks are the paths that start makes by itself; they tell that it did.
	marks func(in *Input) []string
	// start makes the scheduler see the files, stop ends the job, reload makes
	// it see that the files are gone. forget is stop while they still are there.
	start, stop, forget, reload func(in *Input, job Job) []platform.Cmd
}

type jobFile struct {
	path, content string
	mode          uint32
}

// install writes the files and starts the job; nothing where that is done.
func (s scheduler) install(in *Input, job Job) ([]Action, error) {
	hour, minute := dailyAt(in)
	summary := text.M("schedule.install", "scheduler", s.name, "time", fmt.Sprintf("%02d:%02d", hour, minute))
	var out []Action
	files := s.files(in, job)
	done := len(files) > 0 && !slices.ContainsFunc(s.marks(in), func(p string) bool { return !exists(in.View, p) })
	for _, f := range files {
		now, err := in.Files.Snapshot(f.path)
		if err != nil {
			return nil, err
		}
		done = done && now.Kind == platform.File && string(now.Data) == f.content
		out = append(out, Action{
			Kind: FileAction, Target: f.path, Summary: summary, Elevated: in.Elevated,
			After: platform.Image{Kind: platform.File, Mode: f.mode, Data: []byte(f.content)},
		})
	}
	if done {
		return nil, nil
	}
	if do := s.start(in, job); len(do) > 0 {
		out = append(out, Action{
			Kind: CommandAction, Target: s.name, Summary: summary, Elevated: in.Elevated,
			Do: do, Undo: append(s.stop(in, job), s.reload(in, job)...), Touches: s.touches(in),
		})
	}
	return out, nil
}

// remove stops the job before its files go; nothing where there is none.
func (s scheduler) remove(in *Input) []Action {
	var files []Action
	summary := text.M("schedule.remove", "scheduler", s.name)
	for _, f := range s.files(in, Job{}) {
		if exists(in.View, f.path) {
			files = append(files, Action{Kind: FileAction, Target: f.path, Summary: summary, Elevated: in.Elevated, After: platform.Image{Kind: platform.Absent}})
		}
	}
	marked := slices.ContainsFunc(s.marks(in), func(p string) bool { return exists(in.View, p) })
	if len(files) == 0 && !marked {
		return nil
	}
	command := func(do, undo []platform.Cmd, touches []string) []Action {
		if len(do) == 0 {
			return nil
		}
		return []Action{{Kind: CommandAction, Target: s.name, Summary: summary, Elevated: in.Elevated, Do: do, Undo: undo, Touches: touches}}
	}
	var undo []platform.Cmd
	if len(files) > 0 { // they say what to start
		undo = s.start(in, Job{})
	}
	out := command(s.forget(in, Job{}), undo, s.touches(in))
	return slices.Concat(out, files, command(s.reload(in, Job{}), nil, nil))
}

// cronLine is the job as a line of a crontab, where % would end the command;
// user is the column that only the system's own has.
func (j Job) cronLine(in *Input, user string) string {
	hour, minute := dailyAt(in)
	return fmt.Sprintf("%d %d * * * %s%s", minute, hour, user, strings.ReplaceAll(j.shellLine(), "%", `\%`))
}

// touches are the directories in which start makes links to the files.
func (s scheduler) touches(in *Input) []string {
	var out []string
	for _, n := range s.marks(in) {
		if len(s.files(in, Job{})) > 0 {
			out = append(out, path.Dir(n))
		}
	}
	return out
}

// dailyAt is the hour and minute of the job: the same every day, not the same
// on every machine, so that a fleet does not ask its mirrors all at once.
func dailyAt(in *Input) (hour, minute int) {
	h := fnv.New32a()
	for _, name := range []string{"/etc/machine-id", "/etc/hostname"} {
		data, _ := in.Files.ReadFile(name)
		_, _ = h.Write(data)
	}
	_, _ = h.Write([]byte(in.User.Name))
	n := int(h.Sum32() % (5 * 60)) // between one and six at night
	return 1 + n/60, n % 60
}

func (j Job) renew() []string { return slices.Concat([]string{j.Program, "pin", "--renew"}, j.Args) }
func (j Job) watch() []string {
	return slices.Concat([]string{j.Program, "watch"}, j.Args, j.Watch)
}

// shellLine is the job for those who hand lines to a shell. What watch says is
// printed only when it found something: cron sends every output as a letter.
func (j Job) shellLine() string {
	return fmt.Sprintf(`%s >/dev/null 2>&1; out=$(%s 2>&1) || echo "$out"`, quote(j.renew()), quote(j.watch()))
}
