package cli

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"trustfix/fix"
	"trustfix/internal/text"
)

// failure is what --json prints where there is no result: a program that reads
// our output finds one document on stdout whatever happened.
type failure struct {
	Schema int         `json:"schema"`
	Error  failureInfo `json:"error"`
}

type failureInfo struct {
	Code    int      `json:"code"` // of the exit
	Message string   `json:"message"`
	Run     string   `json:"run,omitempty"`   // that a rollback did not undo
	Paths   []string `json:"paths,omitempty"` // that somebody changed since
}

// fail prints the document for an error, unless a result was printed already.
func (s *session) fail(code int, err error) {
	if s.printed || !wantsJSON(s.proc.Args) {
		return
	}
	info := failureInfo{Code: code, Message: text.Redact(err.Error())}
	if code == exitInterrupted {
		info.Message = text.M("cli.interrupted").String()
	}
	var ee *exitError
	if errors.As(err, &ee) && ee.because != nil {
		info.Message = text.Redact(ee.because.Error())
		var conflict *fix.Conflict
		if errors.As(ee.because, &conflict) {
			info.Run = cmp.Or(conflict.Later, conflict.Run)
			for _, p := range conflict.Paths {
				info.Paths = append(info.Paths, p.Path)
			}
		}
	}
	_ = s.printJSON(failure{1, info}, code)
}

// wantsJSON reads the arguments themselves: a command line that cannot be
// parsed has no flags yet.
func wantsJSON(args []string) bool {
	if i := slices.Index(args, "--"); i >= 0 {
		args = args[:i]
	}
	return slices.ContainsFunc(args[min(1, len(args)):], func(a string) bool {
		name, value, set := strings.Cut(strings.TrimPrefix(a, "-"), "=")
		return (name == "-json" || name == "json" && a[0] == '-') && (!set || value == "true")
	})
}
