package client

import (
	"fmt"
	"strings"
	"sync"

	"trustfix/bundles"
)

// Open reads a key store as Java opens it.
func (k *KeyStore) Open(data []byte) (bundles.KeyStore, error) {
	store, err := bundles.ReadKeyStore(data, k.Password)
	if err == nil && store.Format == "JCEKS" && !strings.EqualFold(k.Type, "JCEKS") {
		err = fmt.Errorf("%w: JCEKS, which Java opens only where javax.net.ssl.trustStoreType says so", bundles.ErrStoreBroken)
	}
	return store, err
}

// InFile reports whether a store of this type is a file that can be read.
func (k *KeyStore) InFile() bool { return k.Type == "" || oneOf("JKS", "PKCS12", "JCEKS")(k.Type) }

// ReadTrust is the trust source of a client, of whatever kind: see ReadAs.
func (c *Bundles) ReadTrust(t Trust) *Bundle {
	if t.KeyStore != nil {
		return c.ReadStore(t.Path, t.KeyStore)
	}
	return c.ReadAs(t.Path, t.Group)
}

// ReadStore is the Java key store at a path, as a Bundle. Bundle.Err is one of
// package bundles where Java could not open it, or nobody here can tell.
func (c *Bundles) ReadStore(name string, k *KeyStore) *Bundle {
	id := strings.Join([]string{name, k.Type, k.Password}, "\x00")
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.byPath[id]; b != nil {
		return b
	}
	b := &Bundle{Path: name, Real: name, read: func() *bundles.Roots { return empty }}
	c.byPath[id] = b
	data, err := c.files.ReadFile(name)
	if err != nil {
		b.Err = err
		return b
	}
	if real, err := c.files.Resolve(name); err == nil {
		b.Real = real
	}
	store, err := k.Open(data)
	if err != nil {
		b.Err = err
		return b
	}
	b.Hidden = store.Hidden
	for _, cert := range store.Certs {
		b.Prints = append(b.Prints, bundles.Fingerprint(cert.Raw))
	}
	for _, der := range store.Opaque {
		b.Prints = append(b.Prints, bundles.Fingerprint(der))
	}
	b.read = sync.OnceValue(func() *bundles.Roots { return bundles.NewRoots(store.Certs...) })
	return b
}
