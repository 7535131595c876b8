// Trustfix finds out why TLS verification fails on this machine, says whose
// fault it is, and repairs what is this machine's fault with changes that can
// be undone exactly.
//
// This file only wires: what the build sets, the process's streams and
// signals, and the exit code.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"trustfix/internal/cli"
)

// Set by the release build with -X; see docs/releasing.md.
var (
	version       = "dev"
	releaseKeys   = "" // minisign public keys, base64, the current one first
	releaseSource = "" // base URL or GitHub API URL of the releases
)

func main() {
	// A reader that goes away (| head) must not kill a run between two steps.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Process{
		Args: os.Args, Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Build: cli.Build{Version: version, ReleaseKeys: releaseKeys, ReleaseSource: releaseSource},
	})
	stop()
	os.Exit(code)
}
