package client

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// apt, dnf and yum, the Docker daemon, and the clouds' tools
// (reference/clients.md §8).

var aptRow = &Row{
	Name:     "apt",
	Programs: []string{"apt-get", "apt"},
	Files: func(*scan, *Client) []File {
		return []File{{Path: "/etc/apt/apt.conf.d", Format: edit.AptConf, Ext: "apt"}, {Path: "/etc/apt/apt.conf", Format: edit.AptConf}}
	},
	Normal: strings.ToLower,
	// The man page's Verify-Peer::<host> has no effect; <host>::Verify-Peer has.
	Keys: []Key{
		{Path: []string{"acquire", "https", "verify-peer"}, Role: RoleVerify, Off: value(aptOff)},
		{Path: []string{"acquire", "https", "verify-host"}, Role: RoleVerify, Off: value(aptOff)},
		{Path: []string{"acquire", "http", "verify-peer"}, Role: RoleVerify, Off: value(aptOff)},
		{Path: []string{"acquire", "http", "verify-host"}, Role: RoleVerify, Off: value(aptOff)},
		{Path: []string{"acquire", "https", "*", "verify-peer"}, Role: RoleVerify, Off: value(aptOff), HostAt: 3},
		{Path: []string{"acquire", "https", "*", "verify-host"}, Role: RoleVerify, Off: value(aptOff), HostAt: 3},
		{Path: []string{"acquire", "https", "cainfo"}, Role: RoleCA},
		{Path: []string{"acquire", "https", "*", "cainfo"}, Role: RoleCA, HostAt: 3},
		{Path: []string{"acquire", "https", "sslcert"}, Role: RoleCert},
		{Path: []string{"acquire", "https", "sslkey"}, Role: RoleKey},
		{Path: []string{"acquire", "https", "*", "sslcert"}, Role: RoleCert},
		{Path: []string{"acquire", "https", "*", "sslkey"}, Role: RoleKey},
		{Path: []string{"acquire", "https", "proxy"}, Role: RoleProxy, Scheme: "https"},
		{Path: []string{"acquire", "https", "proxy", "*"}, Role: RoleProxy, HostAt: 4},
		{Path: []string{"acquire", "http", "proxy"}, Role: RoleProxy},
	},
	Default: "os",
	Rules:   ruleSet("gnutls"),
	Pin: &Pin{Key: []string{"Acquire", "https", "CaInfo"}, File: func(*scan, *Client) File {
		return File{Path: "/etc/apt/apt.conf.d/90trustfix", Format: edit.AptConf}
	}},
	Endpoints: (*scan).aptServers,
	Versions:  (*scan).packaged,
}

var aptOff = oneOf("false", "0", "no", "off", "without", "disable")

// aptServers are the https servers of sources.list and sources.list.d. Those
// over http are no concern of TLS: apt checks signatures of its own.
func (s *scan) aptServers(c *Client, layers []layer) {
	proxies := s.proxies(layers)
	for _, f := range s.expandFiles([]File{{Path: "/etc/apt/sources.list"}, {Path: "/etc/apt/sources.list.d", Ext: ".list,.sources"}}) {
		for i, line := range strings.Split(string(s.peek(f.Path)), "\n") {
			line = strings.TrimSpace(line)
			deb822 := strings.HasPrefix(strings.ToLower(line), "uris:")
			if !strings.HasPrefix(line, "deb") && !deb822 {
				continue
			}
			for _, w := range strings.Fields(line) {
				if u, err := url.Parse(w); err == nil && u.Scheme == "https" {
					s.endpoint(c, w, at(f.Path, i+1), proxies)
				}
			}
		}
	}
}

