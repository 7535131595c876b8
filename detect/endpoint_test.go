package detect

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// world is one machine's view of some servers, with one client on it.
type world struct {
	trust     string                            // PEM that the client reads; "" for a file that is not there
	store     []*x509.Certificate               // the system store, which the client does not read
	hosts     map[string]platformtest.Handshake // what each host serves
	gets      map[string]platformtest.Get       // AIA
	offset    time.Duration                     // of the system clock, as agreeing servers say
	consented []string
	targets   []string
	name      string // of the client; "" for conda
	refs      *bundles.Roots
}

// diagnose runs gathering and checks of endpoints over a world.
func (w world) diagnose(t *testing.T) *Report {
	t.Helper()
	tree := ""
	if w.trust != "" {
		tree = "-- etc/bundle.pem --\n" + w.trust
	}
	h := platformtest.New(t, tree, platformtest.OS("linux"), platformtest.Network(&platformtest.Net{Handshakes: w.hosts, Gets: w.gets}),
		platformtest.Now(platformtest.DefaultNow.Add(-w.offset)))
	c := &client.Client{Name: "conda", Path: "/opt/conda", Verify: "on", Site: &client.Site{}, Trust: client.Trust{Kind: "file", Path: "/etc/bundle.pem"}}
	if w.name != "" {
		c.Name, c.Site = w.name, nil
	}
	for _, host := range sortedKeys(w.hosts) {
		if slices.Contains(w.targets, host) {
			continue
		}
		c.Endpoints = append(c.Endpoints, client.Endpoint{URL: &url.URL{Scheme: "https", Host: host, Path: "/channel"}, SetBy: "/root/.condarc:2"})
	}
	off := w.offset.Seconds()
	r := &Report{
		Clock:   Clock{System: h.Now(), Offset: &off, Source: "ntp", Agreeing: []string{"a", "b", "c"}},
		Stores:  []*Store{{Name: "system", Path: "/etc/ssl/certs/ca-certificates.crt", Status: StoreOK, Certs: w.store}},
		Clients: []*client.Client{c}, Options: Options{Refs: w.refs, Consented: w.consented, Targets: w.targets},
	}
	gatherEndpoints(t.Context(), h.View, r)
	for _, check := range slices.Concat(endpointChecks, pinChecks) {
		fs, err := check.Run(t.Context(), h.View, r)
		if err != nil {
			t.Fatal(err)
		}
		r.Findings = append(r.Findings, fs...)
	}
	return r
}

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// The table of PRODUCT.md §2, row by row.
func TestJudgement(t *testing.T) {
	const host = "mirror.example.edu.cn"
	now := platformtest.DefaultNow
	root := newCA(t, "Public Root", nil)
	inter := newCA(t, "Issuing CA 1", root)
	other := newCA(t, "Other Root", nil)
	private := newCA(t, "Campus Private Root", nil)
	sub := newCA(t, "Sub", private)
	zscaler := newCA(t, "Zscaler Root CA", nil)
	notCA := newCA(t, "No CA", root, func(c *x509.Certificate) { c.IsCA = false; c.KeyUsage = x509.KeyUsageDigitalSignature })
	impostor := newCA(t, "Issuing CA 1", newCA(t, "Public Root", nil))
	narrow := newCA(t, "Narrow CA", root, func(c *x509.Certificate) { c.PermittedDNSDomains = []string{"allowed.test"} })
	aia := func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://aia.example/int.crt"} }
	giveInter := map[string]platformtest.Get{"http://aia.example/int.crt": {Response: &platform.Response{Status: 200, Body: inter.Cert.Raw}}}
	// A manipulated signature: the certificate says Issuing CA 1 and is not its.
	forged := slices.Clone(inter.Leaf(t, host))
	forged[len(forged)-1] ^= 1

	good := served(inter.Leaf(t, host), inter.Cert.Raw)
	for _, c := range []struct {
		row     string
		world   world
		verdict string
		fault   chain.Fault
		cause   string
		action  Action // of the finding; "" where there is none
		fix     string
	}{
		{"good, good: healthy", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, good)}, "ok", "none", "", "", ""},
		{
			"good, fails now, good at true time: the clock",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, good), offset: 400 * 24 * time.Hour},
			"fail", "clock", "clock-skew", "", "",
		},
		{
			"good, fails at both times: the client's trust source",
			world{trust: platformtest.PEM(other.Cert), hosts: hosts(host, good)},
			"fail", "client", "ca-bundle-stale", "", "",
		},
		{"the same with a bundle that is not there", world{hosts: hosts(host, good)}, "fail", "client", "ca-path-missing", "", ""},
		{"the same with a wrong clock on top", world{hosts: hosts(host, good), offset: 400 * 24 * time.Hour}, "fail", "client", "ca-path-missing", "", ""},
		{
			"expired: the server",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(inter.Leaf(t, host, between(validFrom, now.AddDate(0, 0, -9))), inter.Cert.Raw))},
			"fail", "server", "server-expired", None, "",
		},
		{
			"expired, and the clock so far behind that the client does not see it",
			world{trust: platformtest.PEM(root.Cert), offset: 20 * 24 * time.Hour, hosts: hosts(host, served(inter.Leaf(t, host, between(validFrom, now.AddDate(0, 0, -9))), inter.Cert.Raw))},
			"fail", "server", "server-expired", None, "",
		},
		{
			"not yet valid: the server",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(inter.Leaf(t, host, between(now.AddDate(0, 0, 2), validUntil)), inter.Cert.Raw))},
			"fail", "server", "server-not-yet-valid", None, "",
		},
		{"wrong name: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(inter.Leaf(t, "other.example"), inter.Cert.Raw))}, "fail", "server", "server-hostname", None, ""},
		{"weak: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(inter.LeafFor(t, weakRSA(t), host), inter.Cert.Raw))}, "fail", "server", "server-weak", None, ""},
		{"forged signature: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(forged, inter.Cert.Raw))}, "fail", "server", "server-forged", None, ""},
		{"forged by a namesake: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(impostor.Leaf(t, host), inter.Cert.Raw))}, "fail", "server", "server-forged", None, ""},
		{"issuer is no CA: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(notCA.Leaf(t, host), notCA.Cert.Raw))}, "fail", "server", "server-forged", None, ""},
		{"name constraint: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(narrow.Leaf(t, host), narrow.Cert.Raw))}, "fail", "server", "server-constraint", None, ""},
		{
			"completes with a fetched intermediate: the server omits it",
			world{trust: platformtest.PEM(root.Cert), gets: giveInter, hosts: hosts(host, served(inter.Leaf(t, host, aia)))},
			"fail", "server", "server-incomplete-chain", Auto, "write-pin",
		},
		{
			"the same, and the client's bundle has the intermediate already",
			world{trust: platformtest.PEM(root.Cert, inter.Cert), gets: giveInter, hosts: hosts(host, served(inter.Leaf(t, host, aia)))},
			"ok", "none", "", "", "",
		},
		{
			"the same for a client that trustfix cannot give a bundle",
			world{name: "git", trust: platformtest.PEM(root.Cert), gets: giveInter, hosts: hosts(host, served(inter.Leaf(t, host, aia)))},
			"fail", "server", "server-incomplete-chain", Manual, "",
		},
		{"an intermediate that nobody gives", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(inter.Leaf(t, host)))}, "fail", "server", "server-incomplete-chain", None, ""},
		{
			"an interceptor by name",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(zscaler.Leaf(t, host), zscaler.Cert.Raw))},
			"fail", "network", "server-intercepted", Consent, "add-private-ca",
		},
		{
			"an interceptor with consent",
			world{trust: platformtest.PEM(root.Cert), consented: []string{strings.ToUpper(fingerprint(zscaler.Cert))}, hosts: hosts(host, served(zscaler.Leaf(t, host), zscaler.Cert.Raw))},
			"fail", "network", "server-intercepted", Auto, "add-private-ca",
		},
		{
			"consent to another CA is none",
			world{trust: platformtest.PEM(root.Cert), consented: []string{fingerprint(private.Cert)}, hosts: hosts(host, served(zscaler.Leaf(t, host), zscaler.Cert.Raw))},
			"fail", "network", "server-intercepted", Consent, "add-private-ca",
		},
		{
			"an interceptor that the system store trusts",
			world{trust: platformtest.PEM(root.Cert), store: []*x509.Certificate{zscaler.Cert}, hosts: hosts(host, served(zscaler.Leaf(t, host)))},
			"fail", "network", "server-intercepted", Auto, "add-private-ca",
		},
		{
			"an interceptor that the client trusts: a note",
			world{trust: platformtest.PEM(root.Cert, zscaler.Cert), hosts: hosts(host, served(zscaler.Leaf(t, host), zscaler.Cert.Raw))},
			"ok", "none", "", None, "",
		},
		{
			"a private CA",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(private.Leaf(t, host), private.Cert.Raw))},
			"fail", "private-ca", "server-private-ca", Consent, "add-private-ca",
		},
		{
			"a private CA that is only in the system store",
			world{trust: platformtest.PEM(root.Cert), store: []*x509.Certificate{private.Cert}, hosts: hosts(host, served(private.Leaf(t, host)))},
			"fail", "private-ca", "server-private-ca", Auto, "add-private-ca",
		},
		{
			"a private CA that nobody shows",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(sub.Leaf(t, host), sub.Cert.Raw))},
			"fail", "private-ca", "server-private-ca", Manual, "",
		},
		{
			"a private CA for a client that trustfix cannot give it",
			world{name: "git", trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(private.Leaf(t, host), private.Cert.Raw))},
			"fail", "private-ca", "server-private-ca", Manual, "",
		},
		{"a private CA that the client trusts", world{trust: platformtest.PEM(private.Cert), hosts: hosts(host, served(private.Leaf(t, host), private.Cert.Raw))}, "ok", "none", "", "", ""},
		{"self-signed", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(selfSigned(t, host)))}, "fail", "private-ca", "server-self-signed", Consent, "add-private-ca"},
		{"no name", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetDNS, "no such host"))}, "unreachable", "network", "net-dns", Manual, ""},
		{"refused", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetRefused, "connection refused"))}, "unreachable", "network", "net-refused", Manual, ""},
		{"reset", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetReset, "reset by peer"))}, "unreachable", "network", "net-reset", Manual, ""},
		{"timeout", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetTimeout, "no answer in 10 s"))}, "unreachable", "network", "net-timeout", Manual, ""},
		{"proxy", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetProxy, "HTTP/1.1 407"))}, "unreachable", "network", "net-proxy", Manual, ""},
		{"not TLS", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetNotTLS, "HTTP/1.1 400"))}, "unreachable", "network", "net-not-tls", Manual, ""},
		{"TLS 1.1 only: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetTLSOld, "TLS 1.0"))}, "fail", "server", "server-tls-old", None, ""},
		{
			"TLS 1.0 with a chain in order: the server",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, platformtest.Handshake{Served: &platform.Served{Certs: good.Served.Certs, Version: tls.VersionTLS10}})},
			"fail", "server", "server-tls-old", None, "",
		},
		{"no certificate that parses: the server", world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, netError(platform.NetMalformed, "x509: malformed"))}, "fail", "server", "server-malformed", None, ""},
		{
			"a client certificate is wanted: the chain is in order",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, platformtest.Handshake{Served: good.Served, Err: &platform.NetError{Kind: platform.NetNeedsCert}})},
			"fail", "server", "server-needs-client-cert", Manual, "",
		},
		{
			"a client certificate is wanted, and the chain has expired",
			world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, platformtest.Handshake{
				Served: served(inter.Leaf(t, host, between(validFrom, now.AddDate(0, 0, -9))), inter.Cert.Raw).Served, Err: &platform.NetError{Kind: platform.NetNeedsCert},
			})},
			"fail", "server", "server-expired", None, "",
		},
	} {
		t.Run(c.row, func(t *testing.T) {
			c.world.refs = bundles.NewRoots(root.Cert)
			r := c.world.diagnose(t)
			e := r.Endpoints[0]
			if e.Verdict != c.verdict || e.Fault != c.fault || e.Cause != c.cause {
				t.Fatalf("got %s, %s, %q; want %s, %s, %q (reference %v)", e.Verdict, e.Fault, e.Cause, c.verdict, c.fault, c.cause, e.Reference.IDs())
			}
			if c.action == "" {
				if len(r.Findings) > 0 {
					t.Errorf("findings where the endpoint is not to blame: %s", r.Findings[0].ID)
				}
				return
			}
			if len(r.Findings) != 1 {
				t.Fatalf("%d findings, want 1", len(r.Findings))
			}
			f := r.Findings[0]
			if f.Action != c.action || f.Fix != c.fix {
				t.Errorf("%s: action %s, fix %q; want %s, %q", f.ID, f.Action, f.Fix, c.action, c.fix)
			}
			if len(f.Evidence) == 0 || !strings.Contains(f.Summary.String(), host) || strings.Contains(f.Summary.String(), "{") {
				t.Errorf("%s says too little: %s %v", f.ID, f.Summary, f.Evidence)
			}
			if c.verdict == "ok" && f.Severity != Info {
				t.Errorf("%s is %s though everything verifies", f.ID, f.Severity)
			}
		})
	}
}

