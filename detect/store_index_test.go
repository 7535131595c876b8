package detect

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/platform/platformtest"
)

func TestSubjectHash(t *testing.T) {
	data, err := os.ReadFile("testdata/store/subject-hash.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 2 {
			want[f[0]] = f[1]
		}
	}
	n := 0
	for _, r := range bundles.Reference().All() {
		if h, ok := want[bundles.Fingerprint(r.Cert.Raw)]; ok {
			n++
			if got := SubjectHash(r.Cert.RawSubject); got != h {
				t.Errorf("%s: %s, openssl says %s", r.Cert.Subject, got, h)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d reference roots have a known hash", n)
	}
	if got := SubjectHash([]byte("not DER")); got != "" {
		t.Errorf("not DER: %q", got)
	}
}

// Names that OpenSSL canonicalises: case, inner and outer space, BMP and
// Latin-1 strings. Compared with the real program where there is one.
func TestSubjectHashAgainstOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("no openssl here; the golden hashes above are its own")
	}
	for _, name := range []string{"  Two   Words  ", "ÄÖÜ straße", "UPPER\tlower", "中文 根证书"} {
		c := platformtest.Root(t, name)
		cmd := exec.Command(openssl, "x509", "-noout", "-subject_hash")
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		cmd.Stdin = strings.NewReader(platformtest.PEM(c))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := SubjectHash(c.RawSubject), strings.TrimSpace(string(out)); got != want {
			t.Errorf("%q: %s, openssl says %s", name, got, want)
		}
	}
}

func TestParseConf(t *testing.T) {
	got := fmt.Sprint(ParseConf([]byte("# c\n\nmozilla/A.crt\r\n!mozilla/B.crt\n! mozilla/C.crt\n!\n#!mozilla/D.crt\nlast")))
	if want := "[{3 mozilla/A.crt false} {4 mozilla/B.crt true} {5 mozilla/C.crt true} {8 last false}]"; got != want {
		t.Errorf("got %s", got)
	}
}
