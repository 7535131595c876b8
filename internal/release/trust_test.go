//go:build unix

package release

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
)

func TestUpdate(t *testing.T) {
	m := newMachine(t)
	m.serve("/", plain(t, m.key, "1.2.0"))
	old := readFile(t, m.path)
	f := m.installed("1.2.0")
	if !f.Newer || len(f.Notes) > 0 {
		t.Errorf("%+v", f)
	}
	if readFile(t, m.path+".prev") != old {
		t.Error("the version before was not kept")
	}
	m.o.Version = "1.2.0"
	if f := m.installed("1.2.0"); !f.Same || f.Newer {
		t.Errorf("a second update: %+v", f)
	}
}

// Row 24 of reliability.md §6: no signature, wrong key, truncated, trailing bytes.
func TestRow24Signature(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		edit       func(m *machine, r made)
	}{
		{"none", "release.not-found", func(_ *machine, r made) { delete(r.files, SignatureName) }},
		{"empty", "release.not-a-signature", func(_ *machine, r made) { r.files[SignatureName] = nil }},
		{"of a stranger's key", "release.other-key", func(m *machine, r made) {
			r.files[SignatureName] = newSigner(m.t).sign(r.files[ManifestName])
		}},
		{"of a stranger under our key's id", "release.bad-signature", func(m *machine, r made) {
			var sig, forged minisign.Signature
			ours, theirs := r.files[SignatureName], newSigner(m.t).sign(r.files[ManifestName])
			if sig.UnmarshalText(ours) != nil || forged.UnmarshalText(theirs) != nil {
				m.t.Fatal("unreadable")
			}
			forged.KeyID = sig.KeyID
			r.files[SignatureName], _ = forged.MarshalText()
		}},
		{"of the older kind, not over the hash", "release.legacy-signature", func(m *machine, r made) {
			r.files[SignatureName] = minisign.Sign(m.key.key, r.files[ManifestName])
		}},
		{"cut short", "release.not-a-signature", func(_ *machine, r made) { r.files[SignatureName] = r.files[SignatureName][:150] }},
		{"trailing bytes", "release.not-a-signature", func(_ *machine, r made) {
			r.files[SignatureName] = append(r.files[SignatureName], "more\n"...)
		}},
		{"other trusted comment", "release.bad-signature", func(_ *machine, r made) {
			r.files[SignatureName] = bytes.Replace(r.files[SignatureName], []byte("timestamp:"), []byte("timestamp:9"), 1)
		}},
		{"manifest cut short", "release.bad-signature", func(_ *machine, r made) { r.files[ManifestName] = r.files[ManifestName][:100] }},
		{"manifest with trailing bytes", "release.bad-signature", func(_ *machine, r made) {
			r.files[ManifestName] = append(r.files[ManifestName], '\n')
		}},
		{"manifest with another version", "release.bad-signature", func(_ *machine, r made) {
			r.files[ManifestName] = bytes.Replace(r.files[ManifestName], []byte("1.2.0"), []byte("1.9.0"), 1)
		}},
		{"two documents, signed", "release.bad-manifest", func(m *machine, r made) {
			r.files[ManifestName] = append(r.files[ManifestName], "{}"...)
			r.files[SignatureName] = m.key.sign(r.files[ManifestName])
		}},
		{"of another product, signed", "release.bad-manifest", func(m *machine, r made) {
			r.files[ManifestName] = bytes.Replace(r.files[ManifestName], []byte(`"trustfix"`), []byte(`"otherfix"`), 1)
			r.files[SignatureName] = m.key.sign(r.files[ManifestName])
		}},
		{"archive changed", "release.wrong-sum", func(_ *machine, r made) { r.files[r.archive()][20] ^= 1 }},
		{"archive cut short", "release.wrong-size", func(_ *machine, r made) {
			r.files[r.archive()] = r.files[r.archive()][:50]
		}},
		{"archive with trailing bytes", "release.too-large", func(_ *machine, r made) {
			r.files[r.archive()] = append(r.files[r.archive()], 0)
		}},
		{"archive missing", "release.not-found", func(_ *machine, r made) { delete(r.files, r.archive()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			r := plain(t, m.key, "1.2.0")
			tt.edit(m, r)
			m.serve("/", r)
			m.refused(tt.want)
		})
	}
	t.Run("the next key signs too", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", plain(t, m.next, "1.2.0"))
		m.installed("1.2.0")
	})
	t.Run("a build without keys cannot update", func(t *testing.T) {
		m := newMachine(t)
		m.o.Keys = ""
		m.refused("release.no-keys")
		if len(m.seen) > 0 {
			t.Error("it asked the server")
		}
	})
	t.Run("a development build cannot update", func(t *testing.T) {
		m := newMachine(t)
		m.o.Version = "dev"
		m.refused("release.dev-build")
	})
}

