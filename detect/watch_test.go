package detect

import (
	"crypto/x509"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/platform/platformtest"
)

// What ends first counts, and short-lived certificates have their own measure
// of soon.
func TestWatch(t *testing.T) {
	const host = "mirror.example.edu.cn"
	const day = 24 * time.Hour
	now := platformtest.DefaultNow
	root := newCA(t, "Public Root", nil)
	between := platformtest.Between
	for _, c := range []struct {
		name       string
		inter      func(*x509.Certificate)
		leaf       func(*x509.Certificate)
		verdict    string
		first      string
		days       int64
		soon, well bool
	}{
		{"plenty of time", between(now.Add(-day), now.Add(900*day)), between(now.Add(-30*day), now.Add(60*day)), "ok", host, 60, false, true},
		{"within the notice", between(now.Add(-day), now.Add(900*day)), between(now.Add(-80*day), now.Add(10*day)), "ok", host, 10, true, false},
		{"the intermediate goes first", between(now.Add(-900*day), now.Add(5*day)), between(now.Add(-30*day), now.Add(60*day)), "ok", "Issuing CA 1", 5, true, false},
		{"lives for six days, half over", between(now.Add(-day), now.Add(900*day)), between(now.Add(-3*day), now.Add(3*day)), "ok", host, 3, false, true},
		{"lives for six days, one left", between(now.Add(-day), now.Add(900*day)), between(now.Add(-5*day), now.Add(day)), "ok", host, 1, true, false},
		{"over", between(now.Add(-day), now.Add(900*day)), between(now.Add(-90*day), now.Add(-9*day)), "fail", host, -9, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			inter := newCA(t, "Issuing CA 1", root, c.inter)
			w := world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(inter.Leaf(t, host, c.leaf), inter.Cert.Raw))}
			w.refs = bundles.NewRoots(root.Cert)
			r := w.diagnose(t)
			h := Watch(platformtest.New(t, "").View, r, 14*day)
			if len(h.Servers) != 1 || h.Servers[0].First == nil {
				t.Fatalf("servers: %+v", h.Servers)
			}
			got := h.Servers[0]
			if got.Verdict != c.verdict || got.First.Subject != c.first || got.First.Seconds != c.days*86400 || got.First.Soon != c.soon || h.Well() != c.well {
				t.Errorf("%+v first %+v, well %v", got, *got.First, h.Well())
			}
		})
	}
}

// A clock that is wrong does not change how long a certificate has.
func TestWatchUsesTrueTime(t *testing.T) {
	const host = "mirror.example.edu.cn"
	now := platformtest.DefaultNow
	root := newCA(t, "Public Root", nil)
	leaf := root.Leaf(t, host, platformtest.Between(now.Add(-time.Hour), now.Add(48*time.Hour)))
	w := world{trust: platformtest.PEM(root.Cert), hosts: hosts(host, served(leaf)), refs: bundles.NewRoots(root.Cert), offset: 400 * 24 * time.Hour}
	v := platformtest.New(t, "", platformtest.Now(now.Add(-w.offset))).View
	if h := Watch(v, w.diagnose(t), 14*24*time.Hour); h.Servers[0].First.Seconds != 48*3600 {
		t.Errorf("%+v", h.Servers[0].First)
	}
}
