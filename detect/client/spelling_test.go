package client

import (
	"strings"
	"testing"

	"trustfix/internal/edit"
)

// The table of reference/clients.md §1.1, as conda 26.7.1 reads it.
func TestCondaVerify(t *testing.T) {
	for line, want := range map[string]string{
		"true": "on", "yes": "on", "on": "on", "y": "on", "1": "on", "2": "on", "True": "on",
		"false": "off", "False": "off", "FALSE": "off", "no": "off", `"no"`: "off", "off": "off", "n": "off", `"false"`: "off",
		"0": "off", `"0"`: "off", "0.0": "off", "0x0": "off", `!!bool "false"`: "off",
		"": "off", "~": "off", "null": "off", `""`: "off", "none": "off",
		"truststore": "ca", "/path/file.pem": "ca", "$HOME/ca.pem": "ca", "~/ca.pem": "ca", "Truststore": "ca", "<system>": "ca", "f": "ca",
		`"~"`: "ca", `"0x0"`: "ca",
	} {
		entries, err := edit.Parse(edit.YAML, []byte("ssl_verify: "+line+"\n"))
		if err != nil || len(entries) != 1 {
			t.Errorf("%s: %v, %v", line, entries, err)
			continue
		}
		role, off := condaVerify(entries[0])
		got := map[bool]string{true: "off", false: "on"}[off]
		if role == RoleCA {
			got = "ca"
		}
		if got != want {
			t.Errorf("ssl_verify: %s is %s to us, %s to conda", line, got, want)
		}
	}
}

// mamba compares strings (§2): what conda takes for false is a path to it.
func TestMambaVerify(t *testing.T) {
	for value, want := range map[string]string{
		"false": "off", "0": "off", "<false>": "off", "true": "on", "1": "on", "<true>": "on", "<system>": "on", "": "on",
		"no": "ca", "False": "ca", "truststore": "ca",
	} {
		role, off := mambaVerify(edit.Entry{Value: value})
		got := map[bool]string{true: "off", false: "on"}[off]
		if role == RoleCA {
			got = "ca"
		}
		if got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
}

func TestCurlNormal(t *testing.T) {
	for option, want := range map[string]string{
		"--insecure": "insecure", "insecure": "insecure", "-k": "insecure", "-kL": "insecure", "-sSk": "insecure",
		"-okfile": "-okfile", "-HX-k": "-HX-k", "-L": "-L", "--cacert": "cacert", "-E": "cert",
	} {
		if got := curlNormal(option); got != want {
			t.Errorf("%s reads as %s, want %s", option, got, want)
		}
	}
}

// Every variable and key of the table can say what its row needs, and names of
// rows are unique.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range All() {
		if r.Name == "" || seen[r.Name] {
			t.Errorf("row %q: no name of its own", r.Name)
		}
		seen[r.Name] = true
		if r.Find == nil && len(r.Programs) == 0 {
			t.Errorf("%s: nothing says how it is found", r.Name)
		}
		if r.Default == "" || r.Rules == nil {
			t.Errorf("%s: no default trust source or rules", r.Name)
		}
		for _, k := range r.Keys {
			if k.Role == RoleVerify && k.Off == nil && k.Class == nil {
				t.Errorf("%s: %v: nothing says what is off", r.Name, k.Path)
			}
		}
		for _, v := range r.Vars {
			if v.Role == RoleVerify && v.Off == nil && v.Class == nil {
				t.Errorf("%s: %s: nothing says what is off", r.Name, v.Name)
			}
		}
		for _, o := range r.Reads {
			if ByName(o) == nil {
				t.Errorf("%s reads the files of %s, which is no row", r.Name, o)
			}
		}
	}
}

func FuzzEnvFiles(f *testing.F) {
	f.Add("SSL_CERT_FILE DEFAULT=/a OVERRIDE=\"/b c\"\nX=y\n#\n")
	f.Add("[Manager]\nDefaultEnvironment=\"A=b c\" 'D=e' F=g\nDefaultEnvironment=\n")
	f.Add("options(download.file.extra = \"-k\")\nhttr::config(ssl_verifypeer=0)")
	f.Add("DefaultEnvironment=\"A=b")
	f.Fuzz(func(t *testing.T, data string) {
		lines := strings.Count(data, "\n") + 1
		for _, read := range []func([]byte) []edit.Entry{parsePAM, parseSystemd, readRprofile} {
			last := 0
			for _, e := range read([]byte(data)) {
				if len(e.Path) != 1 || e.Path[0] == "" && strings.TrimSpace(data) == "" || e.Line < last || e.Line > lines {
					t.Errorf("%q: %+v", data, e)
				}
				last = e.Line
			}
		}
	})
}
