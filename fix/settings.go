package fix

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/internal/text"
	"trustfix/platform"
)

// settingsFixes repair what clients are told.
var settingsFixes = []*Fix{restoreVerify, repairCAPath, protectKey, upgradeCertifi, refreshBundle}

// restoreVerify deletes what switches verification off. The default of every
// client is to verify, and an absent key means the same to all programs that
// share a file, which no other value does.
var restoreVerify = &Fix{
	ID: "restore-verify", Doc: text.M("restore-verify.doc"), For: []string{"verify-off"}, Reversible: true,
	Group: byKeyOfFile,
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		return deleteSettings(in, fs)
	},
}

// repairCAPath deletes a setting that names roots which are not there or
// cannot be used, so that the default counts again.
var repairCAPath = &Fix{
	ID: "repair-ca-path", Doc: text.M("repair-ca-path.doc"),
	For: []string{"ca-path-missing", "ca-path-invalid", "ca-path-partial"}, Reversible: true,
	Group: func(f detect.Finding) string { return byKeyOfFile(f) + "\x00" + f.ID },
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		if fs[0].ID == "ca-path-partial" {
			return completeBundle(in, fs)
		}
		return deleteSettings(in, fs)
	},
}

// protectKey takes a private key away from everybody but its owner.
var protectKey = &Fix{
	ID: "protect-key", Doc: text.M("protect-key.doc"), For: []string{"client-key-exposed"}, Reversible: true,
	Plan: func(_ context.Context, in *Input, fs []detect.Finding) ([]Action, error) {
		target, err := in.Files.Resolve(fs[0].Where)
		if err != nil {
			return nil, err
		}
		before, err := in.Files.Snapshot(target)
		if err != nil {
			return nil, err
		}
		after := before
		after.Mode &= 0o600
		return []Action{{
			Kind: FileAction, Target: target, Before: before, After: after,
			Summary: text.M("protect-key", "file", fs[0].Where),
		}}, nil
	},
}

// byKeyOfFile makes one step of all lines of a file that say the same thing:
// taking one away moves the others, and a step is judged by its lines. Other
// keys get steps of their own, so that one edit that cannot be proven does not
// hold up the rest.
func byKeyOfFile(f detect.Finding) string {
	if f.Setting == nil || f.Setting.File == "" {
		return f.Key()
	}
	return f.Setting.File + "\x00" + f.Setting.Name
}

// deleteSettings takes the findings' keys out of their one file.
func deleteSettings(in *Input, fs []detect.Finding) ([]Action, error) {
	first := fs[0].Setting
	if first != nil && first.Registry != nil && first.Word == "" { // of a list of options only Value is known
		return deleteValue(first), nil
	}
	if first == nil || first.File == "" || first.Format == "" && !first.WholeLine {
		return nil, byHand(fs[0])
	}
	fs = slices.Clone(fs)
	slices.SortFunc(fs, func(a, b detect.Finding) int { return cmp.Compare(b.Setting.Entry.Line, a.Setting.Entry.Line) })
	target, before, err := fileOf(in, first)
	if err != nil {
		return nil, err
	}
	data := before.Data
	for _, f := range fs {
		if data, err = without(f.Setting, data); err != nil {
			return nil, cannotEdit(f, err)
		}
	}
	after := before
	after.Data = data
	summary := text.M("setting.delete", "line", detect.Written(first), "where", first.Where())
	if first.Instead != "" {
		summary = text.M("setting.instead", "name", first.Name, "value", first.Instead, "where", first.Where())
	} else if len(fs) > 1 {
		summary = text.M("setting.delete-all", "name", first.Name, "n", len(fs), "file", first.File)
	}
	return []Action{{Kind: FileAction, Target: target, Before: before, After: after, Summary: summary}}, nil
}

// deleteValue takes a variable out of Windows's registry; what is running keeps
// it, as it does everywhere.
func deleteValue(s *client.Setting) []Action {
	return []Action{{
		Kind: CommandAction, Target: s.Where(), Elevated: s.Elevated,
		Summary: text.M("setting.delete", "line", detect.Written(s), "where", s.Where()),
		Do:      []platform.Cmd{argv("reg", "delete", s.Registry.Key, "/v", s.Name, "/f")},
		Undo:    []platform.Cmd{argv("reg", "add", s.Registry.Key, "/v", s.Name, "/t", s.Registry.Type, "/d", s.Value, "/f")},
	}}
}

// fileOf is the file that a setting stands in, links followed, as it is now.
func fileOf(in *Input, s *client.Setting) (string, platform.Image, error) {
	target, err := in.Files.Resolve(s.File)
	if err != nil {
		return "", platform.Image{}, err
	}
	img, err := in.Files.Snapshot(target)
	return target, img, err
}

func cannotEdit(f detect.Finding, err error) error {
	return &Manual{
		Why: text.M("setting.cannot-edit", "where", f.Where, "error", text.Redact(err.Error())),
		Do:  text.M("setting.by-hand", "name", f.Setting.Name, "where", f.Where),
	}
}

// without is the file without a setting.
func without(s *client.Setting, data []byte) ([]byte, error) {
	if s.Format == "" {
		return withoutLine(s, data)
	}
	e, ok, err := locate(s, data)
	switch {
	case err != nil || !ok:
		return data, err
	case s.Instead != "":
		return edit.Set(s.Format, data, e, s.Instead)
	case s.Word != "":
		return withoutWords(s, data)
	}
	data, err = edit.Delete(s.Format, data, e)
	if err == nil && s.KeyStore != nil {
		return withoutKeys(s, data)
	}
	return data, err
}

// withoutLine takes out a line that names the setting and holds nothing else.
func withoutLine(s *client.Setting, data []byte) ([]byte, error) {
	out := []byte{} // not nil, which would mean "as before", when this was the only line
	n, gone := 0, false
	for line := range bytes.Lines(data) {
		if n++; n == s.Entry.Line && bytes.Contains(line, []byte(s.Name)) {
			gone = true
			continue
		}
		out = append(out, line...)
	}
	if !gone {
		return nil, fmt.Errorf("line %d no longer sets %s: %w", s.Entry.Line, s.Name, edit.ErrUnproven)
	}
	return out, nil
}

// locate finds a setting in the file as it is now: an earlier step may have
// moved its line. Not found means that it is gone already.
func locate(s *client.Setting, data []byte) (edit.Entry, bool, error) {
	entries, err := edit.Parse(s.Format, data)
	if err != nil {
		return edit.Entry{}, false, err
	}
	best, found := edit.Entry{}, false
	for _, e := range entries {
		if !slices.Equal(e.Path, s.Entry.Path) || e.Value != s.Entry.Value && !e.Parent {
			continue
		}
		if !found || distance(e, s.Entry) < distance(best, s.Entry) {
			best, found = e, true
		}
	}
	return best, found, nil
}

func distance(a, b edit.Entry) int { return max(a.Line-b.Line, b.Line-a.Line) }

// byHand is what to do about a setting that stands in no file that can be edited.
func byHand(f detect.Finding) error {
	if f.Setting == nil {
		return &Manual{Why: text.M("setting.no-file", "name", f.Subject), Do: text.Raw("unset " + f.Subject)}
	}
	if f.Setting.File == "" {
		return &Manual{Why: text.M("setting.no-file", "name", f.Setting.Name), Do: text.Raw("unset " + f.Setting.Name)}
	}
	return &Manual{
		Why: text.M("setting.no-editor", "where", f.Where),
		Do:  text.M("setting.by-hand", "name", strings.TrimSpace(f.Setting.Name), "where", f.Where),
	}
}
