package chain

import (
	"strconv"
	"strings"
)

// words are the code and text a client prints for a cause. code is OpenSSL's
// error number where its algorithm ran.
func (r *Rules) words(code int, c Cause, j *judge) (errCode, msg string) {
	host := printable(j.in.Host)
	_, ip := parseIP(j.in.Host)
	switch r.dialect {
	case wordsOpenSSL:
		return strconv.Itoa(code), r.opensslText(code)
	case wordsPython:
		msg = r.opensslText(code)
		switch code {
		case 62:
			msg = "Hostname mismatch, certificate is not valid for '" + host + "'."
		case 64:
			msg = "IP address mismatch, certificate is not valid for '" + host + "'."
		}
		return strconv.Itoa(code), "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: " + msg
	case wordsCurl:
		if code == 62 || code == 64 {
			return "60", "curl: (60) SSL: no alternative certificate subject name matches target host name '" + host + "'"
		}
		return "60", "curl: (60) SSL certificate problem: " + r.opensslText(code)
	case wordsNode:
		if code == 62 || code == 64 {
			return "ERR_TLS_CERT_ALTNAME_INVALID", nodeAltNames(host, ip, j.leaf)
		}
		symbol, ok := nodeSymbols[code]
		if !ok {
			symbol = "UNSPECIFIED"
		}
		return symbol, r.opensslText(code)
	}
	key := c.Code
	if key == "" {
		key = c.ID
	}
	w := phrases[r.dialect][key]
	if ip && key == "server-hostname" {
		if v, ok := phrases[r.dialect]["ip"]; ok {
			w = v
		}
	}
	return w.code, strings.NewReplacer("{host}", host, "{subject}", c.Subject).Replace(w.text)
}

// opensslText is the error's text in the spelling of this version.
func (r *Rules) opensslText(code int) string {
	s := opensslText[code]
	if r.version < 300 {
		s = strings.Replace(s, "self-signed", "self signed", 1)
		s = strings.Replace(s, "unsuitable certificate purpose", "unsupported certificate purpose", 1)
	}
	return s
}

func nodeAltNames(host string, ip bool, leaf *cert) string {
	var names []string
	for _, n := range leaf.altNames().list {
		switch {
		case n.kind == kindDNS && !ip:
			names = append(names, "DNS:"+n.show())
		case n.kind == kindIP && ip:
			names = append(names, n.show())
		}
	}
	list := strings.Join(names, ", ")
	if ip {
		return "Hostname/IP does not match certificate's altnames: IP: " + host + " is not in the cert's list: " + list
	}
	if len(names) == 0 && leaf.Subject.CommonName != "" {
		return "Hostname/IP does not match certificate's altnames: Host: " + host + ". is not cert's CN: " + printable(leaf.Subject.CommonName)
	}
	return "Hostname/IP does not match certificate's altnames: Host: " + host + ". is not in the cert's altnames: " + list
}

// nodeSymbols are Node's codes for OpenSSL's numbers; the others are
// UNSPECIFIED.
var nodeSymbols = map[int]string{
	2: "UNABLE_TO_GET_ISSUER_CERT", 6: "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY", 7: "CERT_SIGNATURE_FAILURE",
	9: "CERT_NOT_YET_VALID", 10: "CERT_HAS_EXPIRED", 18: "DEPTH_ZERO_SELF_SIGNED_CERT", 19: "SELF_SIGNED_CERT_IN_CHAIN",
	20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", 21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", 22: "CERT_CHAIN_TOO_LONG",
	24: "INVALID_CA", 25: "PATH_LENGTH_EXCEEDED", 26: "INVALID_PURPOSE",
}

type phrase struct{ code, text string }

const (
	javaPath  = "PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target"
	javaValid = "PKIX path validation failed: java.security.cert.CertPathValidatorException: "
	gnuHead   = "The certificate of ‘{host}’ is not trusted."
)