func hosts(pairs ...any) map[string]platformtest.Handshake {
	m := map[string]platformtest.Handshake{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1].(platformtest.Handshake)
	}
	return m
}

// One unknown CA for hosts of unrelated domains stands between; the same for
// hosts of one organisation is that organisation's.
func TestInterceptionBySpread(t *testing.T) {
	root, ca := newCA(t, "Public Root", nil), newCA(t, "Company CA", nil)
	of := func(names ...string) world {
		w := world{trust: platformtest.PEM(root.Cert), hosts: map[string]platformtest.Handshake{}, refs: bundles.NewRoots(root.Cert)}
		for _, n := range names {
			w.hosts[n] = served(ca.Leaf(t, n), ca.Cert.Raw)
		}
		return w
	}
	for _, c := range []struct {
		hosts []string
		want  string
		n     int
	}{
		{[]string{"mirrors.example.edu.cn", "registry.example.org", "git.example.net"}, "server-intercepted", 1},
		{[]string{"pypi.example.com", "conda.example.com"}, "server-private-ca", 2},
		{[]string{"nexus.corp", "conda.internal"}, "server-private-ca", 2},
		{[]string{"pypi.org"}, "server-intercepted", 1}, // has no private CA of its own
	} {
		r := of(c.hosts...).diagnose(t)
		if len(r.Findings) != c.n || r.Findings[0].ID != c.want {
			t.Errorf("%v: %d findings, first %+v; want %d %s", c.hosts, len(r.Findings), r.Findings, c.n, c.want)
			continue
		}
		f := r.Findings[0]
		exact := "trustfix --apply --trust-ca " + fingerprint(ca.Cert)
		if f.Action != Consent || !slices.ContainsFunc(f.Advice, func(m text.Msg) bool { return m.String() == exact }) {
			t.Errorf("%v: no exact line to consent with in %v", c.hosts, f.Advice)
		}
	}
}

