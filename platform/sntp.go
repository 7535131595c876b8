package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/beevik/ntp"
)

// Time implements Net. One packet goes out, and one comes back or none.
func (n *network) Time(ctx context.Context, server string) (Sample, error) {
	ctx, cancel := bounded(ctx, 5*time.Second)
	defer cancel()
	deadline, _ := ctx.Deadline()
	resp, err := ntp.QueryWithOptions(server, ntp.QueryOptions{
		Timeout:       time.Until(deadline),
		GetSystemTime: n.now,
		Dialer: func(_, addr string) (net.Conn, error) {
			return n.dial(ctx, "udp", addr)
		},
	})
	if err != nil {
		var ne net.Error
		if !errors.As(err, &ne) && ctx.Err() == nil {
			return Sample{}, fmt.Errorf("time server %s: %w", server, err)
		}
		kind, detail := classifyDial(ctx, err)
		if kind == NetTimeout {
			detail = "no answer"
		}
		return Sample{}, &NetError{Kind: kind, Host: server, Detail: detail, Err: err}
	}
	if resp.IsKissOfDeath() {
		return Sample{}, fmt.Errorf("time server %s: kiss of death %s: %w", server, resp.KissCode, ntp.ErrKissOfDeath)
	}
	if err := resp.Validate(); err != nil {
		return Sample{}, fmt.Errorf("time server %s: %w", server, err)
	}
	return Sample{Server: server, Offset: resp.ClockOffset, RootDistance: resp.RootDistance, Stratum: int(resp.Stratum)}, nil
}
