//go:build linux

package lab

import (
	"cmp"
	"slices"
	"strings"
	"testing"
)

// The hosts of these tests: one in order, and one that an interceptor answers for.
const (
	rowGood = "mirror.example"
	rowEvil = "intercepted.example"
)

// rowCase is one client with one thing wrong in its configuration. An
// insecure client takes the interceptor for the server; one with a dead path
// trusts nobody, unless it passes over it.
type rowCase struct {
	row    string
	suites []Suite // nil: all that have the client
	file   string
	text   string
	client func(host string) Cmd
	dir    string // where client and trustfix are started; default: the home
	passes bool   // the dead path does no harm to public hosts: the client goes on with others
}

const (
	gone    = "/gone/ca.pem"
	profile = "/root/.profile"
)

// insecure are the switches, as the real clients heed them. Each area has a
// file client_rows_<area>_test.go with insecure<Area> and dead<Area>.
var insecure = []rowCase{
	{row: "curl", file: "/root/.curlrc", text: "# mine\ninsecure\nsilent\n", client: Curl},
	{row: "wget", file: "/root/.wgetrc", text: "# mine\ncheck_certificate = off\ntries = 1\n", client: Wget},
	{row: "git", file: "/root/.gitconfig", text: "[user]\n\tname = lin\n[http]\n\tsslVerify =\n", client: Git},
	{row: "git", file: profile, text: "umask 022\nexport GIT_SSL_NO_VERIFY=0\n", client: withProfile(Git)},
	{row: "pip", file: "/root/.config/pip/pip.conf", text: "[global]\ntimeout = 8\n[download]\ntrusted-host = " + rowEvil + "\n", client: Pip},
	{row: "pip", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport CURL_CA_BUNDLE=\n", client: withProfile(Pip)},
	{row: "requests", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport CURL_CA_BUNDLE=\n", client: withProfile(Requests)},
	{row: "apt", file: "/etc/apt/apt.conf.d/99lab", text: "// mine\nAcquire::http::Verify-Peer \"false\";\nAcquire::Retries \"0\";\n", client: aptGet},
	{row: "node", suites: []Suite{Bullseye, Sid}, file: profile, text: "umask 022\nexport NODE_TLS_REJECT_UNAUTHORIZED=0\n", client: withProfile(nodeGet)},
}

// dead are bundles that are not there.
var dead = []rowCase{
	{row: "curl", suites: []Suite{Bullseye, Bookworm, Trixie}, file: "/root/.curlrc", text: "# mine\ncacert = " + gone + "\nsilent\n", client: Curl},
	// curl 8.23 warns of the line and passes over it.
	{row: "curl", suites: []Suite{Sid}, file: "/root/.curlrc", text: "# mine\ncacert = " + gone + "\nsilent\n", client: Curl, passes: true},
	{row: "curl", file: profile, text: "umask 022\nexport CURL_CA_BUNDLE=" + gone + "\n", client: withProfile(Curl)},
	{row: "wget", file: "/root/.wgetrc", text: "# mine\nca_certificate = " + gone + "\ntries = 1\n", client: Wget, passes: true},
	{row: "git", file: "/root/.gitconfig", text: "[http]\n\tsslCAInfo = " + gone + "\n\tpostBuffer = 1048576\n", client: Git},
	{row: "pip", file: "/root/.config/pip/pip.conf", text: "[install]\ntimeout = 8\n[global]\ncert = " + gone + "\n", client: Pip},
	{row: "requests", file: profile, text: "umask 022\nexport REQUESTS_CA_BUNDLE=" + gone + "\n", client: withProfile(Requests)},
	{row: "python", file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(Urllib)},
	{row: "httpx", suites: []Suite{Trixie, Sid}, file: profile, text: "umask 022\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(Httpx)},
	{row: "httpx", suites: []Suite{Bookworm}, file: profile, text: "umask 022\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(Httpx), passes: true},
	{row: "apt", file: "/etc/apt/apt.conf.d/99lab", text: "// mine\nAcquire::https::CaInfo \"" + gone + "\";\nAcquire::Retries \"0\";\n", client: aptGet},
	{row: "node", suites: []Suite{Bullseye, Sid}, file: profile, text: "umask 022\nexport NODE_EXTRA_CA_CERTS=" + gone + "\n", client: withProfile(nodeGet), passes: true},
	{row: "java", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=" + gone + "\n", client: withProfile(javaRun), passes: true},
}

// withProfile runs a client as a login shell would.
func withProfile(client func(string) Cmd) func(string) Cmd {
	return func(host string) Cmd {
		c := client(host)
		c.Argv = append([]string{"/bin/sh", "-c", `[ ! -e ` + profile + ` ] || . ` + profile + `; exec "$@"`, "sh"}, c.Argv...)
		return c
	}
}

// aptGet fetches a host's greeting as apt fetches its lists.
func aptGet(host string) Cmd {
	return Cmd{Argv: []string{"/usr/lib/apt/apt-helper", "download-file", "https://" + host + "/", "/tmp/greeting"}}
}

// nodeGet fetches a host's greeting.
func nodeGet(host string) Cmd {
	return Cmd{Argv: []string{"node", "-e", `require("https").get(process.argv[1], r => { r.resume(); r.on("end", () => process.exit(0)) }).on("error", e => { console.error(e.code); process.exit(1) })`, "https://" + host + "/"}}
}

// javaRun fetches a host's greeting with the program that TestRows writes.
func javaRun(host string) Cmd {
	return Cmd{Argv: []string{"java", "/srv/Get.java", "https://" + host + "/"}}
}

const javaGet = `public class Get {
  public static void main(String[] a) throws Exception {
    new java.net.URL(a[0]).openStream().close();
  }
}
`

// javaStore makes Debian's store for Java, of the public roots. The hook that
// would is hidden with all that a machine's owner may have put beside it.
const javaStore = `mkdir -p /etc/ssl/certs/java /tmp/roots
cd /tmp/roots
csplit -s -z -f root- ` + ReferenceRoots + ` '/BEGIN/' '{*}'
for f in root-*; do
  keytool -importcert -noprompt -storetype JKS -keystore /etc/ssl/certs/java/cacerts -storepass changeit -alias "$f" -file "$f" 2>/dev/null
done
`

// Each row's real client, in every suite that has it: insecure or broken
// before, in order after the repair, and as before after the rollback.
func TestRows(t *testing.T) {
	testRows(t, slices.Concat(insecure, insecureLang, insecurePython), slices.Concat(dead, deadLang, deadPython))
}

func testRows(t *testing.T, insecure, dead []rowCase) {
	for _, suite := range Suites {
		elsewhere := func(c rowCase) bool { return c.suites != nil && !slices.Contains(c.suites, suite) }
		insecure, dead := slices.DeleteFunc(slices.Clone(insecure), elsewhere), slices.DeleteFunc(slices.Clone(dead), elsewhere)
		if len(insecure)+len(dead) == 0 {
			continue
		}
		t.Run(string(suite), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: suite, Hosts: Hosts{rowGood: Good, rowEvil: Intercept}})
			s.Write("/srv/Get.java", javaGet)
			if s.Exists("/usr/bin/keytool") {
				s.Must(javaStore)
			}
			s.preparePython(suite)
			s.projects()
			for _, c := range insecure {
				s.row(c, "verify-off", func() (insecure bool) { return s.trusts(c, rowEvil) }, true)
			}
			for _, c := range dead {
				s.row(c, "ca-path-missing", func() (broken bool) { return !s.trusts(c, rowGood) }, !c.passes)
			}
		})
	}
}

// row puts a case on the sandbox, repairs and takes back. wrong says whether
// the client is in trouble; it has to be so before as said.
func (s *Sandbox) row(c rowCase, id string, wrong func() bool, before bool) {
	s.t.Helper()
	had := s.Exists(c.file)
	old := ""
	if had {
		old = s.Read(c.file)
	}
	what := id + " of " + c.row + " in " + c.file
	s.Write(c.file, c.text)
	if wrong() != before {
		s.t.Errorf("%s: the client is in trouble: %v, expected %v", what, !before, before)
	}
	cmd := TrustfixCmd("--apply", "--offline", "--only", id)
	cmd.Dir = cmp.Or(c.dir, c.client(rowGood).Dir) // what a client reads of its project, trustfix reads there
	doc := s.DiagnoseAs(cmd, 0)
	found := slices.ContainsFunc(doc.Find(id), func(f Finding) bool { return strings.HasPrefix(f.Where, c.file+":") })
	if !found || doc.Run == nil || doc.Run.State != "applied" {
		s.t.Errorf("%s: found %v, run %+v\n%s", what, found, doc.Run, doc)
	}
	if !s.trusts(c, rowGood) || s.trusts(c, rowEvil) {
		s.t.Errorf("%s: repaired, and the client does not verify\n%s\n%s", what, s.Exec(c.client(rowGood)), s.Exec(c.client(rowEvil)))
	}
	if r := s.Trustfix("rollback"); r.Code != 0 {
		s.t.Fatalf("%s: rollback: %s", what, r)
	}
	if got := s.Read(c.file); got != c.text {
		s.t.Errorf("%s: rolled back to %q", what, got)
	}
	if wrong() != before {
		s.t.Errorf("%s: rolled back, and the client is not as before", what)
	}
	if had {
		s.Write(c.file, old)
	} else {
		s.Must("rm " + c.file)
	}
}

// answers are what a client says that fails for another reason, after TLS.
var answers = map[string]string{"git": "not found", "aws": "(404)", "pipx": "No apps associated"}

// trusts runs the case's client, in a shell that has read the profile or not.
func (s *Sandbox) trusts(c rowCase, host string) bool {
	s.t.Helper()
	cmd := c.client(host)
	cmd.Dir = cmp.Or(c.dir, cmd.Dir)
	r := s.Exec(cmd)
	if answer := answers[c.row]; answer != "" {
		return strings.Contains(r.Stdout+r.Stderr, answer)
	}
	return r.Code == 0
}
