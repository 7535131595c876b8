// Package cli is the command line: commands, flags, exit codes and what a
// person or a program sees, in two languages.
//
// It is the only importer of urfave/cli. It decides nothing about trust and
// changes nothing itself: detect judges, fix changes, and this package says
// what they found and did.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	cli "github.com/urfave/cli/v2"

	"trustfix/internal/text"
)

// The exit codes of PRODUCT.md §3. With several, the first cause in this
// order of gravity wins: interrupted, failed, refused, undone, findings.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFindings    = 3
	exitUndone      = 4
	exitConflict    = 5
	exitLocked      = 6
	exitInterrupted = 130
)

// Process is what the operating system hands to a program.
type Process struct {
	Args           []string
	Env            []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Build          Build
}

// Build is what the release build compiles in.
type Build struct{ Version, ReleaseKeys, ReleaseSource string }

// exitError ends the program with a code. Its message, if any, goes to stderr.
type exitError struct {
	code    int
	msg     text.Msg
	because error // what has been said already, for --json
}

func (e *exitError) Error() string { return e.msg.String() }

// exit makes an exitError without a message: everything has been said.
func exit(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}

// usage is the error for a command line that cannot be carried out.
func usage(m text.Msg) error { return &exitError{code: exitUsage, msg: m} }

// Main runs the program and returns its exit code.
func Main(ctx context.Context, p Process) int {
	s := newSession(p)
	err := s.run(ctx)
	if err == nil {
		return exitOK
	}
	code := s.report(err)
	s.fail(code, err)
	return code
}

// report says on stderr why the program ends and returns the exit code.
func (s *session) report(err error) int {
	var ee *exitError
	switch {
	case errors.As(err, &ee):
		if !ee.msg.IsZero() {
			s.err.line(s.err.sign(signError)+" ", ee.msg)
		}
		return ee.code
	case errors.Is(err, context.Canceled):
		s.err.line("", text.M("cli.interrupted"))
		return exitInterrupted
	}
	s.err.line(s.err.sign(signError)+" ", text.M("cli.failed", "error", text.Redact(err.Error())))
	return exitFailed
}

// run recovers from a panic, so that a defect of ours is reported as one and
// never leaves the terminal in the middle of a line.
func (s *session) run(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("this is a defect of trustfix, please report it: %v\n%s", r, debug.Stack())
		}
	}()
	app := s.app()
	args, unknown := normalize(app, s.proc.Args)
	if unknown != "" {
		return usage(text.M("cli.unknown-command", "name", unknown))
	}
	return app.RunContext(ctx, args)
}

// app is the command tree. Every command is made by command().
func (s *session) app() *cli.App {
	cli.FlagStringer = flagLine
	app := &cli.App{
		Name: "trustfix", HelpName: "trustfix",
		Usage:           s.say(text.M("cli.usage")),
		UsageText:       "trustfix [--dry-run | --apply]\n   trustfix COMMAND [ARGUMENTS]",
		Description:     s.say(text.M("cli.description")),
		Version:         s.proc.Build.Version,
		HideHelpCommand: true, HideVersion: true,
		Writer: s.out, ErrWriter: s.err,
		ExitErrHandler: func(*cli.Context, error) {}, // exit codes are Main's alone
		OnUsageError:   onUsageError,
		Flags:          append(diagnoseFlags(s), sharedFlags(s)...),
		Action:         s.action(diagnose, 0),
		Commands: []*cli.Command{
			s.command("rollback", "[RUN]", 1, rollback, forceFlag(s)),
			s.command("history", "[RUN]", 1, history, diffFlag(s)),
			s.command("verify", "TARGET…", -1, verify, verifyFlags(s)...),
			s.command("pin", "HOST…", -1, pin, boolFlag(s, "renew"), boolFlag(s, "probe-clients"), pinClientFlag(s)),
			s.command("unpin", "[HOST…]", -1, unpin),
			s.command("explain", "[ID|CLIENT|TEXT]", -1, explain),
			s.command("clients", "", 0, clients),
			s.command("watch", "", 0, watch, watchFlags(s)...),
			s.command("schedule", "[remove]", 1, schedule, watchFlags(s)...),
			s.command("update", "", 0, update, updateFlagList(s)...),
			s.command("version", "", 0, version),
			hidden(s.command("__selftest", "", 0, selfTest)),
		},
	}
	app.CustomAppHelpTemplate = appHelp + s.say(text.M("cli.exit-status")) + "\n"
	return app
}

