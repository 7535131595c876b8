package client

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// git's own resolution in a repository: its files, what is included on a
// condition, sections for one server, numbered variables, rewritten remotes.
func TestAgreesWithGitInRepository(t *testing.T) {
	git := program(t, "git")
	r := rand.New(rand.NewPCG(9, 10))
	conditions := []string{
		"gitdir:~/work/", "gitdir:work/", "gitdir:~/work/app/.git", "gitdir/i:~/WORK/", "gitdir:app/.git", "gitdir:~/other/", "gitdir:**/app/**", "gitdir:./work/", "onbranch:main", "onbranch:release/", "onbranch:rel*/**", "gitdir:~/w*/",
		"hasconfig:remote.*.url:https://github.com/**", "hasconfig:remote.*.url:https://one.example/", "hasconfig:remote.*.url:**/app.git", "hasconfig:remote.*.url:https://*.example/*", "hasconfig:remote.*.url:**",
	}
	values := []string{"false", "true", "0", "", "no"}
	agree(t, configurationsIn(t), func(i int) string {
		condition := conditions[i%len(conditions)]
		branch := pick(r, "main", "release/1.2")
		files := map[string]string{
			".gitconfig": fmt.Sprintf("[http]\n\tsslCAInfo = /global.pem\n\tsslVerify = %s\n[includeIf \"%s\"]\n\tpath = included\n[url \"https://mirror.example/\"]\n\tinsteadOf = https://github.com/\n[url \"https://short.example/\"]\n\tinsteadOf = https://git\n",
				pick(r, values...), condition),
			"included": "[http]\n\tsslCAInfo = /included.pem\n[http \"https://one.example\"]\n\tsslCAInfo = /one.pem\n",
		}
		dir := home(t, files)
		app := filepath.Join(dir, "work/app")
		env := []string{"GIT_CONFIG_NOSYSTEM=1"}
		output(t, dir, env, git, "init", "-q", "-b", branch, app)
		run := func(argv ...string) string {
			return strings.TrimSpace(output(t, dir, env, append([]string{git, "-C", app}, argv...)...))
		}
		run("remote", "add", "origin", pick(r, "https://github.com/o/app.git", "https://one.example/o/app.git", "https://gitlab.example/x.git"))
		if pick(r, true, false) {
			run("config", "http.https://one.example/o.sslCAInfo", "/deep.pem")
		}
		if pick(r, true, false) {
			run("config", "http.sslVerify", pick(r, values...))
		}
		if pick(r, true, false) {
			v := pick(r, values...)
			env = append(env, "GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=http.sslVerify", "GIT_CONFIG_VALUE_0="+v,
				"GIT_CONFIG_KEY_1=http.https://one.example.sslCAInfo", "GIT_CONFIG_VALUE_1=/variable.pem")
		}
		c := one(t, seenAt(t, dir, app, env...), "git", "")
		if off := run("config", "--type=bool", "--default=true", "--get", "http.sslVerify") == "false"; (c.Verify == "off") != off {
			t.Errorf("%v on %s with %v: git says off=%v, we say %s", files, branch, env, off, c.Verify)
		}
		if ca := run("config", "--get", "http.sslCAInfo"); c.Trust.Path != ca {
			t.Errorf("%s on %s: git reads %s, we say %s", condition, branch, ca, c.Trust.Path)
		}
		remote := run("remote", "get-url", "origin")
		found := false
		for _, e := range c.Endpoints {
			if found = found || e.URL.String() == remote; e.URL.String() != remote {
				continue
			}
			want := run("config", "--get-urlmatch", "http.sslCAInfo", remote)
			if got := c.For(e).Trust.Path; got != want {
				t.Errorf("%s with %v: git reads %s for %s, we say %s\n%s", condition, env, want, remote, got, run("config", "--list", "--show-origin"))
			}
		}
		if !found {
			t.Errorf("git's remote is %s, we have %v", remote, c.Endpoints)
		}
		return c.Verify + " " + c.Trust.Path + " " + remote
	})
}

// npm's own word on which project it is in.
func TestAgreesWithNPMInProject(t *testing.T) {
	npm := program(t, "npm")
	for _, tc := range []struct {
		name  string
		files map[string]string
	}{
		{"no package", map[string]string{"srv/app/.npmrc": "registry=https://app.example/", "srv/.npmrc": "registry=https://srv.example/", "srv/app/src/x": ""}},
		{"a package above", map[string]string{"srv/app/package.json": "{}", "srv/app/.npmrc": "registry=https://app.example/", "srv/app/src/.npmrc": "registry=https://src.example/"}},
		{"modules only", map[string]string{"srv/node_modules/x": "", "srv/.npmrc": "registry=https://srv.example/", "srv/app/src/x": ""}},
		{"a workspace", map[string]string{"srv/package.json": `{"workspaces":["app/*"]}`, "srv/.npmrc": "registry=https://srv.example/", "srv/app/src/package.json": "{}", "srv/app/src/.npmrc": "registry=https://src.example/"}},
		{"another's workspace", map[string]string{"srv/package.json": `{"workspaces":["lib/*"]}`, "srv/.npmrc": "registry=https://srv.example/", "srv/app/src/package.json": "{}", "srv/app/src/.npmrc": "registry=https://src.example/"}},
	} {
		tc.files[".npmrc"] = "registry=https://user.example/\n"
		dir := home(t, tc.files)
		env := []string{"npm_config_globalconfig=" + dir + "/none", "npm_config_update_notifier=false"}
		at := filepath.Join(dir, "srv/app/src")
		out := outputAt(t, dir, at, env, npm, "config", "get", "registry")
		want := strings.TrimSpace(strings.Split(out, "\n")[0])
		if strings.Contains(out, "ignoring workspace config at "+at) { // it answers no more than that there
			want = "https://srv.example/"
		}
		c := one(t, seenAt(t, dir, at, env...), "npm", "")
		if len(c.Endpoints) != 1 || c.Endpoints[0].URL.String() != want {
			t.Errorf("%s: npm uses %s, we say %v", tc.name, out, describe(Inventory{Clients: []*Client{c}}))
		}
	}
}
