package fix

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/detect"
	"trustfix/platform"
)

// applied is a machine after an apply of everything.
func applied(t *testing.T) (*memory, map[string]platform.Image, *Run) {
	t.Helper()
	m, r := sample()
	before := m.copyTree()
	return m, before, mustApply(t, m, r)
}

// Rows 9 and 10: what somebody changed or deleted since stops the whole rollback.
func TestRollbackRefusesWhatSomebodyChanged(t *testing.T) {
	for name, change := range map[string]func(m *memory) string{
		"edited":  func(m *memory) string { m.tree["/etc/app.conf"] = m.file("mine\n"); return "/etc/app.conf" },
		"deleted": func(m *memory) string { delete(m.tree, "/etc/app.conf"); return "/etc/app.conf" },
		"mode": func(m *memory) string {
			i := m.tree["/etc/app.conf"]
			i.Mode = 0o600
			m.tree["/etc/app.conf"] = i
			return "/etc/app.conf"
		},
		"made a link": func(m *memory) string {
			m.tree["/etc/app.conf"] = platform.Image{Kind: platform.Link, Link: "/x"}
			return "/etc/app.conf"
		},
		"program's file": func(m *memory) string { m.tree["/etc/store/a.pem"] = m.file("mine"); return "/etc/store/a.pem" },
		"removed by us":  func(m *memory) string { m.tree["/etc/store/sub2"] = m.file("mine"); return "/etc/store/sub2" },
		"made a pipe": func(m *memory) string {
			m.tree["/etc/app.conf"] = platform.Image{Kind: platform.Other}
			return "/etc/app.conf"
		},
		"link of a store": func(m *memory) string {
			i := m.tree["/etc/store/link"]
			i.Link = "z"
			m.tree["/etc/store/link"] = i
			return "/etc/store/link"
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, _, run := applied(t)
			path := change(m)
			tree, state := m.copyTree(), maps.Clone(m.state)
			_, err := Rollback(t.Context(), m.host(), "", false)
			var c *Conflict
			if !errors.As(err, &c) || c.Run != run.ID || len(c.Paths) != 1 || c.Paths[0].Path != path || c.Backups == "" {
				t.Fatalf("error %v", err)
			}
			if p := c.Paths[0]; p.Yours == p.Ours || p.Yours == p.Original || p.Ours == p.Original {
				t.Errorf("versions %+v", p)
			}
			if diff := compare(tree, m.tree); diff != "" {
				t.Errorf("touched:\n%s", diff)
			}
			if !maps.EqualFunc(state, m.state, func(a, b platform.Image) bool { return string(a.Data) == string(b.Data) }) {
				t.Error("the journal was touched")
			}
		})
	}
}

func TestForcedRollbackKeepsTheThirdVersion(t *testing.T) {
	m, before, run := applied(t)
	m.tree["/etc/app.conf"] = m.file("mine\n")
	delete(m.tree, "/etc/other.conf") // not ours: nobody minds
	delete(before, "/etc/other.conf")
	delete(m.tree, "/home/lin/dots/rc")
	if _, err := Rollback(t.Context(), m.host(), "", true); err != nil {
		t.Fatal(err)
	}
	kept := "/etc/app.conf.trustfix-kept-" + run.ID
	if string(m.tree[kept].Data) != "mine\n" {
		t.Errorf("%s: %+v", kept, m.tree[kept])
	}
	delete(m.tree, kept)
	if !sameContent(before, m.tree) {
		t.Errorf("not taken back:\n%s", compare(before, m.tree))
	}
}

func TestForcedRollbackSurvivesKills(t *testing.T) {
	for n := 1; ; n++ {
		m, before, run := applied(t)
		m.tree["/etc/app.conf"] = m.file("mine\n")
		m.ops, m.fail = 0, n
		crashed := crashes(func() { _, _ = Rollback(t.Context(), m.host(), "", true) })
		m.fail = 0
		if _, err := Rollback(t.Context(), m.host(), "", true); err != nil {
			t.Fatalf("at %d: %v", n, err)
		}
		kept := "/etc/app.conf.trustfix-kept-" + run.ID
		if string(m.tree[kept].Data) != "mine\n" {
			t.Fatalf("at %d: somebody's version is lost", n)
		}
		delete(m.tree, kept)
		noLeftovers(t, m, "forced rollback")
		if !sameContent(before, m.tree) {
			t.Fatalf("at %d:\n%s", n, compare(before, m.tree))
		}
		if !crashed {
			return
		}
	}
}