// command makes one command with the shared flags: urfave/cli does not let
// them stand after a command otherwise, nor inherits OnUsageError.
func (s *session) command(name, args string, max int, run runner, flags ...cli.Flag) *cli.Command {
	return &cli.Command{
		Name: name, ArgsUsage: args, HideHelpCommand: true,
		Usage:              s.say(commandUsage[name]),
		Flags:              append(flags, sharedFlags(s)...),
		OnUsageError:       onUsageError,
		Action:             s.action(run, max),
		CustomHelpTemplate: commandHelp + s.say(text.M("cli.exit-status")) + "\n",
	}
}

// hidden keeps a command that only programs call out of the help.
func hidden(c *cli.Command) *cli.Command {
	c.Hidden = true
	return c
}

// runner is the body of a command.
type runner func(ctx context.Context, s *session, args []string) error

// action adapts a runner: it reads the flags and refuses surplus arguments
// (max < 0: any number).
func (s *session) action(run runner, max int) cli.ActionFunc {
	return func(c *cli.Context) error {
		args := c.Args().Slice()
		if max >= 0 && len(args) > max {
			return usage(text.M("cli.surplus", "name", args[max]))
		}
		if err := s.parse(c); err != nil {
			return err
		}
		return run(c.Context, s, args)
	}
}

func onUsageError(_ *cli.Context, err error, _ bool) error {
	return usage(text.M("cli.usage-error", "error", err.Error()))
}

// normalize moves the flags behind the command and before its arguments, so
// that they work wherever a person types them: urfave/cli stops reading flags
// at the first argument. What stands in a command's place and is none comes back
// as unknown; nothing of such a line may run.
func normalize(app *cli.App, args []string) (out []string, unknown string) {
	takesValue := map[string]bool{}
	note := func(flags []cli.Flag) {
		for _, f := range flags {
			_, isBool := f.(*cli.BoolFlag)
			for _, n := range f.Names() {
				takesValue[n] = !isBool
			}
		}
	}
	commands := map[string]*cli.Command{}
	for _, c := range app.Commands {
		commands[c.Name] = c
		note(c.Flags)
	}
	note(app.Flags) // --version is a switch before a command, and takes a value after update
	var command string
	var flags, rest []string
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			after := args[i+1:]
			if command == "" && len(rest) == 0 && len(after) > 0 && commands[after[0]] != nil {
				command, after = after[0], after[1:]
			}
			rest = append(rest, after...)
			i = len(args)
		case len(a) > 1 && a[0] == '-':
			flags = append(flags, a)
			if name := strings.TrimLeft(a, "-"); takesValue[name] && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		case command == "" && len(rest) == 0 && a == "help": // as people type it
			flags = append(flags, "--help")
		case command == "" && len(rest) == 0 && commands[a] != nil:
			command = a
			note(commands[a].Flags)
		default:
			rest = append(rest, a)
		}
	}
	if command == "" && len(rest) > 0 {
		return nil, rest[0]
	}
	out = []string{"trustfix"}
	if command != "" {
		out = append(out, command)
	}
	out = append(out, flags...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out, ""
}

const appHelp = `{{.Usage}}

   {{.UsageText}}

{{.Description}}
{{range .VisibleCommands}}
   {{.Name}}{{"\t"}}{{.Usage}}{{end}}
{{range .VisibleFlags}}
   {{.}}{{end}}

`

const commandHelp = `{{.Usage}}

   {{.HelpName}} [flags] {{.ArgsUsage}}
{{range .VisibleFlags}}
   {{.}}{{end}}

`
