package bundles

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const keyStores = "testdata/keystore"

// What each store shows, and what it shows a Java that is told a password;
// -1: it cannot be loaded. TestKeyStoreAsJava asks Java the same.
var keyStoreCases = []struct {
	file, password string
	anchors        int
	err            error
}{
	{"changeit.jks", "", 2, nil},
	{"changeit.jks", "changeit", 2, nil},
	{"secret.jks", "", 2, nil}, // without a password nothing is checked
	{"secret.jks", "changeit", -1, ErrStorePassword},
	{"secret.jks", "s€cret1", 2, nil},
	{"key.jks", "", 1, nil}, // the certificate of a private key is an anchor too
	{"changeit.p12", "", 0, nil},
	{"changeit.p12", "changeit", 2, nil},
	{"changeit.p12", "other", -1, ErrStorePassword},
	{"legacy.p12", "", 0, nil},
	{"legacy.p12", "changeit", 2, nil},
	{"plain.p12", "", 2, nil}, // as JDK 18 and newer ship their cacerts
	{"plain.p12", "changeit", 2, nil},
	{"plain-mac.p12", "", 2, nil},
	{"plain-mac.p12", "changeit", 2, nil},
	{"plain-mac.p12", "other", -1, ErrStorePassword},
	{"unmarked.p12", "", 0, nil}, // made by openssl: without Java's mark it is no anchor
	{"unmarked.p12", "changeit", 0, nil},
	{"one.pem", "", -1, ErrStoreBroken},
	{"rounds.p12", "changeit", -1, ErrStoreUnread}, // two million of them
}

func readStoreFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(keyStores, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readCertFile(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(readStoreFile(t, name))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReadKeyStore(t *testing.T) {
	one, two := readCertFile(t, "one.pem"), readCertFile(t, "two.pem")
	for _, tc := range keyStoreCases {
		k, err := ReadKeyStore(readStoreFile(t, tc.file), tc.password)
		if !errors.Is(err, tc.err) || err == nil && len(k.Certs) != tc.anchors {
			t.Errorf("%s with %q: %d anchors, %v; want %d, %v", tc.file, tc.password, len(k.Certs), err, tc.anchors, tc.err)
		}
		if tc.anchors == 2 && err == nil && (!slices.ContainsFunc(k.Certs, one.Equal) || !slices.ContainsFunc(k.Certs, two.Equal)) {
			t.Errorf("%s: other certificates: %s", tc.file, Name(k.Certs[0]))
		}
	}
	k, err := ReadKeyStore(readStoreFile(t, "store.jceks"), "changeit")
	if err != nil || k.Format != "JCEKS" || len(k.Certs) != 2 {
		t.Errorf("JCEKS: %+v, %v", k, err)
	}
	if k, err := ReadKeyStore(readStoreFile(t, "changeit.p12"), ""); k.Hidden != 1 || err != nil {
		t.Errorf("what a password hides is not told: %+v, %v", k, err)
	}
}

// javaAnchors prints how many anchors a Java has when it is started so.
const javaAnchors = `
import javax.net.ssl.*;
public class Anchors {
  public static void main(String[] args) throws Exception {
    TrustManagerFactory f = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    f.init((java.security.KeyStore) null);
    int n = 0;
    for (TrustManager m : f.getTrustManagers()) n += ((X509TrustManager) m).getAcceptedIssuers().length;
    System.out.println("anchors " + n);
  }
}`

// TestKeyStoreAsJava asks the machine's Javas for every case.
func TestKeyStoreAsJava(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Java many times")
	}
	javac, err := exec.LookPath("javac")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no Java compiler; scripts/ci-setup.sh installs one")
		}
		t.Skip("there is no Java compiler here")
	}
	javac, err = filepath.EvalSymlinks(javac)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "Anchors.java")
	if err := os.WriteFile(source, []byte(javaAnchors), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(argv ...string) string {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) // #nosec G204 -- the test's own words
		cmd.Env = []string{"LC_ALL=C.UTF-8"}
		out, _ := cmd.CombinedOutput() // a store that cannot be loaded is a failure to it
		return string(out)
	}
	if out := run(javac, "-d", dir, source); out != "" {
		t.Fatal(out)
	}
	stores, err := filepath.Abs(keyStores)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := WriteKeyStore([]StoreEntry{{"one", readCertFile(t, "one.pem").Raw}, {"%41 two", readCertFile(t, "two.pem").Raw}}, "")
	if err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(dir, "ours.jks")
	if err := os.WriteFile(written, ours, 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(file, password string) string {
		argv := []string{filepath.Join(filepath.Dir(javac), "java"), "-XX:TieredStopAtLevel=1", "-Djavax.net.ssl.trustStore=" + file}
		if password != "" {
			argv = append(argv, "-Djavax.net.ssl.trustStorePassword="+password)
		}
		return run(append(argv, "-cp", dir, "Anchors")...)
	}
	for _, tc := range keyStoreCases {
		if strings.Contains(tc.password, "€") || errors.Is(tc.err, ErrStoreUnread) {
			continue // Java takes its options in the platform's encoding, and all the time it needs
		}
		out := ask(filepath.Join(stores, tc.file), tc.password)
		if want := fmt.Sprintf("anchors %d\n", tc.anchors); tc.anchors >= 0 && out != want || tc.anchors < 0 && !strings.Contains(out, "problem accessing trust store") {
			t.Errorf("%s with %q: Java says %q", tc.file, tc.password, out)
		}
	}
	for _, password := range []string{"", "changeit"} {
		if out := ask(written, password); out != "anchors 2\n" {
			t.Errorf("our own store with %q: Java says %q", password, out)
		}
	}
}

