package chain

import (
	"slices"
	"strings"
	"testing"
)

// said is what clients print, each with the causes that it must be taken for:
// the classification of errors and the tools built on those clients. A cause
// with a plus sign has to be first.
var said = []struct{ text, causes string }{
	// Issuer unknown, and the root not sent.
	{"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1007)", "+server-incomplete-chain ca-bundle-stale server-intercepted server-private-ca"},
	{"verify error:num=20:unable to get local issuer certificate", "+server-incomplete-chain"},
	{"{ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }", "+server-incomplete-chain"},
	{"tls: failed to verify certificate: x509: certificate signed by unknown authority", "+server-incomplete-chain server-private-ca"},
	{"PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target", "+server-incomplete-chain ca-bundle-stale"},
	{"ERROR: The certificate of ‘h.example’ is not trusted.\nERROR: The certificate of ‘h.example’ doesn't have a known issuer.", "+server-incomplete-chain"},
	{"server certificate verification failed. CAfile: none CRLfile: none", "+server-incomplete-chain store-missing"},
	{"fatal: unable to access 'https://h.example/': server certificate verification failed. CAfile: /etc/ssl/certs/ca-certificates.crt CRLfile: none", "+server-incomplete-chain"},
	{"invalid peer certificate: UnknownIssuer", "+server-incomplete-chain"},
	{"schannel: SEC_E_UNTRUSTED_ROOT (0x80090325) - The certificate chain was issued by an authority that is not trusted.", "+server-incomplete-chain server-private-ca"},
	{"ERROR: cannot verify h.example's certificate, issued by ‘CN=R3,O=Let's Encrypt,C=US’:\n  Unable to locally verify the issuer's authority.", "+server-incomplete-chain"},
	{"curl: (60) Peer's Certificate issuer is not recognized.", "+server-incomplete-chain"},
	{"net::ERR_CERT_AUTHORITY_INVALID", "+server-incomplete-chain"},
	{"SEC_ERROR_UNKNOWN_ISSUER", "+server-incomplete-chain"},
	{"The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot", "+server-incomplete-chain server-private-ca"},
	{"The remote certificate is invalid because of errors in the certificate chain: PartialChain", "+server-incomplete-chain"},
	// The intermediate is missing, told apart.
	{"Error: unable to verify the first certificate\n  code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'", "+server-incomplete-chain"},
	{"schannel: the certificate chain is incomplete", "+server-incomplete-chain"},
	// A root that was sent and is not trusted.
	{"certificate verify failed: self-signed certificate in certificate chain", "+server-intercepted server-private-ca"},
	{"certificate verify failed: self signed certificate in certificate chain", "+server-intercepted server-private-ca"},
	{"npm ERR! code SELF_SIGNED_CERT_IN_CHAIN", "+server-intercepted"},
	// Self-signed.
	{"curl: (60) SSL certificate problem: self-signed certificate", "+server-self-signed"},
	{"curl: (60) SSL certificate problem: self signed certificate", "+server-self-signed"},
	{"Error: self-signed certificate { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }", "+server-self-signed"},
	{"invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", "+server-self-signed"},
	{"ERROR: cannot verify h.example's certificate, issued by ‘CN=h.example’:\n  Self-signed certificate encountered.", "+server-self-signed"},
	// Intermediates in the trust file, and no root.
	{"certificate verify failed: unable to get issuer certificate (_ssl.c:1000)", "+ca-path-partial"},
	{"code: 'UNABLE_TO_GET_ISSUER_CERT'", "+ca-path-partial"},
	// The same name with another key.
	{`x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error" while trying to verify candidate authority certificate "X")`, "+server-forged"},
	{`x509: certificate signed by unknown authority (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate "X")`, "+server-forged"},
	// Expired.
	{"certificate verify failed: certificate has expired (_ssl.c:1000)", "+clock-skew server-expired openssl-old ca-bundle-stale"},
	{"npm error code CERT_HAS_EXPIRED", "+clock-skew server-expired"},
	{"x509: certificate has expired or is not yet valid: current time 2026-11-22T00:00:00Z is after 2026-01-01T00:00:00Z", "+clock-skew server-expired"},
	{"PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed", "+clock-skew server-expired server-not-yet-valid"},
	{"ERROR: The certificate of ‘h.example’ has expired.", "+clock-skew server-expired"},
	{"invalid peer certificate: certificate expired: verification time 1795000000 (UNIX), but certificate is not valid after 1790000000", "+clock-skew server-expired"},
	{"invalid peer certificate: Expired", "+clock-skew server-expired"},
	{"ERROR: cannot verify h.example's certificate, issued by ‘CN=R3’:\n  Issued certificate has expired.", "+clock-skew server-expired"},
	{"curl: (60) Peer's Certificate has expired.", "+clock-skew server-expired"},
	{"net::ERR_CERT_DATE_INVALID", "+clock-skew server-expired server-not-yet-valid"},
	{"The remote certificate is invalid because of errors in the certificate chain: NotTimeValid", "+clock-skew server-expired server-not-yet-valid"},
	// Not yet valid.
	{"certificate verify failed: certificate is not yet valid", "+clock-skew server-not-yet-valid"},
	{"code: 'CERT_NOT_YET_VALID'", "+clock-skew server-not-yet-valid"},
	{"x509: certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before 2026-01-01T00:00:00Z", "+clock-skew"},
	{"The certificate of ‘h.example’ is not yet activated.", "+clock-skew server-not-yet-valid"},
	{"invalid peer certificate: NotValidYet", "+clock-skew server-not-yet-valid"},
	{"  Issued certificate not yet valid.", "+clock-skew server-not-yet-valid"},
	// What random chains had real clients say.
	{"PKIX path validation failed: sun.security.validator.ValidatorException: TrustAnchor with subject \"CN=CA 1\" does not have keyCertSign bit set in KeyUsage extension", "+server-forged"},
	{"javax.net.ssl.SSLProtocolException: The certificate chain length (11) exceeds the maximum allowed length (10)", "+server-constraint"},
	{"java.security.cert.CertPathValidatorException: non-null policy tree required and policy tree is null", "+server-constraint"},
	{"x509: no valid chains built: 1 candidate chains with invalid policies", "+server-constraint"},
	{"javax.net.ssl.SSLException: Illegal given domain name: under_score.good.test", "+server-hostname"},
	// Another name.
	{"certificate verify failed: Hostname mismatch, certificate is not valid for 'h.example'.", "+server-hostname"},
	{"curl: (60) SSL: no alternative certificate subject name matches target host name 'h.example'", "+server-hostname"},
	{"curl: (60) SSL: no alternative certificate subject name matches target hostname 'h.example'", "+server-hostname"},
	{"curl: (51) SSL: certificate subject name 'x.example' does not match target host name 'h.example'", "+server-hostname"},
	{"[ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: h.example. is not in the cert's altnames: DNS:x.example", "+server-hostname"},
	{"[ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: IP: 192.0.2.7 is not in the cert's list: ", "+server-hostname"},
	{"x509: certificate is valid for x.example, not h.example", "+server-hostname"},
	{"java.security.cert.CertificateException: No subject alternative DNS name matching h.example found.", "+server-hostname"},
	{"The certificate's owner does not match hostname ‘h.example’", "+server-hostname"},
	{"SSL: certificate subject name (x.example) does not match target host name 'h.example'", "+server-hostname"},
	{"ERROR: no certificate subject alternative name matches\n\trequested host name ‘h.example’.", "+server-hostname"},
	{"ERROR: certificate common name ‘x.example’ doesn't match requested host name ‘h.example’.", "+server-hostname"},
	{"certificate verify failed: IP address mismatch, certificate is not valid for '192.0.2.7'.", "+server-hostname"},
	{"x509: cannot validate certificate for 192.0.2.7 because it doesn't contain any IP SANs", "+server-hostname"},
	{"No subject alternative names matching IP address 192.0.2.7 found", "+server-hostname"},
	{"x509: certificate relies on legacy Common Name field, use SANs instead", "+server-hostname"},
	{"curl: (51) Unable to communicate securely with peer: requested domain name does not match the server's certificate.", "+server-hostname"},
	{"The remote certificate is invalid according to the validation procedure: RemoteCertificateNameMismatch", "+server-hostname"},
	{"hostname 'h.example' doesn't match 'x.example'", "+server-hostname"},
	// Python 3.13.
	{"certificate verify failed: Basic Constraints of CA cert not marked critical", "+strict-ca"},
	{"certificate verify failed: CA cert does not include key usage extension", "+strict-ca"},
	{"certificate verify failed: Missing Authority Key Identifier", "+strict-ca"},
	{"certificate verify failed: Missing Subject Key Identifier", "+strict-ca"},
	{"certificate verify failed: Path length given without key usage keyCertSign", "+strict-ca"},
	{"certificate verify failed: Path length invalid for non-CA cert", "+strict-ca"},
	{"certificate verify failed: Key usage keyCertSign invalid for non-CA cert", "+strict-ca"},
	{"certificate verify failed: Issuer name empty", "+strict-ca"},
	{"certificate verify failed: Subject name empty", "+strict-ca"},
	{"certificate verify failed: Empty Subject Alternative Name extension", "+strict-ca"},
	{"certificate verify failed: Subject empty and Subject Alt Name extension not critical", "+strict-ca"},
	{"certificate verify failed: Authority Key Identifier marked critical", "+strict-ca"},
	{"certificate verify failed: Subject Key Identifier marked critical", "+strict-ca"},
	{"certificate verify failed: Using cert extension requires at least X509v3", "+strict-ca"},
	// No CA, or one that may not sign.
	{"certificate verify failed: invalid CA certificate", "+server-forged strict-ca"},
	{"Error: key usage does not include certificate signing { code: 'UNSPECIFIED' }", "+server-forged"},
	{`x509: certificate signed by unknown authority (possibly because of "x509: invalid signature: parent certificate cannot sign this kind of certificate" while trying to verify candidate authority certificate "X")`, "+server-forged"},
	{"CertPathValidatorException: CA key usage check failed: keyCertSign bit is not set", "+server-forged"},
	{"The certificate signer of ‘h.example’ was not a CA.", "+server-forged"},
	{"certificate verify failed: certificate signature failure", "+server-forged"},
	{"invalid peer certificate: BadSignature", "+server-forged"},
	// Constraints.
	{"certificate verify failed: path length constraint exceeded", "+server-constraint"},
	{"code: 'PATH_LENGTH_EXCEEDED'", "+server-constraint"},
	{"x509: too many intermediates for path length constraint", "+server-constraint"},
	{"basic constraints check failed: pathLenConstraint violated - this cert must be the last cert in the certification path", "+server-constraint"},
	{"certificate verify failed: permitted subtree violation", "+server-constraint"},
	{"certificate verify failed: excluded subtree violation", "+server-constraint"},
	{"x509: a root or intermediate certificate is not authorized to sign for this name: DNS name \"h.example\" is not permitted by any constraint", "+server-constraint"},
	{"CertPathValidatorException: name constraints check failed", "+server-constraint"},
	{"certificate verify failed: unsuitable certificate purpose", "+server-constraint"},
	{"certificate verify failed: unsupported certificate purpose", "+server-constraint"},
	{"code: 'INVALID_PURPOSE'", "+server-constraint"},
	{"x509: certificate specifies an incompatible key usage", "+server-constraint"},
	{"Extended key usage does not permit use for TLS server authentication", "+server-constraint"},
	// Revoked.
	{"certificate verify failed: certificate revoked", "+server-revoked"},
	{"The certificate of ‘h.example’ has been revoked.", "+server-revoked"},
	{"schannel: next InitializeSecurityContext failed: CRYPT_E_REVOKED (0x80092010) - The certificate is revoked.", "+server-revoked"},
	{"invalid peer certificate: Revoked", "+server-revoked"},
	{"curl: (91) OCSP status: revoked", "+server-revoked"},
	// Weak.
	{"certificate verify failed: EE certificate key too weak", "+server-weak"},
	{"[SSL: EE_KEY_TOO_SMALL] ee key too small", "+server-weak"},
	{"certificate verify failed: CA signature digest algorithm too weak", "+server-weak"},
	{"x509: cannot verify signature: insecure algorithm SHA1-RSA", "+server-weak"},
	{"[SSL: DH_KEY_TOO_SMALL] dh key too small", "+server-weak"},
	// No TLS there.
	{"[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1129)", "+net-proxy net-not-tls"},
	{"Error: write EPROTO 139:error:1408F10B:SSL routines:ssl3_get_record:wrong version number", "+net-proxy"},
	{"proxyconnect tcp: tls: first record does not look like a TLS handshake", "+net-proxy"},
	{"javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", "+net-proxy"},
	{"GnuTLS: An unexpected TLS packet was received.", "+net-proxy"},
	// Files.
	{"FileNotFoundError: [Errno 2] No such file or directory\n  File \"/v/httpx/_config.py\", line 40, in create_ssl_context\n    ctx = ssl.create_default_context(cafile=os.environ[\"SSL_CERT_FILE\"])", "+ca-path-missing"},
	{"OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /x.pem", "+ca-path-missing"},
	{"curl: (77) error setting certificate file: /x.pem", "+ca-path-missing"},
	{"[77] Problem with the SSL CA cert (path? access rights?)", "+ca-path-missing"},
	{"Warning: Ignoring extra certs from `/x.pem`, load failed: error:02001002:system library:fopen:No such file or directory", "+ca-path-missing"},
	{"warning: Invalid `SSL_CERT_FILE`. Path does not exist: `/x.pem`. No default certificates will be trusted.", "+ca-path-missing"},
	{"CustomValidationError: Parameter ssl_verify = '~/ca.pem' declared in <<merged>> is invalid.", "+ca-path-missing"},
	{"critical libmamba ssl_verify does not contain a valid file path.", "+ca-path-missing"},
	{"critical libmamba No CA certificates found on system, aborting", "+store-missing"},
	{"ssl.SSLError: [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found (_ssl.c:4149)", "+ca-path-invalid store-corrupt"},
	{"ssl.SSLError: [X509] PEM lib (_ssl.c:4149)", "+ca-path-invalid"},
	{"InvalidAlgorithmParameterException: the trustAnchors parameter must be non-empty", "+store-empty"},
	{"OpenSSL appears to be unavailable on this machine.", "+openssl-old"},
	// Schannel's revocation.
	{"schannel: next InitializeSecurityContext failed: CRYPT_E_NO_REVOCATION_CHECK (0x80092012) - The revocation function was unable to check revocation for the certificate.", "+server-intercepted net-proxy"},
	{"schannel: next InitializeSecurityContext failed: CRYPT_E_REVOCATION_OFFLINE (0x80092013)", "+server-intercepted"},
	{"schannel: next InitializeSecurityContext failed: Unknown error (0x80092012) - 吊销功能无法检查证书是否吊销。", "+server-intercepted"},
	{"schannel: CertGetCertificateChain trust error CERT_TRUST_REVOCATION_STATUS_UNKNOWN", "+server-intercepted"},
	{"schannel: the revocation status is unknown", "+server-intercepted"},
	// Translated by Windows: the number decides.
	{"schannel: next InitializeSecurityContext failed: SEC_E_UNTRUSTED_ROOT (0x80090325) - 证书链是由不受信任的颁发机构颁发的。", "+server-incomplete-chain"},
	{"schannel: next InitializeSecurityContext failed: Unknown error (0x80090328) - Das empfangene Zertifikat ist abgelaufen.", "+clock-skew server-expired"},
	{"schannel: next InitializeSecurityContext failed: Unknown error (0x80090322) - Le nom principal de la cible est incorrect.", "+server-hostname"},
	{"Exception: System.ComponentModel.Win32Exception (0x800B0109): 一个证书链处理，但在一个不被信任提供程序信任的根证书中终止。", "+server-incomplete-chain"},
	{"CertVerifyCertificateChainPolicy: 0x800B010F", "+server-hostname"},
	{"未能为 SSL/TLS 安全通道建立信任关系。 (0x80131509)", "+server-incomplete-chain"},
	{"The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel.", "+server-incomplete-chain server-private-ca"},
	// Wrappers alone.
	{"CondaSSLError: Encountered an SSL error. Most likely a certificate verification issue.", "+server-incomplete-chain clock-skew"},
	{"CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://h.example/>", "+server-incomplete-chain"},
	{"Could not fetch URL https://h.example/simple/x/: There was a problem confirming the ssl certificate: … - skipping", "+server-incomplete-chain"},
	{"pnpm: ERR_PNPM_META_FETCH_FAIL GET https://h.example/x: request to https://h.example/x failed, reason: unable to get local issuer certificate", "+server-incomplete-chain"},
	{"➤ YN0001: │ RequestError: self signed certificate in certificate chain", "+server-intercepted"},
	// Package managers of systems.
	{"Err:1 https://deb.example/debian x InRelease\n  Certificate verification failed: The certificate is NOT trusted. The certificate chain uses expired certificate.  Could not handshake: Error in the certificate verification. [IP: 192.0.2.7 443]", "+clock-skew server-expired"},
	{"  Certificate verification failed: The certificate is NOT trusted. The certificate chain uses not yet valid certificate.  Could not handshake: Error in the certificate verification.", "+clock-skew server-not-yet-valid"},
	{"  Certificate verification failed: The certificate is NOT trusted. The name in the certificate does not match the expected.  Could not handshake: Error in the certificate verification.", "+server-hostname"},
	{"  Certificate verification failed: The certificate is NOT trusted. The certificate issuer is unknown.  Could not handshake: Error in the certificate verification.", "+server-incomplete-chain"},
	{"  SSL connection failed: error:0A000086:SSL routines::certificate verify failed / Success", "+server-incomplete-chain"},
	{"W: https://deb.example/debian/dists/x/InRelease: No system certificates available. Try installing ca-certificates.", "+store-missing"},
	{"Curl error (60): Peer certificate cannot be authenticated with given CA certificates for https://h.example/repodata/repomd.xml [SSL certificate problem: unable to get local issuer certificate]", "+server-incomplete-chain"},
	{"Curl error (77): Problem with the SSL CA cert (path? access rights?) for https://h.example/repodata/repomd.xml [error setting certificate verify locations]", "+ca-path-missing store-missing"},
	{"Download (curl) error for 'https://h.example/repodata/repomd.xml':\nError code: Curl error 60\nError message: SSL certificate problem: self signed certificate in certificate chain", "+server-intercepted"},
	{"Error code: Curl error 60", "+server-incomplete-chain"},
	{"fetch https://h.example/alpine/v3.20/main/x86_64/APKINDEX.tar.gz\n139:error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:ssl/statem/statem_clnt.c:1889:\nWARNING: Ignoring https://h.example/alpine/v3.20/main: Permission denied", "+server-incomplete-chain"},
	{"WARNING: fetching https://h.example/alpine/v3.22/main: TLS: server certificate not trusted", "+server-incomplete-chain"},
	// Containers, languages, clouds.
	{`Error response from daemon: Get "https://h.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`, "+server-incomplete-chain"},
	{`Error response from daemon: Get "https://h.example/v2/": http: server gave HTTP response to HTTPS client`, "+net-proxy"},
	{"  [60] SSL peer certificate or SSH remote key was not OK (SSL certificate problem: certificate has expired)", "+clock-skew"},
	{"Caused by:\n  the SSL certificate is invalid; class=Ssl (16); code=Certificate (-17)", "+server-incomplete-chain"},
	{"error: could not download file from 'https://h.example/x.toml.sha256' to '/r': error sending request: client error (Connect): invalid peer certificate: UnknownIssuer", "+server-incomplete-chain"},
	{"Unable to download data from https://h.example/ - SSL_connect returned=1 errno=0 state=error: certificate verify failed (self-signed certificate in certificate chain) (https://h.example/specs.4.8.gz)", "+server-intercepted"},
	{"Could not verify the SSL certificate for https://h.example/.\nThere is a chance you are experiencing a man-in-the-middle attack, but most likely your system doesn't have the CA certificates needed for verification.", "+server-incomplete-chain store-missing"},
	{"Warning: unable to access index for repository https://h.example/src/contrib:\n  cannot open URL 'https://h.example/src/contrib/PACKAGES'\nURL 'https://h.example/src/contrib/PACKAGES': status was 'SSL peer certificate or SSH remote key was not OK'", "+server-incomplete-chain"},
	{"In download.file(url) : URL 'https://h.example/x': status was 'Peer certificate cannot be authenticated with given CA certificates'", "+server-incomplete-chain"},
	{"In download.file(url) : URL 'https://h.example/x': status was 'SSL connect error'", "+net-reset"},
	{"[ERROR] Could not transfer artifact a:b:pom:1 from/to central (https://h.example/maven2): PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target", "+server-incomplete-chain"},
	{"> Could not GET 'https://h.example/maven2/x.pom'.\n   > The server may not support the client's requested TLS protocol versions: (TLSv1.2, TLSv1.3).\n      > Remote host terminated the handshake", "+server-tls-old net-reset"},
	{"javax.net.ssl.SSLHandshakeException: Remote host terminated the handshake", "+net-reset"},
	{"SSL validation failed for https://h.example/ [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1000)", "+server-incomplete-chain"},
	{"ERROR: gcloud crashed (SSLError): HTTPSConnectionPool(host='h.example', port=443): Max retries exceeded with url: /token (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1000)')))", "+server-intercepted"},
	{"Certificate verification failed. This typically happens when using Azure CLI behind a proxy that intercepts traffic with a self-signed certificate. Please add this certificate to the trusted CA bundle.", "+server-intercepted"},
	{"svn: E230001: Server SSL certificate verification failed: issuer is not trusted", "+server-incomplete-chain"},
	{"HandshakeException: Handshake error in client (OS Error: CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate(handshake.cc:354))", "+server-incomplete-chain"},
}

