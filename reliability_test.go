package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	citedTest   = regexp.MustCompile("`([a-z]+)\\.((?:Test|Fuzz)\\w+)`")
	citedScript = regexp.MustCompile("`(\\w+\\.txtar)`")
	testFunc    = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// docs/reliability.md names the test that holds each promise: they exist, and
// no row is without an answer.
func TestReliabilityPage(t *testing.T) {
	page, err := os.ReadFile("docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	cited := 0
	for _, m := range citedTest.FindAllSubmatch(page, -1) {
		cited++
		if name := string(m[1]) + "." + string(m[2]); !tests[name] {
			t.Errorf("there is no test %s", name)
		}
	}
	for _, m := range citedScript.FindAllSubmatch(page, -1) {
		if _, err := os.Stat(filepath.Join("testdata/script", string(m[1]))); err != nil {
			t.Error(err)
		}
	}
	for n := 1; n <= 48; n++ {
		if !strings.Contains(string(page), fmt.Sprintf("\n| %d | ", n)) {
			t.Errorf("row %d is missing", n)
		}
	}
	if cited < 100 {
		t.Errorf("only %d tests are cited", cited)
	}
}

// testNames is every test of this repository, as package.Test.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		for _, m := range testFunc.FindAllSubmatch(src, -1) {
			tests[strings.TrimSuffix(f.Name.Name, "_test")+"."+string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
