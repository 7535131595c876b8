package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMainChild is the program itself, run by other tests.
func TestMainChild(t *testing.T) {
	args := os.Getenv("MAIN_CHILD")
	if args == "" {
		t.Skip("run by TestReaderGoesAway")
	}
	os.Args = append([]string{"trustfix"}, strings.Fields(args)...)
	main()
}

// Row 45 of the faults: a reader that goes away (| head) ends no run between
// two steps.
func TestReaderGoesAway(t *testing.T) {
	root := t.TempDir()
	const condarc = "home/lin/.condarc"
	for name, data := range map[string]string{
		"etc/passwd": "lin:x:1000:1000::/home/lin:/bin/sh\n", "etc/os-release": "ID=debian\n", condarc: "channels: []\nssl_verify: false\n",
	} {
		name = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(data), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args string) {
		t.Helper()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		defer w.Close()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMainChild$")
		cmd.Env = []string{"MAIN_CHILD=--root " + root + " --user lin --offline --only verify-off " + args}
		cmd.Stdout, cmd.Stderr = w, w
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
	content := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(filepath.Join(root, condarc)); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	run("--apply")
	content("channels: []\n")
	if done, _ := filepath.Glob(filepath.Join(root, "var/lib/trustfix/runs/*/commit")); len(done) != 1 {
		t.Errorf("%d finished runs", len(done))
	}
	run("rollback")
	content("channels: []\nssl_verify: false\n")
}
