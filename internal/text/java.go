package text

// javaTexts are about Java's key stores.
var javaTexts = map[string]entry{
	"java-store.missing":          {"Java passes over it without a word and goes on with its own roots: the CA that it was to trust is missing", "Java 会不加提示地跳过它，继续使用自带的根证书：本来要信任的 CA 就缺失了"},
	"java-store.missing-gradle":   {"Gradle opens the file itself, and where it is missing it reaches no server at all", "Gradle 会自己打开这个文件；文件不存在时，它连不上任何服务器"},
	"java-store.missing-password": {"Java passes over it, opens {path} with the password that was meant for it, fails, and refuses every server", "Java 会跳过它，却用为它设定的口令去打开 {path}，因而失败，拒绝所有服务器"},
	"java-store.password":         {"Java cannot open {path}: the password it is told does not fit, or the file was damaged", "Java 打不开 {path}：给出的口令不对，或文件已损坏"},
	"java-store.broken":           {"Java cannot open {path}: {error}", "Java 打不开 {path}：{error}"},
	"java-store.hidden":           {"{path} is a PKCS#12 store with a password that Java is not told: it shows no certificate", "{path} 是带口令的 PKCS#12 库，而 Java 没有得到口令：一张证书也看不到"},
	"java-store.unmarked":         {"{path} holds {n} certificates, but none is marked as trusted for Java (made by openssl, not by keytool)", "{path} 中有 {n} 张证书，但没有一张带有 Java 的受信标记（由 openssl 而非 keytool 生成）"},
	"java-store.empty":            {"{path} holds no trusted certificate", "{path} 中没有受信任的证书"},

	"java-store.own": {
		"{path} is a key store that somebody made; Java reads it instead of its own",
		"{path} 是别人建立的密钥库；Java 用它代替自带的证书库",
	},
	"java-store.own-do": {
		"add the CA to it: keytool -importcert -alias private-ca -file ca.pem -keystore {path}",
		"请把该 CA 加进去：keytool -importcert -alias private-ca -file ca.pem -keystore {path}",
	},
}
