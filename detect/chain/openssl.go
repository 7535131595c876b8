package chain

import (
	"crypto/x509"
	"slices"

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
	if !r.NameLast {
		o.checkHost()
	}
	o.checkSignatures()
	if r.version >= 110 {
		o.checkConstraints()
	}
	if r.NameLast {
		o.checkHost()
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

// build is build_chain of OpenSSL 1.1 and 3: at each step what is trusted
// first, then what was sent.
func (o *openssl) build() {
	for sent := true; ; {
		if root := o.fromStore(o.last()); root != nil && len(o.chain) <= osslDepth && o.adopt(root) {
			sent = false
			if o.anchored() {
				return
			}
			if !o.ss {
				continue
			}
		}
		if !sent || o.ss || len(o.chain) > osslDepth {
			break
		}
		next := o.find(o.j.pool, o.last())
		if next == nil {
			break
		}
		o.push(next, false)
	}
	o.buildFailed()
}

// adopt takes a trusted certificate as the next issuer, or in place of the
// last one where that is the same self-signed certificate.
func (o *openssl) adopt(root *cert) bool {
	if !o.ss {
		o.push(root, true)
		return true
	}
	if len(o.chain) != o.trusted || o.last().fp != root.fp {
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
// Since 1.1.1 a key usage without certSign does not keep a certificate out of a
// chain (it is refused afterwards): a self-signed one without it can be trusted.
func (o *openssl) issued(issuer, c *cert) bool {
	if !sameName(issuer.RawSubject, c.RawIssuer) || !o.readable(issuer) || !o.readable(c) || !akiMatches(c, issuer) {
		return false
	}
	if o.r.version < 110 {
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

func (o *openssl) selfSigned(c *cert) bool { return c.own && o.issued(c, c) }

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
