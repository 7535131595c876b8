//go:build !urfave_cli_no_docs

// Docs prints the man page or a completion script of trustfix: a tool of the
// release job (scripts/docs.sh) and no part of trustfix.
//
//	go run ./internal/cli/docs man|bash|zsh|fish|powershell VERSION
package main

import (
	"fmt"
	"os"

	"trustfix/internal/cli"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: docs man|bash|zsh|fish|powershell VERSION")
		os.Exit(2)
	}
	text, err := cli.Docs(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
	fmt.Print(text)
}
