package text

// storeTexts are about the operating system's trust store and what can be
// wrong with a bundle of certificates.
var storeTexts = map[string]entry{
	"store.root":           {"{name}, SHA-256 {sha256}", "{name}，SHA-256 {sha256}"},
	"store.names-more":     {"{names} and {n} more", "{names} 等，另有 {n} 个"},
	"store.kind-dir":       {"a directory", "目录"},
	"store.kind-other":     {"a pipe, socket or device", "管道、套接字或设备"},
	"store.managed":        {"this system ({system}) generates its store or keeps it read-only; what it wants instead:", "这个系统（{system}）的根证书库由系统生成或为只读，应当这样改："},
	"store.container":      {"this is a container: the repair goes with it, so repair the image too", "这是容器：修复会随容器一起消失，请同时修复镜像"},
	"store.container-line": {"this is a container: the repair goes with it; to keep it, add to the Dockerfile:", "这是容器：修复会随容器一起消失；要长期有效，请在 Dockerfile 中加入："},

	"bundle.truncated":   {"line {line}: a certificate is cut off", "第 {line} 行：证书被截断"},
	"bundle.headless":    {"line {line}: the beginning of the file is cut off", "第 {line} 行：文件开头被截掉了一段"},
	"bundle.glued":       {"line {line}: no line break between two certificates", "第 {line} 行：两个证书之间缺少换行"},
	"bundle.bom":         {"line {line}: a byte order mark hides the certificate after it", "第 {line} 行：字节顺序标记（BOM）使其后的证书不可见"},
	"bundle.utf16":       {"the file is UTF-16 text, as PowerShell's > writes it", "文件是 UTF-16 编码（PowerShell 的 > 会写成这样）"},
	"bundle.der":         {"line {line}: a certificate in binary form (DER), not PEM", "第 {line} 行：证书是二进制（DER）格式，不是 PEM"},
	"bundle.pkcs7":       {"line {line}: a PKCS#7 container, not certificates", "第 {line} 行：是 PKCS#7 容器，不是证书"},
	"bundle.trusted":     {"line {line}: a TRUSTED CERTIFICATE block", "第 {line} 行：TRUSTED CERTIFICATE 格式的证书"},
	"bundle.bad-block":   {"line {line}: a certificate that does not decode ({detail})", "第 {line} 行：证书无法解码（{detail}）"},
	"bundle.unusual":     {"line {line}: a certificate that not every program accepts ({detail})", "第 {line} 行：有的程序不接受这个证书（{detail}）"},
	"bundle.junk":        {"line {line}: data that does not belong there ({detail})", "第 {line} 行：混入了无关数据（{detail}）"},
	"bundle.none":        {"it holds no certificate", "其中没有任何证书"},
	"bundle.crlf":        {"line {line}: Windows line ends; every program reads them", "第 {line} 行：Windows 换行符，所有程序都能读取"},
	"bundle.duplicate":   {"{n} certificates stand there twice; that does no harm", "有 {n} 个证书重复出现，没有影响"},
	"bundle.private-key": {"line {line}: a private key; programs ignore it, but everybody can read it here", "第 {line} 行：混入了私钥；程序会忽略它，但所有人都能在这里读到它"},
	"bundle.breaks":      {"{what}; programs with {who} refuse the whole file or lose what follows", "{what}；使用 {who} 的程序会拒绝整个文件，或丢失其后的证书"},
	"bundle.hides":       {"{what}; programs with {who} silently go without it", "{what}；使用 {who} 的程序会悄悄跳过它"},

	"store-missing.doc": {
		"The file with the system's root certificates does not exist, or is a link that leads nowhere. Minimal images come without it; a failed upgrade or a clean-up removes it. trustfix makes it again by the distribution's own tool, installs the package where it is missing (its own https verified with the roots inside trustfix), or writes those roots where there is neither network nor package manager. To undo by hand: trustfix rollback, or remove the package.",
		"系统的根证书文件不存在，或是一个失效的链接。精简镜像本来就没有它，升级中断或误删也会造成这种情况。trustfix 会用发行版自带的工具重新生成；软件包缺失时安装软件包（下载时用 trustfix 内置的根证书校验）；没有网络或包管理器时，写入内置的根证书。手工撤销：trustfix rollback，或卸载该软件包。",
	},
	"store-missing":         {"The system's root certificates are missing: {path}", "系统根证书库缺失：{path}"},
	"store-missing.link":    {"{path} is a link to {target}, which does not exist", "{path} 是指向 {target} 的链接，而目标不存在"},
	"store-missing.package": {"the package {package} is not installed, or not completely", "软件包 {package} 没有安装，或安装不完整"},
	"store-missing.who":     {"curl, wget, git, apt and every program that uses the system's roots trust no server without it", "没有它，curl、wget、git、apt 以及所有使用系统根证书的程序都无法信任任何服务器"},

	"store-unreadable.doc": {
		"The file with the system's root certificates is there, but not everybody can read it: its mode, the mode of a directory above it, or its type (a directory that a container runtime made) is in the way. trustfix gives reading back or makes the file again. To undo by hand: trustfix rollback, or chmod as it was.",
		"系统的根证书文件存在，但不是所有用户都能读取：可能是文件权限、上级目录权限，或类型不对（例如容器运行时误建成了目录）。trustfix 会恢复读取权限或重新生成文件。手工撤销：trustfix rollback，或用 chmod 改回原权限。",
	},
	"store-unreadable":             {"The system's root certificates cannot be read: {path}", "系统根证书库无法读取：{path}"},
	"store-unreadable.mode":        {"{path} has mode {mode}: only its owner or group may read it", "{path} 的权限是 {mode}：只有属主或属组可以读取"},
	"store-unreadable.dir":         {"the directory {path} may not be entered by everybody", "不是所有用户都能进入目录 {path}"},
	"store-unreadable.kind":        {"{path} is {kind}, not a file", "{path} 是{kind}，不是文件"},
	"store-unreadable.advice-kind": {"find out what made {path}, remove it, and run trustfix again", "请先弄清是什么创建了 {path}，将其移除后再运行 trustfix"},

	"store-empty.doc": {
		"The file with the system's root certificates holds none. A rebuild without its sources, a disk that was full, or a configuration that deselects everything leaves it like that, and the tools call it success. trustfix makes it again from the distribution's certificates and reads the result. To undo by hand: trustfix rollback.",
		"系统的根证书文件里没有证书。在缺少源证书时重建、磁盘写满，或配置取消了全部证书，都会变成这样，而工具仍然报告成功。trustfix 会用发行版的证书重新生成，并读取结果加以确认。手工撤销：trustfix rollback。",
	},
	"store-empty":     {"The system's root store is empty: {path}", "系统根证书库是空的：{path}"},
	"store-empty.who": {"{path} holds no certificate: curl, Python and git refuse every server", "{path} 中没有任何证书：curl、Python、git 会拒绝所有服务器"},

	"store-corrupt.doc": {
		"The file with the system's root certificates is damaged: cut off, in a wrong encoding, or with foreign data in it. OpenSSL and GnuTLS then refuse the whole file, while Go quietly uses what is left, so some programs work and others do not. trustfix makes the file again by the distribution's own tool. Where the damage comes from a file of the administrator's, that file is named and left alone. To undo by hand: trustfix rollback.",
		"系统的根证书文件已损坏：被截断、编码错误，或混入了无关数据。OpenSSL 和 GnuTLS 会拒绝整个文件，而 Go 会悄悄使用剩下的部分，所以有的程序正常、有的不正常。trustfix 会用发行版自带的工具重新生成。如果问题来自管理员自己放置的文件，只指出该文件，不作改动。手工撤销：trustfix rollback。",
	},
	"store-corrupt":               {"The system's root store is damaged: {path}", "系统根证书库已损坏：{path}"},
	"store-corrupt.left":          {"{n} certificates can still be read; that is why some programs work", "还能读出 {n} 个证书，所以有的程序仍然正常"},
	"store-corrupt.large":         {"{path} is far larger than any store: it cannot be one", "{path} 远远大于正常的证书库，不可能是证书库"},
	"store-corrupt.anchor":        {"A certificate that was added to the system's roots is damaged: {path}", "添加到系统根证书中的一个证书文件已损坏：{path}"},
	"store-corrupt.anchor-advice": {"repair or remove {path}, then:", "修好或移除 {path}，然后执行："},
	"store-corrupt.anchor-der":    {"if you trust this certificate, store it as PEM:", "如果你信任这个证书，请转换成 PEM 格式："},

	"store-compromised-root.doc": {
		"The system trusts a root certificate that it should not: its private key has been published, so anybody can pose as any site, or the browsers' root programmes removed it for what its operator did. trustfix refuses it by the distribution's own means (a line in /etc/ca-certificates.conf, a file in the blocklist), or takes it out of the administrator's directory. To undo by hand: trustfix rollback, or remove that line or file and rebuild.",
		"系统信任了一个不该信任的根证书：它的私钥已经公开，任何人都能冒充任何网站；或者它因签发机构的行为被各浏览器的根证书计划移除。trustfix 会用发行版自己的办法禁用它（/etc/ca-certificates.conf 中的一行，或黑名单目录中的一个文件），或从管理员目录中移除。手工撤销：trustfix rollback，或删除该行、该文件后重建。",
	},
	"store-compromised-root.key":          {"The system trusts {name}, whose private key everybody has", "系统信任了 {name}，而它的私钥早已公开"},
	"store-compromised-root.key-evidence": {"published in {year}: whoever has it can pose as any site to this machine", "私钥于 {year} 年公开：持有者可以对本机冒充任何网站"},
	"store-compromised-root.removed":      {"The system trusts {name}, which the root programmes removed for cause in {year}", "系统信任了 {name}，它已在 {year} 年因违规被各根证书计划移除"},
	"store-compromised-root.withdrawn":    {"The system still trusts {name}, from which nothing new is accepted since {year}", "系统仍然信任 {name}，自 {year} 年起其新签发的证书已不再被接受"},

	"store-deselected.doc": {
		"The machine's own configuration keeps a public root certificate out of the system's store: a line with ! in /etc/ca-certificates.conf, or a file in a blocklist. Reinstalling the package keeps such lines. Where most roots are deselected that is damage, and trustfix selects them again; a single one is an administrator's word, and only your consent to its SHA-256 puts it back. To undo by hand: trustfix rollback, or put the ! back and rebuild.",
		"本机配置把公共根证书排除在系统证书库之外：/etc/ca-certificates.conf 中以 ! 开头的行，或黑名单目录中的文件。重装软件包不会去掉这些设置。如果大多数根证书都被取消，属于损坏，trustfix 会重新选中；单独一个则视为管理员的决定，只有你确认其 SHA-256 才会恢复。手工撤销：trustfix rollback，或加回 ! 后重建。",
	},
	"store-deselected":                   {"The configuration keeps {name} out of the system's roots", "配置把 {name} 排除在系统根证书之外"},
	"store-deselected.most":              {"{path} deselects {n} root certificates, most of those it lists", "{path} 取消了 {n} 个根证书，占其所列的大多数"},
	"store-deselected.reinstall":         {"reinstalling the package does not bring them back; the next rebuild removes them", "重装软件包不会恢复它们；下一次重建就会把它们移除"},
	"store-deselected.cloud-init":        {"{path} says that cloud-init wrote it (ca_certs: remove_defaults): somebody asked for this", "{path} 注明由 cloud-init 写入（ca_certs: remove_defaults）：这是有人要求的"},
	"store-deselected.cloud-init-advice": {"if it is not wanted, remove remove_defaults from the cloud-init data of this machine", "如果不需要，请从本机的 cloud-init 数据中去掉 remove_defaults"},
	"store-deselected.consent":           {"an administrator may have meant it; to select it again:", "这可能是管理员有意为之；要重新选中，请执行："},

	"store-stale.doc": {
		"The system's store lacks root certificates that browsers trust today: the distribution's package is old, or a certificate was lost. It is an error only where a server that a program here is configured to use needs one of them. trustfix rebuilds the store where the certificate is at hand, else brings the package up to date, else adds the certificates that are needed from those inside trustfix. To undo by hand: trustfix rollback.",
		"系统证书库缺少当前浏览器信任的一些根证书：可能是发行版的软件包太旧，或丢失了某个证书。只有当本机程序配置使用的服务器需要其中之一时才算错误。如果证书就在本机，trustfix 会重建证书库；否则更新软件包；再不行，就从内置根证书中补上需要的那些。手工撤销：trustfix rollback。",
	},
	"store-stale":        {"The system's root store lacks {n} of today's public roots", "系统根证书库缺少 {n} 个当前的公共根证书"},
	"store-stale.needed": {"The system's root store lacks the root that {host} needs", "系统根证书库缺少 {host} 需要的根证书"},
	"store-stale.hosts":  {"refused for that: {hosts}", "因此被拒绝的服务器：{hosts}"},
	"store-stale.first":  {"no server that is configured here needs them: {names}", "本机配置的服务器都不需要它们：{names}"},

	"store-unindexed.doc": {
		"The directory of certificates lacks the links by which programs find a root in it (names like 4042bcee.0). Programs that read the bundle work, those that read the directory (wget, git and apt with GnuTLS, OpenSSL by default) trust less or nothing. A plain rebuild does not notice; trustfix runs the distribution's tool from scratch. To undo by hand: trustfix rollback.",
		"证书目录缺少用来查找根证书的哈希链接（形如 4042bcee.0）。读取证书包文件的程序正常，而读取该目录的程序（使用 GnuTLS 的 wget、git、apt，以及默认的 OpenSSL）信任的根证书变少甚至没有。普通的重建不会发现这个问题；trustfix 会让发行版的工具从头重建。手工撤销：trustfix rollback。",
	},
	"store-unindexed":             {"Programs that search {path} do not find the system's roots", "按目录 {path} 查找的程序找不到系统根证书"},
	"store-unindexed.count":       {"{n} of {of} roots have no hash link there: {names}", "{of} 个根证书中有 {n} 个没有哈希链接：{names}"},
	"store-unindexed.dead":        {"{n} links lead nowhere", "{n} 个链接已失效"},
	"store-unindexed.who":         {"hits wget, git and other programs that read the directory; those that read the bundle work", "影响 wget、git 等读取该目录的程序；读取证书包文件的程序不受影响"},
	"store-unindexed.many":        {"{path} holds several certificates: programs that search the directory trust none of them", "{path} 中有多个证书：按目录查找的程序一个都不会信任"},
	"store-unindexed.many-names":  {"in the bundle, but without a hash link: {names}", "在证书包中，但没有哈希链接：{names}"},
	"store-unindexed.many-advice": {"split {path} into one file for each certificate, then run update-ca-certificates", "把 {path} 拆成每个证书一个文件，然后执行 update-ca-certificates"},
}
