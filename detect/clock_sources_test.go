package detect

import (
	"fmt"
	"slices"
	"testing"

	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func TestConfiguredServers(t *testing.T) {
	for _, c := range []struct {
		name, tree string
		want       []string
	}{
		{"chrony with directories", `
-- etc/chrony/chrony.conf --
# a comment
! another
pool 2.debian.pool.ntp.org iburst maxsources 4
server ntp.example.edu.cn
server odd.example port 1123
confdir /etc/chrony/conf.d
sourcedir /srv/sources
refclock PHC /dev/ptp0
-- etc/chrony/conf.d/lan.conf --
server 192.0.2.1 prefer
-- etc/chrony/conf.d/README --
server ignored.example
-- srv/sources/x.sources --
server dhcp.example iburst
`, []string{"2.debian.pool.ntp.org", "ntp.example.edu.cn", "odd.example:1123", "192.0.2.1", "dhcp.example"}},
		{"timesyncd: drop-ins, an empty value, the fallback only when alone", `
-- etc/systemd/timesyncd.conf --
[Time]
NTP=old.example
FallbackNTP=fallback.example
-- usr/lib/systemd/timesyncd.conf.d/10-vendor.conf --
[Time]
NTP=vendor.example
-- etc/systemd/timesyncd.conf.d/20-site.conf --
[Other]
NTP=wrong.example
[Time]
NTP=
NTP=a.example b.example
`, []string{"a.example", "b.example"}},
		{"timesyncd: fallback", "-- etc/systemd/timesyncd.conf --\n[Time]\n#NTP=\nFallbackNTP=f1.example f2.example\n", []string{"f1.example", "f2.example"}},
		{"ntpd", "-- etc/ntp.conf --\ndriftfile /var/lib/ntp/ntp.drift\nserver 127.127.1.0\nserver -4 one.example iburst\nrestrict default\npool two.example\n", []string{"one.example", "two.example"}},
		{"OpenNTPD", "-- etc/openntpd/ntpd.conf --\nservers pool.example\nsensor *\nconstraints from \"https://www.example\"\n", []string{"pool.example"}},
		{"an include that includes itself", "-- etc/chrony.conf --\ninclude /etc/chrony.conf\nserver one.example\n", []string{"one.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := platformtest.New(t, c.tree, platformtest.OS("linux"))
			if got := configuredServers(h.View); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestOperatorOf(t *testing.T) {
	for server, want := range map[string]string{
		"ntp3.aliyun.com": "aliyun", "time2.google.com": "google", "ntp.tuna.tsinghua.edu.cn": "tsinghua.edu.cn", "ntp.example.edu.cn.": "example.edu.cn",
		"192.0.2.1": "192.0.2.1", "127.0.0.1:10123": "127.0.0.1:10123", "[::1]:123": "[::1]:123",
		"0.debian.pool.ntp.org": "0.debian.pool.ntp.org", "ntp1.tencent.com:123": "tencent",
	} {
		if got := operatorOf(server); got != want {
			t.Errorf("operatorOf(%q) = %q, want %q", server, got, want)
		}
	}
}

func TestTimeService(t *testing.T) {
	const units = "-- usr/lib/systemd/system/chrony.service --\n[Service]\n-- usr/lib/systemd/system/systemd-timesyncd.service --\n[Service]\n"
	for _, c := range []struct {
		name, tree string
		opts       []platformtest.Option
		want       string
	}{
		{"none", "", nil, "  enabled=false masked=false"},
		{"enabled by a link", "link /etc/systemd/system/multi-user.target.wants/chrony.service -> /usr/lib/systemd/system/chrony.service\n" + units, nil, "chrony systemd enabled=true masked=false"},
		{"installed only", units, nil, "chrony systemd enabled=false masked=false"},
		{"masked", "link /etc/systemd/system/chrony.service -> /dev/null\n-- usr/lib/systemd/system/chrony.service --\nx\n", nil, "chrony systemd enabled=false masked=true"},
		{"another one is enabled", "link /etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service -> /x\n" + units, nil, "systemd-timesyncd systemd enabled=true masked=false"},
		{"OpenRC", "link /etc/runlevels/default/chronyd -> /etc/init.d/chronyd\n-- etc/init.d/chronyd --\n#!/sbin/openrc-run\n", nil, "chrony openrc enabled=true masked=false"},
		{"SysV", "link /etc/rc3.d/S01ntp -> ../init.d/ntp\n-- etc/init.d/ntp --\n#!/bin/sh\n", nil, "ntpd sysv enabled=true masked=false"},
		{
			"systemd is asked where it runs", "dir /run/systemd/system\n" + units,
			[]platformtest.Option{platformtest.Script(platformtest.Programs{"systemctl": {
				Stdout: "Id=chrony.service\nActiveState=inactive\nUnitFileState=disabled\n\nId=systemd-timesyncd.service\nActiveState=active\nUnitFileState=enabled-runtime\n",
			}})},
			"systemd-timesyncd systemd enabled=true masked=false",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := platformtest.New(t, c.tree, append(c.opts, platformtest.OS("linux"))...)
			k := Keeper(TimeServiceStates(t.Context(), h.View))
			if k == nil {
				k = &ServiceState{Service: &platform.TimeService{}}
			}
			if got := fmt.Sprintf("%s %s enabled=%v masked=%v", k.Service.Name, k.Init, k.Enabled, k.Masked); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
