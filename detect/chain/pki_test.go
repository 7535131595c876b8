package chain

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain/chaintest"
)

// now is when every generated chain is judged.
var now = time.Now().UTC().Truncate(time.Second)

const host = chaintest.Host

type entity = chaintest.Entity

func mint(tb testing.TB, cn string, issuer *entity, opts ...func(*x509.Certificate)) *entity {
	tb.Helper()
	return chaintest.Mint(tb, now, cn, issuer, opts...)
}

func mintKey(tb testing.TB, cn string, issuer *entity, key crypto.Signer, opts ...func(*x509.Certificate)) *entity {
	tb.Helper()
	return chaintest.MintKey(tb, now, cn, issuer, key, opts...)
}

var (
	asCA, asServer, looseBC = chaintest.AsCA, chaintest.AsServer, chaintest.LooseBC
	until                   = chaintest.Until
	rsaKey, ders            = chaintest.RSAKey, chaintest.DERs
)

func roots(es ...*entity) *bundles.Roots {
	r := &bundles.Roots{}
	for _, e := range es {
		r.Add(bundles.Root{Cert: e.Certificate})
	}
	return r
}

func pemOf(ders ...[]byte) []byte {
	var b bytes.Buffer
	for _, d := range ders {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: d})
	}
	return b.Bytes()
}

func rootsDistrusting(e *entity) *bundles.Roots {
	r := &bundles.Roots{}
	r.Add(bundles.Root{Cert: e.Certificate, Constraint: func([]*x509.Certificate) error { return errors.New("issued after the date of distrust") }})
	return r
}
