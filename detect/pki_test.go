package detect

import (
	"crypto/x509"

	"trustfix/bundles"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

var (
	newCA      = platformtest.NewCA
	served     = platformtest.ServedCerts
	selfSigned = platformtest.SelfSigned
	between    = platformtest.Between
	weakRSA    = platformtest.WeakRSA
	validFrom  = platformtest.ValidFrom
	validUntil = platformtest.ValidUntil
)

func netError(kind platform.NetKind, detail string) platformtest.Handshake {
	return platformtest.Handshake{Err: &platform.NetError{Kind: kind, Detail: detail}}
}

func fingerprint(c *x509.Certificate) string { return bundles.Fingerprint(c.Raw) }
