package text

// chainTexts are what the judge can prove about a chain: one sentence each,
// that a person can check with the certificate in hand.
var chainTexts = map[string]entry{
	"chain.revoked":                {"{issuer} says, stapled by the server itself, that it revoked {subject} on {when} ({reason})", "服务器自己装订的应答表明：{issuer} 已于 {when} 吊销 {subject}（{reason}）"},
	"chain.revoked-by":             {"{issuer} revoked {subject} on {when} ({reason}); {from} says so", "{issuer} 已于 {when} 吊销 {subject}（{reason}）；依据 {from}"},
	"revocation.note":              {"{from}: {why}", "{from}：{why}"},
	"revocation.no-address":        {"the certificate names no http address to ask", "证书里没有可查询的 http 地址"},
	"revocation.unreadable":        {"the answer cannot be read: {error}", "应答无法解析：{error}"},
	"revocation.signature":         {"the answer is not signed by the issuer", "应答不是由签发者签名的"},
	"revocation.not-delegated":     {"the answer is signed by {responder}, whose certificate is not for OCSP signing", "应答由 {responder} 签名，而其证书不得用于签署 OCSP 应答"},
	"revocation.responder-time":    {"the answer is signed by {responder}, whose certificate is not valid now", "应答由 {responder} 签名，而其证书当前无效"},
	"revocation.responder-unknown": {"the responder does not know the certificate", "OCSP 服务器不认识该证书"},
	"revocation.later":             {"the answer begins only {from}", "应答自 {from} 起才有效"},
	"revocation.stale":             {"the answer ended {until}", "应答已于 {until} 过期"},
	"revocation.other-list":        {"the list is about other certificates", "该吊销列表针对的是其他证书"},
	"chain.expired": {
		"{subject} was valid {from} … {until}; it is judged at {at}",
		"{subject} 的有效期为 {from} … {until}；判断时间为 {at}",
	},
	"chain.not-yet-valid": {
		"{subject} becomes valid on {from} (until {until}); it is judged at {at}",
		"{subject} 自 {from} 起才生效（至 {until}）；判断时间为 {at}",
	},
	"chain.hostname": {
		"the certificate is for {names}, not for {host}",
		"证书属于 {names}，而不是 {host}",
	},
	"chain.hostname-more": {
		"the certificate is for {names} and {more} more names, not for {host}",
		"证书属于 {names} 等（另有 {more} 个名称），其中没有 {host}",
	},
	"chain.hostname-cn": {
		"the certificate has no subject alternative names; the common name {cn} does not count for {host}",
		"证书没有主题备用名称（SAN）；通用名称 {cn} 不能证明它属于 {host}",
	},
	"chain.hostname-none": {
		"the certificate names no host at all, so it cannot be for {host}",
		"证书里没有任何主机名，无法证明它属于 {host}",
	},
	"chain.bad-signature": {
		"the signature on {subject} was not made with the key of {issuer}",
		"{subject} 上的签名不是用 {issuer} 的密钥生成的",
	},
	"chain.other-key": {
		"{subject} names another key of its issuer than the {issuer} at hand: the CA changed its key, or this is not the CA",
		"{subject} 指明的签发者密钥与现有的 {issuer} 不同：要么该 CA 换过密钥，要么这不是同一个 CA",
	},
	"chain.not-ca": {
		"{subject} signed {child} but is not a CA certificate",
		"{subject} 签发了 {child}，但它不是 CA 证书",
	},
	"chain.key-usage": {
		"{subject} signed {child}, but its key usage does not allow signing certificates",
		"{subject} 签发了 {child}，但其密钥用途不允许签发证书",
	},
	"chain.path-length": {
		"{subject} allows {allowed} CA certificates below it; there are {found}",
		"{subject} 下面最多允许 {allowed} 级 CA，实际有 {found} 级",
	},
	"chain.constraint-excluded": {
		"{ca} is not allowed to sign for {name}: {subtree} is excluded",
		"{ca} 无权为 {name} 签发证书：{subtree} 已被排除",
	},
	"chain.constraint-outside": {
		"{ca} is not allowed to sign for {name}: it lies outside what is permitted",
		"{ca} 无权为 {name} 签发证书：不在允许的范围内",
	},
	"chain.constraint-name": {
		"{ca} restricts names, and {name} cannot be compared with its restrictions",
		"{ca} 带有名称约束，而 {name} 无法与之比较",
	},
	"chain.constraint-unread": {
		"the name constraints of {ca}, or the names below it, are malformed",
		"{ca} 的名称约束或其下证书的名称格式有误",
	},
	"chain.constraint-many": {
		"checking the names against the constraints of {ca} takes more comparisons than any honest chain needs",
		"按 {ca} 的名称约束逐一比较所需的次数，远超任何正常证书链",
	},
	"chain.eku": {
		"{subject} may be used for {usages}, not for TLS servers",
		"{subject} 的用途是 {usages}，不能用于 TLS 服务器",
	},
	"chain.critical": {
		"{subject} carries a critical extension that nobody here knows: {oid}",
		"{subject} 含有无法识别的关键扩展：{oid}",
	},
	"chain.weak-key": {
		"the key of {subject} is {kind} with {bits} bits; at least RSA 2048 or ECDSA P-256 is expected",
		"{subject} 的密钥是 {bits} 位 {kind}；至少应为 RSA 2048 位或 ECDSA P-256",
	},
	"chain.weak-signature": {
		"{subject} is signed with {algorithm}, which can be forged or is no longer used in TLS",
		"{subject} 的签名算法是 {algorithm}，可被伪造或已被 TLS 弃用",
	},
	"chain.unread-signature": {
		"the signature on {subject} ({algorithm}) or the key it needs is of a kind that cannot be checked",
		"{subject} 的签名（{algorithm}）或其签发密钥属于无法校验的类型",
	},
	"chain.distrusted": {
		"the root programmes no longer accept new certificates of {subject}: {error}",
		"根证书计划不再接受 {subject} 新签发的证书：{error}",
	},
	"chain.self-signed": {
		"{subject} vouches only for itself (SHA-256 {sha256})",
		"{subject} 是自签名证书，只有它自己为自己担保（SHA-256 {sha256}）",
	},
	"chain.private-root": {
		"the chain ends at {subject}, a CA that is not trusted here (SHA-256 {sha256})",
		"证书链止于 {subject}，这里并不信任该 CA（SHA-256 {sha256}）",
	},
	"chain.private-issuer": {
		"{subject} was issued by {issuer}, which the server did not send and nobody here trusts",
		"{subject} 由 {issuer} 签发；服务器没有发送该证书，这里也不信任它",
	},
	"chain.incomplete": {
		"the server sent only its own certificate; {subject} was issued by {issuer}, which is missing",
		"服务器只发送了自己的证书；{subject} 由 {issuer} 签发，而后者缺失",
	},
	"chain.not-sent": {
		"the server did not send {subject}, which signed {child}; with it the chain is complete",
		"服务器没有发送签发 {child} 的 {subject}；补上它，证书链就完整了",
	},
	"chain.malformed": {
		"the certificate {subject} cannot be read: {error}",
		"证书 {subject} 无法解析：{error}",
	},
	"chain.unicode-name": {
		"it names {name} in Unicode; in a certificate that has to be written {ascii}",
		"其中的名称 {name} 是 Unicode 形式；证书里必须写成 {ascii}",
	},
	"chain.malformed-issuer": {
		"{subject} was issued by {issuer}, whose certificate cannot be read",
		"{subject} 由 {issuer} 签发，而后者的证书无法解析",
	},
	"chain.empty": {
		"the server sent no certificate",
		"服务器没有发送证书",
	},
	"chain.strict": {
		"Python 3.13 and later refuse {subject}: {error}",
		"Python 3.13 及以上版本拒绝 {subject}：{error}",
	},
	"chain.malformed-unread": {
		"{subject} needs a certificate of {issuer}, and one of those that the server sent cannot be read at all",
		"{subject} 需要 {issuer} 的证书，而服务器发来的证书中有一张完全无法读取",
	},
	"chain.malformed-names": {
		"the subject alternative names of {subject} are malformed",
		"{subject} 的主题备用名称（SAN）格式有误",
	},
	"chain.lifetime": {
		"{subject} is valid for longer than the {days} days that this client allows",
		"{subject} 的有效期超过了该客户端允许的 {days} 天",
	},
	"chain.policy": {
		"{subject} asks for a certificate policy, and the certificates below it agree on none",
		"{subject} 要求明确的证书策略，而其下的证书没有共同的策略",
	},
	"chain.policy-any": {
		"{subject} maps certificate policies from or to any policy, which is not allowed",
		"{subject} 的策略映射涉及“任意策略”，这是不允许的",
	},
	"chain.many-sent": {
		"the server sent {found} certificates, {client} takes {allowed} at most",
		"服务器发送了 {found} 个证书，{client} 最多接受 {allowed} 个",
	},
	"chain.leaf-ca": {
		"{subject} is a CA certificate in the place of a server's",
		"{subject} 是 CA 证书，却被当作服务器证书使用",
	},
	"chain.client": {
		"{client} refuses {subject}: {error}",
		"{client} 拒绝 {subject}：{error}",
	},
	"chain.draw-trusted":        {"trusted here", "这里信任它"},
	"chain.draw-until":          {"until {day}", "有效至 {day}"},
	"chain.draw-missing":        {"not sent by the server, unknown here", "服务器没有发送，这里也没有"},
	"chain.draw-not-sent":       {"not sent by the server", "服务器没有发送"},
	"chain.draw-forged":         {"signature does not verify", "签名校验不通过"},
	"chain.draw-expired":        {"expired {day}", "已于 {day} 过期"},
	"chain.draw-not-yet":        {"valid from {day}", "{day} 起才生效"},
	"chain.draw-hostname":       {"for other names", "域名不匹配"},
	"chain.draw-self-signed":    {"vouches only for itself", "自签名"},
	"chain.draw-untrusted":      {"not trusted here", "这里不信任它"},
	"chain.draw-not-ca":         {"not a CA", "不是 CA 证书"},
	"chain.draw-key-usage":      {"may not sign certificates", "不允许签发证书"},
	"chain.draw-path-length":    {"chain too long for it", "超出路径长度限制"},
	"chain.draw-constraint":     {"name not allowed by its CA", "违反名称约束"},
	"chain.draw-eku":            {"not for TLS servers", "不能用于 TLS 服务器"},
	"chain.draw-critical":       {"unknown critical extension", "含未知的关键扩展"},
	"chain.draw-distrusted":     {"no longer accepted by the root programmes", "根证书计划已不再接受"},
	"chain.draw-weak-key":       {"key too weak", "密钥强度不足"},
	"chain.draw-weak-signature": {"signature can be forged", "签名算法过弱"},
	"chain.draw-revoked":        {"revoked", "已被吊销"},
	"chain.draw-strict":         {"refused by Python 3.13", "Python 3.13 拒绝它"},
}
