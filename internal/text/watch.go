package text

var watchTexts = map[string]entry{
	"cli.cmd-watch":          {"look at what ends and what fails: servers, targets, pins", "查看即将到期和校验失败的服务器、目标与固定证书包"},
	"cli.flag-prometheus":    {"write the metrics there too (- is stdout)", "同时把指标写入该文件（- 表示标准输出）"},
	"cli.flag-days":          {"what ends within so many days is worth a warning", "多少天之内到期就发出警告"},
	"cli.cmd-schedule":       {"renew the pins and watch once a day; remove ends that", "每天自动更新固定证书包并检查一次；remove 取消"},
	"cli.flag-renew":         {"write every pin anew for the hosts that verify today", "为今天能通过校验的主机重新写入所有固定证书包"},
	"cli.schedule-what":      {"{word} is not known here: trustfix schedule, or trustfix schedule remove", "不认识 {word}：请用 trustfix schedule 或 trustfix schedule remove"},
	"cli.schedule-root":      {"schedule works on the running system, not on another system's files", "schedule 只能用于正在运行的系统，不能用于另一个系统的文件树"},
	"cli.schedule-untrusted": {"others could replace this program, so it is not run every day with your rights: {error}\nPut it where only root writes, for example /usr/local/bin, and call it there.", "其他人可以替换这个程序，因此不会让它每天以你的权限运行：{error}\n请把它放到只有 root 能写的位置（例如 /usr/local/bin），再从那里运行。"},
	"cli.renew-and-hosts":    {"--renew is for all pins; name hosts or say --renew, not both", "--renew 针对所有固定证书包；请指定主机或使用 --renew，二者择一"},
	"schedule.doc":           {"Runs `trustfix pin --renew` and `trustfix watch` once a day by systemd, cron, launchd or the Task Scheduler. Undo: `trustfix schedule remove`, or rollback.", "通过 systemd、cron、launchd 或任务计划程序，每天运行一次 `trustfix pin --renew` 和 `trustfix watch`。撤销：`trustfix schedule remove` 或回滚。"},
	"schedule.install":       {"renew the pins and watch every day ({scheduler}, about {time})", "每天更新固定证书包并检查（{scheduler}，约 {time}）"},
	"schedule.remove":        {"end the daily job ({scheduler})", "取消每日任务（{scheduler}）"},
	"schedule.none":          {"nothing on this system runs jobs for this account; as a line of a crontab it would be:", "这个系统上没有可为此账户定时运行任务的服务；写成 crontab 的一行是："},
	"cli.watch-offline":      {"watch asks servers; it cannot work with --offline", "watch 需要访问服务器，不能与 --offline 同用"},
	"cli.bad-days":           {"--days must not be negative", "--days 不能为负数"},
	"cli.watch-nothing":      {"No client is configured to use a server over TLS here; name one with --target.", "这台机器上没有客户端配置了 TLS 服务器；可用 --target 指定。"},
	"cli.watch-until":        {"until {date}, {amount} left", "有效期至 {date}，还剩 {amount}"},
}
