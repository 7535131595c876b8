package bundles

import (
	"crypto/rsa"
	"crypto/x509"
	"strconv"
)

// DistrustReason says why nothing should trust a root.
type DistrustReason string

// The reasons.
const (
	// KeyPublic: anybody has the private key and can impersonate every site.
	KeyPublic DistrustReason = "key-public"
	// Removed: the root programmes took it out because of what its operator did.
	Removed DistrustReason = "removed"
	// Withdrawn: the programmes accept nothing new from it; stores of stable
	// distributions still ship it, so it is worth a note and no more.
	Withdrawn DistrustReason = "withdrawn"
)

// Distrust is a root that nothing should trust.
type Distrust struct {
	Name   string // as people know it
	Reason DistrustReason
	Year   int // of the event
}

type distrusted struct {
	Distrust
	cert, key string // SHA-256 of the certificate and of its SubjectPublicKeyInfo
}

// The first six are the interception roots whose keys were shipped to users;
// the certificates come from chromium/badssl.com (commit 6e53ae0, Apache-2.0,
// certs/src/crt), copied to testdata/badssl. The rest was in Mozilla's list
// (certificates from certifi's history, MPL-2.0) and was removed for cause.
// DigiNotar is missing: no copy was at hand to take a fingerprint from.
var distrustedRoots = []distrusted{
	{Distrust{"DSDTestProvider (Dell)", KeyPublic, 2015}, "0f912fd7be760be25afbc56bdc09cd9e5dcc9c6f6a55a778aefcb6aa30e31554", "130ad4e0633521290531b6651f5759b0bc7bc656709ff8f365c2143b0389b6f6"},
	{Distrust{"eDellRoot (Dell)", KeyPublic, 2015}, "ec30c9c3065a06bb07dc5b1c6b497f370c1ca65c0f30c08e042ba6bcecc78f2c", "cdee9f3305572a677e1a6c82dc1e02a35b11cae6a684338c9f37fe1ac8daec23"},
	{Distrust{"BadSSL MITM Software Test", KeyPublic, 2017}, "7e92d13dc13c9187154735f2d2f31a9c73b56480d77149aea9b063a448f32adc", "9d40513f43991af39fe413aff7608fc56463827137166547de0a1828d524ae98"},
	{Distrust{"Acme Co (preact-cli)", KeyPublic, 2017}, "2d4820b964f87f1f45e9417bbee214cbedab06228d5931470c5b704e2cf22326", "680971cb44b0fd56592102a256e85c58e87109ad8044c2b90d8f3c6e9eeab897"},
	{Distrust{"Superfish (Lenovo)", KeyPublic, 2015}, "b6fe9151402bad1c06d7e66db67a26aa7356f2e6c644dbcf9f98968ff632e1b7", "4bb8f35ba1e126f8dde1b0c420625ed86dce61a7bddadbdea9aba578ff13145e"},
	{Distrust{"localhost (webpack-dev-server)", KeyPublic, 2016}, "82dc8ef758fd76425907c8987c497a3fd752d445edfb9eebe3ca4204c7a69d39", "2bd1e667ec9ebbe02b9a7da264210c99b3eac1cc9141a0e30e3f623eaccec4e1"},

	{Distrust{"CNNIC ROOT", Removed, 2015}, "e28393773da845a679f2080cc7fb44a3b7a1c3792cb7eb7729fdcb6a8d99aea7", "1f4224cec84fc99ced881ff6fcfd3e21f8c519c547aa6a5dd3de247302ce50d1"},
	{Distrust{"China Internet Network Information Center EV", Removed, 2015}, "1c01c6f4dbb2fefc22558b2bca32563f49844acfc32b7be4b0ff599f9e8c7af7", "9dd55fc573f546cb6a3831d1112d8710a6f4f82dc87f5fae9d3a1a028dd36e4b"},
	{Distrust{"WoSign", Removed, 2017}, "4b22d5a6aec99f3cdb79aa5ec06838479cd5ecba7164f7f22dc1d65f63d85708", "d6a18443d348db994f934ccd8e635d833a27ac1e56f8afaf7c97cb4f43eab68b"},
	{Distrust{"WoSign 沃通", Removed, 2017}, "d6f034bd94aa233f0297eca4245b283973e447aa590f310c77f48fdf83112254", "db15c0062b520f318a19dacfecd64f9e7a3fbe609fd586796f20ae028e8e3058"},
	{Distrust{"WoSign G2", Removed, 2017}, "d487a56f83b07482e85e963394c1ecc2c9e51d0903ee946b02c301581ed99e16", "381a3fc7a8b082fa28613a4d07f2c7553f4e1918ee07caa9e8b7cede5a9ca06a"},
	{Distrust{"WoSign ECC", Removed, 2017}, "8b45da1c06f791eb0cabf26be588f5fb23165c2e614bf885562d0dce50b29b02", "7aedddf36b18f8acb7379fe1ce183212b2350d0788abe0e82457be9badad6d54"},
	{Distrust{"StartCom", Removed, 2017}, "c766a9bef2d4071c863a31aa4920e813b2d198608cb7b7cfe21143b836df09ea", "e42f24bd4d37f4aa2e56b979d83d1e65219fe0e9e3a382a1b3cb66c93955de75"},
	{Distrust{"StartCom", Removed, 2017}, "e17890ee09a3fbf4f48b9c414a17d637b7a50647e9bc752322727fcc1742a911", "e42f24bd4d37f4aa2e56b979d83d1e65219fe0e9e3a382a1b3cb66c93955de75"},
	{Distrust{"StartCom G2", Removed, 2017}, "c7ba6567de93a798ae1faa791e712d378fae1f93c4397fea441bb7cbe6fd5995", "1528397da212890a830b0b95a59968cef234773779df5181cf10fa647534bb65"},
	{Distrust{"PROCERT", Removed, 2017}, "3cfc3c14d1f684ff17e38c43ca440c00b967ec933e8bfe064ca1d72c90f2adb0", "c5ea259c629803508649f02177f63c32fa85cc4ad5c35f0d541c45df10a49fd7"},
	{Distrust{"Certinomis", Removed, 2019}, "2a99f5bc1174b73cbb1d620884e01c34e51ccb3978da125f0e33268883bf4158", "6b1a505e0246f2f60c490ff0c097a7be27210cbb7500237f88b0cd48298bc9b8"},
	{Distrust{"Camerfirma Chambers of Commerce", Removed, 2021}, "063e4afac491dfd332f3089b8542e94617d893d7fe944e10a7937ee29d9693c0", "ced43902ab5fb57b442322dc0e172a4fb55f7178b808f94e780a6fd6cc6bd818"},
	{Distrust{"Camerfirma Global Chambersign", Removed, 2021}, "136335439334a7698016a0d324de72284e079d7b5220bb8fbd747816eebebaca", "927a1b8562280576d048c50321ada43d8703d2d9521a18c28b8c46cc6aae4efd"},
	{Distrust{"TrustCor RootCert CA-1", Removed, 2022}, "d40e9c86cd8fe468c1776959f49ea774fa548684b6c406f3909261f4dce2575c", "ea87f462deefffbd7775aa2a4b7e0fcb91c22eee6df69ed90100ccc73b311476"},
	{Distrust{"TrustCor RootCert CA-2", Removed, 2022}, "0753e940378c1bd5e3836e395daea5cb839e5046f1bd0eae1951cf10fec7c965", "c63d68c648a18b77641c427a669d61c9768a55f4fcd0322eac96c57700299cf1"},
	{Distrust{"TrustCor ECA-1", Removed, 2022}, "5a885db19c01d912c5759388938cafbbdf031ab2d48e91ee15589b42971d039c", "7afe4b071a2f1f46f8ba944a26d584d5960b92fb48c3ba1b7cab84905f32aacd"},
	{Distrust{"E-Tugra", Removed, 2023}, "b0bfd52bb0d7d9bd92bf5d4dc13da255c02c542f378365ea893911f55e55f23c", "c1ad1b1898ec395048df070bfa217e25c913bed8ca6b73de085528846a0103c1"},
	{Distrust{"E-Tugra Global ECC v3", Removed, 2023}, "873f4685fa7f563625252e6d36bcd7f16fc24951f264e47e1b954f4908cdca13", "56f2ea8684106d0c73333951059d2bff9ace0a9934f015c5d84c5a959dfbb3cc"},
	{Distrust{"E-Tugra Global RSA v3", Removed, 2023}, "ef66b0b10a3cdb9f2e3648c76bd2af18ead2bfe6f117655e28c4060da1a3f4c2", "b3effbf46bcf66aedf71427e6bd60bf1a1878c7b72cab178703485fda6e3db38"},

	{Distrust{"GLOBALTRUST 2020", Withdrawn, 2024}, "9a296a5182d1d451a2e37f439b74daafa267523329f90f9a0d2007c334e23c9a", "fee8af929175687f4638a3fc983db8ecd0e5e2a83e737f3fb77b4c22fcbac0a6"},
}

