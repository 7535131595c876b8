package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/platform/platformtest"
)

// A real conda is not to be had everywhere. What two of them answered to the
// generated configurations stands in testdata/condarc/recorded.json; the same
// is asked of one on PATH, and of every source tree in TRUSTFIX_LAB_CONDA
// (PYTHONPATH leads to what conda needs). To record anew:
//
//	TRUSTFIX_LAB_CONDA=DIR PYTHONPATH=… go test ./detect/client -run TestAgreesWithConda -record

var record = flag.Bool("record", false, "write down what the condas of TRUSTFIX_LAB_CONDA answer")

const recording = "testdata/condarc/recorded.json"

// condaCase is a configuration, and what condas say of it by their version. A
// "@" in a file or variable stands for the directory that holds it all.
type condaCase struct {
	Files   map[string]string      `json:"files,omitempty"`
	Env     map[string]string      `json:"env,omitempty"`
	Answers map[string]condaAnswer `json:"answers,omitempty"`
}

// condaAnswer is what testdata/condarc/ask.py writes.
type condaAnswer struct {
	Error     string                    `json:"error,omitempty"`
	Sources   map[string]map[string]any `json:"sources,omitempty"` // by file, or "envvars"
	SSLVerify any                       `json:"ssl_verify"`
	Cert      any                       `json:"client_ssl_cert,omitempty"`
	Key       any                       `json:"client_ssl_cert_key,omitempty"`
	Proxies   map[string]string         `json:"proxy_servers,omitempty"`
	URLs      []string                  `json:"urls,omitempty"`
	Verify    any                       `json:"verify"` // of a request in the end
}

// The base installation and what files may name in it and around it.
const condaMachine = `
-- opt/conda/conda-meta/history --
-- opt/conda/conda-meta/conda-VERSION-py311_0.json --
-- opt/conda/conda-meta/python-3.11.7-h1.json --
-- opt/conda/condabin/conda --
-- opt/conda/bin/conda --
-- opt/conda/lib/python3.11/site-packages/certifi-2024.7.4.dist-info/METADATA --
-- opt/conda/lib/python3.11/site-packages/certifi/cacert.pem --
-- opt/conda/envs/a/conda-meta/history --
-- root/ca.pem --
-- srv/ca.pem --
-- srv/roots/ca.pem --
`

var (
	condaSpellings = []string{
		"true", "yes", "on", "y", "1", "2", "True", "false", "False", "FALSE", "no", `"no"`, "off", "n", `"false"`, "'False'", "0", `"0"`, "0.0", "0x0", `!!bool "false"`,
		"", "~", "null", `""`, "none", `"~"`, "f", "truststore", `"truststore"`, "Truststore", "<system>",
		"@/srv/ca.pem", "'@/srv/ca.pem'", "$HOME/ca.pem", "${HOME}/ca.pem", `"$HOME/ca.pem"`, "~/ca.pem", "@/srv/roots", "@/srv/missing.pem", "$NOWHERE/ca.pem",
		"false # !final", "false #!final", "true #!final", "@/srv/ca.pem #!final", "false  # because", "[false]", "{a: false}",
	}
	condaLayers = []string{
		"etc/conda/.condarc", "etc/conda/condarc.d/10.yml", "var/lib/conda/condarc", "opt/conda/.condarc", "opt/conda/condarc.d/b.yaml", "opt/conda/condarc.d/not.read",
		"xdg/conda/condarc", "root/.config/conda/.condarc", "root/.conda/condarc", "root/.condarc", "opt/conda/envs/a/.condarc", "etc/my.yml", "etc/myrc", "etc/d/a.yaml",
	}
	condaLines = []string{
		"channels: [conda-forge, defaults]\n", "channels:\n  - https://u:p@conda.example.org/t/tk-1/private\n", "channels:\n  - lab\n  - lab/label/dev\n  - multi\n", "channels: []\n",
		"channel_alias: https://alias.example/x\n", "channel_alias: http://alias.example/\n", "custom_channels:\n  lab: https://lab.example/conda\n", "custom_channels:\n  conda-forge: https://forge.example\n",
		"default_channels: [https://mirror.example/pkgs/main]\n", "custom_multichannels:\n  multi: [https://m1.example/c, m2]\n",
		"channel_settings:\n  - channel: https://settings.example/c\n    auth: some-plugin\n", "proxy_servers:\n  https: http://proxy.example:3128\n", "proxy_servers: {'https://lab.example': 'http://other.example:1'}\n",
		"client_ssl_cert: $HOME/ca.pem\n", "client_ssl_cert: @/srv/cert.pem\nclient_ssl_cert_key: @/srv/key.pem\n", "client_cert: @/srv/old.pem\n", "verify_ssl: false\n", "show_channel_urls: true\n",
	}
	condaVariables = map[string][]string{
		"CONDA_SSL_VERIFY": {"", "false", "0", "no", "none", "true", "truststore", "@/srv/ca.pem", "false!important"}, "CONDA_VERIFY_SSL": {"false"},
		"REQUESTS_CA_BUNDLE": {"@/srv/ca.pem", ""}, "CURL_CA_BUNDLE": {"@/srv/roots", ""}, "CONDA_PREFIX": {"@/opt/conda/envs/a", "@/opt/conda"},
		"CONDARC": {"@/etc/my.yml", "@/etc/myrc", "@/etc/d"}, "XDG_CONFIG_HOME": {"@/xdg"}, "CONDA_CHANNELS": {"a,b", "a b", "https://env.example/c"}, "CONDA_CHANNEL_ALIAS": {"https://variable.example"},
		"CONDA_CLIENT_SSL_CERT": {"@/srv/var.pem"},
	}
)

