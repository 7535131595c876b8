package detect

import (
	"crypto/x509"
	"path"
	"strconv"
	"strings"

	"trustfix/bundles"
	"trustfix/platform"
)

// Deselected is a certificate that the machine's own configuration keeps out
// of the store.
type Deselected struct {
	Where string            // "/etc/ca-certificates.conf:12", or the file in a blocklist
	Line  int               // in the layout's Conf; 0 for a blocklist
	File  string            // that holds the certificate
	Print string            // SHA-256, hex
	Cert  *x509.Certificate // nil if Go cannot parse it
}

// ConfLine is one entry of a ca-certificates.conf.
type ConfLine struct {
	Line int // 1-based
	Name string
	Off  bool // "!": deselected
}

// ParseConf reads a ca-certificates.conf (Debian's and Alpine's format): one
// name below the source directory per line, "!" before it deselects, "#" at
// the start of a line comments it out.
func ParseConf(data []byte) []ConfLine {
	var out []ConfLine
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, off := strings.CutPrefix(line, "!")
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, ConfLine{Line: n, Name: name, Off: off})
		}
	}
	return out
}

// selection reads which reference roots the configuration refuses. It counts
// even while an old bundle still holds them: the next rebuild takes them out.
// Distrusted and removed roots are refused rightly and never reported.
func (s *Store) selection(v *platform.View, refs *bundles.Roots) {
	l := s.Layout
	judge := func(d Deselected, c bundles.Content) {
		for _, cert := range c.Certs {
			d.Print, d.Cert = bundles.Fingerprint(cert.DER), cert.Certificate
			if _, bad := bundles.Compromised(cert.Certificate); bad || !refs.Has(d.Print) {
				s.state.refused = append(s.state.refused, d)
			} else {
				s.Deselected = append(s.Deselected, d)
			}
		}
	}
	if l.Conf != "" {
		data, err := v.Files.ReadFile(l.Conf)
		if err == nil {
			selected := 0
			for _, c := range ParseConf(data) {
				if !c.Off {
					selected++
					continue
				}
				d := Deselected{Where: l.Conf + ":" + strconv.Itoa(c.Line), Line: c.Line, File: l.SelectPath(c.Name)}
				if pem, err := v.Files.ReadFile(d.File); err == nil {
					judge(d, bundles.Read(pem))
				}
			}
			s.state.damage = len(s.Deselected) > selected
			s.state.byTool = strings.Contains(string(data), "Modified by cloud-init")
		}
	}
	seen := map[string]bool{} // one name may be a link to the other
	for _, dir := range l.Blocklist {
		names, _ := v.Files.ReadDir(dir)
		for _, name := range names {
			file := path.Join(dir, name)
			real, err := v.Files.Resolve(file)
			if err != nil || seen[real] {
				continue
			}
			seen[real] = true
			if data, err := v.Files.ReadFile(file); err == nil {
				judge(Deselected{Where: file, File: file}, readCert(data))
			}
		}
	}
}

// readCert reads what p11-kit takes for a certificate: PEM or raw DER.
func readCert(data []byte) bundles.Content {
	if c, err := x509.ParseCertificate(data); err == nil {
		return bundles.Content{Certs: []bundles.Cert{{Certificate: c, DER: c.Raw, Line: 1}}}
	}
	return bundles.Read(data)
}
