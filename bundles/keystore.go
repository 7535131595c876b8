package bundles

import (
	"bytes"
	"crypto/sha1" // #nosec G505 -- what JKS checks its integrity with; nothing is trusted for it
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// KeyStore is what a Java key store holds, as Java's TLS would see it.
type KeyStore struct {
	Format  string              // "JKS", "JCEKS", "PKCS12"
	Certs   []*x509.Certificate // trust anchors, in file order, duplicates left out
	Opaque  [][]byte            // DER of anchors that Go cannot parse and Java may
	Aliases []string            // of the anchors, as written
	Hidden  int                 // certificates in it that Java does not take for anchors
}

// The errors of ReadKeyStore, wrapped.
var (
	// ErrStorePassword: the store was made with another password; Java refuses it.
	ErrStorePassword = errors.New("the password does not fit the key store, or the store was tampered with")
	// ErrStoreBroken: Java cannot load it.
	ErrStoreBroken = errors.New("not a whole key store")
	// ErrStoreUnread: Java may load it, this package cannot.
	ErrStoreUnread = errors.New("a key store of a kind that cannot be read here")
)

const (
	magicJKS   = 0xfeedfeed
	magicJCEKS = 0xcececece
	saltJKS    = "Mighty Aphrodite"

	tagKey, tagCert, tagSecret = 1, 2, 3

	// maxStore is far above a store of all public roots, which has 200 kB.
	maxStore = 16 << 20
)

// IsKeyStore reports whether data begins as a Java key store does.
func IsKeyStore(data []byte) bool {
	if len(data) < 4 {
		return false
	}
	m := binary.BigEndian.Uint32(data)
	return m == magicJKS || m == magicJCEKS || isPFX(data)
}

// ReadKeyStore reads a store as Java's TLS opens its trust store: "" is no
// password, with which a JKS is not checked and what a PKCS#12 store encrypts
// is not seen. Time and memory are linear in len(data), but for a password's
// bounded number of rounds.
func ReadKeyStore(data []byte, password string) (KeyStore, error) {
	switch {
	case len(data) > maxStore:
		return KeyStore{}, fmt.Errorf("%w: %d bytes", ErrStoreUnread, len(data))
	case len(data) >= 4 && binary.BigEndian.Uint32(data) == magicJKS:
		return readJKS(data, password, "JKS")
	case len(data) >= 4 && binary.BigEndian.Uint32(data) == magicJCEKS:
		return readJKS(data, password, "JCEKS")
	case isPFX(data):
		return readPFX(data, password)
	}
	return KeyStore{}, fmt.Errorf("%w: neither JKS nor PKCS#12", ErrStoreBroken)
}

// anchor adds a trust anchor unless it is there.
func (k *KeyStore) anchor(seen map[string]bool, alias string, der []byte) {
	fp := Fingerprint(der)
	if seen[fp] {
		return
	}
	seen[fp] = true
	k.Aliases = append(k.Aliases, alias)
	if c, err := x509.ParseCertificate(der); err == nil {
		k.Certs = append(k.Certs, c)
	} else {
		k.Opaque = append(k.Opaque, bytes.Clone(der))
	}
}

// jks is a cursor over a JKS or JCEKS file.
type jks struct {
	data []byte
	pos  int
	bad  bool // it ended too early
}

func (r *jks) bytes(n uint32) []byte {
	if r.bad || uint64(n) > uint64(len(r.data)-r.pos) {
		r.bad = true
		return nil
	}
	b := r.data[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

func (r *jks) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// text is a string with a length of two bytes in front.
func (r *jks) text() string {
	b := r.bytes(2)
	if b == nil {
		return ""
	}
	return string(r.bytes(uint32(binary.BigEndian.Uint16(b))))
}

// cert is a certificate: its type in version 2, then its DER.
func (r *jks) cert(version uint32) []byte {
	if version == 2 {
		r.text()
	}
	return r.bytes(r.u32())
}

// readJKS reads the trusted certificates and, as Java's TLS does, the first
// certificate of each private key.
func readJKS(data []byte, password, format string) (KeyStore, error) {
	k := KeyStore{Format: format}
	r := &jks{data: data, pos: 4}
	version, count := r.u32(), r.u32()
	if version != 1 && version != 2 {
		return k, fmt.Errorf("%w: version %d", ErrStoreBroken, version)
	}
	seen := map[string]bool{}
	for n := uint32(0); n < count && !r.bad; n++ {
		tag, alias := r.u32(), r.text()
		r.bytes(8) // date
		switch tag {
		case tagKey:
			r.bytes(r.u32())
			chain := r.u32()
			for i := uint32(0); i < chain && !r.bad; i++ {
				if der := r.cert(version); i == 0 && !r.bad {
					k.anchor(seen, alias, der)
				}
			}
		case tagCert:
			if der := r.cert(version); !r.bad {
				k.anchor(seen, alias, der)
			}
		case tagSecret: // a serialized object: where it ends, only Java knows
			return k, fmt.Errorf("%w: it holds a secret key", ErrStoreUnread)
		default:
			r.bad = true
		}
	}
	end := r.pos
	digest := r.bytes(sha1.Size)
	switch {
	case r.bad:
		return k, fmt.Errorf("%w: cut or damaged at byte %d", ErrStoreBroken, r.pos)
	case password != "" && !bytes.Equal(digest, digestJKS(data[:end], password)):
		return k, ErrStorePassword
	}
	return k, nil
}

// digestJKS is the integrity check of a JKS file: not of its origin, since the
// password of most is known to all.
func digestJKS(data []byte, password string) []byte {
	h := sha1.New() // #nosec G401 -- see the import
	for _, u := range utf16.Encode([]rune(password)) {
		h.Write([]byte{byte(u >> 8), byte(u)})
	}
	h.Write([]byte(saltJKS))
	h.Write(data)
	return h.Sum(nil)
}

// StoreEntry is a trust anchor to write.
type StoreEntry struct {
	Alias string // [a-z0-9] and ASCII signs only: Java looks entries up in lower case
	DER   []byte
}

// WriteKeyStore is a JKS file, the one format that every Java reads with and
// without a password: a PKCS#12 store that a password protects shows no
// anchors to a Java that is not told it (reference clients.md §8).
func WriteKeyStore(entries []StoreEntry, password string) ([]byte, error) {
	if password == "" {
		password = "changeit" // Java's own
	}
	var b []byte
	u32 := func(n int) { b = binary.BigEndian.AppendUint32(b, uint32(n)) } // #nosec G115 -- lengths of what is in memory
	text := func(s string) {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...) // #nosec G115 -- checked below
	}
	u32(magicJKS)
	u32(2)
	u32(len(entries))
	for _, e := range entries {
		if len(e.Alias) > 0xffff {
			return nil, fmt.Errorf("an alias of %d bytes is too long for a key store", len(e.Alias))
		}
		u32(tagCert)
		text(e.Alias)
		b = binary.BigEndian.AppendUint64(b, 0) // no date: the same roots are the same bytes
		text("X.509")
		u32(len(e.DER))
		b = append(b, e.DER...)
	}
	return append(b, digestJKS(b, password)...), nil
}
