package platform

import (
	"bytes"
	"net/url"
	"path"
	"slices"
	"strings"
)

// PackageManager is how a family installs packages without asking, and how
// its own TLS is told for one command to use other roots (reference/os.md
// §1c). The packages' names are appended to Install and Reinstall.
type PackageManager struct {
	Name      string
	Program   string   // logical path of the program that was found
	Install   []string // argument vectors start with the program's name
	Reinstall []string
	Remove    []string // takes an installed package away again, its dependants left alone
	Refresh   []string // fetches the lists that Install needs, nil when Install does; its exit status may lie
	Env       []string

	// How to override the roots for one command: arguments inserted after the
	// program's name, or variables. {roots} stands for the PEM file, which the
	// sandbox user (apt's _apt) has to be able to read. Both empty: no such way.
	CAArgs []string
	CAEnv  []string

	Sources []*url.URL // enabled repositories as configured; file: for local ones
	Lists   bool       // downloaded package lists are there
}

// packageManagers in the order in which they are looked for: a system that has dnf
// may carry yum as a link to it.
var packageManagers = []PackageManager{
	{
		Name:      "apt",
		Program:   "apt-get",
		Install:   []string{"apt-get", "install", "-y", "--no-install-recommends"},
		Reinstall: []string{"apt-get", "install", "-y", "--no-install-recommends", "--reinstall"},
		Remove:    []string{"dpkg", "--purge", "--force-depends"},
		Refresh:   []string{"apt-get", "update"},
		Env:       []string{"DEBIAN_FRONTEND=noninteractive", "DEBIAN_PRIORITY=critical", "APT_LISTCHANGES_FRONTEND=none", "NEEDRESTART_MODE=l"},
		CAArgs:    []string{"-o", "Acquire::https::CAInfo={roots}"},
	},
	{
		Name: "dnf", Program: "dnf",
		Install:   []string{"dnf", "-y", "install"},
		Reinstall: []string{"dnf", "-y", "reinstall"},
		Remove:    []string{"rpm", "-e", "--nodeps"},
		CAArgs:    []string{"--setopt=sslcacert={roots}"},
	},
	{
		Name: "microdnf", Program: "microdnf",
		Install:   []string{"microdnf", "-y", "install"},
		Reinstall: []string{"microdnf", "-y", "reinstall"},
		Remove:    []string{"rpm", "-e", "--nodeps"},
		CAArgs:    []string{"--setopt=sslcacert={roots}"},
	},
	{
		Name: "tdnf", Program: "tdnf",
		Install:   []string{"tdnf", "-y", "install"},
		Reinstall: []string{"tdnf", "-y", "reinstall"},
		Remove:    []string{"rpm", "-e", "--nodeps"},
	},
	{
		Name: "yum", Program: "yum",
		Install:   []string{"yum", "-y", "install"},
		Reinstall: []string{"yum", "-y", "reinstall"},
		Remove:    []string{"rpm", "-e", "--nodeps"},
		CAArgs:    []string{"--setopt=sslcacert={roots}"},
	},
	{
		Name: "apk", Program: "apk",
		Install:   []string{"apk", "add", "--no-cache"},
		Reinstall: []string{"apk", "fix", "--no-cache", "--reinstall"},
		Remove:    []string{"apk", "del"},
		CAEnv:     []string{"SSL_CERT_FILE={roots}"},
	},
	{
		Name: "zypper", Program: "zypper",
		Install:   []string{"zypper", "--non-interactive", "install"},
		Reinstall: []string{"zypper", "--non-interactive", "install", "--force"},
		Remove:    []string{"rpm", "-e", "--nodeps"},
	},
	{
		Name: "pacman", Program: "pacman",
		Install:   []string{"pacman", "-Sy", "--noconfirm"},
		Reinstall: []string{"pacman", "-S", "--noconfirm"},
		Remove:    []string{"pacman", "-Rdd", "--noconfirm"},
	},
	{
		Name: "xbps", Program: "xbps-install",
		Install:   []string{"xbps-install", "-Sy"},
		Reinstall: []string{"xbps-install", "-Sfy"},
		Remove:    []string{"xbps-remove", "-Fy"},
		CAEnv:     []string{"SSL_CA_CERT_FILE={roots}"},
	},
	{
		Name: "emerge", Program: "emerge",
		Install:   []string{"emerge", "--oneshot"},
		Reinstall: []string{"emerge", "--oneshot"},
	},
}

