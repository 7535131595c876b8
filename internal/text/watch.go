package text

var watchTexts = map[string]entry{
	"cli.cmd-watch":       {"look at what ends and what fails: servers, targets, pins", "查看即将到期和校验失败的服务器、目标与固定证书包"},
	"cli.flag-prometheus": {"write the metrics there too (- is stdout)", "同时把指标写入该文件（- 表示标准输出）"},
	"cli.flag-days":       {"what ends within so many days is worth a warning", "多少天之内到期就发出警告"},
	"cli.watch-offline":   {"watch asks servers; it cannot work with --offline", "watch 需要访问服务器，不能与 --offline 同用"},
	"cli.bad-days":        {"--days must not be negative", "--days 不能为负数"},
	"cli.watch-nothing":   {"No client is configured to use a server over TLS here; name one with --target.", "这台机器上没有客户端配置了 TLS 服务器；可用 --target 指定。"},
	"cli.watch-until":     {"until {date}, {amount} left", "有效期至 {date}，还剩 {amount}"},
}
