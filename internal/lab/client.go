//go:build linux

package lab

import "strings"

// The real clients, as commands that succeed when the client trusts the host.

// Curl fetches a host's greeting.
func Curl(host string) Cmd {
	return Cmd{Argv: []string{"curl", "-sS", "--max-time", "8", "https://" + host + "/"}}
}

// Requests fetches a host's greeting with Debian's python3-requests.
func Requests(host string) Cmd {
	return Cmd{Argv: []string{"python3", "-c", "import requests, sys; print(requests.get(sys.argv[1], timeout=8).text)", "https://" + host + "/"}}
}

// Urllib fetches a host's greeting with the ssl module's default context.
func Urllib(host string) Cmd {
	return Cmd{Argv: []string{"python3", "-c", "import urllib.request, sys; print(urllib.request.urlopen(sys.argv[1], timeout=8).read())", "https://" + host + "/"}}
}

// Httpx fetches a host's greeting with Debian's python3-httpx.
func Httpx(host string) Cmd {
	return Cmd{Argv: []string{"python3", "-c", "import httpx, sys; print(httpx.get(sys.argv[1], timeout=8).text)", "https://" + host + "/"}}
}

// Wget fetches a host's greeting.
func Wget(host string) Cmd {
	return Cmd{Argv: []string{"wget", "-q", "-O", "-", "-T", "8", "-t", "1", "https://" + host + "/"}}
}

// Pip downloads the lab's package from the configured index, or from a host's.
func Pip(host string) Cmd {
	c := Cmd{Argv: []string{"pip", "--disable-pip-version-check", "download", "--retries", "0", "--timeout", "8", "--no-cache-dir", "-d", "/tmp/wheels", "labpkg"}}
	if host != "" {
		c.Argv = append(c.Argv, "--index-url", "https://"+host+"/simple/")
	}
	return c
}

// Git asks a repository of a host that has none: the answer 404 comes after TLS.
func Git(host string) Cmd {
	return Cmd{Argv: []string{"git", "ls-remote", "https://" + host + "/none"}}
}

// Npm asks the default registry for a package that it does not have: the
// answer 404 comes after TLS.
func Npm() Cmd {
	return Cmd{Argv: []string{"npm", "--fetch-retries=0", "--cache=/tmp/npm", "view", "labpkg"}}
}

// Works runs a client and says whether it trusted the server.
func (s *Sandbox) Works(c Cmd) (bool, Result) {
	s.t.Helper()
	r := s.Exec(c)
	switch c.Argv[0] {
	case "git":
		return strings.Contains(r.Stderr, "not found"), r
	case "npm":
		return strings.Contains(r.Stderr, "E404"), r
	}
	return r.Code == 0, r
}

// Clients fails the test unless every client is, or is not, content.
func (s *Sandbox) Clients(works bool, clients ...Cmd) {
	s.t.Helper()
	for _, c := range clients {
		if ok, r := s.Works(c); ok != works {
			s.t.Errorf("%s: works: %v, expected %v\n%s", strings.Join(c.Argv, " "), ok, works, r)
		}
	}
}
