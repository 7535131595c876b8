package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// maxLines is how much one finding may say without -v.
const maxLines = 9

// printReport prints the verdict first, then every finding, most fundamental
// cause first, its symptoms folded under it.
func (s *session) printReport(v *platform.View, r *detect.Report, plan *fix.Plan) {
	p := s.out
	folded := foldSymptoms(r.Findings)
	p.wrap("", 0, p.bold("trustfix "+s.proc.Build.Version)+p.dot()+s.headline(v, r, plan))
	shown := map[int]bool{}
	for i, f := range r.Findings {
		if f.Severity == detect.Info || folded.child[i] || shown[i] {
			continue
		}
		same := alike(r.Findings, i, folded)
		for _, j := range same {
			shown[j] = true
		}
		s.printFinding(plan, r.Findings, same, folded.of[i])
	}
	if !s.flags.apply || s.flags.verbose { // who applies has read them
		s.printInfos(r)
	}
	for _, f := range r.Failed {
		p.line("\n"+p.sign(signWarning)+" ", text.M("cli.check-failed", "check", f.Check, "error", f.Error))
	}
	if s.flags.verbose {
		s.printChecked(r)
	}
}

// dot is the separator of the headline.
func (p *printer) dot() string {
	if p.utf8 {
		return " · "
	}
	return " - "
}

// headline says what was looked at and how it stands.
func (s *session) headline(v *platform.View, r *detect.Report, plan *fix.Plan) string {
	p := s.out
	system := v.Distro.Pretty
	if system == "" {
		system = strings.TrimSpace(v.OS + " " + v.Distro.Version)
	}
	parts := []string{system}
	if v.Rooted {
		parts = append(parts, v.Root)
	}
	if v.User.Name != "" {
		parts = append(parts, p.show(text.M("cli.user", "user", v.User.Name)))
	}
	problems, fixable := 0, 0
	for i, f := range r.Findings {
		if f.Severity == detect.Info {
			continue
		}
		problems++
		if step := plan.StepFor(i); step != nil && step.Manual == nil || f.CausedBy != "" {
			fixable++
		}
	}
	var state text.Msg
	switch {
	case problems == 0:
		state = text.M("cli.no-problems")
	case fixable == problems && problems == 1:
		state = text.M("cli.one-problem-fixable")
	case fixable == problems:
		state = text.M("cli.problems-all-fixable", "n", problems)
	case problems == 1:
		state = text.M("cli.one-problem")
	case fixable == 0:
		state = text.M("cli.problems-none", "n", problems)
	default:
		state = text.M("cli.problems", "n", problems, "fixable", fixable)
	}
	return strings.Join(append(parts, p.show(state)), p.dot())
}

// alike are the finding at i and those after it that say the same of other
// places: a variable in three profiles is one thing to read.
func alike(fs []detect.Finding, i int, folded symptoms) []int {
	out := []int{i}
	if fs[i].Endpoint != nil || len(folded.of[i]) > 0 {
		return out
	}
	for j := i + 1; j < len(fs); j++ {
		f := fs[j]
		if f.ID == fs[i].ID && f.Severity == fs[i].Severity && f.Endpoint == nil && !folded.child[j] && len(folded.of[j]) == 0 &&
			f.Summary.String() == fs[i].Summary.String() {
			out = append(out, j)
		}
	}
	return out
}

// printFinding prints one finding, or several that are alike: what, where,
// evidence, the chain where one broke, and what will be done or what to do.
func (s *session) printFinding(plan *fix.Plan, fs []detect.Finding, same []int, symptoms []detect.Finding) {
	p, f := s.out, fs[same[0]]
	p.printf("\n")
	lines := p.right(p.sign(severitySign(f.Severity))+" "+p.bold(p.show(f.Summary)), f.ID)
	budget := maxLines
	if s.flags.verbose {
		budget = 1 << 20
	}
	var tail []labelled
	var body []text.Msg
	said := map[string]bool{}
	once := func(m text.Msg) bool {
		key := m.String()
		defer func() { said[key] = true }()
		return !said[key]
	}
	for _, i := range same {
		for _, t := range whatToDo(plan, i, fs[i], len(tail) == 0) {
			if once(t.msg) {
				tail = append(tail, t)
			}
		}
		f := fs[i]
		if f.Where != "" && !mentions(f.Evidence, f.Where) && !mentions([]text.Msg{f.Summary}, f.Where) {
			body = append(body, text.Raw(f.Where))
		}
	}
	if len(symptoms) > 0 {
		tail = append(tail, labelled{text.M("cli.label-hits"), symptomLine(symptoms)})
	}
	for n, more := 0, true; more; n++ { // each one's first line, then what they have in common
		more = false
		for _, i := range same {
			if n < len(fs[i].Evidence) {
				more = true
				if m := fs[i].Evidence[n]; once(m) {
					body = append(body, m)
				}
			}
		}
	}
	lines += s.printTree(f, budget-lines-len(tail))
	for _, m := range body {
		if lines+len(tail) >= budget {
			p.printf("  %s\n", p.dim(p.show(text.M("cli.more"))))
			break
		}
		lines += p.wrap("", 2, p.show(m))
	}
	for _, t := range tail {
		s.printLabelled(t)
	}
}

