package cli_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// jsonCmd is "json PATH VALUE…": stdout is exactly one JSON document, and what
// stands at PATH are these values, in any order. Elements of PATH are joined by
// dots; "*" stands for every element of a list; the last may be several keys
// joined by commas, whose values are joined by spaces.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: json PATH VALUE…")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var doc any
	ts.Check(dec.Decode(&doc))
	if dec.More() {
		ts.Fatalf("more than one document on stdout")
	}
	got, want := jsonAt(doc, strings.Split(args[0], ".")), slices.Clone(args[1:])
	slices.Sort(got)
	slices.Sort(want)
	if slices.Equal(got, want) == neg {
		ts.Fatalf("%s is\n\t%s\nwant\n\t%s", args[0], strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func jsonAt(v any, path []string) []string {
	if len(path) == 0 {
		switch v := v.(type) {
		case string:
			return []string{v}
		case nil:
			return []string{"null"}
		}
		b, _ := json.Marshal(v)
		return []string{string(b)}
	}
	if list, ok := v.([]any); ok && path[0] == "*" {
		var out []string
		for _, e := range list {
			out = append(out, jsonAt(e, path[1:])...)
		}
		return out
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	if keys := strings.Split(path[0], ","); len(keys) > 1 {
		var words []string
		for _, k := range keys {
			words = append(words, jsonAt(m, []string{k})...)
		}
		return []string{strings.Join(words, " ")}
	}
	if e, ok := m[path[0]]; ok {
		return jsonAt(e, path[1:])
	}
	return []string{"(absent)"}
}

// treeCmd is "tree DIR FILE": FILE lists everything below DIR except the state
// of trustfix: type, mode, time of change and content.
func treeCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tree DIR FILE")
	}
	root := ts.MkAbs(args[0])
	var b strings.Builder
	ts.Check(filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		if filepath.ToSlash(rel) == "var" { // state, and the times of what holds it
			return filepath.SkipDir
		}
		fi, err := d.Info()
		if err != nil || rel == "." {
			return err
		}
		content := ""
		switch {
		case fi.Mode().IsRegular():
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			content = fmt.Sprintf("%x", sha256.Sum256(data))
		case fi.Mode()&fs.ModeSymlink != 0:
			content, _ = os.Readlink(name)
		}
		fmt.Fprintln(&b, rel, fi.Mode(), fi.ModTime().UnixNano(), content)
		return nil
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}
