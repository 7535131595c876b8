package cli_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"trustfix/internal/cli"
)

// call runs the program with an empty environment.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Main(t.Context(), cli.Process{
		Args: append([]string{"trustfix", "--state-dir", t.TempDir()}, args...), Env: []string{"LANG=C.UTF-8", "HOME=" + t.TempDir()},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Build: cli.Build{Version: "1.0.0"},
	})
	return code, out.String(), err.String()
}

// result is one of the results of verify --json.
type result struct {
	Verdict, Fault, Cause string
	Causes                []string
	Revocation            []struct{ Status, From string }
}

func callJSON(t *testing.T, args ...string) (int, result, string) {
	t.Helper()
	code, out, errs := call(t, append([]string{"verify", "--json"}, args...)...)
	var doc struct{ Results []result }
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.Results) != 1 {
		t.Fatalf("exit %d, %v:\n%s%s", code, err, out, errs)
	}
	return code, doc.Results[0], errs
}

// authority makes certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string, by *authority, mod ...func(*x509.Certificate)) *authority {
	t.Helper()
	a := &authority{key: ecKey(t)}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	for _, m := range mod {
		m(c)
	}
	if by == nil {
		by = &authority{c, a.key}
	}
	a.cert = by.sign(t, c, a.key.Public())
	return a
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (a *authority) sign(t *testing.T, c *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (a *authority) server(t *testing.T, names []string, mod ...func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := ecKey(t)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, m := range mod {
		m(c)
	}
	return a.sign(t, c, key.Public()), key
}

// serve is a TLS server on loopback that sends what it is given, by one version
// only unless that is 0; the address is "127.0.0.1:port".
func serve(t *testing.T, key crypto.PrivateKey, version uint16, ders ...[]byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	config := &tls.Config{MinVersion: version, MaxVersion: version, Certificates: []tls.Certificate{{Certificate: ders, PrivateKey: key}}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				if tls.Server(conn, config).HandshakeContext(ctx) == nil {
					_, _ = io.Copy(io.Discard, conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func file(t *testing.T, ders ...[]byte) string {
	t.Helper()
	var b bytes.Buffer
	for _, der := range ders {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	name := filepath.Join(t.TempDir(), "certs.pem")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// flat takes out what wrapping has put in.
func flat(s string) string { return strings.Join(strings.Fields(s), "") }

func nowArg() string { return time.Now().UTC().Format(time.RFC3339) } // as --at: nobody is asked for the time

// Nobody is asked about revocation without the flag; with it the responder
// that the certificate names is, then its CRL.
func TestVerifyRevocation(t *testing.T) {
	var asked atomic.Int32
	var reply atomic.Value // func(http.ResponseWriter, *http.Request)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		reply.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	defer web.Close()
	ca := newAuthority(t, "Root", nil)
	leaf, key := ca.server(t, []string{"h.test"}, func(c *x509.Certificate) {
		c.OCSPServer, c.CRLDistributionPoints = []string{web.URL + "/ocsp"}, []string{web.URL + "/list.crl"}
	})
	addr, roots, saved := serve(t, key, 0, leaf.Raw), file(t, ca.cert.Raw), file(t, leaf.Raw)
	respond := func(status int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			q, err := ocsp.ParseRequest(body)
			if err != nil || r.Header.Get("Content-Type") != "application/ocsp-request" || r.URL.Path != "/ocsp" {
				http.Error(w, "no OCSP request", http.StatusBadRequest)
				return
			}
			der, err := ocsp.CreateResponse(ca.cert, ca.cert, ocsp.Response{
				Status: status, SerialNumber: q.SerialNumber, ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
				RevokedAt: time.Now().Add(-time.Hour), RevocationReason: ocsp.KeyCompromise,
			}, ca.key)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			_, _ = w.Write(der)
		}
	}
	list := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		der, _ := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Hour), ReasonCode: 4}},
		}, ca.cert, ca.key)
		_, _ = w.Write(der)
	}
	down := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) }
	for _, target := range [][]string{{"h.test@" + addr}, {"--chain", saved, "--host", "h.test"}} {
		for _, c := range []struct {
			name   string
			reply  func(http.ResponseWriter, *http.Request)
			flag   bool
			code   int
			cause  string
			status string
			asked  int32
		}{
			{"no flag", respond(ocsp.Revoked), false, 0, "", "", 0},
			{"good", respond(ocsp.Good), true, 0, "", "good", 1},
			{"revoked", respond(ocsp.Revoked), true, 3, "server-revoked", "revoked", 1},
			{"only the list answers", list, true, 3, "server-revoked", "revoked", 2},
			{"nobody answers", down, true, 0, "", "unknown", 2},
		} {
			t.Run(strings.Fields(target[0])[0][:2]+" "+c.name, func(t *testing.T) {
				asked.Store(0)
				reply.Store(c.reply)
				args := append([]string{"--roots", roots, "--at", nowArg()}, target...)
				if c.flag {
					args = append(args, "--revocation")
				}
				code, r, errs := callJSON(t, args...)
				status := ""
				if len(r.Revocation) > 0 {
					status = r.Revocation[0].Status
				}
				if code != c.code || r.Cause != c.cause || status != c.status || asked.Load() != c.asked {
					t.Errorf("exit %d, %q, %q, %d requests; want %d, %q, %q, %d\n%s", code, r.Cause, status, asked.Load(), c.code, c.cause, c.status, c.asked, errs)
				}
			})
		}
	}
	reply.Store(respond(ocsp.Revoked))
	_, out, _ := call(t, "verify", "--revocation", "--roots", roots, "--at", nowArg(), "h.test@"+addr)
	for _, want := range []string{"server-revoked", "keyCompromise", web.URL + "/ocsp", "revoked ──✗"} {
		if !strings.Contains(flat(out), flat(want)) {
			t.Errorf("%q is not said:\n%s", want, out)
		}
	}
	reply.Store(down)
	if _, out, _ := call(t, "verify", "--revocation", "--roots", roots, "--at", nowArg(), "h.test@"+addr); !strings.Contains(out, "could not be learned") || !strings.Contains(out, "HTTP status 503") {
		t.Errorf("what could not be learned is not said:\n%s", out)
	}
}