// Row 25, and the first row of §1.4: which version may replace which.
func TestRow25Version(t *testing.T) {
	revoke := func(v string) func(*Manifest) { return func(m *Manifest) { m.Revoked = []string{v} } }
	release := func(t *testing.T, s signer, v string, edit func(*Manifest)) made {
		return make1(t, s, v, targz(t, entry{name: "trustfix", body: string(script(v, ""))}), edit)
	}
	t.Run("older", func(t *testing.T) {
		m := newMachine(t)
		m.o.Version = "3.0.0"
		m.serve("/", plain(t, m.key, "1.0.0"))
		m.refused("release.older")
	})
	t.Run("a release is newer than its candidates", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", plain(t, m.key, "1.0.0-rc.1"))
		m.refused("release.older")
	})
	t.Run("equal", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", plain(t, m.key, "1.0.0"))
		before := m.files()
		if f, err := m.update(); err != nil || !f.Same || f.Newer {
			t.Fatalf("%+v, %v", f, err)
		}
		if m.files() != before {
			t.Error("changed")
		}
	})
	t.Run("revoked", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", release(t, m.key, "1.2.0", revoke("1.2.0")))
		m.refused("release.revoked")
	})
	t.Run("revoked by what was seen before", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = release(t, m.key, "1.3.0", revoke("1.2.0")).asFiles()
		m.installed("1.3.0")
		m.o.Files = plain(t, m.key, "1.2.0").asFiles()
		m.o.Version, m.o.Want, m.o.AllowDowngrade = "1.3.0", "1.2.0", true
		m.refused("release.revoked")
	})
	t.Run("named and allowed", func(t *testing.T) {
		m := newMachine(t)
		m.o.Version = "3.0.0"
		m.serve("/", plain(t, m.key, "1.4.0"))
		m.o.Want, m.o.AllowDowngrade = "1.4.0", true
		m.installed("1.4.0")
	})
	t.Run("named, not allowed", func(t *testing.T) {
		m := newMachine(t)
		m.o.Version, m.o.Want = "3.0.0", "1.4.0"
		m.serve("/", plain(t, m.key, "1.4.0"))
		m.refused("release.older")
	})
	t.Run("another version is named", func(t *testing.T) {
		m := newMachine(t)
		m.o.Want, m.o.AllowDowngrade = "0.9.0", true
		m.serve("/", plain(t, m.key, "1.4.0"))
		m.refused("release.other-version")
	})
	t.Run("played back below what was seen", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = plain(t, m.key, "1.5.0").asFiles()
		m.installed("1.5.0")
		// The program was rolled back since; the source withholds 1.5.0.
		m.o.Files = plain(t, m.key, "1.4.0").asFiles()
		m.refused("release.replayed")
	})
	t.Run("a stolen key cannot run the other's ratchet up", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = plain(t, m.key, "999.0.0").asFiles()
		m.installed("999.0.0")
		m.o.Files = plain(t, m.next, "1.6.0").asFiles()
		m.installed("1.6.0")
	})
	t.Run("the next key revokes the current one", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = release(t, m.next, "1.6.0", func(man *Manifest) { man.RevokedKeys = []string{keyID(m.key.pub.ID())} }).asFiles()
		m.installed("1.6.0")
		m.o.Files = plain(t, m.key, "1.7.0").asFiles()
		m.refused("release.key-revoked")
	})
	t.Run("the current key cannot revoke the next one", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = release(t, m.key, "1.6.0", func(man *Manifest) { man.RevokedKeys = []string{keyID(m.next.pub.ID())} }).asFiles()
		m.installed("1.6.0")
		m.o.Files = plain(t, m.next, "1.7.0").asFiles()
		m.installed("1.7.0")
	})
	t.Run("a memory that cannot be read stops", func(t *testing.T) {
		m := newMachine(t)
		if err := m.h.State.WriteFile(stateName, []byte("{garbage")); err != nil {
			t.Fatal(err)
		}
		m.serve("/", plain(t, m.key, "1.2.0"))
		if _, err := m.update(); err == nil || !strings.Contains(err.Error(), stateName) {
			t.Fatalf("%v", err)
		}
	})
	t.Run("an old manifest and a revoked running version are reported", func(t *testing.T) {
		m := newMachine(t)
		m.serve("/", release(t, m.key, "1.2.0", func(man *Manifest) {
			man.Released, man.Revoked = time.Now().AddDate(0, 0, -100), []string{"1.0.0"}
		}))
		f := m.installed("1.2.0")
		if len(f.Notes) != 2 || f.Notes[0].Key != "release.stale" || f.Notes[1].Key != "release.running-revoked" {
			t.Errorf("%v", f.Notes)
		}
	})
}

