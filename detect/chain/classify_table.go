package chain

import (
	"slices"

	"trustfix/internal/text"
)

// toolMarks tell who printed a text, wrappers before what they wrap.
var toolMarks = []struct {
	name  string
	marks []string
}{
	{"conda", []string{"condasslerror", "condahttperror", "customvalidationerror", "conda.exceptions", "conda/gateways"}},
	{"mamba", []string{"critical libmamba", "download error (60)", "micromamba", "error    libmamba"}},
	{"pixi", []string{"pixi ", "rattler"}},
	{"poetry", []string{"poetry.", "poetry/", "poetry command with"}},
	{"uv", []string{"--system-certs", "--native-tls", "uv pip", "uv sync", "uv-client", "failed to fetch: `"}},
	{"pip", []string{"pip._vendor", "there was a problem confirming the ssl certificate", "pip/_internal", "could not find a version that satisfies", "pip subprocess"}},
	{"aws", []string{"botocore", "ssl validation failed for", "aws: [error]"}},
	{"httpx", []string{"httpx.", "httpcore."}},
	{"aiohttp", []string{"clientconnectorcertificateerror", "aiohttp", "cannot connect to host"}},
	{"requests", []string{"requests.exceptions", "httpsconnectionpool"}},
	{"urllib3", []string{"urllib3.exceptions"}},
	{"cargo", []string{"cargo", "spurious network error", "crates.io"}},
	{"git", []string{"fatal: unable to access", "git-remote-https", "remote: ", "server certificate verification failed. cafile"}},
	{"apt", []string{"certificate verification failed: the certificate is not trusted", "apt-get", "e: failed to fetch", "err:"}},
	{"dnf", []string{"curl error (60)", "curl error (77)", "librepo", "cannot download repomd.xml", "failed to download metadata for repo"}},
	{"pnpm", []string{"err_pnpm"}},
	{"yarn", []string{"yn0001", "yarn install", "info visit https://yarnpkg.com"}},
	{"npm", []string{"npm err!", "npm error"}},
	{"docker", []string{"error response from daemon", "docker: "}},
	{"python", []string{"[x509: ", "[x509] "}},
	{"go", []string{"x509: ", "go: ", "proxyconnect tcp"}},
	{"java", []string{"pkix path", "javax.net.ssl", "sun.security", "java.security", "maven", "gradle"}},
	{"ruby", []string{"openssl::ssl::sslerror", "ssl_connect returned=1", "ssl verification error at depth"}},
	{"wget", []string{"to connect to", "wget:", "unable to establish ssl connection"}},
	{"curl", []string{"curl: ("}},
	{"openssl", []string{"verify return code", "verify error:num"}},
	{"node", []string{"node:internal", "errno: ", "at tlssocket"}},
	{"rustls", []string{"invalid peer certificate"}},
	{"python", []string{"traceback (most recent call last)", "[ssl: ", "ssl.sslerror", "urlopen error"}},
	{"schannel", []string{"schannel"}},
}

var (
	unknownCA = []string{
		"server-incomplete-chain", "ca-bundle-stale", "ca-path-partial", "store-missing", "store-empty", "store-unindexed",
		"server-intercepted", "server-private-ca", "server-self-signed", "server-forged",
	}
	expired    = []string{"clock-skew", "server-expired", "openssl-old", "ca-bundle-stale"}
	notYet     = []string{"clock-skew", "server-not-yet-valid"}
	wrongName  = []string{"server-hostname", "net-proxy", "server-intercepted"}
	anyCause   = slices.Concat(unknownCA, []string{"clock-skew", "server-expired", "server-not-yet-valid", "server-hostname", "strict-ca", "server-constraint", "server-weak"})
	brokenFile = []string{"ca-path-invalid", "store-corrupt"}
)

// classRows is the classification table: the longer and more telling texts
// first, the wrappers' words last.
var classRows = slices.Concat(certificateRows, []classRow{gitRow}, nativeRows, fileRows, networkRows, wrapperRows)

