// Sbom prints the software bill of materials of a trustfix program as
// CycloneDX 1.5 JSON: what the Go linker recorded in that very file. It is a tool of the release job and no part of trustfix; it
// must not guess: a program without that record is an error. Two runs over one
// file give the same bytes.
//
//	go run ./internal/release/sbom -version 1.4.2 -sha256 HEX PROGRAM
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"runtime/debug"
	"strings"
)

type bom struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version,omitempty"`
	PURL       string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func run() error {
	version := flag.String("version", "", "version of the release")
	sum := flag.String("sha256", "", "the program's SHA-256, hex")
	flag.Parse()
	if flag.NArg() != 1 {
		return errors.New("one program, please")
	}
	info, err := buildinfo.ReadFile(flag.Arg(0))
	if err != nil {
		return err
	}
	b := describe(info, path.Base(flag.Arg(0)), *version, *sum)
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}

// describe says what a Go program is made of.
func describe(info *debug.BuildInfo, name, version, sum string) *bom {
	self := component{
		Type: "application", Ref: info.Main.Path, Name: name, Version: version,
		Hashes: []hash{{"SHA-256", sum}},
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" {
			self.Properties = append(self.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	std := purl("std", goVersion)
	b := &bom{
		Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{self},
		Components: []component{{Type: "library", Ref: std, Name: "std", Version: goVersion, PURL: std}},
	}
	for _, m := range info.Deps {
		b.Components = append(b.Components, library(m))
	}
	uses := dependency{Ref: self.Ref}
	for _, c := range b.Components {
		uses.DependsOn = append(uses.DependsOn, c.Ref)
	}
	b.Dependencies = []dependency{uses}
	return b
}

func library(m *debug.Module) component {
	for m.Replace != nil {
		m = m.Replace
	}
	id := purl(m.Path, m.Version)
	c := component{Type: "library", Ref: id, Name: m.Path, Version: m.Version, PURL: id}
	if m.Sum != "" { // of the module's file tree, as go.sum has it
		c.Properties = []property{{"go:sum", m.Sum}}
	}
	return c
}

// purl is a package's address by the purl specification.
func purl(module, version string) string {
	return "pkg:golang/" + module + "@" + strings.ReplaceAll(version, "+", "%2B")
}
