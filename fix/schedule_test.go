package fix

import (
	"context"
	"encoding/xml"
	"errors"
	"slices"
	"strings"
	"testing"

	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

var dailyJob = Job{
	Program: "/usr/local/bin/trustfix",
	Args:    []string{"--config", "/etc/my policy.yaml"},
	Watch:   []string{"--prometheus", "/var/lib/node_exporter/100%.prom"},
}

// enabling is systemctl as far as a timer goes.
var enabling = platformtest.Programs{"systemctl": {Optional: true, Do: func(h *platform.Host, c platform.Cmd) (platform.Output, error) {
	const wants = "/etc/systemd/system/timers.target.wants"
	_, linked := h.Files.Stat(wants + "/trustfix.timer")
	switch {
	case slices.Contains(c.Argv, "disable"):
		return platform.Output{}, h.Write.Put(wants+"/trustfix.timer", platform.Image{Kind: platform.Absent})
	case !slices.Contains(c.Argv, "enable") || linked == nil:
		return platform.Output{}, nil
	}
	if img, err := h.Files.Stat("/etc/systemd/system/trustfix.timer"); err != nil || img.Size == 0 {
		return platform.Output{}, errors.New("there is no unit trustfix.timer")
	}
	if err := h.Write.Put(wants, platform.Image{Kind: platform.DirKind, Mode: 0o755}); err != nil {
		return platform.Output{}, err
	}
	return platform.Output{}, h.Write.Put(wants+"/trustfix.timer", platform.Image{Kind: platform.Link, Link: "/etc/systemd/system/trustfix.timer"})
}}}

func scheduleWith(t *testing.T, h *platform.Host, plan func(context.Context, *Input) (*Plan, error)) *Plan {
	t.Helper()
	p, err := plan(t.Context(), &Input{View: h.View, Report: &detect.Report{}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every scheduler gets a whole job, once; remove takes it away, and rollback
// of either leaves what was there.
func TestSchedule(t *testing.T) {
	const times = "-- etc/machine-id --\n5d1f0a6e2b7c4f0f9a3e8b1c6d7e8f90\n"
	for _, c := range []struct {
		name, tree string
		opts       []platformtest.Option
		path       string // of the file that holds the job
		want       string
		runs       []string
	}{
		{
			name: "systemd", tree: "dir /run/systemd/system\ndir /etc/systemd/system\n" + times,
			path: "/etc/systemd/system/trustfix.service", want: `
ExecStart=-/usr/local/bin/trustfix pin --renew --config "/etc/my policy.yaml"
ExecStart=/usr/local/bin/trustfix watch --config "/etc/my policy.yaml" --prometheus /var/lib/node_exporter/100%%.prom
`, runs: []string{"systemctl daemon-reload", "systemctl enable --now trustfix.timer"},
		},
		{
			name: "cron", tree: "dir /etc/cron.d\n" + times + "-- usr/sbin/cron --\n",
			path: "/etc/cron.d/trustfix", want: `
0 1 * * * root /usr/local/bin/trustfix pin --renew --config '/etc/my policy.yaml' >/dev/null 2>&1; out=$(/usr/local/bin/trustfix watch --config '/etc/my policy.yaml' --prometheus /var/lib/node_exporter/100\%.prom 2>&1) || echo "$out"
`,
		},
		{
			name: "Alpine's cron", tree: "dir /etc/periodic/daily\n" + times,
			path: "/etc/periodic/daily/trustfix", want: `
/usr/local/bin/trustfix pin --renew --config '/etc/my policy.yaml' >/dev/null 2>&1; out=$(/usr/local/bin/trustfix watch --config '/etc/my policy.yaml' --prometheus /var/lib/node_exporter/100%.prom 2>&1) || echo "$out"
`,
		},
		{
			name: "launchd", tree: "dir /Library/LaunchDaemons\n-- bin/launchctl --\n", opts: []platformtest.Option{platformtest.OS("darwin")},
			path: "/Library/LaunchDaemons/trustfix.watch.plist",
			want: `<string>/usr/local/bin/trustfix pin --renew --config &#39;/etc/my policy.yaml&#39; &gt;/dev/null 2&gt;&amp;1;`,
			runs: []string{"launchctl bootstrap system /Library/LaunchDaemons/trustfix.watch.plist"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			programs := platformtest.Programs{"launchctl": {Optional: true}}
			for name, p := range enabling {
				programs[name] = p
			}
			h := platformtest.New(t, c.tree, append(c.opts, platformtest.Script(programs))...)
			before := platformtest.Contents(h)
			apply := func(plan func(context.Context, *Input) (*Plan, error)) *Run {
				t.Helper()
				run, err := Apply(t.Context(), h, scheduleWith(t, h, plan), ApplyOptions{})
				if err != nil || run == nil || run.State != RunApplied {
					t.Fatalf("run %+v, %v", run, err)
				}
				return run
			}
			rollback := func() {
				t.Helper()
				if _, err := Rollback(t.Context(), h, "", false); err != nil {
					t.Fatal(err)
				}
			}
			apply(SchedulePlan(dailyJob))
			data, err := h.Files.ReadFile(c.path)
			if err != nil || !strings.Contains(string(data), c.want) {
				t.Errorf("%v:\n%s\nlacks\n%s", err, data, c.want)
			}
			if strings.HasSuffix(c.path, ".plist") {
				var list struct {
					Keys []string `xml:"dict>key"`
				}
				if err := xml.Unmarshal(data, &list); err != nil || len(list.Keys) != 3 {
					t.Errorf("the property list: %v, keys %q", err, list.Keys)
				}
			}
			if got := platformtest.Ran(h); !slices.Equal(got, c.runs) {
				t.Errorf("ran %q, want %q", got, c.runs)
			}
			if again := scheduleWith(t, h, SchedulePlan(dailyJob)); len(again.Steps) != 0 {
				t.Errorf("a second time:\n%s", dryRun(again))
			}
			rollback()
			if got := platformtest.Contents(h); got != before {
				t.Errorf("rolled back:\n%s\nwas\n%s", got, before)
			}

			apply(SchedulePlan(dailyJob))
			scheduled := platformtest.Contents(h)
			apply(UnschedulePlan())
			if _, err := h.Files.Stat(c.path); err == nil {
				t.Errorf("%s is still there", c.path)
			}
			if again := scheduleWith(t, h, UnschedulePlan()); len(again.Steps) != 0 {
				t.Errorf("removes a second time:\n%s", dryRun(again))
			}
			rollback()
			if got := platformtest.Contents(h); got != scheduled {
				t.Errorf("the removal rolled back:\n%s\nwas\n%s", got, scheduled)
			}
		})
	}
}

// Who is no administrator gets the own manager's units; where nothing serves
// the account, the line for a crontab is shown and nothing is changed.
func TestScheduleForOneself(t *testing.T) {
	user := []platformtest.Option{platformtest.NotElevated(), platformtest.User("lin"), platformtest.Script(platformtest.Programs{"systemctl": {Optional: true}})}
	const lin = "dir /home/lin\n-- etc/passwd --\nlin:x:1000:1000::/home/lin:/bin/sh\n"
	h := platformtest.New(t, "dir /run/systemd/system\ndir /run/user/1000/systemd\n"+lin, user...)
	p := scheduleWith(t, h, SchedulePlan(dailyJob))
	if len(p.Steps) != 1 || p.Steps[0].Elevated || len(p.Steps[0].Actions) != 3 {
		t.Fatalf("plan:\n%s", dryRun(p))
	}
	for i, want := range []string{"/home/lin/.config/systemd/user/trustfix.service", "/home/lin/.config/systemd/user/trustfix.timer", "systemd"} {
		if got := p.Steps[0].Actions[i].Target; got != want {
			t.Errorf("action %d: %s, want %s", i, got, want)
		}
	}
	if c := p.Steps[0].Actions[2].Do[1]; !slices.Equal(c.Argv, []string{"systemctl", "--user", "enable", "--now", "trustfix.timer"}) || !slices.Equal(c.Env, []string{"XDG_RUNTIME_DIR=/run/user/1000"}) {
		t.Errorf("%+v", c)
	}

	h = platformtest.New(t, "dir /etc/cron.d\n"+lin+"-- usr/sbin/cron --\n", user...)
	p = scheduleWith(t, h, SchedulePlan(dailyJob))
	if p.Possible() != 0 || len(p.Steps) != 1 || p.Steps[0].Manual == nil || !strings.Contains(p.Steps[0].Manual.Do.String(), " * * * /usr/local/bin/trustfix pin --renew") {
		t.Errorf("plan:\n%s", dryRun(p))
	}
}

// What the Task Scheduler is told.
func TestScheduleOnWindows(t *testing.T) {
	h := platformtest.New(t, "-- Windows/System32/schtasks.exe --\n", platformtest.OS("windows"), platformtest.Script(platformtest.Programs{"schtasks": {Optional: true}}))
	p := scheduleWith(t, h, SchedulePlan(Job{Program: `C:\Program Files\trustfix\trustfix.exe`}))
	if len(p.Steps) != 1 || len(p.Steps[0].Actions) != 1 {
		t.Fatalf("plan:\n%s", dryRun(p))
	}
	got := p.Steps[0].Actions[0].Do[0].Argv
	if !slices.Contains(got, `cmd /c "C:\Program Files\trustfix\trustfix.exe" pin --renew & "C:\Program Files\trustfix\trustfix.exe" watch`) || !slices.Contains(got, "SYSTEM") {
		t.Errorf("%q", got)
	}
}
