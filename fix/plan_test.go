package fix

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

func TestPlanShowsTheTrueSequence(t *testing.T) {
	m, r := sample()
	p := mustPlan(t, m, r)
	if len(p.Steps) != 5 || p.Possible() != 5 {
		t.Fatalf("%d steps, %d possible", len(p.Steps), p.Possible())
	}
	second := p.Steps[1].Actions[0].Diff()
	const want = "--- /etc/app.conf\n+++ /etc/app.conf\n@@ -1,2 +1,2 @@\n fixed\n-second\n+fixed\n"
	if second != want {
		t.Errorf("second diff of the file:\n%s\nwant:\n%s", second, want)
	}
	if p.Steps[2].Actions[0].Target != "/home/lin/dots/rc" {
		t.Errorf("target %s", p.Steps[2].Actions[0].Target)
	}
	if got := p.Steps[3].Actions[0].Diff(); !strings.HasPrefix(got, "--- /dev/null\n+++ /etc/new/deep/x.conf\n") {
		t.Errorf("diff of a new file:\n%s", got)
	}
	if p.StepFor(4) != p.Steps[4] || p.StepFor(5) != nil {
		t.Error("StepFor finds the wrong step")
	}
	if len(m.state) != 1 || m.ops != 0 {
		t.Error("planning changed something")
	}
}

