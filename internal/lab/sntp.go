//go:build linux

package lab

import (
	"encoding/binary"
	"net"
	"time"
)

// Ticker is how a time server behaves.
type Ticker string

// The time servers. The offset of the true ones is the world's own.
const (
	True1    Ticker = "true1"
	True2    Ticker = "true2"
	True3    Ticker = "true3"
	True4    Ticker = "true4"
	Plus1h   Ticker = "plus1h"  // false tickers
	Minus1h  Ticker = "minus1h" //
	KissRate Ticker = "kiss"    // kiss of death, RATE
	Unsynced Ticker = "unsync"  // leap alarm, stratum 16
	Silent   Ticker = "silent"  // never answers
	Forgery  Ticker = "forgery" // answers a question that nobody asked
)

type tickerServer struct {
	name  Ticker
	addr  string
	error time.Duration
}

var tickers = []tickerServer{
	{True1, "127.0.2.1", 0},
	{True2, "127.0.2.2", 0},
	{True3, "127.0.2.3", 0},
	{True4, "127.0.2.4", 0},
	{Plus1h, "127.0.2.5", time.Hour},
	{Minus1h, "127.0.2.6", -time.Hour},
	{KissRate, "127.0.2.7", 0},
	{Unsynced, "127.0.2.8", 0},
	{Silent, "127.0.2.9", 0},
	{Forgery, "127.0.2.10", 2 * time.Hour},
}

func (t Ticker) address() string {
	for _, s := range tickers {
		if s.name == t {
			return s.addr
		}
	}
	panic("lab: no such time server: " + string(t))
}

// ntpTime is t in NTP's format: seconds since 1900 and a binary fraction, modulo 2^32 seconds.
func ntpTime(t time.Time) uint64 {
	const from1900 = 2208988800
	return uint64(uint32(t.Unix()+from1900))<<32 | uint64(t.Nanosecond())<<32/1e9
}

// serveTime answers SNTP requests (RFC 4330) until the socket is closed.
func (w *World) serveTime(c net.PacketConn, s tickerServer) {
	buf := make([]byte, 512)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if n < 48 {
			continue
		}
		w.log(Event{Kind: "ntp", Name: string(s.name)})
		if answer := s.answer(buf[:48], w.Now()); answer != nil {
			_, _ = c.WriteTo(answer, from)
		}
	}
}

func (s tickerServer) answer(request []byte, now time.Time) []byte {
	now = now.Add(s.error)
	a := make([]byte, 48)
	a[0] = request[0]&0x38 | 4 // no leap warning, the client's version, mode "server"
	a[1], a[2], a[3] = 2, request[2], 0xec
	binary.BigEndian.PutUint32(a[4:], 0x100)
	binary.BigEndian.PutUint32(a[8:], 0x200)
	copy(a[12:], []byte{127, 0, 0, 1})
	copy(a[24:32], request[40:48]) // the client's transmit time comes back as origin
	switch s.name {
	case Silent:
		return nil
	case KissRate:
		a[0], a[1] = a[0]|0xc0, 0
		copy(a[12:], "RATE")
	case Unsynced:
		a[0], a[1] = a[0]|0xc0, 16
	case Forgery:
		a[24] ^= 0xff
	}
	binary.BigEndian.PutUint64(a[16:], ntpTime(now.Add(-30*time.Second)))
	binary.BigEndian.PutUint64(a[32:], ntpTime(now))
	binary.BigEndian.PutUint64(a[40:], ntpTime(now))
	return a
}

// timeServers are the names that a Debian system and trustfix ask by default.
// TestHealthySandbox fails when one is missing: it would be looked up in the DNS.
var timeServers = []string{
	"0.debian.pool.ntp.org", "1.debian.pool.ntp.org", "2.debian.pool.ntp.org", "3.debian.pool.ntp.org",
	"time.cloudflare.com", "ntp.aliyun.com", "ntp.tencent.com", "time.apple.com", "time.google.com", "ntp.ntsc.ac.cn",
}

// dateServers are asked for the Date of plain http where no time server answers.
var dateServers = []string{
	"www.msftconnecttest.com", "captive.apple.com", "connect.rom.miui.com",
	"connectivitycheck.platform.hicloud.com", "cp.cloudflare.com", "connectivitycheck.gstatic.com",
}
