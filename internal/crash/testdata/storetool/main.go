// Storetool stands for a distribution's update-ca-certificates in the tests of
// this package: it makes the bundle from its sources, and writes as such tools
// do, over what is there. With /etc/broken in its tree it fails half-way.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const bundle = "/etc/ssl/certs/ca-certificates.crt"

func main() {
	if err := rebuild(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rebuild() error {
	conf, err := os.ReadFile("/etc/ca-certificates.conf")
	if err != nil {
		return err
	}
	var sources []string
	for line := range strings.Lines(string(conf)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "!") {
			sources = append(sources, filepath.Join("/usr/share/ca-certificates", line))
		}
	}
	own, err := filepath.Glob("/usr/local/share/ca-certificates/*.crt")
	if err != nil {
		return err
	}
	var all bytes.Buffer
	for _, source := range append(sources, own...) {
		data, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		all.Write(data)
		link := filepath.Join(filepath.Dir(bundle), strings.TrimSuffix(filepath.Base(source), ".crt")+".pem")
		_ = os.Remove(link)
		if err := os.Symlink(source, link); err != nil {
			return err
		}
	}
	if _, err := os.Stat("/etc/broken"); err == nil {
		_ = os.WriteFile(bundle, all.Bytes()[:all.Len()/2], 0o644)
		return fmt.Errorf("failed half-way")
	}
	return os.WriteFile(bundle, all.Bytes(), 0o644)
}