var distrustedBy = func() (m struct{ cert, key map[string]int }) {
	m.cert, m.key = map[string]int{}, map[string]int{}
	for i, d := range distrustedRoots {
		m.cert[d.cert] = i
		m.key[d.key] = i
	}
	return m
}()

// Compromised reports a root that nothing should trust, by the certificate or
// by its public key: a new certificate over a published key is as bad.
func Compromised(c *x509.Certificate) (Distrust, bool) {
	if d, ok := CompromisedPrint(Fingerprint(c.Raw)); ok {
		return d, true
	}
	if i, ok := distrustedBy.key[Fingerprint(c.RawSubjectPublicKeyInfo)]; ok {
		return distrustedRoots[i].Distrust, true
	}
	return Distrust{}, false
}

// Weak says what makes a root forgeable with today's means, or "": an RSA key
// below 2048 bits, which the root programmes removed by 2015, or a signature
// with MD5, which is of that age. bits is the length of an RSA key.
func Weak(c *x509.Certificate) (why string, bits int) {
	if key, ok := c.PublicKey.(*rsa.PublicKey); ok {
		bits = key.N.BitLen()
	}
	switch {
	case bits > 0 && bits < 2048:
		return "RSA " + strconv.Itoa(bits), bits
	case c.SignatureAlgorithm == x509.MD5WithRSA, c.SignatureAlgorithm == x509.MD2WithRSA:
		return c.SignatureAlgorithm.String(), bits
	}
	return "", bits
}

// CompromisedPrint is Compromised by the certificate's fingerprint alone, for
// bundles that were only scanned.
func CompromisedPrint(fingerprint string) (Distrust, bool) {
	if i, ok := distrustedBy.cert[fingerprint]; ok {
		return distrustedRoots[i].Distrust, true
	}
	return Distrust{}, false
}