// Row 26, and §1.4: an old, validly signed archive under a new name.
func TestRow26Replay(t *testing.T) {
	t.Run("old manifest under a new tag", func(t *testing.T) {
		m := newMachine(t)
		old := plain(t, m.key, "0.5.0")
		// Even the archive is named as the new tag's would be.
		old.files[AssetName("9.9.9", runtime.GOOS, runtime.GOARCH)] = old.files[old.archive()]
		m.api(listing{"v9.9.9", old})
		m.refused("release.wrong-tag")
	})
	t.Run("old archive under a new name", func(t *testing.T) {
		m := newMachine(t)
		old, now := plain(t, m.key, "0.5.0"), plain(t, m.key, "9.9.9")
		now.files[now.archive()] = old.files[old.archive()]
		m.serve("/", now)
		_, err := m.update()
		if err == nil {
			t.Fatal("installed")
		}
	})
}

// Row 27: what an archive may not hold, although it is signed.
func TestRow27Archive(t *testing.T) {
	good := string(script("1.2.0", ""))
	for _, tt := range []struct {
		name, want, why string
		list            []entry
	}{
		{"empty program", "release.self-test", "", []entry{{name: "trustfix"}}},
		{"a program of another architecture", "release.self-test", "", []entry{{name: "trustfix", body: "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 100)}}},
		{"a symbolic link", "release.bad-archive", "no regular file", []entry{{name: "trustfix", kind: tar.TypeSymlink, link: "/bin/sh"}}},
		{"a hard link", "release.bad-archive", "no regular file", []entry{{name: "x", body: good}, {name: "trustfix", kind: tar.TypeLink, link: "x"}}},
		{"a device", "release.bad-archive", "no regular file", []entry{{name: "trustfix", body: ""}, {name: "tty", kind: tar.TypeChar}}},
		{"an entry above the archive", "release.bad-archive", "leaves the archive", []entry{{name: "trustfix", body: good}, {name: "../../etc/cron.d/x", body: "x"}}},
		{"an absolute entry", "release.bad-archive", "leaves the archive", []entry{{name: "/usr/bin/trustfix", body: good}}},
		{"two programs", "release.bad-archive", "exactly one", []entry{{name: "trustfix", body: good}, {name: "trustfix", body: "other"}}},
		{"a program in a directory", "release.bad-archive", "exactly one", []entry{{name: "bin/trustfix", body: good}}},
		{"a directory", "release.bad-archive", "exactly one", []entry{{name: "trustfix/", kind: tar.TypeDir}}},
		{"a helper of a similar name", "release.bad-archive", "no file", []entry{{name: "trustfix-helper", body: good}}},
		{"nothing", "release.bad-archive", "no file", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t)
			m.o.Files = make1(t, m.key, "1.2.0", targz(t, tt.list...), nil).asFiles()
			if r := m.refused(tt.want); !strings.Contains(r.Error(), tt.why) {
				t.Errorf("%v does not say %q", r, tt.why)
			}
		})
	}
	t.Run("no archive at all", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = make1(t, m.key, "1.2.0", []byte("<html>not found</html>"), nil).asFiles()
		m.refused("release.bad-archive")
	})
	t.Run("the program is another than was signed", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = make1(t, m.key, "1.2.0", targz(t, entry{name: "trustfix", body: good}), func(man *Manifest) { man.Assets[0].BinarySHA256 = sum([]byte("x")) }).asFiles()
		m.refused("release.bad-archive")
	})
	t.Run("a bomb", func(t *testing.T) {
		old := maxUnpacked
		t.Cleanup(func() { maxUnpacked = old })
		maxUnpacked = 2 << 20
		m := newMachine(t)
		m.o.Files = make1(t, m.key, "1.2.0", targz(t, entry{name: "trustfix", body: strings.Repeat("\x00", 5<<20)}), nil).asFiles()
		if r := m.refused("release.bad-archive"); !strings.Contains(r.Error(), "2 MB") {
			t.Error(r)
		}
	})
	t.Run("of another system only", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = make1(t, m.key, "1.2.0", targz(t, entry{name: "trustfix", body: good}), func(man *Manifest) {
			man.Assets[0].OS, man.Assets[0].Name = "plan9", AssetName("1.2.0", "plan9", runtime.GOARCH)
		}).asFiles()
		m.refused("release.no-archive")
	})
	t.Run("of a name that lies about the system", func(t *testing.T) {
		m := newMachine(t)
		m.o.Files = make1(t, m.key, "1.2.0", targz(t, entry{name: "trustfix", body: good}), func(man *Manifest) { man.Assets[0].Arch = "mips" }).asFiles()
		m.refused("release.no-archive")
	})
}

