package text

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var placeholder = regexp.MustCompile(`\{([^}]*)\}`)

func placeholders(s string) []string {
	set := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		set[m[1]] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Every sentence exists in both languages, with the same placeholders, and
// the Chinese one is Chinese.
func TestCatalogueIsComplete(t *testing.T) {
	for key, e := range entries {
		if e.en == "" || e.zh == "" {
			t.Errorf("%s: missing in one language: en %q, zh %q", key, e.en, e.zh)
		}
		if en, zh := placeholders(e.en), placeholders(e.zh); !slices.Equal(en, zh) {
			t.Errorf("%s: placeholders differ: en %v, zh %v", key, en, zh)
		}
		plain := placeholder.ReplaceAllString(e.en, "")
		words := strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLower(r) })
		if len(words) > 3 && !strings.ContainsFunc(e.zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: the Chinese text has no Chinese in it: %q", key, e.zh)
		}
	}
}

// A key that stands in two catalogues would silently win or lose.
func TestCatalogueKeysAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range catalogs {
		for key := range c {
			if seen[key] {
				t.Errorf("%s stands in two catalogues", key)
			}
			seen[key] = true
		}
	}
}

// Every key that the source names exists, and its arguments are the
// placeholders of the entry; every entry is named somewhere.
func TestKeysInSource(t *testing.T) {
	used := map[string]bool{"raw": true}
	for _, file := range goFiles(t) {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					used[s] = true
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || !isTextM(call.Fun) {
				return true
			}
			at := set.Position(call.Pos())
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the key of text.M is no string literal", at)
				return true
			}
			key, _ := strconv.Unquote(lit.Value)
			e, ok := entries[key]
			if !ok {
				t.Errorf("%s: no catalogue has %q", at, key)
				return true
			}
			var names []string
			for i := 1; i < len(call.Args); i += 2 {
				if l, ok := call.Args[i].(*ast.BasicLit); ok {
					s, _ := strconv.Unquote(l.Value)
					names = append(names, s)
				}
			}
			for _, p := range placeholders(e.en) {
				if call.Ellipsis == token.NoPos && !slices.Contains(names, p) {
					t.Errorf("%s: %q needs {%s}", at, key, p)
				}
			}
			return true
		})
	}
	for key := range entries {
		if !used[key] {
			t.Errorf("nothing uses %q", key)
		}
	}
}

func isTextM(fun ast.Expr) bool {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "M" {
		return false
	}
	id, ok := sel.X.(*ast.Ident)
	return ok && id.Name == "text"
}

// goFiles is the product's source, without tests and the catalogues themselves.
func goFiles(t *testing.T) []string {
	var files []string
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && (name == ".git" || name == "testdata" || path == "../../internal/text" || path == "../../internal/lab") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMsg(t *testing.T) {
	m := Msg{Key: "raw", Args: Args{"text": Raw("inner")}}
	if got := m.In(Chinese); got != "inner" {
		t.Errorf("a nested message renders as %q", got)
	}
	b, err := json.Marshal(Raw(`a "b"`))
	if err != nil || string(b) != `"a \"b\""` {
		t.Errorf("JSON: %s, %v", b, err)
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"http://lin:s3cret@proxy.example:3128/":        "http://***@proxy.example:3128/",
		"https://token@pypi.example/simple":            "https://***@pypi.example/simple",
		"https://conda.example/t/ab-12cd/channel/x":    "https://conda.example/t/***/channel/x",
		"//registry.example/:_authToken=npm_abcdef":    "//registry.example/:_authToken=***",
		"Proxy-Authorization: Basic bGluOnMzY3JldA==":  "Proxy-Authorization: ***",
		"https://pypi.org/simple (no secret in there)": "https://pypi.org/simple (no secret in there)",
		"user@example.com wrote /tmp/t/file":           "user@example.com wrote /tmp/t/file",
		"http://lin:p@ss@proxy.example/":               "http://***@proxy.example/",
		"https://registry.example/@scope/x":            "https://registry.example/@scope/x",
		"proxy = lin:s3cret@proxy.example:3128":        "proxy = ***@proxy.example:3128",
		"export AWS_SECRET_ACCESS_KEY=abc/def":         "export AWS_SECRET_ACCESS_KEY=***",
		"export GITHUB_TOKEN='a b'; make":              "export GITHUB_TOKEN=***; make",
		"set -gx HF_TOKEN abc":                         "set -gx HF_TOKEN ***",
		`password = "two words"`:                       "password = ***",
		"+user = \"lin:s3cret\"":                       "+user = \"lin:***\"",
		" -u lin:s3cret":                               " -u lin:***",
		"ftp_password=x":                               "ftp_password=***",
		"user lin: 3 problems":                         "user lin: 3 problems",
		"issuer: Secret Root, 3 certificates":          "issuer: Secret Root, 3 certificates",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}
