package cli

import "trustfix/internal/text"

// commandUsage is the help line of each command.
var commandUsage = map[string]text.Msg{
	"rollback": text.M("cli.cmd-rollback"),
	"history":  text.M("cli.cmd-history"),
	"verify":   text.M("cli.cmd-verify"),
	"pin":      text.M("cli.cmd-pin"),
	"unpin":    text.M("cli.cmd-unpin"),
	"explain":  text.M("cli.cmd-explain"),
	"clients":  text.M("cli.cmd-clients"),
	"watch":    text.M("cli.cmd-watch"),
	"schedule": text.M("cli.cmd-schedule"),
	"update":   text.M("cli.cmd-update"),
	"version":  text.M("cli.cmd-version"),
}

// flagUsage is the help line of each flag.
var flagUsage = map[string]text.Msg{
	"json":            text.M("cli.flag-json"),
	"only":            text.M("cli.flag-only"),
	"skip":            text.M("cli.flag-skip"),
	"target":          text.M("cli.flag-target"),
	"offline":         text.M("cli.flag-offline"),
	"root":            text.M("cli.flag-root"),
	"user":            text.M("cli.flag-user"),
	"ntp":             text.M("cli.flag-ntp"),
	"reference-roots": text.M("cli.flag-reference-roots"),
	"trust-ca":        text.M("cli.flag-trust-ca"),
	"config":          text.M("cli.flag-config"),
	"lang":            text.M("cli.flag-lang"),
	"timeout":         text.M("cli.flag-timeout"),
	"state-dir":       text.M("cli.flag-state-dir"),
	"yes":             text.M("cli.flag-yes"),
	"verbose":         text.M("cli.flag-verbose"),
	"dry-run":         text.M("cli.flag-dry-run"),
	"apply":           text.M("cli.flag-apply"),
	"version":         text.M("cli.flag-version"),
	"probe-clients":   text.M("cli.flag-probe-clients"),
	"force":           text.M("cli.flag-force"),
	"diff":            text.M("cli.flag-diff"),
	"chain":           text.M("cli.flag-chain"),
	"host":            text.M("cli.flag-host"),
	"at":              text.M("cli.flag-at"),
	"roots":           text.M("cli.flag-roots"),
	"client":          text.M("cli.flag-client"),
	"pin-client":      text.M("cli.flag-pin-client"),
	"starttls":        text.M("cli.flag-starttls"),
	"cert":            text.M("cli.flag-cert"),
	"key":             text.M("cli.flag-key"),
	"revocation":      text.M("cli.flag-revocation"),
	"explain":         text.M("cli.flag-explain"),
	"renew":           text.M("cli.flag-renew"),
	"prometheus":      text.M("cli.flag-prometheus"),
	"days":            text.M("cli.flag-days"),
}
