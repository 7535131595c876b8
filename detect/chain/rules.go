package chain

import (
	"encoding/asn1"
	"slices"
)

// engine is an algorithm that finds and checks paths.
type engine int

const (
	engineSearch  engine = iota // tries every path: this package's own
	engineOpenSSL               // one path, no way back
	engineGo                    // crypto/x509 itself
)

// Rules are how one kind of verifier decides, as data. The zero value with a
// name is RFC 5280; a copy may be changed to match a build or a setting.
type Rules struct {
	Name  string // as verify --client knows it
	Title string // for people

	PartialChain    bool // any trusted certificate ends a path, not only a self-signed one
	Strict          bool // X509_V_FLAG_X509_STRICT: Python 3.13 and later
	CommonName      bool // the common name counts where there is no DNS name
	CommonNameAlone bool // but only where there is no address either, and the certificate is for servers
	PartialWildcard bool // "f*.example.com" matches
	NoUnderscore    bool // a host with one is no name to it
	NameLast        bool // the program looks at the name itself, after the library has taken the chain
	LastError       bool // reports the last error it met, not the first
	SecurityLevel   int  // OpenSSL's: 0 takes anything, 1 refuses below 80 bits, 2 below 112
	FetchesIssuers  bool // follows AIA by itself

	engine  engine
	version int // of OpenSSL: 102, 111, 300
	dialect dialect
	profile profile // of engineSearch
}

// profile is where a verifier that tries every path departs from RFC 5280.
type profile struct {
	skip       []string                // finer codes and ids it does not look at
	minRSA     int                     // bits; 0: 2048
	anchorTime bool                    // an expired anchor is refused
	anchorCA   bool                    // and one that says it is no CA
	anchorBC   bool                    // and one that does not say it is a CA
	anchorFree bool                    // an anchor sets no bounds to what lies below it
	issuerOnly bool                    // only the issuer of something can be an anchor, not the leaf itself
	pinAlone   bool                    // a leaf that is no root itself is an anchor only where nothing else was sent
	leafDays   int                     // longest life of a server's certificate, 0: any
	leafNotCA  bool                    // a CA certificate cannot be a server's
	anyCAUse   bool                    // extended key usage of a CA does not bind what is below it
	pinned     bool                    // a trusted leaf is taken whatever else it says, but for its names
	boundCN    bool                    // name constraints bind a common name that stands in for a DNS name
	processes  []asn1.ObjectIdentifier // critical extensions it takes, nil: all of RFC 5280
	exactNames bool                    // issuers are known by names that are the same to the byte
	mostSent   int                     // certificates that a server may send, 0: any
	route      route                   // the paths it tries, nil: every one
}

// dialect is whose words a refusal is reported in.
type dialect int

const (
	wordsNone dialect = iota
	wordsOpenSSL
	wordsPython
	wordsCurl
	wordsNode
	wordsGo
	wordsGnuTLS
	wordsRustls
	wordsJava
	wordsSchannel
	wordsApple
)

var allRules = []Rules{
	{
		Name: "openssl-1.0.2", Title: "OpenSSL 1.0.2", engine: engineOpenSSL, version: 102, dialect: wordsOpenSSL,
		CommonName: true, PartialWildcard: true,
	},
	{
		Name: "openssl-1.1.1", Title: "OpenSSL 1.1.1", engine: engineOpenSSL, version: 111, dialect: wordsOpenSSL,
		CommonName: true, PartialWildcard: true, SecurityLevel: 2,
	},
	{
		Name: "openssl-3", Title: "OpenSSL 3", engine: engineOpenSSL, version: 300, dialect: wordsOpenSSL,
		CommonName: true, PartialWildcard: true, SecurityLevel: 2,
	},
	{
		Name: "python-3.13", Title: "Python 3.13", engine: engineOpenSSL, version: 300, dialect: wordsPython,
		CommonName: true, SecurityLevel: 2, PartialChain: true, Strict: true,
	},
	{
		Name: "curl", Title: "curl (OpenSSL)", engine: engineOpenSSL, version: 300, dialect: wordsCurl,
		CommonName: true, CommonNameAlone: true, SecurityLevel: 2, PartialChain: true, NameLast: true,
	},
	{
		Name: "node", Title: "Node.js", engine: engineOpenSSL, version: 300, dialect: wordsNode,
		CommonName: true, PartialWildcard: true, SecurityLevel: 1, LastError: true,
	},
	{
		Name: "gnutls", Title: "GnuTLS", dialect: wordsGnuTLS, PartialChain: true, CommonName: true, CommonNameAlone: true,
		profile: profile{
			skip: []string{"eku", "weak-key", "distrusted", "policy"}, minRSA: 1, anchorTime: true, anchorCA: true, pinAlone: true, boundCN: true,
			processes: []asn1.ObjectIdentifier{oidKeyUsage, oidBasicConstraints, oidEKU, {2, 5, 29, 31}, {2, 5, 29, 32}, {2, 5, 29, 54}},
			mostSent:  16, route: gnutlsRoute,
		},
	},
	{Name: "go", Title: "Go", engine: engineGo, dialect: wordsGo, PartialChain: true},
	{
		Name: "rustls", Title: "rustls", dialect: wordsRustls, PartialChain: true,
		profile: profile{
			skip: []string{"issuer-key-usage", "distrusted", "policy"}, issuerOnly: true, leafNotCA: true, exactNames: true,
			processes: []asn1.ObjectIdentifier{oidKeyUsage, oidBasicConstraints, oidEKU, {2, 5, 29, 31}},
		},
	},
	{
		Name: "java", Title: "Java", dialect: wordsJava, PartialChain: true, CommonName: true, PartialWildcard: true, NoUnderscore: true,
		profile: profile{skip: []string{"weak-signature", "distrusted"}, minRSA: 1024, anyCAUse: true, pinned: true, boundCN: true, anchorCA: true, anchorBC: true, anchorFree: true, mostSent: 10, route: javaRoute},
	},
	{
		Name: "schannel", Title: "Windows (Schannel)", dialect: wordsSchannel, FetchesIssuers: true, CommonName: true,
		profile: profile{skip: []string{"distrusted"}, minRSA: 1024, anchorTime: true},
	},
	{
		Name: "macos", Title: "macOS", dialect: wordsApple, FetchesIssuers: true,
		profile: profile{skip: []string{"distrusted"}, anchorTime: true, leafDays: 825},
	},
}

// RulesFor is a copy of the rules with this name.
func RulesFor(name string) (*Rules, bool) {
	for _, r := range allRules {
		if r.Name == name {
			return &r, true
		}
	}
	return nil, false
}

// RuleNames are the names RulesFor takes.
func RuleNames() []string {
	names := make([]string, 0, len(allRules))
	for _, r := range allRules {
		names = append(names, r.Name)
	}
	return slices.Clip(names)
}
