//go:build linux

package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nodeCase is one of npm's kind with one thing wrong in its configuration.
type nodeCase struct {
	row, file, text string
	argv            []string // {URL} is the registry
	id              string   // of the finding
	passes          bool     // the dead path does no harm
}

// npm and its relatives, each with its own switch and its own bundle
// (reference/clients.md §8). The registry knows no such package: the answer
// 404 comes after TLS.
var nodeCases = []nodeCase{
	{
		row: "npm", file: "/root/.npmrc", text: "; mine\nstrict-ssl = false\nfund=false\n", id: "verify-off",
		argv: []string{"npm", "--fetch-retries=0", "--cache=/tmp/npm", "--registry={URL}", "view", "labpkg"},
	},
	{
		row: "npm", file: "/root/.npmrc", text: "; mine\ncafile=" + gone + "\nfund=false\n", id: "ca-path-missing", passes: true,
		argv: []string{"npm", "--fetch-retries=0", "--cache=/tmp/npm", "--registry={URL}", "view", "labpkg"},
	},
	{
		row: "pnpm", file: "/root/.npmrc", text: "; mine\nstrict-ssl=false\n", id: "verify-off",
		argv: []string{"pnpm", "--fetch-retries=0", "--registry={URL}", "--dir=/srv/project", "add", "labpkg"},
	},
	{
		row: "yarn", file: "/root/.yarnrc", text: "# mine\nstrict-ssl false\nlastUpdateCheck 1\n", id: "verify-off",
		argv: []string{"yarn", "--registry={URL}", "--network-timeout=8000", "--cwd=/srv/project", "--non-interactive", "add", "labpkg"},
	},
	{ // above the project
		row: "yarn", file: "/srv/.yarnrc", text: "# mine\nstrict-ssl false\n", id: "verify-off",
		argv: []string{"yarn", "--registry={URL}", "--network-timeout=8000", "--non-interactive", "add", "labpkg"},
	},
	{
		row: "yarn", file: "/srv/project/.yarnrc", text: "# mine\ncafile \"" + gone + "\"\nstrict-ssl true\n", id: "ca-path-missing", passes: true,
		argv: []string{"yarn", "--registry={URL}", "--network-timeout=8000", "--non-interactive", "add", "labpkg"},
	},
	{
		row: "yarn-berry", file: "/root/.yarnrc.yml", text: "# mine\nenableTelemetry: false\nenableStrictSsl: false\n", id: "verify-off",
		argv: []string{"yarn-berry", "npm", "info", "labpkg"},
	},
	{
		row: "yarn-berry", file: "/root/.yarnrc.yml", text: "# mine\nenableTelemetry: false\nhttpsCaFilePath: " + gone + "\n", id: "ca-path-missing",
		argv: []string{"yarn-berry", "npm", "info", "labpkg"},
	},
}

// npm, pnpm and both yarns are insecure or broken before, in order after the
// repair, and as before after the rollback.
func TestNodeClients(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{rowGood: Good, rowEvil: Intercept}})
	s.Write("/srv/project/package.json", "{\"name\": \"lab\", \"version\": \"1.0.0\"}\n")
	for _, c := range nodeCases {
		if c.row == "npm" && s.Run("/bin/sh", "-c", "command -v npm").Code != 0 || c.row != "npm" && machine.Scripts[c.row] == "" {
			if os.Getenv("CI") != "" {
				t.Errorf("%s is missing: scripts/ci-setup.sh installs it", c.row)
			}
			t.Logf("no %s on this machine", c.row)
			continue
		}
		what := c.id + " of " + c.row
		s.Write(c.file, c.text)
		wrong := func() bool {
			if c.id == "verify-off" {
				return s.nodeTrusts(c, rowEvil)
			}
			return !s.nodeTrusts(c, rowGood)
		}
		if wrong() == c.passes {
			t.Errorf("%s: the client is in trouble: %v", what, c.passes)
		}
		apply := TrustfixCmd("--apply", "--offline", "--only", c.id)
		apply.Dir = "/srv/project"
		doc := s.DiagnoseAs(apply, 0)
		if len(doc.Find(c.id)) == 0 || doc.Run == nil || doc.Run.State != "applied" {
			t.Errorf("%s: run %+v\n%s", what, doc.Run, doc)
		}
		if !s.nodeTrusts(c, rowGood) || s.nodeTrusts(c, rowEvil) {
			t.Errorf("%s: repaired, and the client does not verify", what)
		}
		if r := s.Trustfix("rollback"); r.Code != 0 || s.Read(c.file) != c.text {
			t.Errorf("%s: rolled back to %q: %s", what, s.Read(c.file), r)
		}
		s.Must("rm " + c.file)
	}
}

// nodeTrusts runs a client against a host's registry. What node has compiled
// in is not the laboratory's; an extra bundle stands for it.
func (s *Sandbox) nodeTrusts(c nodeCase, host string) bool {
	s.t.Helper()
	url := "https://" + host + "/"
	cmd := Cmd{Dir: "/srv/project", Env: []string{"NODE_EXTRA_CA_CERTS=" + ReferenceRoots, "YARN_NPM_REGISTRY_SERVER=" + url, "YARN_HTTP_RETRY=0"}}
	for _, a := range c.argv {
		cmd.Argv = append(cmd.Argv, strings.ReplaceAll(a, "{URL}", url))
	}
	if script := machine.Scripts[c.row]; script != "" {
		cmd.Argv = append([]string{"node", "/srv/lab/" + c.row + "/bin/" + filepath.Base(script)}, cmd.Argv[1:]...)
	}
	r := s.Exec(cmd)
	said := r.Stdout + r.Stderr
	return strings.Contains(said, "404") || strings.Contains(said, `Couldn't find package "labpkg"`)
}
