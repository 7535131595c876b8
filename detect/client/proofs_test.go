package client_test

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/fix"
	"trustfix/internal/edit"
	"trustfix/platform/platformtest"
)

// TestProofs goes through the table: for every row, every file it reads, every
// key and variable of it that can switch verification off, and every one that
// can name a bundle, a file with that one line in the middle is put on the
// machine of testdata/machine.txtar. The line has to be found where it stands,
// taken out with nothing else changed, and put back to the byte. What was said
// and done stands in testdata/proofs, one archive for each row: a new row, file
// or key has no case there and fails until
//
//	UPDATE=1 go test ./detect/client -run TestProofs
//
// has written it and somebody has read it.
func TestProofs(t *testing.T) {
	machine, err := os.ReadFile("testdata/machine.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range client.All() {
		rows = append(rows, r.Name+".txtar")
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			got := &txtar.Archive{Comment: []byte(r.Name + ": what TestProofs found, did and took back.\n")}
			cases := proofsOf(t, string(machine), r)
			for _, p := range cases {
				got.Files = append(got.Files, txtar.File{Name: p.name, Data: []byte(p.run(t, string(machine)))})
			}
			for _, none := range [][2]string{
				{"verify-off", "No file or variable switches its verification off.\n"},
				{"ca-path-missing", "No file or variable tells it of a bundle.\n"},
			} {
				if !slices.ContainsFunc(cases, func(p proof) bool { return p.id == none[0] }) {
					got.Comment = append(got.Comment, none[1]...)
				}
			}
			golden(t, filepath.Join("testdata/proofs", r.Name+".txtar"), txtar.Format(got))
		})
	}
	files, err := filepath.Glob("testdata/proofs/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !slices.Contains(rows, filepath.Base(f)) {
			t.Errorf("%s is of no row", f)
		}
	}
}