// whatToDo is what a plan does about a finding, or what a person has to.
func whatToDo(plan *fix.Plan, i int, f detect.Finding, first bool) (tail []labelled) {
	label := func(m text.Msg) text.Msg {
		if first && len(tail) == 0 {
			return m
		}
		return text.Msg{}
	}
	switch step := plan.StepFor(i); {
	case step != nil && step.Manual == nil:
		tail = append(tail, labelled{label(text.M("cli.label-fix")), step.Summary})
		for _, m := range step.Rest() {
			tail = append(tail, labelled{text.Msg{}, m})
		}
	case step != nil:
		tail = append(tail, labelled{label(text.M("cli.label-do")), step.Manual.Why}, labelled{text.Msg{}, step.Manual.Do})
	}
	for _, a := range f.Advice {
		tail = append(tail, labelled{label(text.M("cli.label-do")), a})
	}
	return tail
}

func severitySign(severity detect.Severity) sign {
	switch severity {
	case detect.Warning:
		return signWarning
	case detect.Info:
		return signInfo
	}
	return signError
}

// labelled is a line with a short label in front: "fix", "do", "hits".
type labelled struct{ label, msg text.Msg }

func (s *session) printLabelled(l labelled) {
	p := s.out
	label := "  "
	if !l.label.IsZero() {
		label = "  " + p.bold(p.show(l.label))
	}
	if l.msg.Key == "raw" { // a command to copy stays on one line
		p.printf("%s%s%s\n", label, strings.Repeat(" ", max(1, 8-ansi.StringWidth(label))), p.show(l.msg))
		return
	}
	p.wrap(label, 8, p.show(l.msg))
}

// mentions reports whether one of the messages names the place already.
func mentions(ms []text.Msg, where string) bool {
	for _, m := range ms {
		if strings.Contains(m.String(), where) {
			return true
		}
	}
	return false
}

// printTree draws the chain of an endpoint's finding with the broken link marked.
func (s *session) printTree(f detect.Finding, room int) int {
	if f.Endpoint == nil || f.Endpoint.Reference.OK {
		return 0
	}
	drawn := chain.Draw(f.Endpoint.Shown())
	if len(drawn) < 2 || len(drawn) > max(room, 4) && !s.flags.verbose {
		return 0
	}
	for _, l := range drawn {
		s.printTreeLine(l)
	}
	return len(drawn)
}

func (s *session) printTreeLine(l chain.DrawLine) {
	p := s.out
	branch := ""
	if l.Indent > 0 {
		branch = strings.Repeat(" ", 3*(l.Indent-1)+1) + p.clean("└─") + " "
	}
	notes := make([]string, len(l.Notes))
	for i, n := range l.Notes {
		notes[i] = p.show(n)
	}
	note := strings.Join(notes, ", ")
	if l.Broken {
		note = p.clean("──") + " " + note + " " + p.clean("──") + p.sign(signError)
	}
	line := "  " + branch + p.clean(l.Name)
	if note != "" && ansi.StringWidth(line+"  "+note) > pageWidth {
		p.printf("%s\n", line)
		line = strings.Repeat(" ", ansi.StringWidth(branch)+2)
	}
	p.printf("%s\n", strings.TrimRight(line+"  "+note, " "))
}

// symptomLine counts what a cause explains and names the first few.
func symptomLine(fs []detect.Finding) text.Msg {
	var names []string
	for i, f := range fs {
		if i == 3 {
			names = append(names, "…")
			break
		}
		name := f.Where
		if name == "" {
			name = f.Subject
		}
		names = append(names, name+" ("+f.ID+")")
	}
	return text.M("cli.symptoms", "n", len(fs), "names", strings.Join(names, ", "))
}

// symptoms says which findings are shown under which.
type symptoms struct {
	child map[int]bool
	of    map[int][]detect.Finding
}

