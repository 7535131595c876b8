//go:build linux

package lab

import (
	"slices"
	"strings"
	"testing"
)

// Ruby, cargo and R: as client_rows_test.go says. Their programs are in the
// oldest suite and the newest.

// langs are the suites that have them.
var langs = []Suite{Bullseye, Sid}

// The projects that bundler, cargo and R are started in.
const (
	rubyApp   = "/srv/app"
	rustCrate = "/srv/work/crate"
	rProject  = "/srv/r"
)

var insecureLang = []rowCase{
	{row: "gem", suites: langs, file: "/root/.gemrc", text: "---\n:verbose: true\n:ssl_verify_mode: 0\n", client: gemList},
	{row: "gem", suites: langs, file: "/etc/gemrc", text: "---\n:ssl_verify_mode: 00 # mine\n:verbose: true\n", client: gemList},
	{row: "gem", suites: langs, file: "/root/.config/gem/gemrc", text: ":ssl_verify_mode: 0\n:verbose: true\n", client: gemList},
	{row: "gem", suites: []Suite{Sid}, file: "/root/.gemrc", text: "ssl_verify_mode: \"0\"\nverbose: true\n", client: gemList},
	{row: "bundler", suites: langs, file: "/root/.bundle/config", text: "---\nBUNDLE_JOBS: \"2\"\nBUNDLE_SSL_VERIFY_MODE: \"0\"\n", client: bundleLock},
	{row: "bundler", suites: langs, file: rubyApp + "/.bundle/config", text: "---\nBUNDLE_SSL_VERIFY_MODE: none\nBUNDLE_JOBS: \"2\"\n", dir: rubyApp, client: bundleLock},
	{row: "bundler", suites: langs, file: profile, text: "umask 022\nexport BUNDLE_SSL_VERIFY_MODE=0\n", client: withProfile(bundleLock)},
	{row: "bundler", suites: langs, file: profile, text: "umask 022\nexport BUNDLE_SSL_VERIFY_MODE=\n", client: withProfile(bundleLock)},
}

var deadLang = []rowCase{
	{row: "gem", suites: langs, file: "/root/.gemrc", text: "---\n:verbose: true\n:ssl_ca_cert: " + gone + "\n", client: gemList},
	{row: "gem", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(gemList)},
	// Here Debian tells gem and bundler of the system's bundle.
	{row: "gem", suites: []Suite{Sid}, file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(gemList), passes: true},
	{row: "bundler", suites: []Suite{Sid}, file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(bundleLock), passes: true},
	{row: "bundler", suites: langs, file: "/root/.gemrc", text: ":ssl_ca_cert: " + gone + "\n:verbose: true\n", client: bundleLock},
	{row: "bundler", suites: langs, file: "/root/.bundle/config", text: "---\nBUNDLE_JOBS: \"2\"\nBUNDLE_SSL_CA_CERT: " + gone + "\n", client: bundleLock},
	{row: "bundler", suites: langs, file: rubyApp + "/.bundle/config", text: "---\nBUNDLE_SSL_CA_CERT: \"" + gone + "\"\nBUNDLE_JOBS: \"2\"\n", dir: rubyApp, client: bundleLock},
	{row: "bundler", suites: langs, file: profile, text: "umask 022\nexport BUNDLE_SSL_CA_CERT=" + gone + "\n", client: withProfile(bundleLock)},
	{row: "cargo", suites: langs, file: "/root/.cargo/config.toml", text: "# mine\n[http]\ncainfo = \"" + gone + "\"\ntimeout = 8\n", client: cargoLock},
	{row: "cargo", suites: langs, file: "/srv/work/.cargo/config.toml", text: "http.cainfo = '" + gone + "'\nnet.retry = 0\n", dir: rustCrate, client: cargoLock},
	{row: "cargo", suites: langs, file: profile, text: "umask 022\nexport CARGO_HTTP_CAINFO=" + gone + "\n", client: withProfile(cargoLock)},
	{row: "cargo", suites: langs, file: profile, text: "umask 022\nexport SSL_CERT_FILE=" + gone + "\nexport SSL_CERT_DIR=/gone/certs\n", client: withProfile(cargoLock), passes: true},
	{row: "r", suites: langs, file: "/root/.Renviron", text: "# mine\nCURL_CA_BUNDLE=" + gone + "\nR_LIBS_USER=~/R\n", client: rPackages},
	{row: "r", suites: langs, file: "/etc/R/Renviron.site", text: "# mine\nCURL_CA_BUNDLE='" + gone + "'\nR_PAPERSIZE=a4\n", client: rPackages},
	{row: "r", suites: langs, file: rProject + "/.Renviron", text: "CURL_CA_BUNDLE=\"" + gone + "\"\nR_PAPERSIZE=a4\n", dir: rProject, client: rPackages},
	{row: "r", suites: langs, file: profile, text: "umask 022\nexport CURL_CA_BUNDLE=" + gone + "\n", client: withProfile(rPackages)},
}

