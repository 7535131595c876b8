package fix

import (
	"crypto/x509"
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
			"curl", "curl", "-- usr/bin/curl --\n" + store, "/root/.curlrc",
			"# ours\nurl = \"https://" + pinHost + "/\"\nsilent\n", "# ours\nurl = \"https://" + pinHost + "/\"\nsilent\ncacert = PIN\n",
			"/root/.config/curl/trustfix-pin.pem",
		},
		{
			"git", "git", "-- usr/bin/git --\n" + store, "/root/.gitconfig",
			"[http \"https://" + pinHost + "\"]\n\tproxy =\n[user]\n\tname = Lin\n",
			"[http \"https://" + pinHost + "\"]\n\tproxy =\n[user]\n\tname = Lin\n[http \"https://" + pinHost + "/\"]\n\tsslCAInfo = PIN\n",
			"/root/.config/git/trustfix-pin.pem",
		},
		{
			"git", "git", "-- usr/bin/git --\n" + store, "/root/.gitconfig",
			"[http \"https://" + pinHost + "\"]\n\tsslCAInfo = ROOTFILE ; ours\n[http]\n\tsslCAInfo = ROOTFILE\n",
			"[http \"https://" + pinHost + "\"]\n\tsslCAInfo = PIN ; ours\n[http]\n\tsslCAInfo = ROOTFILE\n",
			"/root/.config/git/trustfix-pin.pem",
		},
		{
			"aws", "aws", "-- usr/bin/aws --\n", "/root/.aws/config",
			"[default]\nregion = cn\nendpoint_url = https://" + pinHost + "\n", "[default]\nregion = cn\nendpoint_url = https://" + pinHost + "\nca_bundle = PIN\n",
			"/root/.aws/trustfix-pin.pem",
		},
		{
			"gcloud", "gcloud", "-- usr/bin/gcloud --\n-- root/.config/gcloud/active_config --\nwork\n", "/root/.config/gcloud/configurations/config_work",
			"[api_endpoint_overrides]\nstorage = https://" + pinHost + "/\n", "[api_endpoint_overrides]\nstorage = https://" + pinHost + "/\n\n[core]\ncustom_ca_certs_file = PIN\n",
			"/root/.config/gcloud/trustfix-pin.pem",
		},
		{
			"bundler", "bundle", "-- usr/bin/bundle --\n" + store, "/root/.bundle/config",
			"---\nBUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/: \"https://" + pinHost + "/gems\"\n",
			"---\nBUNDLE_MIRROR__HTTPS://RUBYGEMS__ORG/: \"https://" + pinHost + "/gems\"\nBUNDLE_SSL_CA_CERT: PIN\n",
			"/root/.bundle/trustfix-pin.pem",
		},
		{
			"r", "R", "-- usr/bin/R --\n-- root/.Rprofile --\noptions(repos = c(CRAN = 'https://" + pinHost + "/CRAN'))\n" + store, "/root/.Renviron",
			"R_LIBS=~/R\n", "R_LIBS=~/R\nCURL_CA_BUNDLE=PIN\n",
			"/root/.config/R/trustfix-pin.pem",
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
			if got, want := c.read(tc.file), strings.NewReplacer("PIN", tc.pin, "ROOTFILE", "/opt/conda/ssl/cacert.pem").Replace(tc.after); got != want {
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

// A client that is named gets its pin also where nothing tells it of the host
// yet: by its own file, or by the variable that a shell sets, and then the file
// holds what the client does not have. The host is one of its endpoints from
// then on, and unpin leaves nothing.
func TestPinForANamedClient(t *testing.T) {
	for _, tc := range []struct {
		client, tree string
		file, after  string
		pin          string
		whole        bool // the pin holds the public roots too
	}{
		{"wget", "mode 0755 /usr/bin/wget\n-- usr/bin/wget --\n-- root/.wgetrc --\ntries = 1\n", "/root/.wgetrc", "tries = 1\nca_certificate = PIN\n", "/root/.config/wget/trustfix-pin.pem", true},
		{"git", "mode 0755 /usr/bin/git\n-- usr/bin/git --\n", "/root/.gitconfig", "[http \"https://" + pinHost + "/\"]\n\tsslCAInfo = PIN\n", "/root/.config/git/trustfix-pin.pem", true},
		{"node", "mode 0755 /usr/bin/node\n-- usr/bin/node --\n-- root/.profile --\numask 022\n", "/root/.profile", "umask 022\nexport NODE_EXTRA_CA_CERTS=PIN\n", "/root/.config/node/trustfix-pin.pem", false},
		{"node", "mode 0755 /usr/bin/node\n-- usr/bin/node --\n-- root/.bash_profile --\nexport NODE_EXTRA_CA_CERTS=/root/corp.pem # ours\n-- root/corp.pem --\nCORP", "/root/.bash_profile", "export NODE_EXTRA_CA_CERTS=PIN # ours\n", "/root/.config/node/trustfix-pin.pem", false},
	} {
		t.Run(tc.client, func(t *testing.T) {
			c := newCampus(t, "")
			corp := platformtest.NewCA(t, "Corp Root", nil)
			tree := strings.ReplaceAll(tc.tree, "CORP", string(bundles.Assemble(nil, corp.Cert)))
			directives, files, _ := strings.Cut(tree, "\n")
			c = c.again(directives+"\n", files+"-- etc/ssl/certs/ca-certificates.crt --\n"+c.read("/opt/conda/ssl/cacert.pem"))
			c.forgetful()
			if p := c.plan(PinPlan([]string{pinHost})); p.Possible() != 0 || !strings.Contains(dryRun(p), pinHost) {
				t.Errorf("no client uses the host, but:\n%s", dryRun(p))
			}
			c.options.Targets, c.options.UsedBy = []string{pinHost}, []string{tc.client}
			c.apply(PinPlan([]string{pinHost}, tc.client))
			if got, want := c.read(tc.file), strings.ReplaceAll(tc.after, "PIN", tc.pin); got != want {
				t.Errorf("%s reads\n%s\nwant\n%s", tc.file, got, want)
			}
			want := []*x509.Certificate{c.inter.Cert}
			if tc.whole {
				want = append(want, c.root.Cert, c.other.Cert)
			} else if strings.Contains(tc.tree, "CORP") {
				want = append(want, corp.Cert)
			}
			c.holds(tc.pin, want...)

			c.options.Targets, c.options.UsedBy = nil, nil
			r := c.diagnose()
			i := slices.IndexFunc(r.Endpoints, func(e *detect.Endpoint) bool { return e.Name() == pinHost })
			if i < 0 || !slices.ContainsFunc(r.Endpoints[i].Clients, func(v detect.ClientVerdict) bool { return v.Client.Name == tc.client && v.Now.OK }) {
				t.Errorf("%s does not accept the server afterwards", tc.client)
			}
			if again := c.plan(PinPlan([]string{pinHost}, tc.client)); again.Possible() != 0 {
				t.Errorf("a second time it would do:\n%s", dryRun(again))
			}
			c.apply(UnpinPlan(nil))
			if exists(c.host.View, tc.pin) || strings.Contains(c.read(tc.file), tc.pin) {
				t.Errorf("unpin leaves %s:\n%s", tc.file, c.read(tc.file))
			}
			if _, err := Rollback(t.Context(), c.host, "", false); err != nil {
				t.Fatal(err)
			}
			c.rollback()
		})
	}
}

// Two servers of one client that is told for each of them alone: one bundle, two
// keys in one file.
func TestPinOfTwoServersOfGit(t *testing.T) {
	const second = "git.example.edu.cn"
	c := newCampus(t, "")
	c = c.again("mode 0755 /usr/bin/git\n", "-- usr/bin/git --\n-- root/.gitconfig --\n[user]\n\tname = Lin\n-- etc/ssl/certs/ca-certificates.crt --\n"+c.read("/opt/conda/ssl/cacert.pem"))
	c.forgetful()
	c.net.Handshakes[second] = platformtest.ServedCerts(c.inter.Leaf(t, second, aia))
	hosts := []string{pinHost, second}
	c.options.Targets, c.options.UsedBy = hosts, []string{"git"}
	c.apply(PinPlan(hosts, "git"))
	want := "[user]\n\tname = Lin\n[http \"https://" + pinHost + "/\"]\n\tsslCAInfo = /root/.config/git/trustfix-pin.pem\n[http \"https://" + second + "/\"]\n\tsslCAInfo = /root/.config/git/trustfix-pin.pem\n"
	if got := c.read("/root/.gitconfig"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	c.options.Targets, c.options.UsedBy = nil, nil
	c.apply(UnpinPlan([]string{second}))
	if got := c.read("/root/.gitconfig"); !strings.Contains(got, pinHost) {
		t.Errorf("the other pin is gone:\n%s", got)
	}
	if _, err := Rollback(t.Context(), c.host, "", false); err != nil {
		t.Fatal(err)
	}
	c.rollback()
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
