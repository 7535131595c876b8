//go:build !urfave_cli_no_docs

package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trustfix/internal/cli"
)

func TestDocs(t *testing.T) {
	for _, kind := range []string{"man", "bash", "zsh", "fish", "powershell"} {
		s, err := cli.Docs(kind, "1.2.0")
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"rollback", "verify", "explain", "update", "from-file", "reference-roots"} {
			if !strings.Contains(strings.ReplaceAll(s, `\-`, "-"), want) {
				t.Errorf("%s does not mention %s", kind, want)
			}
		}
		for _, never := range []string{"@COMMANDS@", "@CASE", "@IDS@", "__selftest", "`DIR`"} {
			if strings.Contains(s, never) {
				t.Errorf("%s has %s", kind, never)
			}
		}
	}
	if _, err := cli.Docs("csh", ""); err == nil {
		t.Error("csh was accepted")
	}
}

// Bash completes commands, flags of a command, and ids.
func TestBashCompletion(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("needs bash")
	}
	s, err := cli.Docs("bash", "1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trustfix.bash")
	if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"trustfix upd":                  "update",
		"trustfix update --allow":       "--allow-downgrade",
		"trustfix rollback --allow":     "",
		"trustfix explain verify-o":     "verify-off",
		"trustfix --lang z":             "zh",
		"trustfix --json verify --star": "--starttls",
	} {
		words := strings.Fields(line)
		script := `. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _trustfix; echo "${COMPREPLY[*]}"`
		out, err := exec.Command(bash, append([]string{"--norc", "-c", script, file}, words...)...).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %q %v, want %q", line, out, err, want)
		}
	}
}
