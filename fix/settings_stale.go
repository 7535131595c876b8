package fix

import (
	"context"
	"crypto/x509"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// upgradeCertifi has an environment's own pip bring the newest certifi. pip's
// download is verified with the reference roots, since its own may be what is
// too old.
var upgradeCertifi = &Fix{
	ID: "upgrade-certifi", Doc: text.M("upgrade-certifi.doc"), For: []string{"ca-bundle-stale"}, Reversible: true,
	Plan: planCertifi,
}

// refreshBundle adds to a bundle that no package owns the public roots that
// servers need and that are newer than the bundle. An older root that is not
// in it was left out by somebody; that is for a person.
var refreshBundle = &Fix{
	ID: "refresh-bundle", Doc: text.M("refresh-bundle.doc"), For: []string{"ca-bundle-stale"}, Reversible: true,
	Plan: planRefresh,
}

// staleClient is the client that a finding is about.
func staleClient(in *Input, f detect.Finding) *client.Client {
	for _, c := range in.Report.Clients {
		if c.Name == f.Client && c.Path == f.Subject {
			return c
		}
	}
	return nil
}

// tidy takes away what pip put beside the old dist-info, after the touched
// directories have been restored: its arguments are site-packages, the names
// that stay, and the directory's modification time in nanoseconds.
const tidy = `import os,sys,shutil
site,keep,mtime=sys.argv[1],sys.argv[2].split(","),int(sys.argv[3])
for n in os.listdir(site):
    if n.startswith("certifi-") and n.endswith(".dist-info") and n not in keep:
        shutil.rmtree(os.path.join(site,n))
os.utime(site,ns=(mtime,mtime))`

func planCertifi(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
	f := fs[0]
	c := staleClient(in, f)
	if c == nil {
		return nil, nil // no longer there
	}
	python := interpreter(in, c)
	site := path.Dir(path.Dir(c.Trust.Path))
	byHand := &Manual{
		Why: text.M("upgrade-certifi.why", "path", c.Path),
		Do:  text.Raw(python + " -m pip install --upgrade certifi"),
	}
	names, err := in.Files.ReadDir(site)
	if err != nil || python == "" || older(c.PythonVersion(), 3, 6) || !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "pip-") }) {
		return nil, byHand
	}
	as, ok := ownerOf(in, python, site)
	if !ok {
		return nil, byHand
	}
	touches, keep := []string{path.Join(site, "certifi")}, []string{}
	for _, n := range names {
		if strings.HasPrefix(n, "certifi-") && strings.HasSuffix(n, ".dist-info") {
			touches, keep = append(touches, path.Join(site, n)), append(keep, n)
		}
	}
	dir, err := in.Files.Stat(site)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, r := range in.Report.Options.Refs.All() {
		certs = append(certs, r.Cert)
	}
	do := platform.Cmd{
		Argv: []string{
			python, "-I", "-m", "pip", "install", "--upgrade", "--no-deps", "--no-input", "--disable-pip-version-check",
			"--no-warn-script-location", "--cert", "{roots.pem}", "certifi",
		},
		Env: proxyEnv(in), As: as, Timeout: 3 * time.Minute,
	}
	undo := platform.Cmd{
		Argv: []string{python, "-I", "-c", tidy, site, strings.Join(keep, ","), strconv.FormatInt(dir.MTime.UnixNano(), 10)}, As: as,
	}
	return []Action{{
		Kind: CommandAction, Target: c.Path, Summary: text.M("upgrade-certifi", "path", c.Path),
		Do: []platform.Cmd{do}, Undo: []platform.Cmd{undo}, Touches: touches,
		Temp:     map[string][]byte{"roots.pem": bundles.Assemble(nil, certs...)},
		Elevated: in.Files.Writable(path.Join(site, "certifi/cacert.pem")) != nil,
	}}, nil
}

// interpreter is the Python of a client's environment.
func interpreter(in *Input, c *client.Client) string {
	for _, n := range []string{path.Join(c.Path, "bin/python3"), path.Join(c.Path, "bin/python"), c.Path} {
		if img, err := in.Files.Stat(n); err == nil && img.Kind == platform.File {
			return n
		}
	}
	return ""
}

// ownerOf is whom an environment's Python runs as: never as root what others
// can write. ok is false when nobody fits.
func ownerOf(in *Input, python, site string) (as *platform.User, ok bool) {
	if in.OS == "windows" || !in.Elevated {
		return nil, true
	}
	prog, err := in.Files.Stat(python)
	if err != nil {
		return nil, false
	}
	dir, err := in.Files.Stat(site)
	if err != nil || prog.Mode&0o022 != 0 || dir.Mode&0o022 != 0 {
		return nil, false
	}
	if dir.UID == 0 {
		return nil, prog.UID == 0
	}
	for i, u := range in.Users {
		if u.UID == dir.UID {
			return &in.Users[i], true
		}
	}
	return nil, false
}

// proxyEnv hands a program the caller's proxies: nothing else is inherited.
func proxyEnv(in *Input) []string {
	var out []string
	for _, n := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"} {
		if v := in.Env[n]; v != "" {
			out = append(out, n+"="+v)
		}
	}
	return out
}

func older(version string, major, minor int) bool {
	a, rest, _ := strings.Cut(version, ".")
	b, _, _ := strings.Cut(rest, ".")
	x, err := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	return err != nil || err2 != nil || x < major || x == major && y < minor
}

func planRefresh(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
	target, err := in.Files.Resolve(fs[0].Where)
	if err != nil {
		return nil, err
	}
	before, err := in.Files.Snapshot(target)
	if err != nil {
		return nil, err
	}
	content := bundles.Read(before.Data)
	newest := time.Time{}
	have := map[string]bool{}
	for _, c := range content.Certs {
		have[bundles.Fingerprint(c.Raw)] = true
		if c.NotBefore.After(newest) {
			newest = c.NotBefore
		}
	}
	var add []*x509.Certificate
	for _, e := range in.Report.Endpoints {
		root := e.Reference.Root
		refused := slices.ContainsFunc(e.Clients, func(v detect.ClientVerdict) bool { return v.Client.Trust.Path == fs[0].Where && !v.True.OK })
		if !refused || !e.Reference.OK || root == nil || have[bundles.Fingerprint(root.Raw)] || in.Report.Options.Refs == nil || !in.Report.Options.Refs.Has(bundles.Fingerprint(root.Raw)) {
			continue
		}
		if !root.NotBefore.After(newest) {
			return nil, &Manual{
				Why: text.M("refresh-bundle.left-out", "root", bundles.Name(root), "file", fs[0].Where),
				Do:  text.M("refresh-bundle.left-out-do", "root", bundles.Name(root), "sha256", bundles.FormatFingerprint(bundles.Fingerprint(root.Raw)), "file", fs[0].Where),
			}
		}
		add = append(add, root)
	}
	if len(add) == 0 {
		return nil, nil
	}
	after := before
	after.Data = bundles.Assemble(before.Data, add...)
	return []Action{{
		Kind: FileAction, Target: target, Before: before, After: after,
		Summary: text.M("refresh-bundle", "file", fs[0].Where, "n", len(add)),
	}}, nil
}