// script runs a shell script with the host as $1.
func script(text string) func(string) Cmd {
	return func(host string) Cmd { return Cmd{Argv: []string{"/bin/sh", "-euc", text, "sh", host}} }
}

var (
	// gemList lists a host's gems; gem's exit code is 0 in any case.
	gemList = script(`rm -rf ~/.cache/gem ~/.local/share/gem
gem list --remote --clear-sources --source "https://$1/" labpkg | grep labpkg`)

	// bundleLock resolves an application that needs a host's gem.
	bundleLock = script(`mkdir -p ` + rubyApp + `
cd ` + rubyApp + `
rm -rf Gemfile.lock ~/.bundle/cache
printf 'source "https://%s/"\ngem "labpkg"\n' "$1" >Gemfile
BUNDLE_RETRY=0 exec bundle lock`)

	// cargoLock resolves a crate that needs a host's crate. The old cargo knows
	// indexes in git only: the answer 404 comes after TLS.
	cargoLock = script(`mkdir -p ` + rustCrate + `/src ` + rustCrate + `/.cargo
cd ` + rustCrate + `
: >src/lib.rs
printf '[package]\nname = "lab"\nversion = "0.1.0"\n[dependencies]\nlabpkg = "1"\n' >Cargo.toml
index=sparse+https://$1/
case $(cargo --version) in *' 1.46.'*) index=https://$1/index ;; esac
printf '[source.crates-io]\nreplace-with = "lab"\n[source.lab]\nregistry = "%s"\n[net]\nretry = 0\n' "$index" >.cargo/config.toml
rm -rf ~/.cargo/registry Cargo.lock
cargo generate-lockfile >said 2>&1 || true
grep -e 'Locking 1 package' -e 'got 404' -e 'status code: 404' said || { cat said >&2; exit 1; }`)

	// rPackages asks a host's repository what it has.
	rPackages = rScript(`q(status = !("labpkg" %in% available.packages(repos = paste0("https://", commandArgs(TRUE)), filters = list())[, 1]))`)

	// rDownload fetches a host's greeting.
	rDownload = rScript(`q(status = download.file(paste0("https://", commandArgs(TRUE), "/"), tempfile()))`)
)

// rScript runs a line of R with the host as its argument.
func rScript(line string) func(string) Cmd {
	return func(host string) Cmd { return Cmd{Argv: []string{"Rscript", "-e", line, host}} }
}

