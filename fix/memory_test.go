package fix

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"trustfix/platform"
)

// memory is a machine in memory: a tree, a state directory and programs, made
// of single steps each of which can be the one that fails or the last one
// before a crash. It has the steps of the real thing: a temporary beside the
// target, a rename; a record appended in two halves.
type memory struct {
	tree, state map[string]platform.Image
	programs    map[string]func(m *memory, c platform.Cmd) error
	ran         []string
	clock       time.Time
	set         time.Time // by SetClock
	locked      bool
	readOnly    map[string]error
	mounts      map[string]bool // written in place, not atomically

	medium string           // what the state directory is on
	space  map[string]int64 // free bytes of the file system at a directory

	disk  *disk // what has reached the medium; nil: that does not matter
	hasty bool  // fsync does nothing

	ops   int   // steps made so far
	fail  int   // the step that fails (1 is the first); 0: none
	err   error // how; nil: a crash
	stuck bool  // every step after it fails as well
}

// crash is the end of the process.
type crash struct{}

func newMemory(files map[string]string) *memory {
	m := &memory{
		tree: map[string]platform.Image{}, state: map[string]platform.Image{},
		programs: map[string]func(*memory, platform.Cmd) error{},
		clock:    time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}
	m.tree["/"] = platform.Image{Kind: platform.DirKind, Mode: 0o755, MTime: m.clock}
	m.state["."] = platform.Image{Kind: platform.DirKind, Mode: 0o700}
	for name, data := range files {
		m.mkdirs(path.Dir(name))
		if to, ok := strings.CutPrefix(data, "-> "); ok {
			m.tree[name] = platform.Image{Kind: platform.Link, Link: to, MTime: m.clock}
			continue
		}
		m.tree[name] = m.file(data)
	}
	return m
}

func (m *memory) file(data string) platform.Image {
	return platform.Image{
		Kind: platform.File, Mode: 0o644, Data: []byte(data), Size: int64(len(data)), SHA256: hash([]byte(data)), MTime: m.clock,
	}
}

func (m *memory) mkdirs(name string) {
	for d := name; d != "/"; d = path.Dir(d) {
		if _, ok := m.tree[d]; !ok {
			m.tree[d] = platform.Image{Kind: platform.DirKind, Mode: 0o755, MTime: m.clock}
		}
	}
}

func (m *memory) host() *platform.Host {
	m.locked = false
	v := &platform.View{
		OS: "linux", Root: "/", Elevated: true, User: platform.User{Name: "root", Home: "/root"},
		Files: memFiles{m}, Now: func() time.Time { return m.clock },
	}
	return &platform.Host{View: v, Write: memFiles{m}, Run: memRunner{m}, State: memState{m}, Clock: m}
}

// step is one system call that changes something.
func (m *memory) step() error {
	m.ops++
	m.clock = m.clock.Add(time.Second)
	if m.fail > 0 && (m.ops == m.fail || m.stuck && m.ops > m.fail) {
		if m.err == nil {
			panic(crash{})
		}
		return m.err
	}
	return nil
}

func (m *memory) free(dir string) int64 {
	if n, ok := m.space[dir]; ok {
		return n
	}
	return -1
}

func (m *memory) SetClock(t time.Time) error {
	if err := m.step(); err != nil {
		return err
	}
	m.set = t
	return nil
}

// copyTree is the tree as a comparison wants it.
func (m *memory) copyTree() map[string]platform.Image { return maps.Clone(m.tree) }

// compare lists how two trees differ; times count.
func compare(a, b map[string]platform.Image) string {
	var out []string
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, p := range slices.Sorted(maps.Keys(all)) {
		x, y := a[p], b[p]
		if !x.Same(y) || !x.MTime.Equal(y.MTime) {
			out = append(out, fmt.Sprintf("%s: %s %s / %s %s", p, describe(x), x.MTime.Format(time.TimeOnly), describe(y), y.MTime.Format(time.TimeOnly)))
		}
	}
	return strings.Join(out, "\n")
}

