package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// osslError is what X509_verify_cert reports: a number and the position in
// the chain it built.
type osslError struct{ code, depth int }

// openssl follows X509_verify_cert: it builds one chain, never goes back on a
// choice, then collects every error in the order OpenSSL meets them. The first
// is what programs print, unless they let it continue (Node).
type openssl struct {
	j       *judge
	r       *Rules
	chain   []*cert
	trusted int // chain[trusted:] came from the trust store
	ss      bool
	errs    []osslError
}

func (j *judge) openssl(r *Rules) *openssl {
	o := &openssl{j: j, r: r, chain: []*cert{j.leaf}, trusted: 1}
	o.ss = o.selfSigned(j.leaf)
	if r.version < 110 {
		o.build102()
	} else {
		o.build()
	}
	o.checkExtensions()
	if r.version < 110 {
		o.checkConstraints()
	} else {
		o.checkLevel()
	}
	o.checkHost()
	o.checkSignatures()
	if r.version >= 110 {
		o.checkConstraints()
	}
	return o
}

func (o *openssl) fail(code, depth int) { o.errs = append(o.errs, osslError{code, depth}) }

func (o *openssl) last() *cert { return o.chain[len(o.chain)-1] }

func (o *openssl) push(c *cert, trusted bool) {
	o.chain = append(o.chain, c)
	if !trusted {
		o.trusted = len(o.chain)
	}
	o.ss = o.selfSigned(c)
}

const osslDepth = 101 // of the default 100 intermediates

// build is build_chain of OpenSSL 1.1 and 3: what was sent first or what is
// trusted first, and where the first fails, trusted issuers of shorter chains.
func (o *openssl) build() {
	sent, fromStore := len(o.j.pool) > 0, o.r.TrustedFirst || len(o.j.pool) == 0
	mayTrust, mayAlternate := fromStore, !o.r.TrustedFirst
	if !o.r.TrustedFirst {
		mayTrust = true
	}
	alternate, at := false, 0
	for sent || fromStore {
		if fromStore {
			i := len(o.chain)
			if alternate {
				i = at
			}
			child := o.chain[i-1]
			if root := o.fromStore(child); root != nil && len(o.chain) <= osslDepth && o.adopt(child, root, i, &alternate) {
				sent = false
				if o.anchored() {
					return
				}
				if !o.ss {
					continue
				}
			}
			if !sent {
				if alternate {
					if at--; at > 0 {
						continue
					}
				}
				if !mayAlternate || alternate || o.trusted < 2 {
					break
				}
				alternate, at, o.ss = true, o.trusted-1, false
				continue
			}
		}
		if sent {
			var next *cert
			if !o.ss && len(o.chain) <= osslDepth {
				next = o.find(o.j.pool, o.last())
			}
			if next == nil {
				sent, fromStore = false, fromStore || mayTrust
				continue
			}
			o.push(next, false)
		}
	}
	o.buildFailed()
}

// adopt takes a trusted certificate as the issuer of chain[i-1], or in place
// of it where that one is the same self-signed certificate.
func (o *openssl) adopt(child, root *cert, i int, alternate *bool) bool {
	if *alternate {
		*alternate = false
		o.chain, o.trusted, o.ss = o.chain[:i], i, false
	}
	if !o.ss {
		o.push(root, true)
		return true
	}
	if len(o.chain) != o.trusted || child.fp != root.fp {
		return false // called the same, but not the same
	}
	o.trusted--
	o.chain[o.trusted] = root
	return true
}

// anchored is check_trust for a store without explicit trust settings.
func (o *openssl) anchored() bool {
	for _, c := range o.chain[o.trusted:] {
		if o.selfSigned(c) {
			return true
		}
	}
	if o.trusted < len(o.chain) {
		return o.r.PartialChain
	}
	if o.r.PartialChain && o.chain[0].anchor {
		o.trusted = 0
		return true
	}
	return false
}

func (o *openssl) buildFailed() {
	n := len(o.chain)
	switch {
	case o.trusted == n && o.anchored():
	case n > osslDepth:
		o.fail(22, n-1)
	case o.ss && n == 1:
		o.fail(18, 0)
	case o.ss:
		o.fail(19, n-1)
	case o.trusted < n:
		o.fail(2, n-1)
	default:
		o.fail(20, n-1)
	}
}

