package detect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// run puts the questions, a few at the same time. Whoever is no longer waited
// for when ctx ends has said nothing.
func (p *prober) run(ctx context.Context, qs []question) []Probe {
	out := make([]Probe, len(qs))
	slots := make(chan struct{}, probesApace)
	var wg sync.WaitGroup
	for i, q := range qs {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			out[i] = p.probe(ctx, q)
		})
	}
	wg.Wait()
	return out
}

// probe runs a client as whoever it belongs to. What an ordinary user could
// have written is run as that user, and judged by that user's own settings.
func (p *prober) probe(ctx context.Context, q question) Probe {
	a, c, settings, env := q.c.Asking(), q.c, p.inv.Settings, p.v.Env
	unknown := func(words string) Probe {
		q.Answer, q.Words = Unknown, text.Redact(words)
		return q.Probe
	}
	argv := a.Argv(c, q.e.Parsed)
	if argv == nil {
		return unknown("it cannot be asked")
	}
	as, err := p.runAs(c, argv[0])
	if err != nil {
		return unknown(err.Error())
	}
	if as != nil && as.UID != p.v.User.UID {
		theirs := *p.v
		theirs.User, theirs.Env = *as, nil
		inv, err := client.Resolve(ctx, &theirs)
		i := slices.IndexFunc(inv.Clients, func(o *client.Client) bool { return o.Name == c.Name && o.Path == c.Path })
		if err != nil || i < 0 || inv.Clients[i].Verify == "off" {
			return unknown("its owner has other settings")
		}
		c, settings, env = inv.Clients[i], inv.Settings, nil
		if p.expect(c, q.e) != q.Expected {
			return unknown("its owner has other settings")
		}
	}
	vars, ok := c.Environ(env, settings)
	if !ok {
		return unknown("its environment cannot be known from here")
	}
	home := p.v.User.Home
	if as != nil {
		home = as.Home
	}
	if p.v.OS != "windows" && home != "" {
		vars = append(vars, "HOME="+home) // whose files the judgement has read
	}
	out, err := p.v.Exec.Query(ctx, platform.Cmd{Argv: argv, Env: vars, Dir: c.Dir, As: as, Timeout: probeLimit})
	q.Answer, q.Words = heard(a, out, err)
	return q.Probe
}

// heard reads a program's answer.
func heard(a *client.Ask, out platform.Output, err error) (Answer, string) {
	var exit *platform.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Unknown, text.Redact(err.Error())
	}
	said := out.Stderr
	if exit != nil && said == "" {
		said = exit.Stderr
	}
	if exit == nil || slices.Contains(a.Accepts, exit.Code) || slices.ContainsFunc(a.AcceptsWith, func(w string) bool { return strings.Contains(said, w) }) {
		return Accepts, ""
	}
	words, trust := theError(said)
	if trust || slices.Contains(a.Refuses, exit.Code) {
		return Refuses, words
	}
	return Unknown, words
}

// theError is the line in which a program or a traceback names its error, the
// last one, and whether it is about whom a client trusts rather than the way
// there.
func theError(said string) (line string, trust bool) {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	line = lines[len(lines)-1]
	for _, l := range lines[max(0, len(lines)-40):] {
		if aboutTrust(l) {
			line, trust = l, true
		}
	}
	if line = strings.TrimSpace(line); len(line) > 400 {
		line = strings.ToValidUTF8(line[:400], "") + "…"
	}
	return text.Redact(line), trust || aboutTrust(said)
}

func aboutTrust(said string) bool {
	for _, d := range chain.Classify(said) {
		if len(d.Causes) > 0 && !strings.HasPrefix(d.Causes[0], "net-") {
			return true
		}
	}
	return false
}
