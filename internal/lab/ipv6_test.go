//go:build linux

package lab

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// ipv6Only takes IPv4 away from a sandbox, loopback included, and puts names on
// IPv6 addresses: fd00::1 is good, fd00::2 has expired, fd00::1x tell the time.
// Every other name keeps the IPv4 address that cannot be reached any more.
func (s *Sandbox) ipv6Only(v4 ...string) {
	s.t.Helper()
	script := "ip addr del 127.0.0.1/8 dev lo\n"
	for _, a := range []string{"fd00::1", "fd00::2", "fd00::11", "fd00::12", "fd00::13"} {
		script += "ip -6 addr add " + a + "/128 dev lo nodad\n"
	}
	s.Must(script)
	good := slices.DeleteFunc(slices.Concat(realHosts, dateServers), func(n string) bool { return n == mirror })
	hosts := "::1 localhost lab\nfd00::2 " + mirror + "\nfd00::1 " + strings.Join(good, " ") + "\n"
	for i, name := range timeServers {
		hosts += fmt.Sprintf("fd00::1%d %s\n", i%3+1, name)
	}
	for _, name := range v4 {
		hosts += Good.address() + " " + name + "\n"
	}
	s.Write("/etc/hosts", hosts)
	s.Write("/etc/resolv.conf", "nameserver ::1\noptions timeout:1 attempts:1\n")
	w := s.World
	err := w.ns.network(func() error {
		for _, at := range []struct {
			addr  string
			fault Fault
		}{{"[fd00::1]:443", Good}, {"[fd00::2]:443", Expired}} {
			l, err := w.listen(at.addr)
			if err != nil {
				return err
			}
			for i := range scenarios {
				if scenarios[i].fault == at.fault {
					w.serve(l, w.tlsConfig(&scenarios[i]), at.fault, w.site)
				}
			}
		}
		for i := range 3 {
			c, err := net.ListenPacket("udp", fmt.Sprintf("[fd00::1%d]:123", i+1))
			if err != nil {
				return err
			}
			w.onClose(c.Close)
			go w.serveTime(c, tickers[i])
		}
		dns, err := net.ListenPacket("udp", "[::1]:53")
		if err != nil {
			return err
		}
		w.onClose(dns.Close)
		go w.serveDNS(dns)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// On a machine with IPv6 only, names, time and servers are reached; what has an
// IPv4 address alone is the network's, never TLS's.
func TestIPv6Only(t *testing.T) {
	t.Parallel()
	const old = "v4only.example"
	s := Start(t, Config{})
	s.ipv6Only(old)
	s.Write("/root/.config/pip/pip.conf", "[global]\nindex-url = https://pypi.org/simple\n")
	s.Clients(true, Pip(""))
	doc := s.Diagnose(0)
	if len(doc.Errors()) > 0 || doc.Clock.Source != "ntp" {
		t.Errorf("nothing is wrong here, and the time is known: %+v\n%s", doc.Clock, doc)
	}
	if names := s.World.Events("hello"); len(names) == 0 {
		t.Error("nobody was asked")
	}

	s.Write("/root/.config/pip/pip.conf", "[global]\nindex-url = https://"+old+"/simple\nextra-index-url = https://"+mirror+"/simple\n    https://nowhere.example/simple\n")
	before := s.Snapshot()
	doc = s.Diagnose(3, "--apply", "--timeout", "5s")
	for host, want := range map[string]struct{ fault, cause string }{
		old: {"network", "net-refused"}, mirror: {"server", "server-expired"}, "nowhere.example": {"network", "net-dns"},
	} {
		seen := false
		for _, e := range doc.Endpoints {
			if strings.Contains(e.URL, host) {
				seen = true
				if e.Fault != want.fault || e.Cause != want.cause {
					t.Errorf("%s: %+v, want %v", host, e, want)
				}
			}
		}
		if !seen {
			t.Errorf("%s is not among the endpoints", host)
		}
	}
	if len(doc.Errors()) != 3 || doc.Run != nil {
		t.Errorf("three things are wrong, none of them here:\n%s", doc)
	}
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed:\n%s", strings.Join(d, "\n"))
	}
}