// rProfiles are profiles of R, with whether R then takes the interceptor for
// the server, and what is found in the last line.
var rProfiles = []struct {
	file, text string
	insecure   bool
	found      bool
}{
	{"/root/.Rprofile", "# mine\noptions(download.file.method = \"curl\", download.file.extra = \"-k\")\n", true, true},
	{"/root/.Rprofile", "options(download.file.method = 'curl')\noptions(download.file.extra = c('--keepalive-time 3', '-sSk'))\n", true, true},
	{"/etc/R/Rprofile.site", "# site\noptions(\"download.file.method\" = \"wget\", \"download.file.extra\" = \"--no-check-certificate\")\n", true, true},
	{rProject + "/.Rprofile", "# project\noptions(download.file.method=\"curl\",download.file.extra=\"--insecure\")\n", true, true},
	// The default method takes no options: found, and said to be without effect today.
	{"/root/.Rprofile", "# mine\noptions(download.file.extra = \"-k\")\n", false, true},
	{"/root/.Rprofile", "# mine\noptions(download.file.method = \"curl\", download.file.extra = \"--keepalive-time 3\")\n", false, false},
	// A variable of that name means nothing to anybody.
	{"/root/.Renviron", "# mine\nssl_verifypeer=0\n", false, false},
}

// R's profiles are programs: what makes R insecure is found where it stands
// and left to a person, and without that line R verifies.
func TestRProfiles(t *testing.T) {
	for _, suite := range langs {
		t.Run(string(suite), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: suite, Hosts: Hosts{rowGood: Good, rowEvil: Intercept}})
			s.Must("mkdir -p " + rProject)
			trusts := func(host string) bool {
				c := rDownload(host)
				c.Dir = rProject
				return s.Exec(c).Code == 0
			}
			verify := func(want int, args ...string) Report {
				c := TrustfixCmd(append(args, "--offline", "--only", "verify-off")...)
				c.Dir = rProject
				return s.DiagnoseAs(c, want)
			}
			for _, p := range rProfiles {
				old := ""
				if s.Exists(p.file) {
					old = s.Read(p.file)
				}
				s.Write(p.file, p.text)
				if !trusts(rowGood) || trusts(rowEvil) != p.insecure {
					t.Errorf("%q in %s: it is not so that R is insecure: %v", p.text, p.file, p.insecure)
				}
				want := 0
				if p.found {
					want = 3
				}
				doc := verify(want, "--apply")
				found := slices.ContainsFunc(doc.Find("verify-off"), func(f Finding) bool {
					return f.Where == p.file+":2" && f.Action == "manual" && f.Client == "r"
				})
				if found != p.found || len(doc.Find("verify-off")) > 1 || doc.Run != nil || s.Read(p.file) != p.text {
					t.Errorf("%q in %s: found: %v, expected %v\n%s", p.text, p.file, found, p.found, doc)
				}
				for _, c := range doc.Clients {
					if c.Name == "r" && (c.Verify == "off") != p.insecure {
						t.Errorf("%q in %s: R verifies: %s", p.text, p.file, c.Verify)
					}
				}
				kept, _, _ := strings.Cut(p.text, "\n")
				s.Write(p.file, kept+"\n"+old)
				if doc := verify(0); len(doc.Find("verify-off")) > 0 || !trusts(rowGood) || trusts(rowEvil) {
					t.Errorf("%s without the line: R does not verify\n%s", p.file, doc)
				}
				s.Must("rm " + p.file)
				if old != "" {
					s.Write(p.file, old)
				}
			}
		})
	}
}

// A server forgot its intermediate: each client takes it from a pin, keeps the
// public roots with it, and trusts nobody else.
func TestLangPins(t *testing.T) {
	const short = "short.example"
	for _, suite := range langs {
		t.Run(string(suite), func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: suite, Hosts: Hosts{rowGood: Good, rowEvil: Intercept, short: NoInt}})
			for _, c := range []struct {
				name string
				ask  func(host string) Cmd
			}{{"gem", gemList}, {"bundler", bundleLock}, {"cargo", cargoLock}, {"r", rPackages}} {
				s.Clients(false, c.ask(short))
				if r := s.Trustfix("pin", short, "--client", c.name); r.Code != 0 {
					t.Errorf("pin for %s: %s", c.name, r)
				}
				s.Clients(true, c.ask(short), c.ask(rowGood))
				s.Clients(false, c.ask(rowEvil))
				if r := s.Trustfix("unpin", short); r.Code != 0 {
					t.Errorf("unpin for %s: %s", c.name, r)
				}
				s.Clients(false, c.ask(short))
			}
		})
	}
}
