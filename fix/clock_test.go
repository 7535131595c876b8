package fix

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

const (
	chronyUnit    = "-- usr/lib/systemd/system/chrony.service --\n[Service]\n"
	timesyncdUnit = "-- usr/lib/systemd/system/systemd-timesyncd.service --\n[Service]\n"
	running       = "dir /run/systemd/system\ndir /etc/systemd/system\n"
)

// systemctl answers `show` for one unit and takes everything else.
func systemctl(unit, active, enabled string) platformtest.Programs {
	return platformtest.Programs{"systemctl": {Optional: true, Do: func(_ *platform.Host, c platform.Cmd) (platform.Output, error) {
		if c.Argv[1] != "show" {
			return platform.Output{}, nil
		}
		return platform.Output{Stdout: "Id=" + unit + ".service\nActiveState=" + active + "\nUnitFileState=" + enabled + "\n"}, nil
	}}}
}

// agreeing servers say that the clock is off.
func agreeing(off time.Duration, n int) *platformtest.Net {
	net := &platformtest.Net{Times: map[string]platformtest.Time{}}
	for i := range 4 {
		s := platformtest.Time{Sample: platform.Sample{Offset: off, RootDistance: 10 * time.Millisecond}}
		if i >= n {
			s = platformtest.Time{Err: context.DeadlineExceeded}
		}
		net.Times[string(rune('a'+i))+".example"] = s
	}
	return net
}

func clockOptions() detect.Options {
	return detect.Options{
		NTP: []string{"a.example", "b.example", "c.example", "d.example"}, Refs: bundles.NewRoots(),
		Only: []string{"clock-skew"},
	}
}

func TestSyncClockPlans(t *testing.T) {
	for _, c := range []struct {
		name, tree string
		operators  int
		opts       []platformtest.Option
		sets       bool     // the clock itself
		runs       []string // programs, in order
		undo       []string
		manual     string // part of why a person has to
	}{
		{
			name: "a service that is not enabled, and an agreement", tree: running + timesyncdUnit, operators: 4,
			opts: []platformtest.Option{platformtest.Script(systemctl("systemd-timesyncd", "inactive", "disabled"))},
			sets: true, runs: []string{"systemctl enable --now systemd-timesyncd.service"},
			undo: []string{"systemctl daemon-reload", "systemctl stop systemd-timesyncd.service"},
		},
		{
			name: "the same with two operators: the service has to do it", operators: 2,
			tree: running + timesyncdUnit + "-- usr/lib/systemd/systemd-time-wait-sync --\n",
			opts: []platformtest.Option{platformtest.Script(systemctl("systemd-timesyncd", "inactive", "disabled"))},
			runs: []string{"systemctl enable --now systemd-timesyncd.service", "/usr/lib/systemd/systemd-time-wait-sync"},
			undo: []string{"systemctl daemon-reload", "systemctl stop systemd-timesyncd.service"},
		},
		{
			name: "a running chrony, two operators", tree: running + chronyUnit, operators: 2,
			opts: []platformtest.Option{platformtest.Script(systemctl("chrony", "active", "enabled"))},
			runs: []string{"chronyc -m makestep 0.1 1 burst 1/2", "chronyc waitsync 15 0.5 0 2"},
		},
		{
			name: "a running chrony starts afresh from the clock that was set", tree: running + chronyUnit, operators: 3,
			opts: []platformtest.Option{platformtest.Script(systemctl("chrony", "active", "enabled"))},
			sets: true, runs: []string{"systemctl restart chrony.service"},
		},
		{name: "no service, an agreement", operators: 3, sets: true},
		{name: "no service, two operators", operators: 2, manual: "fewer than three"},
		{
			name: "a service without a running init system, an agreement", tree: chronyUnit, operators: 3, sets: true,
		},
		{name: "masked, two operators", tree: "link /etc/systemd/system/chrony.service -> /dev/null\n" + running, operators: 2, opts: []platformtest.Option{platformtest.Script(systemctl("chrony", "inactive", "masked"))}, manual: "masked"},
		{
			name: "OpenRC", tree: "dir /etc/runlevels/default\n-- etc/init.d/chronyd --\n", operators: 3, sets: true,
			runs: []string{"rc-update add chronyd default", "rc-service chronyd start"}, undo: []string{"rc-service chronyd stop"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			const off = 400 * 24 * time.Hour
			h := platformtest.New(t, c.tree, append(c.opts, platformtest.OS("linux"), platformtest.Network(agreeing(off, c.operators)))...)
			r, err := detect.Run(t.Context(), h.View, clockOptions())
			if err != nil {
				t.Fatal(err)
			}
			p, err := Make(t.Context(), &Input{View: h.View, Report: r})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Steps) != 1 {
				t.Fatalf("%d steps for %+v", len(p.Steps), r.Findings)
			}
			s := p.Steps[0]
			if c.manual != "" {
				if s.Manual == nil || !strings.Contains(s.Manual.Why.String(), c.manual) || s.Manual.Do.IsZero() {
					t.Fatalf("manual %+v", s.Manual)
				}
				return
			}
			var runs, undo []string
			for _, a := range s.Actions {
				for _, d := range a.Do {
					runs = append(runs, strings.Join(d.Argv, " "))
				}
				for _, d := range a.Undo {
					undo = append(undo, strings.Join(d.Argv, " "))
				}
			}
			if len(s.Actions) == 0 || !slices.Equal(runs, c.runs) || !slices.Equal(undo, c.undo) {
				t.Fatalf("runs %q, undo %q; want %q, %q (%+v)", runs, undo, c.runs, c.undo, s.Manual)
			}
			if a := s.Actions[0]; a.Kind != ClockAction || !a.Elevated || (a.Offset != 0) != c.sets || c.sets && (a.Offset-off).Abs() > time.Second {
				t.Errorf("action %+v", a)
			}
		})
	}
}

