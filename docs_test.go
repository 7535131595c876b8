package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/fix"
)

var update = flag.Bool("update", false, "rewrite docs/checks.md")

// docs/checks.md is made from the literals, so it cannot say anything else
// than `trustfix explain`. Rewrite it with: go test -run TestChecksPage -update .
func TestChecksPage(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Findings, fixes, clients\n\nMade from the source by `go test -run TestChecksPage -update .`; `trustfix explain ID` prints the same.\n")
	area := ""
	for _, c := range detect.All {
		if c.Area != area {
			area = c.Area
			fmt.Fprintf(&b, "\n## %s\n", area)
		}
		for _, id := range append(slices.Clone(c.IDs), onlyID(c)...) {
			doc := detect.DocFor(id)
			if doc.IsZero() {
				t.Errorf("%s has no doc", id)
			}
			fmt.Fprintf(&b, "\n**`%s`**: %s\n", id, doc)
		}
	}
	b.WriteString("\n## Fixes\n")
	for _, f := range fix.All {
		if f.Doc.IsZero() {
			t.Errorf("%s has no doc", f.ID)
		}
		fmt.Fprintf(&b, "\n**`%s`** (for %s): %s\n", f.ID, strings.Join(f.For, ", "), f.Doc)
	}
	b.WriteString("\n## Clients\n\n")
	var names []string
	for _, row := range client.All() {
		names = append(names, row.Name)
	}
	b.WriteString(strings.Join(names, ", ") + "\n")

	const page = "docs/checks.md"
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the source says; run: go test -run TestChecksPage -update .", page)
	}
}

// onlyID is the id of a check that yields just that finding.
func onlyID(c *detect.Check) []string {
	if len(c.IDs) == 0 {
		return []string{c.ID}
	}
	return nil
}

// Ids are stable names that people search for: each stands once, and every
// finding that a fix is for exists.
func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range detect.IDs() {
		if seen[id] {
			t.Errorf("two checks yield %s", id)
		}
		seen[id] = true
		if id != strings.ToLower(id) || strings.ContainsAny(id, "_ .") {
			t.Errorf("%s is not kebab case", id)
		}
	}
	for _, f := range fix.All {
		if seen[f.ID] {
			t.Errorf("%s is the id of a finding and of a fix", f.ID)
		}
		for _, id := range f.For {
			if !seen[id] {
				t.Errorf("%s is for %s, which no check yields", f.ID, id)
			}
		}
	}
}

// The most fundamental cause is asked first: what explains a finding stands
// before it in the list.
func TestCausesComeFirst(t *testing.T) {
	seen := map[*detect.Check]bool{}
	for _, c := range detect.All {
		for _, cause := range c.After {
			if !seen[cause] {
				t.Errorf("%s explains %s and comes after it", cause.ID, c.ID)
			}
		}
		seen[c] = true
	}
}
