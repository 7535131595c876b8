package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/fix"
	"trustfix/internal/release"
	"trustfix/internal/text"
	"trustfix/platform"
)

// version prints the version; with -v what is compiled in.
func version(_ context.Context, s *session, _ []string) error {
	p := s.out
	if !s.flags.json && !s.flags.verbose && s.flags.refRoots == "" {
		p.printf("trustfix %s\n", s.proc.Build.Version) // parsing the roots would cost more than the rest
		return nil
	}
	refs, err := s.references()
	if err != nil {
		return err
	}
	keys, err := release.ParseKeys(s.proc.Build.ReleaseKeys)
	if err != nil {
		return err
	}
	hosts := func(list []platform.TimeServer) (out []string) {
		for _, t := range list {
			out = append(out, t.Host)
		}
		return out
	}
	servers, dates := hosts(platform.TimeServers), hosts(platform.DateServers)
	if s.flags.json {
		return s.printJSON(struct {
			Schema        int               `json:"schema"`
			Tool          toolInfo          `json:"tool"`
			ReleaseKeys   string            `json:"releaseKeys"`
			Keys          []release.KeyInfo `json:"keys"`
			ReleaseSource string            `json:"releaseSource"`
			TimeServers   []string          `json:"timeServers"`
			DateServers   []string          `json:"dateServers"`
		}{1, s.tool(refs), s.proc.Build.ReleaseKeys, keys.Infos(), s.proc.Build.ReleaseSource, servers, dates}, exitOK)
	}
	p.printf("trustfix %s\n", s.proc.Build.Version)
	if !s.flags.verbose {
		return nil
	}
	p.line("", text.M("cli.version-roots", "n", refs.Len(), "date", refs.Date.Format(time.DateOnly)))
	for _, r := range refs.All() {
		p.printf("  %s\n", chain.Name(r.Cert))
	}
	s.printKeys(keys)
	if source := s.proc.Build.ReleaseSource; source != "" {
		p.line("", text.M("cli.release-source", "source", source))
	}
	p.wrap("", 0, p.show(text.M("cli.time-servers", "servers", strings.Join(servers, ", "))))
	p.wrap("", 0, p.show(text.M("cli.date-servers", "servers", strings.Join(dates, ", "))))
	return nil
}

// clients lists every client: does it verify, roots from where, set by what.
func clients(ctx context.Context, s *session, _ []string) error {
	h, err := s.open()
	if err != nil {
		return err
	}
	inv, err := client.Resolve(ctx, h.View)
	if err != nil {
		return err
	}
	if s.flags.json {
		list := inv.Clients
		if list == nil {
			list = []*client.Client{}
		}
		return s.printJSON(struct {
			Schema  int              `json:"schema"`
			Clients []*client.Client `json:"clients"`
		}{1, list}, exitOK)
	}
	if len(inv.Clients) == 0 {
		s.out.line("", text.M("cli.no-clients"))
		return nil
	}
	t := table.New().Border(lipgloss.HiddenBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(int, int) lipgloss.Style { return lipgloss.NewStyle().PaddingRight(2) }).
		Headers(s.say(text.M("cli.col-client")), s.say(text.M("cli.col-verify")), s.say(text.M("cli.col-roots")), s.say(text.M("cli.col-set-by")))
	for _, c := range inv.Clients {
		verify := s.out.sign(signDone) + " " + c.Verify
		if c.Verify != "on" {
			verify = s.out.sign(signError) + " " + c.Verify
		}
		t.Row(s.out.clean(strings.TrimSpace(c.Name+" "+c.Version+" "+c.Path)), verify, s.out.clean(s.trust(c)), s.out.clean(c.Trust.SetBy))
	}
	for l := range strings.SplitSeq(t.Render(), "\n") {
		s.out.printf("%s\n", strings.TrimRight(l, " "))
	}
	return nil
}

// trust is where a client takes its roots from, in words.
func (s *session) trust(c *client.Client) string {
	if c.Trust.Builtin {
		return s.say(text.M("cli.built-in"))
	}
	return strings.TrimSpace(c.Trust.Kind + " " + c.Trust.Path)
}

