package client_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/platform/platformtest"
)

// malformed is what no program reads, in the syntaxes that know such a thing;
// in the others every line means something or nothing.
var malformed = map[edit.Format]string{
	edit.YAML:      "a: 1\nb: [1\n",
	edit.INI:       "[global]\ntimeout = 1\nno value and no section]\n",
	edit.TOML:      "a = 1\nb = [\n",
	edit.JSON:      "{\n\"a\": 1,\n\"b\" 2}\n",
	edit.GitConfig: "[http]\n\ta = 1\n[http \"\n",
	edit.AptConf:   "APT::Get \"1\";\nAcquire { a \"\n",
}

// A file of a client that cannot be read or parsed is one config-unreadable
// with its path, and the line where the syntax breaks; what every other client
// says is found all the same.
func TestMalformed(t *testing.T) {
	data, err := os.ReadFile("testdata/machine.txtar")
	if err != nil {
		t.Fatal(err)
	}
	machine := string(data)
	// Two clients that have something to say, in case one of them is the client in trouble.
	others := map[string]string{"/root/.wgetrc": "check_certificate = off\n", "/root/.yarnrc": "strict-ssl false\n"}
	formats := map[edit.Format]bool{}
	for _, r := range client.All() {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			for _, f := range layers(t, machine, r) {
				if others[f.Path] != "" || slices.Contains(only[r.Name], f.Path) && f.Format == edit.TOML {
					continue // what is no file does not hide the other
				}
				tree := machine
				for name, content := range others {
					tree += "-- " + name[1:] + " --\n" + content
				}
				broken := malformed[f.Format]
				cases := map[string]string{"not a file": "dir " + path.Dir(f.Path) + "\nfifo " + f.Path + "\n" + tree}
				if broken != "" {
					cases["malformed"] = tree + "-- " + f.Path[1:] + " --\n" + broken
				}
				for what, tree := range cases {
					found := findings(t, r, tree)
					want := f.Path
					if what == "malformed" {
						want = fmt.Sprintf("%s:", f.Path)
					}
					if n := strings.Count(found, "config-unreadable "); n != 1 || !strings.Contains(found, "config-unreadable "+want) {
						t.Errorf("%s: %s: wanted one config-unreadable %s, found:\n%s", f.Path, what, want, found)
					}
					for name := range others {
						if !strings.Contains(found, "verify-off "+name+":1\n") {
							t.Errorf("%s: %s: %s is not found any more, only:\n%s", f.Path, what, name, found)
						}
					}
				}
			}
		})
		for _, f := range layers(t, machine, r) {
			formats[f.Format] = true
		}
	}
	for f := range malformed {
		if !formats[f] {
			t.Errorf("no row reads %s any more", f)
		}
	}
}

func findings(t *testing.T, r *client.Row, tree string) string {
	t.Helper()
	programs := platformtest.Programs{}
	for _, n := range r.Programs {
		programs[n] = platformtest.Program{Optional: true}
	}
	h := platformtest.New(t, tree, platformtest.Script(programs))
	report, err := detect.Run(t.Context(), h.View, detect.Options{Offline: true, Only: []string{"config-unreadable", "verify-off"}})
	if err != nil {
		t.Fatal(err)
	}
	out := ""
	for _, f := range report.Findings {
		out += f.ID + " " + f.Where + "\n"
	}
	for _, f := range report.Failed {
		out += "failed " + f.Check + ": " + f.Error + "\n"
	}
	return out
}
