package cli_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// rawServer is a server's certificate with an extension, which may be one that
// does not parse again.
func rawServer(t *testing.T, ca *authority, ext pkix.Extension) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "raw"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{ext},
	}, ca.cert, ecKey(t).Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func bigKey(t *testing.T, bits uint) *rsa.PublicKey {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	r, err := rand.Int(rand.Reader, n)
	if err != nil {
		t.Fatal(err)
	}
	return &rsa.PublicKey{N: n.Add(n, r).SetBit(n, 0, 1), E: 1<<31 - 1}
}

// What a server or a file holds may be made to cost time or memory: it is
// judged all the same and found wanting, never a failure of ours.
func TestVerifyHostileInput(t *testing.T) {
	ca := newAuthority(t, "Root", nil)
	roots := file(t, ca.cert.Raw)
	type hostile struct {
		name  string
		key   crypto.PrivateKey
		chain [][]byte
	}
	var inputs []hostile
	add := func(name string, leaf *x509.Certificate, key crypto.PrivateKey, more ...[]byte) {
		inputs = append(inputs, hostile{name, key, append([][]byte{leaf.Raw}, more...)})
	}
	stranger := newAuthority(t, "Stranger", nil)
	{
		issuer := newAuthority(t, "CA 0", nil)
		var up [][]byte
		for i := range 1000 {
			issuer = newAuthority(t, fmt.Sprintf("CA %d", i+1), issuer)
			up = append([][]byte{issuer.cert.Raw}, up...)
		}
		leaf, key := issuer.server(t, []string{"h.test"})
		add("a thousand certificates in a row", leaf, key, up...)
		add("a few hundred", leaf, key, up[:400]...)
	}
	for _, n := range []int{5_000, 10_000, 40_000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf("host-%06d.example", i)
		}
		leaf, key := stranger.server(t, names)
		add(fmt.Sprintf("%d names", n), leaf, key, stranger.cert.Raw)
	}
	{
		leaf, key := stranger.server(t, []string{"h.test"})
		giant := ca.sign(t, &x509.Certificate{
			SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Stranger"}, IsCA: true, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
		}, bigKey(t, 16384))
		add("a key of 16,384 bits", leaf, key, giant.Raw) // a signature that it cannot have made
		add("a malformed certificate behind", leaf, key, leaf.Raw[:len(leaf.Raw)-9], []byte{0x30, 0x80, 0, 0}, nil)
	}
	{
		deep := ca
		var up [][]byte
		for i := range 60 {
			deep = newAuthority(t, fmt.Sprintf("Deep %d", i), deep, func(c *x509.Certificate) {
				for k := range 100 {
					c.PermittedDNSDomains = append(c.PermittedDNSDomains, fmt.Sprintf("d%d.example", k))
				}
			})
			up = append([][]byte{deep.cert.Raw}, up...)
		}
		names := make([]string, 2000)
		for i := range names {
			names[i] = fmt.Sprintf("h%d.d99.example", i)
		}
		leaf, key := deep.server(t, names)
		add("constraints all the way up", leaf, key, up...)
	}
	{
		peers := make([]*authority, 16)
		for i := range peers {
			peers[i] = newAuthority(t, fmt.Sprintf("Peer %d", i), nil)
		}
		var up [][]byte
		for i, p := range peers {
			for k, by := range peers {
				if i != k {
					c := *p.cert
					c.SerialNumber = big.NewInt(int64(100*i + k))
					up = append(up, by.sign(t, &c, p.key.Public()).Raw)
				}
			}
		}
		leaf, key := peers[0].server(t, []string{"h.test"})
		add("everybody signed everybody", leaf, key, up...)
	}
	look := func(t *testing.T, args ...string) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		code, r, errs := callJSON(t, append([]string{"--roots", roots, "--at", nowArg()}, args...)...)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		t.Logf("%v, %d MB allocated: %s, %s %v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, r.Verdict, r.Fault, r.Causes)
		if code != 3 || !strings.HasPrefix(r.Cause, "server-") || strings.Contains(errs, "defect") {
			t.Errorf("exit %d, %+v\n%s", code, r, errs)
		}
		if took > 20*time.Second { // ten times what it may take: a machine under load is no excuse for more
			t.Errorf("took %v", took)
		}
	}
	for _, in := range inputs {
		t.Run(in.name, func(t *testing.T) {
			saved := file(t, in.chain...)
			t.Run("saved", func(t *testing.T) { look(t, "--chain", saved, "--host", "h.test") })
			for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
				t.Run(name, func(t *testing.T) { look(t, "h.test@"+serve(t, in.key, version, in.chain...)) })
			}
		})
	}
	t.Run("a file of nothing but begins", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "begin.pem")
		if err := os.WriteFile(name, bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"), 200_000), 0o600); err != nil {
			t.Fatal(err)
		}
		look(t, "--chain", name, "--host", "h.test")
	})
}

// crypto/tls gives up on RSA keys above 8192 bits; that is no verdict on a
// server that other programs take.
func TestVerifyLargeKeyIsNotOurs(t *testing.T) {
	ca := newAuthority(t, "Root", nil)
	leaf, key := ca.server(t, []string{"h.test"})
	idle := ca.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Idle"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}, bigKey(t, 12_288))
	roots := file(t, ca.cert.Raw)
	for _, c := range []struct {
		name    string
		version uint16
		client  []string
		want    string
	}{
		{"its chain is seen", tls.VersionTLS12, nil, "0 "},
		{"Go's own programs refuse", tls.VersionTLS12, []string{"--client", "go"}, "3 server-weak"},
		{"its chain cannot be seen", tls.VersionTLS13, nil, "3 server-malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"--roots", roots, "--at", nowArg(), "h.test@" + serve(t, key, c.version, leaf.Raw, idle.Raw)}, c.client...)
			if code, r, _ := callJSON(t, args...); fmt.Sprint(code, " ", r.Cause) != c.want {
				t.Errorf("exit %d, %+v; want %s", code, r, c.want)
			}
		})
	}
}
