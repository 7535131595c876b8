package client

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// varUse is one row's reading of one variable.
type varUse struct {
	row *Row
	v   *Var
}

// owners are the rows that findings about a shared variable are named after;
// a variable that is not here belongs to the first row that has it.
var owners = map[string][]string{
	"SSL_CERT_FILE":      {"python"},
	"SSL_CERT_DIR":       {"python"},
	"REQUESTS_CA_BUNDLE": {"requests"},
	"CURL_CA_BUNDLE":     {"curl", "requests"}, // as a bundle, as a switch
}

// canon is a variable's name as it is looked up: npm reads its own in any
// case, poetry has one for each repository, git numbers them.
func canon(name string) string {
	if l := strings.ToLower(name); strings.HasPrefix(l, "npm_config_") {
		return l
	}
	for _, p := range []string{"GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", bundleMirror, awsEndpoint, gcloudEndpoint} {
		if strings.HasPrefix(name, p) {
			return p + "*"
		}
	}
	if strings.HasPrefix(name, "POETRY_CERTIFICATES_") && strings.HasSuffix(name, "_CERT") && !strings.HasSuffix(name, "_CLIENT_CERT") {
		return "POETRY_CERTIFICATES_*_CERT"
	}
	return name
}

func (s *scan) knownVars() map[string][]varUse {
	m := map[string][]varUse{}
	for _, r := range s.rows {
		for i := range r.Vars {
			n := canon(r.Vars[i].Name)
			m[n] = append(m[n], varUse{r, &r.Vars[i]})
		}
	}
	return m
}

// envSource is a file that sets environment variables.
type envSource struct {
	File
	scope string // conda environment that it is limited to
	kind  envKind
}

type envKind int

const (
	envEdit    envKind = iota // a format of package edit: {NAME}
	envNested                 // JSON of conda: {NAME} or {env_vars, NAME}
	envPAM                    // NAME DEFAULT=value OVERRIDE=value
	envSystemd                // DefaultEnvironment="NAME=value" …
	envLaunchd                // launchctl setenv NAME value
)

// envSources are the places that set variables for everybody and for the
// user, lowest precedence first.
func (s *scan) envSources() []envSource {
	h, cfg := s.home, s.configHome()
	var out []envSource
	add := func(kind envKind, format edit.Format, ext string, paths ...string) {
		for _, p := range paths {
			out = append(out, envSource{File: File{Path: p, Format: format, Ext: ext}, kind: kind})
		}
	}
	if s.v.OS == "darwin" {
		add(envLaunchd, "", ".plist", "/Library/LaunchDaemons", "/Library/LaunchAgents", path.Join(h, "Library/LaunchAgents"))
	}
	add(envSystemd, "", "", "/etc/systemd/system.conf")
	add(envSystemd, "", ".conf", "/etc/systemd/system.conf.d")
	add(envSystemd, "", "", "/etc/systemd/user.conf")
	add(envSystemd, "", ".conf", "/etc/systemd/user.conf.d")
	add(envEdit, edit.EnvFile, ".conf", "/usr/lib/environment.d", "/etc/environment.d")
	add(envPAM, "", "", "/etc/security/pam_env.conf")
	add(envEdit, edit.EnvFile, "", "/etc/environment")
	add(envEdit, edit.Shell, "", "/etc/profile")
	add(envEdit, edit.Shell, ".sh", "/etc/profile.d")
	add(envEdit, edit.Shell, "", "/etc/bash.bashrc", "/etc/bashrc", "/etc/bash/bashrc",
		"/etc/zshenv", "/etc/zsh/zshenv", "/etc/zprofile", "/etc/zsh/zprofile", "/etc/zshrc", "/etc/zsh/zshrc", "/etc/zsh/zlogin")
	add(envEdit, edit.Fish, "", "/etc/fish/config.fish")
	add(envEdit, edit.Fish, ".fish", "/etc/fish/conf.d")
	add(envEdit, edit.Csh, "", "/etc/csh.cshrc", "/etc/csh.login")
	add(envEdit, edit.Csh, ".csh", "/etc/profile.d")
	add(envEdit, edit.EnvFile, ".conf", path.Join(cfg, "environment.d"))
	add(envPAM, "", "", path.Join(h, ".pam_environment"))
	for _, n := range []string{
		".profile", ".bash_profile", ".bash_login", ".bashrc", ".bash_aliases",
		".zshenv", ".zprofile", ".zshrc", ".zlogin", ".xprofile", ".xsessionrc",
	} {
		add(envEdit, edit.Shell, "", path.Join(h, n))
	}
	add(envEdit, edit.Fish, "", path.Join(cfg, "fish/config.fish"))
	add(envEdit, edit.Fish, ".fish", path.Join(cfg, "fish/conf.d"))
	add(envEdit, edit.Csh, "", path.Join(h, ".cshrc"), path.Join(h, ".tcshrc"), path.Join(h, ".login"))
	return out
}

