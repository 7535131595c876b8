package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// NewManifest describes archives (content by file name) as Find reads them.
// Every archive is unpacked as an update would.
func NewManifest(version string, released time.Time, archives map[string][]byte) (*Manifest, error) {
	if _, err := parseVersion(version); err != nil {
		return nil, err
	}
	m := &Manifest{Product: "trustfix", Version: version, Released: released, Revoked: []string{}}
	for _, file := range slices.Sorted(maps.Keys(archives)) {
		data := archives[file]
		a := Asset{Name: path.Base(filepath.ToSlash(file)), Size: int64(len(data)), SHA256: sum(data)}
		parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(a.Name, ".zip"), ".tar.gz"), "_")
		if len(parts) != 4 {
			return nil, fmt.Errorf("%s is not called trustfix_VERSION_OS_ARCH", file)
		}
		if a.OS, a.Arch = parts[2], parts[3]; a.Name != AssetName(version, a.OS, a.Arch) {
			return nil, fmt.Errorf("%s is not called %s", file, AssetName(version, a.OS, a.Arch))
		}
		program, err := program(data, a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		a.BinarySHA256 = sum(program)
		m.Assets = append(m.Assets, a)
	}
	if len(m.Assets) == 0 {
		return nil, fmt.Errorf("no archives of version %s", version)
	}
	return m, nil
}

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
