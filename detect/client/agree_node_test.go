package client

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// npm and its relatives say themselves what they have made of their files and
// variables. The words of each row differ, the layers are drawn alike.

// nodeClient is how one of them is asked.
type nodeClient struct {
	row, program, link string
	layers             []string // below the home; the project is srv/app
	lines, variables   []string // a "@" is the home
	argv               []string
	answer             func(out string) map[string]any // strict, cafile, registry
}

var (
	npmrcLines = []string{
		"strict-ssl=false\n", "strict-ssl = no\n", "strict-ssl=0\n", "strict-ssl=null\n", "strict-ssl=\n", "strict-ssl=true\n", "strict-ssl=\"false\"\n", "strict-ssl=FALSE\n",
		"cafile=@/a.pem\n", "cafile = ${HOME}/b.pem\n", "cafile=\"@/c.pem\"\n", "cafile=@/missing.pem\n", "registry=https://one.example/\n", "registry = https://two.example/\n", "; strict-ssl=false\n",
	}
	nodeClients = []nodeClient{
		{
			row: "npm", program: "npm", link: "npm", argv: []string{"config", "ls", "-l", "--json"},
			layers: []string{"etc/npmrc", ".npmrc", "srv/app/.npmrc", "srv/.npmrc"}, lines: npmrcLines,
			variables: []string{"npm_config_strict_ssl=false", "npm_config_strict_ssl=true", "NPM_CONFIG_STRICT_SSL=false", "npm_config_cafile=@/c.pem", "NPM_CONFIG_REGISTRY=https://three.example/", "NODE_TLS_REJECT_UNAUTHORIZED=0"},
			answer:    oneObject("strict-ssl", "cafile", "registry"),
		},
		{
			row: "pnpm", program: "pnpm", link: "pnpm", argv: []string{"config", "list", "--json"},
			layers: []string{".npmrc", ".config/pnpm/rc", "srv/app/.npmrc", "srv/app/pnpm-workspace.yaml", "srv/pnpm-workspace.yaml"}, lines: npmrcLines,
			variables: []string{"npm_config_strict_ssl=false", "npm_config_strict_ssl=true", "npm_config_cafile=@/c.pem", "npm_config_registry=https://three.example/"},
			answer:    oneObject("strict-ssl", "cafile", "registry"),
		},
		{
			row: "yarn", program: "yarn", link: "yarn", argv: []string{"config", "list", "--json"},
			layers: []string{".yarnrc", "srv/app/.yarnrc", "srv/.yarnrc", ".npmrc", "srv/app/.npmrc"}, lines: npmrcLines,
			variables: []string{"YARN_STRICT_SSL=false", "YARN_CAFILE=@/c.pem", "npm_config_cafile=@/b.pem", "YARN_REGISTRY=https://three.example/", "npm_config_registry=https://five.example/", "npm_config_strict_ssl=false"},
			answer:    yarnAnswer,
		},
		{
			row: "yarn-berry", program: "yarn-berry", link: "yarn", argv: []string{"config", "--json"},
			layers:    []string{".yarnrc.yml", "srv/app/.yarnrc.yml", "srv/.yarnrc.yml", "srv/app/.other.yml", ".other.yml", ".npmrc"},
			variables: []string{"YARN_ENABLE_STRICT_SSL=false", "YARN_ENABLE_STRICT_SSL=0", "YARN_ENABLE_STRICT_SSL=true", "YARN_HTTPS_CA_FILE_PATH=@/c.pem", "YARN_RC_FILENAME=.other.yml", "YARN_NPM_REGISTRY_SERVER=https://three.example"},
			answer:    berryAnswer,
		},
	}
	// What a file of another kind than npm's says.
	nodeFiles = map[string][]string{
		".yarnrc":   {"strict-ssl false\n", "strict-ssl true\n", "\"strict-ssl\" false\n", "cafile @/a.pem\n", "cafile \"@/b.pem\"\n", "registry \"https://one.example/\"\n", "# strict-ssl false\n", "strict-ssl \"false\"\n"},
		".yml":      {"enableStrictSsl: false\n", "enableStrictSsl: \"false\"\n", "enableStrictSsl: 0\n", "enableStrictSsl: true\n", "httpsCaFilePath: ./a.pem\n", "httpsCaFilePath: @/b.pem\n", "httpsCaFilePath: \"${HOME}/c.pem\"\n", "npmRegistryServer: https://one.example\n", "httpProxy: http://p.example:1\n"},
		".yaml":     {"strictSsl: false\n", "strict-ssl: false\n", "strictSsl: true\n", "packages: [a]\n"},
		"pnpm/rc":   npmrcLines,
		".npmrc":    npmrcLines,
		"etc/npmrc": npmrcLines,
	}
)

func oneObject(strict, cafile, registry string) func(string) map[string]any {
	return func(out string) map[string]any {
		var all map[string]any
		_ = json.Unmarshal([]byte(out), &all)
		return map[string]any{"strict": all[strict], "cafile": all[cafile], "registry": all[registry]}
	}
}