// readEnv collects every place that sets a variable some row reads, and ties
// the process's own environment to the files it came from.
func (s *scan) readEnv() {
	for _, src := range s.envSources() {
		for _, f := range s.expandFiles([]File{src.File}) {
			s.readEnvFile(envSource{f, src.scope, src.kind})
		}
	}
	for _, p := range s.conda {
		s.readCondaEnv(p)
	}
	s.readRegistry()
	for _, name := range slices.Sorted(maps.Keys(s.v.Env)) {
		s.readProcess(name, s.v.Env[name])
	}
}

// readCondaEnv reads what activating one conda environment sets.
func (s *scan) readCondaEnv(p *prefix) {
	if p.state {
		s.readEnvFile(envSource{File{Path: path.Join(p.dir, "conda-meta/state"), Format: edit.JSON}, p.dir, envNested})
	}
	if !slices.Contains(p.names, "etc") {
		return
	}
	etc := path.Join(p.dir, "etc/conda")
	for _, sub := range s.readDir(etc) {
		switch sub {
		case "env_vars.d":
			for _, f := range s.expandFiles([]File{{Path: path.Join(etc, sub), Format: edit.JSON, Ext: ".json"}}) {
				s.readEnvFile(envSource{f, p.dir, envNested})
			}
		case "activate.d":
			for _, t := range []struct {
				ext    string
				format edit.Format
			}{{".sh", edit.Shell}, {".fish", edit.Fish}, {".csh", edit.Csh}} {
				for _, f := range s.expandFiles([]File{{Path: path.Join(etc, sub), Format: t.format, Ext: t.ext}}) {
					s.readEnvFile(envSource{f, p.dir, envEdit})
				}
			}
		}
	}
}

func (s *scan) readEnvFile(src envSource) {
	data := s.readRaw("environment", src.Path)
	if !s.mentions(data) {
		return // spare the parser every profile that has nothing to do with TLS
	}
	var entries []edit.Entry
	switch src.kind {
	case envPAM:
		entries = parsePAM(data)
	case envSystemd:
		entries = parseSystemd(data)
	case envLaunchd:
		entries = parseLaunchd(data)
	default:
		entries = s.parse("environment", src.Path, src.Format)
	}
	for _, e := range entries {
		if len(e.Path) == 0 || e.Parent {
			continue
		}
		name := e.Path[len(e.Path)-1]
		switch {
		case src.kind == envNested && len(e.Path) > 2, src.kind != envNested && len(e.Path) > 1:
			continue
		}
		alone := src.kind == envPAM || src.kind == envSystemd
		for _, o := range entries {
			alone = alone && (o.Line != e.Line || slices.Equal(o.Path, e.Path))
		}
		s.addEnv(name, Setting{
			Name: name, Value: e.Value, File: src.Path, Format: src.Format, Entry: e,
			Env: true, Scope: src.scope, Elevated: s.elevated(src.Path), WholeLine: alone && !continued(data),
		})
	}
}

// continued reports whether a file joins lines with backslashes, so that a
// line may not stand alone.
func continued(data []byte) bool {
	return bytes.Contains(data, []byte("\\\n")) || bytes.Contains(data, []byte("\\\r\n"))
}

// mentions reports whether a file names a variable that some row reads.
func (s *scan) mentions(data []byte) bool {
	if len(data) == 0 {
		return false
	}
	if bytes.Contains(bytes.ToLower(data), []byte("npm_config_")) {
		return true
	}
	for name := range s.vars {
		name, _, _ = strings.Cut(name, "*")
		if bytes.Contains(data, []byte(name)) {
			return true
		}
	}
	return false
}

