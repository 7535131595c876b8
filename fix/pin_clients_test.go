package fix

import (
	"slices"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform/platformtest"
)

// Every client that has a setting of its own for a bundle: the server forgot
// its intermediate, the client gets it by that setting, and what the file said
// before is there again after a rollback.
func TestPinOfEveryClient(t *testing.T) {
	const pythonTool = `
-- usr/bin/python3.11 --
-- usr/lib/python3.11/os.py --
-- root/.local/share/pipx/venvs/NAME/pyvenv.cfg --
home = /usr/bin
version = 3.11.2
-- root/.local/share/pipx/venvs/NAME/bin/python --
-- root/.local/share/pipx/venvs/NAME/bin/NAME --
-- root/.local/share/pipx/venvs/NAME/lib/python3.11/site-packages/NAME/__init__.py --
-- root/.local/share/pipx/venvs/NAME/lib/python3.11/site-packages/NAME-2.0.dist-info/METADATA --
Name: NAME
Version: 2.0
`
	const store = "-- etc/ssl/certs/ca-certificates.crt --\nROOTS"
	for _, tc := range []struct {
		client, program string
		tree, file      string
		before, after   string // of file; PIN stands for the pin
		pin             string
	}{
		{
			"cargo", "cargo", "-- usr/bin/cargo --\n" + store, "/root/.cargo/config.toml",
			"# ours\n[registries.campus]\nindex = \"sparse+https://" + pinHost + "/index/\"\n\n[http]\ntimeout = 30\n",
			"# ours\n[registries.campus]\nindex = \"sparse+https://" + pinHost + "/index/\"\n\n[http]\ntimeout = 30\ncainfo = \"PIN\"\n",
			"/root/.cargo/trustfix-pin.pem",
		},
		{
			"cargo", "cargo", "-- usr/bin/cargo --\n" + store, "/root/.cargo/config.toml",
			"[http]\nproxy-cainfo = \"/opt/conda/ssl/cacert.pem\" # not ours\n[registries.campus]\nindex = \"https://" + pinHost + "/index/\"\n",
			"[http]\nproxy-cainfo = \"/opt/conda/ssl/cacert.pem\" # not ours\ncainfo = \"PIN\"\n[registries.campus]\nindex = \"https://" + pinHost + "/index/\"\n",
			"/root/.cargo/trustfix-pin.pem",
		},
		{
			"npm", "npm", "-- usr/bin/npm --\n", "/root/.npmrc",
			"registry=https://" + pinHost + "/npm/\n", "registry=https://" + pinHost + "/npm/\ncafile=PIN\n",
			"/root/.config/npm/trustfix-pin.pem",
		},
		{
			"npm", "npm", "-- usr/bin/npm --\n", "/etc/npmrc",
			"registry=https://" + pinHost + "/npm/\ncafile = ROOTFILE\n", "registry=https://" + pinHost + "/npm/\ncafile = PIN\n",
			"/etc/trustfix/npm/trustfix-pin.pem",
		},
		{
			"pnpm", "pnpm", "-- usr/bin/pnpm --\n", "/root/.npmrc",
			"registry=https://" + pinHost + "/npm/\n", "registry=https://" + pinHost + "/npm/\ncafile=PIN\n",
			"/root/.config/npm/trustfix-pin.pem",
		},
		{
			"yarn", "yarn", "-- usr/bin/yarn --\n", "/root/.npmrc",
			"registry=https://" + pinHost + "/npm/\n", "registry=https://" + pinHost + "/npm/\ncafile=PIN\n",
			"/root/.config/npm/trustfix-pin.pem",
		},
		{
			"yarn-berry", "yarn", "-- usr/package.json --\n{\"name\": \"@yarnpkg/cli-dist\", \"version\": \"4.5.0\"}\n-- usr/bin/yarn --\n", "/root/.yarnrc.yml",
			"# ours\nnpmRegistryServer: \"https://" + pinHost + "/npm\"\n", "# ours\nnpmRegistryServer: \"https://" + pinHost + "/npm\"\nhttpsCaFilePath: PIN\n",
			"/root/.yarn/trustfix-pin.pem",
		},
		{
			"gem", "gem", "-- usr/bin/gem --\n" + store, "/root/.gemrc",
			"---\n:sources:\n- https://" + pinHost + "/rubygems/\n", "---\n:sources:\n- https://" + pinHost + "/rubygems/\n:ssl_ca_cert: PIN\n",
			"/root/.gem/trustfix-pin.pem",
		},
		{
			"pdm", "python3.11", strings.ReplaceAll(pythonTool, "NAME", "pdm"), "/root/.config/pdm/config.toml",
			"[pypi]\nurl = \"https://" + pinHost + "/simple\"\n", "[pypi]\nurl = \"https://" + pinHost + "/simple\"\nca_certs = \"PIN\"\n",
			"/root/.config/pdm/trustfix-pin.pem",
		},
		{
			"apt", "apt-get", "-- usr/bin/apt-get --\n-- etc/apt/sources.list --\ndeb https://" + pinHost + "/debian bookworm main\n" + store, "/etc/apt/apt.conf.d/90trustfix",
			"", "Acquire::https::CaInfo \"PIN\";\n",
			"/etc/apt/trustfix-pin.pem",
		},
		{
			"apt", "apt-get", "-- usr/bin/apt-get --\n-- etc/apt/sources.list --\ndeb https://" + pinHost + "/debian bookworm main\n" + store, "/etc/apt/apt.conf.d/50campus",
			"Acquire::https::CaInfo \"ROOTFILE\"; // ours\n", "Acquire::https::CaInfo \"PIN\"; // ours\n",
			"/etc/apt/trustfix-pin.pem",
		},
	} {
		t.Run(tc.client+tc.file, func(t *testing.T) {
			c := newCampus(t, "-- root/.condarc --\nchannels: [https://repo.anaconda.com/pkgs/main]\n")
			roots := c.read("/opt/conda/ssl/cacert.pem")
			tree := strings.ReplaceAll(tc.tree, "ROOTS", roots)
			before := strings.ReplaceAll(tc.before, "ROOTFILE", "/opt/conda/ssl/cacert.pem")
			if before != "" {
				tree += "-- " + tc.file[1:] + " --\n" + before
			}
			c = c.again("mode 0755 /usr/bin/"+tc.program+"\n", tree)
			c.forgetful()
			f := c.findingOf(pinHost)
			if f.ID != "server-incomplete-chain" || f.Fix != "write-pin" || !strings.Contains(f.Client, tc.client) {
				t.Fatalf("%s: fix %q for %q", f.ID, f.Fix, f.Client)
			}
			c.apply(Make)
			if got, want := c.read(tc.file), strings.ReplaceAll(tc.after, "PIN", tc.pin); got != want {
				t.Errorf("%s reads\n%s\nwant\n%s", tc.file, got, want)
			}
			c.holds(tc.pin, c.root.Cert, c.other.Cert, c.inter.Cert)
			if again := c.plan(Make); again.Possible() != 0 {
				t.Errorf("a second apply would do:\n%s", dryRun(again))
			}
			c.rollback()
		})
	}
}

