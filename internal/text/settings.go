package text

// settingsTexts are about what clients are told: by files, by variables.
var settingsTexts = map[string]entry{
	"setting.says":    {"{where} says `{line}`", "{where} 写着 `{line}`"},
	"setting.unset":   {"{name} is set in this process and in no file that was found. If it was just taken out of a file, a new shell is enough; else remove it from what starts it. In this shell:", "{name} 只存在于当前进程的环境中，没有找到设置它的文件。如果刚刚从文件中删掉，打开新的 shell 即可；否则请从启动它的地方删掉。在当前 shell 中执行："},
	"setting.by-hand": {"remove {name} at {where} by hand", "请手工删除 {where} 处的 {name}"},
	"setting.unset-container": {
		"{name} comes with the container: remove its ENV line from the Dockerfile, or the -e option, and in this shell:",
		"{name} 由容器带入：请删除 Dockerfile 中对应的 ENV 行或启动时的 -e 选项，并在当前 shell 中执行：",
	},
	"setting.weigh":       {"{name} at {where} is yours to weigh: programs may depend on the hosts it names", "{where} 处的 {name} 需要你来权衡：可能有程序依赖其中的主机"},
	"setting.delete":      {"delete `{line}` at {where}", "删除 {where} 处的 `{line}`"},
	"setting.instead":     {"set {name} to {value} at {where}: without it git would refuse to start", "把 {where} 的 {name} 改为 {value}：若整行删除，git 会拒绝运行"},
	"setting.delete-all":  {"delete {name} in {file}, {n} times", "删除 {file} 中的 {name}，共 {n} 处"},
	"setting.cannot-edit": {"{where} cannot be edited without touching anything else: {error}", "无法在不影响其他内容的前提下修改 {where}：{error}"},
	"setting.no-file":     {"{name} is set in this process and in no file that was found", "{name} 只存在于当前进程的环境中，没有找到设置它的文件"},
	"setting.no-editor":   {"{where} is in a format that trustfix does not edit", "{where} 的格式 trustfix 不会编辑"},

	"config-unreadable.doc": {
		"A configuration file stands where a program looks for it and cannot be read: wrong syntax, not a regular file, no permission. The program stops or silently falls back to its defaults, and trustfix cannot tell what it was meant to say. Nothing is changed: correct the file at the line that is named.",
		"程序的配置文件存在但无法读取：语法错误、不是普通文件或没有权限。程序会因此停止工作，或悄悄改用默认值；trustfix 也无法判断它本来要表达什么。不会做任何修改，请按提示的行号改正该文件。",
	},
	"config-unreadable":        {"{file} cannot be read as configuration of {client}", "无法读取 {client} 的配置文件 {file}"},
	"config-unreadable.advice": {"correct {where}; until then nobody can tell what it asks for", "请改正 {where}；在此之前无法判断它要求什么"},

	"verify-off.doc": {
		"A setting tells a program not to check who it talks to. Everything it downloads can then be replaced on the way, and nobody notices. trustfix deletes the setting, since the default of every program is to verify; every other byte of the file stays. Undo: trustfix rollback. If the program then refuses a server, that refusal has a cause of its own, which trustfix names.",
		"有设置要求程序不检查对方身份。这样一来，下载的一切内容都可能在途中被替换而无人察觉。trustfix 会删除该设置（所有程序默认都会校验），文件的其他字节保持不变。撤销：trustfix rollback。如果之后程序拒绝某个服务器，那另有原因，trustfix 会指出。",
	},
	"verify-off":            {"{client} does not verify TLS", "{client} 的证书校验已关闭"},
	"verify-off.hosts":      {"{client} does not verify TLS for {hosts}", "{client} 对 {hosts} 的证书校验已关闭"},
	"verify-off.risk":       {"anyone between you and the server can replace what is downloaded", "你与服务器之间的任何人都可以替换下载的内容"},
	"verify-off.overridden": {"another layer overrides this today; it takes effect again when that one goes", "目前有另一层配置盖过它；那一层去掉后它会再次生效"},
	"verify-off.inert":      {"no program found here heeds {name} in this form; older versions do", "本机找到的程序都不理会这样的 {name}，但旧版本会"},
	"verify-off.empty":      {"a key without a value counts as false for {client}", "对 {client} 来说，没有值的键等于 false"},

	"ca-path.doc": {
		"A setting names a file or directory of root certificates that is missing (ca-path-missing), that the program cannot use (ca-path-invalid), or that holds only private CAs where it replaces all public ones (ca-path-partial). Most programs then refuse every server. trustfix removes the setting, so that the default roots count again, or points it at a complete bundle. Undo: trustfix rollback.",
		"有设置指向的根证书文件或目录不存在（ca-path-missing）、程序无法使用（ca-path-invalid），或者只含私有 CA 却替换掉了全部公共根证书（ca-path-partial）。多数程序会因此拒绝所有服务器。trustfix 会删除该设置，让默认的信任来源重新生效，或把它指向完整的证书文件。撤销：trustfix rollback。",
	},
	"ca-path-missing":                 {"{client} is told to read its roots from a file that does not exist: {path}", "{client} 被要求从不存在的文件读取根证书：{path}"},
	"ca-path-missing.dir":             {"{client} is told to read its roots from a directory that does not exist: {path}", "{client} 被要求从不存在的目录读取根证书：{path}"},
	"ca-path-invalid":                 {"{client} is told to read its roots from something it cannot use: {path}", "{client} 被要求读取的根证书文件无法使用：{path}"},
	"ca-path-partial":                 {"{client} trusts only the private CAs in {path}", "{client} 只信任 {path} 中的私有 CA"},
	"ca-path.hits":                    {"hits {clients}", "影响 {clients}"},
	"ca-path-invalid.no-certificates": {"{path} holds no certificate", "{path} 中没有证书"},
	"ca-path-invalid.problem":         {"{path}:{line}: {kind}; {libraries} cannot use the file", "{path}:{line}：{kind}；{libraries} 无法使用该文件"},
	"ca-path-invalid.empty-dir":       {"the directory {path} holds no certificate", "目录 {path} 中没有证书"},
	"ca-path-invalid.unhashed":        {"the directory {path} holds {n} certificates, but OpenSSL finds none without hash links", "目录 {path} 中有 {n} 张证书，但没有哈希链接，OpenSSL 一张也找不到"},
	"ca-path-invalid.conda":           {"conda accepts a boolean, an absolute path or truststore; `{value}` makes every conda command fail", "conda 只接受布尔值、绝对路径或 truststore；写成 `{value}` 会使所有 conda 命令失败"},
	"ca-path-invalid.poetry":          {"to poetry this is the name of a file, not a switch: only false without quotes in its own files is one", "poetry 把它当作文件名而不是开关：只有在 poetry 自己的文件中不带引号的 false 才是开关"},
	"ca-path-invalid.npm":             {"an empty ca leaves npm without any root", "ca 为空会使 npm 不信任任何根证书"},
	"ca-path-partial.hosts":           {"it holds {n} certificates, none of a public CA; {hosts} will be refused", "其中有 {n} 张证书，没有一张属于公共 CA；{hosts} 会被拒绝"},

	"ca-conflict.doc": {
		"Two settings of one program name different root certificates, and only one of them counts: a variable such as REQUESTS_CA_BUNDLE silently beats ssl_verify, for example. trustfix changes nothing: only you know which one you mean.",
		"同一个程序有两处设置指向不同的根证书，而只有一处生效：例如 REQUESTS_CA_BUNDLE 会悄悄盖过 ssl_verify。trustfix 不做修改，只有你知道想用哪一个。",
	},
	"ca-conflict":        {"{client}: {winner} silently overrides {loser}, and they name different roots", "{client}：{winner} 悄悄盖过了 {loser}，两者指向不同的根证书"},
	"ca-conflict.advice": {"keep one of {winner} and {loser}", "{winner} 与 {loser} 请只保留一处"},

	"ca-bundle-stale.doc": {
		"A program carries its own copy of the public root certificates, and the copy is older than the reference roots. That matters only when a server needs a root that is not in it: then it is an error, else information. Bring it up to date with the environment's own tool; files of certifi or ca-certificates are never edited in place, since the next update overwrites them.",
		"程序自带一份公共根证书，而这份副本比参考根证书旧。只有当某个服务器需要其中没有的根证书时才有影响：那时是错误，否则只是提示。请用该环境自己的工具更新；certifi 与 ca-certificates 的文件不会被直接修改，因为下次更新会覆盖。",
	},
	"ca-bundle-stale":              {"the roots of {client} in {path} are old: {n} public roots are missing", "{client} 的根证书 {path} 较旧：缺少 {n} 个公共根证书"},
	"ca-bundle-stale.fails":        {"{client} refuses {host} because its own roots are too old", "{client} 自带的根证书太旧，因此拒绝 {host}"},
	"ca-bundle-stale.lacks":        {"missing ({n}): {roots}", "缺少（{n} 个）：{roots}"},
	"ca-bundle-stale.needs":        {"{host} needs {root}", "{host} 需要 {root}"},
	"ca-bundle-stale.would-remove": {"careful: {host} is accepted by {root}, which stands in this file only; an update would remove it", "注意：{host} 是靠仅存在于该文件中的 {root} 才被接受的，更新会把它去掉"},
	"ca-bundle-stale.keep":         {"before updating, move {root} into a bundle of its own and name that in the client's settings", "更新之前，请把 {root} 移到单独的证书文件，并在客户端设置中指向它"},
	"ca-bundle-stale.advice":       {"upgrade what owns {path} with that environment's own tool", "请用该环境自己的工具升级 {path} 所属的软件包"},

	"insecure-url.doc": {
		"A package index or channel is read over plain http: nothing proves who sent the packages. Most servers offer the same over https. trustfix changes nothing, since it cannot know whether yours does.",
		"软件包索引或频道通过明文 http 读取：没有任何东西能证明软件包来自谁。多数服务器同时提供 https。trustfix 不做修改，因为无法确定你的服务器是否支持。",
	},
	"insecure-url":        {"{client} reads {url} without TLS", "{client} 以明文方式读取 {url}"},
	"insecure-url.risk":   {"what comes over plain http can be replaced on the way", "明文 http 传来的内容可能在途中被替换"},
	"insecure-url.advice": {"if the server offers it, write {url} at {where}", "如果服务器支持，请在 {where} 改写为 {url}"},

	"client-key-exposed.doc": {
		"The private key by which a program proves who it is can be read by other accounts of this machine. trustfix sets its mode to 0600. A key that stands among the trusted certificates of a bundle, which everybody has to be able to read, is yours to take out. Whoever read it before still has it: have the certificate replaced if others use this machine. Undo: trustfix rollback.",
		"程序用来证明自己身份的私钥可以被本机其他账户读取。trustfix 会把权限改为 0600。如果私钥混在人人都要读取的受信任证书列表里，则需要由你移出。此前读到它的人仍然持有它：如果有其他人使用这台机器，请更换证书。撤销：trustfix rollback。",
	},
	"client-key-exposed":               {"others on this machine can read the private key of {client}: {file}", "本机其他用户可以读取 {client} 的私钥：{file}"},
	"client-key-exposed.mode":          {"{file} has mode {mode}", "{file} 的权限是 {mode}"},
	"client-key-exposed.bundle":        {"a private key stands in a list of trusted certificates that others can read: {file}", "供他人读取的受信任证书列表中混入了私钥：{file}"},
	"client-key-exposed.copied":        {"it was copied from there to {file}", "它已从那里被复制到 {file}"},
	"client-key-exposed.bundle-advice": {"no program that reads {file} needs the key: move it to a file of its own that only its owner can read, and rebuild the store if the file is one of its sources", "读取 {file} 的程序都不需要这个私钥：请把它移到只有所有者可读的单独文件；如果该文件是系统证书库的来源，再重建证书库"},
	"client-key-exposed.others":        {"{file} belongs to somebody else than the settings that name it; its owner, if no other program has to read it:", "{file} 与引用它的设置属于不同的用户；如果没有其他程序需要读取它，请由其所有者执行："},
	"client-key-exposed.advice":        {"if other people use this machine, ask for a new certificate with a new key", "如果有其他人使用这台机器，请重新申请证书并更换私钥"},

	"client-cert-expired.doc": {
		"The certificate by which a program proves who it is to a server has expired, so servers that ask for it refuse. Only its issuer can renew it; trustfix changes nothing.",
		"程序用来向服务器证明自己身份的证书已过期，要求出示证书的服务器会拒绝。只有签发者能续期，trustfix 不做修改。",
	},
	"client-cert-expired":        {"the client certificate of {client} has expired: {file}", "{client} 的客户端证书已过期：{file}"},
	"client-cert-expired.date":   {"{subject}, valid until {date}", "{subject}，有效期至 {date}"},
	"client-cert-expired.advice": {"ask whoever issued it for a new one", "请向签发者申请新的证书"},

	"restore-verify.doc": {
		"Deletes the setting that switches verification off, wherever it stands; the default of every program is to verify. No other byte of the file changes. Undo: trustfix rollback, which puts the insecure line back and says so. By hand: write the line again.",
		"删除关闭证书校验的设置，无论它写在哪里；所有程序默认都会校验。文件的其他字节不变。撤销：trustfix rollback（会把不安全的那一行放回去，并明确说明）。手工撤销：重新写上那一行。",
	},
	"repair-ca-path.doc": {
		"Deletes a setting that names root certificates which are missing or cannot be used, so that the program's default roots count again; where the bundle holds private CAs that are needed, it points the setting at a complete bundle instead. No other byte of the file changes. Undo: trustfix rollback. By hand: write the line again.",
		"删除指向缺失或无法使用的根证书的设置，让程序的默认信任来源重新生效；如果其中有仍然需要的私有 CA，则改为指向完整的证书文件。文件的其他字节不变。撤销：trustfix rollback。手工撤销：重新写上那一行。",
	},
	"repair-ca-path.point":  {"point {name} at {where} to {file}", "把 {where} 处的 {name} 指向 {file}"},
	"repair-ca-path.bundle": {"write {file}: the CAs of {from} and the public roots", "写入 {file}：{from} 中的 CA 加上公共根证书"},
	"repair-ca-path.taken":  {"{file} is there already and is not trustfix's", "{file} 已存在，且不是 trustfix 创建的"},
	"repair-ca-path.taken-do": {
		"put the public roots and those of {from} into one file and name that in the setting, or move {file} away",
		"请把公共根证书与 {from} 中的证书合并到一个文件并在设置中指向它，或移走 {file}",
	},
	"upgrade-certifi.doc": {
		"Has the environment's own pip install the newest certifi. The download is verified with the reference roots, because the old copy may be what fails. Undo: the former files are restored. By hand: python -m pip install certifi==VERSION.",
		"用该环境自己的 pip 安装最新的 certifi。由于旧的根证书可能正是失败的原因，下载时用参考根证书校验。撤销：恢复原来的文件。手工撤销：python -m pip install certifi==原版本。",
	},
	"upgrade-certifi":     {"upgrade certifi in {path} with its own pip", "用 {path} 自己的 pip 升级 certifi"},
	"upgrade-certifi.why": {"trustfix cannot run the pip of {path} safely, or there is none", "{path} 没有 pip，或 trustfix 无法安全地运行它"},
	"refresh-bundle.doc": {
		"Adds to a bundle that no package owns the public roots that a configured server needs and that are newer than everything in it. A root that is older than the bundle and not in it was left out on purpose, and stays out. Undo: trustfix rollback restores the exact bytes.",
		"向不属于任何软件包的证书文件补充已配置服务器所需的、比文件中所有根证书都新的公共根证书。早于该文件却不在其中的根证书视为有意去除，不会加回。撤销：trustfix rollback 恢复原有字节。",
	},
	"refresh-bundle":          {"add {n} public roots to {file} that are newer than it", "向 {file} 补充 {n} 个较新的公共根证书"},
	"refresh-bundle.left-out": {"{root} is older than {file} and is not in it: somebody left it out", "{root} 早于 {file} 却不在其中：应是有人有意去除"},
	"refresh-bundle.left-out-do": {
		"if you want {root} to be trusted (SHA-256 {sha256}), add it to {file} yourself",
		"如果你希望信任 {root}（SHA-256 {sha256}），请自行把它加入 {file}",
	},
	"protect-key.doc": {
		"Sets the mode of a private key to 0600, so that only its owner reads it. Undo: trustfix rollback restores the former mode. By hand: chmod.",
		"把私钥的权限设为 0600，只有所有者可以读取。撤销：trustfix rollback 恢复原来的权限。手工撤销：chmod。",
	},
	"protect-key": {"make {file} readable for its owner only", "使 {file} 只能由所有者读取"},

	"runtime.refuses": {"{client} refuses {hosts} because of it", "{client} 因此拒绝 {hosts}"},
	"openssl-old.doc": {
		"A program uses an OpenSSL older than 1.1.0. Such a version takes the first path it finds from a server's certificate upwards; when a server still sends an expired cross-signed certificate, it misses the good path beside it. It also gets no repairs any more. It matters when a configured server fails because of it; else this is for information. Upgrade the program or its environment; trustfix does not replace programs.",
		"程序使用的 OpenSSL 早于 1.1.0。这样的版本从服务器证书往上只走找到的第一条路径；如果服务器仍在发送已过期的交叉签名证书，它就看不到旁边那条有效的路径，而且早已不再维护。只有当某个已配置的服务器因此失败时才是错误，否则只是提示。请升级程序或其环境；trustfix 不会替换程序。",
	},
	"openssl-old":         {"{client} ({path}) uses OpenSSL {version}", "{client}（{path}）使用 OpenSSL {version}"},
	"openssl-old.version": {"{path} is linked with OpenSSL {version}; 1.1.0 and later find the way past an expired cross-signature", "{path} 链接的是 OpenSSL {version}；1.1.0 及以后的版本才能绕过已过期的交叉签名"},
	"openssl-old.advice":  {"upgrade this environment, or make a new one with a current Python", "请升级该环境，或用较新的 Python 重建"},
	"tls-old.doc": {
		"A program speaks no TLS 1.2, which practically all servers require today. No certificate setting helps: the connection ends before one is looked at. Upgrade the program; trustfix does not replace programs.",
		"程序不支持 TLS 1.2，而如今几乎所有服务器都要求它。任何证书设置都无济于事：还没看到证书，连接就结束了。请升级程序；trustfix 不会替换程序。",
	},
	"tls-old":         {"{client} ({path}) speaks no TLS 1.2", "{client}（{path}）不支持 TLS 1.2"},
	"tls-old.java":    {"Java {version} at {path}: TLS 1.2 is on by default from Java 8", "{path} 的 Java {version}：Java 8 起才默认启用 TLS 1.2"},
	"tls-old.python":  {"Python {version} at {path}: TLS 1.2 came with 2.7.9", "{path} 的 Python {version}：2.7.9 起才支持 TLS 1.2"},
	"tls-old.openssl": {"{path} is linked with OpenSSL {version}: TLS 1.2 came with 1.0.1", "{path} 链接的是 OpenSSL {version}：1.0.1 起才支持 TLS 1.2"},
	"tls-old.advice":  {"upgrade it; no setting can add TLS 1.2", "请升级；没有任何设置能补上 TLS 1.2"},
	"strict-ca.doc": {
		"Since Python 3.13 certificates are checked more strictly: a CA without critical basic constraints, key usage or key identifiers is refused, which many company CAs and inspecting proxies are. Other programs accept it. Only the CA's operator can issue it anew; trusting a compliant intermediate, or the operating system's store through truststore, keeps verification on until then. It is an error where a configured server fails because of it, else information.",
		"从 Python 3.13 起证书检查更严格：基本约束未标记为 critical、缺少密钥用途或密钥标识符的 CA 会被拒绝，许多企业 CA 和流量审查设备的 CA 正是如此，而其他程序仍会接受。只有该 CA 的运营者能重新签发；在此之前可以信任合规的中间证书，或通过 truststore 使用系统证书库，校验始终保持开启。某个已配置的服务器因此失败时是错误，否则只是提示。",
	},
	"strict-ca":        {"Python 3.13 and later refuse {ca}", "Python 3.13 及以后的版本拒绝 {ca}"},
	"strict-ca.advice": {"ask who runs this CA to reissue it with critical basic constraints, key usage and key identifiers; until then use Python 3.12 or truststore", "请 CA 的运营者重新签发：基本约束标为 critical，并带有密钥用途和密钥标识符；在此之前请使用 Python 3.12 或 truststore"},
}
