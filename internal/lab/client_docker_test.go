//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The Docker daemon itself, as Debian 13 has it (26.1). It runs in the sandbox
// without a bridge and without a container: what is asked of it is a pull.

// remote gives names an address that is not loopback, in the sandbox's network
// alone: Docker verifies no registry of 127.0.0.0/8. The servers are the world's.
func (s *Sandbox) remote(hosts Hosts) {
	s.t.Helper()
	table := s.Read("/etc/hosts")
	err := s.ns.network(func() error {
		if err := addAddress("lo:1", "10.0.0.1"); err != nil {
			return err
		}
		for name, fault := range hosts {
			addr := strings.Replace(fault.address(), "127.0.", "10.0.", 1)
			table = strings.ReplaceAll(table, fault.address()+" "+name+"\n", addr+" "+name+"\n")
			l, err := s.World.listen(addr + ":443")
			if err != nil {
				return err
			}
			go s.World.forward(l, fault.address()+":443")
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.Write("/etc/hosts", table)
}

// addAddress gives an interface an address, with the network of its class.
func addAddress(name, addr string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := r.SetInet4Addr(net.ParseIP(addr).To4()); err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, unix.SIOCSIFADDR, r)
}

func (w *World) forward(l net.Listener, to string) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer from.Close()
			server, err := w.dial(context.Background(), to)
			if err != nil {
				return
			}
			defer server.Close()
			go func() {
				_, _ = io.Copy(server, from)
				_ = server.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(from, server)
		}()
	}
}

// dockerd starts the daemon and waits until it answers. It wants to see the
// control groups, which it may not change.
func (s *Sandbox) dockerd() *Process {
	s.t.Helper()
	err := s.in(func() error {
		if err := os.Mkdir("/sys/fs", 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := os.Mkdir("/sys/fs/cgroup", 0o755); errors.Is(err, fs.ErrExist) {
			return nil // mounted for one before
		} else if err != nil {
			return err
		}
		return unix.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	})
	if err != nil {
		s.t.Fatalf("cannot show the control groups: %v", err)
	}
	p, err := s.Start(Cmd{
		Argv: []string{
			"dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs",
			"--data-root=/run/docker-data", "--exec-root=/run/docker-exec", "--pidfile=/run/docker.pid", "--host=unix:///run/docker.sock",
		},
		Timeout: 10 * time.Minute,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.stop(p) })
	for range 60 {
		if s.Run("curl", "-sf", "--unix-socket", "/run/docker.sock", "http://docker/_ping").Code == 0 {
			return p
		}
		time.Sleep(500 * time.Millisecond)
	}
	s.stop(p)
	s.t.Fatalf("dockerd does not answer: %s", p.err.String())
	return nil
}

func (s *Sandbox) stop(p *Process) {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(unix.SIGTERM)
		_, _ = p.Wait()
	}
}

// pulls reports whether the daemon trusts a registry: that it has no such
// image comes after TLS.
func (s *Sandbox) pulls(host string) bool {
	s.t.Helper()
	r := s.Run("curl", "-sS", "--unix-socket", "/run/docker.sock", "-X", "POST", "http://docker/images/create?fromImage="+host+"/x&tag=1")
	if trusts, refuses := strings.Contains(r.Stdout, "404 page not found"), strings.Contains(r.Stdout, "x509: "); trusts != refuses {
		return trusts
	}
	s.t.Fatalf("docker pull %s/x: %s", host, r)
	return false
}

func (s *Sandbox) pull(want bool, hosts ...string) {
	s.t.Helper()
	for _, h := range hosts {
		if got := s.pulls(h); got != want {
			s.t.Errorf("docker trusts %s: %v", h, got)
		}
	}
}

const (
	dockerConf  = "/etc/docker/daemon.json"
	dockerCerts = "/etc/docker/certs.d"
	privateHost = "registry.example"
)

func TestDocker(t *testing.T) {
	t.Parallel()
	hosts := Hosts{rowGood: Good, rowEvil: Intercept, privateHost: Private}
	s := Start(t, Config{Suite: Trixie, Hosts: hosts})
	s.remote(hosts)
	// insecure-registries are reported and never edited: they say whom the daemon
	// believes anything, and only a person knows why.
	conf := fmt.Sprintf("{\n  \"log-level\": \"warn\",\n  \"insecure-registries\": [%q]\n}\n", rowEvil)
	s.Write(dockerConf, conf)
	daemon := s.dockerd()
	s.pull(true, rowGood, rowEvil)
	s.pull(false, privateHost)
	before := s.Snapshot()
	doc := s.Diagnose(3, "--apply", "--offline", "--only", "verify-off")
	if found := doc.Find("verify-off"); len(found) != 1 || found[0].Where != dockerConf+":3" || found[0].Action != "manual" || doc.Run != nil {
		t.Errorf("insecure-registries: %s", doc)
	}
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed:\n%s", strings.Join(d, "\n"))
	}
	// Taken out by hand: a reload keeps what is no longer said, a restart does not.
	s.Write(dockerConf, "{\n  \"log-level\": \"warn\"\n}\n")
	s.stop(daemon)
	s.dockerd()
	s.pull(true, rowGood)
	s.pull(false, rowEvil)

	// A registry's own directory: what is written there counts at once.
	s.Must("mkdir -p " + dockerCerts + "/" + privateHost)
	before = s.Snapshot()
	if doc := s.Diagnose(3, "--apply"); doc.Run != nil {
		t.Errorf("without consent: %s", doc)
	}
	doc = s.Diagnose(0, "--apply", "--trust-ca", s.World.pki.CA("campus").SHA256())
	if doc.Run == nil || !strings.Contains(s.Must("cat "+dockerCerts+"/"+privateHost+"/*.crt"), strings.TrimSpace(s.World.pki.CA("campus").PEM())) {
		t.Fatalf("the CA was not given to docker:\n%s", doc)
	}
	s.pull(true, rowGood, privateHost)
	s.pull(false, rowEvil)
	if r := s.Trustfix("rollback"); r.Code != 0 {
		t.Errorf("rollback: %s", r)
	}
	if d := s.Changes(before, packageState...); len(d) > 0 {
		t.Errorf("not byte for byte:\n%s", strings.Join(d, "\n"))
	}
	s.pull(false, privateHost)
}