// build102 is the older order: everything that was sent, then the store, then
// the store for shorter chains. It never sees a good root behind an expired
// one it has already found.
func (o *openssl) build102() {
	for !o.ss && len(o.chain) <= osslDepth {
		next := o.find(o.j.pool, o.last())
		if next == nil {
			break
		}
		o.push(next, false)
	}
	var own *cert // a root that was sent: only its trusted copy counts
	for {
		if o.ss && len(o.chain) > 1 && o.trusted == len(o.chain) {
			own = o.last()
			o.chain = o.chain[:len(o.chain)-1]
			o.trusted, o.ss = len(o.chain), false
		} else if o.ss && own == nil {
			if o.chain[0].anchor {
				o.trusted = 0
				return
			}
			o.fail(18, 0)
			return
		}
		for !o.ss && len(o.chain) <= osslDepth {
			root := o.fromStore(o.last())
			if root == nil {
				break
			}
			o.push(root, true)
		}
		if o.anchored() {
			return
		}
		shorter := o.trusted - 1
		for shorter > 0 && o.fromStore(o.chain[shorter-1]) == nil {
			shorter--
		}
		if shorter <= 0 {
			break
		}
		o.chain, o.trusted, o.ss = o.chain[:shorter], shorter, false
	}
	if own != nil && o.issued(own, o.last()) {
		o.push(own, false)
	}
	o.buildFailed()
}

// find is find_issuer: the first that fits and is valid now, else the one that
// expired last; never one that is in the chain already.
func (o *openssl) find(from []*cert, child *cert) *cert {
	var best *cert
	for _, c := range from {
		if c.origin == FromFetched && !o.r.FetchesIssuers || !o.issued(c, child) ||
			slices.ContainsFunc(o.chain, func(in *cert) bool { return in.fp == c.fp }) {
			continue
		}
		if o.timeError(c) == 0 {
			return c
		}
		if best == nil || c.NotAfter.After(best.NotAfter) {
			best = c
		}
	}
	return best
}

// fromStore is X509_STORE_CTX_get1_issuer.
func (o *openssl) fromStore(child *cert) *cert {
	var best *cert
	for _, c := range o.j.issuers(child) {
		if !c.anchor || !o.issued(c, child) {
			continue
		}
		if o.timeError(c) == 0 {
			return c
		}
		if best == nil || c.NotAfter.After(best.NotAfter) {
			best = c
		}
	}
	return best
}

// issued is X509_check_issued: names, key identifiers and kinds of key agree.
func (o *openssl) issued(issuer, c *cert) bool {
	if !sameName(issuer.RawSubject, c.RawIssuer) || !o.readable(issuer) || !o.readable(c) || !akiMatches(c, issuer) {
		return false
	}
	if o.r.version < 300 {
		_, hasKU := issuer.extension(oidKeyUsage)
		return !hasKU || issuer.KeyUsage&x509.KeyUsageCertSign != 0
	}
	algo, _, _ := algorithm(c.SignatureAlgorithm)
	return algo == x509.UnknownPublicKeyAlgorithm || issuer.PublicKeyAlgorithm == algo
}

// readable: OpenSSL 3 takes names of no known kind and a key usage without
// any bit for a broken certificate, which issues nothing and has no issuer.
func (o *openssl) readable(c *cert) bool {
	_, hasKU := c.extension(oidKeyUsage)
	return o.r.version < 300 || !c.altNames().badSAN && (!hasKU || c.KeyUsage != 0)
}

func (o *openssl) selfSigned(c *cert) bool { return c.selfIssued() && o.issued(c, c) }

// akiMatches is X509_check_akid: key identifier, and issuer and serial number
// where given.
func akiMatches(c, issuer *cert) bool {
	ext, ok := c.extension(oidAKI)
	if !ok {
		return true
	}
	in := cryptobyte.String(ext.Value)
	var seq, names, serial cryptobyte.String
	var hasNames, hasSerial bool
	if !in.ReadASN1(&seq, casn1.SEQUENCE) || !seq.SkipOptionalASN1(casn1.Tag(0).ContextSpecific()) ||
		!seq.ReadOptionalASN1(&names, &hasNames, casn1.Tag(1).ContextSpecific().Constructed()) ||
		!seq.ReadOptionalASN1(&serial, &hasSerial, casn1.Tag(2).ContextSpecific()) {
		return false
	}
	if !keyIDsAgree(c, issuer) || hasSerial && string(trimZero(serial)) != string(issuer.SerialNumber.Bytes()) {
		return false
	}
	for hasNames && !names.Empty() {
		n, ok := readGeneralName(&names)
		if !ok {
			return false
		}
		if n.kind == kindDirectory {
			return sameName([]byte(n.value), issuer.RawIssuer)
		}
	}
	return true
}