// phrases are the refusals of clients whose library has no error numbers of
// OpenSSL, by finer code or finding id.
var phrases = map[dialect]map[string]phrase{
	wordsGnuTLS: {
		"server-private-ca":       {"", gnuHead + " The certificate of ‘{host}’ doesn't have a known issuer."},
		"server-incomplete-chain": {"", gnuHead + " The certificate of ‘{host}’ doesn't have a known issuer."},
		"server-self-signed":      {"", gnuHead + " The certificate of ‘{host}’ doesn't have a known issuer."},
		"no-way-back":             {"", gnuHead + " The certificate of ‘{host}’ doesn't have a known issuer."},
		"chain-length":            {"", gnuHead},
		"server-expired":          {"", gnuHead + " The certificate of ‘{host}’ has expired."},
		"server-not-yet-valid":    {"", gnuHead + " The certificate of ‘{host}’ is not yet activated."},
		"server-hostname":         {"", "The certificate's owner does not match hostname ‘{host}’"},
		"issuer-not-ca":           {"", gnuHead + " The certificate signer of ‘{host}’ was not a CA."},
		"issuer-key-usage":        {"", gnuHead},
		"weak-signature":          {"", gnuHead + " The certificate of ‘{host}’ was signed using an insecure algorithm."},
		"bad-signature":           {"", gnuHead},
		"name-constraint":         {"", gnuHead},
		"path-length":             {"", gnuHead},
		"critical-extension":      {"", gnuHead},
		"malformed":               {"", gnuHead},
	},
	wordsRustls: {
		"server-private-ca":       {"UnknownIssuer", "invalid peer certificate: UnknownIssuer"},
		"server-incomplete-chain": {"UnknownIssuer", "invalid peer certificate: UnknownIssuer"},
		"server-self-signed":      {"UnknownIssuer", "invalid peer certificate: UnknownIssuer"},
		"bad-signature":           {"BadSignature", "invalid peer certificate: BadSignature"},
		"server-expired":          {"Expired", "invalid peer certificate: Expired"},
		"server-not-yet-valid":    {"NotValidYet", "invalid peer certificate: NotValidYet"},
		"server-hostname":         {"NotValidForName", "invalid peer certificate: NotValidForName"},
		"eku":                     {"InvalidPurpose", "invalid peer certificate: InvalidPurpose"},
		"issuer-not-ca":           {"EndEntityUsedAsCa", "invalid peer certificate: Other(OtherError(EndEntityUsedAsCa))"},
		"leaf-ca":                 {"CaUsedAsEndEntity", "invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))"},
		"path-length":             {"PathLenConstraintViolated", "invalid peer certificate: Other(OtherError(PathLenConstraintViolated))"},
		"name-constraint":         {"NameConstraintViolation", "invalid peer certificate: Other(OtherError(NameConstraintViolation))"},
		"critical-extension":      {"UnsupportedCriticalExtension", "invalid peer certificate: Other(OtherError(UnsupportedCriticalExtension))"},
		"weak-signature":          {"UnsupportedSignatureAlgorithm", "invalid peer certificate: UnsupportedSignatureAlgorithm"},
		"weak-key":                {"BadSignature", "invalid peer certificate: BadSignature"},
		"malformed":               {"BadEncoding", "invalid peer certificate: BadEncoding"},
	},
	wordsJava: {
		"server-private-ca":       {"", javaPath},
		"server-incomplete-chain": {"", javaPath},
		"server-self-signed":      {"", javaPath},
		"no-way-back":             {"", javaPath},
		"chain-length":            {"", "The certificate chain length exceeds the maximum allowed length (10)"},
		"bad-signature":           {"", javaValid + "signature check failed"},
		"issuer-not-ca":           {"", javaValid + "basic constraints check failed: this is not a CA certificate"},
		"server-expired":          {"", javaValid + "validity check failed"},
		"server-not-yet-valid":    {"", javaValid + "validity check failed"},
		"server-hostname":         {"", "No subject alternative DNS name matching {host} found."},
		"ip":                      {"", "No subject alternative names matching IP address {host} found"},
		"issuer-key-usage":        {"", javaValid + "CA key usage check failed: keyCertSign bit is not set"},
		"path-length":             {"", javaValid + "basic constraints check failed: pathLenConstraint violated - this cert must be the last cert in the certification path"},
		"policy":                  {"", javaValid + "non-null policy tree required and policy tree is null"},
		"name-constraint":         {"", javaValid + "name constraints check failed"},
		"eku":                     {"", "Extended key usage does not permit use for TLS server authentication"},
		"critical-extension":      {"", javaValid + "unrecognized critical extension(s)"},
		"weak-key":                {"", javaValid + "Algorithm constraints check failed on keysize limits"},
		"malformed":               {"", "java.security.cert.CertificateParsingException"},
	},
	wordsSchannel: {
		"server-private-ca":       {"0x80090325", "SEC_E_UNTRUSTED_ROOT (0x80090325)"},
		"server-self-signed":      {"0x80090325", "SEC_E_UNTRUSTED_ROOT (0x80090325)"},
		"server-incomplete-chain": {"0x80090325", "SEC_E_UNTRUSTED_ROOT (0x80090325)"},
		"server-expired":          {"0x80090328", "SEC_E_CERT_EXPIRED (0x80090328)"},
		"server-not-yet-valid":    {"0x80090328", "SEC_E_CERT_EXPIRED (0x80090328)"},
		"server-hostname":         {"0x80090322", "SEC_E_WRONG_PRINCIPAL (0x80090322)"},
		"eku":                     {"0x80090349", "SEC_E_CERT_WRONG_USAGE (0x80090349)"},
	},
	wordsApple: {
		"server-private-ca":       {"-67843", "errSecNotTrusted (-67843)"},
		"server-self-signed":      {"-67843", "errSecNotTrusted (-67843)"},
		"server-incomplete-chain": {"-67843", "errSecNotTrusted (-67843)"},
		"server-expired":          {"-67818", "errSecCertificateExpired (-67818)"},
		"server-not-yet-valid":    {"-67819", "errSecCertificateNotValidYet (-67819)"},
		"server-hostname":         {"-67602", "errSecHostNameMismatch (-67602)"},
	},
}