func TestRollbackLeavesWhatIsNotOurs(t *testing.T) {
	m, before, _ := applied(t)
	touched := m.tree["/etc/app.conf"]
	touched.MTime = touched.MTime.Add(time.Hour) // a touch is no edit
	m.tree["/etc/app.conf"] = touched
	for p, data := range map[string]string{
		"/etc/store/mine.pem":     "added by somebody",
		"/etc/store/sub/c2.pem":   "added by somebody",
		"/etc/other.conf":         "edited by somebody",
		"/etc/new/deep/mine.conf": "in a directory that we made",
	} {
		m.tree[p] = m.file(data)
		before[p] = m.tree[p]
	}
	before["/etc/new"], before["/etc/new/deep"] = m.tree["/etc/new"], m.tree["/etc/new/deep"]
	if _, err := Rollback(t.Context(), m.host(), "", false); err != nil {
		t.Fatal(err)
	}
	if !sameContent(before, m.tree) {
		t.Errorf("differs:\n%s", compare(before, m.tree))
	}
	if m.tree["/etc/store"].MTime.Equal(before["/etc/store"].MTime) {
		t.Error("the time of a directory with a new name in it was set back")
	}
}

// Row 11.
func TestDamagedBackupIsNotRestored(t *testing.T) {
	m, before, _ := applied(t)
	var damaged string
	for p := range m.state {
		if strings.HasSuffix(p, "/data/"+before["/etc/app.conf"].SHA256) {
			m.state[p] = platform.Image{Kind: platform.File, Data: []byte("rot")}
			damaged = p
		}
	}
	tree := m.copyTree()
	_, err := Rollback(t.Context(), m.host(), "", false)
	var j *JournalError
	if !errors.As(err, &j) || j.Path != "/state/"+damaged {
		t.Fatalf("error %v, want one about %s", err, damaged)
	}
	if diff := compare(tree, m.tree); diff != "" {
		t.Errorf("touched:\n%s", diff)
	}
}

// Row 12.
func TestDamagedJournalStopsEverything(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"truncated": func(d []byte) []byte { return d[:len(d)/2] },
		"empty":     func([]byte) []byte { return nil },
		"garbage":   func([]byte) []byte { return []byte("\x00\xff garbage") },
		"bit":       func(d []byte) []byte { d[len(d)-3] ^= 1; return d },
		"newer":     func(d []byte) []byte { return []byte(strings.Replace(string(d), magic+" 1 ", magic+" 2 ", 1)) },
	} {
		for _, file := range []string{"run", "commit", "00.intent"} {
			t.Run(name+" "+file, func(t *testing.T) {
				m, _, run := applied(t)
				where := runsDir + "/" + run.ID + "/" + file
				img := m.state[where]
				img.Data = damage(slices.Clone(img.Data))
				m.state[where] = img
				tree := m.copyTree()
				var j *JournalError
				if _, err := Rollback(t.Context(), m.host(), "", false); !errors.As(err, &j) || j.Path != "/state/"+where {
					t.Errorf("rollback: %v", err)
				}
				if file != "00.intent" { // that of a finished run is nobody's business but a rollback's
					r := &detect.Report{Findings: []detect.Finding{broken("/etc/other.conf", "broken")}}
					if _, err := Apply(t.Context(), m.host(), mustPlan(t, m, r), ApplyOptions{}); !errors.As(err, &j) {
						t.Errorf("apply: %v", err)
					}
				}
				if diff := compare(tree, m.tree); diff != "" {
					t.Errorf("touched:\n%s", diff)
				}
			})
		}
	}
}

func TestOlderRunIsRolledBackOnlyIfNoLaterOneTouchesItsPaths(t *testing.T) {
	m := newMemory(map[string]string{"/a": "broken", "/b": "broken"})
	one := func(path, what string) *Run {
		return mustApply(t, m, &detect.Report{Findings: []detect.Finding{broken(path, what)}})
	}
	before := m.copyTree()
	first, second, third := one("/a", "broken"), one("/b", "broken"), one("/a", "fixed")
	// "fixed" became "fixed": nothing to do, so third must not exist.
	if third != nil {
		t.Fatalf("a no-op made a run: %+v", third)
	}
	m.tree["/a"] = m.file("fixed, then broken by somebody")
	third = one("/a", "broken")
	var c *Conflict
	if _, err := Rollback(t.Context(), m.host(), first.ID, false); !errors.As(err, &c) || c.Later != third.ID || len(c.Paths) != 1 {
		t.Fatalf("error %v", err)
	}
	if run, err := Rollback(t.Context(), m.host(), second.ID, false); err != nil || run.ID != second.ID {
		t.Fatalf("independent older run: %+v, %v", run, err)
	}
	if run, err := Rollback(t.Context(), m.host(), "", false); err != nil || run.ID != third.ID {
		t.Fatalf("newest: %+v, %v", run, err)
	}
	m.tree["/a"] = m.file("fixed")
	if run, err := Rollback(t.Context(), m.host(), "", false); err != nil || run.ID != first.ID {
		t.Fatalf("next: %+v, %v", run, err)
	}
	if diff := compare(before, m.tree); diff != "" && !sameContent(before, m.tree) {
		t.Errorf("differs:\n%s", diff)
	}
	if _, err := Rollback(t.Context(), m.host(), "2020-01-01-0000", false); err == nil {
		t.Error("an unknown run was accepted")
	}
}

