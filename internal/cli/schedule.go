package cli

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// schedule has trustfix renew its pins and look at everything once a day, or
// ends that. The flags of this call become those of the calls to come.
func schedule(ctx context.Context, s *session, args []string) error {
	s.flags.offline = true // nothing has to be known of any server
	switch {
	case s.flags.root != "":
		return usage(text.M("cli.schedule-root"))
	case len(args) == 1 && args[0] == "remove":
		return s.change(ctx, fix.UnschedulePlan())
	case len(args) > 0:
		return usage(text.M("cli.schedule-what", "word", args[0]))
	}
	program, err := platform.RunningBinary()
	if err != nil {
		return err
	}
	defer program.Close()
	if err := program.Trusted(); err != nil { // whoever can write it would be root tomorrow
		return usage(text.M("cli.schedule-untrusted", "error", err.Error()))
	}
	return s.change(ctx, fix.SchedulePlan(fix.Job{
		Program: program.Path,
		Args:    s.given("config", "reference-roots", "target", "trust-ca", "ntp", "timeout", "state-dir", "lang"),
		Watch:   s.given("prometheus", "days"),
	}))
}

// given are those of the flags that this call was given, for a later call from
// another directory.
func (s *session) given(names ...string) []string {
	var out []string
	for _, name := range names {
		if !s.call.IsSet(name) {
			continue
		}
		values := []string{s.call.String(name)}
		switch name {
		case "target", "trust-ca", "ntp":
			values = s.call.StringSlice(name)
		case "timeout":
			values[0] = s.flags.timeout.String()
		case "days":
			values[0] = strconv.Itoa(s.flags.days)
		case "config", "reference-roots", "state-dir", "prometheus":
			file, adds := strings.CutPrefix(values[0], "+")
			if abs, err := filepath.Abs(file); err == nil {
				file = abs
			}
			if values[0] = file; adds {
				values[0] = "+" + file
			}
		}
		for _, v := range values {
			out = append(out, "--"+name, v)
		}
	}
	return out
}
