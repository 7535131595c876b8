package fix

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
// Lines "env NAME=value" of the comment are the process environment, a line
// "in DIR" is the working directory.
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
			env, dir := map[string]string{}, ""
			for line := range strings.Lines(string(a.Comment)) {
				if kv, ok := strings.CutPrefix(strings.TrimSpace(line), "env "); ok {
					k, v, _ := strings.Cut(kv, "=")
					env[k] = v
				}
				if d, ok := strings.CutPrefix(strings.TrimSpace(line), "in "); ok {
					dir = d
				}
			}
			got := repairSettings(t, a, env, dir)
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

func repairSettings(t *testing.T, a *txtar.Archive, env map[string]string, dir string) string {
	h := platformtest.New(t, a, platformtest.Env(env), platformtest.Dir(dir))
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

// A bundle of private CAs alone that replaces the public roots is completed,
// not taken away: the servers it was made for go on working.
func TestPartialBundle(t *testing.T) {
	corp, public := newCA(t, "Corp Root"), newCA(t, "Public Root")
	tree := func(bundle, store string) string {
		return "-- opt/conda/conda-meta/conda-24.1.0-py311_0.json --\n{}\n-- opt/conda/condabin/conda --\n" +
			"-- root/.condarc --\n# mine\nssl_verify: /srv/corp.pem # the proxy\n-- srv/corp.pem --\n" + bundle +
			"-- etc/ssl/certs/ca-certificates.crt --\n" + store
	}
	refs := bundles.NewRoots(public)
	for name, tt := range map[string]struct{ store, want string }{
		"the store does not hold it": {pemText(public), "# mine\nssl_verify: /srv/corp-and-public.pem # the proxy\n"},
		"the store holds it":         {pemText(public, corp), "# mine\nssl_verify: /etc/ssl/certs/ca-certificates.crt # the proxy\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h := platformtest.New(t, tree(pemText(corp), tt.store))
			ctx, o := context.Background(), detect.Options{Refs: refs, Offline: true, Only: settingsIDs}
			r, err := detect.Run(ctx, h.View, o)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != 1 || r.Findings[0].ID != "ca-path-partial" || r.Findings[0].Where != "/root/.condarc:2" {
				t.Fatalf("found %v", r.Findings)
			}
			for _, st := range r.Stores { // a tree with one file is no complete system
				st.Status = detect.StoreOK
			}
			p, err := makePlan(ctx, &Input{View: h.View, Report: r}, settingsFixes)
			if err != nil || len(p.Steps) != 1 || p.Steps[0].Manual != nil {
				t.Fatal(p, err)
			}
			for _, a := range p.Steps[0].Actions {
				if err := h.Write.Put(a.Target, a.After); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := h.Files.ReadFile("/root/.condarc"); err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if got, err := h.Files.ReadFile("/srv/corp.pem"); err != nil || string(got) != pemText(corp) {
				t.Errorf("the person's own bundle was changed: %q, %v", got, err)
			}
			if r, err = detect.Run(ctx, h.View, o); err != nil || len(r.Findings) != 0 {
				t.Errorf("still found: %v, %v", r.Findings, err)
			}
		})
	}
}

func newCA(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	return reissue(t, name, time.Unix(1.7e9, 0))
}

func reissue(t *testing.T, name string, from time.Time) *x509.Certificate {
	t.Helper()
	return platformtest.Root(t, name, func(c *x509.Certificate) { c.NotBefore = from })
}

func pemText(certs ...*x509.Certificate) string {
	return string(bundles.Assemble(nil, certs...))
}
