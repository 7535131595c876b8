package client

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// rRow: profiles are programs, so the lines are found by their words and
// changed by a person. Base R verifies with libcurl and has no switch of its
// own; what its profile hands to curl and wget, or tells httr and RCurl, does.
var rRow = &Row{
	Name:     "r",
	Programs: []string{"R"},
	Files:    rFiles,
	Keys: []Key{
		{Path: []string{"httr::ssl_verifypeer"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"RCurl::ssl.verifypeer"}, Role: RoleVerify, Off: value(always)},
		{Path: []string{"download.file.method"}, Role: roleOther},
		{Path: []string{"download.file.extra"}, Role: RoleVerify, Off: value(rExtraOff)},
		{Path: []string{"CURL_CA_BUNDLE"}, Role: RoleCA},
		{Path: []string{"SSL_CERT_FILE"}, Role: RoleCA, Aside: true},
		{Path: []string{"repos"}, Role: RoleURL},
	},
	Vars:    []Var{{Name: "CURL_CA_BUNDLE", Role: RoleCA, Below: true}},
	Default: "os",
	Pin: &Pin{Key: []string{"CURL_CA_BUNDLE"}, File: func(s *scan, _ *Client) File {
		return File{Path: path.Join(s.home, ".Renviron"), Format: edit.EnvFile}
	}, Dir: ".config/R"},
	Rules:   ruleSet("openssl-3"),
	Resolve: resolveR,
}

// rFiles are the variables and the profiles of the installation, of the
// machine, and of the person: of the last two a variable may name another.
func rFiles(s *scan, _ *Client) []File {
	environ := []string{"/etc/R/Renviron"}
	if p := s.getenv("R_ENVIRON"); path.IsAbs(p) {
		environ = append(environ, p)
	} else {
		environ = append(environ, "/etc/R/Renviron.site", "/usr/lib/R/etc/Renviron.site")
	}
	profile := []string{"/etc/R/Rprofile.site", "/usr/lib/R/etc/Rprofile.site"}
	if p := s.getenv("R_PROFILE"); path.IsAbs(p) {
		profile = []string{p}
	}
	var out []File
	add := func(f File) {
		real, err := s.v.Files.Resolve(f.Path)
		if err != nil || real == f.Path || !slices.ContainsFunc(out, func(o File) bool { return o.Path == real }) {
			out = append(out, f) // Debian's R home links to /etc/R
		}
	}
	for _, n := range environ {
		add(File{Path: n, Format: edit.EnvFile})
	}
	own := s.userR("R_ENVIRON_USER", ".Renviron")
	own.Format = edit.EnvFile
	add(own)
	for _, n := range profile {
		add(File{Path: n, Read: readRprofile})
	}
	own = s.userR("R_PROFILE_USER", ".Rprofile")
	own.Read = readRprofile
	add(own)
	return out
}

// userR is the one file of a person that R reads: by variable, of the working
// directory, of the home.
func (s *scan) userR(variable, name string) File {
	if p := s.getenv(variable); path.IsAbs(p) {
		return File{Path: p}
	}
	if p := path.Join(s.v.Dir, name); s.v.Dir != "" && s.v.Dir != s.home && s.project(p) {
		return File{Path: p, Here: true}
	}
	return File{Path: path.Join(s.home, name)}
}

// resolveR: the last download.file.extra counts, and only where downloads go
// through a program that takes options; httr's and RCurl's switch always.
func resolveR(s *scan, c *Client, layers []layer) {
	var method *Setting
	var extra []layer
	for i, l := range layers {
		switch {
		case l.Name == "download.file.method":
			method = l.Setting
		case l.Name == "download.file.extra":
			extra = layers[i : i+1]
		case l.role == RoleVerify:
			s.verifyOf(c, layers[i:i+1])
		}
	}
	if method != nil {
		method.Wins = true
		if method.Value == "curl" || method.Value == "wget" {
			s.verifyOf(c, extra)
		}
	}
	s.trustOf(c, layers)
}

// rExtraOff reports whether options of curl or wget switch verification off.
func rExtraOff(options string) bool {
	return slices.ContainsFunc(strings.Fields(options), func(w string) bool {
		return strings.HasPrefix(w, "-") && curlNormal(w) == "insecure" || strings.HasPrefix(w, "--no-check-cert")
	})
}

var (
	// rRepos are the plain addresses of an options(repos = …).
	rRepos    = regexp.MustCompile(`"(https?://[^"]+)"`)
	rVerify   = regexp.MustCompile(`\bssl([._])verifypeer["']?\s*=\s*(0L?|FALSE|F)\b`)
	rDownload = regexp.MustCompile(`\b(download\.file\.(?:method|extra))["'` + "`" + `]?\s*=\s*(c\([^)]*\)|"[^"]*"|'[^']*')`)
	rString   = regexp.MustCompile(`"([^"]*)"|'([^']*)'`)
)

// readRprofile finds the lines of an R profile that switch verification off,
// choose how files are downloaded, or name a repository.
func readRprofile(data []byte) []edit.Entry {
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		code, _, _ := strings.Cut(line, "#")
		add := func(key, value string) {
			out = append(out, edit.Entry{Path: []string{key}, Value: value, Line: i + 1, EndLine: i + 1})
		}
		if m := rVerify.FindStringSubmatch(code); m != nil && m[1] == "." {
			add("RCurl::ssl.verifypeer", m[2])
		} else if m != nil {
			add("httr::ssl_verifypeer", m[2])
		}
		for _, m := range rDownload.FindAllStringSubmatch(code, -1) {
			var words []string
			for _, w := range rString.FindAllStringSubmatch(m[2], -1) {
				words = append(words, w[1]+w[2])
			}
			add(m[1], strings.Join(words, " "))
		}
		flat := strings.NewReplacer(" ", "", "\t", "", "'", `"`).Replace(code)
		if strings.Contains(flat, "repos=") || strings.Contains(flat, `repos["`) {
			var urls []string
			for _, m := range rRepos.FindAllStringSubmatch(flat, -1) {
				urls = append(urls, m[1])
			}
			if len(urls) > 0 {
				add("repos", strings.Join(urls, " "))
			}
		}
	}
	return out
}
