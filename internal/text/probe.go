package text

// probeTexts are about judgements that the clients' own programs confirm.
var probeTexts = map[string]entry{
	"cli.flag-probe-clients": {"let the clients' own programs confirm the judgement (default with --apply and pin)", "让客户端程序自己来验证判断（使用 --apply 或 pin 时默认开启）"},

	"probe.verified":      {"verified: {who}", "已验证：{who}"},
	"probe.reaches":       {"{client} reaches {host}", "{client} 可以连接 {host}"},
	"probe.refuses":       {"{client} ({path}) refuses {host}; by its settings it should accept it", "{client}（{path}）拒绝 {host}；按其配置本应接受"},
	"probe.accepts":       {"{client} ({path}) accepts {host}; by its settings it should refuse it", "{client}（{path}）接受了 {host}；按其配置本应拒绝"},
	"probe.words":         {"it says: {words}", "它的原话：{words}"},
	"probe.disagreements": {"The client itself says otherwise than trustfix:", "客户端的实际结果与 trustfix 的判断不一致："},

	"verify-off.will-refuse":   {"once it verifies again, {client} will refuse {host}: {why} ({cause})", "恢复校验后，{client} 会拒绝 {host}：{why}（{cause}）"},
	"verify-off.why-server":    {"its certificate is not valid, and nothing on this machine can change that", "对方的证书无效，本机上的任何改动都无济于事"},
	"verify-off.why-ca":        {"no root that {client} trusts vouches for it", "{client} 信任的根证书都不为它担保"},
	"verify-off.choose-server": {"your choices: have its operator repair it, or use another mirror", "可以选择：请对方运营者修复，或改用其他镜像"},
	"verify-off.choose-ca":     {"your choices: another server, or --trust-ca SHA256 once you have checked its CA", "可以选择：改用其他服务器；或核实其 CA 后使用 --trust-ca SHA256"},
}
