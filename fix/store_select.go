package fix

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// reselectRoots takes back deselections: all of them where most roots are
// deselected, else those that the user named.
var reselectRoots = &Fix{
	ID: "reselect-roots", Doc: text.M("reselect-roots.doc"), Reversible: true, Group: byStore,
	For: []string{"store-deselected", "store-missing", "store-unreadable", "store-empty", "store-corrupt", "store-stale", "store-unindexed"},
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		s, l, err := systemStore(in)
		if err != nil {
			return nil, err
		}
		consented := func(d detect.Deselected) bool { return slices.Contains(in.Report.Options.Consented, d.Print) }
		// Damage is one finding for all lines; a deselection has its own place.
		all := slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.ID != "store-deselected" || f.Subject == s.Name })
		lines := map[int]bool{}
		var out []Action
		for _, d := range s.Deselected {
			named := consented(d) || slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.Where == d.Where && f.Action == detect.Auto })
			switch {
			case d.Line > 0 && (all || named):
				lines[d.Line] = true
			case d.Line == 0 && named:
				a, err := unblock(in, d, consented)
				if err != nil {
					return nil, err
				}
				out = append(out, a)
			}
		}
		if len(lines) > 0 {
			conf, err := editConf(in, l, func(data []byte) []byte { return selectLines(data, lines) })
			if err != nil {
				return nil, err
			}
			conf.Summary = text.M("reselect-roots", "n", len(lines), "path", l.Conf)
			out = append(out, conf)
		}
		if len(out) == 0 {
			return nil, nil
		}
		if len(l.Fresh) == 0 {
			return withoutTool(in, l, fs, out)
		}
		rebuild, err := rebuildAction(in, l)
		return append(out, rebuild), err
	},
}

// withoutTool is a selection where nothing can make the store of it: the next
// rebuild reads it, and a bundle that is broken now comes from trustfix.
func withoutTool(in *Input, l *platform.StoreLayout, fs []detect.Finding, selection []Action) ([]Action, error) {
	if !slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.ID != "store-deselected" }) {
		return selection, nil
	}
	if slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.ID == "store-unindexed" }) {
		return nil, &Manual{Why: text.M("reinstall-store.no-links", "path", l.HashDir), Do: text.M("reinstall-store.no-links-do")}
	}
	bundle, err := embeddedStore(in, l)
	return append(selection, bundle...), err
}

// unblock removes a file from a blocklist, if the user named all it refuses.
func unblock(in *Input, d detect.Deselected, consented func(detect.Deselected) bool) (Action, error) {
	for _, other := range in.Report.SystemStore().Deselected {
		if other.File == d.File && !consented(other) {
			return Action{}, &Manual{Why: text.M("reselect-roots.shared", "path", d.File), Do: text.M("reselect-roots.shared-do", "path", d.File)}
		}
	}
	return Action{
		Kind: FileAction, Target: d.File, Summary: text.M("reselect-roots.unblock", "path", d.File),
		After: platform.Image{Kind: platform.Absent}, Elevated: true,
	}, nil
}

// selectLines drops the "!" of lines; every other byte stays.
func selectLines(data []byte, lines map[int]bool) []byte {
	var out []byte
	n := 0
	for line := range bytes.Lines(data) {
		if n++; lines[n] {
			rest := bytes.TrimPrefix(line, []byte("!"))
			line = bytes.TrimLeft(rest, " \t")
		}
		out = append(out, line...)
	}
	return out
}

// editConf changes the selection file. Its meaning is proven by reading it again.
func editConf(in *Input, l *platform.StoreLayout, edit func([]byte) []byte) (Action, error) {
	file, err := in.Files.Resolve(l.Conf)
	if err != nil {
		return Action{}, err
	}
	before, err := in.Files.Snapshot(file)
	if err != nil {
		return Action{}, err
	}
	after := before
	after.Data, after.SHA256 = edit(slices.Clone(before.Data)), ""
	return Action{Kind: FileAction, Target: file, Before: before, After: after, Elevated: true}, nil
}

// distrustRoot keeps compromised roots out of the store by the distribution's
// own means, wherever each of them comes from.
var distrustRoot = &Fix{
	ID: "distrust-root", Doc: text.M("distrust-root.doc"), Reversible: true, Group: byStore,
	For: []string{"store-compromised-root"},
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		s, l, err := systemStore(in)
		if err != nil {
			return nil, err
		}
		src := detect.StoreSources(in.View, l)
		p := &distrust{in: in, l: l, files: map[string][]string{}}
		for _, fp := range compromised(s, fs) {
			own, vendor := src.Own[fp], src.Vendor[fp]
			if own != "" {
				p.files[own] = append(p.files[own], fp)
			}
			switch {
			case vendor != "" && l.Conf != "":
				p.deselect = append(p.deselect, strings.TrimPrefix(vendor, l.Sources[0]+"/"))
			case vendor != "" && len(l.Blocklist) > 0:
				p.block = append(p.block, fp)
			case own == "" || len(l.Fresh) == 0:
				p.files[l.Bundle] = append(p.files[l.Bundle], fp)
			}
		}
		return p.actions(s)
	},
}

