package client

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"trustfix/internal/edit"
)

// condaRow follows reference/clients.md §1.
var condaRow = &Row{
	Name:  "conda",
	Find:  (*scan).condaBases,
	Files: condarcFiles,
	Keys: []Key{
		{Path: []string{"ssl_verify"}, Class: condaVerify},
		{Path: []string{"verify_ssl"}, Class: condaVerify},
		{Path: []string{"client_ssl_cert"}, Role: RoleCert},
		{Path: []string{"client_cert"}, Role: RoleCert},
		{Path: []string{"client_ssl_cert_key"}, Role: RoleKey},
		{Path: []string{"client_cert_key"}, Role: RoleKey},
		{Path: []string{"channels"}, Role: roleOther}, // also an empty list is said
		{Path: []string{"channels", "*"}, Role: RoleURL},
		{Path: []string{"channel", "*"}, Role: RoleURL},
		{Path: []string{"default_channels", "*"}, Role: RoleURL},
		{Path: []string{"custom_channels", "*"}, Role: RoleURL},
		{Path: []string{"custom_multichannels", "*", "*"}, Role: RoleURL},
		{Path: []string{"channel_alias"}, Role: RoleURL},
		{Path: []string{"mirrored_channels", "*", "*"}, Role: RoleURL}, // mamba 2 only
		{Path: []string{"proxy_servers", "*"}, Role: RoleProxy, HostAt: 2},
	},
	Vars: []Var{
		{Name: "CONDA_SSL_VERIFY", Class: condaVerify, EmptyCounts: true},
		{Name: "CONDA_VERIFY_SSL", Class: condaVerify, EmptyCounts: true},
		{Name: "SSL_NO_VERIFY", Role: RoleVerify, Off: oneOf("1", "true"), OffOnly: true, Aside: true}, // conda skeleton
		{Name: "CONDA_CLIENT_SSL_CERT", Role: RoleCert},
		{Name: "CONDA_CLIENT_SSL_CERT_KEY", Role: RoleKey},
		{Name: "CONDA_CHANNELS", Role: RoleURL},
		{Name: "CONDA_CHANNEL_ALIAS", Role: RoleURL},
		{Name: "CURL_CA_BUNDLE", Role: RoleCA},
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA},
	},
	Default:   "certifi",
	Source:    condaCertifi,
	Pin:       &Pin{Key: []string{"ssl_verify"}, File: userCondarc, Dir: ".conda"},
	Servers:   []string{"https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r"},
	Rules:     func(c *Client) string { return c.pyRules() },
	Resolve:   resolveConda,
	Endpoints: (*scan).condaServers,
	// Plugins may write a token of their own or send data.
	Ask: with(askPython(condaAsks), "CONDA_NO_PLUGINS=true", "CONDA_ANACONDA_ANON_USAGE=false", "CONDA_REMOTE_MAX_RETRIES=0"),
}

func userCondarc(s *scan, _ *Client) File {
	return File{Path: path.Join(s.home, ".condarc"), Format: edit.YAML}
}

// condaCertifi is the bundle of the Python that runs conda.
func condaCertifi(s *scan, c *Client) string {
	if c.py != nil { // the base's Python, also for its environments
		return s.certifiOf(c.py.path)
	}
	return ""
}

// condaVerify reads ssl_verify as conda's boolify does on a YAML 1.2 value:
// a number, a word for true or false, no value at all (which is false), else
// a path or "truststore".
func condaVerify(e edit.Entry) (Role, bool) {
	v := strings.TrimSpace(e.Value)
	v, _ = strings.CutSuffix(v, "!important")
	v = strings.ToLower(v)
	if !e.Quoted && (strings.HasPrefix(v, "0x") || strings.HasPrefix(v, "0o")) {
		if n, err := strconv.ParseUint(v, 0, 64); err == nil {
			return RoleVerify, n == 0
		}
	}
	v = strings.Replace(v, ".", "", 1)
	switch v {
	case "true", "yes", "on", "y":
		return RoleVerify, false
	case "false", "off", "n", "no", "non", "none", "":
		return RoleVerify, true
	case "~", "null":
		if !e.Quoted {
			return RoleVerify, true
		}
	}
	if n, err := strconv.ParseComplex(strings.ReplaceAll(v, "j", "i"), 128); err == nil {
		return RoleVerify, n == 0
	}
	return RoleCA, false
}