// familyManagers are the packageManagers that a family's own packages come from; a
// Debian system may have dnf installed as a tool for something else.
var familyManagers = map[Family][]string{
	Debian: {"apt"}, Termux: {"apt"}, RedHat: {"dnf", "microdnf", "tdnf", "yum"}, Photon: {"tdnf", "dnf", "yum"},
	Alpine: {"apk"}, SUSE: {"zypper"}, Arch: {"pacman"}, Void: {"xbps"}, Gentoo: {"emerge"},
}

// PackageManager is the manager of this system's own packages with its
// repositories, or nil. It reads files and runs nothing.
func (v *View) PackageManager() *PackageManager {
	if v.OS != "linux" {
		return nil
	}
	names := familyManagers[v.Distro.Family]
	for _, pm := range packageManagers {
		if v.Distro.Family != Unknown && !slices.Contains(names, pm.Name) {
			continue
		}
		at := v.Tool(pm.Program)
		if at == "" {
			continue
		}
		pm.Program = at
		pm.Sources = v.repositories(pm.Name)
		pm.Lists = pm.Name != "apt" || v.hasLists()
		return &pm
	}
	return nil
}

// PackageInstalled says whether the package database knows a package; known
// is false where that cannot be read from plain files (rpm).
func (v *View) PackageInstalled(name string) (installed, known bool) {
	if v.present("/var/lib/dpkg/status") {
		data, err := v.Files.ReadFile("/var/lib/dpkg/status")
		if err != nil {
			return false, false
		}
		i := bytes.Index(data, []byte("\nPackage: "+name+"\n"))
		if bytes.HasPrefix(data, []byte("Package: "+name+"\n")) {
			i = 0
		}
		if i < 0 {
			return false, true
		}
		entry, _, _ := bytes.Cut(data[i+1:], []byte("\n\n"))
		return bytes.Contains(entry, []byte("\nStatus: install ok installed")) || bytes.Contains(entry, []byte("\nStatus: hold ok installed")), true
	}
	for _, db := range []string{"/lib/apk/db/installed", "/usr/lib/apk/db/installed"} {
		if data, err := v.Files.ReadFile(db); err == nil {
			return bytes.Contains(data, []byte("\nP:"+name+"\n")) || bytes.HasPrefix(data, []byte("P:"+name+"\n")), true
		}
	}
	if names, err := v.Files.ReadDir("/var/lib/pacman/local"); err == nil {
		return slices.ContainsFunc(names, func(n string) bool {
			rest, ok := strings.CutPrefix(n, name+"-")
			return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9'
		}), true
	}
	return false, false
}

// hasLists says whether apt has any package list.
func (v *View) hasLists() bool {
	names, _ := v.Files.ReadDir("/var/lib/apt/lists")
	return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "_Packages") })
}

