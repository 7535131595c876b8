package text

// classifyTexts tell the causes apart that one error text can mean.
var classifyTexts = map[string]entry{
	"chain.tell-first": {
		"the server sent a certificate and nothing that signed it: most often it forgot its intermediate; `trustfix verify` shows the gap",
		"服务器只发送了自己的证书，没有发送签发它的证书：多半是漏了中间证书；用 `trustfix verify` 可以看到断在哪里",
	},
	"chain.tell-sent": {
		"if the server sent only its own certificate and the issuer is a known CA, the server forgot its intermediate",
		"如果服务器只发送了自己的证书，而签发者是公认的 CA，就是服务器漏发了中间证书",
	},
	"chain.tell-issuer": {
		"if the last issuer is in the system store but not in this client's bundle, the bundle is the problem; if it is in neither, it is a private CA or an interceptor",
		"如果最后一级签发者在系统信任库里、却不在这个客户端的证书包里，问题在证书包；两处都没有，则是私有 CA 或中间设备",
	},
	"chain.tell-intercepted": {
		"the same issuer for unrelated public sites means that somebody re-signs the traffic: your organisation's proxy, an antivirus, or an attacker",
		"互不相干的公网站点都由同一个签发者签名，说明有设备在解密重签：单位的代理、杀毒软件，或者攻击者",
	},
	"chain.tell-private": {
		"an internal host signed by your organisation's own CA needs that CA, confirmed by its SHA-256 from somebody you trust",
		"单位内部主机由自己的 CA 签发时，需要信任该 CA；请向可信的人核对它的 SHA-256",
	},
	"chain.tell-no-root": {
		"the trust file holds an intermediate but not the root above it: this client needs the whole chain up to a self-signed root",
		"信任文件里有中间证书却没有它上面的根证书：这个客户端要求一直连到自签名的根",
	},
	"chain.tell-self": {
		"the server's certificate vouches only for itself: a device or test server never given a real one, or not the server you meant",
		"服务器证书是自签名的：可能是从未换上正式证书的设备或测试服务器，也可能根本不是你要访问的服务器",
	},
	"chain.tell-portal": {
		"on a guest network, log in through the browser first: its login page answers in place of every site",
		"如果连的是访客网络，请先在浏览器里登录：登录页会顶替所有网站应答",
	},
	"chain.tell-strict": {
		"Python 3.13 and later check CA certificates strictly; other clients accept this one. Whoever runs the CA has to reissue it",
		"Python 3.13 起对 CA 证书检查更严，其他客户端仍会接受它；需要由 CA 的管理者重新签发",
	},
	"chain.tell-clock": {
		"check the clock first: a wrong clock makes good certificates look expired or not yet valid, on every site at once",
		"先看时钟：时钟不准时，好的证书也会显得已过期或尚未生效，而且所有网站会同时出错",
	},
	"chain.tell-which-expired": {
		"then see which certificate expired: the server's own (tell the operator), an intermediate, or a root in an old bundle on this machine",
		"再看是哪一张过期：服务器自己的证书（通知运维）、中间证书，还是本机旧证书包里的根证书",
	},
	"chain.tell-name": {
		"the certificate is for another name: a typing error, a mirror that moved, a server without this site, or a proxy's default certificate",
		"证书属于别的名称：可能是域名写错、镜像搬家、服务器没有配置该站点，或是代理的默认证书",
	},
	"chain.tell-forged": {
		"a signature or a CA flag in the chain is wrong: never trust such a certificate by hand; compare it over another network",
		"证书链里有签名或 CA 标志不对：绝不要手动信任这样的证书；换一个网络再比较一次",
	},
	"chain.tell-constraint": {
		"a CA in the chain may not sign this certificate, or not for this use: only whoever runs the CA can repair that",
		"链中的某个 CA 无权签发这张证书，或不能用于此用途：只有 CA 的管理者能解决",
	},
	"chain.tell-ca-leaf": {
		"the server shows a CA certificate, mostly self-signed, in place of a server certificate; rustls refuses it even when it is trusted",
		"服务器出示的是 CA 证书（多为自签名），而不是服务器证书；即使已信任，rustls 也会拒绝",
	},
	"chain.tell-weak": {
		"the key or the signature is too weak for this client's policy; older or other clients may still accept it",
		"密钥或签名强度低于这个客户端的要求；旧的或其他客户端可能仍会接受",
	},
	"chain.tell-malformed": {
		"the certificate itself is malformed; the operator has to replace it",
		"证书本身格式有误，需要运维更换",
	},
	"chain.tell-revocation": {
		"the proxy or firewall blocks the CA's revocation servers, or the certificate of an intercepting proxy names none; the chain itself may be fine",
		"代理或防火墙挡住了 CA 的吊销查询服务器，或中间设备的证书没有吊销地址；证书链本身可能没有问题",
	},
	"chain.tell-revoked": {
		"the CA took the certificate back: only the operator can replace it; until then do not use the server",
		"CA 已撤销这张证书：只有运维能更换；在此之前不要使用该服务器",
	},
	"chain.tell-tls": {
		"client and server have no TLS version or algorithm in common: one of the two is very old",
		"客户端与服务器没有共同支持的 TLS 版本或算法：其中一方太旧",
	},
	"chain.tell-not-tls": {
		"what answers does not speak TLS: an http proxy given as https://, a wrong port, or a login page",
		"对方说的不是 TLS：可能是把 http 代理写成了 https://、端口不对，或是登录页",
	},
	"chain.tell-file": {
		"a setting names a certificate file that is not there or cannot be read; no server is involved yet",
		"某个设置指向的证书文件不存在或无法读取；此时还没有连接服务器",
	},
	"chain.tell-pem": {
		"the trust file is no usable PEM: empty, DER, UTF-16, cut off, or blocks run together",
		"信任文件不是可用的 PEM：为空、是 DER 或 UTF-16、被截断，或多个块粘在一起",
	},
	"chain.tell-no-store": {
		"this system has no certificate store where the client looks: slim images come without ca-certificates",
		"客户端查找的位置没有根证书库：精简镜像往往没有安装 ca-certificates",
	},
	"chain.tell-java": {
		"Java opened its cacerts and found nothing in it: a PKCS12 file without its password looks empty, or the file is damaged",
		"Java 打开了 cacerts 却发现里面是空的：没有给密码的 PKCS12 会显得为空，或文件已损坏",
	},
	"chain.tell-openssl": {
		"this Python has no working or no recent OpenSSL: a broken PATH or library, not a matter of trust",
		"这个 Python 的 OpenSSL 缺失或太旧：是 PATH 或动态库的问题，与信任无关",
	},
	"chain.tell-off": {
		"verification is switched off somewhere: in a setting, a variable or the program",
		"某处关闭了证书校验：设置、环境变量或程序本身",
	},
	"chain.tell-client-cert": {
		"the server wants a client certificate, or refuses the one it got; an old protocol version can look the same",
		"服务器要求客户端证书，或拒绝了收到的那张；协议版本太旧时也会有同样的提示",
	},
	"chain.tell-proxy": {
		"the proxy refused or could not be reached: check its address, scheme (http:// is usual even for https sites) and password",
		"代理拒绝了请求或无法连接：检查代理的地址、协议（访问 https 站点通常也写 http://）和密码",
	},
	"chain.tell-dns": {
		"the name could not be resolved: a typing error, no network, or a name that only exists behind a VPN",
		"域名无法解析：可能写错、没有网络，或该域名只在 VPN 内可用",
	},
	"chain.tell-refused": {
		"nothing listens on that port, or a firewall says no",
		"该端口没有服务在监听，或被防火墙拒绝",
	},
	"chain.tell-reset": {
		"somebody cut the connection during the handshake: a firewall that filters by name, an overloaded server, or a proxy",
		"握手途中连接被切断：可能是按域名过滤的防火墙、过载的服务器，或代理",
	},
	"chain.tell-timeout": {
		"no answer in time: a firewall that drops packets, a proxy that is needed but not set, or a slow network",
		"超时没有应答：防火墙丢包、需要代理却没有设置，或网络太慢",
	},
	"chain.tell-poetry": {
		"poetry 2 says the same whether the network or a certificate is at fault; poetry -v prints the reason.",
		"无论是网络还是证书的问题，poetry 2 的说法都一样；poetry -v 会打印原因。",
	},
	"chain.tell-generic": {
		"the text does not say why: newer clients print a reason after `certificate verify failed`; `trustfix verify` finds it",
		"这段文字没有说明原因：较新的客户端会在 `certificate verify failed` 之后写明；用 `trustfix verify` 可以查出",
	},
}
