//go:build unix

package release

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trustfix/platform"
)

// The quiet question of a policy: once a day, bounded, and never in the way.
func TestDaily(t *testing.T) {
	// start is a machine whose clock the test moves, and a source with 1.2.0.
	start := func(t *testing.T) (m *machine, wait func(time.Duration), ask func(want string)) {
		t.Helper()
		m = newMachine(t)
		now := time.Now()
		m.h.Now = func() time.Time { return now }
		wait = func(d time.Duration) { now = now.Add(d) }
		ask = func(want string) {
			t.Helper()
			if got := Daily(t.Context(), m.h, m.o); got.Version != want {
				t.Errorf("newest is %q, want %q", got.Version, want)
			}
		}
		return m, wait, ask
	}
	requests := func(m *machine) int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.seen)
	}
	t.Run("once a day", func(t *testing.T) {
		m, wait, ask := start(t)
		r := plain(t, m.key, "1.2.0")
		m.serve("/", r)
		ask("1.2.0")
		n := requests(m)
		if n == 0 {
			t.Fatal("nobody was asked")
		}
		wait(23 * time.Hour)
		ask("1.2.0")
		if requests(m) != n {
			t.Error("asked twice within a day")
		}
		wait(2 * time.Hour)
		ask("1.2.0")
		if requests(m) == n {
			t.Error("not asked again after a day")
		}
		m.o.Version = "1.2.0" // updated since
		ask("")
		wait(-48 * time.Hour) // the clock had been ahead
		n = requests(m)
		ask("")
		if requests(m) == n {
			t.Error("a time to come kept it from asking")
		}
		if m.files() != "trustfix -rwxr-xr-x "+sum(script("1.0.0", ""))+"\n" {
			t.Error("it touched the program")
		}
	})
	t.Run("a failure counts too, and what was known stays", func(t *testing.T) {
		m, wait, ask := start(t)
		r := plain(t, m.key, "1.2.0")
		m.serve("/", r)
		ask("1.2.0")
		r.files[SignatureName][80] ^= 1 // from now on it is not ours
		wait(25 * time.Hour)
		ask("1.2.0")
		n := requests(m)
		wait(time.Hour)
		ask("1.2.0")
		if requests(m) != n {
			t.Error("asked again at once after a failure")
		}
	})
	t.Run("a source without haste", func(t *testing.T) {
		m, _, ask := start(t)
		m.mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		began := time.Now()
		ask("")
		if took := time.Since(began); took > dailyTime+10*time.Second { // generous: a machine under load
			t.Errorf("took %v", took)
		}
	})
	t.Run("nothing that the key did not sign", func(t *testing.T) {
		m, _, ask := start(t)
		m.serve("/", plain(t, newSigner(t), "9.9.9"))
		ask("")
	})
	t.Run("the running one was revoked", func(t *testing.T) {
		m, _, _ := start(t)
		m.serve("/", make1(t, m.key, "1.2.0", targz(t, entry{name: "trustfix", body: "x"}), func(man *Manifest) { man.Revoked = []string{"1.0.0"} }))
		if got := Daily(t.Context(), m.h, m.o); got != (Newest{"1.2.0", true}) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("garbage in the state directory", func(t *testing.T) {
		m, _, ask := start(t)
		m.serve("/", plain(t, m.key, "1.2.0"))
		if err := m.h.State.WriteFile(dailyName, []byte("{garbage")); err != nil {
			t.Fatal(err)
		}
		ask("1.2.0")
	})
	for name, spoil := range map[string]func(*testing.T, *machine){
		"no place to remember": func(t *testing.T, m *machine) {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			m.h.State = platform.NewState(filepath.Join(file, "state"))
		},
		"no keys":    func(_ *testing.T, m *machine) { m.o.Keys = "" },
		"no source":  func(_ *testing.T, m *machine) { m.o.Source = "" },
		"no release": func(_ *testing.T, m *machine) { m.o.Version = "dev" },
	} {
		t.Run(name, func(t *testing.T) {
			m, _, ask := start(t)
			m.serve("/", plain(t, m.key, "1.2.0"))
			spoil(t, m)
			ask("")
			if requests(m) > 0 {
				t.Error("the source was asked")
			}
		})
	}
}