// Who may not change the system store gives a CA to a client that reads it by
// the client's own file; who may, puts it into the store and changes no client.
// A CA that is in the store already needs nothing for that client.
func TestPrivateCAForClientsOfTheStore(t *testing.T) {
	const config = "[registries.campus]\nindex = \"https://" + pinHost + "/index/\"\n"
	private := platformtest.NewCA(t, "Campus Root", nil)
	for _, tc := range []struct {
		name     string
		elevated bool
		stored   bool
		want     string // what config.toml has more
		steps    int
	}{
		{"a person", false, false, "\n[http]\ncainfo = \"/root/.cargo/trustfix-pin.pem\"\n", 1},
		{"an administrator", true, false, "", 1},
		{"in the store", false, true, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampus(t, "")
			roots := c.read("/opt/conda/ssl/cacert.pem")
			if tc.stored {
				roots += string(bundles.Assemble(nil, private.Cert))
			}
			var opts []platformtest.Option
			if !tc.elevated {
				opts = append(opts, platformtest.NotElevated())
			}
			c = c.again("mode 0755 /usr/bin/cargo\n", "-- usr/bin/cargo --\n-- root/.cargo/config.toml --\n"+config+"-- etc/ssl/certs/ca-certificates.crt --\n"+roots, opts...)
			c.serve(private.Leaf(t, pinHost), private.Cert.Raw)
			c.options.Consented = []string{bundles.Fingerprint(private.Cert.Raw)}
			p := c.plan(Make)
			if len(p.Steps) != tc.steps {
				t.Fatalf("plan:\n%s", dryRun(p))
			}
			if tc.elevated {
				for _, a := range p.Steps[0].Actions {
					if strings.Contains(a.Target, "cargo") {
						t.Errorf("it changes %s though the store gets the CA", a.Target)
					}
				}
				return
			}
			if tc.want != "" {
				c.apply(Make)
				c.holds("/root/.cargo/trustfix-pin.pem", c.root.Cert, c.other.Cert, private.Cert)
			}
			if got := c.read("/root/.cargo/config.toml"); got != config+tc.want {
				t.Errorf("config.toml reads\n%s", got)
			}
			if tc.want != "" {
				c.rollback()
			}
		})
	}
}

