package fix

import (
	"context"
	"crypto/x509"
	"net/url"
	"slices"
	"strings"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// installStore installs the package that owns the store.
var installStore = &Fix{
	ID: "install-store", Doc: text.M("install-store.doc"), Reversible: true, Group: byStore,
	For: []string{"store-missing", "store-unreadable", "store-empty", "store-corrupt", "store-stale", "store-unindexed"},
	Plan: func(ctx context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		return packageStore(ctx, in, fs, true)
	},
}

// reinstallStore brings back what the package holds, or its newest version.
var reinstallStore = &Fix{
	ID: "reinstall-store", Doc: text.M("reinstall-store.doc"), Reversible: true, Group: byStore,
	For: []string{"store-missing", "store-unreadable", "store-empty", "store-corrupt", "store-stale", "store-unindexed"},
	Plan: func(ctx context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		return packageStore(ctx, in, fs, false)
	},
}

// packageStore plans by the package manager where it can reach its
// repositories, else from the roots inside trustfix.
func packageStore(ctx context.Context, in *Input, fs []detect.Finding, install bool) ([]Action, error) {
	s, l, err := systemStore(in)
	if err != nil {
		return nil, err
	}
	if mode, err := giveReading(in, s, l, fs); mode != nil || err != nil {
		return mode, err
	}
	stale := !slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.ID != "store-stale" })
	pm := in.PackageManager()
	reaches := pm != nil && len(l.Packages) > 0 && reachable(ctx, in, pm, l)
	if stale && (!reaches || !newerPackage(ctx, in, pm, l)) {
		if len(s.Needed) == 0 {
			return nil, &Manual{Why: text.M("reinstall-store.newest", "n", len(s.Missing)), Do: text.M("reinstall-store.newest-do")}
		}
		return addRoots(in, l, s.Needed...)
	}
	if !reaches {
		if !slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.ID != "store-unindexed" }) {
			return nil, &Manual{Why: text.M("reinstall-store.no-links", "path", l.HashDir), Do: text.M("reinstall-store.no-links-do")}
		}
		return embeddedStore(in, l)
	}
	keep, err := keepConsented(in, s, l)
	if err != nil {
		return nil, err
	}
	a, err := packageAction(in, l, pm, install)
	if err != nil {
		return nil, err
	}
	if overTLS(pm) && pm.CAArgs == nil && pm.CAEnv == nil {
		// No option for other roots: its own download goes by the bundle, which
		// therefore has to be there first. The package then replaces it.
		first, err := embeddedStore(in, l)
		if err != nil {
			return nil, err
		}
		keep = append(first, keep...)
	}
	return append(keep, a), nil
}

// packageAction is one run of the package manager and of the tool that makes
// the store of what it installed. Its https is verified with the reference
// roots for these commands alone; verification is never turned off.
func packageAction(in *Input, l *platform.StoreLayout, pm *platform.PackageManager, install bool) (Action, error) {
	do, err := clearWay(in, l)
	if err != nil {
		return Action{}, err
	}
	a := Action{
		Kind: CommandAction, Target: strings.Join(l.Packages, " "),
		Touches: storePaths(in, l), Elevated: true, Lenient: true,
	}
	packages := l.Packages
	argv := pm.Install
	a.Summary = text.M("install-store", "manager", pm.Name, "package", strings.Join(packages, ", "))
	if !install {
		argv = pm.Reinstall
		a.Summary = text.M("reinstall-store", "manager", pm.Name, "package", strings.Join(packages, ", "))
		packages = slices.DeleteFunc(slices.Clone(packages), func(p string) bool {
			there, known := in.PackageInstalled(p)
			return known && !there
		})
		if len(packages) == 0 {
			packages = l.Packages
		}
	} else if pm.Remove != nil {
		for _, p := range l.Packages {
			if there, known := in.PackageInstalled(p); known && !there {
				a.Undo = append(a.Undo, command(packageTime, pm.Env, append(slices.Clone(pm.Remove), p)...))
			}
		}
	}
	if l.Conf != "" && pm.Name == "apt" && in.Tool("openssl") == "" {
		packages = append(slices.Clone(packages), "openssl") // the tool makes no bundle without it
	}
	env := slices.Clone(pm.Env)
	override := overTLS(pm) && (pm.CAArgs != nil || pm.CAEnv != nil)
	if override {
		a.Temp = map[string][]byte{"roots": bundles.Assemble(nil, append(publicRoots(in), ownAnchors(in, l)...)...)}
		env = append(env, pm.CAEnv...)
	}
	run := func(argv []string, more ...string) platform.Cmd {
		out := []string{argv[0]}
		if override {
			out = append(out, pm.CAArgs...)
		}
		return command(packageTime, env, append(append(out, argv[1:]...), more...)...)
	}
	if pm.Refresh != nil {
		do = append(do, run(pm.Refresh))
	}
	do = append(do, run(argv, packages...))
	if after := l.AfterInstall(); after != nil {
		do = append(do, command(rebuildTime, nil, after...))
	}
	a.Do = do
	return a, nil
}

