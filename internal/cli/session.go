package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"

	cli "github.com/urfave/cli/v2"

	"trustfix/detect"
	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// session is one call of the program.
type session struct {
	proc     Process
	env      map[string]string
	flags    flags
	call     *cli.Context // the flags as they were given
	out, err *printer
	printed  bool              // the one document of --json
	journal  *fix.JournalError // the journal cannot be read
}

// newSession settles language and colour from the environment; the flags
// settle them again once they are parsed.
func newSession(p Process) *session {
	s := &session{proc: p, env: map[string]string{}}
	for _, kv := range p.Env {
		if k, v, ok := strings.Cut(kv, "="); ok {
			s.env[k] = v
		}
	}
	s.out = &printer{w: p.Stdout, tty: isTerminal(p.Stdout)}
	s.err = &printer{w: p.Stderr, tty: isTerminal(p.Stderr)}
	lang := ""
	for i, a := range p.Args { // --help is printed while parsing: look ahead
		if v, ok := strings.CutPrefix(strings.TrimLeft(a, "-"), "lang="); ok && strings.HasPrefix(a, "-") {
			lang = v
		} else if strings.TrimLeft(a, "-") == "lang" && i+1 < len(p.Args) {
			lang = p.Args[i+1]
		}
	}
	if s.setOutput(lang, "auto") != nil {
		_ = s.setOutput("", "auto")
	}
	return s
}

// say renders a message in the session's language, for help texts.
func (s *session) say(m text.Msg) string { return s.out.show(m) }

// setOutput settles language, character set and colour.
func (s *session) setOutput(lang, color string) error {
	locale := cmp.Or(s.env["LC_ALL"], s.env["LC_MESSAGES"], s.env["LANG"])
	ctype := strings.ToLower(cmp.Or(s.env["LC_ALL"], s.env["LC_CTYPE"], s.env["LANG"]))
	utf8 := strings.Contains(ctype, "utf-8") || strings.Contains(ctype, "utf8") ||
		strings.HasPrefix(ctype, "zh") && !strings.Contains(ctype, ".") // who writes LANG=zh_CN wants Chinese
	l := text.English
	switch lang {
	case "":
		if strings.HasPrefix(strings.ToLower(locale), "zh") && utf8 {
			l = text.Chinese
		}
	case "en":
	case "zh":
		l = text.Chinese
	default:
		return usage(text.M("cli.bad-lang", "value", lang))
	}
	for _, p := range []*printer{s.out, s.err} {
		p.lang, p.utf8 = l, utf8 || l == text.Chinese
		switch color {
		case "always":
			p.color = true
		case "never":
			p.color = false
		case "auto":
			p.color = p.tty && s.env["NO_COLOR"] == "" && s.env["TERM"] != "dumb"
		default:
			return usage(text.M("cli.bad-color", "value", color))
		}
	}
	return nil
}

// open opens the examined system.
func (s *session) open() (*platform.Host, error) {
	h, err := platform.Open(platform.OpenOptions{
		Root: s.flags.root, UserName: s.flags.user, StateDir: s.flags.stateDir, Env: s.proc.Env,
	})
	if err != nil {
		if s.flags.root != "" || s.flags.user != "" || s.flags.stateDir != "" || errors.Is(err, fs.ErrNotExist) {
			return nil, usage(text.M("cli.cannot-open", "error", err.Error()))
		}
		return nil, err
	}
	s.out.home, s.err.home = h.User.Home, h.User.Home
	return h, nil
}

// options are the flags as a diagnosis takes them.
func (s *session) options(h *platform.Host) (detect.Options, error) {
	refs, err := s.references()
	if err != nil {
		return detect.Options{}, err
	}
	f := s.flags
	o := detect.Options{
		Refs: refs, Targets: f.targets, UsedBy: f.usedBy, Offline: f.offline, NTP: f.ntp,
		Only: f.only, Skip: f.skip, Consented: f.trustCA, Timeout: f.timeout,
		ProbeClients: f.probe,
	}
	run, err := fix.Interrupted(h.State)
	var journal *fix.JournalError
	switch {
	case errors.As(err, &journal): // looking goes on; only changes are refused
		s.journal = journal
	case errors.Is(err, fs.ErrPermission): // root's runs in another system's tree
	case err != nil:
		return o, err
	case run != nil:
		o.Interrupted = run.ID
	}
	return o, nil
}

// detect runs a diagnosis with a status line on a terminal.
func (s *session) detect(ctx context.Context, h *platform.Host, o detect.Options) (*detect.Report, error) {
	if s.err.tty && !s.flags.json {
		p := newProgress(s.err)
		defer p.stop()
		o.Progress, o.Probed = p.area, p.probed
	}
	r, err := detect.Run(ctx, h.View, o)
	if err == nil && s.journal != nil {
		r.Failed = append(r.Failed, detect.Failure{Check: "run-interrupted", Error: s.journal.Error()})
	}
	return r, err
}

// passOn are the flags of this call that another call needs to judge alike.
func (s *session) passOn() []string {
	var out []string
	for _, f := range [][2]string{{"--reference-roots", s.flags.refRoots}, {"--config", s.flags.config}} {
		if f[1] != "" {
			out = append(out, f[0], f[1])
		}
	}
	return out
}