func trimZero(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}

// timeError is x509_check_cert_time: the last second is already too late.
func (o *openssl) timeError(c *cert) int {
	switch {
	case o.j.now.Before(c.NotBefore):
		return 9
	case !o.j.now.Before(c.NotAfter):
		return 10
	}
	return 0
}

// osslCritical are the critical extensions OpenSSL processes.
var osslCritical = []asn1.ObjectIdentifier{
	oidKeyUsage, oidSAN, oidBasicConstraints, oidNameConstraints, oidEKU,
	{2, 5, 29, 31}, {2, 5, 29, 32}, {2, 5, 29, 33}, {2, 5, 29, 36}, {2, 5, 29, 54},
	{2, 16, 840, 1, 113730, 1, 1}, {1, 3, 6, 1, 5, 5, 7, 1, 7}, {1, 3, 6, 1, 5, 5, 7, 1, 8}, {1, 3, 6, 1, 5, 5, 7, 1, 14},
}

func (o *openssl) checkExtensions() {
	n := len(o.chain)
	intermediates := 0
	invalidCA := 79
	if o.r.version < 300 {
		invalidCA = 24
	}
	for i, c := range o.chain {
		for _, e := range c.Extensions {
			if e.Critical && !slices.ContainsFunc(osslCritical, e.Id.Equal) {
				o.fail(34, i)
				break
			}
		}
		ca := checkCA(c)
		strict := o.r.Strict || i > 0 && i+1 < n && o.r.version >= 110 // implicit for intermediates
		if strict && (i == 0 && ca > 1 || i > 0 && ca != 1) || i > 0 && ca == 0 {
			o.fail(invalidCA, i)
		}
		if o.r.Strict {
			for _, code := range strictChecks(c, i, n) {
				o.fail(code, i)
			}
		}
		if !serverPurpose(c, i > 0) {
			o.fail(26, i)
		}
		if i > 1 && c.hasPathLen() && intermediates > c.MaxPathLen {
			o.fail(25, i)
		}
		if i > 0 && !c.selfIssued() {
			intermediates++
		}
	}
}

func (c *cert) hasPathLen() bool {
	return c.BasicConstraintsValid && (c.MaxPathLen > 0 || c.MaxPathLenZero)
}

// checkCA is X509_check_ca: 0 no, 1 yes, 3 an old root of version 1, 4 key
// usage says so.
func checkCA(c *cert) int {
	_, hasKU := c.extension(oidKeyUsage)
	_, hasBC := c.extension(oidBasicConstraints)
	switch {
	case hasKU && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return 0
	case hasBC && c.IsCA:
		return 1
	case hasBC:
		return 0
	case c.Version == 1 && c.selfIssued():
		return 3
	case hasKU:
		return 4
	}
	return 0
}

// serverPurpose is check_purpose_ssl_server. Server-gated crypto counts,
// anyExtendedKeyUsage does not.
func serverPurpose(c *cert, ca bool) bool {
	if _, ok := c.extension(oidEKU); ok && !slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageServerAuth || u == x509.ExtKeyUsageNetscapeServerGatedCrypto || u == x509.ExtKeyUsageMicrosoftServerGatedCrypto
	}) {
		return false
	}
	if ca {
		return checkCA(c) != 0
	}
	_, hasKU := c.extension(oidKeyUsage)
	return !hasKU || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment|x509.KeyUsageKeyAgreement) != 0
}

// checkLevel is check_auth_level.
func (o *openssl) checkLevel() {
	least := []int{0, 80, 112, 128, 192, 256}[min(max(o.r.SecurityLevel, 0), 5)]
	for i, c := range o.chain {
		if securityBits(c.Certificate) < least {
			o.fail(66+min(i, 1), i)
		}
		if i < len(o.chain)-1 && hashBits(c.SignatureAlgorithm, o.r.version) < least {
			o.fail(68, i)
		}
	}
}

