package client

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"trustfix/detect/chain"
	"trustfix/internal/edit"
	"trustfix/platform"
)

// Inventory is every client of a system with what its configuration says.
type Inventory struct {
	Clients    []*Client
	Settings   []*Setting // every layer of every client, also those that lose, each place and role once
	Unreadable []Unreadable
	Bundles    *Bundles // what trust settings lead to, read once
}

// Resolve finds the clients of a system and their effective state. It reads
// files and runs nothing. The error is the context's only: what cannot be read
// is part of the inventory.
func Resolve(ctx context.Context, v *platform.View) (Inventory, error) {
	s := newScan(ctx, v)
	s.readLocations()
	s.findConda()
	s.findPythons()
	s.readEnv()
	for _, r := range s.rows {
		if err := ctx.Err(); err != nil {
			return Inventory{}, err
		}
		s.resolveRow(r)
	}
	s.settleShared()
	return *s.inv, nil
}

// layer is one place's word as one row understands it.
type layer struct {
	*Setting
	key   Key // meaning to this row
	role  Role
	off   bool
	below bool // a variable that files win over
}

func (s *scan) resolveRow(r *Row) {
	var found []*Client
	if r.Find != nil {
		found = r.Find(s)
	} else if p := s.lookAny(r.Programs); p != "" {
		found = []*Client{{Path: p, Program: p}}
	}
	absent := len(found) == 0
	if absent {
		// Its configuration is judged all the same: in an image or a home that
		// several machines share, the program may stand elsewhere.
		found = []*Client{{}}
	}
	for _, c := range found {
		c.Name, c.Row, c.Verify = r.Name, r, "on"
		if c.Version == "" && r.Versions != nil && !absent {
			c.Version = r.Versions(s, c)
		}
		layers := s.layers(r, c)
		if absent && !slices.ContainsFunc(layers, func(l layer) bool { return l.File != "" && l.Client == r.Name && !l.Env }) {
			return
		}
		c.Elevated = c.Path != "" && s.elevated(c.Path)
		s.settleAlone(r, c, layers)
		if c.Verify == "off" && c.Trust.SetBy == "" {
			c.Trust.SetBy = c.switchedOffBy()
		}
		c.Site = s.site(r, c)
		s.settleServers(r, c, layers)
		if r.Rules != nil {
			c.Rules, _ = chain.RulesFor(r.Rules(c))
		}
		s.inv.Clients = append(s.inv.Clients, c)
	}
}

// settleAlone settles c and notes which layers win for it: relatives share
// their settings, and what beats one of them may lose to the other.
func (s *scan) settleAlone(r *Row, c *Client, layers []layer) {
	var won []*Setting
	for _, l := range layers {
		if l.Wins {
			won, l.Wins = append(won, l.Setting), false
		}
	}
	s.settle(r, c, layers)
	for _, x := range c.Settings {
		if x.Wins {
			c.won = append(c.won, x)
		}
	}
	for _, x := range won {
		x.Wins = true
	}
}

// Heeds reports whether a layer is one of those that decide for c.
func (c *Client) Heeds(x *Setting) bool { return slices.Contains(c.won, x) }

// switchedOffBy is the layer because of which the client's roots do not matter.
func (c *Client) switchedOffBy() string {
	for _, x := range slices.Backward(c.Settings) {
		if x.Role == RoleVerify && x.Off && x.Wins {
			return x.Where()
		}
	}
	return ""
}

func (s *scan) lookAny(names []string) string {
	for _, n := range names {
		if p := s.look(n); p != "" {
			return p
		}
	}
	return ""
}

// layers are the places that speak to an instance, lowest precedence first.
func (s *scan) layers(r *Row, c *Client) []layer {
	out := s.varLayers(r, c, func(v *Var) bool { return v.Below })
	for _, name := range r.Reads {
		if o := ByName(name); o.Files != nil {
			out = append(out, s.fileLayers(r, o, c, o.Files(s, c))...)
		}
	}
	out = append(out, s.varLayers(r, c, func(v *Var) bool { return v.Between })...)
	var above []File
	if r.Files != nil {
		all := r.Files(s, c)
		isAbove := func(f File) bool { return f.Above }
		below := slices.DeleteFunc(slices.Clone(all), isAbove)
		above = slices.DeleteFunc(all, func(f File) bool { return !isAbove(f) })
		out = append(out, s.fileLayers(r, r, c, below)...)
	}
	out = append(out, s.varLayers(r, c, func(v *Var) bool { return !v.Below && !v.Between })...)
	if len(above) > 0 {
		out = append(out, s.fileLayers(r, r, c, above)...)
	}
	if r.Layers != nil {
		out = append(out, r.Layers(s, c)...)
	}
	return out
}

