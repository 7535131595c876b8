package detect

import (
	"context"
	"path"
	"strings"
	"time"

	"trustfix/platform"
)

// ServiceState is one time service as it is installed on the machine.
type ServiceState struct {
	Service *platform.TimeService
	Unit    string // its name to the init system; "" when only the program is there
	Init    string // "systemd", "openrc", "sysv", "launchd", "scm", "" when no init system knows it
	Enabled bool
	Active  bool // false also where nobody could be asked
	Masked  bool
}

// unitDirs are where systemd finds units, strongest first.
var unitDirs = []string{
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
}

// TimeServiceStates are the time services installed here, in the order of
// platform.TimeServices. Files say what is installed and enabled; a running
// systemd is asked once, within two seconds, what is active.
func TimeServiceStates(ctx context.Context, v *platform.View) []ServiceState {
	switch v.OS {
	case "darwin":
		return []ServiceState{{Service: &platform.TimeService{Name: "timed"}, Unit: "com.apple.timed", Init: "launchd", Enabled: true, Active: true}}
	case "windows":
		return windowsTime(ctx, v)
	}
	var out []ServiceState
	for i := range platform.TimeServices {
		s := &platform.TimeServices[i]
		if st, ok := linuxService(v, s); ok {
			out = append(out, st)
		}
	}
	askSystemd(ctx, v, out)
	return out
}

// linuxService looks for a service in the files of systemd, OpenRC and SysV.
func linuxService(v *platform.View, s *platform.TimeService) (ServiceState, bool) {
	st := ServiceState{Service: s}
	for _, u := range s.Units {
		for _, d := range unitDirs {
			file := path.Join(d, u+".service")
			img, err := v.Files.Snapshot(file)
			if err != nil || img.Kind == platform.Absent {
				continue
			}
			if img.Kind == platform.Link && img.Link == "/dev/null" || img.Kind == platform.File && img.Size == 0 {
				return ServiceState{Service: s, Unit: u, Init: "systemd", Masked: true}, true
			}
			if img.Kind == platform.Link && path.Base(img.Link) != u+".service" {
				continue // an alias: chronyd.service -> chrony.service
			}
			return ServiceState{Service: s, Unit: u, Init: "systemd", Enabled: wanted(v, u)}, true
		}
	}
	for _, u := range s.Units {
		if !exists(v, "/etc/init.d/"+u) {
			continue
		}
		st.Unit, st.Init = u, "sysv"
		if exists(v, "/etc/runlevels") {
			st.Init, st.Active = "openrc", exists(v, "/run/openrc/started/"+u)
			st.Enabled = exists(v, "/etc/runlevels/default/"+u) || exists(v, "/etc/runlevels/boot/"+u)
		} else {
			st.Enabled = inRunlevel(v, u)
		}
		return st, true
	}
	for _, p := range s.Programs {
		if exists(v, p) {
			return st, true
		}
	}
	return st, false
}

func exists(v *platform.View, name string) bool {
	img, err := v.Files.Snapshot(name)
	return err == nil && img.Kind != platform.Absent
}

// wanted reports whether some target pulls a unit in at boot.
func wanted(v *platform.View, unit string) bool {
	const dir = "/etc/systemd/system"
	names, _ := v.Files.ReadDir(dir)
	for _, n := range names {
		if strings.HasSuffix(n, ".wants") || strings.HasSuffix(n, ".requires") {
			if exists(v, path.Join(dir, n, unit+".service")) {
				return true
			}
		}
	}
	return false
}

func inRunlevel(v *platform.View, script string) bool {
	for _, d := range []string{"/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d"} {
		names, _ := v.Files.ReadDir(d)
		for _, n := range names {
			if len(n) > 3 && n[0] == 'S' && n[3:] == script {
				return true
			}
		}
	}
	return false
}

// askSystemd fills Active (and Enabled, which presets and generators may have
// set) from a running systemd.
func askSystemd(ctx context.Context, v *platform.View, states []ServiceState) {
	argv := []string{"systemctl", "show", "--property=Id,ActiveState,UnitFileState"}
	byUnit := map[string]*ServiceState{}
	for i := range states {
		if s := &states[i]; s.Init == "systemd" {
			argv = append(argv, s.Unit+".service")
			byUnit[s.Unit+".service"] = s
		}
	}
	if len(byUnit) == 0 || v.Rooted || !exists(v, "/run/systemd/system") {
		return
	}
	out, err := v.Exec.Query(ctx, platform.Cmd{Argv: argv, Timeout: 2 * time.Second})
	if err != nil {
		return // the files have said what they know
	}
	for block := range strings.SplitSeq(out.Stdout, "\n\n") {
		values := map[string]string{}
		for line := range strings.Lines(block) {
			if k, val, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				values[k] = val
			}
		}
		s := byUnit[values["Id"]]
		if s == nil {
			continue
		}
		s.Active = values["ActiveState"] == "active"
		switch state := values["UnitFileState"]; {
		case strings.HasPrefix(state, "enabled"):
			s.Enabled = true
		case strings.HasPrefix(state, "masked"):
			s.Masked, s.Enabled = true, false
		case state != "":
			s.Enabled = false
		}
	}
}

// windowsTime asks the service manager about w32time, which is started on
// demand unless it is disabled.
func windowsTime(ctx context.Context, v *platform.View) []ServiceState {
	s := ServiceState{Service: &platform.TimeService{Name: "w32time"}, Unit: "w32time", Init: "scm", Enabled: true}
	if v.Rooted {
		return []ServiceState{s}
	}
	if out, err := v.Exec.Query(ctx, platform.Cmd{Argv: []string{"sc.exe", "qc", "w32time"}, Timeout: 2 * time.Second}); err == nil {
		s.Enabled = !strings.Contains(out.Stdout, "DISABLED")
	}
	if out, err := v.Exec.Query(ctx, platform.Cmd{Argv: []string{"sc.exe", "query", "w32time"}, Timeout: 2 * time.Second}); err == nil {
		s.Active = strings.Contains(out.Stdout, "RUNNING")
	}
	return []ServiceState{s}
}

// Keeper is the service that keeps the clock or, when none does, the one that
// would: an active one, then an enabled one, then any that is not masked.
func Keeper(states []ServiceState) *ServiceState {
	var best *ServiceState
	rank := func(s *ServiceState) int {
		switch {
		case s.Active:
			return 4
		case s.Enabled:
			return 3
		case s.Unit != "" && !s.Masked:
			return 2
		}
		return 1
	}
	for i := range states {
		if s := &states[i]; best == nil || rank(s) > rank(best) {
			best = s
		}
	}
	return best
}
