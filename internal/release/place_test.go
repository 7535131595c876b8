//go:build unix

package release

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// Row 34: programs that somebody else answers for.
func TestRow34Owner(t *testing.T) {
	for _, tt := range []struct{ name, path, tree, want string }{
		{"Homebrew on macOS", "/opt/homebrew/Caskroom/trustfix/1.0.0/trustfix", "", "brew upgrade trustfix"},
		{"Homebrew on Linux", "/home/linuxbrew/.linuxbrew/Cellar/trustfix/1.0.0/bin/trustfix", "", "brew upgrade trustfix"},
		{"Scoop", "C:/Users/lin/scoop/apps/trustfix/current/trustfix.exe", "", "scoop update trustfix"},
		{"winget", "/Users/lin/AppData/Local/Microsoft/WinGet/Packages/x/trustfix.exe", "", "winget upgrade trustfix"},
		{"snap", "/snap/trustfix/12/bin/trustfix", "", "snap refresh trustfix"},
		{"Nix", "/nix/store/abc-trustfix-1.0.0/bin/trustfix", "", "nix profile upgrade trustfix"},
		{"conda", "/opt/conda/bin/trustfix", "-- opt/conda/conda-meta/trustfix-1.0.0-0.json --\n{}\n", "conda update trustfix"},
		{"conda without us", "/opt/conda/bin/trustfix", "-- opt/conda/conda-meta/python-3.13.0-0.json --\n{}\n", ""},
		{"nobody", "/usr/local/bin/trustfix", "", ""},
		{"a person", "/home/lin/bin/trustfix", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := platformtest.New(t, tt.tree)
			err := Owned(t.Context(), h.View, tt.path)
			if tt.want == "" && err == nil {
				return
			}
			var r *Refused
			if !errors.As(err, &r) || r.Reason.Args["command"] != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	for _, tt := range []struct{ query, stdout, want string }{
		{"/usr/bin/dpkg-query -S /usr/bin/trustfix", "trustfix: /usr/bin/trustfix\n", "apt-get install --only-upgrade trustfix"},
		{"/usr/bin/dpkg-query -S /bin/trustfix", "tls-tools:amd64: /bin/trustfix\n", "apt-get install --only-upgrade tls-tools"},
		{"/usr/bin/rpm -qf --qf %{NAME} /usr/bin/trustfix", "trustfix", "dnf upgrade trustfix   (or: zypper update trustfix)"},
		{"/usr/bin/apk info -q --who-owns /usr/bin/trustfix", "trustfix-1.0.0-r0\n", "apk add --upgrade trustfix-1.0.0-r0"},
		{"/usr/bin/pacman -Qoq /usr/bin/trustfix", "trustfix\n", "pacman -Syu trustfix"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			prog, _, _ := strings.Cut(tt.query, " ")
			h := platformtest.New(t, "link /bin -> usr/bin\n-- usr/bin/trustfix --\nx\n", platformtest.Script(platformtest.Programs{
				tt.query: {Stdout: tt.stdout}, prog: {Code: 1, Optional: true},
			}))
			var r *Refused
			if err := Owned(t.Context(), h.View, "/usr/bin/trustfix"); !errors.As(err, &r) || r.Reason.Args["command"] != tt.want {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// The real package database, where there is one: also for a path that a
// package shipped before /bin and /usr/bin became one directory.
func TestRow34RealDpkg(t *testing.T) {
	h, err := platform.Open(platform.OpenOptions{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if installed, known := h.PackageInstalled("coreutils"); !installed || !known {
		t.Skip("needs a system of dpkg packages")
	}
	for _, path := range []string{"/usr/bin/env", "/usr/bin/ls"} {
		var r *Refused
		if err := Owned(t.Context(), h.View, path); !errors.As(err, &r) || r.Reason.Args["command"] != "apt-get install --only-upgrade coreutils" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := Owned(t.Context(), h.View, "/usr/local/bin/no-package-has-this"); err != nil {
		t.Error(err)
	}
}

// Row 34: places where replacing is not possible, or not safe.
func TestRow34Place(t *testing.T) {
	replaceable := func(t *testing.T, path string) error {
		t.Helper()
		b, err := platform.OpenBinary(path)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		return b.Replaceable()
	}
	chmod := func(t *testing.T, name string, mode fs.FileMode) {
		t.Helper()
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("fine", func(t *testing.T) {
		if err := replaceable(t, newMachine(t).path); err != nil {
			t.Error(err)
		}
	})
	t.Run("directory not writable", func(t *testing.T) {
		m := newMachine(t)
		dir := filepath.Dir(m.path)
		if os.Geteuid() == 0 { // whom no mode stops: somebody else's directory
			if err := os.Chown(dir, 12345, 12345); err != nil {
				t.Fatal(err)
			}
		} else {
			chmod(t, dir, 0o555)
			t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
		}
		if err := replaceable(t, m.path); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("directory writable by everybody", func(t *testing.T) {
		m := newMachine(t)
		chmod(t, filepath.Dir(m.path), 0o777)
		if err := replaceable(t, m.path); !errors.Is(err, platform.ErrUntrustedProgram) {
			t.Error(err)
		}
	})
	t.Run("a directory above writable by everybody", func(t *testing.T) {
		m := newMachine(t)
		chmod(t, filepath.Dir(filepath.Dir(m.path)), 0o777)
		if err := replaceable(t, m.path); !errors.Is(err, platform.ErrUntrustedProgram) {
			t.Error(err)
		}
	})
	t.Run("sticky, and ours", func(t *testing.T) {
		m := newMachine(t)
		chmod(t, filepath.Dir(m.path), 0o777|fs.ModeSticky)
		if err := replaceable(t, m.path); err != nil {
			t.Error(err)
		}
	})
	t.Run("program writable by everybody", func(t *testing.T) {
		m := newMachine(t)
		chmod(t, m.path, 0o777)
		if err := replaceable(t, m.path); !errors.Is(err, platform.ErrUntrustedProgram) {
			t.Error(err)
		}
	})
	t.Run("setuid", func(t *testing.T) {
		m := newMachine(t)
		chmod(t, m.path, 0o755|fs.ModeSetuid)
		if err := replaceable(t, m.path); !errors.Is(err, platform.ErrPrivileged) {
			t.Error(err)
		}
	})
}

// A renamed program stays under its name: what runs is what is replaced.
func TestRow34Renamed(t *testing.T) {
	m := newMachine(t)
	tf := filepath.Join(filepath.Dir(m.path), "tf")
	if err := os.Rename(m.path, tf); err != nil {
		t.Fatal(err)
	}
	m.path = tf
	m.serve("/", plain(t, m.key, "1.2.0"))
	m.installed("1.2.0")
	if !strings.Contains(readFile(t, tf+".prev"), "1.0.0") {
		t.Error("not kept")
	}
}

// §1.4: mode, owner and attributes stay.
func TestMetadataStays(t *testing.T) {
	m := newMachine(t)
	if err := os.Chmod(m.path, 0o700); err != nil {
		t.Fatal(err)
	}
	m.serve("/", plain(t, m.key, "1.2.0"))
	m.installed("1.2.0")
	for _, name := range []string{m.path, m.path + ".prev"} {
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o700 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

// §1.4: links planted where an update writes are neither followed nor kept.
func TestPlantedLinks(t *testing.T) {
	m := newMachine(t)
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".prev", ".new", ".old"} {
		if err := os.Symlink(victim, m.path+name); err != nil {
			t.Fatal(err)
		}
	}
	m.serve("/", plain(t, m.key, "1.2.0"))
	m.installed("1.2.0")
	if readFile(t, victim) != "precious" {
		t.Error("the victim was written to")
	}
	if info, err := os.Lstat(m.path + ".prev"); err != nil || !info.Mode().IsRegular() {
		t.Error("the link is still there", err)
	}
}

// A program that is called through a link is replaced where it is.
func TestCalledThroughLink(t *testing.T) {
	m := newMachine(t)
	link := filepath.Join(t.TempDir(), "trustfix")
	if err := os.Symlink(m.path, link); err != nil {
		t.Fatal(err)
	}
	m.serve("/", plain(t, m.key, "1.2.0"))
	real := m.path
	m.path = link
	m.installed("1.2.0")
	if !strings.Contains(readFile(t, real), "1.2.0") {
		t.Error("not replaced")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced", err)
	}
}

// §1.4: two updates at once share nothing. The command takes the lock of the
// state directory besides.
func TestTwoAtOnce(t *testing.T) {
	m := newMachine(t)
	r := plain(t, m.key, "1.2.0")
	m.serve("/", r)
	unlock, err := m.h.State.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := platform.NewState(m.h.State.Path()).Lock(); !errors.Is(err, platform.ErrLocked) {
		t.Errorf("a second lock: %v", err)
	}
	// Without the lock, as with two state directories, every reader still
	// sees a whole program at every instant.
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			data, err := os.ReadFile(m.path)
			if s := string(data); err != nil || s != string(script("1.0.0", "")) && s != string(script("1.2.0", "")) {
				t.Errorf("not whole: %q %v", s, err)
				return
			}
		}
	}()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			b, err := platform.OpenBinary(m.path)
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			f, err := Find(t.Context(), m.h, m.o)
			if err == nil {
				// The other's Sweep may take what this one has staged: an error, and no harm.
				if err = f.Install(t.Context(), m.h, b); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ETXTBSY) {
					t.Logf("one of two: %v", err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	<-done
}
