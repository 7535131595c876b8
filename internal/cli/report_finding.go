package cli

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/fix"
	"trustfix/internal/text"
)

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