// condaCases are every spelling alone, every one in a variable, and layers over
// layers.
func condaCases() []condaCase {
	var out []condaCase
	for _, s := range condaSpellings {
		out = append(out, condaCase{Files: map[string]string{"root/.condarc": "ssl_verify: " + s + "\n"}})
	}
	for _, s := range condaVariables["CONDA_SSL_VERIFY"] {
		out = append(out, condaCase{Files: map[string]string{"root/.condarc": "ssl_verify: true\n"}, Env: map[string]string{"CONDA_SSL_VERIFY": s}})
	}
	r := rand.New(rand.NewPCG(11, 12))
	names := slices.Sorted(maps.Keys(condaVariables))
	for range 60 {
		c := condaCase{Files: map[string]string{}, Env: map[string]string{}}
		for range 2 + r.IntN(4) {
			body := ""
			if r.IntN(4) > 0 {
				body = "ssl_verify: " + pick(r, condaSpellings[:len(condaSpellings)-2]...) + "\n"
			}
			for range r.IntN(3) {
				if line := pick(r, condaLines...); !strings.Contains(body, strings.SplitAfter(line, ":")[0]) {
					body += line
				}
			}
			c.Files[pick(r, condaLayers...)] = body
		}
		for _, n := range names {
			if r.IntN(5) == 0 {
				c.Env[n] = pick(r, condaVariables[n]...)
			}
		}
		out = append(out, c)
	}
	return out
}

func TestAgreesWithConda(t *testing.T) {
	t.Parallel()
	cases := condaCases()
	pythons := condaPythons(t)
	if *record {
		for name, python := range pythons {
			for i, answer := range askConda(t, python, cases) {
				if cases[i].Answers == nil {
					cases[i].Answers = map[string]condaAnswer{}
				}
				cases[i].Answers[name] = answer
			}
		}
		data, err := json.MarshalIndent(cases, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recording, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		pythons = nil // they have just been asked
	}
	data, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	var recorded []condaCase
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded) != len(cases) {
		t.Fatalf("%d configurations are recorded and %d generated: record anew", len(recorded), len(cases))
	}
	for name := range recorded[0].Answers {
		t.Run("recorded "+name, func(t *testing.T) {
			agree(t, len(cases), func(i int) string {
				if !maps.Equal(recorded[i].Files, cases[i].Files) || !maps.Equal(recorded[i].Env, cases[i].Env) {
					t.Fatalf("configuration %d is not the recorded one: record anew", i)
				}
				return compareConda(t, name, cases[i], recorded[i].Answers[name])
			})
		})
	}
	for name, python := range pythons {
		t.Run("real "+name, func(t *testing.T) {
			answers := askConda(t, python, cases)
			agree(t, len(cases), func(i int) string { return compareConda(t, name, cases[i], answers[i]) })
		})
	}
}

// condaPythons are the interpreters in which a conda can be imported, with
// their environment.
func condaPythons(t *testing.T) map[string]*exec.Cmd {
	t.Helper()
	out := map[string]*exec.Cmd{}
	dir := os.Getenv("TRUSTFIX_LAB_CONDA")
	trees, err := filepath.Glob(filepath.Join(dir, "*/conda/__init__.py"))
	if dir != "" && (err != nil || len(trees) == 0) {
		t.Fatalf("no source tree of conda in TRUSTFIX_LAB_CONDA=%s: %v", dir, err)
	}
	for _, tree := range trees {
		tree = filepath.Dir(filepath.Dir(tree))
		c := exec.Command("/usr/bin/python3")
		c.Env = []string{"PYTHONPATH=" + tree + ":" + os.Getenv("PYTHONPATH")}
		out[filepath.Base(tree)] = c
	}
	if p, err := exec.LookPath("conda"); err == nil {
		p, err = filepath.EvalSymlinks(p)
		if err != nil {
			t.Fatal(err)
		}
		python := filepath.Join(filepath.Dir(filepath.Dir(p)), "bin/python")
		version, err := exec.Command(python, "-c", "import conda; print(conda.__version__)").Output()
		if err != nil {
			t.Fatalf("%s: %v", python, err)
		}
		out[strings.TrimSpace(string(version))] = exec.Command(python)
	}
	return out
}

