package client

import (
	"slices"
	"testing"

	"trustfix/platform/platformtest"
)

// What launch agents set is found at its line, as words of their own and as a
// line for a shell.
func TestLaunchAgents(t *testing.T) {
	h := platformtest.New(t, `
-- Library/LaunchAgents/corp.plist --
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
  <key>ProgramArguments</key>
  <array>
    <string>launchctl</string>
    <string>setenv</string>
    <string>NODE_TLS_REJECT_UNAUTHORIZED</string>
    <string>0</string>
  </array>
</dict></plist>
-- Library/LaunchDaemons/more.plist --
<plist version="1.0"><dict><key>ProgramArguments</key><array><string>/bin/sh</string><string>-c</string>
  <string>launchctl setenv GIT_SSL_NO_VERIFY 1; launchctl setenv LANG "zh_CN.UTF-8"</string>
</array></dict></plist>
`, platformtest.OS("darwin"))
	inv, err := Resolve(t.Context(), h.View)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range inv.Settings {
		if s.Env && s.Off {
			got = append(got, s.Name+" "+s.Where())
		}
	}
	slices.Sort(got)
	want := []string{"GIT_SSL_NO_VERIFY /Library/LaunchDaemons/more.plist:2", "NODE_TLS_REJECT_UNAUTHORIZED /Library/LaunchAgents/corp.plist:8"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzLaunchd(f *testing.F) {
	f.Add([]byte("<array><string>setenv</string><string>A</string><string>b</string></array>"))
	f.Add([]byte("bplist00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range parseLaunchd(data) {
			if len(e.Path) != 1 || e.Line < 1 {
				t.Errorf("%+v", e)
			}
		}
	})
}
