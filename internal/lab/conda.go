//go:build linux

package lab

import (
	_ "embed"
	"strings"
)

// condaProgram stands in for conda; its docstring says how far.
//
//go:embed testdata/conda.py
var condaProgram string

// CondaBase is where [Sandbox.InstallConda] puts its installation.
const CondaBase = "/opt/conda"

// CondaBundle is the certifi bundle that conda reads by default.
const CondaBundle = CondaBase + "/lib/python3.11/site-packages/certifi/cacert.pem"

// condaSources holds a source tree of conda per directory, where the
// laboratory was given some (TRUSTFIX_LAB_CONDA).
const condaSources = "/srv/conda"

// realConda runs conda from a source tree as the installation's own, with the
// installation's certifi in the place of Debian's.
const realConda = `#!/usr/bin/python3
import os, sys
sys.path.insert(0, "TREE")
os.environ["CONDA_ROOT"] = "` + CondaBase + `"
import requests.adapters, urllib3
requests.adapters.DEFAULT_CA_BUNDLE_PATH = "` + CondaBundle + `"
if hasattr(requests.adapters, "_preloaded_ssl_context"):
    context = urllib3.util.ssl_.create_urllib3_context()
    context.load_verify_locations("` + CondaBundle + `")
    requests.adapters._preloaded_ssl_context = context
from conda.cli import main
sys.exit(main())
`

// Condas are the programs that [Sandbox.UseConda] takes: the stand-in first,
// then the version of every source tree.
func (s *Sandbox) Condas() []string {
	s.t.Helper()
	return append([]string{"stand-in"}, strings.Fields(s.Must("ls "+condaSources+" 2>/dev/null || true"))...)
}

// UseConda makes one of [Sandbox.Condas] the installation's program.
func (s *Sandbox) UseConda(name string) {
	s.t.Helper()
	program := condaProgram
	if name != "stand-in" {
		program = strings.ReplaceAll(realConda, "TREE", condaSources+"/"+name)
	}
	s.Write(CondaBase+"/bin/conda", program)
}

// InstallConda lays out a conda installation as conda's own installer does,
// with the stand-in as its program and the distribution's roots as its certifi.
func (s *Sandbox) InstallConda() {
	s.t.Helper()
	s.UseConda("stand-in")
	for _, record := range []string{"conda-24.11.3-py311h06a4308_0", "python-3.11.11-he870216_0", "certifi-2024.12.14-py311h06a4308_0", "requests-2.32.3-py311h06a4308_1", "ca-certificates-2024.12.31-h06a4308_0", "openssl-3.0.15-h5eee18b_0"} {
		part := strings.Split(record, "-")
		n := len(part)
		name, version, build := strings.Join(part[:n-2], "-"), part[n-2], part[n-1]
		s.Write(CondaBase+"/conda-meta/"+record+".json", `{"name": "`+name+`", "version": "`+version+`", "build": "`+build+`", "files": []}`+"\n")
	}
	s.Write(CondaBase+"/conda-meta/history", "")
	site := CondaBase + "/lib/python3.11/site-packages/"
	for name, version := range map[string]string{"certifi": "2024.12.14", "conda": "24.11.3", "requests": "2.32.3", "urllib3": "2.3.0"} {
		s.Write(site+name+"-"+version+".dist-info/METADATA", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n")
		s.Write(site+name+"/__init__.py", "")
	}
	s.Must(`
chmod 755 /opt/conda/bin/conda
mkdir -p /opt/conda/condabin /opt/conda/ssl
ln -s ../bin/conda /opt/conda/condabin/conda
ln -s /usr/bin/python3 /opt/conda/bin/python3.11
ln -s python3.11 /opt/conda/bin/python
cp /etc/ssl/certs/ca-certificates.crt ` + CondaBundle + `
cp /etc/ssl/certs/ca-certificates.crt /opt/conda/ssl/cacert.pem
ln -s cacert.pem /opt/conda/ssl/cert.pem`)
}

// CondaSearch asks for the lab's package through the configured channels.
func (s *Sandbox) CondaSearch() Cmd {
	return Cmd{Argv: []string{CondaBase + "/bin/conda", "search", "labpkg"}}
}
