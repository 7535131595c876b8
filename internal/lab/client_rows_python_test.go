//go:build linux

package lab

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// uv, poetry, pdm, pipx, aws and aiohttp. Those that have projects are run in one.
const (
	project    = "/srv/project"
	poetryUser = "/root/.config/pypoetry/"
	pdmUser    = "/root/.config/pdm/config.toml"
	pipUser    = "/root/.config/pip/pip.conf"
	awsUser    = "/root/.aws/"
)

var insecurePython = []rowCase{
	// uv brings its roots: the switch of the system's roots stands beside.
	{row: "uv", suites: uvSuites, file: "/etc/uv/uv.toml", text: "native-tls = true\n# mine\nallow-insecure-host = [\"" + rowEvil + "\"]\n", client: uvCompile()},
	{row: "uv", suites: uvSuites, file: "/root/.config/uv/uv.toml", text: "allow-insecure-host = [\"" + rowEvil + "\"] # mine\nnative-tls = true\n", client: uvCompile()},
	{row: "uv", suites: uvSuites, file: project + "/uv.toml", text: "native-tls = true\nallow-insecure-host = [\n  \"" + rowEvil + "\",\n]\n", client: uvCompile()},
	{row: "uv", suites: uvSuites, file: project + "/pyproject.toml", text: "[tool.uv]\nnative-tls = true\nallow-insecure-host = [\"" + rowEvil + "\"]\n", client: uvCompile()},
	{row: "uv", suites: uvSuites, file: profile, text: "umask 022\nexport UV_INSECURE_HOST=" + rowEvil + "\n", client: withProfile(uvCompile("UV_NATIVE_TLS=1"))},

	{row: "poetry", suites: pySuites, file: poetryUser + "config.toml", text: "# mine\n[certificates.lab]\ncert = false\n", client: poetryLock},
	{row: "poetry", suites: pySuites, file: poetryUser + "auth.toml", text: "[certificates.lab]\nverify = false\n", client: poetryLock},
	{row: "poetry", suites: pySuites, file: project + "/poetry.toml", text: "[certificates]\nlab.cert = false # mine\n", client: poetryLock},

	{row: "pdm", suites: pySuites, file: "/etc/xdg/pdm/config.toml", text: "check_update = false\n[pypi]\nverify_ssl = false\n", client: pdmLock},
	{row: "pdm", suites: pySuites, file: pdmUser, text: "# mine\n[pypi]\nverify_ssl = \"\"\n", client: pdmLock},
	{row: "pdm", suites: []Suite{Sid}, file: project + "/pdm.toml", text: "[pypi]\nverify_ssl = \"no\"\n", client: pdmLock},
	{row: "pdm", suites: []Suite{Sid}, file: profile, text: "umask 022\nexport PDM_PYPI_VERIFY_SSL=false\n", client: withProfile(pdmLock)},

	{row: "pipx", suites: pySuites, file: pipUser, text: "[global]\ntimeout = 8\ntrusted-host = " + rowEvil + "\n", client: pipxBy("pip")},
	{row: "pipx", suites: []Suite{Sid}, file: profile, text: "umask 022\nexport UV_INSECURE_HOST=" + rowEvil + "\n", client: withProfile(pipxBy("uv"))},

	// botocore before July 2026; newer ones stop at such a line.
	{row: "aws", suites: []Suite{Bullseye}, file: awsUser + "config", text: "[default]\nregion = us-east-1\nca_bundle =\n", client: awsHead},
	{row: "aws", suites: []Suite{Bullseye}, file: awsUser + "credentials", text: "[default]\nca_bundle =\naws_access_key_id = x\n", client: awsHead},
	{row: "aws", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport AWS_CA_BUNDLE=\n", client: withProfile(awsHead)},
	{row: "aws", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport REQUESTS_CA_BUNDLE=\n", client: withProfile(awsHead)},
}

var deadPython = []rowCase{
	{row: "uv", suites: uvSuites, file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\n", client: withProfile(uvCompile("UV_NATIVE_TLS=1"))},
	{row: "uv", suites: uvSuites, file: profile, text: "umask 022\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(uvCompile("UV_NATIVE_TLS=1"))},

	{row: "poetry", suites: []Suite{Bookworm}, file: poetryUser + "config.toml", text: "[certificates.lab]\ncert = \"" + gone + "\"\n", client: poetryLock},
	{row: "poetry", suites: []Suite{Bookworm}, file: profile, text: "umask 022\nexport POETRY_CERTIFICATES_LAB_CERT=" + gone + "\n", client: withProfile(poetryLock)},

	{row: "pdm", suites: pySuites, file: pdmUser, text: "[pypi]\nca_certs = \"" + gone + "\"\n", client: pdmLock},
	{row: "pdm", suites: pySuites, file: profile, text: "umask 022\nexport REQUESTS_CA_BUNDLE=" + gone + "\n", client: withProfile(pdmLock)},

	{row: "pipx", suites: pySuites, file: pipUser, text: "[global]\ncert = " + gone + "\n", client: pipxBy("pip")},

	{row: "aws", suites: []Suite{Bullseye, Sid}, file: awsUser + "config", text: "[default]\nca_bundle = " + gone + "\nregion = us-east-1\n", client: awsHead},
	{row: "aws", suites: []Suite{Bullseye, Sid}, file: awsUser + "credentials", text: "[default]\nca_bundle = " + gone + "\n", client: awsHead},
	{row: "aws", suites: []Suite{Bullseye, Sid}, file: profile, text: "umask 022\nexport AWS_CA_BUNDLE=" + gone + "\n", client: withProfile(awsHead)},

	{row: "aiohttp", file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(aiohttpGet)},
}

var (
	pySuites = []Suite{Bookworm, Sid}
	// uvSuites: uv is one file of the machine's, the same in every suite; there is none but for amd64.
	uvSuites = func() []Suite {
		if runtime.GOARCH != "amd64" {
			return []Suite{}
		}
		return []Suite{Trixie}
	}()
)

// preparePython gives a suite what its cases need besides its packages.
func (s *Sandbox) preparePython(suite Suite) {
	s.t.Helper()
	s.Must("mkdir -p " + project)
	if slices.Contains(pySuites, suite) { // pipx first makes an environment for pip, and wants a newer pip, which the index has not
		s.Exec(pipxBy("pip")(rowGood))
	}
	if len(uvSuites) == 0 || suite != Sid && !slices.Contains(uvSuites, suite) {
		return
	}
	i := slices.IndexFunc(machine.Programs, func(p string) bool { return filepath.Base(p) == "uv" })
	if i < 0 {
		s.t.Fatal("there is no uv; scripts/ci-setup.sh installs it")
	}
	uv, err := os.ReadFile(machine.Programs[i])
	if err != nil {
		s.t.Fatal(err)
	}
	s.Write("/usr/local/bin/uv", string(uv))
	s.Must("chmod 755 /usr/local/bin/uv")
}

// inProject runs a script with a host as $1 in the project.
func inProject(host, script string, env ...string) Cmd {
	return Cmd{Argv: []string{"/bin/sh", "-euc", script, "sh", host}, Dir: project, Env: env}
}

// uvCompile resolves the lab's package in a project.
func uvCompile(env ...string) func(host string) Cmd {
	env = append(env, "UV_NO_CACHE=1", "UV_HTTP_TIMEOUT=8")
	return func(host string) Cmd {
		return inProject(host, `echo labpkg | uv pip compile --index-url "https://$1/simple/" -`, env...)
	}
}

// poetryLock resolves a project whose only source, named lab, is a host. What
// poetry 1 calls the default is so by itself since 2.
func poetryLock(host string) Cmd {
	return inProject(host, `rm -f poetry.lock
cat >pyproject.toml <<X
[tool.poetry]
name = "lab"
version = "1.0"
description = ""
authors = ["lin <lin@example.org>"]
[tool.poetry.dependencies]
python = "^3.9"
labpkg = "*"
[[tool.poetry.source]]
name = "lab"
url = "https://$1/simple/"
X
case $(poetry --version) in *1.*) echo default = true >>pyproject.toml ;; esac
poetry lock --no-cache --no-interaction`, "POETRY_VIRTUALENVS_CREATE=false")
}

// pdmLock resolves a project with a host in PyPI's place.
func pdmLock(host string) Cmd {
	return inProject(host, `rm -f pdm.lock
cat >pyproject.toml <<X
[project]
name = "lab"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["labpkg"]
X
PDM_PYPI_URL=https://$1/simple/ pdm lock`, "PDM_CHECK_UPDATE=0", "PDM_USE_VENV=0", "PDM_IGNORE_SAVED_PYTHON=1")
}

// pipxBy installs the lab's package by pip or by uv, and ends with the
// complaint that it holds no program.
func pipxBy(backend string) func(host string) Cmd {
	return func(host string) Cmd {
		c := inProject(host, `pipx install --force --index-url "https://$1/simple/" labpkg; cat /root/.local/state/pipx/log/*errors.log 2>/dev/null; exit 1`)
		c.Env = []string{"PIPX_DEFAULT_BACKEND=" + backend, "PIPX_DISABLE_SHARED_LIBS_AUTO_UPGRADE=1", "PIP_RETRIES=0", "PIP_NO_CACHE_DIR=1", "UV_NATIVE_TLS=1", "UV_NO_CACHE=1"}
		return c
	}
}

// awsHead asks a host for an object that it has not.
func awsHead(host string) Cmd {
	c := Cmd{Argv: strings.Fields("aws --endpoint-url https://" + host + " s3api head-object --bucket b --key k")}
	c.Env = []string{"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y", "AWS_DEFAULT_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1"}
	return c
}

// aiohttpGet fetches a host's greeting.
func aiohttpGet(host string) Cmd {
	return Cmd{Argv: []string{"python3", "-c", `import aiohttp, asyncio, sys
async def get():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(8)) as s, s.get(sys.argv[1]) as r:
        await r.text()
asyncio.run(get())`, "https://" + host + "/"}}
}
