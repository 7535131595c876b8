//go:build linux

package lab

import "testing"

// dnf: as client_rows_test.go says. Debian has 4.5 in bullseye and 4.24 in sid,
// with curl of GnuTLS.

// labRepo is a repository on a server that dnf is told of by a variable.
const labRepo = "[lab]\nname = lab\nbaseurl = https://$labhost/rpm/\n"

// dnf fetches the index of labRepo at a host: the answer 404 comes after TLS.
func dnf(host string) Cmd {
	const script = `printf %s "$1" >/etc/dnf/vars/labhost
dnf --releasever=1 --setopt=cachedir=/tmp/dnf --setopt=skip_if_unavailable=False --setopt=retries=1 --refresh makecache 2>&1 |
  tee /dev/stderr | grep -q "404 for https://$1/"`
	return Cmd{Argv: []string{"/bin/sh", "-c", script, "sh", host}}
}

var dnfs = []Suite{Bullseye, Sid}

var insecureDNF = []rowCase{
	{row: "dnf", suites: dnfs, file: "/etc/dnf/dnf.conf", text: "[main]\nbest = False\nsslverify = no\n\n" + labRepo, client: dnf},
	{row: "dnf", suites: dnfs, file: "/etc/yum.repos.d/lab.repo", text: "# mine\n" + labRepo + "sslverify = \"False\"\ngpgcheck = 1\n", client: dnf},
	{row: "dnf", suites: dnfs, file: "/etc/yum/repos.d/lab.repo", text: labRepo + "sslverify=off\n", client: dnf},
	{row: "dnf", suites: dnfs, file: "/etc/distro.repos.d/lab.repo", text: labRepo + "sslverify=0\n", client: dnf},
}

var deadDNF = []rowCase{
	{row: "dnf", suites: dnfs, file: "/etc/dnf/dnf.conf", text: "[main]\nsslcacert = " + gone + "\nbest = False\n\n" + labRepo, client: dnf},
	{row: "dnf", suites: dnfs, file: "/etc/yum.repos.d/lab.repo", text: labRepo + "sslcacert = " + gone + "\ngpgcheck = 1\n", client: dnf},
}

func TestRowsDNF(t *testing.T) { testRows(t, insecureDNF, deadDNF) }
