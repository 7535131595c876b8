//go:build linux

package lab

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/detect/chain"
	"trustfix/detect/chain/chaintest"
)

var updatePage = flag.Bool("update", false, "write docs/agreement.md anew")

const page = "../../docs/agreement.md"

// family is a column of the page.
type family struct {
	name, rules string
	system      Suite
	speaker     string
}

// families are the page's columns: the rules that a family's clients share,
// and the one whose words stand for it. Those clients do not move: they come
// from releases that get no more than point releases, or are pinned.
var families = []family{
	{"OpenSSL 1.1.1", "openssl-1.1.1", Bullseye, "Python"},
	{"OpenSSL 3", "openssl-3", Bookworm, "Python"},
	{"Python 3.13", "python-3.13", Trixie, "Python"},
	{"curl", "curl", Bookworm, "curl"},
	{"GnuTLS", "gnutls", Bookworm, "wget"},
	{"Go", "go", Machine, "Go"},
	{"Node", "node", Machine, "node"},
	{"Java", "java", Bullseye, "java"},
	{"rustls", "rustls", Machine, "deno"},
	{"uv", "rustls", Machine, "uv"},
}

// agreement is what came out of asking.
type agreement struct {
	faults   []chaintest.Fault
	now      time.Time
	cells    []cell
	complete bool // every system answered
}

func (a agreement) judge(f *chaintest.Fault, rules *chain.Rules) chain.Verdict {
	return chain.Judge(chain.Input{Served: f.Served, Roots: rootsOf(f.Roots), Host: f.Host, Time: a.now, Rules: rules})
}

// column is the verdict of a family's rules as they stand.
func (a agreement) column(f *chaintest.Fault, name string) bool {
	i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	rules, _ := chain.RulesFor(families[i].rules)
	return a.judge(f, rules).OK
}

