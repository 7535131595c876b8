package text

// clockTexts are about the system clock and who keeps it.
var clockTexts = map[string]entry{
	"clock.days":    {"{n} days", "{n} 天"},
	"clock.hours":   {"{n} hours", "{n} 小时"},
	"clock.minutes": {"{n} minutes", "{n} 分钟"},
	"clock.seconds": {"{n} seconds", "{n} 秒"},

	"clock.service-none":    {"no time service is installed", "系统没有安装时间同步服务"},
	"clock.service-off":     {"{service} is installed but not enabled", "{service} 已安装，但没有启用"},
	"clock.service-waiting": {"{service} is enabled; the kernel does not call the clock synchronised", "{service} 已启用，但内核尚未认为时钟已同步"},
	"clock.service-on":      {"{service} keeps the clock, and the kernel calls it synchronised", "{service} 正在维护时钟，内核认为时钟已同步"},

	"clock-skew.doc": {
		"The system clock is wrong. Certificates are valid between two dates, so a wrong clock makes good ones look expired or not yet valid. trustfix compares the clock with at least three time servers of different operators (SNTP, or the Date header of plain http where UDP port 123 is closed) and believes them only where more than half agree. The repair starts the time service of the system and synchronises; trustfix sets the clock itself only where three operators agree. To undo by hand: disable the service again (timedatectl set-ntp false); the clock is not set back.",
		"系统时钟不准。证书只在两个日期之间有效，时钟不对，好证书也会显得已过期或尚未生效。trustfix 会同时询问至少三家不同机构的时间服务器（SNTP；UDP 123 不通时改看明文 http 的 Date 头），超过半数一致才采信。修复办法是启用系统自带的时间服务并同步；只有三家机构一致时才直接设置时钟。手工撤销：再次停用该服务（timedatectl set-ntp false），时钟不会拨回去。",
	},
	"clock-skew.behind": {"Your clock is {amount} behind", "系统时钟慢了 {amount}"},
	"clock-skew.ahead":  {"Your clock is {amount} ahead", "系统时钟快了 {amount}"},
	"clock-skew.floor":  {"Your clock is wrong: it says {clock}, and it is at least {floor}", "系统时钟不对：显示 {clock}，而现在至少是 {floor}"},
	"clock-skew.floor-evidence": {
		"the root certificates inside trustfix were collected on {floor}; no earlier date can be right, whatever a time server says",
		"trustfix 内置的根证书收集于 {floor}，无论时间服务器怎么说，更早的日期都不可能正确",
	},
	"clock-skew.agree":    {"{agree} of {answered} time servers agree ({who}) within {within} s", "{answered} 个时间服务器中有 {agree} 个一致（{who}），误差不超过 {within} 秒"},
	"clock-skew.one":      {"the one time server that this system is told to follow says so ({who}), within {within} s; no other answered", "系统配置的唯一时间服务器（{who}）这样说，误差不超过 {within} 秒；没有其他服务器应答"},
	"clock-skew.dates":    {"no time server answered (UDP port 123); the Date headers of {agree} of {answered} web servers agree ({who}) within 1 s", "没有时间服务器应答（UDP 123 端口）；{answered} 个网站中有 {agree} 个的 Date 头一致（{who}），误差约 1 秒"},
	"clock-skew.explains": {"that is why certificates of {n} servers look expired or not yet valid; they are fine", "{n} 个服务器的证书因此显得已过期或尚未生效；证书本身没有问题"},
	"clock-skew.before-floor": {
		"the time they give is before {floor}, when the root certificates inside trustfix were collected: it cannot be right",
		"它们给出的时间早于 {floor}（trustfix 内置根证书的收集日期），不可能正确",
	},
	"clock-skew.doubt": {
		"do not set the clock from this network: ask who runs its time servers, or compare with a clock you trust",
		"不要用这个网络的时间来设置时钟：先问清时间服务器由谁维护，或与可信的时钟核对",
	},
	"clock-skew.host": {
		"a container, or whatever holds this system, has no clock of its own: set the clock, or run trustfix --apply, on the machine outside",
		"容器之类的环境没有自己的时钟：请在外面的主机上校准时钟，或在那里执行 trustfix --apply",
	},

	"clock-unsynced.doc": {
		"No service keeps the system clock right, so it drifts until certificates fail. The clock may well be right today: this is for information and does not change the exit code. To repair: timedatectl set-ntp true; to undo: timedatectl set-ntp false.",
		"没有服务在维护系统时钟，时钟会慢慢偏移，直到证书校验失败。今天的时间可能仍然是对的：这只是提示，不影响退出码。修复：timedatectl set-ntp true；撤销：timedatectl set-ntp false。",
	},
	"clock-unsynced.none":     {"No service keeps the clock right", "没有服务在维护系统时钟"},
	"clock-unsynced.disabled": {"{service} is installed but not enabled: nothing keeps the clock right", "{service} 已安装但没有启用：没有服务在维护系统时钟"},
	"clock-unsynced.waiting":  {"{service} is enabled but has not synchronised the clock", "{service} 已启用，但还没有同步时钟"},
	"clock-unsynced.install":  {"install one: chrony on any system, or systemd-timesyncd", "安装一个即可：任何系统都可以用 chrony，也可以用 systemd-timesyncd"},
	"clock-unsynced.reach":    {"see whether {service} reaches its servers (UDP port 123)", "检查 {service} 能否连上它的服务器（UDP 123 端口）"},

	"sync-clock.doc": {
		"Starts and enables the time service of the system and makes it synchronise now; where three independent sources agree, trustfix also sets the clock itself, so that it is right at once. Undo: the service goes back to its former state; the clock is not set back.",
		"启用并启动系统的时间服务，立即同步；如有三个独立来源一致，trustfix 还会直接设置时钟，使其马上准确。撤销：服务恢复原来的状态，时钟不会拨回去。",
	},
	"sync-clock.service":     {"start {service} and synchronise (the clock itself is not set back by a rollback)", "启动 {service} 并同步（回滚时不会把时钟拨回去）"},
	"sync-clock.set":         {"set the clock by {amount}, as {who} agree (it is not set back by a rollback)", "按 {who} 的一致结果校准 {amount}（回滚时不会把时钟拨回去）"},
	"sync-clock.both":        {"set the clock by {amount}, as {who} agree, and let {service} keep it (it is not set back by a rollback)", "按 {who} 的一致结果校准 {amount}，并由 {service} 继续维护（回滚时不会把时钟拨回去）"},
	"sync-clock.why-few":     {"fewer than three independent sources agree on the time, and no time service is installed", "对时间意见一致的独立来源不足三个，系统也没有安装时间服务"},
	"sync-clock.do-few":      {"install chrony, or set the clock by hand: date -s \"YYYY-MM-DD HH:MM:SS\"", "安装 chrony，或手工校准：date -s \"YYYY-MM-DD HH:MM:SS\""},
	"sync-clock.why-host":    {"the clock belongs to the machine that runs this container", "时钟属于运行此容器的主机"},
	"sync-clock.do-host":     {"run there: trustfix --apply --only clock-skew", "请在主机上运行：trustfix --apply --only clock-skew"},
	"sync-clock.why-masked":  {"{service} was masked by an administrator", "{service} 被管理员屏蔽（masked）"},
	"sync-clock.do-masked":   {"unmask it if that was not on purpose: systemctl unmask {unit}", "如非有意，请解除屏蔽：systemctl unmask {unit}"},
	"sync-clock.why-floor":   {"the time that the servers give cannot be right", "服务器给出的时间不可能正确"},
	"sync-clock.do-floor":    {"compare with a clock you trust before anything is set", "先与可信的时钟核对，再做任何设置"},
	"sync-clock.why-no-init": {"{service} is installed, but no init system here starts it, and fewer than three independent sources agree", "{service} 已安装，但这里没有能启动它的 init 系统，且意见一致的独立来源不足三个"},
}
