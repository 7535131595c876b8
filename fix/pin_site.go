package fix

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/internal/text"
	"trustfix/platform"
)

// pinFile is the name of every pin; it stands beside the configuration that
// points to it (client.Beside).
const pinFile = "trustfix-pin" + bundleExt

// pinName is that of a client's pin: Java reads key stores.
func pinName(c *client.Client) string {
	if c.Trust.KeyStore != nil {
		return strings.TrimSuffix(pinFile, bundleExt) + storeExt
	}
	return pinFile
}

// site is the setting that names a client's bundle, and where its pin stands.
type site struct {
	file     string // logical path as the client knows it
	format   edit.Format
	key      []string
	present  *client.Setting // the entry that says something else now; nil: the key is added
	was      string          // what it names now, when that is a way of verifying
	wasPath  string          // was, as an absolute path
	pin      string
	elevated bool
	adds     bool             // the pin is read besides the client's own roots
	env      bool             // the key is a variable, file a shell's
	whole    bool             // the pin is read because it is there
	word     string           // the key is a list of options: the one that names the bundle
	store    *client.KeyStore // the pin is a Java key store
}

// findSite picks the layer of a client's configuration that wins: the one that
// is effective now, or the user's own file where none says anything. What an
// environment variable says beats every file, so that is for a person.
func findSite(in *Input, c *client.Client) (site, error) {
	layers := c.Rooting()
	slices.SortStableFunc(layers, func(a, b *client.Setting) int { return weight(c, b) - weight(c, a) })
	for _, s := range layers {
		if c.Site.Env && s.Env && s.Name == c.Site.Key[0] && s.Format != "" {
			// its own variable, in a file that can be edited
		} else if s.Env {
			if s.Value == "" || s.Adds || !s.Wins && s.Where() != c.Trust.SetBy || !stillSet(in, s) {
				continue
			}
			return site{}, &Manual{
				Why: text.M("write-pin.variable", "name", s.Name, "where", s.Where(), "client", c.Name),
				Do:  text.M("write-pin.variable-do", "name", s.Name),
			}
		}
		if !stillSet(in, s) {
			continue // an earlier step of the plan removes it
		}
		out := site{file: s.File, format: s.Format, key: s.Entry.Path, present: s, elevated: s.Elevated, store: s.KeyStore}
		if !s.Off {
			out.was, out.wasPath = s.Value, s.Path
		}
		out.adds, out.env = c.Site.Adds, c.Site.Env
		out.pin = path.Join(c.Beside(in.User.Home, s.File), pinName(c))
		if s.Path != "" && path.Base(s.Path) == pinName(c) {
			out.pin = s.Path
		}
		return out, nil
	}
	own := c.Site
	out := site{
		file: own.File, format: own.Format, key: own.Key, elevated: own.Elevated, whole: own.Whole, word: own.Word,
		pin: path.Join(c.Beside(in.User.Home, own.File), pinName(c)), store: c.Trust.KeyStore,
		adds: own.Adds, env: own.Env,
	}
	if own.Whole {
		out.pin = own.File
		if data, err := in.Files.ReadFile(own.File); err == nil {
			if _, ours := detect.ReadPin(own.File, data); !ours {
				return site{}, &Manual{Why: text.M("java-store.own", "path", own.File), Do: text.M("java-store.own-do", "path", own.File)}
			}
		}
	}
	return out, nil
}

// weight puts the layer that is effective now before all others.
func weight(c *client.Client, s *client.Setting) int {
	if s.Wins || s.Where() == c.Trust.SetBy {
		return 1
	}
	return 0
}

// stillSet reports whether a setting stands in its file as the plan so far
// leaves it; one whose file is not known is taken to.
func stillSet(in *Input, s *client.Setting) bool {
	if s.File == "" || s.Format == "" {
		return true
	}
	data, err := in.Files.ReadFile(s.File)
	if err != nil {
		return false
	}
	_, ok, err := locate(s, data)
	return ok || err != nil
}

// point makes the setting name the pin, in a file as the actions so far leave
// it; changed is false when it does already.
func (s site) point(in *Input, so []Action) (a Action, changed bool, err error) {
	if s.whole {
		return a, false, nil
	}
	if strings.ContainsAny(s.pin, " \t") && (s.word != "" || s.present != nil && s.present.Word != "") {
		return a, false, s.byHand(errors.New("a path with blanks cannot stand in a list of options"))
	}
	target := resolved(in, s.file)
	before, err := in.Files.Snapshot(target)
	if err != nil {
		return a, false, err
	}
	data := before.Data
	for _, o := range so {
		if o.Target == target {
			data = o.After.Data
		}
	}
	if s.present != nil {
		e, ok, err := locate(s.present, data)
		if err == nil && !ok {
			err = fmt.Errorf("%s is not there any more", s.present.Name)
		}
		if err == nil && e.Value == naming(s.present, e, s.pin) {
			return a, false, nil
		}
		if err == nil {
			data, err = edit.Set(s.format, data, e, naming(s.present, e, s.pin))
		}
		if err != nil {
			return a, false, s.byHand(err)
		}
	} else if s.word != "" {
		if data, err = withWord(s, data); err != nil {
			return a, false, s.byHand(err)
		}
	} else if data, err = edit.Add(s.format, data, s.key, s.pin); err != nil {
		return a, false, s.byHand(err)
	}
	after := before
	if before.Kind == platform.Absent {
		after = platform.Image{Kind: platform.File, Mode: 0o644}
	}
	after.Data = data
	summary := text.M("write-pin.point", "name", s.key[len(s.key)-1], "where", s.file, "path", s.pin)
	if s.env {
		summary = text.M("write-pin.point-variable", "name", s.key[0], "where", s.file, "path", s.pin)
	}
	return Action{Kind: FileAction, Target: target, Before: before, After: after, Elevated: s.elevated, Summary: summary}, true, nil
}

// byHand is for a file that cannot be edited with certainty.
func (s site) byHand(err error) error {
	var manual *Manual
	if errors.As(err, &manual) {
		return err
	}
	return &Manual{
		Why: text.M("setting.cannot-edit", "where", s.file, "error", text.Redact(err.Error())),
		Do:  text.M("write-pin.by-hand", "name", strings.Join(s.key, "."), "where", s.file, "path", s.pin),
	}
}
