package detect

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/internal/text"
	"trustfix/platform"
)

// settingsChecks judge what clients are told: by their files and by the
// environment. Every layer counts, also one that another overrides today.
var settingsChecks = []*Check{
	{ID: "config-unreadable", Area: "settings", Doc: text.M("config-unreadable.doc"), Run: configUnreadable},
	{ID: "verify-off", Area: "settings", Doc: text.M("verify-off.doc"), Run: verifyOff},
	{
		ID: "ca-path", IDs: []string{"ca-path-missing", "ca-path-invalid", "ca-path-partial"}, Area: "settings",
		Doc: text.M("ca-path.doc"), After: storeChecks, Run: caPaths,
	},
	{ID: "ca-conflict", Area: "settings", Doc: text.M("ca-conflict.doc"), Run: caConflict},
	{ID: "ca-bundle-stale", Area: "runtime", // its proof needs the network
		Doc: text.M("ca-bundle-stale.doc"), Run: caBundleStale},
	{ID: "insecure-url", Area: "settings", Doc: text.M("insecure-url.doc"), Run: insecureURL},
	{ID: "client-key-exposed", Area: "settings", Doc: text.M("client-key-exposed.doc"), Run: clientKeyExposed},
	{ID: "client-cert-expired", Area: "settings", Doc: text.M("client-cert-expired.doc"), Run: clientCertExpired},
}

func configUnreadable(_ context.Context, _ *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	for _, u := range r.Inventory.Unreadable {
		out = append(out, Finding{
			ID: "config-unreadable", Severity: Warning, Client: u.Client, Subject: path.Base(u.File), Where: u.Where(),
			Summary:  text.M("config-unreadable", "client", u.Client, "file", u.File),
			Evidence: []text.Msg{text.Raw(text.Redact(u.Err.Error()))},
			Action:   Manual,
			Advice:   []text.Msg{text.M("config-unreadable.advice", "where", u.Where())},
		})
	}
	return out, nil
}

func verifyOff(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	for _, s := range r.Inventory.Settings {
		if s.Role != client.RoleVerify || !s.Off {
			continue
		}
		f := settingFinding("verify-off", s, v)
		f.Fix, f.Severity = "restore-verify", Error
		f.Summary = text.M("verify-off", "client", s.Client)
		if len(s.Hosts) > 0 {
			f.Summary = text.M("verify-off.hosts", "client", s.Client, "hosts", text.Redact(strings.Join(s.Hosts, ", ")))
		}
		switch {
		case s.Inert:
			f.Severity = Info
			f.Evidence = append(f.Evidence, text.M("verify-off.inert", "name", s.Name))
		case !s.Wins && !s.Aside && len(s.Hosts) == 0 && verifies(r, s.Client):
			f.Evidence = append(f.Evidence, text.M("verify-off.overridden"))
		default:
			f.Evidence = append(f.Evidence, text.M("verify-off.risk"))
		}
		f.Evidence = append(f.Evidence, willRefuse(r, s)...)
		if s.Value == "" && (s.Format == edit.YAML || s.Format == edit.GitConfig) {
			f.Evidence = append(f.Evidence, text.M("verify-off.empty", "client", s.Client))
		}
		out = append(out, f)
	}
	return out, nil
}

// verifies reports whether a client is here and every instance of it verifies
// today.
func verifies(r *Report, name string) bool {
	here := false
	for _, c := range r.Clients {
		if c.Name == name {
			if c.Verify == "off" {
				return false
			}
			here = true
		}
	}
	return here
}

// settingFinding is what every finding about one layer has in common: where it
// stands, what it says, and whether trustfix can edit that place.
func settingFinding(id string, s *client.Setting, v *platform.View) Finding {
	f := Finding{
		ID: id, Client: s.Client, Subject: s.Name, Where: s.Where(), Setting: s, Action: Auto,
		Evidence: []text.Msg{text.M("setting.says", "where", s.Where(), "line", Written(s))},
	}
	switch {
	case s.Registry != nil && s.Word == "":
	case s.File == "" && v.Container != "":
		f.Action = Manual
		f.Advice = []text.Msg{text.M("setting.unset-container", "name", s.Name), text.Raw("unset " + s.Name)}
	case s.File == "":
		f.Action = Manual
		f.Advice = []text.Msg{text.M("setting.unset", "name", s.Name), text.Raw("unset " + s.Name)}
	case s.ByHand:
		f.Action = Manual
		f.Advice = []text.Msg{text.M("setting.weigh", "name", s.Name, "where", s.Where())}
	case s.Format == "" && !s.WholeLine:
		f.Action = Manual
		f.Advice = []text.Msg{text.M("setting.by-hand", "name", s.Name, "where", s.Where())}
	}
	return f
}