var certificateRows = []classRow{
	{
		any: slices.Concat([]string{
			"behind a proxy that intercepts traffic with a self-signed certificate",
			"self-signed certificate in certificate chain", "self signed certificate in certificate chain", "self_signed_cert_in_chain",
		}, verifyNumber(19)),
		code: "19", causes: []string{"server-intercepted", "server-private-ca", "ca-bundle-stale", "ca-path-partial"},
		tell: []text.Msg{text.M("chain.tell-intercepted"), text.M("chain.tell-private")},
	},
	{
		any:  []string{"unable_to_verify_leaf_signature", "unable to verify the first certificate"},
		code: "21", causes: unknownCA, tell: []text.Msg{text.M("chain.tell-first"), text.M("chain.tell-issuer")},
	},
	{
		any: slices.Concat([]string{
			"unable to get local issuer certificate", "unable_to_get_issuer_cert_locally",
		}, verifyNumber(20)),
		code: "20", causes: unknownCA, tell: []text.Msg{text.M("chain.tell-sent"), text.M("chain.tell-issuer")},
	},
	{
		any:  slices.Concat([]string{"unable to get issuer certificate", "unable_to_get_issuer_cert"}, verifyNumber(2)),
		code: "2", causes: []string{"ca-path-partial", "ca-bundle-stale"}, tell: []text.Msg{text.M("chain.tell-no-root")},
	},
	{
		any: slices.Concat([]string{
			"depth_zero_self_signed_cert", "self-signed certificate encountered", "self-signed certificate", "self signed certificate",
		}, verifyNumber(18)),
		code: "18", causes: []string{"server-self-signed", "net-proxy", "server-intercepted"}, tell: []text.Msg{text.M("chain.tell-self"), text.M("chain.tell-portal")},
	},
	{
		any: slices.Concat([]string{
			"certificate revoked", "has been revoked", "certificate is revoked", "invalid peer certificate: revoked", "certificate was revoked",
			"certificate status: revoked", "ocsp status: revoked", "certificaterevokedexception", "err_cert_revoked", "crypt_e_revoked",
		}, verifyNumber(23), hexCodes(0x80092010)),
		code: "23", causes: []string{"server-revoked"}, tell: []text.Msg{text.M("chain.tell-revoked")},
	},
	{
		any: slices.Concat([]string{
			"issuer name empty", "subject name empty", "empty subject alternative name extension", "authority key identifier marked critical",
			"subject key identifier marked critical", "using cert extension requires at least x509v3",
			"basic constraints of ca cert not marked critical", "missing authority key identifier", "missing subject key identifier",
			"ca cert does not include key usage extension", "path length given without key usage keycertsign",
			"path length invalid for non-ca cert", "key usage keycertsign invalid for non-ca cert",
			"subject empty and subject alt name extension not critical",
		}, verifyNumber(89), verifyNumber(85), verifyNumber(86), verifyNumber(92)),
		causes: []string{"strict-ca"}, tell: []text.Msg{text.M("chain.tell-strict")},
	},
	{ // Go and Java do not say which of the two it is
		any:    []string{"has expired or is not yet valid: current time", "validity check failed", "err_cert_date_invalid", "nottimevalid"},
		causes: append(slices.Clone(expired), "server-not-yet-valid"), tell: []text.Msg{text.M("chain.tell-clock"), text.M("chain.tell-which-expired")},
	},
	{
		any: slices.Concat([]string{
			"certificate has expired", "cert_has_expired", "the certificate has expired",
			"invalid peer certificate: expired", "peer's certificate has expired", "certificateexpiredexception", "notafter:",
			"invalid peer certificate: certificate expired", "sslv3 alert certificate expired", "certificate chain uses expired certificate",
			"the certificate chain uses expired certificate", "expired certificate", "issued certificate has expired",
			"' has expired.", "sec_error_expired_certificate",
		}, verifyNumber(10)),
		code: "10", causes: expired, tell: []text.Msg{text.M("chain.tell-clock"), text.M("chain.tell-which-expired")},
	},
	{
		any: slices.Concat([]string{
			"certificate is not yet valid", "cert_not_yet_valid", "is not yet activated", "certificatenotyetvalidexception",
			"notvalidyet", "not yet valid", "certificate not valid yet", "chain uses not yet valid certificate", "notbefore:",
		}, verifyNumber(9)),
		code: "9", causes: notYet, tell: []text.Msg{text.M("chain.tell-clock")},
	},
	{
		any: slices.Concat([]string{
			"hostname mismatch, certificate is not valid for", "ip address mismatch, certificate is not valid for", "hostname mismatch",
			"no alternative certificate subject name matches", "err_tls_cert_altname_invalid", "does not match certificate's altnames",
			"doesn't match either of", "doesn't match '", "illegal given domain name", "no subject alternative dns name matching", "no subject alternative names matching ip address",
			"no name matching", "certificate's owner does not match hostname", "does not match target host name", "does not match target hostname", "does not match hostname",
			"notvalidforname", "certificate not valid for name", "err_cert_common_name_invalid", "ip address mismatch",
			"doesn't contain any ip sans", "certificate is valid for", "certificate is not valid for any names", "no subject alternative names present",
			"relies on legacy common name field", "the name in the certificate does not match the expected",
			"no certificate subject alternative name matches", "doesn't match requested host name", "does not match the server's certificate",
			"remotecertificatenamemismatch", "does not match target hostname", "is not in the cert's list",
		}, verifyNumber(62), verifyNumber(64)),
		code: "62", causes: wrongName, tell: []text.Msg{text.M("chain.tell-name"), text.M("chain.tell-portal")},
	},
	{
		any: slices.Concat([]string{
			"invalid ca certificate", "key usage does not include certificate signing", "parent certificate cannot sign this kind of certificate",
			"ca key usage check failed", "signer was not a ca", "certificate signature failure", "cert_signature_failure",
			"endentityusedasca", "is not a ca certificate", "verification failure\" while trying to verify candidate authority",
			"verification error\" while trying to verify candidate authority",
			"basicconstraints extension is missing", "not a ca certificate", "was not a ca", "signature check failed",
			"does not have keycertsign bit set",
		}, verifyNumber(7), verifyNumber(24), verifyNumber(79), verifyNumber(32)),
		causes: []string{"server-forged", "strict-ca"}, tell: []text.Msg{text.M("chain.tell-forged")},
	},
	{ // rustls checks no signature by a key that is too short
		any: []string{"badsignature"}, tool: "rustls",
		causes: []string{"server-forged", "server-weak"}, tell: []text.Msg{text.M("chain.tell-forged")},
	},
	{ // curl about a signature that is not even one
		any:    []string{"asn1 encoding routines", "provider signature failure"},
		causes: []string{"server-forged", "server-malformed"}, tell: []text.Msg{text.M("chain.tell-forged")},
	},
	{ // to OpenSSL an issuer that is no CA has the wrong purpose too, to GnuTLS it breaks its signer's word
		any:    slices.Concat([]string{"unsuitable certificate purpose", "unsupported certificate purpose", "invalid_purpose", "violates the signer's constraints"}, verifyNumber(26)),
		causes: []string{"server-constraint", "server-forged"}, tell: []text.Msg{text.M("chain.tell-constraint")},
	},
	{
		any: []string{"causedasendentity"}, tool: "rustls",
		causes: []string{"server-self-signed", "server-constraint"}, tell: []text.Msg{text.M("chain.tell-ca-leaf")},
	},
	{
		any: slices.Concat([]string{
			"path length constraint exceeded", "path_length_exceeded", "too many intermediates for path length constraint", "pathlenconstraint violated",
			"pathlenconstraintviolated", "permitted subtree violation", "excluded subtree violation", "is not authorized to sign for this name",
			"name constraints check failed", "nameconstraintviolation", "unknown critical extension", "does not allow extended key usage",
			"incompatible key usage", "extended key usage does not permit", "invalidpurpose", "invalid extended key usage", "requiredekunotfound",
			"exceeds the maximum allowed length", "policy tree required and policy tree is null", "chains with invalid policies",
			"unhandled critical extension", "unrecognized critical extension", "unhandledcriticalextension", "unsupportedcriticalextension",
		}, verifyNumber(25), verifyNumber(34), verifyNumber(47), verifyNumber(48)),
		causes: []string{"server-constraint"}, tell: []text.Msg{text.M("chain.tell-constraint")},
	},
	{
		any: slices.Concat([]string{
			"ee certificate key too weak", "ca certificate key too weak", "ee key too small", "ee_key_too_small", "ca_key_too_small", "ca key too small",
			"digest algorithm too weak", "ca md too weak", "ca_md_too_weak", "insecure algorithm sha1", "insecure algorithm md5", "insecure algorithm",
			"algorithm constraints check failed", "dh key too small", "signed using an insecure algorithm", "unsupportedsignaturealgorithm",
		}, verifyNumber(66), verifyNumber(67), verifyNumber(68)),
		causes: []string{"server-weak", "openssl-old"}, tell: []text.Msg{text.M("chain.tell-weak")},
	},
	{
		any:    []string{"invalid peer certificate: badencoding", "failed to parse certificate", "x509: malformed", "asn1: structure error", "badder"},
		causes: []string{"server-malformed"}, tell: []text.Msg{text.M("chain.tell-malformed")},
	},
	{
		any: []string{
			"certificate signed by unknown authority", "unable to find valid certification path", "pkix path building failed", "unknownissuer",
			"doesn't have a known issuer", "does not have a known issuer", "the issuer is unknown", "the certificate issuer is unknown", "unknown ca",
			"tlsv1 alert unknown ca", "issuer is not trusted", "self-signed or unknown issuer", "server certificate not trusted",
			"does not chain with any of the trust anchors", "certificate signer not trusted",
			"unable to locally verify the issuer's authority",
			"certificate issuer is not recognized", "err_cert_authority_invalid", "sec_error_unknown_issuer", "sec_error_untrusted_issuer", "untrustedroot",
			"partialchain", "could not establish trust relationship", "(0x80131509)", "the ssl certificate is invalid",
			"could not verify the ssl certificate",
		},
		causes: unknownCA, tell: []text.Msg{text.M("chain.tell-sent"), text.M("chain.tell-issuer")},
	},
}

