package detect

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func TestVerifyTargets(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	inter := newCA(t, "Issuing CA", root)
	private := newCA(t, "Private", nil)
	aia := func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://aia.example/int.crt"} }
	const host = "h.example.org"
	later := platformtest.DefaultNow.AddDate(1, 0, 0)
	for _, c := range []struct {
		name  string
		shake platformtest.Handshake
		at    time.Time
		off   time.Duration
		want  string
	}{
		{"good", served(inter.Leaf(t, host), inter.Cert.Raw), time.Time{}, 0, "ok none  []"},
		{"expired at the time asked for", served(inter.Leaf(t, host), inter.Cert.Raw), later, 0, "fail server server-expired [server-expired]"},
		{"good, and the clock is wrong", served(inter.Leaf(t, host), inter.Cert.Raw), time.Time{}, 400 * 24 * time.Hour, "fail clock clock-skew [clock-skew]"},
		{"wrong name", served(inter.Leaf(t, "x.example.org"), inter.Cert.Raw), time.Time{}, 0, "fail server server-hostname [server-hostname]"},
		{"incomplete", served(inter.Leaf(t, host, aia)), time.Time{}, 0, "fail server server-incomplete-chain [server-incomplete-chain]"},
		{"private", served(private.Leaf(t, host), private.Cert.Raw), time.Time{}, 0, "fail private-ca server-private-ca [server-private-ca]"},
		{"no handshake", netError(platform.NetReset, "reset"), time.Time{}, 0, "unreachable network net-reset [net-reset]"},
		{"old TLS", netError(platform.NetTLSOld, "1.0"), time.Time{}, 0, "fail server server-tls-old [server-tls-old]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			net := &platformtest.Net{
				Handshakes: hosts(host, c.shake), Times: map[string]platformtest.Time{"a.example": ntp(c.off), "b.example": ntp(c.off), "c.example": ntp(c.off)},
				Gets: map[string]platformtest.Get{"http://aia.example/int.crt": {Response: &platform.Response{Status: 200, Body: inter.Cert.Raw}}},
			}
			h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(net), platformtest.Now(platformtest.DefaultNow.Add(-c.off)))
			rs, err := Verify(t.Context(), h.View, []string{host}, VerifyOptions{Roots: bundles.NewRoots(root.Cert), At: c.at, NTP: []string{"a.example", "b.example", "c.example"}})
			if err != nil || len(rs) != 1 {
				t.Fatalf("%v, %v", rs, err)
			}
			r := rs[0]
			if got := fmt.Sprintf("%s %s %s %v", r.Verdict, r.Fault, r.Cause, r.Causes); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if !c.at.IsZero() && slices.ContainsFunc(net.Contacted(), func(s string) bool { return strings.HasPrefix(s, "ntp") }) {
				t.Error("asked for the time though it was given")
			}
		})
	}
	if _, err := Verify(t.Context(), platformtest.New(t, "").View, []string{"a b"}, VerifyOptions{}); err == nil {
		t.Error("a target that cannot be read is no error")
	}
}

// A saved chain is judged without any network: the fake one fails the test on
// contact.
func TestVerifySavedChain(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	inter := newCA(t, "Issuing CA", root)
	const host = "h.example.org"
	leaf, err := x509.ParseCertificate(inter.Leaf(t, host))
	if err != nil {
		t.Fatal(err)
	}
	h := platformtest.New(t, "", platformtest.OS("linux"))
	strict, ok := chain.RulesFor("python-3.13")
	if !ok {
		t.Fatal("no rules for python-3.13")
	}
	for _, c := range []struct {
		name, pem, host string
		rules           *chain.Rules
		want            string
	}{
		{"good", platformtest.PEM(leaf, inter.Cert), host, nil, "ok none  []"},
		{"text around the blocks", "subject=x\n" + platformtest.PEM(leaf) + "issuer=y\n" + platformtest.PEM(inter.Cert), host, nil, "ok none  []"},
		{"DER", string(leaf.Raw), host, nil, "fail server server-incomplete-chain [server-incomplete-chain]"},
		{"no name asked for", platformtest.PEM(leaf, inter.Cert), "", nil, "ok none  []"},
		{"wrong name", platformtest.PEM(leaf, inter.Cert), "other.example", nil, "fail server server-hostname [server-hostname]"},
		{"leaf only", platformtest.PEM(leaf), host, nil, "fail server server-incomplete-chain [server-incomplete-chain]"},
		{"does not parse", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", host, nil, "fail server server-malformed [server-malformed malformed]"},
		{"does not even decode", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", host, nil, "fail server server-malformed [server-malformed malformed]"},
		// Slips of whoever saved it: nothing is lost, and no other certificate becomes the leaf.
		{"a byte order mark", "\ufeff" + platformtest.PEM(leaf, inter.Cert), host, nil, "ok none  []"},
		{"carriage returns alone", strings.ReplaceAll(platformtest.PEM(leaf, inter.Cert), "\n", "\r"), host, nil, "ok none  []"},
		{"indented, as in a YAML file", strings.ReplaceAll("\n"+platformtest.PEM(leaf, inter.Cert), "\n", "\n    "), host, nil, "ok none  []"},
		{"all on one line", strings.ReplaceAll(platformtest.PEM(leaf, inter.Cert), "\n", " "), host, nil, "ok none  []"},
		{"one DER after another", string(leaf.Raw) + string(inter.Cert.Raw), host, nil, "ok none  []"},
		{"DER with a tail", string(leaf.Raw) + "\x00", host, nil, "fail server server-malformed [server-malformed malformed]"},
		{"OpenSSL's TRUSTED CERTIFICATE", trusted(leaf) + platformtest.PEM(inter.Cert), host, nil, "ok none  []"},
		{"a leaf that does not decode", strings.Replace(platformtest.PEM(leaf), "MII", "!!!", 1) + platformtest.PEM(inter.Cert), host, nil, "fail server server-malformed [server-malformed malformed]"},
		{"an intermediate that does not decode", platformtest.PEM(leaf) + strings.Replace(platformtest.PEM(inter.Cert), "MII", "!!!", 1), host, nil, "fail server server-malformed [server-malformed malformed]"},
		{"an intermediate that is cut off", platformtest.PEM(leaf) + platformtest.PEM(inter.Cert)[:300], host, nil, "fail server server-malformed [server-malformed malformed]"},
		{"one cut off that nobody needs", platformtest.PEM(leaf, inter.Cert) + platformtest.PEM(leaf)[:300], host, nil, "ok none  []"},
		{"by a client's rules", platformtest.PEM(leaf, inter.Cert), host, strict, "ok none  []"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rs, err := Verify(t.Context(), h.View, nil, VerifyOptions{
				ChainPEM: []byte(c.pem), Host: c.host, At: platformtest.DefaultNow, Roots: bundles.NewRoots(root.Cert), Rules: c.rules,
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%s %s %s %v", rs[0].Verdict, rs[0].Fault, rs[0].Cause, rs[0].Causes); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			doc, err := json.Marshal(rs[0])
			for _, key := range []string{`"target"`, `"verdict"`, `"fault"`, `"cause"`, `"causes":[`, `"chain":[{`} {
				if err != nil || !strings.Contains(string(doc), key) {
					t.Errorf("the document lacks %s: %s", key, doc)
				}
			}
		})
	}
	for _, bad := range []string{"", "hello", "-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----\n"} {
		if _, err := Verify(t.Context(), h.View, nil, VerifyOptions{ChainPEM: []byte(bad), Roots: &bundles.Roots{}}); err == nil {
			t.Errorf("%q was taken for a chain", bad)
		}
	}
}

// trusted is a certificate with the purposes behind it that openssl x509 -trustout writes.
func trusted(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: append(slices.Clone(c.Raw), 0x30, 0)}))
}

