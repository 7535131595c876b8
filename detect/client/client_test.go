package client

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func resolve(t testing.TB, a *txtar.Archive, env platform.Env, opts ...platformtest.Option) Inventory {
	t.Helper()
	h := platformtest.New(t, a, append(opts, platformtest.Env(env))...)
	inv, err := Resolve(context.Background(), h.View)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// describe writes an inventory as lines that a test can compare.
func describe(inv Inventory) string {
	var b strings.Builder
	for _, c := range inv.Clients {
		b.WriteString(strings.Join([]string{"client", c.Name, c.Path, c.Version, "verify=" + c.Verify, "trust=" + c.Trust.Kind, c.Trust.Path, "by=" + c.Trust.SetBy}, " ") + "\n")
		for _, a := range c.Trust.Adds {
			b.WriteString("  adds " + a + "\n")
		}
		for _, e := range c.Endpoints {
			b.WriteString("  uses " + e.URL.String() + " " + e.SetBy)
			if e.Proxy != nil {
				b.WriteString(" through " + e.Proxy.String())
			}
			b.WriteString("\n")
		}
	}
	for _, s := range inv.Settings {
		var flags []string
		if s.Off {
			flags = append(flags, "off")
		}
		if s.Wins {
			flags = append(flags, "wins")
		}
		if s.Inert {
			flags = append(flags, "inert")
		}
		b.WriteString(strings.TrimRight(strings.Join([]string{"setting", s.Client, string(s.Role), s.Where(), s.Name + "=" + strings.ReplaceAll(s.Value, "\n", "|"), strings.Join(flags, ",")}, " "), " ") + "\n")
	}
	for _, u := range inv.Unreadable {
		b.WriteString("unreadable " + u.Client + " " + u.Where() + "\n")
	}
	return b.String()
}

// Each archive in testdata/inventory is a tree and, as the file "want", what
// is found in it; its comment says why. Lines "env NAME=value" of the comment
// are the process environment, a line "in DIR" is the working directory.
func TestInventory(t *testing.T) {
	files, err := filepath.Glob("testdata/inventory/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no inventories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(data)
			want, env, dir := "", platform.Env{}, ""
			for _, line := range strings.Split(string(a.Comment), "\n") {
				if kv, ok := strings.CutPrefix(line, "env "); ok {
					k, v, _ := strings.Cut(kv, "=")
					env[k] = v
				}
				if d, ok := strings.CutPrefix(line, "in "); ok {
					dir = d
				}
			}
			at := -1
			for i, f := range a.Files {
				if f.Name == "want" {
					want, at = string(f.Data), i
				}
			}
			tree := *a
			if at >= 0 {
				tree.Files = append(append([]txtar.File{}, a.Files[:at]...), a.Files[at+1:]...)
			}
			got := describe(resolve(t, &tree, env, platformtest.Dir(dir)))
			if got == want {
				return
			}
			if os.Getenv("UPDATE") != "" {
				tree.Files = append(tree.Files, txtar.File{Name: "want", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(&tree), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		})
	}
}