// overTLS says whether the package manager fetches anything by https.
func overTLS(pm *platform.PackageManager) bool {
	return slices.ContainsFunc(pm.Sources, func(u *url.URL) bool { return u.Scheme == "https" })
}

func local(u *url.URL) bool {
	return u.Scheme == "file" || u.Scheme == "copy" || u.Scheme == "cdrom" || u.Scheme == "dir" || u.Scheme == "hd"
}

// reachable says whether a package manager can fetch packages: from a local
// repository, or from the first of its servers that answers. Offline, every
// repository has to be local, since the manager would ask the others too.
func reachable(ctx context.Context, in *Input, pm *platform.PackageManager, l *platform.StoreLayout) bool {
	offline := in.Report.Options.Offline
	var remote []*url.URL
	for _, u := range pm.Sources {
		if !local(u) {
			remote = append(remote, u)
		}
	}
	if offline || len(remote) == 0 {
		return len(remote) == 0 && len(pm.Sources) > 0
	}
	if len(remote) < len(pm.Sources) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	pool := x509.NewCertPool()
	for _, c := range append(publicRoots(in), ownAnchors(in, l)...) {
		pool.AddCert(c)
	}
	asked := map[string]bool{}
	for _, u := range remote {
		if (u.Scheme != "http" && u.Scheme != "https") || asked[u.Host] || len(asked) == 4 {
			continue
		}
		asked[u.Host] = true
		root := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
		if _, err := in.Net.Get(ctx, platform.Request{URL: root.String(), Method: "HEAD", Roots: pool, Proxy: in.Net.ProxyFor(&root), NoFollow: true, Timeout: 4 * time.Second}); err == nil {
			return true
		}
	}
	return false
}

// newerPackage says whether installing the package again can bring roots that
// the store lacks: its files are damaged, or a newer one is on offer. Where
// that cannot be told, it is worth a try, which the check then judges.
func newerPackage(ctx context.Context, in *Input, pm *platform.PackageManager, l *platform.StoreLayout) bool {
	if pm.Name != "apt" || !pm.Lists {
		return true
	}
	selected := map[string]bool{}
	if data, err := in.Files.ReadFile(l.Conf); err == nil {
		for _, c := range detect.ParseConf(data) {
			selected[l.SelectPath(c.Name)] = true
		}
	}
	name := l.Packages[len(l.Packages)-1]
	list, err := in.Files.ReadFile("/var/lib/dpkg/info/" + name + ".list")
	if err != nil {
		return true
	}
	for file := range strings.Lines(string(list)) {
		file = strings.TrimSpace(file)
		if !strings.HasPrefix(file, l.Sources[0]+"/") { // an example among its documents is no root
			continue
		}
		if strings.HasSuffix(file, ".crt") && (absent(in, file) || !selected[file]) {
			return true
		}
	}
	out, err := in.Exec.Query(ctx, command(time.Minute, nil, "apt-cache", "policy", name))
	if err != nil {
		return true
	}
	versions := map[string]string{}
	for line := range strings.Lines(out.Stdout) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			versions[k] = v
		}
	}
	return versions["Candidate"] != versions["Installed"]
}