// foldSymptoms puts each finding that a found cause explains under the first
// finding with that cause's id.
func foldSymptoms(fs []detect.Finding) symptoms {
	first := map[string]int{}
	for i, f := range fs {
		if _, ok := first[f.ID]; !ok {
			first[f.ID] = i
		}
	}
	out := symptoms{child: map[int]bool{}, of: map[int][]detect.Finding{}}
	for i, f := range fs {
		if cause, ok := first[f.CausedBy]; f.CausedBy != "" && ok && cause != i {
			out.child[i] = true
			out.of[cause] = append(out.of[cause], f)
		}
	}
	return out
}

// printInfos lists what is worth knowing and needs nothing done, a line each;
// of many alike the first and their number.
func (s *session) printInfos(r *detect.Report) {
	p := s.out
	kinds := map[string]int{}
	for _, f := range r.Findings {
		if f.Severity == detect.Info {
			kinds[f.ID]++
		}
	}
	if len(kinds) > 0 {
		p.printf("\n")
	}
	shown := map[string]bool{}
	for _, f := range r.Findings {
		if f.Severity != detect.Info || shown[f.ID] && kinds[f.ID] > 2 && !s.flags.verbose {
			continue
		}
		p.right(p.sign(signInfo)+" "+p.show(f.Summary), f.ID)
		if n := kinds[f.ID]; n > 2 && !s.flags.verbose {
			p.line("  ", text.M("cli.more-alike", "n", n-1))
		}
		shown[f.ID] = true
		if s.flags.verbose {
			for _, e := range f.Evidence {
				p.wrap("", 2, p.show(e))
			}
		}
	}
}

// printChecked is what -v adds: everything that was looked at.
func (s *session) printChecked(r *detect.Report) {
	p := s.out
	p.line("\n", text.M("cli.checked"))
	if r.Clock.Source != "" {
		p.printf("  clock  %s", r.Clock.Source)
		if r.Clock.Offset != nil {
			p.printf("  %+.2f s", *r.Clock.Offset)
		}
		p.printf("  %s\n", r.Clock.Service.Name)
		for _, t := range r.Clock.Samples {
			p.printf("    %s (%s) %+.3f s %s\n", t.Server, t.Operator, t.Offset, t.Error)
		}
	}
	for _, st := range r.Stores {
		p.printf("  store  %s  %s  %d\n", st.Path, st.Status, st.Roots)
	}
	for _, c := range r.Clients {
		p.printf("  client %s %s  %s  verify %s, %s %s %s\n", c.Name, c.Version, p.clean(c.Path), c.Verify, c.Trust.Kind, p.clean(c.Trust.Path), p.clean(c.Trust.SetBy))
	}
	for _, e := range r.Endpoints {
		p.printf("  server %s  %s %s %s\n", p.clean(e.URL), e.Verdict, fault(e.Fault), e.Cause)
	}
	for _, c := range detect.All {
		ids := c.IDs
		if !slices.Contains(ids, c.ID) {
			ids = append([]string{c.ID}, ids...)
		}
		p.printf("  check  %s\n", strings.Join(ids, " "))
	}
}

func fault(f chain.Fault) string {
	if f == chain.FaultNone {
		return ""
	}
	return fmt.Sprintf("(%s)", f)
}

// printFooter says what to type next.
func (s *session) printFooter(r *detect.Report, plan *fix.Plan) {
	p := s.out
	p.printf("\n")
	if code(r) == exitOK {
		n := 0
		for _, e := range r.Endpoints {
			if e.Verdict == "ok" {
				n++
			}
		}
		if len(r.Clients) == 0 && len(r.Endpoints) == 0 {
			p.line(p.sign(signInfo)+" ", text.M("cli.nothing-here"))
			return
		}
		p.line(p.sign(signDone)+" ", text.M("cli.healthy", "endpoints", n, "clients", len(r.Clients)))
		return
	}
	mine, sudo := plan.Possible(), plan.SudoLine(s.passOn()...)
	switch {
	case mine > 0 && !s.flags.dryRun:
		p.line("", text.M("cli.next"))
	case mine > 0:
		p.line("", text.M("cli.next-apply"))
	case r.Options.Interrupted != "":
		p.line("", text.M("cli.next-recover"))
	case sudo == "":
		p.line("", text.M("cli.nothing-to-apply"))
	}
	if sudo != "" {
		p.line("", text.M("cli.sudo"))
		p.printf("  %s\n", p.clean(sudo))
	}
}