// A target that no client is known to use is judged as what reads the system
// store would.
func TestTargetIsJudgedByTheStore(t *testing.T) {
	root, private := newCA(t, "Public Root", nil), newCA(t, "Private", nil)
	const host = "registry.example.org"
	for _, c := range []struct {
		name  string
		store []*x509.Certificate
		shake platformtest.Handshake
		want  string
	}{
		{"good", []*x509.Certificate{root.Cert}, served(root.Leaf(t, host)), "ok/none/"},
		{"the store lacks the root", nil, served(root.Leaf(t, host)), "fail/client/store-stale"},
		{"a private CA", []*x509.Certificate{root.Cert}, served(private.Leaf(t, host), private.Cert.Raw), "fail/private-ca/server-private-ca"},
		{"a private CA that the store trusts", []*x509.Certificate{root.Cert, private.Cert}, served(private.Leaf(t, host), private.Cert.Raw), "ok/none/"},
	} {
		w := world{trust: platformtest.PEM(root.Cert), store: c.store, targets: []string{host}, hosts: hosts(host, c.shake), refs: bundles.NewRoots(root.Cert)}
		e := w.diagnose(t).Endpoints[0]
		if got := fmt.Sprintf("%s/%s/%s", e.Verdict, e.Fault, e.Cause); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// Time known to be wrong, without knowing the right one, blames no server.
func TestClockBeforeTheRoots(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	const host = "mirror.example.org"
	net := &platformtest.Net{Handshakes: hosts(host, served(root.Leaf(t, host, between(platformtest.DefaultNow.AddDate(0, 0, -1), validUntil))))}
	h := platformtest.New(t, "-- etc/bundle.pem --\n"+platformtest.PEM(root.Cert), platformtest.OS("linux"), platformtest.Network(net), platformtest.Now(platformtest.DefaultNow.AddDate(-3, 0, 0)))
	refs := bundles.NewRoots(root.Cert)
	r := &Report{
		Clock:   Clock{Source: "none", Wrong: true, Floor: platformtest.DefaultNow.AddDate(0, -1, 0)},
		Options: Options{Refs: refs, Targets: []string{host + "@192.0.2.7:443"}},
	}
	net.Handshakes["mirror.example.org:443"] = net.Handshakes[host]
	gatherEndpoints(t.Context(), h.View, r)
	if e := r.Endpoints[0]; e.Fault != chain.FaultClock || e.Cause != "clock-skew" {
		t.Errorf("got %s, %s", e.Fault, e.Cause)
	}
}

func TestEachServerIsProbedOnce(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	const host = "mirror.example.org"
	net := &platformtest.Net{Handshakes: hosts(host, served(root.Leaf(t, host)))}
	h := platformtest.New(t, "-- etc/bundle.pem --\n"+platformtest.PEM(root.Cert), platformtest.OS("linux"), platformtest.Network(net))
	trust := client.Trust{Kind: "file", Path: "/etc/bundle.pem"}
	endpoint := func(path, setBy string) client.Endpoint {
		return client.Endpoint{URL: &url.URL{Scheme: "https", User: url.UserPassword("u", "secret"), Host: host, Path: path}, SetBy: setBy}
	}
	r := &Report{
		Clock: Clock{Source: "ntp", Offset: new(float64)},
		Clients: []*client.Client{
			{Name: "conda", Path: "/a", Trust: trust, Endpoints: []client.Endpoint{endpoint("/main", "/a/.condarc:1"), endpoint("/free", "/a/.condarc:2")}},
			{Name: "pip", Path: "/b", Trust: trust, Endpoints: []client.Endpoint{endpoint("/simple", ""), {URL: &url.URL{Scheme: "http", Host: "plain.example"}, Plain: true}}},
		},
		Options: Options{Refs: bundles.NewRoots(root.Cert)},
	}
	gatherEndpoints(t.Context(), h.View, r)
	if got := net.Contacted(); len(got) != 1 || len(r.Endpoints) != 1 {
		t.Fatalf("contacted %v for %d endpoints", got, len(r.Endpoints))
	}
	e := r.Endpoints[0]
	if want := []string{"conda:/a", "pip:/b"}; !slices.Equal(e.UsedBy, want) {
		t.Errorf("usedBy %v, want %v", e.UsedBy, want)
	}
	if strings.Contains(e.URL, "secret") {
		t.Errorf("%s shows the password", e.URL)
	}
}

// handshakes that take a while, as many as there are endpoints.
func BenchmarkGatherEndpoints(b *testing.B) {
	root := newCA(b, "Public Root", nil)
	net := &platformtest.Net{Handshakes: map[string]platformtest.Handshake{}}
	c := &client.Client{Name: "conda", Trust: client.Trust{Kind: "file", Path: "/etc/bundle.pem"}}
	for i := range 12 {
		host := fmt.Sprintf("h%d.example", i)
		s := served(root.Leaf(b, host)).Served
		net.Handshakes[host] = platformtest.Handshake{Do: func(ctx context.Context, _ platform.Endpoint) (*platform.Served, error) {
			select {
			case <-time.After(50 * time.Millisecond):
				return s, nil
			case <-ctx.Done():
				return nil, &platform.NetError{Kind: platform.NetTimeout, Err: errors.New("too late")}
			}
		}}
		c.Endpoints = append(c.Endpoints, client.Endpoint{URL: &url.URL{Scheme: "https", Host: host}})
	}
	h := platformtest.New(b, "-- etc/bundle.pem --\n"+platformtest.PEM(root.Cert), platformtest.OS("linux"), platformtest.Network(net))
	for b.Loop() {
		r := &Report{Clock: Clock{Source: "ntp", Offset: new(float64)}, Clients: []*client.Client{c}, Options: Options{Refs: bundles.NewRoots(root.Cert)}}
		gatherEndpoints(b.Context(), h.View, r)
		if r.Endpoints[0].Verdict != "ok" {
			b.Fatalf("%+v", r.Endpoints[0])
		}
	}
}

// A client that has a certificate of its own shows it; its key stays here.
func TestClientCertificateIsShown(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	const host = "mirror.example.org"
	chainOf := served(root.Leaf(t, host)).Served
	der, err := x509.MarshalPKCS8PrivateKey(root.Key)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	setting := func(role client.Role, file string) *client.Setting {
		return &client.Setting{Role: role, Path: file, File: "/root/.condarc"}
	}
	for name, c := range map[string]struct {
		settings []*client.Setting
		want     string
	}{
		"two files":   {[]*client.Setting{setting(client.RoleCert, "/c.pem"), setting(client.RoleKey, "/k.pem")}, "ok"},
		"one file":    {[]*client.Setting{setting(client.RoleCert, "/both.pem")}, "ok"},
		"not there":   {[]*client.Setting{setting(client.RoleCert, "/gone.pem")}, "server-needs-client-cert"},
		"none at all": {nil, "server-needs-client-cert"},
	} {
		t.Run(name, func(t *testing.T) {
			net := &platformtest.Net{Handshakes: map[string]platformtest.Handshake{host: {Do: func(_ context.Context, e platform.Endpoint) (*platform.Served, error) {
				if e.Cert == nil {
					return chainOf, &platform.NetError{Kind: platform.NetNeedsCert, Host: host}
				}
				return chainOf, nil
			}}}}
			h := platformtest.New(t, "-- bundle.pem --\n"+platformtest.PEM(root.Cert)+"-- c.pem --\n"+platformtest.PEM(root.Cert)+"-- k.pem --\n"+key+"-- both.pem --\n"+key+platformtest.PEM(root.Cert), platformtest.OS("linux"), platformtest.Network(net))
			r := &Report{
				Clock: Clock{Source: "ntp", Offset: new(float64)}, Options: Options{Refs: bundles.NewRoots(root.Cert)},
				Clients: []*client.Client{{
					Name: "conda", Path: "/opt/conda", Trust: client.Trust{Kind: "file", Path: "/bundle.pem"}, Settings: c.settings,
					Endpoints: []client.Endpoint{{URL: &url.URL{Scheme: "https", Host: host}}},
				}},
			}
			gatherEndpoints(t.Context(), h.View, r)
			if e := r.Endpoints[0]; e.Verdict != c.want && e.Cause != c.want {
				t.Errorf("%s, %s; want %s", e.Verdict, e.Cause, c.want)
			}
		})
	}
}