// compromised are the fingerprints of the store's roots that findings name.
func compromised(s *detect.Store, fs []detect.Finding) []string {
	named := func(name string) bool {
		return slices.ContainsFunc(fs, func(f detect.Finding) bool { return f.Subject == name })
	}
	var out []string
	for _, c := range s.Content.Certs {
		if _, bad := bundles.Compromised(c.Certificate); bad && named(bundles.Name(c.Certificate)) {
			out = append(out, bundles.Fingerprint(c.DER))
		}
	}
	for _, der := range s.Content.Opaque {
		if d, bad := bundles.CompromisedPrint(bundles.Fingerprint(der)); bad && named(d.Name) {
			out = append(out, bundles.Fingerprint(der))
		}
	}
	return out
}

// distrust is what has to change where.
type distrust struct {
	in       *Input
	l        *platform.StoreLayout
	files    map[string][]string // fingerprints to take out of a file
	deselect []string            // names for the selection file
	block    []string            // fingerprints for the blocklist
}

func (p *distrust) actions(s *detect.Store) ([]Action, error) {
	var out []Action
	rebuild := false
	for _, file := range sortedKeys(p.files) {
		a, err := p.takeOut(file, p.files[file])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
		rebuild = rebuild || file != p.l.Bundle
	}
	if len(p.deselect) > 0 {
		conf, err := editConf(p.in, p.l, func(data []byte) []byte { return deselectNames(data, p.deselect) })
		if err != nil {
			return nil, err
		}
		conf.Summary = text.M("distrust-root.conf", "n", len(p.deselect), "path", p.l.Conf)
		out, rebuild = append(out, conf), true
	}
	for _, fp := range p.block {
		for _, c := range s.Content.Certs {
			if bundles.Fingerprint(c.DER) != fp {
				continue
			}
			out = append(out, Action{
				Kind: FileAction, Target: path.Join(p.l.Blocklist[0], anchorName(p.l, c.Certificate)),
				Summary:  text.M("distrust-root.block", "name", bundles.Name(c.Certificate), "path", p.l.Blocklist[0]),
				After:    platform.Image{Kind: platform.File, Mode: 0o644, Data: bundles.Assemble(nil, c.Certificate)},
				Elevated: true,
			})
			rebuild = true
		}
	}
	if !rebuild || len(p.l.Fresh) == 0 {
		return out, nil
	}
	a, err := rebuildAction(p.in, p.l)
	return append(out, a), err
}

// takeOut removes certificates from a file, and the file with the last one.
func (p *distrust) takeOut(name string, prints []string) (Action, error) {
	a := Action{Kind: FileAction, Summary: text.M("distrust-root.file", "n", len(prints), "path", name), Elevated: true}
	var err error
	if a.Target, err = p.in.Files.Resolve(name); err != nil {
		return a, err
	}
	if a.Before, err = p.in.Files.Snapshot(a.Target); err != nil {
		return a, err
	}
	rest := bundles.Without(a.Before.Data, prints...)
	left, _ := bundles.Scan(rest)
	if slices.ContainsFunc(left, func(fp string) bool { return slices.Contains(prints, fp) }) {
		return a, &Manual{Why: text.M("distrust-root.cannot", "path", name), Do: text.M("distrust-root.cannot-do", "path", name)}
	}
	if len(left) == 0 && name != p.l.Bundle {
		a.After = platform.Image{Kind: platform.Absent}
		return a, nil
	}
	a.After = a.Before
	a.After.Data, a.After.SHA256 = rest, ""
	return a, nil
}

// deselectNames puts "!" before the lines of names, and adds those that have
// no line: the tool's own scripts would select them otherwise.
func deselectNames(data []byte, names []string) []byte {
	var out []byte
	missing := slices.Clone(names)
	for line := range bytes.Lines(data) {
		name := strings.TrimRight(string(line), "\r\n")
		off, is := strings.CutPrefix(name, "!")
		if is {
			name = strings.TrimSpace(off)
		}
		if slices.Contains(names, name) {
			missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
			if !is {
				line = append([]byte("!"), line...)
			}
		}
		out = append(out, line...)
	}
	if len(missing) > 0 && len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, '\n')
	}
	for _, m := range missing {
		out = append(out, "!"+m+"\n"...)
	}
	return out
}

func sortedKeys(m map[string][]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