// Runs may be taken back in any order; after the last one everything is as
// before the first, the times of the directories too.
func TestRunsRolledBackInAnyOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		m := newMemory(map[string]string{"/etc/a": "broken", "/etc/b": "broken", "/etc/d/x": ""})
		before := m.copyTree()
		runs := []*Run{
			mustApply(t, m, &detect.Report{Findings: []detect.Finding{broken("/etc/a", "broken")}}),
			mustApply(t, m, &detect.Report{Findings: []detect.Finding{{
				ID: "absent", Severity: detect.Warning, Where: "/etc/d/new", Action: detect.Auto, Fix: "write",
			}, {
				ID: "absent", Severity: detect.Warning, Where: "/etc/new", Action: detect.Auto, Fix: "write",
			}}}),
			mustApply(t, m, &detect.Report{Findings: []detect.Finding{broken("/etc/b", "broken"), {
				ID: "absent", Severity: detect.Warning, Where: "/etc/newer", Action: detect.Auto, Fix: "write",
			}}}),
		}
		for _, i := range order {
			if run, err := Rollback(t.Context(), m.host(), runs[i].ID, false); err != nil || run == nil {
				t.Fatalf("%v: %+v, %v", order, run, err)
			}
		}
		if diff := compare(before, m.tree); diff != "" {
			t.Errorf("%v:\n%s", order, diff)
		}
	}
}

func TestFailedUndoProgramIsReportedAndFilesAreBack(t *testing.T) {
	m, before, _ := applied(t)
	m.programs["/bin/unbuild"] = func(*memory, platform.Cmd) error { return errors.New("no network") }
	run, err := Rollback(t.Context(), m.host(), "", false)
	var i *Incomplete
	if !errors.As(err, &i) || run == nil || len(run.Notes) != 1 || !strings.Contains(i.Error(), "no network") {
		t.Fatalf("run %+v, %v", run, err)
	}
	if diff := compare(before, m.tree); diff != "" {
		t.Errorf("not taken back:\n%s", diff)
	}
	if info, err := Interrupted(m.host().State); info != nil || err != nil {
		t.Errorf("it blocks later runs: %+v, %v", info, err)
	}
}

func TestJournalForgetsOldRuns(t *testing.T) {
	m := newMemory(map[string]string{"/a": ""})
	for i := range 25 {
		m.tree["/a"] = m.file(fmt.Sprintf("broken %d", i))
		mustApply(t, m, &detect.Report{Findings: []detect.Finding{broken("/a", "broken")}})
	}
	infos, err := History(m.host())
	if err != nil || len(infos) != maxRuns {
		t.Fatalf("%d runs, %v", len(infos), err)
	}
	m.clock = m.clock.Add(maxAge + time.Hour)
	m.tree["/a"] = m.file("broken again")
	run := mustApply(t, m, &detect.Report{Findings: []detect.Finding{broken("/a", "broken")}})
	if infos, _ = History(m.host()); len(infos) != 1 || infos[0].ID != run.ID {
		t.Errorf("%d runs are left", len(infos))
	}
	noLeftovers(t, m, "prune")
}

func TestThreeWay(t *testing.T) {
	m, _, run := applied(t)
	m.tree["/etc/app.conf"] = m.file("fixed\nmine\nhttps://u:secret@h/\n")
	diff, err := ThreeWay(m.host(), run.ID, "/etc/app.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-first", "+fixed", "-second", "+mine", "(original)", "(after the run)", "(now)"} {
		if !strings.Contains(diff, want) {
			t.Errorf("no %q in:\n%s", want, diff)
		}
	}
	if strings.Contains(diff, "secret") {
		t.Errorf("a password is shown:\n%s", diff)
	}
	if diff, err := ThreeWay(m.host(), run.ID, "/etc/store/new.pem"); err != nil || !strings.Contains(diff, "+new") || strings.Contains(diff, "(now)") {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := ThreeWay(m.host(), run.ID, "/etc/nothing"); err == nil {
		t.Error("a path that is not the run's was accepted")
	}
	if _, err := ThreeWay(m.host(), "2020-01-01-0000", "/a"); err == nil {
		t.Error("an unknown run was accepted")
	}
}
