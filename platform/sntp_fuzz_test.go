package platform

import (
	"context"
	"net"
	"testing"
	"time"
)

// answer is a time server that says the same to everybody; with echo it puts
// the request's stamp where a right answer has it.
type answer struct {
	net.Conn
	data, asked []byte
	echo        bool
}

func (a *answer) Write(b []byte) (int, error) { a.asked = append([]byte{}, b...); return len(b), nil }

func (a *answer) Read(b []byte) (int, error) {
	out := append([]byte{}, a.data...)
	if a.echo && len(out) >= 32 && len(a.asked) >= 48 {
		copy(out[24:32], a.asked[40:48])
	}
	return copy(b, out), nil
}

func (*answer) Close() error                     { return nil }
func (*answer) SetDeadline(time.Time) error      { return nil }
func (*answer) SetReadDeadline(time.Time) error  { return nil }
func (*answer) SetWriteDeadline(time.Time) error { return nil }
func (*answer) RemoteAddr() net.Addr             { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 123} }
func (*answer) LocalAddr() net.Addr              { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 1} }

// Whatever a time server answers, it is a sample of a real stratum or an
// error; an answer to another question is none.
func FuzzNTPAnswer(f *testing.F) {
	good := make([]byte, 48)
	good[0], good[1], good[2], good[3] = 4<<3|4, 2, 6, 0xec
	for i := 40; i < 44; i++ {
		good[i], good[i-8] = 0xee, 0xee
	}
	f.Add(good, true)
	f.Add(good, false)
	f.Add(good[:20], true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, data []byte, echo bool) {
		n := newNetwork(nil).(*network)
		n.dial = func(context.Context, string, string) (net.Conn, error) { return &answer{data: data, echo: echo}, nil }
		s, err := n.Time(t.Context(), "time.example")
		switch {
		case err != nil:
		case !echo:
			t.Errorf("an answer to nobody's question was believed: %+v", s)
		case s.Stratum < 1 || s.Stratum > 15 || len(data) < 48 || s.Server != "time.example":
			t.Errorf("%+v of %x", s, data)
		}
	})
}