// sameBut compares two trees without times.
func sameContent(a, b map[string]platform.Image) bool {
	return maps.EqualFunc(a, b, platform.Image.Same)
}

type memFiles struct{ *memory }

// walk resolves name; the last component only if follow is set.
func (m memFiles) walk(name string, follow bool) string {
	for range 40 {
		parts := strings.Split(strings.Trim(path.Clean(name), "/"), "/")
		again := false
		for i := range parts {
			at := "/" + strings.Join(parts[:i+1], "/")
			if img := m.tree[at]; img.Kind == platform.Link && (follow || i < len(parts)-1) {
				to := img.Link
				if !path.IsAbs(to) {
					to = path.Join(path.Dir(at), to)
				}
				name, again = path.Join(append([]string{to}, parts[i+1:]...)...), true
				break
			}
		}
		if !again {
			return path.Clean(name)
		}
	}
	return name
}

func (m memFiles) Snapshot(name string) (platform.Image, error) {
	img, ok := m.tree[m.walk(name, false)]
	if !ok {
		return platform.Image{Kind: platform.Absent}, nil
	}
	img.Data = slices.Clone(img.Data)
	return img, nil
}

func (m memFiles) Stat(name string) (platform.Image, error) {
	img, ok := m.tree[m.walk(name, true)]
	if !ok {
		return img, notExist("stat", name)
	}
	img.Data, img.SHA256 = nil, ""
	return img, nil
}

func (m memFiles) ReadFile(name string) ([]byte, error) {
	img, ok := m.tree[m.walk(name, true)]
	if !ok {
		return nil, notExist("open", name)
	}
	if img.Kind != platform.File {
		return nil, &fs.PathError{Op: "read", Path: name, Err: platform.ErrNotRegular}
	}
	return slices.Clone(img.Data), nil
}

func children(tree map[string]platform.Image, dir string) []string {
	names := []string{}
	for p := range tree {
		if p != dir && path.Dir(p) == dir {
			names = append(names, path.Base(p))
		}
	}
	slices.Sort(names)
	return names
}

func (m memFiles) ReadDir(name string) ([]string, error) {
	at := m.walk(name, true)
	if m.tree[at].Kind != platform.DirKind {
		return nil, notExist("list", name)
	}
	return children(m.tree, at), nil
}

func (m memFiles) Resolve(name string) (string, error) {
	at := m.walk(name, true)
	if _, ok := m.tree[path.Dir(at)]; !ok {
		return "", notExist("resolve", name)
	}
	return at, nil
}

func (m memFiles) Writable(name string) error {
	if m.mounts[name] {
		return &fs.PathError{Op: "replace", Path: name, Err: platform.ErrMountPoint}
	}
	if err := m.readOnly[name]; err != nil {
		return &fs.PathError{Op: "replace", Path: name, Err: err}
	}
	if m.tree[path.Dir(m.walk(name, false))].Kind != platform.DirKind {
		return notExist("replace", name)
	}
	return nil
}

func (m memFiles) Free(name string) int64 { return m.free(name) }

func (m memFiles) HostPath(name string) string { return name }

// Put makes the calls of the real thing (platform/write.go), each of which is
// a step.
func (m memFiles) Put(name string, img platform.Image) error {
	at := m.walk(name, false)
	now := m.tree[at]
	if m.tree[path.Dir(at)].Kind != platform.DirKind {
		return notExist("write", name)
	}
	img.Data = slices.Clone(img.Data)
	if img.MTime.IsZero() {
		img.MTime = m.clock
	}
	switch img.Kind {
	case platform.Absent:
		return m.putAbsent(at, now)
	case platform.DirKind:
		return m.putDir(at, now, img)
	}
	if now.Kind == platform.DirKind {
		return &fs.PathError{Op: "write", Path: name, Err: syscall.EISDIR}
	}
	if img.Kind == platform.File && hash(img.Data) != img.SHA256 {
		panic("put of an unsealed image: " + name)
	}
	if m.mounts[at] {
		return m.overwrite(at, img)
	}
	return m.replace(at, img)
}

