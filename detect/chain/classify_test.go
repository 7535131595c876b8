package chain

import (
	"slices"
	"strings"
	"testing"
)

// What programs really print, each with the cause it must be taken for first,
// the tool and the host that show in it.
var classifyCases = []struct{ name, text, tool, host, first string }{
	{
		"conda, intercepted", `
CondaSSLError: Encountered an SSL error. Most likely a certificate verification issue.

Exception: HTTPSConnectionPool(host='repo.anaconda.com', port=443): Max retries exceeded with url: /pkgs/main/linux-64/repodata.json (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1000)')))`,
		"conda", "repo.anaconda.com", "server-intercepted",
	},
	{"conda 4.12 hides the reason", `CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main/linux-64/repodata.json>
Elapsed: -`, "conda", "mirrors.tuna.tsinghua.edu.cn", "server-incomplete-chain"},
	{
		"conda, bad ssl_verify", `CustomValidationError: Parameter ssl_verify = '~/ca.pem' declared in <<merged>> is invalid.
ssl_verify value '~/ca.pem' must be a boolean, a path to a certificate bundle file, a path to a directory containing certificates of trusted CAs, or 'truststore' to use the operating system certificate store.`,
		"conda", "", "ca-path-missing",
	},
	{"mamba", `critical libmamba Download error (60) SSL peer certificate or SSH remote key was not OK [https://conda.anaconda.org/conda-forge/noarch/repodata.json]
    SSL certificate problem: unable to get local issuer certificate`, "mamba", "conda.anaconda.org", "server-incomplete-chain"},
	{"mamba without a store", "critical libmamba No CA certificates found on system, aborting", "mamba", "", "store-missing"},
	{"pip, old", `  Could not fetch URL https://pypi.org/simple/six/: There was a problem confirming the ssl certificate: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded with url: /simple/six/ (Caused by SSLError(SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:852)'),)) - skipping
  Could not find a version that satisfies the requirement six (from versions: )`, "pip", "pypi.org", "server-incomplete-chain"},
	{
		"requests, expired", `Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/requests/adapters.py", line 517, in send
    raise SSLError(e, request=request)
requests.exceptions.SSLError: HTTPSConnectionPool(host='lib.example.org', port=8443): Max retries exceeded with url: / (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:992)')))`,
		"requests", "lib.example.org:8443", "clock-skew",
	},
	{"requests, missing bundle", `OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /home/lin/tuna.cert.pem`, "", "", "ca-path-missing"},
	{"python, not yet valid", `urllib.error.URLError: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate is not yet valid (_ssl.c:1006)>`, "python", "", "clock-skew"},
	{"python, name", `ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, certificate is not valid for 'mirror.example.cn'. (_ssl.c:1006)`, "python", "mirror.example.cn", "server-hostname"},
	{"python 3.13 strict", `[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Basic Constraints of CA cert not marked critical (_ssl.c:1020)`, "python", "", "strict-ca"},
	{"python 3.6, no reason", `ssl.SSLError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:852)`, "python", "", "server-incomplete-chain"},
	{"httpx", `httpx.ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1000)`, "httpx", "", "server-incomplete-chain"},
	{"aiohttp", `aiohttp.client_exceptions.ClientConnectorCertificateError: Cannot connect to host api.example.com:443 ssl:True [SSLCertVerificationError: (1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1000)")]`, "aiohttp", "api.example.com", "server-self-signed"},
	{"python, empty bundle", `ssl.SSLError: [X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found (_ssl.c:4149)`, "python", "", "ca-path-invalid"},
	{"uv", `error: Failed to fetch: ` + "`https://pypi.org/simple/six/`" + `
  Caused by: Request failed after 3 retries
  Caused by: error sending request for url (https://pypi.org/simple/six/)
  Caused by: client error (Connect)
  Caused by: invalid peer certificate: UnknownIssuer
hint: Consider enabling use of system TLS certificates with the --system-certs flag`, "uv", "pypi.org", "server-incomplete-chain"},
	{"uv 0.6, as it draws it", "  × Failed to fetch: `https://mirror.example.org/simple/labpkg/`" + `
  ├─▶ Request failed after 3 retries
  ├─▶ error sending request for url
  │   (https://mirror.example.org/simple/labpkg/)
  ├─▶ client error (Connect)
  ╰─▶ invalid peer certificate: UnknownIssuer
  help: Consider enabling use of system TLS certificates with the
` + "        `--native-tls` command-line flag", "uv", "mirror.example.org", "server-incomplete-chain"},
	{"uv 0.6, name", "error: Failed to fetch: `https://mirror.example.org/simple/labpkg/`" + `
  Caused by: Request failed after 3 retries
  Caused by: error sending request for url (https://mirror.example.org/simple/labpkg/)
  Caused by: client error (Connect)
  Caused by: invalid peer certificate: NotValidForName`, "uv", "mirror.example.org", "server-hostname"},
	{"poetry 2 tells nothing", `All attempts to connect to mirror.example.org failed.

Probable Causes:
 - the server is not responding to requests at the moment
 - the hostname cannot be resolved by your DNS
 - your network is not connected to the internet

You can also run your poetry command with -v to see more information.`, "poetry", "mirror.example.org", "server-incomplete-chain"},
	{"pdm 2.29", `[ConnectError]: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1130)
WARNING: Add '-v' to see the detailed traceback`, "python", "", "server-intercepted"},
	{"aws, missing bundle", `SSL validation failed for https://s3.example.org/b/k [Errno 2] No such file or directory`, "aws", "s3.example.org", "ca-path-missing"},
	{"aws, empty bundle", `aws: [ERROR]: Invalid CA bundle: the configured value (ca_bundle, AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE, or verify) resolved to an empty or whitespace-only string. Provide a valid path to a CA bundle file.`, "aws", "", "ca-path-missing"},
	{"rustls, pinned CA", `invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))`, "rustls", "", "server-self-signed"},
	{"cargo", `warning: spurious network error (3 tries remaining): [60] SSL peer certificate or SSH remote key was not OK (SSL certificate problem: certificate has expired)`, "cargo", "", "clock-skew"},
	{"curl, self-signed", `curl: (60) SSL certificate problem: self signed certificate
More details here: https://curl.se/docs/sslcerts.html`, "curl", "", "server-self-signed"},
	{"curl, name", `curl: (60) SSL: no alternative certificate subject name matches target host name 'pkgs.example.edu'`, "curl", "pkgs.example.edu", "server-hostname"},
	{"curl, missing file", `curl: (77) error setting certificate file: /etc/ssl/certs/ca-certificates.crt`, "curl", "", "ca-path-missing"},
	{"curl, not tls", `curl: (35) error:0A00010B:SSL routines::wrong version number`, "curl", "", "net-proxy"},
	{"curl, dns", `curl: (6) Could not resolve host: mirror.internal`, "curl", "mirror.internal", "net-dns"},
	{"wget", `--2026-11-21--  https://a.example.org/
ERROR: The certificate of ‘a.example.org’ is not trusted.
ERROR: The certificate of ‘a.example.org’ doesn't have a known issuer.`, "", "a.example.org", "server-incomplete-chain"},
	{"wget, expired", `ERROR: The certificate of ‘a.example.org’ is not trusted.
ERROR: The certificate of ‘a.example.org’ has expired.
The certificate has expired`, "", "a.example.org", "clock-skew"},
	{"git, gnutls", `fatal: unable to access 'https://git.example.org/r.git/': server certificate verification failed. CAfile: none CRLfile: none`, "git", "git.example.org", "server-incomplete-chain"},
	{"git, name", `fatal: unable to access 'https://git.example.org/r.git/': SSL: certificate subject name (old.example.org) does not match target host name 'git.example.org'`, "git", "git.example.org", "server-hostname"},
	{"npm", `npm error code UNABLE_TO_VERIFY_LEAF_SIGNATURE
npm error errno UNABLE_TO_VERIFY_LEAF_SIGNATURE
npm error request to https://npm.example.com/left-pad failed, reason: unable to verify the first certificate`, "npm", "npm.example.com", "server-incomplete-chain"},
	{"npm, proxy", `npm ERR! code SELF_SIGNED_CERT_IN_CHAIN
npm ERR! request to https://npm.example.com/left-pad failed, reason: self signed certificate in certificate chain`, "npm", "npm.example.com", "server-intercepted"},
	{"node, name", `Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: api.example.com. is not in the cert's altnames: DNS:example.com`, "", "api.example.com", "server-hostname"},
	{"node, intermediate only", `Error: unable to get issuer certificate { code: 'UNABLE_TO_GET_ISSUER_CERT' }`, "", "", "ca-path-partial"},
	{"go", `go: example.com/m@v1.0.0: Get "https://goproxy.example.com/example.com/m/@v/v1.0.0.info": tls: failed to verify certificate: x509: certificate signed by unknown authority`, "go", "goproxy.example.com", "server-incomplete-chain"},
	{"go, other key", `x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error" while trying to verify candidate authority certificate "Corp Root")`, "go", "", "server-forged"},
	{"go, expired", `tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2021-01-01T00:00:00Z is before 2026-01-01T00:00:00Z`, "go", "", "clock-skew"},
	{"go, http", `proxyconnect tcp: tls: first record does not look like a TLS handshake`, "go", "", "net-proxy"},
	{"java", `javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target`, "java", "", "server-incomplete-chain"},
	{"java, empty store", `java.lang.RuntimeException: Unexpected error: java.security.InvalidAlgorithmParameterException: the trustAnchors parameter must be non-empty`, "java", "", "store-empty"},
	{"apt", `E: Failed to fetch https://deb.example.org/dists/x/InRelease  Certificate verification failed: The certificate is NOT trusted. The certificate issuer is unknown.  Could not handshake: Error in the certificate verification.`, "apt", "deb.example.org", "server-incomplete-chain"},
	{"dnf", `Error: Failed to download metadata for repo 'base': Cannot download repomd.xml: Curl error (60): SSL peer certificate or SSH remote key was not OK for https://mirror.example.org/repodata/repomd.xml [SSL certificate problem: unable to get local issuer certificate]`, "dnf", "mirror.example.org", "server-incomplete-chain"},
	{"schannel, Chinese", `schannel: next InitializeSecurityContext failed: SEC_E_UNTRUSTED_ROOT (0x80090325) - 证书链是由不受信任的颁发机构颁发的。`, "schannel", "", "server-incomplete-chain"},
	{"schannel, revocation, German", `fatal: unable to access 'https://github.com/x/y/': schannel: next InitializeSecurityContext failed: Unknown error (0x80092012) - Die Sperrfunktion konnte die Sperrung des Zertifikats nicht überprüfen.`, "git", "github.com", "server-intercepted"},
	{"windows, decimal", `ssl handshake failed: -2146893016`, "schannel", "", "clock-skew"},
	{"ruby", `SSL_connect returned=1 errno=0 state=error: certificate verify failed (unable to get local issuer certificate) (OpenSSL::SSL::SSLError)`, "ruby", "", "server-incomplete-chain"},
	{"s_client", `verify error:num=21:unable to verify the first certificate
Verify return code: 21 (unable to verify the first certificate)`, "openssl", "", "server-incomplete-chain"},
	{"client certificate", `<html><head><title>400 No required SSL certificate was sent</title></head>`, "", "", "server-needs-client-cert"},
	{"verification is off", `InsecureRequestWarning: Unverified HTTPS request is being made to host 'pypi.org'. Adding certificate verification is strongly advised.`, "", "", "verify-off"},
	{"coloured and wrapped", "\x1b[31merror\x1b[0m: certificate\n  has\n  expired", "", "", "clock-skew"},
}

