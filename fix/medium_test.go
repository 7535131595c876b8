package fix

import (
	"maps"
	"path"
	"slices"
	"strings"

	"trustfix/platform"
)

// disk is what of a machine in memory has reached the medium, and what is in
// the page cache only. A file's content and metadata reach it by fsync of the
// file, a name by fsync of its directory; until then a cut of power may lose
// any of it, in any combination. That is more than a journaling file system
// loses, and no more than POSIX allows.
type disk struct {
	ids   map[string]int // the node behind each path that programs see
	last  int
	nodes map[int]node // as on the medium
	cache []cached     // oldest first
}

// node is a file, a link or a directory on the medium.
type node struct {
	img   platform.Image
	names map[string]int // of a directory
}

// cached is a change that fsync of its node makes durable.
type cached struct {
	node int
	do   func(nodes map[int]node)
}

// settle makes everything as it stands durable, and keeps account from then on.
func (m *memory) settle() {
	d := &disk{ids: map[string]int{}, nodes: map[int]node{}}
	m.disk = d
	for _, side := range []map[string]platform.Image{m.tree, m.state} {
		for p, img := range side {
			d.make(p, img)
		}
	}
	for p, id := range d.ids {
		if p != "/" && p != "." {
			d.nodes[d.ids[path.Dir(p)]].names[path.Base(p)] = id
		}
	}
}

// make is a new node without a name on the medium.
func (d *disk) make(p string, img platform.Image) int {
	d.last++
	d.ids[p] = d.last
	d.nodes[d.last] = node{img, map[string]int{}}
	return d.last
}

func (d *disk) clone() *disk {
	if d == nil {
		return nil
	}
	c := *d
	c.ids, c.cache, c.nodes = maps.Clone(d.ids), slices.Clone(d.cache), map[int]node{}
	for id, n := range d.nodes {
		c.nodes[id] = node{n.img, maps.Clone(n.names)}
	}
	return &c
}

// write puts a change of a node into the cache.
func (d *disk) write(id int, do func(n *node)) {
	d.cache = append(d.cache, cached{id, func(nodes map[int]node) {
		n := nodes[id]
		do(&n)
		nodes[id] = n
	}})
}

// fsync is the step that makes the node behind p durable.
func (m *memory) fsync(p string) error {
	if err := m.step(); err != nil {
		return err
	}
	if d := m.disk; d != nil && !m.hasty {
		d.cache = slices.DeleteFunc(d.cache, func(c cached) bool {
			if c.node == d.ids[p] {
				c.do(d.nodes)
			}
			return c.node == d.ids[p]
		})
	}
	return nil
}

// losePower ends the machine: of what is in the cache, only what keep says has
// reached the medium.
func (m *memory) losePower(keep func() bool) {
	d := m.disk
	for _, c := range d.cache {
		if keep() {
			c.do(d.nodes)
		}
	}
	read := func(root string) map[string]platform.Image {
		out := map[string]platform.Image{}
		var visit func(p string, n node)
		visit = func(p string, n node) {
			out[p] = n.img
			for name, id := range n.names {
				visit(path.Join(p, name), d.nodes[id])
			}
		}
		visit(root, d.nodes[d.ids[root]])
		return out
	}
	m.tree, m.state = read("/"), read(".")
	m.settle()
}

// side is the tree or the state directory, whichever p is of.
func (m *memory) side(p string) map[string]platform.Image {
	if path.IsAbs(p) {
		return m.tree
	}
	return m.state
}

// entry changes the names in a directory, and with them its time.
func (m *memory) entry(dir string, do func(names map[string]int)) {
	img := m.side(dir)[dir]
	img.MTime = m.clock
	m.side(dir)[dir] = img
	if m.disk != nil {
		now := m.clock
		m.disk.write(m.disk.ids[dir], func(n *node) {
			n.img.MTime = now
			do(n.names)
		})
	}
}

// link gives something new a name: an empty file, a directory, a link.
func (m *memory) link(p string, img platform.Image) {
	m.side(p)[p] = img
	id := 0
	if m.disk != nil {
		id = m.disk.make(p, img)
	}
	m.entry(path.Dir(p), func(names map[string]int) { names[path.Base(p)] = id })
}

// fill gives what has a name its content and metadata.
func (m *memory) fill(p string, img platform.Image) {
	m.side(p)[p] = img
	if m.disk != nil {
		m.disk.write(m.disk.ids[p], func(n *node) { n.img = img })
	}
}

func (m *memory) unlink(p string) {
	delete(m.side(p), p)
	if m.disk != nil {
		delete(m.disk.ids, p)
	}
	m.entry(path.Dir(p), func(names map[string]int) { delete(names, path.Base(p)) })
}

// rename is atomic, and stays in its directory.
func (m *memory) rename(from, to string) {
	side := m.side(from)
	move := func(p string) string { return to + strings.TrimPrefix(p, from) }
	for p, img := range maps.Clone(side) {
		if under(p, []string{from}) {
			delete(side, p)
			side[move(p)] = img
		}
	}
	id := 0
	if m.disk != nil {
		id = m.disk.ids[from]
		for p, i := range maps.Clone(m.disk.ids) {
			if under(p, []string{from}) {
				delete(m.disk.ids, p)
				m.disk.ids[move(p)] = i
			}
		}
	}
	m.entry(path.Dir(to), func(names map[string]int) {
		delete(names, path.Base(from))
		names[path.Base(to)] = id
	})
}