// securityBits is EVP_PKEY_security_bits.
func securityBits(c *x509.Certificate) int {
	kind, bits := keyBits(c)
	switch kind {
	case "ECDSA":
		return bits / 2
	case "Ed25519":
		return 128
	}
	for _, s := range [][2]int{{15360, 256}, {7680, 192}, {3072, 128}, {2048, 112}, {1024, 80}} {
		if bits >= s[0] {
			return s[1]
		}
	}
	return 0
}

func hashBits(a x509.SignatureAlgorithm, version int) int {
	_, h, size := algorithm(a)
	switch {
	case a == x509.PureEd25519:
		return 128
	case h == 0:
		return 0
	case size == 16:
		return 39
	case size == 20 && version >= 300:
		return 63
	}
	return size * 4
}

func (o *openssl) checkHost() {
	if o.j.in.Host == "" || o.j.leaf.matchesHost(o.j.in.Host, o.r.names()) {
		return
	}
	if _, ip := parseIP(o.j.in.Host); ip {
		o.fail(64, 0)
	} else {
		o.fail(62, 0)
	}
}

// checkSignatures is internal_verify: from the root down, each signature and
// each validity.
func (o *openssl) checkSignatures() {
	n := len(o.chain) - 1
	top := o.chain[n]
	if !o.selfSigned(top) && !o.r.PartialChain {
		if n == 0 {
			o.fail(21, 0)
		} else {
			n--
		}
	}
	for i := n; i >= 0; i-- {
		c := o.chain[i]
		if i+1 < len(o.chain) {
			issuer := o.chain[i+1]
			if _, hasKU := issuer.extension(oidKeyUsage); o.r.version >= 300 && hasKU && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
				o.fail(32, i+1)
			}
			if o.j.signature(c, issuer) == sigBad {
				o.fail(7, i)
			}
		}
		if code := o.timeError(c); code != 0 {
			o.fail(code, i)
		}
	}
}

// checkConstraints is check_name_constraints; where there is no DNS name the
// common name of the leaf is held against them too.
func (o *openssl) checkConstraints() {
	for i := len(o.chain) - 1; i >= 0; i-- {
		c := o.chain[i]
		if i > 0 && c.selfIssued() {
			continue
		}
		for k := len(o.chain) - 1; k > i; k-- {
			if code := o.chain[k].constraints().osslCheck(c, i == 0, &o.j.comparisons); code != 0 {
				o.fail(code, i)
			}
		}
	}
}

// osslCheck is NAME_CONSTRAINTS_check as an error number, 0 for none.
func (nc *constraints) osslCheck(c *cert, leaf bool, budget *int) int {
	if nc.none() {
		return 0
	}
	names := c.altNames()
	const most = 1 << 20
	total := 0
	for _, trees := range []map[int][]subtree{nc.permitted, nc.excluded} {
		for _, t := range trees {
			total += len(t)
		}
	}
	if total*(len(names.list)+len(c.Subject.Names)) > most {
		return 1
	}
	list := slices.Clone(names.list)
	if names.subject != nil {
		list = slices.Insert(list, 0, altName{kindDirectory, string(names.subject)})
	}
	if cn := c.Subject.CommonName; leaf && !c.hasName(kindDNS) && validDNS(cn, false) {
		list = append(list, altName{kindDNS, cn})
	}
	for _, n := range list {
		perm, excl := nc.permitted[n.kind], nc.excluded[n.kind]
		if len(perm)+len(excl) == 0 {
			continue
		}
		if *budget -= len(perm) + len(excl); *budget < 0 {
			return 1
		}
		switch n.kind {
		case kindDNS, kindEmail, kindURI, kindIP, kindDirectory:
		default:
			return 51
		}
		m, ok := newMatcher(n)
		if n.kind == kindDNS { // compared as it stands, whatever it is
			m.host, m.wildcard, ok = strings.ToLower(n.value), false, true
		}
		if !ok || nc.bad && n.kind == kindIP {
			return 53
		}
		in := func(s subtree) bool { return m.within(s, false) }
		if len(perm) > 0 && !slices.ContainsFunc(perm, in) {
			return 47
		}
		if slices.ContainsFunc(excl, in) {
			return 48
		}
	}
	return 0
}