// check holds every cell against its rules and its column, and the words
// against the table of explain; then the page against all of it.
func (a agreement) check(t *testing.T) {
	used := make([]bool, len(exceptions))
	excused := func(c cell) bool {
		i := slices.IndexFunc(exceptions, func(e exception) bool { return e.covers(c) })
		if i >= 0 {
			used[i] = true
		}
		return i >= 0
	}
	wrong := map[string][]string{} // complaint: clients
	agree, excepted := 0, 0
	for _, c := range a.cells {
		complain := func(format string, args ...any) {
			k := c.family + ": " + c.fault.Name + ": " + plain(fmt.Sprintf(format, args...))
			wrong[k] = append(wrong[k], strings.TrimSpace(string(c.system)+" "+c.client))
		}
		switch column := a.column(c.fault, c.family); {
		case c.ok == c.want.OK && c.ok == column:
			agree++
		case excused(c):
			excepted++
		default:
			complain("its rules say ok=%v %v, its family's ok=%v, really %v, %q", c.want.OK, c.want.IDs(), column, c.ok, c.words)
		}
		if c.ok || c.want.OK {
			continue
		}
		var causes []string
		for _, d := range chain.Classify(c.words) {
			causes = append(causes, d.Causes...)
		}
		if !slices.ContainsFunc(c.want.Causes, func(w chain.Cause) bool { return slices.Contains(causes, w.ID) }) && !excused(c) {
			complain("%q reads as %v, judged %v", c.words, causes, c.want.IDs())
		}
		if !c.says(c.want.Causes[0]) && !excused(c) {
			complain("%q is not what its rules say: %q", c.words, c.want.Causes[0].Text)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(wrong)) {
		t.Errorf("%s\n\t%s", k, strings.Join(wrong[k], ", "))
	}
	t.Logf("%d cells: %d agree, %d are known exceptions, %d complaints", len(a.cells), agree, excepted, len(wrong))
	if !a.complete {
		return
	}
	for i, e := range exceptions {
		if !used[i] {
			t.Errorf("no cell is like this any more: %+v", e)
		}
	}
	got := a.page()
	if *updatePage {
		if err := os.WriteFile(page, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(page); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/agreement.md is not what the clients do (%v); this writes it: TRUSTFIX_LAB=require TRUSTFIX_LAB_SUITES=1 go test ./internal/lab -run TestAgreement -update\n%s", err, got)
	}
}

// says: OpenSSL's own sentence, where there is one, is the one its rules name.
// Pythons before 3.7 keep it to themselves; for the name every program has words of its own.
func (c cell) says(cause chain.Cause) bool {
	ours := []string{"OpenSSL 1.1.1", "OpenSSL 3", "Python 3.13", "curl", "Node"}
	if !slices.Contains(ours, c.family) || cause.ID == "server-hostname" || bare.MatchString(c.words) {
		return true
	}
	same := strings.NewReplacer("self signed", "self-signed")
	text := cause.Text[strings.LastIndex(cause.Text, ": ")+1:]
	return strings.Contains(same.Replace(c.words), strings.TrimSpace(same.Replace(text)))
}

var bare = regexp.MustCompile(`certificate verify failed \(_ssl\.c`)

// plain takes out of a client's words what is different in every run.
func plain(words string) string {
	for _, p := range runs {
		words = p.what.ReplaceAllString(words, p.with)
	}
	return strings.TrimSpace(words)
}

var runs = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(` \(_ssl\.c:\d+\)`), ""},
	{regexp.MustCompile(`/srv/ask/\d+\.pem`), "ca.pem"},
	{regexp.MustCompile(`(test|org|example|127\.0\.0\.1|port=|localhost):?\d{5}`), "$1"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:]+Z`), "…"},
	{regexp.MustCompile(`\b\d{9,}\b`), "…"},
	{regexp.MustCompile(`\d+ seconds`), "… seconds"},
	{regexp.MustCompile(`OpenSSL/(\d)[\d.]*`), "OpenSSL/$1"},
	{regexp.MustCompile(`^(.{240}).+`), "$1…"},
	{regexp.MustCompile(` More details here: .*`), ""},
}

// page is docs/agreement.md.
func (a agreement) page() []byte {
	var b bytes.Buffer
	b.WriteString(`# What each verifier does with each fault

Generated by TestAgreement in ` + "`internal/lab`" + `, which puts every chain before real
clients (the Pythons of the machine, and Python, requests, urllib3, httpx, pip,
openssl, curl, wget, git, gnutls-cli, node and java of Debian 11, 12, 13 and sid, Go, deno
and uv) and fails where one of them does not do what this table says.
✓ accepts, ✗ refuses; a number is an exception, below.

| chain |`)
	for _, f := range families {
		b.WriteString(" " + f.name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(families)) + "\n")
	for i := range a.faults {
		fault := &a.faults[i]
		fmt.Fprintf(&b, "| %s |", fault.Name)
		for _, f := range families {
			mark := "✗"
			if a.column(fault, f.name) {
				mark = "✓"
			}
			for n, e := range exceptions {
				if e.fault == fault.Name && slices.ContainsFunc(a.cells, func(c cell) bool { return c.family == f.name && e.covers(c) }) {
					mark += fmt.Sprintf(" %d", n+1)
				}
			}
			b.WriteString(" " + mark + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nExceptions:\n\n")
	for n, e := range exceptions {
		fmt.Fprintf(&b, "%d. %s, %s: %s\n", n+1, e.client, e.fault, e.why)
	}
	b.WriteString("\n## What they print\n")
	for _, f := range families {
		if f.name == "Node" {
			continue // says what OpenSSL says; which Node is there, differs
		}
		who := strings.TrimSpace(f.speaker + " " + map[Suite]string{Bullseye: "of Debian 11", Bookworm: "of Debian 12", Trixie: "of Debian 13"}[f.system])
		fmt.Fprintf(&b, "\n### %s: %s\n\n| chain | words |\n|---|---|\n", f.name, who)
		for _, c := range a.cells {
			if c.family == f.name && c.system == f.system && strings.HasPrefix(c.client, f.speaker) && !c.ok {
				fmt.Fprintf(&b, "| %s | %s |\n", c.fault.Name, strings.ReplaceAll(plain(c.words), "|", "\\|"))
			}
		}
	}
	return b.Bytes()
}