func TestFetchIssuers(t *testing.T) {
	root := newCA(t, "Root", nil)
	top := newCA(t, "Top", root, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://aia.example/root"} })
	mid := newCA(t, "Mid", top, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://aia.example/top"} })
	leaf := func(urls ...string) []byte {
		return mid.Leaf(t, "h.example", func(c *x509.Certificate) { c.IssuingCertificateURL = urls })
	}
	body := map[string]string{
		"/mid": string(mid.Cert.Raw), "/mid.pem": platformtest.PEM(mid.Cert), "/top": string(top.Cert.Raw), "/root": string(root.Cert.Raw),
		"/junk": "<html>login</html>", "/other": string(newCA(t, "Mid", nil).Cert.Raw),
	}
	if p7, err := pkcs7.DegenerateCertificate(mid.Cert.Raw); err != nil {
		t.Fatal(err)
	} else {
		body["/mid.p7c"] = string(p7)
	}
	var asked []string
	net := &platformtest.Net{Gets: map[string]platformtest.Get{"aia.example": {Do: func(_ context.Context, r platform.Request) (*platform.Response, error) {
		asked = append(asked, r.URL)
		return &platform.Response{Status: 200, Body: []byte(body[strings.TrimPrefix(r.URL, "http://aia.example")])}, nil
	}}}}
	h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(net))
	refs := bundles.NewRoots(root.Cert)
	for _, c := range []struct {
		name   string
		served [][]byte
		asked  int
		found  int
		good   bool
	}{
		{"nothing is missing", [][]byte{leaf("http://aia.example/mid"), mid.Cert.Raw, top.Cert.Raw}, 0, 0, true},
		{"two hops", [][]byte{leaf("http://aia.example/mid")}, 2, 2, true},
		{"PEM where DER belongs", [][]byte{leaf("http://aia.example/mid.pem")}, 2, 2, true},
		{"PKCS#7", [][]byte{leaf("http://aia.example/mid.p7c")}, 2, 2, true},
		{"the middle was sent", [][]byte{leaf("http://aia.example/mid"), mid.Cert.Raw}, 1, 1, true},
		{"https is not asked", [][]byte{leaf("https://aia.example/mid", "ldap://aia.example/mid")}, 0, 0, false},
		{"the second address", [][]byte{leaf("http://aia.example/junk", "http://aia.example/mid")}, 3, 2, true},
		{"a namesake does not count", [][]byte{leaf("http://aia.example/other")}, 1, 1, false},
		{"too many addresses", [][]byte{leaf("http://aia.example/junk", "http://aia.example/junk", "http://aia.example/mid")}, 2, 0, false},
		{"a server certificate that does not parse", [][]byte{{1, 2, 3}}, 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked = nil
			got := fetchIssuers(t.Context(), h.View, c.served, refs, nil)
			if len(asked) != c.asked || len(got) != c.found {
				t.Errorf("asked %v, found %d; want %d, %d", asked, len(got), c.asked, c.found)
			}
			v := chain.Judge(chain.Input{Served: c.served, Fetched: got, Roots: refs, Host: "h.example", Time: platformtest.DefaultNow})
			if good := v.OK || Completes(v); good != c.good {
				t.Errorf("verdict %v (%v)", good, v.IDs())
			}
		})
	}
}

func FuzzReadIssuers(f *testing.F) {
	f.Add([]byte("-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, c := range readIssuers(data) {
			if len(c.Raw) == 0 {
				t.Error("a certificate of nothing")
			}
		}
	})
}