// condarcIn are the files that conda reads in one directory.
func condarcIn(dir string) []File {
	return []File{
		{Path: path.Join(dir, ".condarc"), Format: edit.YAML},
		{Path: path.Join(dir, "condarc"), Format: edit.YAML},
		{Path: path.Join(dir, "condarc.d"), Format: edit.YAML, Ext: ".yml,.yaml"},
	}
}

// condarcFiles is conda's search path for an installation, or for an
// environment that holds a file of its own; lowest precedence first. A path
// that comes twice keeps its first position.
func condarcFiles(s *scan, c *Client) []File {
	var out []File
	add := func(dir string) {
		if dir != "" {
			out = append(out, condarcIn(dir)...)
		}
	}
	if s.v.OS == "windows" {
		add("C:/ProgramData/conda")
	} else {
		add("/etc/conda")
		add("/var/lib/conda")
	}
	p := s.prefixes[c.Path]
	switch {
	case s.getenv("CONDA_ROOT") != "":
		add(s.getenv("CONDA_ROOT"))
	case p != nil && p.base != "":
		add(p.base)
	default:
		add(c.Path)
	}
	if d := s.getenv("XDG_CONFIG_HOME"); d != "" {
		add(path.Join(d, "conda"))
	}
	add(path.Join(s.home, ".config/conda"))
	add(path.Join(s.home, ".conda"))
	out = append(out, File{Path: path.Join(s.home, ".condarc"), Format: edit.YAML})
	if p != nil && p.base != "" {
		add(c.Path)
	} else {
		add(s.getenv("CONDA_PREFIX"))
	}
	if rc := s.getenv("CONDARC"); rc != "" {
		switch b := path.Base(rc); {
		case s.isDir(rc):
			out = append(out, File{Path: rc, Format: edit.YAML, Ext: ".yml,.yaml"})
		case b == ".condarc" || b == "condarc" || strings.HasSuffix(b, ".yml") || strings.HasSuffix(b, ".yaml"):
			out = append(out, File{Path: rc, Format: edit.YAML})
		}
	}
	for i, f := range out { // conda reads a directory of that name like condarc.d
		if f.Ext == "" && s.isDir(f.Path) && slices.ContainsFunc(s.readDir(f.Path), func(n string) bool { return hasExt(n, ".yml,.yaml") }) {
			out[i].Ext = ".yml,.yaml"
		}
	}
	return out
}

// final reports whether a layer ends the search: the key's comment in a file,
// the suffix in a variable.
func (l layer) final() bool {
	if l.Env {
		return strings.HasSuffix(l.Value, "!important")
	}
	return l.Entry.Comment == "#!final" || l.Entry.Comment == "#final"
}

