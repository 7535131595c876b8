package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers says what each room may import of ours; depguard in .golangci.yml
// says the same to an editor. A room that is not listed may import nothing.
var layers = map[string][]string{
	".":                         {"trustfix/internal/cli"},
	"platform":                  {},
	"platform/platformtest":     {"trustfix/platform"},
	"bundles":                   {},
	"internal/text":             {},
	"internal/edit":             {},
	"detect/chain":              {"trustfix/bundles", "trustfix/internal/text"},
	"detect/client":             {"trustfix/platform", "trustfix/bundles", "trustfix/internal/text", "trustfix/internal/edit", "trustfix/detect/chain"},
	"detect":                    {"trustfix/platform", "trustfix/bundles", "trustfix/internal/text", "trustfix/internal/edit", "trustfix/detect/chain", "trustfix/detect/client"},
	"fix":                       {"trustfix/platform", "trustfix/bundles", "trustfix/internal/text", "trustfix/internal/edit", "trustfix/detect", "trustfix/detect/chain", "trustfix/detect/client"},
	"internal/release":          {"trustfix/platform", "trustfix/internal/text"},
	"internal/cli/docs":         {"trustfix/internal/cli"},
	"internal/release/manifest": {"trustfix/internal/release", "trustfix/platform"},
	"internal/release/keys":     {"trustfix/internal/release", "trustfix/platform"},
	"internal/cli":              {"trustfix/platform", "trustfix/bundles", "trustfix/internal/release", "trustfix/internal/text", "trustfix/detect", "trustfix/detect/chain", "trustfix/detect/client", "trustfix/fix"},
}

// onlyIn are imports that one room has to itself.
var onlyIn = map[string][]string{
	"github.com/urfave/cli/v2":                      {"internal/cli"},
	"github.com/beevik/ntp":                         {"platform"},
	"os/exec":                                       {"platform", "platform/platformtest"},
	"aead.dev/minisign":                             {"internal/release"},
	"github.com/creativeprojects/go-selfupdate":     {"internal/release"},
	"golang.org/x/sys/unix":                         {"platform", "platform/platformtest"},
	"golang.org/x/crypto/x509roots/fallback/bundle": {"bundles"},
	// Sets the process-wide fallback roots: with it the diagnosis would lie.
	"golang.org/x/crypto/x509roots/fallback": {},
}

// doors are the functions through which the machine is reached; only platform
// may use them, so that everything above runs over any tree and any clock.
var doors = map[string][]string{
	"os": {
		"ReadFile", "WriteFile", "Open", "OpenFile", "Create", "CreateTemp", "Stat", "Lstat", "ReadDir", "Readlink", "Remove",
		"RemoveAll", "Rename", "Mkdir", "MkdirAll", "MkdirTemp", "Symlink", "Link", "Chmod", "Chown", "Lchown", "Chtimes",
		"Getenv", "LookupEnv", "Environ", "Setenv", "Getuid", "Geteuid", "Hostname", "UserHomeDir", "OpenRoot", "Truncate",
	},
	"time":     {"Now", "Since", "Until"},
	"runtime":  {"GOOS", "GOARCH"},
	"net":      {"Dial", "DialTimeout", "Listen", "LookupHost", "LookupIP", "DefaultResolver"},
	"net/http": {"DefaultClient", "DefaultTransport", "Get", "Head", "Post"},
}

func TestLayers(t *testing.T) {
	walkSource(t, func(dir, path string, f *ast.File, set *token.FileSet) {
		names := map[string]string{} // local name -> import path
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(imp)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			names[name] = imp
			if strings.HasPrefix(imp, "trustfix/") && !slices.Contains(layers[dir], imp) {
				t.Errorf("%s imports %s: %s may import %v of ours", path, imp, dir, layers[dir])
			}
			if rooms, ok := onlyIn[imp]; ok && !slices.Contains(rooms, dir) {
				t.Errorf("%s imports %s, which belongs to %v", path, imp, rooms)
			}
		}
		if strings.HasPrefix(dir, "platform") || dir == "." {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if id, ok := sel.X.(*ast.Ident); ok && id.Obj == nil && slices.Contains(doors[names[id.Name]], sel.Sel.Name) {
				t.Errorf("%s: %s.%s: only platform reaches the machine", set.Position(sel.Pos()), id.Name, sel.Sel.Name)
			}
			return true
		})
	})
}

// Every package says what it is for.
func TestPackageDocs(t *testing.T) {
	documented := map[string]bool{}
	walkSource(t, func(dir, _ string, f *ast.File, _ *token.FileSet) {
		documented[dir] = documented[dir] || f.Doc.Text() != ""
	})
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package doc", dir)
		}
	}
}

// walkSource visits the product's own Go files; the laboratory and tests are
// test code and may reach the machine.
func walkSource(t *testing.T, visit func(dir, path string, f *ast.File, set *token.FileSet)) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "dist" || path == filepath.Join("internal", "lab")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, src, parser.ParseComments)
		if err != nil {
			return err
		}
		n++
		visit(filepath.ToSlash(filepath.Dir(path)), path, f, set)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Fatalf("only %d source files found: the walk is broken", n)
	}
}