func TestClassify(t *testing.T) {
	for _, c := range classifyCases {
		t.Run(c.name, func(t *testing.T) {
			d := Classify(c.text)
			if len(d) == 0 {
				t.Fatal("not recognised")
			}
			if got := d[0]; got.Causes[0] != c.first || got.Tool != c.tool || got.Host != c.host {
				t.Errorf("got %s for %q from %q by %q, want %s from %q by %q", got.Causes[0], got.Host, got.Tool, got.Match, c.first, c.host, c.tool)
			}
			for _, d := range d {
				if len(d.Tell) == 0 || d.Next == "" {
					t.Errorf("%v: nothing to go on: %v, %q", d.Causes, d.Tell, d.Next)
				}
				for _, m := range d.Tell {
					if strings.HasPrefix(m.String(), m.Key) {
						t.Errorf("no text for %s", m.Key)
					}
				}
			}
		})
	}
}

// A host leads to the command that looks at it; a setting does not.
func TestClassifyNext(t *testing.T) {
	for _, c := range [][2]string{
		{"HTTPSConnectionPool(host='pypi.org', port=443): certificate has expired", "trustfix verify pypi.org"},
		{"certificate has expired", "trustfix"},
		{"OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /x", "trustfix clients"},
		{"fatal: unable to access 'https://user:secret@git.example.org:8443/r/': SSL certificate problem: certificate has expired", "trustfix verify git.example.org:8443"},
	} {
		d := Classify(c[0])
		if len(d) == 0 || d[0].Next != c[1] {
			t.Errorf("%q: got %+v, want %q", c[0], d, c[1])
		}
	}
}

