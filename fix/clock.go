package fix

import (
	"context"
	"math"
	"strings"
	"time"

	"trustfix/detect"
	"trustfix/internal/text"
	"trustfix/platform"
)

// enoughOperators is how many independent sources have to agree before
// trustfix sets a clock itself: their answers are not signed.
const enoughOperators = 3

var syncClock = &Fix{
	ID: "sync-clock", Doc: text.M("sync-clock.doc"), For: []string{"clock-skew", "clock-unsynced"},
	Reversible: true, // the service's state; the clock itself stays right
	Group:      func(detect.Finding) string { return "clock" },
	Plan:       planClock,
}

// planClock starts the time service that the machine has, so that it keeps the
// clock from now on, and sets the clock at once where enough sources agree.
// Where they do not, the service has to prove that it can.
func planClock(ctx context.Context, in *Input, _ []detect.Finding) ([]Action, error) {
	c := in.Report.Clock
	if detect.HostClock(in.View) {
		return nil, &Manual{Why: text.M("sync-clock.why-host"), Do: text.M("sync-clock.do-host")}
	}
	if c.Offset != nil && !c.Floor.IsZero() && c.True(c.System).Before(c.Floor) {
		return nil, &Manual{Why: text.M("sync-clock.why-floor"), Do: text.M("sync-clock.do-floor")}
	}
	set := c.Offset != nil && len(c.Agreeing) >= enoughOperators
	k := detect.Keeper(detect.TimeServiceStates(ctx, in.View))
	a := Action{Kind: ClockAction, Target: "clock", Elevated: true}
	if k != nil {
		keep(in.View, k, &a, set)
	}
	switch started := len(a.Do) > 0; {
	case set && math.Abs(*c.Offset) >= 1:
		a.Offset, a.Measured = time.Duration(*c.Offset*float64(time.Second)), c.Measured
		amount, who := detect.Span(*c.Offset), strings.Join(c.Agreeing, ", ")
		if started {
			a.Summary = text.M("sync-clock.both", "amount", amount, "who", who, "service", k.Service.Name)
		} else {
			a.Summary = text.M("sync-clock.set", "amount", amount, "who", who)
		}
	case started:
		a.Target, a.Summary = k.Service.Name, text.M("sync-clock.service", "service", k.Service.Name)
	case k == nil:
		return nil, &Manual{Why: text.M("sync-clock.why-few"), Do: text.M("sync-clock.do-few")}
	case k.Masked:
		return nil, &Manual{Why: text.M("sync-clock.why-masked", "service", k.Service.Name), Do: text.M("sync-clock.do-masked", "unit", k.Unit)}
	default:
		return nil, &Manual{Why: text.M("sync-clock.why-no-init", "service", k.Service.Name), Do: text.M("sync-clock.do-few")}
	}
	actions := []Action{a}
	if a.Offset != 0 && k != nil && k.Active && k.Init == "systemd" {
		// It measured the old clock and may still be slewing towards it.
		actions = append(actions, Action{
			Kind: CommandAction, Target: k.Unit, Elevated: true, Summary: a.Summary,
			Do: []platform.Cmd{{Argv: []string{"systemctl", "restart", k.Unit + ".service"}}},
		})
	}
	return actions, nil
}

// keep adds what makes a service run, now and after the next boot, and how to
// put it back. Unless the clock is set anyway, the service also has to
// synchronise, and the programs fail where it does not.
func keep(v *platform.View, k *detect.ServiceState, a *Action, set bool) {
	run := func(argv ...string) { a.Do = append(a.Do, platform.Cmd{Argv: argv, Timeout: 60 * time.Second}) }
	undo := func(argv ...string) { a.Undo = append(a.Undo, platform.Cmd{Argv: argv}) }
	switch k.Init {
	case "systemd":
		unit := k.Unit + ".service"
		if k.Masked || !exists(v, "/run/systemd/system") || v.Container == "wsl" && k.Unit == "systemd-timesyncd" {
			return // systemd counts WSL as a container and never starts timesyncd there
		}
		if !k.Enabled || !k.Active {
			a.Touches = []string{"/etc/systemd/system"}
			run("systemctl", "enable", "--now", unit)
			undo("systemctl", "daemon-reload")
			if !k.Active {
				undo("systemctl", "stop", unit)
			}
		}
		if !set {
			force(v, k, unit, run)
		}
	case "openrc":
		if !k.Enabled {
			a.Touches = []string{"/etc/runlevels"}
			run("rc-update", "add", k.Unit, "default")
		}
		if !k.Active {
			run("rc-service", k.Unit, "start")
			undo("rc-service", k.Unit, "stop")
		} else if !set {
			run("rc-service", k.Unit, "restart")
		}
	case "sysv":
		if !set {
			run("service", k.Unit, "restart")
		}
	case "launchd":
		run("systemsetup", "-setusingnetworktime", "on")
		if !set {
			run("sntp", "-sS", "time.apple.com")
		}
	case "scm":
		if !k.Enabled {
			run("sc.exe", "config", k.Unit, "start=", "demand")
			undo("sc.exe", "config", k.Unit, "start=", "disabled")
		}
		if !k.Active {
			run("sc.exe", "start", k.Unit)
			undo("sc.exe", "stop", k.Unit)
		}
		if !set {
			run("w32tm", "/resync", "/rediscover")
		}
	}
}

// force makes a service under systemd measure and step now, and waits for it.
func force(v *platform.View, k *detect.ServiceState, unit string, run func(argv ...string)) {
	if k.Service.Name == "chrony" {
		// A bare makestep only jumps the correction that is known already.
		run("chronyc", "-m", "makestep 0.1 1", "burst 1/2")
		run("chronyc", "waitsync", "15", "0.5", "0", "2")
		return
	}
	if k.Active {
		run("systemctl", "restart", unit)
	}
	for _, wait := range []string{"/usr/lib/systemd/systemd-time-wait-sync", "/lib/systemd/systemd-time-wait-sync"} {
		if exists(v, wait) {
			run(wait)
			return
		}
	}
}
