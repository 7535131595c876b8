//go:build linux

package lab

import (
	"bytes"
	"compress/gzip"
)

// langContent is what every host serves to gem and bundler (an index of one
// gem, old form and new), to cargo (a sparse index of one crate) and to R (a
// repository of one package): enough for each to name labpkg, none to fetch.
var langContent = map[string]string{
	"/latest_specs.4.8.gz":  gzipped(gemSpecs),
	"/versions":             "created_at: 2024-01-01T00:00:00Z\n---\nlabpkg 1.0 " + gemInfoMD5 + "\n",
	"/info/labpkg":          gemInfo,
	"/config.json":          `{"dl": "https://crates.lab.example/"}`,
	"/la/bp/labpkg":         `{"name":"labpkg","vers":"1.0.0","deps":[],"cksum":"` + noSum + `","features":{},"yanked":false}` + "\n",
	"/src/contrib/PACKAGES": "Package: labpkg\nVersion: 1.0\n",
}

const (
	// gemSpecs is [["labpkg", Gem::Version.new("1.0"), "ruby"]] as Ruby marshals it.
	gemSpecs = "\x04\x08[\x06[\x08I\"\x0blabpkg\x06:\x06ETU:\x11Gem::Version[\x06I\"\x081.0\x06;\x00TI\"\x09ruby\x06;\x00T"
	gemInfo  = "---\n1.0 |checksum:" + noSum + "\n"
	// gemInfoMD5 is the sum of gemInfo, which bundler checks.
	gemInfoMD5 = "b78d97e1d3dadfdd2b7d712845f500fe"
)

// noSum stands for the sum of a package that nobody fetches.
const noSum = "0000000000000000000000000000000000000000000000000000000000000000"

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	check(err)
	check(z.Close())
	return b.String()
}
