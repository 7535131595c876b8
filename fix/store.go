package fix

import (
	"context"
	"path"
	"slices"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// How long the distribution's own programs may take.
const (
	rebuildTime = 3 * time.Minute
	packageTime = 15 * time.Minute
)

// byStore makes one step of everything that one run of a tool repairs.
func byStore(detect.Finding) string { return "store" }

// rebuildStore makes the store again from what is on the disk.
var rebuildStore = &Fix{
	ID: "rebuild-store", Doc: text.M("rebuild-store.doc"), Reversible: true, Group: byStore,
	For: []string{"store-missing", "store-unreadable", "store-empty", "store-corrupt", "store-stale", "store-unindexed"},
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		s, l, err := systemStore(in)
		if err != nil {
			return nil, err
		}
		if mode, err := giveReading(in, s, l, fs); mode != nil || err != nil {
			return mode, err
		}
		keep, err := keepConsented(in, s, l)
		if err != nil {
			return nil, err
		}
		rebuild, err := rebuildAction(in, l)
		return append(keep, rebuild), err
	},
}

// systemStore is the store of the report with the layout as it is now; an
// error of type *Manual where the system does not want to be repaired by files.
func systemStore(in *Input) (*detect.Store, *platform.StoreLayout, error) {
	l := in.StoreLayout()
	if l == nil {
		return nil, nil, &Manual{Why: text.M("store.no-layout"), Do: text.M("store.no-layout-do")}
	}
	if l.Managed != "" {
		return nil, nil, managed(l)
	}
	s := in.Report.SystemStore()
	if s == nil {
		s = &detect.Store{Name: "system", Path: l.Bundle, Layout: l}
	}
	return s, l, nil
}

// managed is the refusal to change a generated or read-only system, with the
// recipe that it wants.
func managed(l *platform.StoreLayout) *Manual {
	m := &Manual{Why: text.M("store.managed", "system", l.Managed)}
	for i, line := range l.Recipe {
		if i == 0 {
			m.Do = text.Raw(line)
		} else {
			m.Do = text.M("store.and-then", "first", m.Do, "then", line)
		}
	}
	return m
}

// rebuildAction runs the distribution's tool from scratch. A plain run does
// not notice that hash links are gone, and no exit status is believed.
func rebuildAction(in *Input, l *platform.StoreLayout) (Action, error) {
	if len(l.Fresh) == 0 {
		return Action{}, &Manual{Why: text.M("store.no-tool"), Do: text.M("store.no-tool-do")}
	}
	do, err := clearWay(in, l)
	if err != nil {
		return Action{}, err
	}
	return Action{
		Kind: CommandAction, Target: l.Fresh[0], Summary: text.M("rebuild-store", "tool", l.Fresh[0], "path", l.Bundle),
		Do: append(do, command(rebuildTime, nil, l.Fresh...)), Touches: storePaths(in, l), Elevated: true, Lenient: true,
	}, nil
}

func command(limit time.Duration, env []string, argv ...string) platform.Cmd {
	return platform.Cmd{Argv: argv, Env: append([]string{"P11_KIT_NO_USER_CONFIG=1"}, env...), Timeout: limit}
}

// clearWay are the programs that make room for a new bundle: its directory may
// be gone, which the tools do not survive, or an empty directory may stand in
// its place, into which they would move it.
func clearWay(in *Input, l *platform.StoreLayout) ([]platform.Cmd, error) {
	img, err := in.Files.Stat(l.Bundle)
	switch {
	case err == nil && img.Kind == platform.DirKind:
		names, err := in.Files.ReadDir(l.Bundle)
		if err != nil || len(names) > 0 {
			return nil, &Manual{Why: text.M("store.dir-not-empty", "path", l.Bundle), Do: text.M("store-unreadable.advice-kind", "path", l.Bundle)}
		}
		return []platform.Cmd{command(rebuildTime, nil, "rmdir", l.Bundle)}, nil
	case err == nil && img.Kind == platform.Other:
		return nil, &Manual{Why: text.M("store-unreadable.kind", "path", l.Bundle, "kind", text.M("store.kind-other")), Do: text.M("store-unreadable.advice-kind", "path", l.Bundle)}
	}
	if _, err := in.Files.Stat(path.Dir(l.Bundle)); err == nil {
		return nil, nil
	}
	return []platform.Cmd{command(rebuildTime, nil, "mkdir", "-p", "-m", "0755", path.Dir(l.Bundle))}, nil
}

