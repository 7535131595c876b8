// Manifest prints the manifest of a release for the archives given to it: the
// document that the release key then signs. It is a tool of the release job
// (scripts/manifest.sh) and no part of trustfix.
//
//	go run ./internal/release/manifest -version 1.4.2 -released 2026-11-21T12:00:00Z [-revoked 1.3.0,…] ARCHIVE…
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"trustfix/internal/release"
	"trustfix/platform"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "manifest:", err)
		os.Exit(1)
	}
}

func run() error {
	version := flag.String("version", "", "version of the release")
	released := flag.String("released", "", "time of the release, RFC 3339")
	revoked := flag.String("revoked", "", "versions that must not be installed, separated by commas")
	revokedKeys := flag.String("revoked-keys", "", "ids of keys that must not be believed, separated by commas")
	flag.Parse()
	at, err := time.Parse(time.RFC3339, *released)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, name := range flag.Args() {
		if files[name], err = platform.ReadInput(name, nil); err != nil {
			return err
		}
	}
	m, err := release.NewManifest(*version, at.UTC(), files)
	if err != nil {
		return err
	}
	m.Revoked, m.RevokedKeys = list(*revoked), list(*revokedKeys)
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(m)
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
