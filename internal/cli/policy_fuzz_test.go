package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A policy file adds to the command line and never takes from it; what it
// cannot be read as is an error.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		"targets: [https://a.example]\noffline: true\ntimeout: 3s\n", "only: [verify-off]\nskip: [x]\n", "", "---\n", "timeout: x\n",
		"unknown: 1\n", "a: &a [*a]\n", "ntp: {a: b}\n", "trust-ca: [\"\u4e2d\"]\nupdate-check: true\n",
	} {
		f.Add([]byte(seed))
	}
	name := filepath.Join(f.TempDir(), "policy")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		fl := flags{targets: []string{"mine"}, ntp: []string{"mine"}, offline: true, timeout: time.Second, skip: []string{"mine"}}
		if err := fl.merge(name, true); err != nil {
			return
		}
		if !fl.offline || fl.timeout != time.Second || fl.targets[0] != "mine" || !slices.Equal(fl.ntp, []string{"mine"}) || fl.skip[0] != "mine" {
			t.Errorf("the command line lost: %+v", fl)
		}
	})
}
