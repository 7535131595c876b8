package detect

import (
	"net"
	"path"
	"slices"
	"strings"

	"trustfix/platform"
)

// timeSource is a time server to ask.
type timeSource struct {
	server   string // host or host:port
	operator string // sources of one operator count once
	named    bool   // by the user or by the system's own configuration
}

// Waves: how many operators are asked at once, and how many names of the
// system's own are taken.
const (
	firstOperators = 4 // RFC 8633 §3.2
	mostConfigured = 6
	mostIncluded   = 200 // files of one configuration
)

// timeSources are the servers to ask at once and those to ask when they stay
// silent: the ones the user named instead of all others, else the system's own
// first and the built-in ones until four operators are among them.
func timeSources(v *platform.View, o Options) (first, later []timeSource) {
	if len(o.NTP) > 0 {
		for _, s := range o.NTP {
			first = append(first, timeSource{server: s, operator: operatorOf(s), named: true})
		}
		return first, nil
	}
	operators := map[string]bool{}
	for _, s := range configuredServers(v) {
		if len(first) == mostConfigured {
			break
		}
		first = append(first, timeSource{server: s, operator: operatorOf(s), named: true})
		operators[operatorOf(s)] = true
	}
	for _, s := range platform.TimeServers {
		switch src := (timeSource{server: s.Host, operator: s.Operator}); {
		case operators[s.Operator]:
		case len(operators) < firstOperators:
			operators[s.Operator] = true
			first = append(first, src)
		default:
			later = append(later, src)
		}
	}
	return first, later
}

// operatorOf says who runs a server: a known name, the domain, or the address
// itself. The pool's names lead to volunteers who have nothing in common.
func operatorOf(server string) string {
	host := server
	if h, _, err := net.SplitHostPort(server); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if net.ParseIP(host) != nil || host == "localhost" {
		return strings.ToLower(server)
	}
	if strings.HasSuffix(host, "pool.ntp.org") {
		return host
	}
	labels := strings.Split(host, ".")
	for _, s := range platform.TimeServers {
		if known := strings.Split(s.Host, "."); domain(labels) == domain(known) {
			return s.Operator
		}
	}
	return domain(labels)
}

// domain is the part of a name that one organisation owns: the last two
// labels, or three below a country's generic second level (edu.cn, co.uk).
func domain(labels []string) string {
	n := len(labels)
	keep := 2
	if n >= 3 && len(labels[n-1]) == 2 && slices.Contains([]string{"ac", "co", "com", "edu", "gov", "net", "org"}, labels[n-2]) {
		keep = 3
	}
	return strings.Join(labels[max(0, n-keep):], ".")
}

// configuredServers are the servers that the system's own time services are
// configured to ask, each once, whether the service runs or not.
func configuredServers(v *platform.View) []string {
	var out []string
	for i := range platform.TimeServices {
		s := &platform.TimeServices[i]
		if s.Syntax == platform.TimesyncdSyntax {
			out = append(out, timesyncdServers(v, s.Configs)...)
			continue
		}
		for _, c := range s.Configs {
			out = append(out, ntpServers(v, c, map[string]bool{})...)
		}
	}
	var once []string
	for _, s := range out {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}

// confFiles are the files a directory of configuration contributes, by name.
func confFiles(v *platform.View, dir string) []string {
	names, _ := v.Files.ReadDir(strings.TrimSuffix(dir, "/"))
	var out []string
	for _, n := range names {
		if ext := path.Ext(n); ext == ".conf" || ext == ".sources" {
			out = append(out, path.Join(dir, n))
		}
	}
	return out
}

// ntpServers reads the server lines of chrony, ntpd, ntpsec and OpenNTPD; name
// is a file, or a directory when it ends in a slash. What cannot be read names
// no servers. Each file is read once: one may include itself.
func ntpServers(v *platform.View, name string, seen map[string]bool) []string {
	var out []string
	if strings.HasSuffix(name, "/") {
		for _, f := range confFiles(v, name) {
			out = append(out, ntpServers(v, f, seen)...)
		}
		return out
	}
	if name = path.Clean(name); seen[name] || len(seen) > mostIncluded {
		return nil
	}
	seen[name] = true
	data, err := v.Files.ReadFile(name)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch strings.ToLower(f[0]) {
		case "server", "servers", "pool":
			if s := serverName(f[1:]); s != "" {
				out = append(out, s)
			}
		case "confdir", "sourcedir":
			for _, d := range f[1:] {
				out = append(out, ntpServers(v, d+"/", seen)...)
			}
		case "include", "includefile":
			file := f[1]
			if dir, pattern := path.Split(file); strings.ContainsAny(pattern, "*?[") {
				for _, c := range confFiles(v, dir) {
					if ok, _ := path.Match(pattern, path.Base(c)); ok {
						out = append(out, ntpServers(v, c, seen)...)
					}
				}
			} else {
				out = append(out, ntpServers(v, file, seen)...)
			}
		}
	}
	return out
}

// serverName is the host of a server line, with the port when the line gives
// one. ntpd's 127.127.x.x are reference clocks, not hosts.
func serverName(args []string) string {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") { // -4, -6
		args = args[1:]
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "127.127.") || strings.ContainsAny(args[0], "$%\"") {
		return ""
	}
	for i := 1; i+1 < len(args); i++ {
		if args[i] == "port" && args[i+1] != "123" {
			return net.JoinHostPort(args[0], args[i+1])
		}
	}
	return args[0]
}

// timesyncdServers reads NTP= and FallbackNTP= as systemd merges them: the
// first main file, then the drop-ins by name, those in /etc before their
// namesakes; an empty value forgets what came before.
func timesyncdServers(v *platform.View, configs []string) []string {
	var files []string
	dropins := map[string]string{}
	for _, c := range configs {
		if !strings.HasSuffix(c, "/") {
			if _, err := v.Files.Stat(c); err == nil && len(files) == 0 {
				files = append(files, c)
			}
			continue
		}
		for _, f := range confFiles(v, c) {
			if _, seen := dropins[path.Base(f)]; !seen {
				dropins[path.Base(f)] = f
			}
		}
	}
	var names []string
	for n := range dropins {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		files = append(files, dropins[n])
	}
	var servers, fallback []string
	for _, f := range files {
		data, err := v.Files.ReadFile(f)
		if err != nil {
			continue
		}
		section := ""
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "[") {
				section = line
			}
			key, value, ok := strings.Cut(line, "=")
			if !ok || section != "[Time]" {
				continue
			}
			list := &servers
			switch strings.TrimSpace(key) {
			case "NTP":
			case "FallbackNTP":
				list = &fallback
			default:
				continue
			}
			if *list = append(*list, strings.Fields(value)...); strings.TrimSpace(value) == "" {
				*list = nil
			}
		}
	}
	if len(servers) == 0 {
		return fallback
	}
	return servers
}