// askConda has a real conda answer for every case.
func askConda(t *testing.T, python *exec.Cmd, cases []condaCase) []condaAnswer {
	t.Helper()
	type question struct {
		Root string            `json:"root"`
		Env  map[string]string `json:"env"`
	}
	var questions []question
	roots := make([]string, len(cases))
	for i, c := range cases {
		roots[i] = home(t, nil)
		a := c.tree(roots[i], "0")
		if err := platformtest.Extract(a, roots[i]); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{"HOME": roots[i] + "/root", "CONDA_ROOT": roots[i] + "/opt/conda", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
		for k, v := range c.Env {
			env[k] = strings.ReplaceAll(v, "@", roots[i])
		}
		questions = append(questions, question{roots[i], env})
	}
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/condarc/ask.py")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python.Path, "-B", script)
	cmd.Env = python.Env
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &raw); err != nil || len(raw) != len(cases) {
		t.Fatalf("%d answers, %v\n%s", len(raw), err, errs.String())
	}
	answers := make([]condaAnswer, len(raw))
	for i := range raw {
		if err := json.Unmarshal(bytes.ReplaceAll(raw[i], []byte(roots[i]), nil), &answers[i]); err != nil {
			t.Fatal(err)
		}
		delete(answers[i].Sources, "cmd_line")
	}
	return answers
}

// tree is the machine of a case whose paths begin with root, with that conda.
func (c condaCase) tree(root, version string) *txtar.Archive {
	a := txtar.Parse([]byte(strings.ReplaceAll(condaMachine, "VERSION", version)))
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(strings.ReplaceAll(c.Files[name], "@/", root+"/"))})
	}
	return a
}

// compareConda reports every difference between conda's answer and ours, and
// returns the kind of the answer.
func compareConda(t *testing.T, version string, c condaCase, answer condaAnswer) string {
	t.Helper()
	env := map[string]string{}
	for k, v := range c.Env {
		env[k] = strings.ReplaceAll(v, "@", "")
	}
	inv := resolve(t, c.tree("", version), env)
	us := one(t, inv, "conda", "/opt/conda")
	differ := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s\nwith %q %q", fmt.Sprintf(format, args...), c.Files, c.Env)
	}
	switch answer.Error {
	case "":
	case "CustomValidationError": // the value that counts is no bundle, and so not "off" either
		if us.Verify != "on" || us.Trust.SetBy == "" {
			differ("conda refuses ssl_verify, we say verify=%s, roots set by %q", us.Verify, us.Trust.SetBy)
		}
		return answer.Error
	default:
		return answer.Error
	}
	roots := "true" // what requests is told: yes, no, or a bundle
	switch {
	case us.Verify == "off":
		roots = "false"
	case us.Trust.Kind == "os" && answer.SSLVerify == "truststore":
		if i := slices.Index(us.Trust.Adds, fmt.Sprint(answer.Verify)); i >= 0 { // loaded besides the store
			roots = us.Trust.Adds[i]
		}
	case us.Trust.Kind != "certifi":
		roots = us.Trust.Path
	}
	if roots != fmt.Sprint(answer.Verify) {
		differ("conda verifies with %v (ssl_verify: %v), we say %s", answer.Verify, answer.SSLVerify, roots)
	}
	var urls []string
	for _, e := range us.Endpoints {
		urls = append(urls, e.URL.Scheme+"://"+e.URL.Host+e.URL.Path)
	}
	if theirs := baseURLs(answer.URLs); !slices.Equal(sorted(urls), theirs) {
		differ("conda uses %q, we say %q", theirs, sorted(urls))
	}
	compareSources(us, answer, differ)
	return fmt.Sprintf("%v %v", answer.SSLVerify, answer.Verify)
}

// baseURLs are conda's addresses as they are asked for, without their tokens.
func baseURLs(urls []string) []string {
	var out []string
	for _, u := range urls {
		out = append(out, channelToken.ReplaceAllString(u, "/"))
	}
	return slices.Compact(sorted(out))
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// compareSources: the files that conda lists with a key, and no others, are
// those that we have a setting from.
func compareSources(us *Client, answer condaAnswer, differ func(format string, args ...any)) {
	alias := map[string]string{"verify_ssl": "ssl_verify", "client_cert": "client_ssl_cert", "client_cert_key": "client_ssl_cert_key", "channel": "channels"}
	judged := []string{"ssl_verify", "client_ssl_cert", "client_ssl_cert_key", "channels", "channel_alias", "default_channels", "custom_channels", "custom_multichannels", "proxy_servers"}
	place := func(file, key string) string { return file + " " + cmp.Or(alias[key], key) }
	var theirs, ours []string
	if answer.Sources == nil {
		return
	}
	for file, keys := range answer.Sources {
		for key := range keys {
			if slices.Contains(judged, cmp.Or(alias[key], key)) && file != "envvars" {
				theirs = append(theirs, place(file, key))
			}
		}
	}
	for _, x := range us.Settings {
		if x.Client == "conda" && x.File != "" {
			ours = append(ours, place(x.File, x.Entry.Path[0]))
		}
	}
	if ours = slices.Compact(sorted(ours)); !slices.Equal(sorted(theirs), ours) {
		differ("conda reads %q, we read %q", theirs, ours)
	}
}