// storePaths are the places that the store's tools and packages write to,
// whole directories, with what links among them lead to.
func storePaths(in *Input, l *platform.StoreLayout) []string {
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if n == "" {
				continue
			}
			if r, err := in.Files.Resolve(n); err == nil && r != n {
				out = append(out, r)
			}
			out = append(out, n)
		}
	}
	bundleDir := path.Dir(l.Bundle)
	switch l.Family {
	case platform.RedHat:
		add("/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/java", "/etc/ssl/certs", "/etc/ssl/cert.pem")
	case platform.SUSE:
		add("/var/lib/ca-certificates", "/etc/ssl/certs", "/etc/ssl/ca-bundle.pem", "/etc/pki/trust")
	case platform.Arch:
		add("/etc/ca-certificates", "/etc/ssl/certs", "/etc/ssl/cert.pem")
	default:
		add(bundleDir, l.HashDir, "/etc/ca-certificates", "/etc/ssl/cert.pem")
	}
	if l.Conf != "" {
		// Debian's maintainer scripts leave copies of the former one.
		add(l.Conf, l.Conf+".dpkg-old", l.Conf+".dpkg-new", "/etc/default/cacerts")
	}
	add(l.Sources...)
	slices.Sort(out)
	out = slices.Compact(out)
	// A directory among them covers what stands below it.
	return slices.DeleteFunc(out, func(p string) bool {
		return slices.ContainsFunc(out, func(d string) bool { return d != p && under(p, []string{d}) && isDir(in, d) })
	})
}

func isDir(in *Input, name string) bool {
	img, err := in.Files.Snapshot(name)
	return err == nil && img.Kind == platform.DirKind
}

// giveReading repairs modes where they are all that is wrong; nil otherwise.
func giveReading(in *Input, s *detect.Store, l *platform.StoreLayout, fs []detect.Finding) ([]Action, error) {
	if slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.ID != "store-unreadable" }) || s.Content.Len() == 0 || s.Content.Fatal() != nil {
		return nil, nil
	}
	var out []Action
	if dir := detect.ClosedDir(in.View, l.Bundle); dir != "" {
		// Above the store's own directories a closed door is somebody's decision.
		if !slices.ContainsFunc([]string{"/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/var/lib/ca-certificates"}, func(d string) bool { return under(dir, []string{d}) }) {
			return nil, &Manual{Why: text.M("store-unreadable.dir", "path", dir), Do: text.Raw("chmod a+rx " + dir)}
		}
		out = append(out, Action{
			Kind: CommandAction, Target: "chmod", Summary: text.M("rebuild-store.mode", "path", dir),
			Do: []platform.Cmd{command(rebuildTime, nil, "chmod", "a+rx", dir)}, Touches: []string{dir}, Elevated: true,
		})
	}
	file, err := in.Files.Resolve(l.Bundle)
	if err != nil {
		return nil, err
	}
	before, err := in.Files.Snapshot(file)
	if err != nil {
		return nil, err
	}
	if before.Kind != platform.File {
		return nil, nil
	}
	if after := before; before.Mode&0o444 != 0o444 {
		after.Mode |= 0o444
		out = append(out, Action{
			Kind: FileAction, Target: file, Before: before, After: after, Summary: text.M("rebuild-store.mode", "path", file), Elevated: true,
		})
	}
	return out, nil
}

// keepConsented writes into the administrator's directory those certificates
// of a bundle that no source has and that the user named: a rebuild would drop
// them, and to keep what nobody vouches for is not ours to decide.
func keepConsented(in *Input, s *detect.Store, l *platform.StoreLayout) ([]Action, error) {
	var out []Action
	var src *detect.Sources
	for _, c := range s.Certs {
		fp := bundles.Fingerprint(c.Raw)
		if !slices.Contains(in.Report.Options.Consented, fp) {
			continue
		}
		if src == nil {
			found := detect.StoreSources(in.View, l)
			src = &found
		}
		if src.Own[fp] != "" || src.Vendor[fp] != "" {
			continue
		}
		a, err := anchorAction(l, c)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