func (m memFiles) putAbsent(at string, now platform.Image) error {
	if now.Kind == "" {
		return nil
	}
	if len(children(m.tree, at)) > 0 {
		return &fs.PathError{Op: "write", Path: at, Err: syscall.ENOTEMPTY}
	}
	if err := m.step(); err != nil {
		return err
	}
	m.unlink(at)
	return m.fsync(path.Dir(at))
}

func (m memFiles) putDir(at string, now, img platform.Image) error {
	made := now.Kind != platform.DirKind
	if made {
		if now.Kind != "" {
			return &fs.PathError{Op: "write", Path: at, Err: syscall.ENOTDIR}
		}
		if err := m.step(); err != nil {
			return err
		}
		m.link(at, platform.Image{Kind: platform.DirKind, Mode: 0o700, MTime: m.clock})
	}
	err := m.step()
	if err == nil {
		m.fill(at, img)
		err = m.fsync(at)
	}
	if err == nil {
		err = m.fsync(path.Dir(at))
	}
	if err != nil && made {
		m.unlink(at)
	}
	return err
}

// overwrite is what happens to a mount point: in place, not atomic.
func (m memFiles) overwrite(at string, img platform.Image) error {
	for _, part := range [][]byte{img.Data[:len(img.Data)/2], img.Data} {
		if err := m.step(); err != nil {
			return err
		}
		m.fill(at, m.file(string(part)))
	}
	if err := m.step(); err != nil {
		return err
	}
	m.fill(at, img)
	return m.fsync(at)
}

func (m memFiles) replace(at string, img platform.Image) error {
	if err := m.step(); err != nil {
		return err
	}
	temp := path.Join(path.Dir(at), fmt.Sprintf(".%s.trustfix-%016x", path.Base(at), m.ops))
	err := m.writeTemp(temp, img)
	if err == nil {
		err = m.step()
	}
	if err != nil {
		m.unlink(temp)
		return err
	}
	m.rename(temp, at)
	return m.fsync(path.Dir(at))
}

func (m memFiles) writeTemp(temp string, img platform.Image) error {
	if img.Kind == platform.Link {
		m.link(temp, img)
		return nil
	}
	m.link(temp, m.file(""))
	m.fill(temp, m.file(string(img.Data[:len(img.Data)/2])))
	if err := m.step(); err != nil {
		return err
	}
	m.fill(temp, img)
	return m.fsync(temp)
}

// Sync makes durable what programs left at name.
func (m memFiles) Sync(name string) error {
	at := m.walk(name, false)
	if k := m.tree[at].Kind; k != platform.File && k != platform.DirKind {
		return nil
	}
	return m.fsync(at)
}

type memRunner struct{ *memory }

func (m memRunner) Run(ctx context.Context, c platform.Cmd) (platform.Output, error) {
	m.ran = append(m.ran, strings.Join(c.Argv, " "))
	program := m.programs[c.Argv[0]]
	if program == nil {
		return platform.Output{}, notExist("run", c.Argv[0])
	}
	if err := ctx.Err(); err != nil {
		return platform.Output{}, err
	}
	return platform.Output{}, program(m.memory, c)
}

// put is what a program does to a file: not atomic, no temporary, and nothing
// is synchronised.
func (m *memory) put(name, data string) error {
	if err := m.step(); err != nil {
		return err
	}
	if _, ok := m.tree[name]; !ok {
		m.link(name, m.file(""))
	}
	m.fill(name, m.file(data[:len(data)/2]))
	if err := m.step(); err != nil {
		return err
	}
	m.fill(name, m.file(data))
	return nil
}

func (m *memory) remove(name string) error {
	if err := m.step(); err != nil {
		return err
	}
	m.unlink(name)
	return nil
}

// crashes runs f and says whether the machine crashed in it.
func crashes(f func()) (crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crash); !ok {
				panic(r)
			}
			crashed = true
		}
	}()
	f()
	return false
}
