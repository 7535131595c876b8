//go:build unix

package platform

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a/b/trustfix")
	s := NewState(path)
	if _, err := s.ReadFile("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading where nothing is: %v", err)
	}
	if _, err := s.ReadDir("."); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("listing where nothing is: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made the directory")
	}
	for _, err := range []error{
		s.Mkdir("txn"), s.Mkdir("txn/1.tmp"), s.WriteFile("txn/1.tmp/b0", []byte("backup")), s.Rename("txn/1.tmp", "txn/1"),
		s.Append("journal", []byte("one\n")), s.Append("journal", []byte("two\n")), s.WriteFile("f", []byte("a")), s.WriteFile("f", []byte("b")),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{"txn/1/b0": "backup", "journal": "one\ntwo\n", "f": "b"} {
		if got, err := s.ReadFile(name); string(got) != want || err != nil {
			t.Errorf("%s = %q, %v", name, got, err)
		}
		if fi, err := os.Stat(filepath.Join(path, name)); err != nil || fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, fi.Mode(), err)
		}
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v", fi.Mode(), err)
	}
	if fi, err := os.Stat(filepath.Dir(path)); err != nil || os.Geteuid() == 0 && fi.Mode().Perm() != 0o755 {
		t.Errorf("directory above, which is everybody's: %v, %v", fi.Mode(), err)
	}
	if err := s.Mkdir("txn"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Mkdir: %v", err)
	}
	if err := s.RemoveAll("txn/1"); err != nil {
		t.Error(err)
	}
	if names, err := s.ReadDir("."); err != nil || !slices.Equal(names, []string{"f", "journal", "txn"}) {
		t.Errorf("%v, %v", names, err)
	}
	if err := s.WriteFile("../escape", nil); err == nil {
		t.Error("wrote outside")
	}
}

func TestStateLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trustfix")
	a, b := NewState(path), NewState(path)
	unlock, err := a.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	unlock()
	unlock, err = b.Lock()
	if err != nil {
		t.Errorf("after unlock: %v", err)
	}
	unlock()
}

func TestStateRefused(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := NewState(open).WriteFile("x", nil); err == nil {
		t.Error("a directory that everybody may write was used")
	}
	if _, err := NewState(open).ReadFile("x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading from it: %v", err)
	}
	foreign := &stateDir{path: t.TempDir(), euid: os.Geteuid() + 1}
	if err := foreign.WriteFile("x", nil); err == nil {
		t.Error("somebody else's directory was used")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := NewState(file).WriteFile("x", nil); err == nil {
		t.Error("a file was used")
	}
}
