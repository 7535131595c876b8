package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"trustfix/detect/client"
	"trustfix/internal/cli"
	"trustfix/platform/platformtest"
)

// Two layers for most rows, one of which wins.
const explained = `
-- etc/passwd --
root:x:0:0:root:/root:/bin/sh
-- etc/conda/.condarc --
ssl_verify: true
-- root/.condarc --
ssl_verify: /etc/corp.pem
-- root/.mambarc --
ssl_verify: false
-- etc/pip.conf --
[global]
cert = /etc/corp.pem
-- root/.config/pip/pip.conf --
[install]
cert = /root/mine.pem
-- root/.config/uv/uv.toml --
allow-insecure-host = ["a.example"]
-- root/.pixi/config.toml --
tls-no-verify = true
-- root/.curlrc --
cacert = /etc/corp.pem
-- etc/wgetrc --
check_certificate = off
-- root/.wgetrc --
check_certificate = on
-- etc/gitconfig --
[http]
	sslVerify = false
-- root/.gitconfig --
[http]
	sslVerify = true
-- root/.npmrc --
strict-ssl=false
-- root/.yarnrc --
strict-ssl false
-- root/.yarnrc.yml --
enableStrictSsl: false
-- root/.cargo/config.toml --
[http]
cainfo = "/etc/corp.pem"
-- etc/apt/apt.conf --
Acquire::https::CaInfo "/etc/corp.pem";
-- etc/dnf/dnf.conf --
[main]
sslverify=0
-- etc/docker/daemon.json --
{"insecure-registries": ["registry.example"]}
-- root/.aws/config --
[default]
ca_bundle = /etc/corp.pem
-- root/.config/gcloud/properties --
[core]
custom_ca_certs_file = /etc/corp.pem
-- root/.gemrc --
:ssl_verify_mode: 0
-- root/.bundle/config --
BUNDLE_SSL_VERIFY_MODE: "0"
-- root/.Rprofile --
options(download.file.method = "curl", download.file.extra = "-k")
-- root/.profile --
export SSL_CERT_FILE=/etc/corp.pem
export REQUESTS_CA_BUNDLE=/etc/corp.pem
export CURL_CA_BUNDLE=/root/mine.pem
export NODE_EXTRA_CA_CERTS=/etc/corp.pem
export JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/etc/corp.p12
`

// explain CLIENT, for every row of the table, on the machine on which the
// table is proven: where its roots come from, which layer won and which lost.
func TestExplainEveryClient(t *testing.T) {
	machine, err := os.ReadFile("../../detect/client/testdata/machine.txtar")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := platformtest.Extract(txtar.Parse([]byte(string(machine)+explained)), root); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, r := range client.All() {
		for _, p := range r.Programs {
			name := filepath.Join(root, "usr/bin", p)
			if err := os.WriteFile(name, nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, r := range client.All() {
		var out, errs bytes.Buffer
		code := cli.Main(context.Background(), cli.Process{
			Args:   []string{"trustfix", "explain", r.Name, "--root", root, "--state-dir", t.TempDir()},
			Stdin:  os.Stdin,
			Stdout: &out, Stderr: &errs, Build: cli.Build{Version: "1.0.0"},
		})
		said := out.String()
		if code != 0 || !strings.HasPrefix(said, r.Name+"\n  ") {
			t.Errorf("explain %s: exit %d\n%s%s", r.Name, code, said, errs.String())
		}
		got.WriteString(said)
	}
	const file = "testdata/explain_clients.txt"
	want, _ := os.ReadFile(file)
	if got.String() == string(want) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s (-update writes it):\n%s", file, platformtest.Diff(string(want), got.String()))
}