// repositories are the addresses of enabled repositories, each once.
func (v *View) repositories(manager string) []*url.URL {
	var out []*url.URL
	seen := map[string]bool{}
	add := func(word string) {
		word = strings.Trim(word, `"'`)
		u, err := url.Parse(strings.NewReplacer("$", "", "{", "", "}", "", "[", "", "]", "").Replace(word))
		if err != nil || u.Scheme == "" || (u.Host == "" && u.Path == "" && u.Opaque == "") || seen[u.String()] {
			return
		}
		seen[u.String()] = true
		out = append(out, u)
	}
	each := func(dir, ext string, f func(string)) {
		names, _ := v.Files.ReadDir(dir)
		for _, n := range names {
			if strings.HasSuffix(n, ext) {
				if data, err := v.Files.ReadFile(path.Join(dir, n)); err == nil {
					f(string(data))
				}
			}
		}
	}
	file := func(name string, f func(string)) {
		if data, err := v.Files.ReadFile(name); err == nil {
			f(string(data))
		}
	}
	switch manager {
	case "apt":
		oneLine := func(s string) { aptLines(s, add) }
		prefix := ""
		if v.Distro.Family == Termux {
			prefix = "/data/data/com.termux/files/usr"
		}
		file(prefix+"/etc/apt/sources.list", oneLine)
		each(prefix+"/etc/apt/sources.list.d", ".list", oneLine)
		each(prefix+"/etc/apt/sources.list.d", ".sources", func(s string) { deb822(s, add) })
	case "dnf", "microdnf", "tdnf", "yum":
		for _, d := range []string{"/etc/yum.repos.d", "/etc/distro.repos.d"} {
			each(d, ".repo", func(s string) { repoFile(s, add) })
		}
	case "zypper":
		each("/etc/zypp/repos.d", ".repo", func(s string) { repoFile(s, add) })
	case "apk":
		file("/etc/apk/repositories", func(s string) {
			for line := range strings.Lines(s) {
				for _, w := range strings.Fields(line) {
					if strings.HasPrefix(w, "#") {
						break
					}
					if strings.HasPrefix(w, "/") {
						w = "file://" + w
					}
					add(w)
				}
			}
		})
	case "pacman":
		servers := func(s string) { keyLines(s, "server", add) }
		file("/etc/pacman.conf", servers)
		file("/etc/pacman.d/mirrorlist", servers)
	case "xbps":
		for _, d := range []string{"/etc/xbps.d", "/usr/share/xbps.d"} {
			each(d, ".conf", func(s string) { keyLines(s, "repository", add) })
		}
	}
	return out
}

// aptLines reads one-line sources: deb [options] URI suite components.
func aptLines(s string, add func(string)) {
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "deb" {
			continue
		}
		f = f[1:]
		if strings.HasPrefix(f[0], "[") {
			for len(f) > 1 && !strings.HasSuffix(f[0], "]") {
				f = f[1:]
			}
			f = f[1:]
		}
		if len(f) > 0 {
			add(f[0])
		}
	}
}

// deb822 reads stanzas of Types/URIs/Enabled.
func deb822(s string, add func(string)) {
	for stanza := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		fields := map[string]string{}
		key := ""
		for line := range strings.Lines(stanza) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			if line[0] == ' ' || line[0] == '\t' {
				fields[key] += " " + strings.TrimSpace(line)
			} else if k, val, ok := strings.Cut(line, ":"); ok {
				key = strings.ToLower(k)
				fields[key] = strings.TrimSpace(val)
			}
		}
		if !slices.Contains(strings.Fields(fields["types"]), "deb") || strings.EqualFold(fields["enabled"], "no") {
			continue
		}
		for _, u := range strings.Fields(fields["uris"]) {
			add(u)
		}
	}
}

// repoFile reads the enabled sections of a yum or zypper repository file.
func repoFile(s string, add func(string)) {
	var urls []string
	enabled := true
	flush := func() {
		if enabled {
			for _, u := range urls {
				add(u)
			}
		}
		urls, enabled = nil, true
	}
	last := ""
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, "[") {
			flush()
			last = ""
			continue
		}
		if t := strings.TrimSpace(line); t == "" || t[0] == '#' || t[0] == ';' {
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && last == "baseurl" {
			urls = append(urls, strings.Fields(strings.ReplaceAll(line, ",", " "))...)
			continue
		}
		k, val, _ := strings.Cut(line, "=")
		last = strings.ToLower(strings.TrimSpace(k))
		val = strings.TrimSpace(val)
		switch last {
		case "baseurl", "metalink", "mirrorlist":
			urls = append(urls, strings.Fields(strings.ReplaceAll(val, ",", " "))...)
		case "enabled":
			enabled = val != "0" && !strings.EqualFold(val, "false") && !strings.EqualFold(val, "no")
		}
	}
	flush()
}

// keyLines reads "key = value" lines, any case, comments by #.
func keyLines(s, key string, add func(string)) {
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(line, "#")
		if k, val, ok := strings.Cut(line, "="); ok && strings.EqualFold(strings.TrimSpace(k), key) {
			if val = strings.TrimSpace(val); strings.HasPrefix(val, "/") {
				val = "file://" + val
			}
			add(val)
		}
	}
}