func TestPlanJSON(t *testing.T) {
	m, r := sample()
	r.Findings = r.Findings[4:5]
	data, err := json.Marshal(mustPlan(t, m, r))
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"fix":"store","findings":[0],"summary":"select","elevated":false,"reversible":true,"actions":[` +
		`{"kind":"file","target":"/etc/store.conf","diff":"--- /etc/store.conf\n+++ /etc/store.conf\n@@ -1,1 +1,2 @@\n one\n+added\n","argv":[]},` +
		`{"kind":"command","target":"rebuild","diff":"","argv":["/bin/rebuild","{ca.pem}"]}]}]`
	if string(data) != want {
		t.Errorf("got  %s\nwant %s", data, want)
	}
	if data, _ := json.Marshal((*Plan)(nil)); string(data) != "null" && string(data) != "[]" {
		t.Errorf("empty plan: %s", data)
	}
	run := Run{ID: "2026-11-21-9f3c", State: RunApplied, Steps: []StepResult{{Fix: "edit", Status: Done}}}
	if data, _ := json.Marshal(run); string(data) != `{"id":"2026-11-21-9f3c","state":"applied","steps":[{"fix":"edit","status":"done","error":"","summary":""}]}` {
		t.Errorf("run: %s", data)
	}
}

func TestOnlyAndSkipTakeBothKindsOfID(t *testing.T) {
	for name, c := range map[string]struct {
		only, skip []string
		want       int
	}{
		"all":            {want: 5},
		"only finding":   {only: []string{"broken"}, want: 3},
		"only fix":       {only: []string{"store"}, want: 1},
		"only both":      {only: []string{"store", "absent"}, want: 2},
		"skip finding":   {skip: []string{"broken"}, want: 2},
		"skip fix":       {skip: []string{"edit", "write"}, want: 1},
		"only then skip": {only: []string{"broken"}, skip: []string{"edit"}, want: 0},
	} {
		m, r := sample()
		r.Options.Only, r.Options.Skip = c.only, c.skip
		if got := len(mustPlan(t, m, r).Steps); got != c.want {
			t.Errorf("%s: %d steps, want %d", name, got, c.want)
		}
	}
}

func TestConsentIsToACAByItsFingerprint(t *testing.T) {
	ca := &x509.Certificate{Raw: []byte("the CA")}
	for _, c := range []struct {
		ca        *x509.Certificate
		consented []string
		want      int
	}{
		{ca, nil, 0},
		{ca, []string{bundles.Fingerprint([]byte("another"))}, 0},
		{nil, []string{bundles.Fingerprint(ca.Raw)}, 0},
		{ca, []string{bundles.Fingerprint(ca.Raw)}, 1},
	} {
		m, r := sample()
		f := broken("/etc/other.conf", "broken")
		f.Action, f.Endpoint = detect.Consent, &detect.Endpoint{CA: c.ca}
		r.Findings = []detect.Finding{f}
		r.Options.Consented = c.consented
		if got := len(mustPlan(t, m, r).Steps); got != c.want {
			t.Errorf("consent to %v: %d steps, want %d", c.consented, got, c.want)
		}
	}
}

func TestWhatNeedsRootIsCutOffAndNamed(t *testing.T) {
	m, r := sample()
	m.readOnly = map[string]error{"/etc/app.conf": fs.ErrPermission, "/etc/store.conf": fs.ErrPermission}
	r.Options.Targets = []string{"https://a b/"}
	h := m.host()
	h.Elevated = false
	p, err := makePlan(t.Context(), &Input{View: h.View, Report: r}, engineFixes)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.SudoLine("--offline"), "sudo trustfix --apply --only edit,store --target 'https://a b/' --offline"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	run, err := Apply(t.Context(), h, p, ApplyOptions{Verify: verifier(r)})
	if err != nil || run.Count(Done) != 2 || run.Count(Skipped) != 3 || run.State != RunApplied {
		t.Fatalf("run %+v, %v", run, err)
	}
	if string(m.tree["/etc/app.conf"].Data) != "first\nsecond\n" {
		t.Error("changed without the right to")
	}
	h.Elevated = true
	if p, _ := makePlan(t.Context(), &Input{View: h.View, Report: r}, engineFixes); p.SudoLine() != "" {
		t.Errorf("root is told to use sudo: %s", p.SudoLine())
	}
}

func TestManualAndFailedPlans(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"manual": {&Manual{Why: text.Raw("a person"), Do: text.Raw("do it")}, "a person"},
		"error":  {errors.New("cannot read /x"), "this change could not be planned: cannot read /x"},
	} {
		m, r := sample()
		f := &Fix{ID: "edit", Plan: func(context.Context, *Input, []detect.Finding) ([]Action, error) { return nil, c.err }}
		p, err := makePlan(t.Context(), &Input{View: m.host().View, Report: r}, []*Fix{f})
		if err != nil || len(p.Steps) != 3 || p.Possible() != 0 || p.Steps[0].Summary.String() != c.want {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if p.SudoLine() != "" {
			t.Errorf("%s: sudo would not help", name)
		}
		if run, err := Apply(t.Context(), m.host(), p, ApplyOptions{}); run != nil || err != nil {
			t.Errorf("%s: run %+v, %v", name, run, err)
		}
	}
}

func TestChangesOfOneFileInOneStepBuildOnEachOther(t *testing.T) {
	m, r := sample()
	r.Findings = r.Findings[:1]
	f := &Fix{ID: "edit", Plan: func(context.Context, *Input, []detect.Finding) ([]Action, error) {
		return []Action{
			{Kind: FileAction, Target: "/etc/app.conf", After: m.file("one\n")},
			{Kind: FileAction, Target: "/etc/app.conf", After: m.file("two\n")},
		}, nil
	}}
	p, err := makePlan(t.Context(), &Input{View: m.host().View, Report: r}, []*Fix{f})
	if err != nil || p.Steps[0].Manual == nil || len(p.Steps[0].Actions) != 0 {
		t.Errorf("%+v, %v", p.Steps[0], err)
	}
}

func TestNewFilesBelongToTheirDirectory(t *testing.T) {
	m := newMemory(map[string]string{"/home/lin/.bashrc": ""})
	dir := m.tree["/home/lin"]
	dir.UID, dir.GID = 1000, 1000
	m.tree["/home/lin"] = dir
	r := &detect.Report{Findings: []detect.Finding{
		{ID: "absent", Severity: detect.Error, Where: "/home/lin/.config/pip/pip.conf", Action: detect.Auto, Fix: "write"},
	}}
	mustApply(t, m, r)
	for _, p := range []string{"/home/lin/.config", "/home/lin/.config/pip", "/home/lin/.config/pip/pip.conf"} {
		if img := m.tree[p]; img.UID != 1000 || img.GID != 1000 || img.Mode&0o022 != 0 {
			t.Errorf("%s: %d:%d %04o", p, img.UID, img.GID, img.Mode)
		}
	}
}

func TestDiffHidesSecrets(t *testing.T) {
	m := newMemory(nil)
	key := "-----BEGIN RSA PRIVATE KEY-----\nMIIsecret\n-----END RSA PRIVATE KEY-----\n"
	before := m.file("index = https://u:secret@h/\nchannel: https://c/t/secret/x\n" + key + "verify = no\n")
	for name, c := range map[string]struct {
		before, after platform.Image
		want          string
	}{
		"context":        {before, m.file(strings.Replace(string(before.Data), "verify = no\n", "", 1)), "-verify = no"},
		"only a secret":  {before, m.file(strings.Replace(string(before.Data), "u:secret", "u:secret2", 1)), "only secrets differ"},
		"removed":        {before, platform.Image{Kind: platform.Absent}, "+++ /dev/null"},
		"unreadable":     {func() platform.Image { i := before; i.Mode = 0; return i }(), m.file("x"), "not shown"},
		"binary":         {m.file("secret\x00"), m.file("x"), "not shown"},
		"not UTF-8":      {m.file("secret\xff"), m.file("x"), "not shown"},
		"too large":      {platform.Image{Kind: platform.File, Mode: 0o644, Size: 1 << 30, SHA256: "x"}, m.file("x"), "not shown"},
		"becomes a link": {before, platform.Image{Kind: platform.Link, Link: "/x"}, "+link to /x"},
		"mode": {
			before, func() platform.Image { i := before; i.Mode = 0o600; return i }(),
			"old mode 000644\nnew mode 000600\n",
		},
	} {
		got := Action{Kind: FileAction, Target: "/f", Before: c.before, After: c.after}.Diff()
		if !strings.Contains(got, c.want) || strings.Contains(got, "secret@") || strings.Contains(got, "/t/secret") || strings.Contains(got, "MIIsecret") || strings.Contains(got, "secret\x00") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	a := Action{Kind: CommandAction, Do: []platform.Cmd{{Argv: []string{"curl", "https://u:secret@h/a b", "it's"}}}}
	if got := a.Commands()[0]; got != `curl 'https://***@h/a b' 'it'\''s'` {
		t.Errorf("command: %s", got)
	}
}