// A name in Unicode is looked up and verified in its other form, and both are
// shown; a certificate that holds the Unicode form is told so.
func TestVerifyUnicodeName(t *testing.T) {
	const ascii, unicode = "xn--fsqu00a.xn--0zwm56d", "例子.测试"
	ca := newAuthority(t, "Root", nil)
	leaf, key := ca.server(t, []string{ascii})
	addr, roots := serve(t, key, 0, leaf.Raw), file(t, ca.cert.Raw)
	for _, args := range [][]string{
		{unicode + "@" + addr},
		{"--chain", file(t, leaf.Raw), "--host", unicode},
		{"--chain", file(t, leaf.Raw), "--host", ascii},
	} {
		code, out, errs := call(t, append([]string{"verify", "--roots", roots, "--at", nowArg()}, args...)...)
		if code != 0 || !strings.Contains(out, ascii) || !strings.Contains(out, unicode) {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errs)
		}
	}
	code, out, _ := call(t, "verify", "--roots", roots, "--at", nowArg(), "--chain", file(t, leaf.Raw), "--host", "例子.example")
	if code != 3 || !strings.Contains(out, ascii+" ("+unicode+")") || !strings.Contains(out, "xn--fsqu00a.example (例子.example)") {
		t.Errorf("another name: exit %d\n%s", code, out)
	}
	for _, bad := range [][]string{{"-例.测试"}, {"https://例 子.测试/"}, {"--chain", file(t, leaf.Raw), "--host", "-例.测试"}, {"--chain", file(t, leaf.Raw), "--host", "h:443"}} {
		if code, _, errs := call(t, append([]string{"verify", "--roots", roots}, bad...)...); code != 2 || errs == "" {
			t.Errorf("%v: exit %d, %s", bad, code, errs)
		}
	}
	san := append([]byte{0x30, byte(len(unicode) + 2), 0x82, byte(len(unicode))}, unicode...)
	wrong := rawServer(t, ca, pkix.Extension{Id: []int{2, 5, 29, 17}, Value: san})
	code, r, _ := callJSON(t, "--roots", roots, "--at", nowArg(), "--chain", file(t, wrong), "--host", unicode)
	if code != 3 || r.Cause != "server-malformed" {
		t.Errorf("exit %d, %+v", code, r)
	}
	if _, out, _ := call(t, "verify", "--roots", roots, "--at", nowArg(), "--chain", file(t, wrong), "--host", unicode); !strings.Contains(flat(out), flat("has to be written "+ascii)) {
		t.Errorf("the certificate is not told:\n%s", out)
	}
}
