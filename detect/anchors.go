package detect

import (
	"bytes"
	"crypto/x509"

	"trustfix/bundles"
)

// ReadAnchors reads trust anchors for a judgement: as they stand, those that
// do not parse apart, so that a path that ends at one can be told. An empty
// file is an empty set; anything else without a certificate is an error.
func ReadAnchors(data []byte) (roots *bundles.Roots, broken [][]byte, err error) {
	roots = &bundles.Roots{}
	if len(bytes.TrimSpace(data)) == 0 {
		return roots, nil, nil
	}
	ders, err := readChain(data)
	for _, der := range ders {
		if cert, err := x509.ParseCertificate(der); err == nil {
			roots.Add(bundles.Root{Cert: cert})
		} else {
			broken = append(broken, der)
		}
	}
	return roots, broken, err
}
