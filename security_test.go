package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// SECURITY.md names the tests that hold each of the twelve promises; they
// exist, and no promise is without one.
func TestSecurityPage(t *testing.T) {
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	promises := 0
	for line := range strings.Lines(string(page)) {
		for _, m := range citedTest.FindAllStringSubmatch(line, -1) {
			if name := m[1] + "." + m[2]; !tests[name] {
				t.Errorf("there is no test %s", name)
			}
		}
		for _, m := range citedScript.FindAllStringSubmatch(line, -1) {
			if _, err := os.Stat(filepath.Join("testdata/script", m[1])); err != nil {
				t.Error(err)
			}
		}
		if strings.HasPrefix(line, fmt.Sprintf("| %d | ", promises+1)) {
			if promises++; !citedTest.MatchString(line) {
				t.Errorf("promise %d is held by no test", promises)
			}
		}
	}
	if promises != 12 {
		t.Errorf("%d promises in a row, not 12", promises)
	}
}

// insecure is how the clients' settings switch verification off.
var insecure = regexp.MustCompile(`(?i)(ssl.?verify|verify.?ssl|strict.?ssl|sslverify|check.?certificate|verify.?peer|verify.?host|verify.?mode|reject.?unauthorized|httpsverify)["']?\s*[=:]?\s*["']?(false|no|off|0|none)\b|trusted.?host|\binsecure\b|no.?check.?certificate|allow.?insecure`)

// Whatever is wrong with a machine, no plan of any golden case adds a line that
// switches verification off (promise 7).
func TestNoPlanSwitchesVerificationOff(t *testing.T) {
	for _, bad := range []string{"ssl_verify: false", "strict-ssl=false", "sslVerify = false", "NODE_TLS_REJECT_UNAUTHORIZED=0", "trusted-host = x", "insecure", "check_certificate = off", `Acquire::https::Verify-Peer "false";`} {
		if !insecure.MatchString(bad) {
			t.Errorf("%s is not recognised", bad)
		}
	}
	plans, added := 0, 0
	err := filepath.WalkDir("fix/testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".txtar" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, plan, found := strings.Cut(string(data), "\n-- plan --\n")
		if !found {
			_, plan, _ = strings.Cut(string(data), "\n-- want --\n")
		}
		plans++
		removed := "" // of this file so far: what stays of a line that is made shorter is not new
		for line := range strings.Lines(plan) {
			switch {
			case strings.HasPrefix(line, "--- "):
				removed = ""
			case strings.HasPrefix(line, "-"):
				removed += line
			case strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "+++ "):
				added++
				if bad := insecure.FindString(line); bad != "" && !strings.Contains(removed, bad) {
					t.Errorf("%s adds: %s", path, line)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if plans < 10 || added < 10 {
		t.Errorf("only %d plans with %d added lines were found", plans, added)
	}
}