// Row 32: a new program that does not work.
func TestRow32SelfTest(t *testing.T) {
	old := testTime
	t.Cleanup(func() { testTime = old })
	for _, tt := range []struct{ name, body, says, want string }{
		{"crashes", "kill -SEGV $$", "1.2.0", "release.self-test"},
		{"fails", "echo no >&2; exit 3", "1.2.0", "release.self-test"},
		{"says nothing", "exit 0", "1.2.0", "release.self-test"},
		{"is another version", "", "1.1.0", "release.self-test"},
		{"hangs", "sleep 60", "1.2.0", "release.self-test"},
		{"fails in its place", "case $0 in */trustfix) exit 1;; esac", "1.2.0", "release.self-test-after"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testTime = old
			if tt.name == "hangs" {
				testTime = 300 * time.Millisecond
			}
			m := newMachine(t)
			m.o.Files = make1(t, m.key, "1.2.0", targz(t, entry{name: "trustfix", body: string(script(tt.says, tt.body))}), nil).asFiles()
			m.refused(tt.want)
		})
	}
}

// The signed document is read whole or not at all.
func FuzzManifest(f *testing.F) {
	s := signer{}
	var err error
	if s.pub, s.key, err = minisign.GenerateKey(rand.Reader); err != nil {
		f.Fatal(err)
	}
	good := plain(f, s, "1.2.0").files[ManifestName]
	f.Add(good)
	f.Add([]byte(`{"product":"trustfix","version":"1.2.0","assets":null}`))
	f.Add([]byte(`{"product":"trustfix","version":"1.2.0","assets":[{"name":"trustfix_1_2_3.zip","size":1e30}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		for _, a := range m.Assets {
			if filepath.Base(a.Name) != a.Name || a.Size <= 0 || a.Size > maxArchive {
				t.Errorf("accepted %+v", a)
			}
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(again); err != nil {
			t.Errorf("not read again: %v", err)
		}
	})
}

// A signature file never panics, and only one key's own is accepted.
func FuzzSignature(f *testing.F) {
	pub, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	data := []byte("data")
	want := signer{pub, key}.sign(data)
	f.Add(want)
	f.Add(minisign.Sign(key, data))
	f.Add([]byte("untrusted comment: \n\ntrusted comment: \n"))
	keys, err := ParseKeys(pub.String())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, sig []byte) {
		if _, err := keys.verify([]byte("other data"), sig); err == nil {
			t.Error("a signature for other data was accepted")
		}
	})
}

// FuzzArchive: whatever is signed by mistake, unpacking is bounded.
func FuzzArchive(f *testing.F) {
	f.Add(targz(f, entry{name: "trustfix", body: "x"}))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = program(data, Asset{Name: "a.tar.gz", OS: "linux"})
		_, _ = program(data, Asset{Name: "a.zip", OS: "windows"})
	})
}

func TestNewManifest(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "trustfix_1.2.0_linux_amd64.tar.gz")
	archive := targz(t, entry{name: "trustfix", body: "program"})
	m, err := NewManifest("1.2.0", time.Now(), map[string][]byte{name: archive})
	if err != nil {
		t.Fatal(err)
	}
	want := Asset{Name: filepath.Base(name), OS: "linux", Arch: "amd64", Size: int64(len(archive)), SHA256: sum(archive), BinarySHA256: sum([]byte("program"))}
	if m.Assets[0] != want {
		t.Errorf("%+v, want %+v", m.Assets[0], want)
	}
	for _, bad := range []string{"trustfix_1.1.0_linux_amd64.tar.gz", "trustfix_linux_amd64.tar.gz", "trustfix_1.2.0_linux_amd64.zip"} {
		if _, err := NewManifest("1.2.0", time.Now(), map[string][]byte{bad: archive}); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestRollback(t *testing.T) {
	m := newMachine(t)
	old := readFile(t, m.path)
	m.o.Files = plain(t, m.key, "1.2.0").asFiles()
	m.installed("1.2.0")
	b := m.open()
	if v, err := Rollback(t.Context(), b); err != nil || v != "1.0.0" {
		t.Fatal(v, err)
	}
	if readFile(t, m.path) != old {
		t.Error("not what it was")
	}
	if _, err := os.Lstat(m.path + ".prev"); err == nil {
		t.Error("still there")
	}
	if _, err := Rollback(t.Context(), b); err == nil || !strings.Contains(err.Error(), "no version before") {
		t.Errorf("a second one: %v", err)
	}
	m.installed("1.2.0") // and forward again
	if err := os.WriteFile(m.path+".prev", []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Rollback(t.Context(), m.open()); err == nil || !strings.Contains(readFile(t, m.path), "1.2.0") {
		t.Errorf("went back to a version that does not work: %v", err)
	}
}
