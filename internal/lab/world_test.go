//go:build linux

package lab

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// What every fault is to a verifier that has the public roots, without any
// machine: the names of the faults are true.
func TestFaultsAreWhatTheySay(t *testing.T) {
	t.Parallel()
	p := newPKI()
	roots := x509.NewCertPool()
	for _, n := range public {
		roots.AddCert(p.CA(n).Cert)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const host = "mirror.example"
	want := map[Fault]string{
		Good: "", GoodEC: "", CrossSigned: "", TLS10: "", MutualTLS: "",
		Expired: "expired", NotYet: "not yet valid", WrongHost: "not mirror.example", IntEnded: "expired",
		SelfSigned: "unknown authority", NoInt: "unknown authority", NoIntNoAIA: "unknown authority",
		Intercept: "unknown authority", Private: "unknown authority", Sloppy: "unknown authority",
		Forged: "unknown authority", Constrained: "not permitted", ClientOnly: "key usage",
		WeakKey: "", // Go accepts it; OpenSSL does not
	}
	for _, s := range scenarios {
		if s.raw != "" {
			continue
		}
		expect, ok := want[s.fault]
		if !ok {
			t.Errorf("%s: no expectation", s.fault)
			continue
		}
		c := p.mint(host, now, s.leaf)
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		inter := x509.NewCertPool()
		for _, der := range c.Certificate[1:] {
			ca, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			inter.AddCert(ca)
		}
		_, err = leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: inter, CurrentTime: now})
		switch {
		case expect == "" && err != nil:
			t.Errorf("%s: %v", s.fault, err)
		case expect != "" && (err == nil || !strings.Contains(err.Error(), expect)):
			t.Errorf("%s: %v, expected %q", s.fault, err, expect)
		}
	}
	// The forged leaf names an issuer that exists, and only its signature is wrong.
	forged, err := x509.ParseCertificate(p.mint(host, now, leaf{issuer: "forger", chain: []string{"int"}}).Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := forged.CheckSignatureFrom(p.CA("int").Cert); err == nil || errors.As(err, new(x509.ConstraintViolationError)) {
		t.Errorf("a forged signature: %v", err)
	}
	if !slices.Equal(forged.RawIssuer, p.CA("int").Cert.RawSubject) {
		t.Error("the forged leaf does not name the real issuer")
	}
}

func TestTickers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 500e6, time.UTC)
	request := make([]byte, 48)
	request[0] = 4<<3 | 3
	copy(request[40:], "12345678")
	for _, s := range tickers {
		a := s.answer(request, now)
		if s.name == Silent {
			if a != nil {
				t.Error("the silent server answers")
			}
			continue
		}
		origin, seconds := string(a[24:32]), uint64(a[40])<<24|uint64(a[41])<<16|uint64(a[42])<<8|uint64(a[43])
		if (origin == "12345678") == (s.name == Forgery) {
			t.Errorf("%s: origin %q", s.name, origin)
		}
		if got := time.Unix(int64(seconds)-2208988800, 0); !got.Equal(now.Add(s.error).Truncate(time.Second)) {
			t.Errorf("%s: says %v", s.name, got)
		}
		if (a[0]>>6 == 3) != (s.name == KissRate || s.name == Unsynced) {
			t.Errorf("%s: leap indicator %d", s.name, a[0]>>6)
		}
	}
}