// Written is a setting as it stands in its file, on one line, secrets redacted.
func Written(s *client.Setting) string {
	value := strings.Join(strings.Fields(s.Value), " ")
	name := s.Name
	if s.File != "" && len(s.Entry.Path) > 0 {
		name = s.Entry.Path[len(s.Entry.Path)-1]
	}
	line := name + "=" + value
	switch s.Format {
	case edit.YAML:
		line = name + ": " + value
		if _, err := strconv.Atoi(name); err == nil {
			line = "- " + value
		}
	case edit.INI, edit.TOML, edit.GitConfig, edit.Wgetrc, edit.Curlrc:
		line = name + " = " + value
	case edit.JSON:
		line = fmt.Sprintf("%q: %q", name, value)
	case edit.AptConf:
		line = strings.Join(s.Entry.Path, "::") + fmt.Sprintf(" %q", value)
	case edit.Fish:
		line = "set " + name + " " + value
	case edit.Csh:
		line = "setenv " + name + " " + value
	case edit.Yarnrc:
		line = name + " " + value
	}
	switch {
	case s.Format == edit.Options:
		line = "… " + s.Word + " …"
	case s.Word != "":
		line = name + "=… " + s.Word + " …"
	case s.Format == edit.Curlrc && s.Entry.Empty:
		line = name
	}
	return text.Redact(strings.TrimRight(line, " "))
}

func insecureURL(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	for _, s := range r.Inventory.Settings {
		if s.Role != client.RoleURL || s.Signed {
			continue
		}
		for _, word := range strings.Fields(s.Value) {
			u, err := url.Parse(strings.TrimPrefix(word, "sparse+")) // cargo
			if err != nil || !strings.EqualFold(u.Scheme, "http") || loopback(u.Hostname()) {
				continue
			}
			f := settingFinding("insecure-url", s, v)
			f.Severity, f.Action, f.Advice = Warning, Manual, nil
			f.Summary = text.M("insecure-url", "client", s.Client, "url", text.Redact(word))
			f.Evidence = append(f.Evidence, text.M("insecure-url.risk"))
			u.Scheme = "https"
			f.Advice = []text.Msg{text.M("insecure-url.advice", "where", s.Where(), "url", text.Redact(u.String()))}
			out = append(out, f)
			break // one finding per place
		}
	}
	return out, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback()
}

// clientKeyExposed finds private keys that others on the machine can read.
func clientKeyExposed(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	seen := map[string]bool{}
	for _, s := range r.Inventory.Settings {
		if s.Role != client.RoleKey && s.Role != client.RoleCert || s.Path == "" || seen[s.Path] || v.OS == "windows" {
			continue
		}
		seen[s.Path] = true
		img, err := v.Files.Stat(s.Path)
		if err != nil || img.Kind != platform.File || !exposed(img, v.User) {
			continue
		}
		if data, err := v.Files.ReadFile(s.Path); err != nil || !strings.Contains(string(data), "PRIVATE KEY-----") {
			continue
		}
		f := Finding{
			ID: "client-key-exposed", Severity: Error, Client: s.Client, Subject: s.Name, Where: s.Path,
			Summary: text.M("client-key-exposed", "client", s.Client, "file", s.Path),
			Evidence: []text.Msg{
				text.M("client-key-exposed.mode", "file", s.Path, "mode", fmt.Sprintf("%04o", img.Mode&0o7777)),
				text.M("setting.says", "where", s.Where(), "line", Written(s)),
			},
			Action: Auto, Fix: "protect-key", Setting: s,
			Advice: []text.Msg{text.M("client-key-exposed.advice")},
		}
		if by := namedBy(v, s); by != 0 && img.UID != by {
			// A user's settings may name any file; another's mode is not theirs to change.
			f.Action, f.Fix = Manual, ""
			f.Advice = append([]text.Msg{text.M("client-key-exposed.others", "file", s.Path), text.Raw("chmod 600 " + s.Path)}, f.Advice...)
		}
		out = append(out, f)
	}
	for _, f := range keysInBundles(v, r) {
		if !seen[f.Subject] { // the same file serves as the client's own certificate
			out = append(out, f)
		}
	}
	return out, nil
}

// namedBy is the uid of whoever wrote a setting: the owner of its file, else
// the user whose environment it stands in.
func namedBy(v *platform.View, s *client.Setting) int {
	if img, err := v.Files.Stat(s.File); s.File != "" && err == nil {
		return img.UID
	}
	return v.User.UID
}

// exposed: anybody can read it, or a group that is neither the owner's own nor root.
func exposed(img platform.Image, u platform.User) bool {
	return img.Mode&0o007 != 0 || img.Mode&0o040 != 0 && img.GID != u.GID && img.GID != 0 && img.GID != img.UID
}

func clientCertExpired(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
	var out []Finding
	now := r.Clock.True(v.Now())
	for _, s := range r.Inventory.Settings {
		if s.Role != client.RoleCert || s.Path == "" {
			continue
		}
		data, err := v.Files.ReadFile(s.Path)
		if err != nil {
			continue
		}
		cert := firstCertificate(data)
		if cert == nil || !now.After(cert.NotAfter) {
			continue
		}
		f := settingFinding("client-cert-expired", s, v)
		f.Severity, f.Action = Error, Manual
		f.Summary = text.M("client-cert-expired", "client", s.Client, "file", s.Path)
		f.Evidence = append(f.Evidence, text.M("client-cert-expired.date", "subject", cert.Subject.String(), "date", cert.NotAfter.UTC().Format("2006-01-02")))
		f.Advice = []text.Msg{text.M("client-cert-expired.advice")}
		out = append(out, f)
	}
	return out, nil
}

func firstCertificate(data []byte) *x509.Certificate {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil
			}
			return c
		}
	}
	return nil
}
