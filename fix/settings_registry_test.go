package fix

import (
	"slices"
	"strings"
	"testing"

	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// Windows keeps variables in its registry: found there, taken out there, and
// put back with type and value. What both keys hold is the person's.
func TestVariableInTheRegistry(t *testing.T) {
	const person, machine = `HKCU\Environment`, `HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment`
	values := map[string]map[string]string{
		person:  {"GIT_SSL_NO_VERIFY": "1", "TEMP": `C:\Users\lin\Temp`},
		machine: {"NODE_TLS_REJECT_UNAUTHORIZED": "0"},
	}
	reg := func(_ *platform.Host, c platform.Cmd) (platform.Output, error) {
		key := values[c.Argv[2]]
		switch c.Argv[1] {
		case "query":
			out := "\r\n" + strings.Replace(c.Argv[2], "HKCU", "HKEY_CURRENT_USER", 1) + "\r\n"
			for name, value := range key {
				out += "    " + name + "    REG_SZ    " + value + "\r\n"
			}
			return platform.Output{Stdout: out}, nil
		case "delete":
			delete(key, c.Argv[4])
		case "add":
			key[c.Argv[4]] = c.Argv[8]
		}
		return platform.Output{}, nil
	}
	h := platformtest.New(t, "dir /Users/lin\n", platformtest.OS("windows"), platformtest.Script(platformtest.Programs{"reg": {Do: reg}}),
		platformtest.Env(map[string]string{"GIT_SSL_NO_VERIFY": "1"}))
	o := detect.Options{Only: []string{"verify-off"}, Offline: true}
	report, err := detect.Run(t.Context(), h.View, o)
	if err != nil {
		t.Fatal(err)
	}
	var where []string
	for _, f := range report.Findings {
		where = append(where, f.Where)
	}
	if want := []string{person + `\GIT_SSL_NO_VERIFY`, machine + `\NODE_TLS_REJECT_UNAUTHORIZED`}; !slices.Equal(where, want) {
		t.Fatalf("found in %q, want %q", where, want)
	}
	plan, err := Make(t.Context(), &Input{View: h.View, Report: report})
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Variables(); len(got) != 2 {
		t.Errorf("a new shell is without %q", got)
	}
	run, err := Apply(t.Context(), h, plan, ApplyOptions{})
	if err != nil || run.State != RunApplied || len(values[person]) != 1 || len(values[machine]) != 0 {
		t.Fatalf("applied: %+v, %v; left %v", run, err, values)
	}
	if _, err := Rollback(t.Context(), h, "", false); err != nil || values[person]["GIT_SSL_NO_VERIFY"] != "1" || values[machine]["NODE_TLS_REJECT_UNAUTHORIZED"] != "0" {
		t.Errorf("rolled back: %v; %v", err, values)
	}
}