func golden(t *testing.T, file string, got []byte) {
	want, err := os.ReadFile(file)
	if err == nil && bytes.Equal(got, want) {
		return
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s (UPDATE=1 writes it, and then it wants reading):\n%s", file, platformtest.Diff(string(want), string(got)))
}

// proof is one line of one file.
type proof struct {
	row  *client.Row
	name string
	id   string // the finding
	file string
	with string // the content
	sans string // the content without the line
	line int
	hand bool // only a person may take it out: the row says why
}

// only are the ways in which a file is read because it stands there, hiding another.
var only = map[string][]string{
	"conda":  {"/opt/conda/envs/data/.condarc"},
	"python": {"/usr/lib/python3/dist-packages/sitecustomize.py", "/root/.virtualenvs/new/lib/python3.13/site-packages/zz.pth"},
	"curl":   {"/root/.curlrc", "/root/.config/curlrc"},
	"gem":    {"/root/.gemrc", "/root/.config/gem/gemrc"},
	"cargo":  {"/root/.cargo/config"},
	"dnf":    {"/etc/dnf/dnf.conf"},
	"uv":     {"/etc/xdg/uv/uv.toml"},
}

// layers are the files of a row, by example where it reads a whole directory.
func layers(t *testing.T, machine string, r *client.Row) []client.File {
	var out []client.File
	for _, stands := range append([]string{""}, only[r.Name]...) {
		more := ""
		if stands != "" {
			more = "-- " + stands[1:] + " --\n"
		}
		h := platformtest.New(t, machine+more)
		for _, f := range client.FilesOf(h.View, r) {
			if f.Ext != "" {
				ending, _, _ := strings.Cut(f.Ext, ",")
				f.Path = path.Join(f.Path, "90proof"+map[string]string{"*": "", "apt": ""}[ending])
				if strings.HasPrefix(ending, ".") {
					f.Path += ending
				}
			}
			if !has(out, f.Path) {
				out = append(out, f)
			}
		}
		if stands != "" && !has(out, stands) {
			t.Errorf("%s does not read %s although it stands there", r.Name, stands)
		}
	}
	return out
}

func has(files []client.File, name string) bool {
	return slices.ContainsFunc(files, func(f client.File) bool { return f.Path == name })
}

func proofsOf(t *testing.T, machine string, r *client.Row) []proof {
	var out []proof
	all := layers(t, machine, r)
	for n, f := range all {
		seen := map[string]bool{} // kinds of trouble this file has had a case of
		for i := range r.Keys {
			k := &r.Keys[i]
			if k.Only != "" && k.Only != f.Format || f.Format != "" && lines[strings.Join(k.Path, ".")] != "" {
				continue
			}
			if (f.Format == edit.Shell || f.Format == edit.EnvFile) && strings.Contains(k.Path[0], ".") { // no variable: of another file
				continue
			}
			for _, id := range []string{"verify-off", "ca-path-missing"} {
				// Every file once, and every key once: in the last file.
				if seen[id] && n < len(all)-1 {
					continue
				}
				if p, ok := keyProof(t, r, f, k, id); ok {
					out = append(out, p)
					seen[id] = true
				}
			}
		}
	}
	for i := range r.Vars {
		for _, id := range []string{"verify-off", "ca-path-missing"} {
			if p, ok := varProof(r, &r.Vars[i], id); ok {
				out = append(out, p)
			}
		}
	}
	return out
}

// lines are what code looks like that no editor knows.
var lines = map[string]string{
	"httr::ssl_verifypeer":              "httr::set_config(httr::config(ssl_verifypeer = 0))",
	"RCurl::ssl.verifypeer":             "options(RCurlOptions = list(ssl.verifypeer = FALSE))",
	"download.file.extra":               `options(download.file.method = "curl", download.file.extra = "-k")`,
	"ssl._create_default_https_context": "import ssl; ssl._create_default_https_context = ssl._create_unverified_context",
}

// sections are what a row's first "*" stands for, where it is not a host.
var sections = map[string]string{"pip": "global", "dnf": "main", "yum": "main", "aws": "default", "git": "https://proof.example/", "poetry": "corp", "pdm": "corp"}

const gone = "/gone/ca.pem"

// values are tried until one has the meaning that a proof needs; a row's own come first.
var (
	values = map[string][]string{
		"verify-off":      {"false", "0", "off", "true", "proof.example", ""},
		"ca-path-missing": {gone},
	}
	spelled = map[string]string{"curl": "", "gem": "0", "bundler": "0", "r": "-k"}
)

func valuesOf(r *client.Row, hosts bool, id string) []string {
	own, ok := spelled[r.Name]
	switch {
	case id != "verify-off":
		return values[id]
	case hosts:
		return []string{"proof.example"}
	case ok:
		return append([]string{own}, values[id]...)
	}
	return values[id]
}

// word is the first of the beginnings that a word of options may have.
func word(beginnings string) string {
	first, _, _ := strings.Cut(beginnings, "|")
	return first
}

func keyProof(t *testing.T, r *client.Row, f client.File, k *client.Key, id string) (proof, bool) {
	at := slices.Clone(k.Path)
	for i, p := range at {
		if p == "*" {
			at[i] = orElse(sections[r.Name], "proof.example")
		}
	}
	if r.Name == "gem" {
		at[0] = ":" + at[0] // as gem itself writes its keys
	}
	for _, v := range valuesOf(r, k.Hosts, id) {
		role, off := k.Says(at, word(k.Word)+v)
		if id == "verify-off" && !(role == client.RoleVerify && off) || id == "ca-path-missing" && role != client.RoleCA {
			continue
		}
		p := proof{row: r, id: id, file: f.Path, hand: k.ByHand || f.Format == ""}
		p.name = fmt.Sprintf("%s: %s in %s", id, strings.Join(at, "."), f.Path)
		if f.Format == "" {
			line := orElse(lines[strings.Join(at, ".")], word(k.Word)+v)
			p.sans = "# one\n# two\n"
			p.with, p.line = "# one\n"+line+"\n# two\n", 2
			return p, slices.ContainsFunc(f.Read([]byte(p.with)), func(e edit.Entry) bool { return slices.Equal(e.Path, at) })
		}
		p.with, p.sans, p.line = written(t, f.Format, at, word(k.Word)+v, k.Hosts && f.Format == edit.JSON)
		return p, true
	}
	return proof{}, false
}

// written is a file with a key between two others of its section, without it,
// and the line of the key.
func written(t *testing.T, format edit.Format, at []string, value string, list bool) (with, sans string, line int) {
	t.Helper()
	if list {
		return fmt.Sprintf("{\n  \"one\": 1,\n  %q: [\n    %q\n  ],\n  \"two\": 2\n}\n", at[0], value), "{\n  \"one\": 1,\n  \"two\": 2\n}\n", 3
	}
	if format == edit.YAML && len(at) > 2 { // deeper than the editor adds to
		for i, p := range at[:len(at)-1] {
			sans += strings.Repeat("  ", i) + p + ":\n"
		}
		in := strings.Repeat("  ", len(at)-1)
		with = fmt.Sprintf("%s%sone: 1\n%s%s: %s\n%stwo: 2\n", sans, in, in, at[len(at)-1], value, in)
		return with, fmt.Sprintf("%s%sone: 1\n%stwo: 2\n", sans, in, in), len(at) + 1
	}
	beside := func(name string) []string {
		if format == edit.EnvFile || format == edit.Shell {
			name = strings.ToUpper(name)
		}
		return append(slices.Clone(at[:len(at)-1]), name)
	}
	data := []byte("# proof\n")
	if format == edit.AptConf {
		data = []byte("// proof\n")
	}
	add := func(data []byte, at []string, value string) []byte {
		data, err := edit.Add(format, data, at, value)
		if err != nil {
			t.Fatalf("%s %v: %v", format, at, err)
		}
		return data
	}
	data = add(data, beside("aaone"), "1")
	with = string(add(add(data, at, value), beside("zztwo"), "2"))
	sans = string(add(data, beside("zztwo"), "2"))
	entries, err := edit.Parse(format, []byte(with))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if slices.Equal(e.Path, at) {
			line = e.Line
		}
	}
	return with, sans, line
}

