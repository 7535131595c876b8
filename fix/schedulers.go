package fix

import (
	"encoding/xml"
	"fmt"
	"strings"

	"trustfix/platform"
)

// schedulers in the order of preference. Who is no administrator has only those
// that run what is the user's own.
var schedulers = []scheduler{
	{
		name: "systemd",
		fits: func(in *Input) bool {
			return in.OS == "linux" && exists(in.View, "/run/systemd/system") && (in.Elevated || exists(in.View, runtimeDir(in)+"/systemd"))
		},
		files: func(in *Input, job Job) []jobFile {
			return []jobFile{
				{unitDir(in) + "trustfix.service", fmt.Sprintf(unitService, unitWords(job.renew()), unitWords(job.watch())), 0o644},
				{unitDir(in) + "trustfix.timer", unitTimer, 0o644},
			}
		},
		marks: func(in *Input) []string { return []string{unitDir(in) + "timers.target.wants/trustfix.timer"} },
		start: func(in *Input, _ Job) []platform.Cmd {
			return []platform.Cmd{manager(in, "daemon-reload"), manager(in, "enable", "--now", "trustfix.timer")}
		},
		stop: func(in *Input, _ Job) []platform.Cmd { return []platform.Cmd{manager(in, "stop", "trustfix.timer")} },
		forget: func(in *Input, _ Job) []platform.Cmd {
			return []platform.Cmd{manager(in, "disable", "--now", "trustfix.timer")}
		},
		reload: func(in *Input, _ Job) []platform.Cmd { return []platform.Cmd{manager(in, "daemon-reload")} },
	},
	{
		name: "cron",
		fits: func(in *Input) bool {
			return in.OS != "windows" && in.Elevated && exists(in.View, "/etc/cron.d") && (exists(in.View, "/usr/sbin/cron") || exists(in.View, "/usr/sbin/crond"))
		},
		files: func(in *Input, job Job) []jobFile {
			return []jobFile{{"/etc/cron.d/trustfix", "# " + madeBy + "\n" + job.cronLine(in, "root ") + "\n", 0o644}}
		},
		marks: noPaths, start: noCommand, stop: noCommand, forget: noCommand, reload: noCommand,
	},
	{
		name: "periodic", // Alpine's cron runs what stands there, without an extension
		fits: func(in *Input) bool { return in.OS == "linux" && in.Elevated && exists(in.View, "/etc/periodic/daily") },
		files: func(_ *Input, job Job) []jobFile {
			return []jobFile{{"/etc/periodic/daily/trustfix", "#!/bin/sh\n# " + madeBy + "\n" + job.shellLine() + "\n", 0o755}}
		},
		marks: noPaths, start: noCommand, stop: noCommand, forget: noCommand, reload: noCommand,
	},
	{
		name: "launchd",
		fits: func(in *Input) bool { return in.OS == "darwin" },
		files: func(in *Input, job Job) []jobFile {
			hour, minute := dailyAt(in)
			return []jobFile{{plistPath(in), fmt.Sprintf(plist, launchLabel, xmlText(job.shellLine()), hour, minute), 0o644}}
		},
		marks: noPaths,
		start: func(in *Input, _ Job) []platform.Cmd {
			return []platform.Cmd{argv("launchctl", "bootstrap", launchDomain(in), plistPath(in))}
		},
		stop: bootout, forget: bootout, reload: noCommand,
	},
	{
		name:  "Task Scheduler",
		fits:  func(in *Input) bool { return in.OS == "windows" },
		files: func(*Input, Job) []jobFile { return nil },
		marks: func(*Input) []string { return []string{"/Windows/System32/Tasks/trustfix"} },
		start: func(in *Input, job Job) []platform.Cmd {
			hour, minute := dailyAt(in)
			c := argv("schtasks", "/Create", "/TN", "trustfix", "/SC", "DAILY", "/ST", fmt.Sprintf("%02d:%02d", hour, minute), "/F", "/TR",
				fmt.Sprintf(`cmd /c %s & %s`, windowsWords(job.renew()), windowsWords(job.watch())))
			if in.Elevated {
				c.Argv = append(c.Argv, "/RU", "SYSTEM")
			}
			return []platform.Cmd{c}
		},
		stop: deleteTask, forget: deleteTask, reload: noCommand,
	},
}

const madeBy = `Made by "trustfix schedule"; "trustfix schedule remove" takes it away.`

const unitService = `# ` + madeBy + `
[Unit]
Description=Look at TLS trust: what ends, what fails
Documentation=man:trustfix(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=-%s
ExecStart=%s
Nice=10
`

const unitTimer = `# ` + madeBy + `
[Unit]
Description=Look at TLS trust every day

[Timer]
OnCalendar=daily
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
`

const launchLabel = "trustfix.watch"

const plist = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ` + madeBy + ` -->
<plist version="1.0">
<dict>
  <key>Label</key><string>%s</string>
  <key>ProgramArguments</key>
  <array><string>/bin/sh</string><string>-c</string><string>%s</string></array>
  <key>StartCalendarInterval</key>
  <dict><key>Hour</key><integer>%d</integer><key>Minute</key><integer>%d</integer></dict>
</dict>
</plist>
`

func argv(words ...string) platform.Cmd { return platform.Cmd{Argv: words} }

func noPaths(*Input) []string              { return nil }
func noCommand(*Input, Job) []platform.Cmd { return nil }
func runtimeDir(in *Input) string          { return fmt.Sprintf("/run/user/%d", in.User.UID) }

// manager is systemctl: it speaks to the system's manager, or to the caller's own.
func manager(in *Input, words ...string) platform.Cmd {
	if in.Elevated {
		return argv(append([]string{"systemctl"}, words...)...)
	}
	c := argv(append([]string{"systemctl", "--user"}, words...)...)
	c.Env = []string{"XDG_RUNTIME_DIR=" + runtimeDir(in)}
	return c
}

// unitDir is where an administrator's units stand, or the caller's own.
func unitDir(in *Input) string {
	if in.Elevated {
		return "/etc/systemd/system/"
	}
	return in.User.Home + "/.config/systemd/user/"
}

func plistPath(in *Input) string {
	if in.Elevated {
		return "/Library/LaunchDaemons/" + launchLabel + ".plist"
	}
	return in.User.Home + "/Library/LaunchAgents/" + launchLabel + ".plist"
}

func launchDomain(in *Input) string {
	if in.Elevated {
		return "system"
	}
	return fmt.Sprintf("gui/%d", in.User.UID)
}

func bootout(in *Input, _ Job) []platform.Cmd {
	return []platform.Cmd{argv("launchctl", "bootout", launchDomain(in)+"/"+launchLabel)}
}

func deleteTask(*Input, Job) []platform.Cmd {
	return []platform.Cmd{argv("schtasks", "/Delete", "/TN", "trustfix", "/F")}
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

var unitEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `%`, `%%`, `$`, `$$`, "\n", `\n`)

// unitWords quotes arguments for a unit's ExecStart: %, $ and backslashes are
// expanded there within quotation marks too (systemd.service(5)).
func unitWords(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = unitEscapes.Replace(w)
		if w == "" || strings.ContainsAny(w, " \t\n\"'\\;") {
			out[i] = `"` + out[i] + `"`
		}
	}
	return strings.Join(out, " ")
}

// windowsWords puts quotation marks around what has spaces; a file name there
// cannot hold one itself.
func windowsWords(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; strings.ContainsAny(w, " &") {
			out[i] = `"` + w + `"`
		}
	}
	return strings.Join(out, " ")
}
