package cli

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// rollback undoes the newest run, or the one named.
func rollback(ctx context.Context, s *session, args []string) error {
	h, err := s.open()
	if err != nil {
		return err
	}
	id := ""
	if len(args) > 0 {
		id = args[0]
	}
	run, err := fix.Rollback(ctx, h, id, s.flags.force)
	if err != nil {
		return s.engineError(err)
	}
	if s.flags.json {
		return s.printJSON(struct {
			Schema int      `json:"schema"`
			Run    *fix.Run `json:"run"`
		}{1, run}, exitOK)
	}
	if run == nil {
		s.out.line("", text.M("cli.nothing-to-undo"))
		return nil
	}
	if !run.Outcome.IsZero() { // a run that was cut short came first, and is what was taken back
		s.out.line(s.out.sign(signUndone)+" ", run.Outcome)
		if run.Restored == 0 {
			return nil
		}
	}
	undone := text.M("cli.undone", "run", run.ID, "n", run.Restored)
	if run.Restored == 1 {
		undone = text.M("cli.undone-one", "run", run.ID)
	}
	s.out.line(s.out.sign(signDone)+" ", undone)
	if len(run.VerifyOff) > 0 {
		s.out.wrap(s.out.sign(signWarning), 2, s.out.show(text.M("cli.verify-off-again", "paths", strings.Join(run.VerifyOff, ", "))))
	}
	for _, note := range run.Notes {
		s.out.line("  ", note)
	}
	return nil
}

// printConflict names every path that somebody changed since the run.
func (s *session) printConflict(c *fix.Conflict) {
	p := s.err
	for _, at := range c.Paths {
		if c.Later != "" {
			p.line(p.sign(signError)+" ", text.M("cli.conflict-later", "path", at, "run", c.Later))
			continue
		}
		p.line(p.sign(signError)+" ", text.M("cli.conflict", "path", at))
	}
	if c.Later != "" {
		p.line("  ", text.M("cli.conflict-first", "run", c.Later))
		return
	}
	p.line("  ", text.M("cli.conflict-see", "run", c.Run))
	p.line("  ", text.M("cli.conflict-backup", "dir", c.Backups))
}

// history lists the runs, or shows one with --diff.
func history(_ context.Context, s *session, args []string) error {
	h, err := s.open()
	if err != nil {
		return err
	}
	runs, err := fix.History(h)
	if err != nil {
		return err
	}
	if len(args) > 0 {
		runs = only(runs, args[0])
		if len(runs) == 0 {
			return usage(text.M("cli.no-such-run", "run", args[0]))
		}
	}
	if s.flags.json {
		return s.historyJSON(h, runs)
	}
	if len(runs) == 0 {
		s.out.line("", text.M("cli.no-runs"))
	}
	for _, r := range runs {
		s.out.printf("%s  %s  %s\n", s.out.bold(r.ID), r.Time.Local().Format(time.DateTime), s.out.show(runState(r.State)))
		paths := r.Paths
		if len(args) == 0 && !s.flags.diff && !s.flags.verbose {
			paths = summarize(paths)
		}
		for _, name := range paths {
			s.out.printf("  %s\n", s.out.clean(name))
			if s.flags.diff {
				diff, err := fix.ThreeWay(h, r.ID, name)
				if err != nil {
					return err
				}
				s.out.printf("%s", s.out.clean(diff))
			}
		}
	}
	return nil
}

// historyJSON prints the runs, with --diff each path's versions too.
func (s *session) historyJSON(h *platform.Host, runs []fix.RunInfo) error {
	type entry struct {
		fix.RunInfo
		Diffs map[string]string `json:"diffs,omitempty"` // by path
	}
	out := make([]entry, len(runs))
	for i, r := range runs {
		out[i].RunInfo = r
		if !s.flags.diff {
			continue
		}
		out[i].Diffs = map[string]string{}
		for _, name := range r.Paths {
			diff, err := fix.ThreeWay(h, r.ID, name)
			if err != nil {
				return err
			}
			out[i].Diffs[name] = text.Redact(diff)
		}
	}
	return s.printJSON(struct {
		Schema int     `json:"schema"`
		Runs   []entry `json:"runs"`
	}{1, out}, exitOK)
}

// summarize names a directory once where a run changed many files of it.
func summarize(paths []string) []string {
	in := map[string]int{}
	for _, name := range paths {
		in[path.Dir(name)]++
	}
	var out []string
	for _, name := range paths {
		dir := path.Dir(name)
		if in[dir] <= 5 {
			out = append(out, name)
		} else if line := fmt.Sprintf("%s/ (%d)", dir, in[dir]); !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

func only(runs []fix.RunInfo, id string) []fix.RunInfo {
	for _, r := range runs {
		if r.ID == id {
			return []fix.RunInfo{r}
		}
	}
	return nil
}

// runState is a run's state in words; the JSON keeps the id.
func runState(state string) text.Msg {
	switch state {
	case "applied":
		return text.M("cli.state-applied")
	case "partial":
		return text.M("cli.state-partial")
	case "undone":
		return text.M("cli.state-undone")
	case "failed":
		return text.M("cli.state-failed")
	}
	return text.M("cli.state-unfinished")
}
