package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
)

// osslCritical are the critical extensions OpenSSL processes.
var osslCritical = []asn1.ObjectIdentifier{
	oidKeyUsage, oidSAN, oidBasicConstraints, oidNameConstraints, oidEKU,
	{2, 5, 29, 31},
	{2, 5, 29, 32},
	{2, 5, 29, 33},
	{2, 5, 29, 36},
	{2, 5, 29, 54},
	{2, 16, 840, 1, 113730, 1, 1},
	{1, 3, 6, 1, 5, 5, 7, 1, 7},
	{1, 3, 6, 1, 5, 5, 7, 1, 8},
	{1, 3, 6, 1, 5, 5, 7, 1, 14},
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
		if i > 0 && !c.own {
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
	case c.Version == 1 && c.own:
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
			if _, hasKU := issuer.extension(oidKeyUsage); o.r.version >= 110 && hasKU && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
				o.fail(32, i+1)
			}
			if o.j.signature(c, issuer) != sigGood {
				o.fail(7, i)
			}
		}
		if code := o.timeError(c); code != 0 {
			o.fail(code, i)
		}
	}
}

// checkConstraints is check_name_constraints; since 1.1.1 the common name of the
// leaf is held against them too, where it may count as its name.
func (o *openssl) checkConstraints() {
	for i := len(o.chain) - 1; i >= 0; i-- {
		c := o.chain[i]
		if i > 0 && c.own {
			continue
		}
		for k := len(o.chain) - 1; k > i; k-- {
			if code := o.chain[k].constraints().osslCheck(c, i == 0 && o.r.version >= 110 && o.r.CommonName, &o.j.comparisons); code != 0 {
				o.fail(code, i)
			}
		}
	}
}

// osslCheck is NAME_CONSTRAINTS_check as an error number, 0 for none.
func (nc *constraints) osslCheck(c *cert, commonName bool, budget *int) int {
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
	if total*len(names.all) > most {
		return 1
	}
	list := names.all
	if cn := c.Subject.CommonName; commonName && !c.hasName(kindDNS) && validDNS(cn) && strings.Contains(cn, ".") {
		list = append(slices.Clip(list), altName{kindDNS, cn})
	}
	for _, n := range list {
		perm, excl := nc.permitted[n.kind], nc.excluded[n.kind]
		if *budget -= 1 + len(perm) + len(excl); *budget < 0 {
			return 1
		}
		if len(perm)+len(excl) == 0 {
			continue
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