// dressings are the ways in which a text comes to us.
var dressings = []struct {
	name string
	put  func(string) string
}{
	{"as it is", func(s string) string { return s }},
	{"CRLF", func(s string) string { return "C:\\> x\r\n" + strings.ReplaceAll(s, "\n", "\r\n") + "\r\n" }},
	{"colours", func(s string) string {
		return "\x1b[1;31mERROR\x1b[0m \x1b[38;5;9m" + strings.ReplaceAll(s, " ", "\x1b[0m \x1b[31m") + "\x1b[0m\x1b[K"
	}},
	{"a link and a title of the terminal", func(s string) string {
		return "\x1b]0;build\x07\x1b]8;;https://ci.test/log\x1b\\log\x1b]8;;\x1b\\ " + s
	}},
	{"a traceback", func(s string) string {
		return "Traceback (most recent call last):\n  File \"/usr/lib/python3/dist-packages/x.py\", line 1, in y\n    raise z\n" + s +
			"\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nRuntimeError: it did not work\n"
	}},
	{"a log of CI", func(s string) string {
		var b strings.Builder
		for l := range strings.Lines(s) {
			b.WriteString("2026-11-22T02:00:00.1234567Z #12 3.456 " + l)
		}
		return b.String()
	}},
	{"wrapped by a terminal", func(s string) string {
		return strings.ReplaceAll(s, " ", "\n    ")
	}},
}

func TestSaid(t *testing.T) {
	for _, c := range said {
		for _, d := range dressings {
			if d.name == "a log of CI" && strings.Contains(c.text, "\n") || d.name == "wrapped by a terminal" && strings.Contains(c.text, "https://") {
				continue // what stands between two lines, or an address cut in two, is another text
			}
			t.Run(d.name+"/"+strings.Join(strings.Fields(c.text[:min(len(c.text), 60)]), " "), func(t *testing.T) {
				got := Classify(d.put(c.text))
				var all []string
				for _, g := range got {
					all = append(all, g.Causes...)
				}
				for i, want := range strings.Fields(c.causes) {
					want = strings.TrimPrefix(want, "+")
					if !slices.Contains(all, want) || i == 0 && all[0] != want {
						t.Fatalf("%q is missing or not first in %v", want, all)
					}
				}
				if strings.Contains(c.text, "h.example") && (got[0].Host != "h.example" || !strings.HasPrefix(got[0].Next, "trustfix ")) {
					t.Errorf("host %q, next %q", got[0].Host, got[0].Next)
				}
			})
		}
	}
}
