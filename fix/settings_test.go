package fix

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform/platformtest"
)

var settingsIDs = []string{
	"config-unreadable", "verify-off", "ca-path-missing", "ca-path-invalid", "ca-path-partial", "ca-conflict",
	"insecure-url", "client-key-exposed", "client-cert-expired",
}

// Each archive in testdata/settings is a system; its file "want" is what is
// found there, every edit as a diff, and what is still found after the edits.
// Lines "env NAME=value" of the comment are the process environment.
func TestSettings(t *testing.T) {
	files, err := filepath.Glob("testdata/settings/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" }); i >= 0 {
				want = string(a.Files[i].Data)
				a.Files = slices.Delete(a.Files, i, i+1)
			}
			env := map[string]string{}
			for line := range strings.Lines(string(a.Comment)) {
				if kv, ok := strings.CutPrefix(strings.TrimSpace(line), "env "); ok {
					k, v, _ := strings.Cut(kv, "=")
					env[k] = v
				}
			}
			got := repairSettings(t, a, env)
			if got == want {
				return
			}
			if os.Getenv("UPDATE") != "" {
				a.Files = append(a.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		})
	}
}

func repairSettings(t *testing.T, a *txtar.Archive, env map[string]string) string {
	h := platformtest.New(t, a, platformtest.Env(env))
	o := detect.Options{Refs: bundles.Reference(), Offline: true, Only: settingsIDs}
	ctx := context.Background()
	var b strings.Builder
	r, err := detect.Run(ctx, h.View, o)
	if err != nil {
		t.Fatal(err)
	}
	list(&b, r)
	p, err := makePlan(ctx, &Input{View: h.View, Report: r}, settingsFixes)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "\n%s: %s\n", s.Fix.ID, s.Summary)
		if s.Manual != nil {
			fmt.Fprintf(&b, "by hand: %s\n", s.Manual.Do)
		}
		for _, x := range s.Actions {
			b.WriteString(x.Diff())
			if err := h.Write.Put(x.Target, x.After); err != nil {
				t.Fatal(err)
			}
		}
	}
	if r, err = detect.Run(ctx, h.View, o); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\nafter:\n")
	list(&b, r)
	return b.String()
}

func list(b *strings.Builder, r *detect.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(b, "%s %s %s %s %s: %s\n", f.Severity, f.ID, f.Client, f.Where, f.Action, f.Summary)
		for _, e := range f.Evidence {
			fmt.Fprintf(b, "    %s\n", e)
		}
		for _, e := range f.Advice {
			fmt.Fprintf(b, "  > %s\n", e)
		}
	}
	for _, f := range r.Failed {
		fmt.Fprintf(b, "failed %s: %s\n", f.Check, f.Error)
	}
}