// gitRow: git's GnuTLS has one sentence for everything but the name.
var gitRow = classRow{
	any:    []string{"server certificate verification failed", "certificate error, no details available"},
	causes: anyCause, tell: []text.Msg{text.M("chain.tell-generic")},
}

// nativeRows are the verifiers of Windows and macOS: their texts are
// translated, their numbers are not.
var nativeRows = []classRow{
	{any: hexCodes(0x80090325, 0x800b0109), tool: "schannel", code: "0x80090325", causes: unknownCA, tell: []text.Msg{text.M("chain.tell-issuer")}},
	{any: append(hexCodes(0x800b010a), "the certificate chain is incomplete"), tool: "schannel", code: "0x800b010a", causes: unknownCA, tell: []text.Msg{text.M("chain.tell-sent")}},
	{any: hexCodes(0x80090328, 0x800b0101), tool: "schannel", code: "0x80090328", causes: append(slices.Clone(expired), "server-not-yet-valid"), tell: []text.Msg{text.M("chain.tell-clock")}},
	{any: hexCodes(0x80090322, 0x800b010f), tool: "schannel", code: "0x80090322", causes: wrongName, tell: []text.Msg{text.M("chain.tell-name")}},
	{any: hexCodes(0x80090349, 0x800b0110), tool: "schannel", code: "0x80090349", causes: []string{"server-constraint"}, tell: []text.Msg{text.M("chain.tell-constraint")}},
	{any: hexCodes(0x80096004), tool: "schannel", code: "0x80096004", causes: []string{"server-forged"}, tell: []text.Msg{text.M("chain.tell-forged")}},
	{
		any:  append(hexCodes(0x80092012, 0x80092013), "crypt_e_no_revocation_check", "crypt_e_revocation_offline", "revocation status is unknown", "cert_trust_revocation_status_unknown"),
		tool: "schannel", code: "0x80092012", causes: []string{"server-intercepted", "net-proxy", "net-timeout"}, tell: []text.Msg{text.M("chain.tell-revocation")},
	},
	{any: append(hexCodes(0x80090331, 0x80090326), "sec_e_algorithm_mismatch"), tool: "schannel", code: "0x80090331", causes: []string{"server-tls-old", "tls-old"}, tell: []text.Msg{text.M("chain.tell-tls")}},
	{any: hexCodes(0x80090308), tool: "schannel", code: "0x80090308", causes: []string{"net-not-tls", "net-proxy"}, tell: []text.Msg{text.M("chain.tell-not-tls")}},
	{any: []string{"errsecnottrusted", "-67843", "recoverabletrustfailure", "-9807", "-9813"}, tool: "macos", code: "-67843", causes: unknownCA, tell: []text.Msg{text.M("chain.tell-issuer")}},
	{any: []string{"errseccertificateexpired", "-67818", "-9814"}, tool: "macos", code: "-67818", causes: expired, tell: []text.Msg{text.M("chain.tell-clock")}},
	{any: []string{"errsechostnamemismatch", "-67602", "-9843"}, tool: "macos", code: "-67602", causes: wrongName, tell: []text.Msg{text.M("chain.tell-name")}},
}

