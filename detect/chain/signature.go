package chain

import (
	"bytes"
	"crypto"
	"crypto/dsa" //nolint:staticcheck // old chains have such keys; they are weak, not forged
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/md5" //nolint:gosec // to tell a weak signature from a forged one
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"math/bits"
)

// signature is the outcome of checking one certificate against one key.
type signature int

const (
	sigGood    signature = iota
	sigBad               // not made with that key
	sigUnknown           // an algorithm or key that cannot be checked here
)

// Bounds of what is worth computing: OpenSSL and Go refuse larger keys too.
const (
	maxRSABits = 16384
	maxDSABits = 3072
)

// checkSignature verifies c with the key of issuer and nothing else: whether
// the issuer may sign is another question. Unlike crypto/x509 it still checks
// MD5 and SHA-1 signatures and RSA keys below 1024 bits, so that weak can be
// told from forged; it never makes them acceptable.
func checkSignature(c, issuer *x509.Certificate) signature {
	algo, h, _ := algorithm(c.SignatureAlgorithm)
	switch key := issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		switch {
		case algo == x509.UnknownPublicKeyAlgorithm || key.N.BitLen() > maxRSABits:
			return sigUnknown
		case isPSS(c.SignatureAlgorithm):
			return goodIf(issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil)
		}
		return goodIf(algo == x509.RSA && verifyPKCS1(key, h, digest(c, h), c.Signature))
	case *ecdsa.PublicKey:
		if algo != x509.UnknownPublicKeyAlgorithm {
			return goodIf(algo == x509.ECDSA && ecdsa.VerifyASN1(key, digest(c, h), c.Signature))
		}
	case ed25519.PublicKey:
		if algo != x509.UnknownPublicKeyAlgorithm {
			return goodIf(algo == x509.Ed25519 && ed25519.Verify(key, c.RawTBSCertificate, c.Signature))
		}
	case *dsa.PublicKey:
		if algo != x509.UnknownPublicKeyAlgorithm && key.P.BitLen() <= maxDSABits {
			return goodIf(algo == x509.DSA && verifyDSA(key, digest(c, h), c.Signature))
		}
	}
	return sigUnknown
}

func goodIf(ok bool) signature {
	if ok {
		return sigGood
	}
	return sigBad
}

func verifyDSA(key *dsa.PublicKey, sum, sig []byte) bool {
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(sig, &v); err != nil || len(rest) > 0 {
		return false
	}
	return dsa.Verify(key, sum[:min(len(sum), (key.Q.BitLen()+7)/8)], v.R, v.S)
}

// effort is how many times longer a signature by this key takes to check than
// one of RSA 2048: hostile keys are large and have large exponents.
func effort(issuer *x509.Certificate) int {
	key, ok := issuer.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() > maxRSABits {
		return 1
	}
	size := (key.N.BitLen() + 2047) / 2048
	return size * size * size * ((bits.Len(uint(key.E)) + 16) / 17)
}

func isPSS(a x509.SignatureAlgorithm) bool {
	return a == x509.SHA256WithRSAPSS || a == x509.SHA384WithRSAPSS || a == x509.SHA512WithRSAPSS
}

// algorithm is the key type a signature needs, its hash and that hash's size
// in bytes.
func algorithm(a x509.SignatureAlgorithm) (x509.PublicKeyAlgorithm, crypto.Hash, int) {
	switch a {
	case x509.MD5WithRSA:
		return x509.RSA, crypto.MD5, md5.Size
	case x509.SHA1WithRSA:
		return x509.RSA, crypto.SHA1, sha1.Size
	case x509.ECDSAWithSHA1:
		return x509.ECDSA, crypto.SHA1, sha1.Size
	case x509.DSAWithSHA1:
		return x509.DSA, crypto.SHA1, sha1.Size
	case x509.DSAWithSHA256:
		return x509.DSA, crypto.SHA256, sha256.Size
	case x509.SHA256WithRSA, x509.SHA256WithRSAPSS:
		return x509.RSA, crypto.SHA256, sha256.Size
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS:
		return x509.RSA, crypto.SHA384, sha512.Size384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS:
		return x509.RSA, crypto.SHA512, sha512.Size
	case x509.ECDSAWithSHA256:
		return x509.ECDSA, crypto.SHA256, sha256.Size
	case x509.ECDSAWithSHA384:
		return x509.ECDSA, crypto.SHA384, sha512.Size384
	case x509.ECDSAWithSHA512:
		return x509.ECDSA, crypto.SHA512, sha512.Size
	case x509.PureEd25519:
		return x509.Ed25519, 0, 0
	}
	return x509.UnknownPublicKeyAlgorithm, 0, 0
}

// digest is the hash of what a signature covers.
func digest(c *x509.Certificate, h crypto.Hash) []byte {
	if h == 0 {
		return nil
	}
	w := h.New()
	w.Write(c.RawTBSCertificate)
	return w.Sum(nil)
}

// verifyPKCS1 checks RSASSA-PKCS1-v1_5; crypto/rsa refuses keys below 1024
// bits, those are computed here.
func verifyPKCS1(key *rsa.PublicKey, h crypto.Hash, sum, sig []byte) bool {
	if key.N.BitLen() >= 1024 {
		return rsa.VerifyPKCS1v15(key, h, sum, sig) == nil
	}
	k := key.Size()
	prefix, ok := digestInfo[h]
	if !ok || len(sig) != k || k < len(prefix)+len(sum)+11 || key.N.Sign() <= 0 || key.E < 2 {
		return false
	}
	m := new(big.Int).Exp(new(big.Int).SetBytes(sig), big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, k))
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, k-3-len(prefix)-len(sum))...)
	want = append(append(append(want, 0), prefix...), sum...)
	return bytes.Equal(m, want)
}

// digestInfo are the DER prefixes of RFC 8017 §9.2.
var digestInfo = map[crypto.Hash][]byte{
	crypto.MD5:    {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10},
	crypto.SHA1:   {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14},
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

// weakSignature reports whether a signature can be forged, or is of a kind that
// TLS has given up.
func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256:
		return true
	}
	return false
}

// keyBits is the kind and size of a public key; 0 bits where size says nothing.
func keyBits(c *x509.Certificate) (kind string, bits int) {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA", k.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", k.Curve.Params().BitSize
	case ed25519.PublicKey:
		return "Ed25519", 256
	case *dsa.PublicKey:
		return "DSA", k.P.BitLen()
	}
	return c.PublicKeyAlgorithm.String(), 0
}
