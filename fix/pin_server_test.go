package fix

import (
	"crypto/x509"
	"strings"
	"testing"
)

// Programs that are told of a CA for one server or repository: by the section's
// own key, the key of that server, or a directory of its name. What others are
// told stays as it is.
func TestPinForOneServer(t *testing.T) {
	const store = "-- etc/ssl/certs/ca-certificates.crt --\nROOTS"
	for _, tc := range []struct {
		name, program, tree string
		file, before, after string // PIN stands for the pin
		pin                 string
		adds                bool // the pin is read besides the client's own roots
	}{
		{
			"dnf", "dnf", "-- etc/dnf/dnf.conf --\n[main]\ngpgcheck=1\n" + store, "/etc/yum.repos.d/corp.repo",
			"[corp]\nbaseurl=https://" + pinHost + "/el9\nenabled=1\n\n[other]\nbaseurl=https://repo.anaconda.com/el9\n",
			"[corp]\nbaseurl=https://" + pinHost + "/el9\nenabled=1\nsslcacert=PIN\n\n[other]\nbaseurl=https://repo.anaconda.com/el9\n",
			"/etc/trustfix/dnf/trustfix-pin.pem", false,
		},
		{
			"dnf with a bundle", "dnf", "-- etc/dnf/dnf.conf --\n[main]\ngpgcheck=1\n" + store, "/etc/yum.repos.d/corp.repo",
			"[corp]\nbaseurl=https://" + pinHost + "/el9\nsslcacert=ROOTFILE\n\n[other]\nbaseurl=https://repo.anaconda.com/el9\nsslcacert=ROOTFILE\n",
			"[corp]\nbaseurl=https://" + pinHost + "/el9\nsslcacert=PIN\n\n[other]\nbaseurl=https://repo.anaconda.com/el9\nsslcacert=ROOTFILE\n",
			"/etc/trustfix/dnf/trustfix-pin.pem", false,
		},
		{
			"apt", "apt-get", "-- etc/apt/sources.list --\ndeb https://" + pinHost + "/debian bookworm main\n" + store, "/etc/apt/apt.conf.d/50campus",
			"Acquire::https::" + pinHost + "::CaInfo \"ROOTFILE\";\nAcquire::https::other.example::CaInfo \"ROOTFILE\";\n",
			"Acquire::https::" + pinHost + "::CaInfo \"PIN\";\nAcquire::https::other.example::CaInfo \"ROOTFILE\";\n",
			"/etc/apt/trustfix-pin.pem", false,
		},
		{
			"docker", "dockerd", "-- etc/docker/daemon.json --\n{\"registry-mirrors\": [\"https://" + pinHost + "\"]}\n" + store, "",
			"", "", "/etc/docker/certs.d/" + pinHost + "/trustfix-pin.crt", true,
		},
		{
			"docker by its directory", "dockerd", "-- etc/docker/certs.d/" + pinHost + "/ca.crt --\nROOTS" + store, "",
			"", "", "/etc/docker/certs.d/" + pinHost + "/trustfix-pin.crt", true,
		},
		{
			"poetry", "poetry", `-- root/.local/share/pypoetry/venv/pyvenv.cfg --
home = /usr/bin
version = 3.11.2
-- root/.local/share/pypoetry/venv/lib/python3.11/site-packages/poetry-2.1.0.dist-info/METADATA --
Name: poetry
Version: 2.1.0
-- root/.local/share/pypoetry/venv/lib/python3.11/site-packages/certifi/cacert.pem --
ROOTS-- root/.local/share/pypoetry/venv/lib/python3.11/site-packages/certifi-2024.8.30.dist-info/METADATA --
Name: certifi
Version: 2024.8.30
`, "/root/.config/pypoetry/config.toml",
			"[repositories.corp]\nurl = \"https://" + pinHost + "/simple\"\n",
			"[repositories.corp]\nurl = \"https://" + pinHost + "/simple\"\n\n[certificates.corp]\ncert = \"PIN\"\n",
			"/root/.config/pypoetry/trustfix-pin.pem", false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampus(t, "")
			roots := c.read("/opt/conda/ssl/cacert.pem")
			fill := strings.NewReplacer("ROOTFILE", "/opt/conda/ssl/cacert.pem", "ROOTS", roots, "PIN", tc.pin)
			tree := fill.Replace(tc.tree) + "-- usr/bin/" + tc.program + " --\n"
			if tc.file != "" {
				tree += "-- " + tc.file[1:] + " --\n" + fill.Replace(tc.before)
			}
			c = c.again("mode 0755 /usr/bin/"+tc.program+"\n", tree)
			c.forgetful()
			client, _, _ := strings.Cut(tc.name, " ")
			if f := c.findingOf(pinHost); f.ID != "server-incomplete-chain" || f.Fix != "write-pin" || !strings.Contains(f.Client, client) {
				t.Fatalf("%s: fix %q for %q", f.ID, f.Fix, f.Client)
			}
			c.apply(Make)
			if tc.file != "" && c.read(tc.file) != fill.Replace(tc.after) {
				t.Errorf("%s reads\n%s\nwant\n%s", tc.file, c.read(tc.file), fill.Replace(tc.after))
			}
			want := []*x509.Certificate{c.inter.Cert}
			if !tc.adds {
				want = append(want, c.root.Cert, c.other.Cert)
			}
			c.holds(tc.pin, want...)
			if again := c.plan(Make); again.Possible() != 0 {
				t.Errorf("a second apply would do:\n%s", dryRun(again))
			}
			c.apply(UnpinPlan(nil))
			if exists(c.host.View, tc.pin) || tc.file != "" && strings.Contains(c.read(tc.file), tc.pin) {
				t.Errorf("unpin leaves %s", tc.pin)
			}
			if _, err := Rollback(t.Context(), c.host, "", false); err != nil {
				t.Fatal(err)
			}
			c.rollback()
		})
	}
}
