package client

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"trustfix/platform"
)

// Ask is how a program is asked, with its own settings, whether it accepts a
// server: a request for the headers of one page, without credentials, caches,
// logs or redirects. It changes nothing on the machine.
type Ask struct {
	// Argv is the command line; nil: this instance cannot be asked.
	Argv func(c *Client, u *url.URL) []string
	// Env is set besides what [Client.Environ] says.
	Env []string
	// Direct: the program knows no proxy.
	Direct bool
	// Own: it is asked about servers of its own configuration only.
	Own bool
	// Accepts are exit codes other than 0 that mean an accepted server that
	// then had another answer; Refuses those that mean a refused certificate.
	Accepts, Refuses []int
	// AcceptsWith are words that a program says only after a handshake.
	AcceptsWith []string
	// Loads are the directories whose code the program runs.
	Loads func(c *Client) []string
}

// Asking is how the program of an instance is asked, or nil.
func (c *Client) Asking() *Ask {
	if c.Row == nil {
		return nil
	}
	return c.Row.Ask
}

// The programs that can be asked without changing anything, Pythons apart.
// mamba, uv and cargo have no such command; for Java a compiler would be
// needed; apt and dnf answer only by writing their lists.
var (
	askCurl = &Ask{
		Argv: func(c *Client, u *url.URL) []string {
			return []string{c.Program, "--silent", "--show-error", "--head", "--output", "/dev/null", "--max-time", askSeconds, u.String()}
		},
		Accepts: []int{22}, Refuses: []int{51, 60, 77},
	}
	askWget = &Ask{
		Argv: func(c *Client, u *url.URL) []string {
			if !older(orElse(c.Version, "1"), "2") {
				return nil // wget2 keeps more than one record of what it saw
			}
			return []string{c.Program, "--spider", "--no-verbose", "--no-hsts", "--no-netrc", "--max-redirect=0", "--tries=1", "--timeout=" + askSeconds, u.String()}
		},
		Accepts: []int{8}, Refuses: []int{5},
	}
	askGit = &Ask{
		Argv: func(c *Client, u *url.URL) []string {
			return []string{c.Program, "-c", "credential.helper=", "-c", "http.extraHeader=", "-c", "http.followRedirects=false", "ls-remote", u.String()}
		},
		Env:         []string{"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS="},
		AcceptsWith: []string{"' not found", "returned error: ", "not valid: is this a git repository", "could not read Username", "unable to update url base"},
	}
	askNode = &Ask{
		Argv: func(c *Client, u *url.URL) []string { return []string{c.Program, "-e", nodeAsks, u.String()} },

		Direct: true,
	}
	askNpm = &Ask{
		Argv: func(c *Client, u *url.URL) []string {
			// A cache that cannot be made is none.
			return []string{
				c.Program, "ping", "--registry=" + u.String(), "--cache=/dev/null/none", "--logs-max=0",
				"--update-notifier=false", "--fetch-retries=0", "--fetch-timeout=10000",
			}
		},
		Own:         true,
		AcceptsWith: []string{"E401", "E403", "E404", "E405", "E500", "E502", "E503"},
	}
)

// askSeconds is how long a program waits for a server.
const askSeconds = "10"

func direct(a *Ask) *Ask { a.Direct = true; return a }

func with(a *Ask, env ...string) *Ask { a.Env = append(a.Env, env...); return a }

// askPython runs a script isolated from the user's own modules and variables,
// without leaving compiled files behind.
func askPython(script string) *Ask {
	return &Ask{
		Argv: func(c *Client, u *url.URL) []string {
			if c.py == nil {
				return nil
			}
			isolated := []string{"-I", "-B"}
			if strings.HasPrefix(c.py.version, "2") {
				isolated = []string{"-E", "-s", "-B"}
			}
			return append(append([]string{c.py.program}, isolated...), "-c", script, u.String())
		},
		Env: []string{"NETRC=/dev/null"}, // no password is sent
		Loads: func(c *Client) []string {
			lib := path.Join("lib", "python"+minorOf(c.py.version))
			dirs := []string{c.py.prefix, path.Join(c.py.prefix, "lib"), path.Join(c.py.prefix, lib)}
			if c.py.base != "" { // pyvenv.cfg says where the standard library is
				dirs = append(dirs, path.Join(path.Dir(c.py.base), lib))
			}
			return append(dirs, c.py.sites...)
		},
	}
}

