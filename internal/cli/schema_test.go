package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// schema is the part of JSON Schema that docs/schema.json uses.
type schema struct {
	Type       any                `json:"type"` // a name, or several
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
}

func (s *schema) check(at string, v any) (wrong []string) {
	kind := map[bool]string{true: "null"}[v == nil]
	switch v := v.(type) {
	case map[string]any:
		kind = "object"
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s has no %s", at, name))
			}
		}
		for name, member := range v {
			if p := s.Properties[name]; p != nil {
				wrong = append(wrong, p.check(at+"."+name, member)...)
			}
		}
	case []any:
		kind = "array"
		for i, item := range v {
			wrong = append(wrong, s.Items.check(fmt.Sprintf("%s[%d]", at, i), item)...)
		}
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case float64:
		kind = "number"
		if v == float64(int64(v)) {
			kind = "integer"
		}
	}
	types, ok := s.Type.([]any)
	if !ok {
		types = []any{s.Type}
	}
	if !slices.Contains(types, any(kind)) && (kind != "integer" || !slices.Contains(types, any("number"))) {
		wrong = append(wrong, fmt.Sprintf("%s is %s, want %v", at, kind, types))
	}
	if len(s.Enum) > 0 && v != nil && !slices.Contains(s.Enum, v) {
		wrong = append(wrong, fmt.Sprintf("%s is %v, want one of %v", at, v, s.Enum))
	}
	return wrong
}

// What --json prints is what docs/schema.json says, before an apply, after one
// and when there is nothing to do.
func TestSchema(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want schema
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for name, content := range map[string]string{
		"etc/passwd":        "lin:x:1000:1000::/home/lin:/bin/sh\n",
		"etc/os-release":    "ID=debian\nVERSION_ID=\"12\"\n",
		"home/lin/.condarc": "ssl_verify: no\nchannels: [http://mirror.example/conda]\n",
		"home/lin/.profile": "export SSL_CERT_FILE=/no/such/file\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range []string{"", "--dry-run", "--apply --only verify-off,ca-path-missing", "--only verify-off"} {
		var out bytes.Buffer
		Main(context.Background(), Process{
			Args:  append([]string{"trustfix", "--json", "--offline", "--root", root, "--user", "lin"}, strings.Fields(args)...),
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard, Build: Build{Version: "1.0.0"},
		})
		var doc any
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatalf("%s: not one JSON document: %v\n%s", args, err, &out)
		}
		for _, w := range want.check("document", doc) {
			t.Errorf("%s: %s", args, w)
		}
		if strings.HasPrefix(args, "--apply") && doc.(map[string]any)["run"] == nil {
			t.Errorf("%s made no run: the test shows nothing", args)
		}
	}
	if wrong := want.check("document", map[string]any{"schema": 2.0}); len(wrong) < 10 {
		t.Errorf("the checker lets a wrong document pass: %v", wrong)
	}
}
