//go:build !urfave_cli_no_docs

package cli

import (
	"fmt"
	"slices"
	"strings"

	cli "github.com/urfave/cli/v2"

	"trustfix/detect"
	"trustfix/fix"
)

// Release builds leave this file out by the tag, and a Markdown library with it.

// Docs is a man page or a completion script for the release packages: man,
// bash, zsh, fish or powershell. The scripts are data, so that pressing TAB
// never runs trustfix.
func Docs(kind, version string) (string, error) {
	app := newSession(Process{Args: []string{"trustfix"}, Env: []string{"LANG=en_US.UTF-8"}, Build: Build{Version: version}}).app()
	switch kind {
	case "man":
		return manPage(app)
	case "bash":
		return fill(bashScript, app), nil
	case "zsh":
		return fill(zshScript, app), nil
	case "fish":
		return fishScript(app), nil
	case "powershell":
		return fill(powershellScript, app), nil
	}
	return "", fmt.Errorf("no documentation called %q", kind)
}

// manPage is urfave/cli's page without its help templates, which would repeat
// every flag.
func manPage(app *cli.App) (string, error) {
	app.CustomAppHelpTemplate = ""
	app.UsageText = "trustfix [--dry-run | --apply] [COMMAND [ARGUMENTS]]"
	for _, f := range app.Flags {
		plainUsage(f)
	}
	for _, c := range app.Commands {
		c.CustomHelpTemplate = ""
		for _, f := range c.Flags {
			plainUsage(f)
		}
	}
	return app.ToManWithSection(1)
}

// plainUsage takes out the placeholder that our own help prints elsewhere.
func plainUsage(f cli.Flag) {
	switch f := f.(type) {
	case *cli.StringFlag:
		f.Usage = strings.ReplaceAll(f.Usage, "`", "")
	case *cli.StringSliceFlag:
		f.Usage = strings.ReplaceAll(f.Usage, "`", "")
	case *cli.DurationFlag:
		f.Usage = strings.ReplaceAll(f.Usage, "`", "")
	}
}

// fill puts the words into a script: @COMMANDS@, @GLOBAL@ (flags without a
// command), @CASES@ (flags of each command) and @IDS@ (what explain takes).
func fill(script string, app *cli.App) string {
	var names []string
	var cases strings.Builder
	form := strings.TrimSpace(script[strings.LastIndex(script, "@CASE:")+len("@CASE:"):])
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Name)
		fmt.Fprintln(&cases, strings.NewReplacer("NAME", c.Name, "FLAGS", strings.Join(flagNames(c.Flags), " ")).Replace(form))
	}
	return strings.NewReplacer("@COMMANDS@", strings.Join(names, " "), "@GLOBAL@", strings.Join(flagNames(app.Flags), " "),
		"@CASES@\n", cases.String(), "@IDS@", strings.Join(explainWords(), " ")).Replace(script[:strings.LastIndex(script, "@CASE:")])
}

func flagNames(flags []cli.Flag) []string {
	var out []string
	for _, f := range flags {
		for _, n := range f.Names() {
			if len(n) > 1 {
				out = append(out, "--"+n)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// explainWords are the ids that explain knows.
func explainWords() []string {
	words := slices.Clone(detect.IDs())
	for _, f := range fix.All {
		words = append(words, f.ID)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// fishScript names every flag with what it does, which fish shows.
func fishScript(app *cli.App) string {
	var b strings.Builder
	b.WriteString("# fish completion for trustfix\n")
	quote := func(s string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
	}
	line := func(when string, f cli.Flag) {
		left, usage, _ := strings.Cut(flagLine(f), "\t")
		arg := ""
		if _, isBool := f.(*cli.BoolFlag); !isBool {
			arg = " -r"
			if !strings.Contains(left, " FILE") && !strings.Contains(left, " DIR") && !strings.Contains(left, " ARCHIVE") {
				arg = " -x"
			}
		}
		for _, n := range f.Names() {
			if len(n) > 1 {
				fmt.Fprintf(&b, "complete -c trustfix -n %s -l %s%s -d %s\n", quote(when), n, arg, quote(usage))
			}
		}
	}
	for _, f := range app.Flags {
		line("__fish_use_subcommand", f)
	}
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "complete -c trustfix -f -n __fish_use_subcommand -a %s -d %s\n", c.Name, quote(c.Usage))
		for _, f := range c.Flags {
			line("__fish_seen_subcommand_from "+c.Name, f)
		}
	}
	fmt.Fprintf(&b, "complete -c trustfix -f -n '__fish_seen_subcommand_from explain' -a %s\n", quote(strings.Join(explainWords(), " ")))
	return b.String()
}

const bashScript = `# bash completion for trustfix
_trustfix() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd='' w words=''
  case $prev in
    --root | --state-dir) COMPREPLY=($(compgen -d -- "$cur")); return ;;
    --config | --reference-roots | --chain | --roots | --cert | --key | --from-file | --manifest)
      COMPREPLY=($(compgen -f -- "$cur")); return ;;
    --lang) COMPREPLY=($(compgen -W 'en zh' -- "$cur")); return ;;
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$cur")); return ;;
    --only | --skip) COMPREPLY=($(compgen -W '@IDS@' -- "$cur")); return ;;
  esac
  for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " @COMMANDS@ " in *" $w "*) cmd=$w; break ;; esac
  done
  case $cmd in
@CASES@
    *) words='@COMMANDS@ @GLOBAL@' ;;
  esac
  if [ "$cmd" = explain ]; then words="$words @IDS@"; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _trustfix trustfix
@CASE:    NAME) words='FLAGS' ;;
`

const zshScript = `#compdef trustfix
# zsh completion for trustfix
_trustfix() {
  local cmd= w
  local -a words_
  case ${words[CURRENT-1]} in
    --root|--state-dir) _files -/; return ;;
    --config|--reference-roots|--chain|--roots|--cert|--key|--from-file|--manifest) _files; return ;;
    --lang) compadd en zh; return ;;
    --color) compadd auto always never; return ;;
    --only|--skip) compadd @IDS@; return ;;
  esac
  for w in ${words[2,CURRENT-1]}; do
    case " @COMMANDS@ " in *" $w "*) cmd=$w; break ;; esac
  done
  case $cmd in
@CASES@
    *) words_=(@COMMANDS@ @GLOBAL@) ;;
  esac
  [[ $cmd == explain ]] && words_+=(@IDS@)
  compadd -- $words_
}
if [ "$funcstack[1]" = _trustfix ]; then _trustfix "$@"; else compdef _trustfix trustfix; fi
@CASE:    NAME) words_=(FLAGS) ;;
`

const powershellScript = `# PowerShell completion for trustfix
Register-ArgumentCompleter -Native -CommandName trustfix -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $flags = @{
@CASES@
    }
    $command = $commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" } |
        Where-Object { $flags.ContainsKey($_) } | Select-Object -First 1
    $words = if ($command) { $flags[$command] } else { '@COMMANDS@ @GLOBAL@' }
    if ($command -eq 'explain') { $words += ' @IDS@' }
    $words -split ' ' | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
@CASE:        'NAME' = 'FLAGS'
`