func TestWriteKeyStore(t *testing.T) {
	one := readCertFile(t, "one.pem")
	data, err := WriteKeyStore([]StoreEntry{{"one", one.Raw}}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]error{"": nil, "secret": nil, "other": ErrStorePassword} {
		k, err := ReadKeyStore(data, password)
		if !errors.Is(err, want) || err == nil && (len(k.Certs) != 1 || !k.Certs[0].Equal(one) || k.Aliases[0] != "one") {
			t.Errorf("with %q: %+v, %v", password, k, err)
		}
	}
	if _, err := WriteKeyStore([]StoreEntry{{strings.Repeat("a", 1<<16), one.Raw}}, ""); err == nil {
		t.Error("an alias that does not fit was written")
	}
}

// A store that is cut anywhere is refused or shows fewer anchors, and never
// more.
func TestKeyStoreCut(t *testing.T) {
	for _, name := range []string{"changeit.jks", "key.jks", "plain.p12", "changeit.p12"} {
		data := readStoreFile(t, name)
		for n := range data {
			if k, err := ReadKeyStore(data[:n], ""); err == nil {
				t.Fatalf("%s cut at %d of %d: %+v", name, n, len(data), k)
			}
		}
	}
}

// hostileStores claim more than they hold, or ask for more than is due.
func hostileStores() map[string][]byte {
	head := func(count uint32) []byte {
		b := binary.BigEndian.AppendUint32(nil, magicJKS)
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, 2), count)
	}
	entry := append([]byte{0, 0, 0, 2, 0, 1, 'a'}, make([]byte, 8)...)
	entry = append(entry, 0, 5, 'X', '.', '5', '0', '9')
	many := head(100_000)
	for range 100_000 {
		many = append(append(many, entry...), 0, 0, 0, 1, 0x30)
	}
	chain := append(head(1), 0, 0, 0, 1, 0, 0)
	chain = append(append(chain, make([]byte, 12)...), 0xff, 0xff, 0xff, 0xff)
	return map[string][]byte{
		"count":      head(0xffffffff),
		"length":     append(append(head(1), entry...), 0xff, 0xff, 0xff, 0xff),
		"many":       append(many, make([]byte, 20)...),
		"many cut":   many[:len(many)/2],
		"chain":      chain,
		"too large":  append(head(1), make([]byte, maxStore)...),
		"p12 length": {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 3, 0x30, 0, 0, 0, 0, 0, 0},
	}
}

func TestKeyStoreHostile(t *testing.T) {
	for name, data := range hostileStores() {
		before := testing.AllocsPerRun(1, func() {
			if k, err := ReadKeyStore(data, "changeit"); err == nil && len(k.Certs) > 0 {
				t.Errorf("%s: %d anchors", name, len(k.Certs))
			}
		})
		if before > 2_000_000 {
			t.Errorf("%s: %.0f allocations", name, before)
		}
	}
}

func FuzzReadKeyStore(f *testing.F) {
	names, err := filepath.Glob(keyStores + "/*")
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "")
		f.Add(data, "changeit")
	}
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		k, err := ReadKeyStore(data, password)
		if err == nil && !IsKeyStore(data) {
			t.Fatalf("read what does not begin as a key store: %+v", k)
		}
		size := 0
		for _, c := range k.Certs {
			size += len(c.Raw)
		}
		if size > len(data) {
			t.Fatalf("%d bytes of certificates in a file of %d", size, len(data))
		}
	})
}
