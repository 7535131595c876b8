package main

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// This test program is a Go program too: what it is made of is known.
func TestDescribe(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	b := describe(info, "trustfix", "1.2.0", "abc")
	if b.Metadata.Component.Hashes[0] != (hash{"SHA-256", "abc"}) || b.Metadata.Component.Version != "1.2.0" {
		t.Errorf("%+v", b.Metadata)
	}
	var names []string
	for _, c := range b.Components {
		names = append(names, c.Name)
		if !strings.HasPrefix(c.PURL, "pkg:golang/"+c.Name+"@") || c.Version == "" {
			t.Errorf("%+v", c)
		}
	}
	if !slices.Contains(names, "std") || len(b.Dependencies[0].DependsOn) != len(names) {
		t.Errorf("%v", names)
	}
	first, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := json.Marshal(describe(info, "trustfix", "1.2.0", "abc")); err != nil || string(first) != string(second) {
		t.Error("not the same twice", err)
	}
}