// addEnv notes one place that sets a variable, once for each role the
// variable can have there.
func (s *scan) addEnv(name string, set Setting) {
	c := canon(name)
	uses := s.vars[c]
	if len(uses) == 0 {
		return
	}
	e := set.Entry
	e.Value, e.Quoted = set.Value, true
	byRole := map[Role]*Setting{}
	for _, u := range uses {
		role, off, ok := u.v.class(e)
		if !ok {
			continue
		}
		x := byRole[role]
		if x == nil {
			n := set
			n.Client, n.Role = u.row.Name, role
			x = &n
			byRole[role] = x
			s.env[c] = append(s.env[c], x)
			if role != roleOther {
				s.inv.Settings = append(s.inv.Settings, x)
			}
		}
		if slices.Contains(owners[c], u.row.Name) {
			x.Client = u.row.Name
		}
		x.Off = x.Off || off
		x.Adds, x.Dir = u.v.Adds, u.v.Dir
		if u.v.Word != "" {
			x.Value, x.Word = wordOf(set.Value, u.v.Word)
			x.Also = alongside(set.Value, x.Word)
		}
		if u.v.KeyStore {
			x.KeyStore = javaStore(set.Value)
		}
		x.Affects = append(x.Affects, u.row.Name)
		if role == RoleVerify && u.v.Hosts {
			x.Hosts = strings.Fields(strings.ReplaceAll(set.Value, ",", " "))
		}
	}
}

// class is the role of a value of this variable; !ok when it says nothing.
func (v *Var) class(e edit.Entry) (role Role, off, ok bool) {
	if v.Word != "" {
		var word string
		if e.Value, word = wordOf(e.Value, v.Word); word == "" {
			return v.Role, false, false
		}
	}
	if v.Class != nil {
		role, off = v.Class(e)
		return role, off, true
	}
	if v.Role == RoleVerify {
		off = v.Off(e.Value)
		return v.Role, off, off || !v.OffOnly
	}
	return v.Role, false, e.Value != "" || v.EmptyCounts
}

// readProcess ties a variable of the process to the file that set it, or
// notes it as set by nobody that was found.
func (s *scan) readProcess(name, val string) {
	uses := s.vars[canon(name)]
	if len(uses) == 0 {
		return
	}
	found := false
	list := s.env[canon(name)]
	for i := len(list) - 1; i >= 0; i-- {
		x := list[i]
		if x.Scope != "" && x.Scope != s.v.Env["CONDA_PREFIX"] || !named(x, name) {
			continue
		}
		written := x.Value
		if x.File != "" {
			written = x.Entry.Value
		}
		if got, _ := s.expand(written); got == val || written == val {
			if found && list[i+1].Entry.Line != x.Entry.Line {
				break
			}
			x.Process, found = true, true
		}
	}
	if !found {
		s.addEnv(name, Setting{Name: name, Value: val, Env: true, Process: true})
	}
}

// effective is the place whose value a program started now would see: the
// process's own, else the last file that sets it.
func (s *scan) effective(name, scope string) *Setting {
	var w *Setting
	for _, x := range s.env[canon(name)] {
		if x.Scope != "" && x.Scope != scope && !x.Process || !named(x, name) {
			continue
		}
		if w == nil || x.Process || !w.Process {
			w = x
		}
	}
	return w
}

// named tells numbered variables apart; any of them is meant by a name with "*".
func named(x *Setting, name string) bool {
	return strings.Contains(name, "*") || canon(x.Name) == canon(name) && (x.Name == name || !strings.Contains(canon(name), "*"))
}

// envValue is the value a program started now would see, and who set it.
func (s *scan) envValue(name, scope string) (string, *Setting) {
	if w := s.effective(name, scope); w != nil {
		return w.Value, w
	}
	return "", nil
}

// elevated reports whether changing a path may need an administrator: it is
// not in the user's home.
func (s *scan) elevated(name string) bool {
	if strings.HasPrefix(name, s.home+"/") {
		return false
	}
	if s.v.User.UID != 0 && s.v.Dir != "" { // a project of the person's own
		img, err := s.v.Files.Stat(name)
		return err != nil || img.UID != s.v.User.UID
	}
	return true
}
