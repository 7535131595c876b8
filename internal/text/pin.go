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

	"write-pin":       {"pin for {hosts}: a bundle with the verified CA certificates, for {client}: {path}", "为 {client} 写入 {hosts} 的证书包（含已验证的 CA 证书）：{path}"},
	"write-pin.point": {"point {name} in {where} to {path}", "将 {where} 中的 {name} 指向 {path}"},
	"write-pin.point-variable": {
		"set {name} in {where} to {path}: it is a variable, so it counts in shells that are started from now on, and in no service or desktop program before the next login",
		"在 {where} 中将 {name} 设为 {path}：它是环境变量，只对此后新开的 shell 生效；服务与桌面程序要到下次登录后才会看到",
	},
	"write-pin.by-hand":     {"set {name} in {where} to {path}", "将 {where} 中的 {name} 设为 {path}"},
	"write-pin.variable":    {"{name}, set at {where}, beats every setting of {client}", "{where} 设置的 {name} 优先于 {client} 的所有配置"},
	"write-pin.variable-do": {"remove {name} first, then run trustfix again", "请先移除 {name}，再重新运行 trustfix"},
	"write-pin.unverified":  {"{host} does not verify ({cause}), so there is nothing to pin", "{host} 未通过校验（{cause}），没有可固定的内容"},
	"write-pin.unused":      {"no client on this machine that can be given a bundle is configured to use {host}", "本机没有可指定证书包的客户端配置使用 {host}"},
	"write-pin.unused-do":   {"add {host} to their configuration first", "请先在其配置中添加 {host}"},
	"write-pin.doc": {
		"Writes a bundle beside the client's configuration: the public roots that the client trusts now, plus the CA certificates of the chain that were verified up to a reference root or to a CA you named; never a server's own certificate. Then it points the client there (conda and mamba ssl_verify, pip cert, pdm pypi.ca_certs, npm, pnpm and yarn cafile, yarn 2 httpsCaFilePath, gem :ssl_ca_cert, cargo http.cainfo, apt Acquire::https::CaInfo). Undo by hand: put the setting back, remove the file.",
		"在客户端配置旁写一个证书包：客户端目前信任的公共根证书，加上已验证到参考根证书（或你指定的 CA）的 CA 证书，绝不包含服务器自己的证书。然后让客户端使用它（conda 和 mamba 的 ssl_verify、pip 的 cert、pdm 的 pypi.ca_certs、npm、pnpm 和 yarn 的 cafile、yarn 2 的 httpsCaFilePath、gem 的 :ssl_ca_cert、cargo 的 http.cainfo、apt 的 Acquire::https::CaInfo）。手工撤销：恢复该配置项并删除文件。",
	},
	"add-private-ca.no-consent": {"nobody consented to this CA by its SHA-256", "尚未有人用 SHA-256 同意信任该 CA"},
	"add-private-ca.doc": {
		"Adds a private CA that you named by its SHA-256 to the system store, and to a bundle for each client that does not read that store and can be told of one by its own file; without the rights to change the store, for those that read it too. A CA that the system store trusts already is offered only to the clients that do not read it. Undo by hand: remove the CA's file from the store's directory and rebuild the store; put the clients' settings back.",
		"把你用 SHA-256 指定的私有 CA 加入系统根证书库；对不读系统库、又能用自身配置文件指定证书包的客户端，也加入其证书包；没有权限修改系统库时，读系统库的客户端也这样处理。系统库已信任的 CA，只提供给不读系统库的客户端。手工撤销：从系统库目录删除该 CA 文件并重建；恢复客户端的配置。",
	},
	"unpin":         {"remove the bundle for {hosts} that {client} reads: {path}", "删除 {client} 为 {hosts} 使用的证书包：{path}"},
	"unpin.keep":    {"keep the bundle of {client} only for {hosts}: {path}", "{client} 的证书包只保留 {hosts}：{path}"},
	"unpin.setting": {"put {name} in {where} back as it was before the pin", "将 {where} 中的 {name} 恢复到固定之前"},
	"unpin.unread":  {"whether {where} names a pin cannot be told: {error}", "无法判断 {where} 是否指向固定的证书包：{error}"},
	"unpin.doc": {
		"Removes bundles that trustfix wrote and the settings that name them; a setting that named another bundle before does so again.",
		"删除 trustfix 写的证书包以及指向它的配置项；如果该配置项原来指向别的证书包，则恢复原值。",
	},
}