func dnfRow(name string) *Row {
	return &Row{
		Name:     name,
		Programs: []string{name},
		// Where dnf is, the repositories are its own, and yum.conf leads to its file.
		Files: func(s *scan, _ *Client) []File {
			if s.isDir("/etc/dnf") != (name == "dnf") {
				return nil
			}
			out := []File{{Path: map[string]string{"dnf": "/etc/dnf/dnf.conf", "yum": "/etc/yum.conf"}[name], Format: edit.INI}}
			for _, dir := range []string{"/etc/yum/repos.d", "/etc/distro.repos.d", "/etc/yum.repos.d"} {
				out = append(out, File{Path: dir, Format: edit.INI, Ext: ".repo"})
			}
			return out
		},
		Keys: []Key{
			{Path: []string{"main", "sslverify"}, Role: RoleVerify, Off: value(dnfOff)},
			{Path: []string{"*", "sslverify"}, Role: RoleVerify, Off: value(dnfOff), HostAt: 1},
			{Path: []string{"*", "proxy_sslverify"}, Role: RoleVerify, Off: value(dnfOff), Aside: true},
			{Path: []string{"main", "sslcacert"}, Role: RoleCA},
			{Path: []string{"*", "sslcacert"}, Role: RoleCA, HostAt: 1},
			{Path: []string{"*", "proxy_sslcacert"}, Role: RoleCA, Aside: true},
			{Path: []string{"*", "sslclientcert"}, Role: RoleCert},
			{Path: []string{"*", "sslclientkey"}, Role: RoleKey},
			{Path: []string{"*", "baseurl"}, Role: RoleURL, Signed: true},
			{Path: []string{"*", "mirrorlist"}, Role: RoleURL, Signed: true},
			{Path: []string{"*", "metalink"}, Role: RoleURL, Signed: true},
			{Path: []string{"*", "proxy"}, Role: RoleProxy},
		},
		ByHand:     "sslcacert=/path/to/bundle.pem",
		Default:    "os",
		Pin:        &Pin{Key: []string{"main", "sslcacert"}, File: dnfConf, Dir: "." + name},
		Rules:      ruleSet("openssl-3"),
		Resolve:    dnfResolve,
		Server:     dnfServer,
		Unverified: "yum 3, and the drop-ins of dnf5",
	}
}

// dnfOff: dnf takes quotes around a value off.
func dnfOff(v string) bool { return oneOf("0", "false", "no", "off")(strings.Trim(v, `"'`)) }

var dockerRow = &Row{
	Name:     "docker",
	Programs: []string{"dockerd", "docker"},
	Files: func(s *scan, _ *Client) []File {
		return []File{
			{Path: "/etc/docker/daemon.json", Format: edit.JSON},
			{Path: path.Join(s.configHome(), "docker/daemon.json"), Format: edit.JSON},
		}
	},
	Keys: []Key{
		{Path: []string{"insecure-registries"}, Role: RoleVerify, Hosts: true, Off: nonEmpty, ByHand: true},
		{Path: []string{"registry-mirrors", "*"}, Role: RoleURL},
	},
	Endpoints: func(s *scan, c *Client, layers []layer) {
		s.servers(c, layers)
		s.dockerRegistries(c)
		for _, l := range layers { // networks are no servers
			for _, h := range l.Hosts {
				if !strings.Contains(h, "/") {
					s.endpoint(c, "https://"+h, l.Where(), nil)
				}
			}
		}
	},
	Resident: true, // and what stands in dockerCerts it reads each time
	ByHand:   "sudo install -D -m 644 ca.pem /etc/docker/certs.d/HOST/ca.crt",
	Default:  "os",
	Pin:      &Pin{Whole: true, File: func(*scan, *Client) File { return File{} }}, // by server alone
	Server:   dockerServer,
	Rules:    ruleSet("go"),
}

var awsRow = &Row{
	Name:     "aws",
	Programs: []string{"aws"},
	Files: func(s *scan, c *Client) []File {
		return []File{
			awsConfig(s, c),
			{Path: orElse(s.getenv("AWS_SHARED_CREDENTIALS_FILE"), path.Join(s.home, ".aws/credentials")), Format: edit.INI},
		}
	},
	Keys: []Key{
		{Path: []string{"*", "ca_bundle"}, Class: awsBundle},
		{Path: []string{"*", "endpoint_url"}, Role: RoleURL},
		{Path: []string{"*", "*"}, Class: awsService},
	},
	Vars: []Var{
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA, Below: true},
		{
			Name: "REQUESTS_CA_BUNDLE", Role: RoleVerify, Off: is(""), OffOnly: true, Below: true,
			Applies: func(c *Client) bool { return c.Path != "" },
		},
		{Name: "AWS_CA_BUNDLE", Class: awsBundle},
		{Name: "AWS_DEFAULT_PROFILE", Role: roleOther},
		{Name: "AWS_PROFILE", Role: roleOther},
		{Name: "AWS_ENDPOINT_URL", Role: RoleURL},
		{Name: awsEndpoint + "*", Role: RoleURL},
	},
	Default:  builtIn,
	Pin:      &Pin{Key: []string{"default", "ca_bundle"}, File: awsConfig, Dir: ".aws"},
	Rules:    ruleSet("openssl-3"),
	Resolve:  awsResolve,
	Versions: (*scan).packaged,
}