var fileRows = []classRow{
	{
		any: []string{
			"could not find a suitable tls ca certificate bundle", "error setting certificate file", "error setting certificate verify locations",
			"problem with the ssl ca cert", "error adding trust anchors from file", "invalid ssl_cert_file", "invalid 'ssl_cert_file'", "parameter ssl_verify = ", "ssl_verify does not contain a valid file path",
			"must be a boolean, a path to a certificate bundle file", "ignoring extra certs from", "unable to load root certificates",
			"could not load pem client certificate", "in create_ssl_context ctx = ssl.create_default_context(cafile=", "curl: (77)", "curl error 77", "curl error (77)", "invalid path: ",
			"ssl validation failed for [errno 2]", "invalid ca bundle: the configured value",
		},
		local: true, causes: []string{"ca-path-missing", "ca-path-invalid", "store-missing"}, tell: []text.Msg{text.M("chain.tell-file")},
	},
	{
		any:   []string{"no certificate or crl found", "no_certificate_or_crl_found", "[x509] pem lib", "pem lib", "no start line", "bad end line", "not enough data: cadata", "invalid certificate in pem"},
		local: true, causes: brokenFile, tell: []text.Msg{text.M("chain.tell-pem")},
	},
	{
		any:   []string{"no ca certificates found on system", "no system certificates available", "cafile: none crlfile: none", "no default certificates will be trusted"},
		local: true, causes: []string{"store-missing", "store-empty", "ca-path-missing"}, tell: []text.Msg{text.M("chain.tell-no-store")},
	},
	{
		any: []string{"trustanchors parameter must be non-empty"}, tool: "java",
		local: true, causes: []string{"store-empty", "ca-path-invalid", "store-missing"}, tell: []text.Msg{text.M("chain.tell-java")},
	},
	{
		any:   []string{"openssl appears to be unavailable", "ssl module is not available", "ssl module in python is not available", "only supports openssl 1.1.1+", "compiled with libressl"},
		local: true, causes: []string{"openssl-old"}, tell: []text.Msg{text.M("chain.tell-openssl")},
	},
	{
		any:   []string{"insecurerequestwarning", "unverified https request", "makes tls connections and https requests insecure", "tls verification is disabled", "strict-ssl=false"},
		local: true, causes: []string{"verify-off"}, tell: []text.Msg{text.M("chain.tell-off")},
	},
}