// The clock that was wrong is right afterwards, by the monotonic clock, and the
// finding is gone; a rollback does not set it back.
func TestSyncClock(t *testing.T) {
	const off = -3 * time.Hour
	net := agreeing(off, 3)
	h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(net))
	o := clockOptions()
	r, err := detect.Run(t.Context(), h.View, o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Make(t.Context(), &Input{View: h.View, Report: r})
	if err != nil {
		t.Fatal(err)
	}
	run, err := Apply(t.Context(), h, p, ApplyOptions{Verify: func(ctx context.Context, v *platform.View, s *Step) ([]detect.Finding, error) {
		for k, s := range net.Times { // what the servers say of the clock as it now is
			s.Sample.Offset = platformtest.DefaultNow.Add(off).Sub(v.Now())
			net.Times[k] = s
		}
		return detect.Recheck(ctx, v, o, s.Of(r))
	}})
	if err != nil || run == nil || run.State != RunApplied {
		t.Fatalf("run %+v, %v", run, err)
	}
	want := platformtest.DefaultNow.Add(off)
	if d := h.Now().Sub(want).Abs(); d > time.Second {
		t.Errorf("the clock shows %v, want %v", h.Now(), want)
	}
	if _, err := Rollback(t.Context(), h, "", false); err != nil {
		t.Fatal(err)
	}
	if sets := platformtest.Sets(h); len(sets) != 1 {
		t.Errorf("the clock was set %d times", len(sets))
	}
}

// What a container or the kernel's refusal makes impossible is not tried.
func TestClockOfTheHost(t *testing.T) {
	for name, opt := range map[string]platformtest.Option{
		"container": platformtest.Container("docker"), "no capability": platformtest.Kernel(platform.KernelClock{Known: true, Denied: true}),
	} {
		t.Run(name, func(t *testing.T) {
			h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(agreeing(time.Hour, 4)), opt)
			r, err := detect.Run(t.Context(), h.View, clockOptions())
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != 1 || r.Findings[0].Action != detect.Manual || len(r.Findings[0].Advice) == 0 {
				t.Fatalf("findings %+v", r.Findings)
			}
			if p, err := Make(t.Context(), &Input{View: h.View, Report: r}); err != nil || len(p.Steps) != 0 {
				t.Errorf("steps %+v, %v", p.Steps, err)
			}
		})
	}
}
