package text

// pinTexts are about bundles that trustfix writes for a client.
var pinTexts = map[string]entry{
	"pin.print": {"{name}: SHA-256 {sha256}, until {until}", "{name}：SHA-256 {sha256}，有效期至 {until}"},
	"pin.renew": {"Fetch the chain again, verify it and write a new bundle:", "重新获取证书链、验证并写入新的证书包："},

	"pin-mismatch":          {"{host} no longer verifies with the bundle that {client} reads", "{host} 已无法用 {client} 的证书包校验通过"},
	"pin-mismatch.old":      {"pinned: {name}, SHA-256 {sha256}", "已固定：{name}，SHA-256 {sha256}"},
	"pin-mismatch.new":      {"served: {name}, SHA-256 {sha256}", "服务器现在的：{name}，SHA-256 {sha256}"},
	"pin-mismatch.verifies": {"the new chain verifies up to a public root: the server most likely changed its intermediate", "新的证书链可以验证到公共根证书：多半是服务器更换了中间证书"},
	"pin-mismatch.renew":    {"If the change is expected (ask the operator where it is a private CA), renew the bundle:", "如果这次变化在意料之中（私有 CA 请先问运营者），请更新证书包："},
	"pin-mismatch.doc": {
		"A bundle that trustfix wrote for a host no longer completes that host's chain: the server changed its CA or intermediate, or somebody stands in between. trustfix shows both fingerprints and never renews such a bundle by itself; trustfix pin HOST verifies the new chain and does.",
		"trustfix 为某个主机写的证书包已不能补全它的证书链：服务器更换了 CA 或中间证书，或者有人插在中间。trustfix 会列出新旧指纹，但绝不自行更新；执行 trustfix pin HOST 才会验证新的证书链并更新。",
	},
	"pin-expired":  {"{name} in the bundle of {client} ended {amount} ago", "{client} 的证书包里的 {name} 已过期 {amount}"},
	"pin-expiring": {"{name} in the bundle of {client} ends in {amount}", "{client} 的证书包里的 {name} 还有 {amount} 到期"},
	"pin-expired.doc": {
		"A CA certificate in a bundle that trustfix wrote has ended, so what it was pinned for fails. trustfix pin HOST writes a new one.",
		"trustfix 写的证书包中有 CA 证书已过期，依赖它的主机会校验失败。执行 trustfix pin HOST 可重新生成。",
	},
	"pin-expiring.doc": {
		"A CA certificate in a bundle that trustfix wrote ends within 30 days. trustfix pin HOST writes a new one; trustfix schedule does so regularly.",
		"trustfix 写的证书包中有 CA 证书将在 30 天内到期。执行 trustfix pin HOST 可重新生成；trustfix schedule 可定期自动完成。",
	},
}
