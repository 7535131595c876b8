//go:build linux

package fix

import (
	"context"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/platform/platformtest"
)

// keytool of the machine's Java reads the stores that trustfix writes: one
// anchor more than the Java's own had, the CA among them, with and without the
// password. (Package bundles asks Java's TLS itself.)
func TestJavaReadsOurStore(t *testing.T) {
	keytool, err := exec.LookPath("keytool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no Java; scripts/ci-setup.sh installs one")
		}
		t.Skip("there is no Java here")
	}
	private := platformtest.NewCA(t, "Campus Root", nil)
	c := newCampus(t, "")
	own := []*x509.Certificate{}
	for _, r := range bundles.Reference().All() {
		own = append(own, r.Cert)
	}
	c = c.again("", javaTree(t, own...)+"-- root/.condarc --\nchannels: [https://"+pinHost+"/c]\n-- etc/ssl/certs/ca-certificates.crt --\n"+c.read("/opt/conda/ssl/cacert.pem"))
	c.serve(private.Leaf(t, pinHost), private.Cert.Raw)
	c.options.Consented = []string{bundles.Fingerprint(private.Cert.Raw)}
	var data []byte
	for _, s := range c.plan(Make).Steps {
		for _, a := range s.Actions {
			if a.Target == ownStore {
				data = a.After.Data
			}
		}
	}
	name := filepath.Join(t.TempDir(), "jssecacerts")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, password := range [][]string{nil, {"-storepass", "changeit"}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, keytool, append([]string{"-list", "-keystore", name}, password...)...)
		cmd.Env, cmd.Stdin = []string{"LC_ALL=C.UTF-8"}, strings.NewReader("\n")
		out, err := cmd.CombinedOutput()
		cancel()
		if n := strings.Count(string(out), "trustedCertEntry"); err != nil || n != len(own)+1 {
			t.Errorf("%v: %d anchors, want %d, %v:\n%.600s", password, n, len(own)+1, err, out)
		}
		if print := bundles.FormatFingerprint(bundles.Fingerprint(private.Cert.Raw)); !strings.Contains(string(out), print) {
			t.Errorf("%v: %s is not in it", password, print)
		}
	}
}
