package platform

// TimeServer is a public source of the time that trustfix may ask when the
// system names too few of its own.
type TimeServer struct {
	Host     string
	Operator string // servers of one operator count once
}

// TimeServers are the SNTP servers built in, in the order they are asked.
// None is a default zone of pool.ntp.org: its rules forbid that to programs.
// Sources: reference/os.md §4e and the operators' own pages.
var TimeServers = []TimeServer{
	{"ntp.aliyun.com", "aliyun"},
	{"ntp.tencent.com", "tencent"},
	{"time.cloudflare.com", "cloudflare"},
	{"time.apple.com", "apple"},
	{"time.google.com", "google"},
	{"ntp.ntsc.ac.cn", "ntsc"},
}

// DateServers answer plain http on port 80, with a Date header that no cache
// keeps: the pages by which operating systems look for captive portals. They
// are asked only where no SNTP server answers.
var DateServers = []TimeServer{
	{"www.msftconnecttest.com", "microsoft"},
	{"captive.apple.com", "apple"},
	{"connect.rom.miui.com", "xiaomi"},
	{"connectivitycheck.platform.hicloud.com", "huawei"},
	{"cp.cloudflare.com", "cloudflare"},
	{"connectivitycheck.gstatic.com", "google"},
}

// TimeService is a program that keeps the system clock.
type TimeService struct {
	Name  string
	Units []string // systemd units and OpenRC or SysV scripts, without ".service"
	// Programs are the daemons, as logical paths that may exist.
	Programs []string
	// Configs are the files and directories (ending in "/") that name servers.
	Configs []string
	Syntax  TimeSyntax
}

// TimeSyntax is how a time service's configuration names servers.
type TimeSyntax string

// The syntaxes.
const (
	TimesyncdSyntax TimeSyntax = "timesyncd" // [Time] NTP=a b, FallbackNTP=c
	NTPSyntax       TimeSyntax = "ntp"       // server a iburst; pool b; servers c (OpenNTPD)
)

// TimeServices are the services of Linux, in the order in which systemd's
// timedated prefers them (/usr/lib/systemd/ntp-units.d), then the others.
var TimeServices = []TimeService{
	{
		Name: "chrony", Units: []string{"chrony", "chronyd"}, Syntax: NTPSyntax,
		Programs: []string{"/usr/sbin/chronyd", "/sbin/chronyd"},
		Configs:  []string{"/etc/chrony/chrony.conf", "/etc/chrony.conf", "/etc/chrony/conf.d/", "/etc/chrony.d/", "/etc/chrony/sources.d/", "/run/chrony-dhcp/"},
	},
	{
		Name: "ntpsec", Units: []string{"ntpsec"}, Syntax: NTPSyntax,
		Programs: []string{"/usr/lib/ntp/ntpsec-systemd-wrapper"},
		Configs:  []string{"/etc/ntpsec/ntp.conf", "/etc/ntpsec/ntp.d/"},
	},
	{
		Name: "ntpd", Units: []string{"ntpd", "ntp"}, Syntax: NTPSyntax,
		Programs: []string{"/usr/sbin/ntpd", "/sbin/ntpd"},
		Configs:  []string{"/etc/ntp.conf", "/etc/ntp.d/"},
	},
	{
		Name: "openntpd", Units: []string{"openntpd"}, Syntax: NTPSyntax,
		Programs: []string{"/usr/sbin/openntpd"},
		Configs:  []string{"/etc/openntpd/ntpd.conf", "/etc/ntpd.conf"},
	},
	{
		Name: "systemd-timesyncd", Units: []string{"systemd-timesyncd"}, Syntax: TimesyncdSyntax,
		Programs: []string{"/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd"},
		Configs: []string{
			"/etc/systemd/timesyncd.conf", "/run/systemd/timesyncd.conf", "/usr/lib/systemd/timesyncd.conf",
			"/etc/systemd/timesyncd.conf.d/", "/run/systemd/timesyncd.conf.d/", "/usr/lib/systemd/timesyncd.conf.d/",
		},
	},
}
