package client

import (
	"bytes"
	"path"
	"strings"
)

// packageOf are packages whose name is not the program's.
var packageOf = map[string]string{"node": "nodejs", "apt-get": "apt", "aws": "awscli"}

// packaged is the upstream version of a program that the distribution's
// package manager installed, from its database as a file; "" for others.
func (s *scan) packaged(c *Client) string {
	if d := path.Dir(c.Path); d != "/usr/bin" && d != "/bin" {
		return ""
	}
	name := path.Base(c.Path)
	if p := packageOf[name]; p != "" {
		name = p
	}
	for _, db := range []struct{ file, pkg, version string }{
		{"/var/lib/dpkg/status", "Package: ", "Version: "},
		{"/lib/apk/db/installed", "P:", "V:"},
	} {
		if v := field(s.peek(db.file), db.pkg+name, db.version); v != "" {
			return v
		}
	}
	return ""
}

// field finds a version in the paragraph that has a line, without epoch and
// revision.
func field(data []byte, line, key string) string {
	at := bytes.Index(data, []byte(line+"\n"))
	for at > 0 && data[at-1] != '\n' {
		next := bytes.Index(data[at+1:], []byte(line+"\n"))
		if next < 0 {
			return ""
		}
		at += 1 + next
	}
	if at < 0 {
		return ""
	}
	paragraph, _, _ := bytes.Cut(data[at:], []byte("\n\n"))
	_, rest, ok := bytes.Cut(paragraph, []byte("\n"+key))
	if !ok {
		return ""
	}
	v, _, _ := strings.Cut(string(rest), "\n")
	if _, after, ok := strings.Cut(v, ":"); ok {
		v = after
	}
	if i := strings.LastIndexByte(v, '-'); i > 0 {
		v = v[:i]
	}
	return strings.TrimSpace(v)
}
