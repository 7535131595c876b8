package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	cli "github.com/urfave/cli/v2"

	"trustfix/bundles"
	"trustfix/internal/text"
	"trustfix/platform"
)

// flags are what the command line said, after the policy file was merged in.
type flags struct {
	json, offline, verbose, yes bool
	dryRun, apply, version      bool
	probe                       bool // --probe-clients, by default with --apply
	force, diff, explain, renew bool
	only, skip, targets, ntp    []string
	usedBy                      []string // clients that pin --client names
	trustCA                     []string
	root, user, stateDir        string
	refRoots, config            string
	timeout                     time.Duration

	chain, host, at, roots, client string
	cert, key, startTLS            string
	revocation                     bool
	prometheus                     string
	days                           int
	update                         updateFlags
	updateCheck                    bool   // the policy file wants to know of newer releases
	releaseSource                  string // the policy file's
}

func sharedFlags(s *session) []cli.Flag {
	str := func(name, value, key string) cli.Flag {
		return &cli.StringFlag{Name: name, Usage: "`" + value + "` " + s.say(flagUsage[key])}
	}
	list := func(name, value, key string) cli.Flag {
		return &cli.StringSliceFlag{Name: name, Usage: "`" + value + "` " + s.say(flagUsage[key])}
	}
	return []cli.Flag{
		boolFlag(s, "json"),
		list("only", "IDS", "only"),
		list("skip", "IDS", "skip"),
		list("target", "URL", "target"),
		boolFlag(s, "offline"),
		str("root", "DIR", "root"),
		str("user", "NAME", "user"),
		list("ntp", "HOST", "ntp"),
		str("reference-roots", "[+]FILE", "reference-roots"),
		list("trust-ca", "SHA256", "trust-ca"),
		str("config", "FILE", "config"),
		str("lang", "en|zh", "lang"),
		&cli.DurationFlag{Name: "timeout", Value: 10 * time.Second, Usage: "`D` " + s.say(flagUsage["timeout"])},
		str("state-dir", "DIR", "state-dir"),
		&cli.StringFlag{Name: "color", Value: "auto", Usage: "`auto|always|never`"},
		boolFlag(s, "yes"),
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: s.say(flagUsage["verbose"])},
	}
}

// flagLine is a flag's line in a help text: urfave/cli's own repeats the
// placeholder for lists and in the sentence.
func flagLine(f cli.Flag) string {
	doc, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	names := f.Names()
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	left := "--" + names[0]
	for _, n := range names[1:] {
		left += ", -" + n
	}
	usage := doc.GetUsage()
	if _, rest, ok := strings.Cut(usage, "`"); ok {
		value, after, _ := strings.Cut(rest, "`")
		left, usage = left+" "+value, strings.TrimSpace(after)
	}
	return left + "\t" + usage
}

func boolFlag(s *session, name string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: s.say(flagUsage[name])}
}

func diagnoseFlags(s *session) []cli.Flag {
	return []cli.Flag{boolFlag(s, "dry-run"), boolFlag(s, "apply"), boolFlag(s, "version"), boolFlag(s, "probe-clients")}
}

func forceFlag(s *session) cli.Flag { return boolFlag(s, "force") }
func diffFlag(s *session) cli.Flag  { return boolFlag(s, "diff") }

func pinClientFlag(s *session) cli.Flag {
	return &cli.StringFlag{Name: "client", Usage: "`NAME` " + s.say(flagUsage["pin-client"])}
}

func verifyFlags(s *session) []cli.Flag {
	var out []cli.Flag
	for _, f := range [][2]string{
		{"chain", "FILE"},
		{"host", "NAME"},
		{"at", "TIME"},
		{"roots", "FILE"},
		{"client", "RULES"},
		{"starttls", "PROTOCOL"},
		{"cert", "FILE"},
		{"key", "FILE"},
	} {
		out = append(out, &cli.StringFlag{Name: f[0], Usage: "`" + f[1] + "` " + s.say(flagUsage[f[0]])})
	}
	return append(out, boolFlag(s, "revocation"), boolFlag(s, "explain"))
}

