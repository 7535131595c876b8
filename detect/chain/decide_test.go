package chain

import (
	"bytes"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
)

func refused(ids ...string) Verdict {
	var v Verdict
	for _, id := range ids {
		v.Causes = append(v.Causes, Cause{ID: id})
	}
	return v
}

// The table of PRODUCT §2, row by row.
func TestDecide(t *testing.T) {
	good := Verdict{OK: true}
	bad := refused("server-private-ca")
	for _, c := range []struct {
		name             string
		ref, now, atTrue Verdict
		intercepted      bool
		want             Judgement
	}{
		{"healthy", good, good, good, false, Judgement{"ok", FaultNone, ""}},
		{"the clock", good, refused("server-not-yet-valid"), good, false, Judgement{"fail", FaultClock, "clock-skew"}},
		{"the clock hides it", good, good, bad, false, Judgement{"ok", FaultNone, ""}},
		{"this client", good, bad, bad, false, Judgement{"fail", FaultClient, ""}},
		{"a CA Python refuses", good, refused("strict-ca"), refused("strict-ca"), false, Judgement{"fail", FaultClient, "strict-ca"}},
		{"an OpenSSL too old", good, refused("openssl-old"), refused("openssl-old"), false, Judgement{"fail", FaultClient, "openssl-old"}},
		{"judged by a client's rules alone", refused("strict-ca"), refused("strict-ca"), refused("strict-ca"), false, Judgement{"fail", FaultClient, "strict-ca"}},
		{"expired", refused("server-expired"), refused("server-expired"), refused("server-expired"), false, Judgement{"fail", FaultServer, "server-expired"}},
		{"expired, and accepted by a slow clock", refused("server-expired"), good, refused("server-expired"), false, Judgement{"fail", FaultServer, "server-expired"}},
		{"forged, though the client was made to trust it", refused("server-forged"), good, good, false, Judgement{"fail", FaultServer, "server-forged"}},
		{"forged by an interceptor", refused("server-forged", "server-private-ca"), bad, bad, true, Judgement{"fail", FaultServer, "server-forged"}},
		{"wrong name and unknown CA", refused("server-hostname", "server-private-ca"), bad, bad, false, Judgement{"fail", FaultServer, "server-hostname"}},
		{"incomplete", refused("server-incomplete-chain"), bad, bad, false, Judgement{"fail", FaultServer, "server-incomplete-chain"}},
		{"incomplete, but pinned", refused("server-incomplete-chain"), good, good, false, Judgement{"ok", FaultNone, ""}},
		{"incomplete and a wrong clock", refused("server-incomplete-chain"), bad, good, false, Judgement{"fail", FaultClock, "clock-skew"}},
		{"private CA", bad, bad, bad, false, Judgement{"fail", FaultPrivateCA, "server-private-ca"}},
		{"private CA, trusted by the client", bad, good, good, false, Judgement{"ok", FaultNone, ""}},
		{"self-signed", refused("server-self-signed"), bad, bad, false, Judgement{"fail", FaultPrivateCA, "server-self-signed"}},
		{"intercepted", bad, bad, bad, true, Judgement{"fail", FaultNetwork, "server-intercepted"}},
	} {
		if got := Decide(c.ref, c.now, c.atTrue, c.intercepted); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestIntercepted(t *testing.T) {
	public := mint(t, "Public Root", nil, asCA)
	proxy := mint(t, "Some Proxy CA", nil, asCA)
	private := mint(t, "Private CA", nil, asCA)
	zscaler := mint(t, "Zscaler Root CA", nil, asCA)
	judge := func(es ...*entity) Verdict {
		return Judge(Input{Served: ders(es...), Roots: roots(public), Time: now})
	}
	leaf := func(ca *entity) Verdict { return judge(mint(t, host, ca, asServer), ca) }
	verdicts := map[string]Verdict{
		"pypi.org":          leaf(proxy),
		"repo.anaconda.com": leaf(proxy),
		"good.example.org":  leaf(public),
		"git.corp.example":  leaf(private), // two hosts of one owner
		"ci.corp.example":   leaf(private),
		"nas.local":         leaf(private),
		"a.example.com":     judge(mint(t, "a.example.com", nil, asServer)), // own certificates of their own
		"b.example.net":     judge(mint(t, "b.example.net", nil, asServer)),
		"npm.example.com":   leaf(zscaler), // one host, known by name
	}
	vendor := func(c *x509.Certificate) (string, bool) {
		return "Zscaler", strings.Contains(c.Subject.CommonName, "Zscaler")
	}
	got := Intercepted(verdicts, vendor)
	for _, h := range []string{"pypi.org", "repo.anaconda.com"} {
		g := got[h]
		if g == nil || !g.Spread || !g.Served || g.Vendor != "" || !slices.Equal(g.Hosts, []string{"pypi.org", "repo.anaconda.com"}) || !g.Root.Equal(proxy.Certificate) {
			t.Errorf("%s: %+v", h, g)
		}
	}
	if g := got["npm.example.com"]; g == nil || g.Spread || g.Vendor != "Zscaler" {
		t.Errorf("known by name: %+v", g)
	}
	if len(got) != 3 {
		t.Errorf("%d hosts are called intercepted", len(got))
	}
}

// A fetched certificate completes a chain but does not excuse the server,
// unless the client fetches by itself.
func TestFetched(t *testing.T) {
	root := mint(t, "Root", nil, asCA)
	inter := mint(t, "Intermediate", root, asCA)
	leaf := mint(t, host, inter, asServer)
	in := Input{Served: ders(leaf), Fetched: ders(inter), Roots: roots(root), Host: host, Time: now}
	v := Judge(in)
	if v.OK || v.Cause() != "server-incomplete-chain" || !v.Root.Equal(root.Certificate) || len(v.Missing) != 1 || !v.Missing[0].Equal(inter.Certificate) {
		t.Errorf("%v, missing %d", v.IDs(), len(v.Missing))
	}
	for name, want := range map[string]bool{"openssl-3": false, "go": false, "rustls": false, "java": false, "schannel": true, "macos": true} {
		in.Rules, _ = RulesFor(name)
		if v := Judge(in); v.OK != want || !want && v.Cause() != "server-incomplete-chain" {
			t.Errorf("%s: ok=%v %v", name, v.OK, v.IDs())
		}
	}
	in.Rules, in.Served = nil, ders(leaf, inter)
	if v := Judge(in); !v.OK || v.Missing != nil {
		t.Errorf("sent and fetched: %v", v.IDs())
	}
}

// Trusted certificates that cannot be read are named, not taken for unknown.
func TestBroken(t *testing.T) {
	root := mint(t, "Root", nil, asCA)
	leaf := mint(t, host, root, asServer)
	bad := slices.Clone(root.Raw)
	sha256 := []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2} // named inside and outside: now they differ
	bad[bytes.LastIndex(bad, sha256)+7]++
	if _, err := x509.ParseCertificate(bad); err == nil {
		t.Fatal("still parses")
	}
	v := Judge(Input{Served: ders(leaf), Broken: [][]byte{bad}, Roots: nil, Time: now})
	if v.Cause() != "server-malformed" {
		t.Errorf("%v", v.IDs())
	}
	if v := Judge(Input{Served: [][]byte{bad}, Roots: roots(root), Time: now}); v.Cause() != "server-malformed" || v.Causes[0].Subject != "CN=Root" {
		t.Errorf("%v %q", v.IDs(), v.Causes[0].Subject)
	}
	if v := Judge(Input{Time: now}); v.Cause() != "server-malformed" {
		t.Errorf("nothing sent: %v", v.IDs())
	}
	if got := Infos([][]byte{leaf.Raw, bad, {1, 2, 3}}); got[0].Subject != "CN="+host || got[0].Issuer != "CN=Root" || got[1].Subject != "CN=Root" || got[2].SHA256 == "" {
		t.Errorf("%+v", got)
	}
}

// A root programme's distrust refuses a chain that is otherwise good.
func TestDistrusted(t *testing.T) {
	root := mint(t, "Root", nil, asCA)
	leaf := mint(t, host, root, asServer)
	in := Input{Served: ders(leaf), Roots: rootsDistrusting(root), Host: host, Time: now}
	if v := Judge(in); v.OK || !v.Has("distrusted") || v.Fault() != FaultServer {
		t.Errorf("%v %v", v.IDs(), v.Fault())
	}
}
