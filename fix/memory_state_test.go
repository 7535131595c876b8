package fix

import (
	"fmt"
	"io/fs"
	"path"
	"slices"

	"trustfix/platform"
)

// memState is the state directory of a machine in memory, with the calls of
// the real thing (platform/state.go).
type memState struct{ *memory }

func (m memState) Free() int64 { return m.free("/state") }

func (m memState) Medium() string { return m.medium }

func (m memState) Path() string { return "/state" }

func (m memState) ReadFile(name string) ([]byte, error) {
	img, ok := m.state[path.Clean(name)]
	if !ok {
		return nil, notExist("open", name)
	}
	return slices.Clone(img.Data), nil
}

func stateFile(data []byte) platform.Image {
	return platform.Image{Kind: platform.File, Data: slices.Clone(data)}
}

// write makes a new file durable, but not its name.
func (m memState) write(name string, data []byte) error {
	m.link(name, stateFile(nil))
	m.fill(name, stateFile(data[:len(data)/2]))
	if err := m.step(); err != nil {
		return err
	}
	m.fill(name, stateFile(data))
	return m.fsync(name)
}

func (m memState) WriteFile(name string, data []byte) error {
	name = path.Clean(name)
	if _, ok := m.state[path.Dir(name)]; !ok {
		return notExist("open", name)
	}
	if err := m.step(); err != nil {
		return err
	}
	temp := path.Join(path.Dir(name), fmt.Sprintf(".%s.trustfix-%016x", path.Base(name), m.ops))
	err := m.write(temp, data)
	if err == nil {
		err = m.step()
	}
	if err != nil {
		m.unlink(temp)
		return err
	}
	m.rename(temp, name)
	return m.fsync(path.Dir(name))
}

func (m memState) Append(name string, data []byte) error {
	name = path.Clean(name)
	if err := m.step(); err != nil {
		return err
	}
	old, there := m.state[name]
	if !there {
		if err := m.write(name, data); err != nil {
			m.unlink(name)
			return err
		}
		return m.fsync(path.Dir(name))
	}
	m.fill(name, stateFile(append(slices.Clone(old.Data), data[:len(data)/2]...)))
	err := m.step()
	if err == nil {
		m.fill(name, stateFile(append(slices.Clone(old.Data), data...)))
		err = m.fsync(name)
	}
	if err != nil {
		m.fill(name, old)
	}
	return err
}

func (m memState) Mkdir(name string) error {
	if _, ok := m.state[name]; ok {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	if err := m.step(); err != nil {
		return err
	}
	m.link(name, platform.Image{Kind: platform.DirKind})
	return m.fsync(path.Dir(name))
}

func (m memState) Rename(from, to string) error {
	if err := m.step(); err != nil {
		return err
	}
	m.rename(from, to)
	return m.fsync(path.Dir(to))
}

func (m memState) RemoveAll(name string) error {
	name = path.Clean(name)
	for _, p := range deepestFirst(m.state) {
		if under(p, []string{name}) {
			if err := m.step(); err != nil {
				return err
			}
			m.unlink(p)
		}
	}
	return m.fsync(path.Dir(name))
}

func (m memState) Sync(name string) error { return m.fsync(path.Clean(name)) }

func (m memState) ReadDir(name string) ([]string, error) {
	if m.state[path.Clean(name)].Kind != platform.DirKind {
		return nil, notExist("open", name)
	}
	return children(m.state, path.Clean(name)), nil
}

func (m memState) Lock() (func(), error) {
	if m.locked {
		return nil, platform.ErrLocked
	}
	m.memory.locked = true
	return func() { m.memory.locked = false }, nil
}