// The machine's own clients meet each fault: what the laboratory shows to
// trustfix is what it shows to them.
func TestRealClientsMeetTheFaults(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	host := func(f Fault) string { return string(f) + ".example" }
	hosts := Hosts{}
	for _, sc := range scenarios {
		hosts[host(sc.fault)] = sc.fault
	}
	s.Map(hosts, nil)
	for f, want := range map[Fault]string{
		Good: "", GoodEC: "", CrossSigned: "",
		Expired: "certificate has expired", NotYet: "certificate is not yet valid", WrongHost: "no alternative certificate subject name",
		SelfSigned: "self-signed certificate", NoInt: "unable to get local issuer", Intercept: "self-signed certificate in certificate chain",
		Private: "self-signed certificate in certificate chain", Forged: "curl: (35)", Constrained: "permitted subtree violation",
		WeakKey: "EE certificate key too weak", ClientOnly: "unsuitable certificate purpose", TLS10: "SSL", MutualTLS: "alert",
		PlainHTTP: "wrong version number", Reset: "reset by peer", Refused: "refused", Sloppy: "certificate in certificate chain",
	} {
		ok, r := s.Works(Curl(host(f)))
		if ok != (want == "") || !strings.Contains(r.Stderr, want) {
			t.Errorf("curl, %s: works: %v, expected %q\n%s", f, ok, want, r.Stderr)
		}
	}
	s.Clients(true, Requests(host(Good)), Pip(host(GoodEC)), Git(host(Good)), Urllib(host(CrossSigned)))
	s.Clients(false, Requests(host(Intercept)), Pip(host(Expired)), Git(host(WrongHost)), Urllib(host(NoInt)))

	s.World.Forget()
	s.Clients(true, Cmd{Argv: []string{"curl", "-sS", "-x", ProxyHonest, "https://" + host(Good) + "/"}})
	s.Clients(false,
		Cmd{Argv: []string{"curl", "-sS", "-x", ProxyIntercept, "https://" + host(Good) + "/"}},
		Cmd{Argv: []string{"curl", "-sS", "-x", ProxyLogin, "https://" + host(Good) + "/"}})
	if n := len(s.World.Events("proxy")); n != 3 {
		t.Errorf("%d requests to the proxies", n)
	}
}

// The stand-in for conda, and conda itself where it is at hand, do the same
// about TLS.
func TestConda(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{"conda.anaconda.org": Intercept, "repo.anaconda.com": Good}})
	s.InstallConda()
	s.Write("/srv/corp.pem", s.World.pki.CA("corp").PEM())
	bad := "channels: [lab]\n"
	cases := []struct {
		name, condarc string
		env           []string
		works         bool
		says          string
	}{
		{"default, good channel", "", nil, true, "labpkg"},
		{"default", bad, nil, false, "CondaSSLError"},
		{"off", bad + "ssl_verify: false\n", nil, true, "labpkg"},
		{"an empty key is off", bad + "ssl_verify:\n", nil, true, "labpkg"},
		{"YAML 1.2: no is text that means off", bad + "ssl_verify: no\n", nil, true, "labpkg"},
		{"alias", bad + "verify_ssl: off\n", nil, true, "labpkg"},
		{"private CA", bad + "ssl_verify: /srv/corp.pem\n", nil, true, "labpkg"},
		{"private CA only, good channel", "ssl_verify: /srv/corp.pem\n", nil, false, "CondaSSLError"},
		{"missing file", "ssl_verify: /srv/none.pem\n", nil, false, "CustomValidationError"},
		{"variable beats file", bad + "ssl_verify: false\n", []string{"CONDA_SSL_VERIFY=true"}, false, "CondaSSLError"},
		{"final beats variable", bad + "ssl_verify: true #!final\n", []string{"CONDA_SSL_VERIFY=false"}, false, "CondaSSLError"},
		{"an empty variable is off", bad, []string{"CONDA_SSL_VERIFY="}, true, "labpkg"},
		{"REQUESTS_CA_BUNDLE brings verification back", bad + "ssl_verify: false\n", []string{"REQUESTS_CA_BUNDLE=" + CondaBundle}, false, "CondaSSLError"},
		{"REQUESTS_CA_BUNDLE", bad, []string{"REQUESTS_CA_BUNDLE=/srv/corp.pem"}, true, "labpkg"},
		{"SSL_CERT_FILE is ignored", bad, []string{"SSL_CERT_FILE=/srv/corp.pem"}, false, "CondaSSLError"},
	}
	for _, conda := range s.Condas() {
		s.UseConda(conda)
		for _, c := range cases {
			s.Write("/root/.condarc", c.condarc)
			cmd := s.CondaSearch()
			cmd.Env = c.env
			ok, r := s.Works(cmd)
			if ok != c.works || !strings.Contains(r.Stdout+r.Stderr, c.says) {
				t.Errorf("%s, %s: works: %v, expected %v and %q\n%s", conda, c.name, ok, c.works, c.says, r)
			}
		}
	}
}