func TestOverlay(t *testing.T) {
	m := newMemory(map[string]string{"/etc/a": "a", "/etc/b": "b", "/etc/link": "-> a", "/opt/x/f": "f", "/dir": "-> opt/x"})
	o := &overlay{Files: memFiles{m}, images: map[string]platform.Image{}}
	o.add([]Action{
		{Kind: FileAction, Target: "/etc/a", After: m.file("A")},
		{Kind: FileAction, Target: "/etc/b", After: platform.Image{Kind: platform.Absent}},
		{Kind: FileAction, Target: "/new/deep/c", After: m.file("c")},
		{Kind: LinkAction, Target: "/etc/to-new", After: platform.Image{Kind: platform.Link, Link: "../new"}},
		{Kind: FileAction, Target: "/opt/x/g", After: m.file("g")},
		{Kind: CommandAction, Target: "ignored"},
	})
	for name, want := range map[string]string{
		"/etc/a": "A", "/etc/link": "A", "/etc/b": "", "/new/deep/c": "c", "/etc/to-new/deep/c": "c", "/dir/f": "f", "/dir/g": "g", "/etc/none": "",
	} {
		data, err := o.ReadFile(name)
		if string(data) != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadFile %s: %q, %v", name, data, err)
		}
		_, err = o.Stat(name)
		if (err != nil) != (want == "") {
			t.Errorf("Stat %s: %v", name, err)
		}
	}
	for dir, want := range map[string]string{"/etc": "a link to-new", "/new": "deep", "/etc/to-new": "deep", "/dir": "f g"} {
		names, err := o.ReadDir(dir)
		if got := strings.Join(names, " "); got != want || err != nil {
			t.Errorf("ReadDir %s: %q, %v", dir, got, err)
		}
	}
	for name, want := range map[string]platform.Kind{
		"/etc/b": platform.Absent, "/etc/to-new": platform.Link, "/etc/link": platform.Link, "/new": platform.DirKind, "/new/x": platform.Absent, "/dir/g": platform.File,
	} {
		if img, err := o.Snapshot(name); img.Kind != want || err != nil {
			t.Errorf("Snapshot %s: %s, %v", name, img.Kind, err)
		}
	}
	if err := o.Writable("/new/deep/d"); err != nil {
		t.Errorf("Writable below planned directories: %v", err)
	}
}

func TestNeedsNewShell(t *testing.T) {
	m, r := sample()
	if mustPlan(t, m, r).NeedsNewShell() {
		t.Error("no shell profile is changed")
	}
	r.Findings[0].Setting = &client.Setting{Env: true, Name: "SSL_CERT_FILE", File: "/home/lin/.profile"}
	plan := mustPlan(t, m, r)
	if !plan.NeedsNewShell() {
		t.Error("a variable is changed")
	}
	if got := plan.Variables(); !slices.Equal(got, []string{"SSL_CERT_FILE"}) {
		t.Errorf("variables %q", got)
	}
}