// explain explains a finding or fix id, a client, or an error text.
func explain(ctx context.Context, s *session, args []string) error {
	what := strings.TrimSpace(strings.Join(args, " "))
	if what == "-" || what == "" && !isTerminal(s.proc.Stdin) {
		data, err := platform.ReadInput("-", s.proc.Stdin)
		if err != nil {
			return err
		}
		what = strings.TrimSpace(string(data))
	}
	what = idOf(what)
	p := s.out
	if s.flags.json && client.ByName(what) == nil {
		return s.explainJSON(what, nil)
	}
	if what == "" {
		p.line("", text.M("cli.explain-ids"))
		for _, id := range detect.IDs() {
			p.printf("  %s\n", id)
		}
		for _, f := range fix.All {
			p.printf("  %s\n", f.ID)
		}
		return nil
	}
	if c := detect.CheckFor(what); c != nil {
		p.printf("%s\n", p.bold(what))
		p.wrap("", 2, p.show(detect.DocFor(what)))
		for _, f := range fix.All {
			if slices.Contains(f.For, what) {
				p.wrap("  "+p.bold(f.ID), 4+len(f.ID), p.show(f.Doc))
			}
		}
		return nil
	}
	if f := fix.ByID(what); f != nil {
		p.printf("%s\n", p.bold(what))
		p.wrap("", 2, p.show(f.Doc))
		return nil
	}
	if row := client.ByName(what); row != nil {
		return s.explainClient(ctx, row)
	}
	return s.explainText(what)
}

// finer are the codes of verify that stand beside a finding id, by that id.
var finer = map[string]string{
	"bad-signature": "server-forged", "issuer-not-ca": "server-forged", "issuer-key-usage": "server-forged",
	"path-length": "server-constraint", "name-constraint": "server-constraint", "eku": "server-constraint", "critical-extension": "server-constraint",
	"weak-key": "server-weak", "weak-signature": "server-weak", "malformed": "server-malformed",
	"micromamba": "mamba",
}

// idOf is what a person means by one word: an id in any case, a finer code, a
// relative of a client.
func idOf(what string) string {
	id := strings.ToLower(what)
	if other, ok := finer[id]; ok {
		return other
	}
	if detect.CheckFor(id) != nil || fix.ByID(id) != nil || client.ByName(id) != nil {
		return id
	}
	return what
}

// explainClient says where a client takes its roots from on this machine, and why.
func (s *session) explainClient(ctx context.Context, row *client.Row) error {
	h, err := s.open()
	if err != nil {
		return err
	}
	inv, err := client.Resolve(ctx, h.View)
	if err != nil {
		return err
	}
	if s.flags.json {
		return s.explainJSON(row.Name, &inv)
	}
	p, n := s.out, 0
	p.printf("%s\n", p.bold(row.Name))
	for _, c := range inv.Clients {
		if c.Name != row.Name {
			continue
		}
		n++
		place := strings.TrimSpace(c.Path + " " + c.Version)
		if place == "" {
			place = c.Name // only its settings are here
		}
		p.wrap("", 2, p.show(text.M("cli.client-state", "path", place, "verify", c.Verify, "trust", s.trust(c))))
		for _, set := range c.Settings {
			wins := text.M("cli.setting-loses")
			if c.Heeds(set) {
				wins = text.M("cli.setting-wins")
			}
			p.wrap("", 4, p.show(text.M("cli.setting", "where", set.Where(), "name", set.Name, "value", set.Value, "wins", wins)))
		}
	}
	if n == 0 {
		p.wrap("", 2, p.show(text.M("cli.client-absent", "client", row.Name)))
	}
	return nil
}

// explainText says what an error text can mean and how to tell.
func (s *session) explainText(what string) error {
	p := s.out
	found := chain.Classify(what)
	if len(found) == 0 {
		p.line(p.sign(signWarning)+" ", text.M("cli.not-recognised"))
		return exit(exitFindings)
	}
	for i, d := range found {
		if i > 0 {
			p.printf("\n")
		}
		p.printf("%s\n", p.bold(p.clean(strings.TrimSpace(d.Tool+" "+d.Code))))
		p.wrap("", 2, p.show(text.M("cli.can-mean", "causes", strings.Join(d.Causes, ", "))))
		for _, m := range d.Tell {
			p.wrap("", 2, p.show(m))
		}
		if d.Next != "" {
			p.line("  ", text.M("cli.run-next"))
			p.printf("    %s\n", p.clean(d.Next))
		}
	}
	return nil
}
