package release

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"

	"trustfix/internal/text"
)

// The two files that stand beside the archives of a release.
const (
	ManifestName  = "manifest.json"
	SignatureName = "manifest.json.minisig"
)

// Manifest is what the release key signs: it binds a version to the name,
// size and content of every archive (PRODUCT.md §8).
type Manifest struct {
	Product  string    `json:"product"`
	Version  string    `json:"version"`
	Released time.Time `json:"released"`
	// Revoked are versions that are not to be installed any more.
	Revoked []string `json:"revoked"`
	// RevokedKeys are ids of keys that are not to be believed any more. A key
	// may revoke itself and those before it.
	RevokedKeys []string `json:"revokedKeys,omitempty"`
	Assets      []Asset  `json:"assets"`
}

// Asset is one archive and the program in it.
type Asset struct {
	Name         string `json:"name"`
	OS           string `json:"os"`
	Arch         string `json:"arch"`
	Size         int64  `json:"size"`
	SHA256       string `json:"sha256"`       // hex
	BinarySHA256 string `json:"binarySha256"` // hex
}

// AssetName is what the archive of a version for a system is called.
func AssetName(version, goos, arch string) string {
	ext := "tar.gz"
	if goos == "windows" {
		ext = "zip"
	}
	return fmt.Sprintf("trustfix_%s_%s_%s.%s", version, goos, arch, ext)
}

const (
	maxManifest  = 1 << 20
	maxSignature = 4 << 10
	maxArchive   = 64 << 20
)

var assetName = regexp.MustCompile(`^trustfix_[0-9A-Za-z.+-]+_[0-9a-z]+_[0-9a-z]+\.(tar\.gz|zip)$`)

// parseManifest reads a manifest whose signature has been checked.
func parseManifest(data []byte) (*Manifest, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("manifest: more than one JSON document")
	}
	if m.Product != "trustfix" {
		return nil, fmt.Errorf("manifest: it is of the product %q", m.Product)
	}
	if _, err := parseVersion(m.Version); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	// Later releases may list what this one does not know.
	m.Assets = slices.DeleteFunc(m.Assets, func(a Asset) bool { return !assetName.MatchString(a.Name) })
	for i, a := range m.Assets {
		at := fmt.Sprintf("manifest: asset %d (%q)", i, a.Name)
		switch {
		case a.Size <= 0 || a.Size > maxArchive:
			return nil, fmt.Errorf("%s: %d bytes", at, a.Size)
		case !isSHA256(a.SHA256) || !isSHA256(a.BinarySHA256):
			return nil, fmt.Errorf("%s: a sum is not a SHA-256 in hex", at)
		case slices.ContainsFunc(m.Assets[:i], func(b Asset) bool { return a.Name == b.Name || a.OS == b.OS && a.Arch == b.Arch }):
			return nil, fmt.Errorf("%s: stands there twice", at)
		}
	}
	return &m, nil
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32
}

// asset is the archive for a system, by its exact name.
func (m *Manifest) asset(goos, arch string) (Asset, bool) {
	i := slices.IndexFunc(m.Assets, func(a Asset) bool {
		return a.OS == goos && a.Arch == arch && a.Name == AssetName(m.Version, goos, arch)
	})
	if i < 0 {
		return Asset{}, false
	}
	return m.Assets[i], true
}

// Keys are the public keys that the build compiled in, the current one first.
type Keys []minisign.PublicKey

// ParseKeys reads base64 minisign keys, separated by commas.
func ParseKeys(s string) (Keys, error) {
	var keys Keys
	for one := range strings.SplitSeq(s, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		var k minisign.PublicKey
		if err := k.UnmarshalText([]byte(one)); err != nil {
			return nil, fmt.Errorf("the release key %q of this build: %w", one, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// IDs are the keys' ids as minisign prints them.
func (ks Keys) IDs() []string {
	ids := make([]string, len(ks))
	for i, k := range ks {
		ids[i] = keyID(k.ID())
	}
	return ids
}

// KeyInfo is a public key as people compare it.
type KeyInfo struct {
	ID     string `json:"id"`     // as minisign prints it
	SHA256 string `json:"sha256"` // hex, of the 42 bytes that Key encodes
	Key    string `json:"key"`    // base64, as minisign -P takes it
}

// Infos describes the keys, the current one first.
func (ks Keys) Infos() []KeyInfo {
	list := make([]KeyInfo, len(ks))
	for i, k := range ks {
		encoded := k.String()
		raw, _ := base64.StdEncoding.DecodeString(encoded) // minisign's own encoding
		list[i] = KeyInfo{ID: keyID(k.ID()), SHA256: sum(raw), Key: encoded}
	}
	return list
}

func keyID(id uint64) string { return fmt.Sprintf("%016X", id) }

// verify checks data's signature and returns the id of the key that made it.
func (ks Keys) verify(data, signature []byte) (id string, err error) {
	var sig minisign.Signature
	if err := sig.UnmarshalText(signature); err != nil {
		return "", refuse(text.M("release.not-a-signature", "file", SignatureName))
	}
	// Releases are always signed over the hash, minisign's default. Its older
	// way is one more thing that a stranger could bring, and that we never make.
	if sig.Algorithm != minisign.HashEdDSA {
		return "", refuse(text.M("release.legacy-signature", "file", SignatureName))
	}
	for _, k := range ks {
		if k.ID() != sig.KeyID {
			continue
		}
		if minisign.Verify(k, data, signature) {
			return keyID(k.ID()), nil
		}
		return "", refuse(text.M("release.bad-signature", "key", keyID(sig.KeyID)))
	}
	return "", refuse(text.M("release.other-key", "key", keyID(sig.KeyID), "keys", strings.Join(ks.IDs(), ", ")))
}
