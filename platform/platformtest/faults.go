package platformtest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"trustfix/platform"
)

// ErrCrashed is what every mutating call returns after CrashAt.
var ErrCrashed = errors.New("platformtest: the process is gone")

// faults counts the mutating calls of a Host (Writer.Put, writes to State,
// Runner.Run, SetClock) and makes some of them fail.
type faults struct {
	mu    sync.Mutex
	n     int
	at    int
	err   error
	crash bool
	log   []string
}

// FailWrite makes the n-th mutating call from now on (1 is the next) fail with
// err, before it has done anything. Later calls work.
func FailWrite(h *platform.Host, n int, err error) { harnessOf(h).faults.set(n, err, false) }

// CrashAt makes the n-th mutating call from now on and all after it fail with
// ErrCrashed, as if the process had been killed there. Reopen is the next run.
func CrashAt(h *platform.Host, n int) { harnessOf(h).faults.set(n, ErrCrashed, true) }

// Mutations are the mutating calls made so far, failed ones included.
func Mutations(h *platform.Host) []string {
	f := harnessOf(h).faults
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.log...)
}

func (f *faults) set(n int, err error, crash bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.err, f.crash = f.n+n, err, crash
}

func (f *faults) next(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	f.log = append(f.log, what)
	if f.err != nil && (f.n == f.at || f.crash && f.n > f.at) {
		return f.err
	}
	return nil
}

type writer struct {
	platform.Writer
	h *harness
}

func (w *writer) Put(name string, img platform.Image) error {
	if err := w.h.faults.next("Put " + string(img.Kind) + " " + name); err != nil {
		return err
	}
	return w.Writer.Put(name, img)
}

func (w *writer) Sync(name string) error {
	if err := w.h.faults.next("Sync " + name); err != nil {
		return err
	}
	return w.Writer.Sync(name)
}

type runner struct {
	p *programs
	f *faults
}

func (r *runner) Run(ctx context.Context, c platform.Cmd) (platform.Output, error) {
	if err := r.f.next("Run " + strings.Join(c.Argv, " ")); err != nil {
		return platform.Output{}, err
	}
	return r.p.run(ctx, c)
}

type stateDir struct {
	platform.Dir
	f *faults
}

func (d *stateDir) WriteFile(name string, data []byte) error {
	if err := d.f.next("State.WriteFile " + name); err != nil {
		return err
	}
	return d.Dir.WriteFile(name, data)
}

func (d *stateDir) Append(name string, data []byte) error {
	if err := d.f.next("State.Append " + name); err != nil {
		return err
	}
	return d.Dir.Append(name, data)
}

func (d *stateDir) Mkdir(name string) error {
	if err := d.f.next("State.Mkdir " + name); err != nil {
		return err
	}
	return d.Dir.Mkdir(name)
}

func (d *stateDir) Rename(oldName, newName string) error {
	if err := d.f.next("State.Rename " + newName); err != nil {
		return err
	}
	return d.Dir.Rename(oldName, newName)
}

func (d *stateDir) Sync(name string) error {
	if err := d.f.next("State.Sync " + name); err != nil {
		return err
	}
	return d.Dir.Sync(name)
}

func (d *stateDir) RemoveAll(name string) error {
	if err := d.f.next("State.RemoveAll " + name); err != nil {
		return err
	}
	return d.Dir.RemoveAll(name)
}
