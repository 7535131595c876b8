package client

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// What reports of "it works in curl and fails in pip" come down to
// (reference/clients.md §1, §3, §5, §8), each as the client's effective state
// and the layer that set it. internal/lab puts the same before the real
// programs.
func TestTraps(t *testing.T) {
	const (
		programs = "mode 0755 /usr/bin/git\nmode 0755 /usr/bin/curl\nmode 0755 /usr/bin/node\nmode 0755 /usr/bin/npm\n" +
			"-- usr/bin/git --\n-- usr/bin/curl --\n-- usr/bin/node --\n-- usr/bin/npm --\n"
		conda = "-- opt/conda/conda-meta/conda-24.1.0-py311_0.json --\n-- opt/conda/condabin/conda --\n"
		venv  = "-- root/venv/pyvenv.cfg --\nversion = 3.12.1\n-- root/venv/lib/python3.12/site-packages/certifi-2024.7.4.dist-info/METADATA --\n"
		site  = "-- root/venv/lib/python3.12/site-packages/"
		meta  = ".dist-info/METADATA --\n"
		certs = "/root/venv/lib/python3.12/site-packages/certifi/cacert.pem"
	)
	type state struct{ client, verify, kind, path, setBy string }
	for _, trap := range []struct {
		name, tree string
		want       []state
	}{
		{
			"GIT_SSL_NO_VERIFY=0 still disables",
			programs + "-- root/.bashrc --\nexport GIT_SSL_NO_VERIFY=0\n",
			[]state{{"git", "off", "os", "/etc/ssl/certs/ca-certificates.crt", "/root/.bashrc:1"}},
		},
		{
			"an empty ssl_verify: disables",
			conda + "-- root/.condarc --\nchannels: [defaults]\nssl_verify:\n",
			[]state{{"conda", "off", "certifi", "", "/root/.condarc:2"}},
		},
		{
			"an empty ca_bundle disables aws, and of the profiles only the chosen one counts",
			"-- root/.aws/config --\n[default]\nca_bundle =\n[profile lab]\nca_bundle = /lab.pem\n",
			[]state{{"aws", "off", "certifi", "", "/root/.aws/config:2"}},
		},
		{
			"the credentials win over the configuration, and AWS_PROFILE chooses",
			"-- root/.aws/config --\n[profile lab]\nca_bundle = /lab.pem\n-- root/.aws/credentials --\n[default]\nca_bundle =\n[lab]\nca_bundle = /own.pem\n-- root/.profile --\nexport AWS_PROFILE=lab\n",
			[]state{{"aws", "on", "file", "/own.pem", "/root/.aws/credentials:4"}},
		},
		{
			"poetry's switch is false, not a string or a number",
			"-- root/.config/pypoetry/config.toml --\n[certificates.one]\ncert = \"false\"\n[certificates.two]\ncert = 0\n",
			[]state{{"poetry", "on", "certifi", "", ""}},
		},
		{
			"poetry reads verify too",
			"-- root/.config/pypoetry/config.toml --\n[certificates.one]\nverify = false\n",
			[]state{{"poetry", "off", "certifi", "", "/root/.config/pypoetry/config.toml:2"}},
		},
		{
			"an empty verify_ssl is off for pdm",
			"-- root/.config/pdm/config.toml --\n[pypi]\nverify_ssl = \"\"\n",
			[]state{{"pdm", "off", "certifi", "", "/root/.config/pdm/config.toml:2"}},
		},
		{
			"off is not off for pdm",
			"-- root/.config/pdm/config.toml --\n[pypi]\nverify_ssl = \"off\"\n",
			[]state{{"pdm", "on", "certifi", "", ""}},
		},
		{
			"an empty CURL_CA_BUNDLE disables old requests",
			venv + site + "requests-2.27.1" + meta + "-- root/.profile --\nexport CURL_CA_BUNDLE=\n",
			[]state{{"requests", "off", "certifi", certs, "/root/.profile:1"}},
		},
		{
			"an empty CURL_CA_BUNDLE means nothing to new requests",
			venv + site + "requests-2.28.0" + meta + "-- root/.profile --\nexport CURL_CA_BUNDLE=\n",
			[]state{{"requests", "on", "certifi", certs, ""}},
		},
		{
			"only one curlrc is read: an empty one hides the other",
			programs + "-- root/.curlrc --\n-- root/.config/curlrc --\ninsecure\n",
			[]state{{"curl", "on", "os", "/etc/ssl/certs/ca-certificates.crt", ""}},
		},
		{
			"npm ignores NODE_TLS_REJECT_UNAUTHORIZED",
			programs + "-- root/.profile --\nexport NODE_TLS_REJECT_UNAUTHORIZED=0\n",
			[]state{{"node", "off", "certifi", "", "/root/.profile:1"}, {"npm", "on", "certifi", "", ""}},
		},
		{
			"[install] beats [global], and the section beats the file",
			venv + site + "pip-23.0.1" + meta + "-- root/.config/pip/pip.conf --\n[install]\ncert = /install.pem\n-- root/venv/pip.conf --\n[global]\ncert = /global.pem\n",
			[]state{{"pip", "on", "file", "/install.pem", "/root/.config/pip/pip.conf:2"}},
		},
		{
			"a missing SSL_CERT_DIR empties the store of httpx 0.28",
			venv + site + "httpx-0.28.1" + meta + "-- root/.profile --\nexport SSL_CERT_DIR=/gone/certs\n",
			[]state{{"httpx", "on", "dir", "/gone/certs", "/root/.profile:1"}},
		},
		{
			"a missing SSL_CERT_DIR is nothing to httpx 0.27",
			venv + site + "httpx-0.27.2" + meta + "-- root/.profile --\nexport SSL_CERT_DIR=/gone/certs\n",
			[]state{{"httpx", "on", "certifi", certs, ""}},
		},
		{
			"REQUESTS_CA_BUNDLE beats ssl_verify",
			conda + "-- root/.condarc --\nssl_verify: /mine.pem\n-- root/.profile --\nexport REQUESTS_CA_BUNDLE=/theirs.pem\n",
			[]state{{"conda", "on", "file", "/theirs.pem", "/root/.profile:1"}},
		},
		{
			"REQUESTS_CA_BUNDLE switches on what ssl_verify: false switched off",
			conda + "-- root/.condarc --\nssl_verify: false\n-- root/.profile --\nexport REQUESTS_CA_BUNDLE=/theirs.pem\n",
			[]state{{"conda", "on", "file", "/theirs.pem", "/root/.profile:1"}},
		},
	} {
		t.Run(trap.name, func(t *testing.T) {
			inv := resolve(t, txtar.Parse([]byte(trap.tree)), nil)
			for _, want := range trap.want {
				c := one(t, inv, want.client, "")
				if got := (state{c.Name, c.Verify, c.Trust.Kind, c.Trust.Path, c.Trust.SetBy}); got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		})
	}
}

// Of a file that holds secrets too only what is about trust is kept, and so
// nothing else can be shown.
func TestSecretsAreNoSettings(t *testing.T) {
	inv := resolve(t, txtar.Parse([]byte(`-- root/.aws/config --
[services lab]
s3 =
  endpoint_url = https://s3.example.org
[default]
aws_session_token = hush
-- root/.aws/credentials --
[default]
aws_secret_access_key = hush
ca_bundle = /lab.pem
`)), nil)
	c := one(t, inv, "aws", "")
	for _, x := range c.Settings {
		if strings.Contains(x.Value, "hush") {
			t.Errorf("%s %s is kept", x.Where(), x.Name)
		}
	}
	if len(c.Settings) != 2 || c.Trust.Path != "/lab.pem" {
		t.Errorf("%d settings, %+v", len(c.Settings), c.Trust)
	}
}
