package client

import (
	"net"
	"testing"
)

// silentServer accepts connections on loopback and closes them, so that a
// client gets as far as starting TLS.
func silentServer(t *testing.T, use func(addr string) string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	return use(l.Addr().String())
}
