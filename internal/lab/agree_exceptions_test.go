//go:build linux

package lab

import "strings"

// exception is a cell in which a client differs from its family, or from its
// rules, and why that may stand.
type exception struct {
	system Suite  // "" for all
	client string // how its name begins
	fault  string
	why    string
}

func (e exception) covers(c cell) bool {
	return strings.HasPrefix(c.client, e.client) && c.fault.Name == e.fault && (e.system == "" || e.system == c.system)
}

var exceptions = []exception{
	{"", "gnutls-cli", "leaf not for servers", "it asks GnuTLS for the purpose of a server, which wget and git do not"},
	{"", "gnutls-cli", "intermediate not for servers", "it asks GnuTLS for the purpose of a server, which wget and git do not"},
	{Sid, "git", "RSA 1024", "its libcurl asks GnuTLS for more than GnuTLS asks for by itself"},
	{Sid, "git", "RSA 1024 intermediate", "its libcurl asks GnuTLS for more than GnuTLS asks for by itself"},
	{"", "java", "empty subject, names not critical", "its parser refuses the certificate"},
	{"", "pip", "wrong address", "pip 24.2 to 25 with truststore cannot be given an address: it ends with a ValueError, \"check_hostname requires server_hostname\""},
	{"", "curl", "forged leaf", "it prints the error of the signature's encoding and not that of the chain"},
	{Sid, "curl", "several at once", "newer curl gives OpenSSL the name, which complains of it first"},
	{"", "requests", "common name only", "urllib3 2 takes no common name; urllib3 1 does"},
	{"", "urllib3", "common name only", "urllib3 2 takes no common name; urllib3 1 does"},
	{"", "httpx", "common name only", "httpx before 0.28 takes no common name"},
	{"", "node", "RSA 1024", "Node's own OpenSSL refuses it since Node 24, and so does any Node on Debian's OpenSSL"},
	{"", "node", "RSA 1024 intermediate", "the same"},
}