func awsConfig(s *scan, _ *Client) File {
	return File{Path: orElse(s.getenv("AWS_CONFIG_FILE"), path.Join(s.home, ".aws/config")), Format: edit.INI}
}

// awsBundle: a name that is there and empty means "do not verify" to botocore
// before 1.43.54 (July 2026); newer ones stop with an error.
func awsBundle(e edit.Entry) (Role, bool) {
	if strings.TrimSpace(e.Value) == "" {
		return RoleVerify, true
	}
	return RoleCA, false
}

// awsResolve: of the profiles only the chosen one counts.
func awsResolve(s *scan, c *Client, layers []layer) {
	profile := "default"
	for _, l := range layers {
		if l.Env && strings.HasSuffix(l.Name, "_PROFILE") && l.Value != "" {
			profile, l.Wins = l.Value, true
		}
	}
	used := slices.DeleteFunc(slices.Clone(layers), func(l layer) bool {
		return !l.Env && strings.TrimPrefix(l.Entry.Path[0], "profile ") != profile
	})
	var last *layer // the variable before the files
	for i := range used {
		if used[i].role == RoleVerify || used[i].role == RoleCA {
			last = &used[i]
		}
	}
	if last != nil && last.role == RoleVerify {
		c.Verify, last.Wins = "off", true
		return
	}
	s.trustOf(c, used)
}

// awsEndpoint begins the variables that name the server of one service.
const awsEndpoint = "AWS_ENDPOINT_URL_"

// awsService: in a services section each service has lines of its own below
// it, endpoint_url among them.
func awsService(e edit.Entry) (Role, bool) {
	if strings.Contains(e.Value, "endpoint_url") {
		return RoleURL, false
	}
	return roleOther, false
}

var gcloudRow = &Row{
	Name:     "gcloud",
	Programs: []string{"gcloud"},
	Files: func(s *scan, c *Client) []File {
		active := userGcloud(s, c)
		dir := path.Dir(active.Path)
		out := []File{{Path: path.Join(path.Dir(dir), "properties"), Format: edit.INI}}
		for _, n := range s.readDir(dir) { // the others count once somebody activates them
			if p := path.Join(dir, n); p != active.Path && strings.HasPrefix(n, gcloudConfig) {
				out = append(out, File{Path: p, Format: edit.INI, Aside: true})
			}
		}
		return append(out, active)
	},
	Keys: []Key{
		{Path: []string{"auth", "disable_ssl_validation"}, Role: RoleVerify, Off: value(oneOf("true", "1", "yes", "on"))},
		{Path: []string{"core", "custom_ca_certs_file"}, Role: RoleCA},
		{Path: []string{"api_endpoint_overrides", "*"}, Role: RoleURL},
	},
	Vars: []Var{
		{Name: "CLOUDSDK_AUTH_DISABLE_SSL_VALIDATION", Role: RoleVerify, Off: oneOf("true", "1", "yes", "on")},
		{Name: "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE", Role: RoleCA},
		{Name: gcloudEndpoint + "*", Role: RoleURL},
		{Name: "REQUESTS_CA_BUNDLE", Role: RoleCA},
	},
	Default:    builtIn,
	Pin:        &Pin{Key: []string{"core", "custom_ca_certs_file"}, File: userGcloud, Dir: ".config/gcloud"},
	Rules:      ruleSet("openssl-3"),
	Unverified: "REQUESTS_CA_BUNDLE over core/custom_ca_certs_file (inferred from requests)",
}

const (
	gcloudConfig   = "config_"
	gcloudEndpoint = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
)

// userGcloud is the configuration that is active.
func userGcloud(s *scan, _ *Client) File {
	d := orElse(s.getenv("CLOUDSDK_CONFIG"), path.Join(s.home, ".config/gcloud"))
	name := orElse(s.v.Env["CLOUDSDK_ACTIVE_CONFIG_NAME"], strings.TrimSpace(string(s.peek(path.Join(d, "active_config")))))
	return File{Path: path.Join(d, "configurations", gcloudConfig+path.Base("/"+orElse(name, "default"))), Format: edit.INI}
}