// The scripts end without a word when the server was accepted, with the
// client's own error otherwise.
const (
	pythonAsks = `
import sys
try:
    import urllib.request as lib
except ImportError:
    import urllib2 as lib
class Stay(lib.HTTPRedirectHandler):
    def redirect_request(self, *a):
        return None
req = lib.Request(sys.argv[1])
req.get_method = lambda: "HEAD"
try:
    lib.build_opener(Stay()).open(req, timeout=10)
except lib.HTTPError:
    pass
`
	requestsAsks = `
import sys, requests
requests.Session().head(sys.argv[1], timeout=10, allow_redirects=False, auth=lambda r: r)
`
	httpxAsks = `
import sys, httpx
httpx.Client(timeout=10).head(sys.argv[1], auth=lambda r: r)
`
	aiohttpAsks = `
import sys, asyncio, aiohttp
async def ask():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as s:
        async with s.head(sys.argv[1], allow_redirects=False):
            pass
asyncio.run(ask())
`
	condaAsks = `
import sys
from conda.base import context
if hasattr(context, "reset_context"):
    context.reset_context()
from conda.gateways.connection.session import CondaSession
CondaSession().head(sys.argv[1], timeout=10, allow_redirects=False, auth=lambda r: r)
`
	// pip's own session with what its files and variables say, as "pip
	// install" makes it; what it says about the machine in each request is cut.
	pipAsks = `
import sys
for name in ("pip._internal.network.session", "pip._internal.download"):
    try:
        __import__(name)
        sys.modules[name].user_agent = lambda: "pip"
    except ImportError:
        pass
import pip._internal.commands as commands
if hasattr(commands, "create_command"):
    install = commands.create_command("install")
else:
    install = commands.commands_dict["install"]()
options, _ = install.parse_args(["--no-cache-dir"])
session = install._build_session(options, retries=0, timeout=10)
try:
    session.head(sys.argv[1], timeout=10, allow_redirects=False, auth=lambda r: r)
except Exception as e:
    if type(e).__name__ != "RetryError":
        raise
`
	nodeAsks = `
const u = new URL(process.argv[1]), host = u.hostname.replace(/^\[|\]$/g, "");
const s = require("tls").connect({
  host, port: u.port || 443, servername: require("net").isIP(host) ? undefined : host,
}, () => process.exit(0));
s.setTimeout(10000, () => { console.error("ETIMEDOUT"); process.exit(1); });
s.on("error", (e) => { console.error(e.code + ": " + e.message); process.exit(1); });
`
)

// carried are the variables, beside those that a row lists, that decide where
// programs look for their settings and which proxy they use.
var carried = []string{
	"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
	"XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "CONDARC", "CONDA_ROOT", "CONDA_PREFIX", "PIP_CONFIG_FILE",
	"CURL_HOME", "WGETRC", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "NODE_USE_SYSTEM_CA",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "npm_config_userconfig", "npm_config_globalconfig",
}

// Environ is what an instance would see if it were started now: of the process
// environment and of the files that set variables what decides whom it trusts,
// and nothing else. !ok when a value cannot be known from here.
func (c *Client) Environ(env platform.Env, settings []*Setting) (out []string, ok bool) {
	counts := func(name string) bool {
		return slices.Contains(carried, name) || c.Row == gitRow && strings.HasPrefix(name, "GIT_CONFIG_") ||
			slices.ContainsFunc(c.Row.Vars, func(v Var) bool { return canon(v.Name) == canon(name) && v.Role != roleOther })
	}
	values := map[string]string{}
	for _, x := range settings {
		_, here := env[x.Name]
		if x.Env && !here && strings.HasPrefix(x.Name, "GIT_CONFIG_VALUE_") {
			return nil, false // one of three variables
		}
		if !x.Env || here || !counts(x.Name) || x.Scope != "" && x.Scope != c.Path {
			continue
		}
		val := x.Value
		if x.Word != "" {
			val = x.Entry.Value
		}
		if x.Path != "" {
			val = x.Path
		} else if strings.ContainsAny(val, "$`~") {
			return nil, false
		}
		values[x.Name] = val
	}
	for name, val := range env {
		if counts(name) {
			values[name] = val
		}
	}
	if opts := optionsOfNode(env["NODE_OPTIONS"]); c.Row == nodeRow && opts != "" {
		values["NODE_OPTIONS"] = opts
	}
	for name, val := range values {
		out = append(out, name+"="+val)
	}
	slices.Sort(out)
	return append(out, c.Row.Ask.Env...), true
}

// optionsOfNode are those options that decide about trust; others could load
// code.
func optionsOfNode(all string) string {
	var out []string
	for _, w := range strings.Fields(all) {
		if w == "--use-openssl-ca" || w == "--use-system-ca" || w == "--use-bundled-ca" {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}
