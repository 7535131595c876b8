//go:build linux

package lab

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

const (
	wheelName = "labpkg-1.0-py3-none-any.whl"
	condaName = "labpkg-1.0-0.conda"
)

// site is what every host serves, whatever its name: a PEP 503 index, a conda
// channel, indexes for Ruby, cargo and R, a greeting, and (on port 80) the certificates that AIA names.
type site struct {
	pki   *PKI
	repo  string // directory of the local repository
	now   func() time.Time
	wheel []byte
	conda []byte
}

func newSite(b *base, now func() time.Time) *site {
	return &site{pki: b.pki, repo: b.dir + "/srv/repo", now: now, wheel: makeWheel(), conda: makeZip(map[string]string{"metadata.json": `{"conda_pkg_format_version":2}`})}
}

func (s *site) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	p := r.URL.Path
	dir, base := path.Split(p)
	switch {
	case strings.HasSuffix(p, "/simple/"):
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprint(rw, `<!DOCTYPE html><html><body><a href="labpkg/">labpkg</a></body></html>`)
	case strings.HasSuffix(p, "/simple/labpkg/"):
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, `<!DOCTYPE html><html><body><a href="/packages/%s#sha256=%x">%s</a></body></html>`, wheelName, sha256.Sum256(s.wheel), wheelName)
	case base == wheelName:
		rw.Header().Set("Content-Type", "application/octet-stream")
		_, _ = rw.Write(s.wheel)
	case base == "repodata.json", base == "current_repodata.json":
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(s.repodata(path.Base(dir)))
	case base == condaName:
		_, _ = rw.Write(s.conda)
	case strings.HasPrefix(p, "/debian/"): // the local repository, over the net
		http.StripPrefix("/debian/", http.FileServer(http.Dir(s.repo))).ServeHTTP(rw, r)
	case strings.HasPrefix(p, "/aia/") && s.pki.cas[strings.TrimSuffix(base, ".der")] != nil:
		rw.Header().Set("Content-Type", "application/pkix-cert")
		_, _ = rw.Write(s.pki.CA(strings.TrimSuffix(base, ".der")).Cert.Raw)
	case langContent[p] != "":
		fmt.Fprint(rw, langContent[p])
	case p == "/":
		fmt.Fprintf(rw, "hello from %s\n", r.Host)
	default:
		http.NotFound(rw, r)
	}
}

// repodata is a conda channel's index of one subdirectory; the package is noarch.
func (s *site) repodata(subdir string) any {
	pkgs := map[string]any{}
	if subdir == "noarch" {
		pkgs[condaName] = map[string]any{
			"name": "labpkg", "version": "1.0", "build": "0", "build_number": 0, "subdir": "noarch", "noarch": "generic", "depends": []string{},
			"sha256": fmt.Sprintf("%x", sha256.Sum256(s.conda)), "size": len(s.conda), "timestamp": 1700000000000,
		}
	}
	return map[string]any{"info": map[string]any{"subdir": subdir}, "packages": map[string]any{}, "packages.conda": pkgs, "removed": []string{}, "repodata_version": 1}
}

// makeWheel builds the smallest wheel that pip installs.
func makeWheel() []byte {
	files := map[string]string{
		"labpkg.py":                     "answer = 42\n",
		"labpkg-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: labpkg\nVersion: 1.0\n",
		"labpkg-1.0.dist-info/WHEEL":    "Wheel-Version: 1.0\nGenerator: lab\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
	}
	var record strings.Builder
	for name, data := range files {
		sum := sha256.Sum256([]byte(data))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(data))
	}
	record.WriteString("labpkg-1.0.dist-info/RECORD,,\n")
	files["labpkg-1.0.dist-info/RECORD"] = record.String()
	return makeZip(files)
}

func makeZip(files map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range files {
		f, err := z.Create(name)
		check(err)
		_, err = f.Write([]byte(data))
		check(err)
	}
	check(z.Close())
	return b.Bytes()
}