var networkRows = []classRow{
	{
		any: []string{
			"certificate required", "no required ssl certificate was sent", "alert bad certificate", "bad_certificate", "alert handshake failure",
			"received fatal alert: handshake_failure", "remote error: tls: handshake failure", "peer did not return a certificate",
		},
		causes: []string{"server-needs-client-cert", "server-tls-old", "client-cert-expired"}, tell: []text.Msg{text.M("chain.tell-client-cert")},
	},
	{
		any: []string{
			"tlsv1 alert protocol version", "alert protocol version", "unsupported protocol", "unsafe legacy renegotiation disabled", "legacy sigalg disallowed",
			"protocol version not supported", "protocol_version", "may not support the client's requested tls protocol versions", "server selected unsupported protocol version", "no protocols available", "unsupported_protocol",
		},
		causes: []string{"server-tls-old", "tls-old", "openssl-old"}, tell: []text.Msg{text.M("chain.tell-tls")},
	},
	{
		any: []string{
			"wrong version number", "wrong_version_number", "first record does not look like a tls handshake", "unsupported or unrecognized ssl message",
			"an unexpected tls packet was received", "server gave http response to https client", "unknown protocol", "http_request", "packet length too long",
			"record layer failure", "corrupt message of type invalidcontenttype",
		},
		causes: []string{"net-proxy", "net-not-tls"}, tell: []text.Msg{text.M("chain.tell-not-tls")},
	},
	{
		any: []string{
			"407 proxy authentication required", "proxyerror", "cannot connect to proxy", "tunnel connection failed", "could not resolve proxy", "proxy connect aborted",
			"unsupported proxy scheme", "received http code 407", "proxy authentication required",
		},
		causes: []string{"net-proxy"}, tell: []text.Msg{text.M("chain.tell-proxy")},
	},
	{
		any: []string{
			"could not resolve host", "name or service not known", "temporary failure in name resolution", "no such host", "enotfound", "eai_again",
			"nodename nor servname provided", "failed to resolve", "unknownhostexception", "could not resolve '", "name does not resolve",
		},
		causes: []string{"net-dns"}, tell: []text.Msg{text.M("chain.tell-dns")},
	},
	{any: []string{"connection refused", "econnrefused", "actively refused"}, causes: []string{"net-refused"}, tell: []text.Msg{text.M("chain.tell-refused")}},
	{
		any: []string{
			"connection reset by peer", "econnreset", "unexpected eof while reading", "unexpected_eof_while_reading", "ssl_error_syscall",
			"eof occurred in violation of protocol", "connection was reset", "gnutls recv error (-110)", "the tls connection was non-properly terminated",
			"connection aborted", "remote end closed connection", "forcibly closed", "remote host terminated the handshake", "ssl connect error",
		},
		causes: []string{"net-reset", "net-proxy", "server-tls-old"}, tell: []text.Msg{text.M("chain.tell-reset")},
	},
	{
		any: []string{
			"timed out", "etimedout", "i/o timeout", "tls handshake timeout", "connecttimeout", "readtimeout", "operation timed out", "deadline exceeded",
			"esockettimedout",
		},
		causes: []string{"net-timeout", "net-proxy"}, tell: []text.Msg{text.M("chain.tell-timeout")},
	},
}

// wrapperRows say only that verification failed.
var wrapperRows = []classRow{{
	any: []string{
		"certificate verify failed", "certificate_verify_failed", "condasslerror", "most likely a certificate verification issue", "curl: (60)", "curl error (60)",
		"problem confirming the ssl certificate", "ssl peer certificate or ssh remote key was not ok", "certificate verification failed", "http 000 connection failed",
		"sslcertverificationerror", "failed to verify certificate", "ssl certificate problem", "invalid peer certificate", "sslhandshakeexception", "is not trusted.",
		"certificate verification error", "peer certificate cannot be authenticated", "schannel: ", "the certificate is not trusted",
		"curl error 60", "remote certificate is invalid", "ssl validation failed for",
	},
	causes:   anyCause,
	tell:     []text.Msg{text.M("chain.tell-generic")},
	fallback: true,
}, {
	any:      []string{"probable causes: - the server is not responding"}, // poetry 2
	causes:   slices.Concat(anyCause, []string{"net-dns", "net-refused", "net-timeout"}),
	tell:     []text.Msg{text.M("chain.tell-poetry")},
	fallback: true,
}}
