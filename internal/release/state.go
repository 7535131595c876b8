package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"trustfix/internal/text"
	"trustfix/platform"
)

// stateName is the file of the state directory that remembers.
const stateName = "releases.json"

// memory is what earlier updates have seen, so that an old manifest, which is
// signed as well as a new one, cannot be played back. It is kept by key: who
// steals one key must not be able to block the other with a huge version.
type memory struct {
	Schema      int              `json:"schema"`
	Keys        map[string]*seen `json:"keys"`
	RevokedKeys []string         `json:"revokedKeys,omitempty"`
}

type seen struct {
	Highest string   `json:"highest"`
	Revoked []string `json:"revoked,omitempty"`
}

// recall reads the memory; what cannot be read stops the update, since
// forgetting would be what an attacker wants.
func recall(d platform.Dir) (*memory, error) {
	m := &memory{Schema: 1, Keys: map[string]*seen{}}
	data, err := d.ReadFile(stateName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(data, m)
	}
	if err == nil && m.Schema != 1 {
		err = fmt.Errorf("schema %d is of a newer trustfix", m.Schema)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read what earlier updates have seen (%s): %w", filepath.Join(d.Path(), stateName), err)
	}
	if m.Keys == nil {
		m.Keys = map[string]*seen{}
	}
	for id, s := range m.Keys {
		if s == nil {
			delete(m.Keys, id)
		}
	}
	return m, nil
}

// note remembers a manifest that key has signed.
func (m *memory) note(key string, keys Keys, man *Manifest) {
	s := m.Keys[key]
	if s == nil {
		s = &seen{}
		m.Keys[key] = s
	}
	if older(s.Highest, man.Version) {
		s.Highest = man.Version
	}
	s.Revoked = union(s.Revoked, man.Revoked)
	m.RevokedKeys = union(m.RevokedKeys, man.revokes(key, keys))
}

func (m *memory) write(d platform.Dir) error { return save(d, stateName, m) }

// save writes a file of the state directory, and clears away what killed
// writes of it have left.
func save(d platform.Dir, name string, v any) error {
	names, err := d.ReadDir(".")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, n := range names {
		if platform.IsTemp(n) && strings.HasPrefix(n, "."+name+".") {
			if err := d.RemoveAll(n); err != nil {
				return err
			}
		}
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return d.WriteFile(name, append(data, '\n'))
}

// revokes are the keys that key revokes and may revoke.
func (man *Manifest) revokes(key string, keys Keys) []string {
	ids := keys.IDs()
	upTo := slices.Index(ids, key)
	return slices.DeleteFunc(slices.Clone(man.RevokedKeys), func(id string) bool {
		i := slices.Index(ids, id)
		return i < 0 || i > upTo
	})
}

// judge says whether a version may take the place of the running one.
func (m *memory) judge(key string, keys Keys, man *Manifest, o Options) error {
	running, err := parseVersion(o.Version)
	if err != nil {
		return refuse(text.M("release.dev-build", "version", o.Version))
	}
	offered, err := parseVersion(man.Version)
	if err != nil {
		return err
	}
	past := m.Keys[key]
	if past == nil {
		past = &seen{}
	}
	named := o.Want != ""
	switch {
	case slices.Contains(union(m.RevokedKeys, man.revokes(key, keys)), key):
		return refuse(text.M("release.key-revoked", "key", key))
	case named && o.Want != man.Version:
		return refuse(text.M("release.other-version", "version", man.Version, "want", o.Want))
	case slices.Contains(man.Revoked, man.Version) || slices.Contains(past.Revoked, man.Version):
		return refuse(text.M("release.revoked", "version", man.Version))
	case named && o.AllowDowngrade:
		return nil
	case offered.LessThan(running):
		return refuse(text.M("release.older", "version", man.Version, "running", o.Version))
	case older(man.Version, past.Highest):
		return refuse(text.M("release.replayed", "version", man.Version, "highest", past.Highest))
	}
	return nil
}

// older reports whether version a is older than b; "" is older than any.
func older(a, b string) bool {
	if a == "" || b == "" {
		return a == "" && b != ""
	}
	va, errA := parseVersion(a)
	vb, errB := parseVersion(b)
	return errA == nil && errB == nil && va.LessThan(vb)
}

func parseVersion(s string) (*semver.Version, error) {
	v, err := semver.StrictNewVersion(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not a version: %w", s, err)
	}
	return v, nil
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
