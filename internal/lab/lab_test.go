//go:build linux

package lab

import (
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// A sandbox without any fault is a machine on which every client is content
// and which does not notice that it is one.
func TestHealthySandbox(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	before := s.Snapshot()
	for _, argv := range [][]string{
		{"curl", "-sS", "https://pypi.org/"},
		{"python3", "-c", "import requests; print(requests.get('https://conda.anaconda.org/').text)"},
		{"git", "ls-remote", "https://github.com/none"},
		{"pip", "download", "--no-cache-dir", "-d", "/tmp/dl", "labpkg"},
	} {
		r := s.Run(argv...)
		t.Log(argv, r.Took, r)
	}
	if c := s.Changes(before); len(c) > 0 {
		t.Errorf("changed:\n%s", strings.Join(c, "\n"))
	}
	for _, e := range s.World.Events() {
		t.Log(e)
	}
}
