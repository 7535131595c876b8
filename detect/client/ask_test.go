package client

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"trustfix/platform"
)

// Whoever is asked is a client, runs by an absolute path, and is told the URL.
func TestAsks(t *testing.T) {
	u := &url.URL{Scheme: "https", Host: "repo.test", Path: "/main"}
	for _, row := range All() {
		name, a := row.Name, row.Ask
		if a == nil {
			continue
		}
		c := &Client{Name: name, Row: row, Path: "/x", Program: "/usr/bin/" + name, py: &pyEnv{program: "/x/bin/python", prefix: "/x", version: "3.11.7"}}
		argv := a.Argv(c, u)
		if len(argv) < 2 || argv[0][0] != '/' || !strings.HasSuffix(strings.Join(argv, " "), u.String()) && !slices.Contains(argv, "--registry="+u.String()) {
			t.Errorf("%s: %q", name, argv)
		}
		for _, w := range argv {
			if slices.Contains([]string{"-k", "--insecure", "--no-check-certificate", "--trusted-host"}, w) || strings.Contains(w, "verify=False") {
				t.Errorf("%s is asked without verification: %q", name, argv)
			}
		}
	}
}

func TestAskOldPythonAndNewWget(t *testing.T) {
	u := &url.URL{Scheme: "https", Host: "repo.test"}
	old := &Client{Name: "python", Row: pythonRow, py: &pyEnv{program: "/x/bin/python", version: "2.7.18"}}
	if argv := old.Asking().Argv(old, u); slices.Contains(argv, "-I") || !slices.Contains(argv, "-E") || !slices.Contains(argv, "-s") {
		t.Errorf("Python 2 knows no -I: %q", argv)
	}
	if argv := askWget.Argv(&Client{Program: "/usr/bin/wget", Version: "2.1.0"}, u); argv != nil {
		t.Errorf("wget2 writes more than can be switched off: %q", argv)
	}
	if argv := condaRow.Ask.Argv(&Client{Name: "conda", Path: "/usr/bin/conda"}, u); argv != nil {
		t.Errorf("no Python was found: %q", argv)
	}
}

func TestEnviron(t *testing.T) {
	set := func(name, value, scope string) *Setting {
		return &Setting{Name: name, Value: value, Env: true, Scope: scope, File: "/root/.bashrc"}
	}
	for _, tc := range []struct {
		name     string
		client   *Row
		env      platform.Env
		settings []*Setting
		want     string // of the variables that decide about trust
		unknown  bool
	}{
		{"nothing else is passed on", pythonRow, platform.Env{"SSL_CERT_FILE": "/a", "LD_PRELOAD": "/b", "PYTHONPATH": "/c", "TOKEN": "d"}, nil, "SSL_CERT_FILE=/a", false},
		{"files count", pythonRow, nil, []*Setting{set("SSL_CERT_FILE", "/a", "")}, "SSL_CERT_FILE=/a", false},
		{"the last file wins", pythonRow, nil, []*Setting{set("SSL_CERT_FILE", "/a", ""), set("SSL_CERT_FILE", "/b", "")}, "SSL_CERT_FILE=/b", false},
		{"the process wins", pythonRow, platform.Env{"SSL_CERT_FILE": "/a"}, []*Setting{set("SSL_CERT_FILE", "/b", "")}, "SSL_CERT_FILE=/a", false},
		{"another environment's", pythonRow, nil, []*Setting{set("SSL_CERT_FILE", "/a", "/opt/other")}, "", false},
		{"its own environment's", pythonRow, nil, []*Setting{set("SSL_CERT_FILE", "/a", "/opt/conda")}, "SSL_CERT_FILE=/a", false},
		{"what cannot be known", pythonRow, nil, []*Setting{set("SSL_CERT_FILE", "$(pwd)/a", "")}, "", true},
		{"another client's", curlRow, platform.Env{"PIP_CERT": "/a"}, nil, "", false},
		{"node's options about trust only", nodeRow, platform.Env{"NODE_OPTIONS": "--require /evil.js --use-system-ca"}, nil, "NODE_OPTIONS=--use-system-ca", false},
		{"the way there", curlRow, platform.Env{"https_proxy": "http://proxy:3128"}, nil, "https_proxy=http://proxy:3128", false},
	} {
		c := &Client{Name: tc.client.Name, Path: "/opt/conda", Row: tc.client}
		got, ok := c.Environ(tc.env, tc.settings)
		if ok == tc.unknown {
			t.Errorf("%s: known: %v", tc.name, ok)
		}
		if !ok {
			continue
		}
		own := c.Row.Ask.Env
		if s := strings.Join(got[:len(got)-len(own)], " "); s != tc.want || !slices.Equal(got[len(got)-len(own):], own) {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}