// mustName are the flags whose value names something, if they are given at all.
var mustName = []string{"root", "user", "state-dir", "config", "reference-roots", "chain", "roots", "cert", "key", "prometheus", "source", "from-file", "manifest"}

// parse reads the flags of c and everything they name, and refuses what makes
// no sense before anything is looked at.
func (s *session) parse(c *cli.Context) error {
	s.call = c
	f := &s.flags
	*f = flags{
		json: c.Bool("json"), offline: c.Bool("offline"), verbose: c.Bool("verbose"), yes: c.Bool("yes"),
		dryRun: c.Bool("dry-run"), apply: c.Bool("apply"), version: c.Bool("version"),
		force: c.Bool("force"), diff: c.Bool("diff"), explain: c.Bool("explain"),
		only: c.StringSlice("only"), skip: c.StringSlice("skip"), targets: c.StringSlice("target"),
		ntp: c.StringSlice("ntp"), trustCA: c.StringSlice("trust-ca"),
		root: c.String("root"), user: c.String("user"), stateDir: c.String("state-dir"),
		refRoots: c.String("reference-roots"), config: c.String("config"), timeout: c.Duration("timeout"),
		chain: c.String("chain"), host: c.String("host"), at: c.String("at"), roots: c.String("roots"),
		client: c.String("client"), cert: c.String("cert"), key: c.String("key"), startTLS: c.String("starttls"),
		revocation: c.Bool("revocation"),
		prometheus: c.String("prometheus"), days: c.Int("days"), renew: c.Bool("renew"),
		update: parseUpdate(c),
	}
	if err := s.setOutput(c.String("lang"), c.String("color")); err != nil {
		return err
	}
	// An empty value is a variable that a script forgot to set: --root "$IMAGE"
	// must not become this machine.
	for _, name := range mustName {
		if v := c.String(name); c.IsSet(name) && (v == "" || v == "+") {
			return usage(text.M("cli.empty-flag", "flag", "--"+name))
		}
	}
	if slices.Contains(f.ntp, "") {
		return usage(text.M("cli.empty-flag", "flag", "--ntp"))
	}
	if name := f.config; name != "" {
		if err := f.merge(name, c.IsSet("timeout")); err != nil {
			return err
		}
	}
	// What is done by name, and seldom, is proven as an apply is; the daily renewal is not.
	if f.probe = f.apply || c.Command != nil && c.Command.Name == "pin" && !f.renew; c.IsSet("probe-clients") {
		f.probe = c.Bool("probe-clients")
	}
	if f.apply && f.dryRun {
		return usage(text.M("cli.apply-and-dry-run"))
	}
	return f.check()
}

// references are the roots that judge: compiled in, replaced by FILE or, with
// a plus sign, added to by it.
func (s *session) references() (*bundles.Roots, error) {
	name, adds := strings.CutPrefix(s.flags.refRoots, "+")
	if name == "" {
		return bundles.Reference(), nil
	}
	roots, err := s.readRoots(name)
	if err != nil {
		return nil, err
	}
	if !adds {
		return roots, nil
	}
	all := bundles.Reference()
	merged := &bundles.Roots{Date: all.Date}
	for _, r := range slices.Concat(all.All(), roots.All()) {
		merged.Add(r)
	}
	return merged, nil
}

// readRoots reads a bundle the user named; one without a certificate is refused.
func (s *session) readRoots(name string) (*bundles.Roots, error) {
	data, err := platform.ReadInput(name, s.proc.Stdin)
	if err != nil {
		return nil, usage(text.M("cli.unreadable", "file", name, "error", err.Error()))
	}
	roots, content := bundles.ReadRoots(data)
	if roots.Len() == 0 {
		why := ""
		if len(content.Problems) > 0 {
			p := content.Problems[0]
			why = fmt.Sprintf(" (%s, line %d)", p.Kind, p.Line)
		}
		return nil, usage(text.M("cli.no-certificates", "file", name, "why", why))
	}
	return roots, nil
}