func (s *scan) varLayers(r *Row, c *Client, these func(*Var) bool) []layer {
	var out []layer
	for i := range r.Vars {
		v := &r.Vars[i]
		if !these(v) || v.Applies != nil && !v.Applies(c) {
			continue
		}
		for _, x := range s.visible(v.Name, c.Path) {
			e := x.Entry
			e.Value, e.Quoted = x.Value, true
			if v.Word != "" {
				e.Value = x.Word
			}
			role, off, ok := v.class(e)
			if ok && role == x.Role {
				out = append(out, layer{x, Key{Adds: v.Adds, Dir: v.Dir, Hosts: v.Hosts, Aside: v.Aside}, role, off, v.Below})
			}
		}
	}
	return out
}

// visible are the settings of a variable that hold for programs of a prefix,
// the one that they see last.
func (s *scan) visible(name, scope string) []*Setting {
	var out []*Setting
	w := s.effective(name, scope)
	for _, x := range s.env[canon(name)] {
		if (x.Scope == "" || x.Scope == scope) && !samePlace(x, w) {
			out = append(out, x)
		}
	}
	for _, x := range s.env[canon(name)] {
		if w != nil && samePlace(x, w) {
			out = append(out, x)
		}
	}
	return out
}

func samePlace(a, b *Setting) bool {
	return b != nil && a.File == b.File && a.Entry.Line == b.Entry.Line && a.Name == b.Name && a.Value == b.Value
}

// fileLayers reads the files of owner as r understands them.
func (s *scan) fileLayers(r, owner *Row, c *Client, files []File) []layer {
	var out []layer
	for _, f := range s.expandFiles(files) {
		entries := s.parse(owner.Name, f.Path, f.Format)
		if f.Read != nil {
			entries = f.Read(s.readRaw(owner.Name, f.Path))
		}
		for i, e := range entries {
			in, ok := f.inside(e)
			k := r.key(f.Format, in)
			if k == nil || !ok || e.Line < f.From || f.To > 0 && e.Line >= f.To {
				continue
			}
			mine := owner.key(f.Format, in)
			if mine == nil {
				mine = k
			}
			if e.Parent {
				e.Value = strings.Join(members(entries[i+1:], e.Path), "\n")
			}
			role, off := k.class(e)
			if role == roleOther && k.Class != nil {
				continue // such a value says nothing here, and may be anything: a secret too
			}
			x := s.place(owner, f, e, mine)
			if f.Format == edit.Options { // one list, on several lines
				x.Also = alongside(options(entries), x.Word)
				if x.KeyStore != nil {
					x.KeyStore = javaStore(options(entries))
				}
			}
			if f.Here && !f.Aside {
				c.Dir = s.v.Dir
			}
			if !f.Aside {
				out = append(out, layer{x, *k, role, off, false})
			}
		}
	}
	return out
}

// members are the values of the list at a path, from the entries after it.
func members(after []edit.Entry, parent []string) []string {
	var out []string
	for _, e := range after {
		if len(e.Path) <= len(parent) || !slices.Equal(e.Path[:len(parent)], parent) {
			break
		}
		if len(e.Path) == len(parent)+1 && !e.Parent {
			out = append(out, e.Value)
		}
	}
	return out
}

func (k *Key) class(e edit.Entry) (Role, bool) {
	if k.Word != "" {
		var word string
		if e.Value, word = wordOf(e.Value, k.Word); word == "" {
			return roleOther, false
		}
	}
	if k.Class != nil {
		return k.Class(e)
	}
	return k.Role, k.Role == RoleVerify && k.Off != nil && k.Off(e)
}

// place is the setting that stands at an entry of a file, made once.
func (s *scan) place(owner *Row, f File, e edit.Entry, k *Key) *Setting {
	role, off := k.class(e)
	id := strings.Join(append([]string{f.Path, strconv.Itoa(e.Line)}, e.Path...), "\x00")
	if x := s.own[id]; x != nil {
		return x
	}
	x := &Setting{
		Client: owner.Name, Role: role, Name: keyName(e.Path), Value: e.Value, Off: off, File: f.Path, Format: f.Format,
		Entry: e, Aside: k.Aside || f.Aside, Elevated: s.elevated(f.Path), Adds: k.Adds, Dir: k.Dir, Beside: k.Beside, Signed: k.Signed, ByHand: k.ByHand,
	}
	if k.Word != "" {
		x.Value, x.Word = wordOf(e.Value, k.Word)
		x.Also = alongside(e.Value, x.Word)
	}
	if k.KeyStore {
		x.KeyStore = javaStore(e.Value)
	}
	switch {
	case k.Hosts:
		x.Hosts = strings.Fields(strings.ReplaceAll(e.Value, ",", " "))
	case k.HostAt > 0 && len(f.Under)+k.HostAt <= len(e.Path):
		x.Hosts = []string{e.Path[len(f.Under)+k.HostAt-1]}
	}
	if role == RoleVerify && k.Hosts {
		x.Off = len(x.Hosts) > 0
	}
	s.own[id] = x
	if role != roleOther {
		s.inv.Settings = append(s.inv.Settings, x)
	}
	return x
}

// keyName is a key as people write it: the last element, with its section
// where that tells more.
func keyName(p []string) string { return strings.Join(p, ".") }