// Nothing is read into what is no error, nor out of an address.
func TestClassifyNothing(t *testing.T) {
	for _, s := range []string{
		"", "hello", "Downloading https://example.org/certificate-has-expired/timed%20out.tar.gz", "200 OK",
	} {
		if d := Classify(s); d != nil {
			t.Errorf("%q: %+v", s, d)
		}
	}
}

// Every cause that the table names is a finding of PRODUCT §5.
func TestClassifyCausesExist(t *testing.T) {
	known := strings.Fields(`clock-skew store-missing store-empty store-corrupt store-unindexed verify-off ca-path-missing ca-path-invalid ca-path-partial
		ca-bundle-stale client-cert-expired openssl-old tls-old strict-ca server-expired server-not-yet-valid server-hostname server-revoked server-incomplete-chain
		server-private-ca server-self-signed server-intercepted server-forged server-weak server-constraint server-tls-old server-needs-client-cert
		server-malformed net-dns net-refused net-reset net-timeout net-proxy net-not-tls`)
	for _, r := range classRows {
		for _, c := range r.causes {
			if !slices.Contains(known, c) {
				t.Errorf("%v names %s", r.any, c)
			}
		}
		for _, w := range r.any {
			if f := strings.TrimSpace(fold(w)); f != strings.TrimSpace(w) {
				t.Errorf("%q can never match: it folds to %q", w, f)
			}
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, c := range classifyCases {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, d := range Classify(s) {
			if len(d.Causes) == 0 || d.Next == "" {
				t.Errorf("%+v", d)
			}
		}
	})
}

// Whole outputs, with all that stands around the error: only what is wrong is
// named, and the server is found.
func TestClassifyWholeOutputs(t *testing.T) {
	for _, c := range []struct{ name, said, causes, tool, host string }{
		{"openssl s_client, wrong name", `depth=0 CN = other.test
verify error:num=62:hostname mismatch
802B9A7A997F0000:error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889:
CONNECTED(00000003)
---
Certificate chain
 0 s:CN = other.test
   i:CN = Priv CA
   a:PKEY: id-ecPublicKey, 256 (bit); sigalg: ecdsa-with-SHA256
   v:NotBefore: Nov 22 06:45:43 2026 GMT; NotAfter: Dec  2 06:45:43 2026 GMT
---
Verification error: hostname mismatch
Verify return code: 62 (hostname mismatch)
`, "server-hostname", "openssl", ""},
		{"curl -v, unknown root", `*   Trying 127.0.0.1:8441...
* Connected to mirror.example.org (192.0.2.7) port 8441 (#0)
* ALPN: offers h2,http/1.1
*  CAfile: /etc/ssl/certs/ca-certificates.crt
* SSL certificate problem: self-signed certificate in certificate chain
* Closing connection 0
curl: (60) SSL certificate problem: self-signed certificate in certificate chain
More details here: https://curl.se/docs/sslcerts.html
`, "server-intercepted", "curl", "mirror.example.org:8441"},
		{"gem, unknown root", `ERROR:  SSL verification error at depth 1: self-signed certificate in certificate chain (19)
ERROR:  Root certificate is not trusted (/CN=Priv CA)
`, "server-intercepted", "ruby", ""},
	} {
		got := Classify(c.said)
		if len(got) != 1 || got[0].Causes[0] != c.causes || got[0].Tool != c.tool || got[0].Host != c.host {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