// varProof is a variable that a profile exports.
func varProof(r *client.Row, v *client.Var, id string) (proof, bool) {
	for _, value := range valuesOf(r, v.Hosts, id) {
		role, off, ok := v.Says(word(v.Word) + value)
		if !ok || id == "verify-off" && !(role == client.RoleVerify && off) || id == "ca-path-missing" && (role != client.RoleCA || value == "") {
			continue
		}
		name := strings.ReplaceAll(v.Name, "*", "CORP")
		return proof{
			row: r, id: id, name: fmt.Sprintf("%s: %s in /root/.profile", id, name), file: "/root/.profile", line: 2,
			with: fmt.Sprintf("umask 022\nexport %s=%s%s\nalias ll='ls -l'\n", name, word(v.Word), value), sans: "umask 022\nalias ll='ls -l'\n",
		}, true
	}
	return proof{}, false
}

// run finds the line, repairs, takes back, and says what there was to see.
func (p proof) run(t *testing.T, machine string) string {
	programs := platformtest.Programs{}
	for _, n := range p.row.Programs {
		programs[n] = platformtest.Program{Optional: true}
	}
	h := platformtest.New(t, machine+"-- "+p.file[1:]+" --\n"+p.with, platformtest.Script(programs))
	was := platformtest.Contents(h)
	o := detect.Options{Refs: bundles.Reference(), Offline: true, Only: []string{p.id}}
	report, err := detect.Run(t.Context(), h.View, o)
	if err != nil {
		t.Fatal(err)
	}
	where := fmt.Sprintf("%s:%d", p.file, p.line)
	var said strings.Builder
	found := false
	for _, f := range report.Findings {
		found = found || f.Where == where
		fmt.Fprintf(&said, "%s %s %s %s %s: %s\n", f.Severity, f.ID, f.Client, f.Where, f.Action, f.Summary)
	}
	if !found {
		t.Errorf("%s: nothing found at %s, but:\n%s%s", p.name, where, said.String(), p.with)
		return ""
	}
	plan, err := fix.Make(t.Context(), &fix.Input{View: h.View, Report: report})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Steps {
		fmt.Fprintf(&said, "%s: %s\n", s.Fix.ID, s.Summary)
		if s.Manual != nil {
			fmt.Fprintf(&said, "by hand: %s\n", s.Manual.Do)
		}
		for _, a := range s.Actions {
			said.WriteString(a.Diff())
		}
	}
	run, err := fix.Apply(t.Context(), h, plan, fix.ApplyOptions{})
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	if (run == nil) != p.hand {
		t.Errorf("%s: %d steps are possible; the row says by hand: %v\n%s", p.name, plan.Possible(), p.hand, said.String())
	}
	if run == nil {
		return said.String()
	}
	if got := platformtest.Read(h, p.file); run.State != fix.RunApplied || got != p.sans {
		t.Errorf("%s: %s, and left\n%s\nwanted\n%s", p.name, run.State, got, p.sans)
	}
	if report, err = detect.Run(t.Context(), h.View, o); err != nil || len(report.Findings) > 0 {
		t.Errorf("%s: still found after the repair: %v, %v", p.name, report.Findings, err)
	}
	if run, err = fix.Rollback(t.Context(), h, "", false); err != nil || run == nil || run.State != fix.RunUndone {
		t.Errorf("%s: rollback: %+v, %v", p.name, run, err)
	}
	if now := platformtest.Contents(h); now != was {
		t.Errorf("%s: the rollback left\n%s", p.name, platformtest.Diff(was, now))
	}
	return said.String()
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
