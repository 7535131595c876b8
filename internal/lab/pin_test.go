//go:build linux

package lab

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

const mirror = "mirrors.tuna.tsinghua.edu.cn"

// mirrorConfig points root's conda and pip at the mirror.
func (s *Sandbox) mirrorConfig() {
	s.InstallConda()
	s.Write("/root/.condarc", "# campus\nchannels:\n  - https://"+mirror+"/anaconda/pkgs/main\n")
	s.Write("/root/.config/pip/pip.conf", "[global]\nindex-url = https://"+mirror+"/pypi/simple\n")
}

// The server forgot its intermediate. The bundle that trustfix writes holds
// what is missing, verified, and no server's own certificate.
func TestIncompleteChain(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{mirror: NoInt}})
	s.mirrorConfig()
	before := s.Snapshot()
	clients := []Cmd{s.CondaSearch(), Pip("")}
	s.Clients(false, clients...)

	doc := s.Diagnose(0, "--apply")
	if len(doc.Find("server-incomplete-chain")) == 0 || doc.Run == nil {
		t.Fatalf("no pin:\n%s", doc)
	}
	s.Clients(true, clients...)
	s.checkPins(before, "int")

	// Other servers still work for the pinned clients, and bad ones still do not.
	s.Clients(true, Pip("pypi.org"))
	s.Map(Hosts{mirror: NoInt, "pypi.org": Intercept, "mirrors.aliyun.com": GoodEC}, nil)
	s.Clients(false, Pip("pypi.org"))
	s.Clients(true, Pip("mirrors.aliyun.com"))
	s.Map(Hosts{mirror: NoInt}, nil)

	if again := s.Diagnose(0, "--apply"); again.Run != nil {
		t.Errorf("applied twice:\n%s", again)
	}
	if r := s.Trustfix("rollback"); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, "/var/lib/trustfix", "/etc/hosts"); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
	s.Clients(false, clients...)

	// Nowhere to be had: nothing is guessed.
	s.Map(Hosts{mirror: NoIntNoAIA}, nil)
	doc = s.Diagnose(3, "--apply")
	if d := s.Changes(before, "/var/lib/trustfix", "/etc/hosts"); len(d) > 0 || len(doc.Find("server-incomplete-chain")) == 0 {
		t.Errorf("without AIA:\n%s\n%s", doc, strings.Join(d, "\n"))
	}
}

// The same by hand: pin HOST, unpin HOST.
func TestPinAndUnpin(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{mirror: NoInt}})
	s.mirrorConfig()
	s.installCondaSession("")
	before := s.Snapshot()
	r := s.Trustfix("pin", mirror, "--lang", "en")
	// Either may be too slow to be waited for.
	if out := strings.Join(strings.Fields(r.Stdout), " "); r.Code != 0 ||
		!strings.Contains(out, "conda reaches "+mirror) && !strings.Contains(out, "pip reaches "+mirror) || strings.Contains(out, "otherwise") {
		t.Fatalf("pin: %s", r)
	}
	if again := s.Trustfix("pin", mirror, "--probe-clients=false", "--lang", "en"); again.Code != 0 || strings.Contains(again.Stdout, "reaches") {
		t.Errorf("asked although that was not wanted: %s", again)
	}
	s.Clients(true, s.CondaSearch(), Pip(""))
	s.checkPins(before, "int")
	if r := s.Trustfix("unpin", mirror); r.Code != 0 {
		t.Fatalf("unpin: %s", r)
	}
	for path, n := range s.Snapshot() {
		if old, err := s.base.was(before, path); err != nil || n.Sum != old.Sum && !strings.HasPrefix(path, "/var/lib/trustfix") {
			t.Errorf("unpin left %s: %s -> %s", path, old, n)
		}
	}
	s.Clients(false, s.CondaSearch(), Pip(""))
	// What nobody verified is not pinned.
	s.Map(Hosts{mirror: Private}, nil)
	if r := s.Trustfix("pin", mirror); r.Code == 0 {
		t.Errorf("a private CA was pinned without consent: %s", r)
	}
}

// checkPins reads every bundle written since before: it holds the lab's public
// roots and the CAs named, and nothing that is not a CA.
func (s *Sandbox) checkPins(before Tree, cas ...string) {
	s.t.Helper()
	bundles := 0
	for path, n := range s.Snapshot() {
		if old, err := s.base.was(before, path); err != nil || n == old || n.Sum == "" || strings.HasPrefix(path, "/var/lib/trustfix") {
			continue
		}
		rest := []byte(s.Read(path))
		have := map[string]bool{}
		for {
			var b *pem.Block
			if b, rest = pem.Decode(rest); b == nil {
				break
			}
			c, err := x509.ParseCertificate(b.Bytes)
			if err != nil {
				s.t.Errorf("%s: %v", path, err)
				continue
			}
			have[string(c.Raw)] = true
			if !c.IsCA {
				s.t.Errorf("%s holds %s, which is no CA", path, c.Subject)
			}
		}
		if len(have) == 0 {
			continue
		}
		bundles++
		for _, name := range append(cas, public...) {
			if !have[string(s.World.pki.CA(name).Cert.Raw)] {
				s.t.Errorf("%s lacks %s", path, name)
			}
		}
	}
	if bundles == 0 {
		s.t.Error("no bundle was written")
	}
}

// A private CA that the machine already trusts is offered only to the client
// that does not read the OS store.
func TestPrivateCATrustedByTheSystem(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{mirror: Private}})
	s.mirrorConfig()
	s.Write("/usr/local/share/ca-certificates/campus.crt", s.World.pki.CA("campus").PEM())
	s.Must("update-ca-certificates >/dev/null 2>&1")
	before := s.Snapshot()
	s.Clients(true, Pip(""), Curl(mirror))
	s.Clients(false, s.CondaSearch())
	doc := s.Diagnose(0, "--apply")
	if doc.Run == nil {
		t.Fatalf("no run:\n%s", doc)
	}
	s.Clients(true, Pip(""), s.CondaSearch())
	for _, d := range s.Changes(before, "/var/lib/trustfix") {
		if !strings.HasPrefix(d, CondaBase) && !strings.Contains(d, "conda") {
			t.Errorf("not conda's: %s", d)
		}
	}
	if r := s.Trustfix("rollback"); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}

// A private CA that nobody trusts here waits for the user's word.
func TestPrivateCANeedsConsent(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Hosts: Hosts{mirror: Private}})
	s.mirrorConfig()
	before := s.Snapshot()
	doc := s.Diagnose(3, "--apply")
	found := doc.Find("server-private-ca")
	if len(found) != 1 || found[0].Action != "consent" || !strings.Contains(strings.ToLower(strings.ReplaceAll(doc.String(), ":", "")), s.World.pki.CA("campus").SHA256()) {
		t.Errorf("the fingerprint to consent to is not named:\n%s", doc)
	}
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed without consent:\n%s", strings.Join(d, "\n"))
	}
	s.Diagnose(0, "--apply", "--trust-ca", s.World.pki.CA("campus").SHA256())
	s.Clients(true, Pip(""), s.CondaSearch(), Curl(mirror))
	if r := s.Trustfix("rollback"); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, packageState...); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
}