// resolveConda: the first final layer or else the last one decides; then
// requests' variables beat whatever it says, even "false" (§1.2).
func resolveConda(s *scan, c *Client, layers []layer) {
	var verify *layer
	var bundle *Setting
	for i := range layers {
		l := &layers[i]
		switch {
		case l.key.Aside:
		case l.Name == "REQUESTS_CA_BUNDLE" || l.Name == "CURL_CA_BUNDLE" && (bundle == nil || bundle.Name != "REQUESTS_CA_BUNDLE"):
			bundle = l.Setting
		case l.role == RoleVerify || l.role == RoleCA && l.Name != "CURL_CA_BUNDLE":
			if verify == nil || !verify.final() {
				verify = l
			}
		}
	}
	truststore := verify != nil && verify.Value == "truststore"
	switch {
	case truststore:
		c.Trust = s.openSSLTrust(c.Path)
		c.Trust.Adds = append(c.Trust.Adds, condaCertifi(s, c))
		if c.Trust.SetBy == "" {
			c.Trust.Kind, c.Trust.SetBy = "os", verify.Where()
		}
	case verify != nil && verify.role == RoleCA:
		s.replace(c, verify.Setting, false)
	case verify != nil && verify.off:
		c.Verify = "off"
	}
	if verify != nil {
		verify.Wins = true
	}
	if bundle == nil {
		return
	}
	if truststore { // requests loads it into the context of the system's store
		if p, ok := s.expand(bundle.Value); ok {
			c.Trust.Adds = []string{p}
		}
		bundle.Wins = true
		return
	}
	if verify != nil {
		verify.Wins = false
	}
	c.Verify = "on"
	s.replace(c, bundle, false)
}

// condaServers turns channels into URLs: a name stands below the channel
// alias or its entry in custom_channels, "defaults" for default_channels.
func (s *scan) condaServers(c *Client, layers []layer) {
	type word struct{ value, setBy string }
	var channels, defaults []word
	custom, multi := map[string]word{}, map[string][]word{}
	alias := word{"https://conda.anaconda.org", ""}
	// Where nobody said a word of channels, conda took "defaults" up to 25.9.
	implied := c.Name != "conda" || c.Version == "" || older(c.Version, "25.9")
	for _, l := range layers {
		if l.role != RoleURL {
			implied = implied && !(l.Name == "channels" && l.Entry.Parent)
			continue
		}
		w := word{strings.TrimSpace(l.Value), l.Where()}
		switch p := l.Entry.Path; {
		case l.Name == "CONDA_CHANNEL_ALIAS" || !l.Env && p[0] == "channel_alias":
			alias = w
		case l.Name == "CONDA_CHANNELS":
			for v := range strings.SplitSeq(l.Value, ",") {
				channels = append(channels, word{strings.TrimSpace(v), w.setBy})
			}
		case p[0] == "channels" || p[0] == "channel":
			channels = append(channels, w)
		case p[0] == "default_channels":
			defaults = append(defaults, w)
		case p[0] == "custom_channels":
			custom[p[1]] = w
		case p[0] == "custom_multichannels" || p[0] == "mirrored_channels":
			multi[p[1]] = append(multi[p[1]], w)
		}
	}
	proxies := s.proxies(layers)
	var visit func(w word, depth int)
	visit = func(w word, depth int) {
		if depth > 4 {
			return
		}
		name := w.value
		first, _, _ := strings.Cut(name, "/")
		switch base, ok := custom[first]; {
		case strings.Contains(name, "://"):
			s.endpoint(c, name, w.setBy, proxies)
		case multi[name] != nil:
			for _, m := range multi[name] {
				visit(m, depth+1)
			}
		case name == "defaults" && len(defaults) > 0:
			for _, d := range defaults {
				visit(d, depth+1)
			}
		case name == "defaults":
			for _, u := range c.Row.Servers {
				s.endpoint(c, u, w.setBy, proxies)
			}
		case name == "local", name == "nodefaults", name == "", strings.HasPrefix(name, "/"), strings.HasPrefix(name, "."), strings.HasPrefix(name, "~"):
		case ok:
			s.endpoint(c, strings.TrimSuffix(base.value, "/")+"/"+name, base.setBy, proxies)
		default:
			by := alias.setBy
			if by == "" {
				by = w.setBy
			}
			s.endpoint(c, strings.TrimSuffix(alias.value, "/")+"/"+name, by, proxies)
		}
	}
	if len(channels) == 0 && implied && (c.Path != "" || len(defaults) > 0) {
		channels = []word{{"defaults", ""}}
	}
	for _, w := range channels {
		visit(w, 0)
	}
}