// yarnAnswer: what its own files say comes before npm's, of which strict-ssl
// does not count.
func yarnAnswer(out string) map[string]any {
	var tables []map[string]any
	for line := range strings.Lines(out) {
		var m struct {
			Type string
			Data any
		}
		if json.Unmarshal([]byte(line), &m) == nil && m.Type == "inspect" {
			table, _ := m.Data.(map[string]any)
			tables = append(tables, table)
		}
	}
	if len(tables) != 2 {
		return nil
	}
	own, npm := tables[0], tables[1]
	first := func(key string) any {
		if v, ok := own[key]; ok {
			return v
		}
		return npm[key]
	}
	return map[string]any{"strict": own["strict-ssl"], "cafile": first("cafile"), "registry": own["registry"]}
}

func berryAnswer(out string) map[string]any {
	got := map[string]any{}
	names := map[string]string{"enableStrictSsl": "strict", "httpsCaFilePath": "cafile", "npmRegistryServer": "registry"}
	for line := range strings.Lines(out) {
		var m struct {
			Key       string
			Effective any
		}
		if json.Unmarshal([]byte(line), &m) == nil && names[m.Key] != "" {
			got[names[m.Key]] = m.Effective
		}
	}
	return got
}

func TestAgreesWithNodeClients(t *testing.T) {
	for _, nc := range nodeClients {
		t.Run(nc.row, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(nc.program)
			if err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("%s is missing: scripts/ci-setup.sh installs it", nc.program)
				}
				t.Skipf("%s is not on this machine", nc.program)
			}
			path, err = filepath.EvalSymlinks(path)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(3, 4))
			agree(t, configurationsIn(t), func(int) string { return nc.compare(t, r, path) })
		})
	}
}

// compare draws one configuration and asks both.
func (nc *nodeClient) compare(t *testing.T, r *rand.Rand, path string) string {
	t.Helper()
	files := map[string]string{"a.pem": "x", "b.pem": "x", "c.pem": "x", "srv/a.pem": "x", "srv/app/a.pem": "x", "srv/app/package.json": "{}"}
	for range 2 + r.IntN(3) {
		layer, body := pick(r, nc.layers...), ""
		for suffix, lines := range nodeFiles {
			if strings.HasSuffix(layer, suffix) {
				for range 1 + r.IntN(3) {
					if line := pick(r, lines...); !strings.Contains(body, strings.SplitAfterN(line, " ", 2)[0]) && !strings.Contains(body, strings.FieldsFunc(line, notInKey)[0]) {
						body += line
					}
				}
				break
			}
		}
		files[layer] = body
	}
	dir := home(t, nil)
	for name, body := range files {
		write(t, filepath.Join(dir, name), strings.ReplaceAll(body, "@/", dir+"/"))
	}
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(dir, "bin", nc.link)); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + dir + "/bin:/usr/bin:/bin", "npm_config_update_notifier=false"}
	if nc.row == "npm" {
		env = append(env, "npm_config_globalconfig="+dir+"/etc/npmrc")
	}
	drawn := map[string]bool{}
	for _, v := range nc.variables {
		name, _, _ := strings.Cut(v, "=")
		if name = canon(name); r.IntN(3) == 0 && !drawn[name] {
			drawn[name] = true
			env = append(env, strings.ReplaceAll(v, "@/", dir+"/"))
		}
	}
	at := filepath.Join(dir, "srv/app")
	out := outputAt(t, dir, at, env, append([]string{filepath.Join(dir, "bin", nc.link)}, nc.argv...)...)
	theirs := nc.answer(out)
	if theirs["registry"] == nil {
		t.Fatalf("%v %v: %s answers %s", files, env[2:], nc.row, out)
	}
	c := one(t, seenAt(t, dir, at, env...), nc.row, "")
	differ := func(what string, they, we any) {
		t.Helper()
		delete(files, "a.pem")
		t.Errorf("%s: %s says %v, we say %v (by %s)\nwith %q %q", what, nc.row, they, we, c.Trust.SetBy, files, env[2:])
	}
	if off := theirs["strict"] == false; off != (c.Verify == "off") {
		differ("verification", theirs["strict"], c.Verify)
	}
	cafile, _ := theirs["cafile"].(string)
	if _, err := os.Stat(cafile); err != nil { // shown and not heeded
		cafile = ""
	}
	if c.Trust.Kind != "file" {
		c.Trust.Path = ""
	}
	// As root yarn 1 reads ~/.npmrc below the machine's, where there is one.
	if asRoot := nc.row == "yarn" && cafile != "" && !strings.HasPrefix(cafile, dir); cafile != c.Trust.Path && !asRoot {
		differ("roots", cafile, c.Trust.Path)
	}
	registry := strings.TrimSuffix(fmt.Sprint(theirs["registry"]), "/")
	kind := fmt.Sprint(theirs["strict"], " ", strings.TrimPrefix(cafile, dir), " ", registry)
	if nc.row == "yarn" && !strings.HasSuffix(registry, ".example") {
		return kind // it does not show that it takes npm's registry where it has none of its own
	}
	ours := slices.DeleteFunc(slices.Clone(c.Endpoints), func(e Endpoint) bool { return e.SetBy == "" })
	if configured := strings.HasSuffix(registry, ".example"); configured != (len(ours) > 0) ||
		configured && !slices.ContainsFunc(ours, func(e Endpoint) bool { return strings.TrimSuffix(e.URL.String(), "/") == registry }) {
		differ("registry", registry, ours)
	}
	return kind
}

func notInKey(r rune) bool { return strings.ContainsRune(" =:\"\n;#", r) }

func write(t *testing.T, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}