// One client cannot be given a bundle by a file, or is told of one by a variable:
// the others get theirs all the same, and what is left says what to type.
func TestPinLeavesTheRestToAPerson(t *testing.T) {
	for _, tc := range []struct {
		name, tree string
		env        map[string]string
		left, do   string // the client that is left, and the line for it
	}{
		{
			"no file of its own", "-- usr/bin/uv --\n-- root/.config/uv/uv.toml --\nindex-url = \"https://" + pinHost + "/simple\"\n", nil,
			"uv", "SSL_CERT_FILE=/path/to/bundle.pem uv …",
		},
		{
			"a variable", "-- usr/bin/npm --\n-- root/.npmrc --\nregistry=https://" + pinHost + "/npm/\n",
			map[string]string{"npm_config_cafile": "/opt/conda/ssl/cacert.pem"},
			"npm", "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampus(t, "-- root/.condarc --\n"+condarc)
			c = c.again("mode 0755 /usr/bin/"+tc.left+"\n", tc.tree, platformtest.Env(tc.env))
			c.forgetful()
			c.apply(Make)
			c.holds("/root/.conda/trustfix-pin.pem", c.root.Cert, c.other.Cert, c.inter.Cert)
			f := c.findingOf(pinHost)
			if f.Client != tc.left || f.ID != "server-incomplete-chain" {
				t.Fatalf("left: %s for %q", f.ID, f.Client)
			}
			var said string
			for _, a := range f.Advice {
				said += a.String() + "\n"
			}
			p := c.plan(Make)
			if p.Possible() != 0 {
				t.Errorf("plan:\n%s", dryRun(p))
			}
			if tc.do != "" && !strings.Contains(said, tc.do) {
				t.Errorf("advice: %s", said)
			}
			if tc.do == "" && !strings.Contains(dryRun(p), "npm_config_cafile") {
				t.Errorf("plan:\n%s", dryRun(p))
			}
			c.rollback()
		})
	}
}

// findingOf is what is said of a host.
func (c *campus) findingOf(host string) detect.Finding {
	c.t.Helper()
	r := c.diagnose()
	i := slices.IndexFunc(r.Findings, func(f detect.Finding) bool { return f.Endpoint != nil && f.Endpoint.Name() == host })
	if i < 0 {
		c.t.Fatalf("nothing is said of %s: %+v", host, r.Endpoints)
	}
	return r.Findings[i]
}

// again is the same machine with more files.
func (c *campus) again(directives, tree string, opts ...platformtest.Option) *campus {
	c.t.Helper()
	for _, name := range []string{"index.crates.io", "registry.npmjs.org", "registry.yarnpkg.com", "rubygems.org", "pypi.org"} {
		c.net.Handshakes[name] = platformtest.ServedCerts(c.root.Leaf(c.t, name))
	}
	c.host = platformtest.New(c.t, directives+c.tree+tree, append(opts, platformtest.OS("linux"), platformtest.Network(c.net))...)
	c.before = platformtest.Contents(c.host)
	return c
}
