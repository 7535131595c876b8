package platform

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"testing"
	"time"
)

// ntpServer answers every packet with what reply makes of the request: the
// header is filled in as a stratum 2 server's that is ahead by offset.
func ntpServer(t *testing.T, offset time.Duration, reply func(b []byte) []byte) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			now := time.Now().Add(offset)
			b := make([]byte, 48)
			b[0], b[1], b[2], b[3] = 4<<3|4, 2, 6, 0xec
			binary.BigEndian.PutUint32(b[4:], 0x0100) // root delay
			copy(b[24:], buf[40:n])
			for _, at := range []int{16, 32, 40} {
				binary.BigEndian.PutUint64(b[at:], ntpStamp(now))
			}
			if out := reply(b); out != nil {
				_, _ = c.WriteTo(out, from)
			}
		}
	}()
	return c.LocalAddr().String()
}

func ntpStamp(t time.Time) uint64 {
	secs := uint64(t.Unix()+2208988800) & 0xffffffff
	return secs<<32 | uint64(t.Nanosecond())<<32/1e9
}

func TestTime(t *testing.T) {
	same := func(b []byte) []byte { return b }
	for _, offset := range []time.Duration{0, 90 * time.Second, -412 * 24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		s, err := newNetwork(nil).Time(t.Context(), ntpServer(t, offset, same))
		if err != nil || (s.Offset-offset).Abs() > 10*time.Second || s.Stratum != 2 || s.RootDistance <= 0 {
			t.Errorf("offset %v: %+v, %v", offset, s, err)
		}
	}
	for name, c := range map[string]struct {
		reply func([]byte) []byte
		text  string
	}{
		"kiss of death":  {func(b []byte) []byte { b[1] = 0; copy(b[12:], "RATE"); return b }, "kiss of death RATE"},
		"unsynchronised": {func(b []byte) []byte { b[0] |= 3 << 6; return b }, "leap"},
		"stratum 16":     {func(b []byte) []byte { b[1] = 16; return b }, "stratum"},
		"bad origin":     {func(b []byte) []byte { b[30] ^= 1; return b }, "match"},
		"short":          {func(b []byte) []byte { return b[:20] }, "EOF"},
		"silent":         {func([]byte) []byte { return nil }, "no answer"},
	} {
		limit := 20 * time.Second
		if name == "silent" {
			limit = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		_, err := newNetwork(nil).Time(ctx, ntpServer(t, 0, c.reply))
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
	var ne *NetError
	if _, err := newNetwork(nil).Time(t.Context(), "127.0.0.1:1"); !errors.As(err, &ne) || ne.Kind != NetRefused {
		t.Errorf("closed port: %v", err)
	}
}
