package detect

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func samples(width time.Duration, offsets ...time.Duration) []platform.Sample {
	var out []platform.Sample
	for _, o := range offsets {
		out = append(out, platform.Sample{Offset: o, RootDistance: width})
	}
	return out
}

func TestAgree(t *testing.T) {
	const year = 365 * 24 * time.Hour
	ms := time.Millisecond
	for _, c := range []struct {
		name    string
		samples []platform.Sample
		ok      bool
		offset  time.Duration
		count   int
	}{
		{"nobody", nil, false, 0, 0},
		{"one agrees with itself", samples(ms, time.Hour), true, time.Hour, 1},
		{"two agree", samples(20*ms, 10*ms, 20*ms), true, 15 * ms, 2},
		{"two that disagree decide nothing", samples(20*ms, 0, time.Hour), false, 0, 0},
		{"three with jitter", samples(30*ms, -20*ms, 0, 25*ms), true, 0, 3},
		{"one falseticker of three", samples(20*ms, time.Hour, 0, 5*ms), true, 2 * ms, 2},
		{"two falsetickers of four", samples(20*ms, time.Hour, -time.Hour, 0, 0), false, 0, 0},
		{"two falsetickers of five", samples(20*ms, time.Hour, -time.Hour, 0, 0, 0), true, 0, 3},
		{"two against two", samples(20*ms, 0, 0, time.Hour, time.Hour), false, 0, 0},
		{"twenty years ahead", samples(20*ms, 20*year, 20*year, 20*year), true, 20 * year, 3},
		{"twenty years behind, one right", samples(20*ms, -20*year, -20*year, 0), true, -20 * year, 2},
		{"overlapping intervals whose middles lie outside do not agree", samples(100*ms, 0, 150*ms), false, 0, 0},
		{"a chain of overlaps is no majority", samples(100*ms, 0, 150*ms, 300*ms), false, 0, 0},
		{
			"one that claims to contain everything outvotes nobody",
			append(samples(20*ms, 0, 0), platform.Sample{Offset: 3 * time.Second, RootDistance: 5 * time.Second}),
			true, 0, 3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, ok := Agree(c.samples)
			if ok != c.ok {
				t.Fatalf("ok = %v, want %v (%+v)", ok, c.ok, a)
			}
			if !ok {
				return
			}
			if d := a.Offset - c.offset; d < -60*ms || d > 60*ms {
				t.Errorf("offset = %v, want about %v", a.Offset, c.offset)
			}
			if a.Count != c.count {
				t.Errorf("%d agree, want %d", a.Count, c.count)
			}
		})
	}
}

// Whatever servers say, an agreement is a majority, and its middle lies in the
// interval of each that agrees.
func FuzzAgree(f *testing.F) {
	f.Add(int64(0), int64(1e9), int64(-1e9), int64(5e8), int64(3e7))
	f.Add(int64(math.MaxInt64/4), int64(math.MinInt64/4), int64(0), int64(0), int64(1))
	f.Fuzz(func(t *testing.T, a, b, c, d, w int64) {
		limit := int64(200 * 365 * 24 * time.Hour)
		width := time.Duration(w % int64(time.Hour)).Abs()
		in := samples(width, time.Duration(a%limit), time.Duration(b%limit), time.Duration(c%limit), time.Duration(d%limit))
		got, ok := Agree(in)
		if !ok {
			return
		}
		n := 0
		for i, s := range in {
			if got.Agrees[i] {
				n++
				if (s.Offset - got.Offset).Abs() > distance(s)+got.Margin {
					t.Errorf("%v agrees, but is not near %v ± %v", s, got.Offset, got.Margin)
				}
			}
		}
		if n != got.Count || 2*n <= len(in) {
			t.Errorf("%d of %d is no majority (%+v)", n, len(in), got)
		}
	})
}

func ntp(offset time.Duration) platformtest.Time {
	return platformtest.Time{Sample: platform.Sample{Offset: offset, RootDistance: 10 * time.Millisecond, Stratum: 2}}
}

func silent() platformtest.Time { return platformtest.Time{Err: errors.New("timeout")} }

// allSilent is a network where no built-in source answers, but what over names.
func allSilent(over map[string]platformtest.Time) *platformtest.Net {
	n := &platformtest.Net{Times: map[string]platformtest.Time{}, Gets: map[string]platformtest.Get{}}
	for _, s := range platform.TimeServers {
		n.Times[s.Host] = silent()
	}
	for _, s := range platform.DateServers {
		n.Gets[s.Host] = platformtest.Get{Err: errors.New("connection refused")}
	}
	for k, v := range over {
		n.Times[k] = v
	}
	return n
}

func dateAt(t time.Time, header ...string) platformtest.Get {
	h := map[string][]string{"Date": {t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}}
	for i := 0; i+1 < len(header); i += 2 {
		h[header[i]] = []string{header[i+1]}
	}
	return platformtest.Get{Response: &platform.Response{Status: 204, Header: h, At: platformtest.DefaultNow}}
}

func TestGatherClock(t *testing.T) {
	const day = 24 * time.Hour
	now := platformtest.DefaultNow
	for _, c := range []struct {
		name   string
		net    *platformtest.Net
		ntp    []string
		tree   string
		source string
		offset time.Duration
		agree  []string
	}{
		{
			"three of the built-in servers", allSilent(map[string]platformtest.Time{
				"ntp.aliyun.com": ntp(400 * day), "ntp.tencent.com": ntp(400 * day), "time.cloudflare.com": ntp(400*day + 10*time.Millisecond),
			}), nil, "", "ntp", 400 * day, []string{"aliyun", "tencent", "cloudflare"},
		},
		{
			"named servers replace all others", &platformtest.Net{Times: map[string]platformtest.Time{"a.example": ntp(time.Hour), "b.example.net": ntp(time.Hour), "c.example.org": ntp(time.Hour)}},
			[]string{"a.example", "b.example.net", "c.example.org"},
			"", "ntp", time.Hour,
			[]string{"a.example", "example.net", "example.org"},
		},
		{"two that disagree decide nothing", allSilent(map[string]platformtest.Time{"a.example": ntp(0), "b.example": ntp(time.Hour)}), []string{"a.example", "b.example"}, "", "none", 0, nil},
		{"one falseticker among three", allSilent(map[string]platformtest.Time{"a.example": ntp(0), "b.example": ntp(time.Hour), "c.example": ntp(0)}), []string{"a.example", "b.example", "c.example"}, "", "ntp", 0, []string{"a.example", "c.example"}},
		{
			"a kiss of death is no answer", allSilent(map[string]platformtest.Time{"a.example": {Err: errors.New("kiss of death: RATE")}, "b.example": ntp(time.Hour), "c.example": ntp(time.Hour)}),
			[]string{"a.example", "b.example", "c.example"},
			"", "ntp", time.Hour,
			[]string{"b.example", "c.example"},
		},
		{"one answer of three named servers is too few", allSilent(map[string]platformtest.Time{"a.example": silent(), "b.example": ntp(time.Hour), "c.example": silent()}), []string{"a.example", "b.example", "c.example"}, "", "none", 0, nil},
		{"the only named server", allSilent(map[string]platformtest.Time{"a.example": ntp(time.Hour)}), []string{"a.example"}, "", "ntp", time.Hour, []string{"a.example"}},
		{"one answer of the built-in servers is too few", allSilent(map[string]platformtest.Time{"time.apple.com": ntp(time.Hour)}), nil, "", "none", 0, nil},
		{"two names of one operator are one word", allSilent(map[string]platformtest.Time{"ntp1.aliyun.com": ntp(time.Hour), "ntp2.aliyun.com": ntp(time.Hour)}), []string{"ntp1.aliyun.com", "ntp2.aliyun.com"}, "", "none", 0, nil},
		{
			"the system's own servers count first", allSilent(map[string]platformtest.Time{"ntp.corp.example": ntp(-time.Hour), "time.corp2.example": ntp(-time.Hour)}),
			nil, "-- etc/chrony/chrony.conf --\nserver ntp.corp.example iburst\npool time.corp2.example\n", "ntp", -time.Hour,
			[]string{"corp.example", "corp2.example"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := platformtest.New(t, c.tree, platformtest.OS("linux"), platformtest.Network(c.net))
			clock := gatherClock(t.Context(), h.View, Options{NTP: c.ntp})
			if clock.Source != c.source {
				t.Fatalf("source = %q, want %q (%+v)", clock.Source, c.source, clock.Samples)
			}
			if c.source == "none" {
				if clock.Offset != nil {
					t.Errorf("offset = %v without a decision", *clock.Offset)
				}
				return
			}
			if d := *clock.Offset - c.offset.Seconds(); math.Abs(d) > 0.1 {
				t.Errorf("offset = %v, want %v", *clock.Offset, c.offset.Seconds())
			}
			agree := slices.Clone(clock.Agreeing)
			slices.Sort(agree)
			slices.Sort(c.agree)
			if !slices.Equal(agree, c.agree) {
				t.Errorf("agreeing = %v, want %v", agree, c.agree)
			}
			if got := clock.True(now).Sub(now); (got - c.offset).Abs() > 100*time.Millisecond {
				t.Errorf("True is off by %v", got)
			}
		})
	}
}

func TestHTTPDateIsTheFallback(t *testing.T) {
	const ahead = 3 * time.Hour
	now := platformtest.DefaultNow
	hosts := platform.DateServers
	for _, c := range []struct {
		name   string
		set    func(n *platformtest.Net)
		source string
	}{
		{"three operators agree", func(n *platformtest.Net) {
			for i, off := range []time.Duration{0, time.Second, -time.Second} {
				n.Gets[hosts[i].Host] = dateAt(now.Add(ahead + off))
			}
		}, "http-date"},
		{"two are too few", func(n *platformtest.Net) {
			n.Gets[hosts[0].Host], n.Gets[hosts[1].Host] = dateAt(now.Add(ahead)), dateAt(now.Add(ahead))
		}, "none"},
		{"cached answers say nothing", func(n *platformtest.Net) {
			n.Gets[hosts[0].Host] = dateAt(now.Add(ahead), "Age", "12")
			n.Gets[hosts[1].Host] = dateAt(now.Add(ahead), "Via", "1.1 squid")
			n.Gets[hosts[2].Host] = dateAt(now.Add(ahead), "X-Cache", "HIT from edge")
		}, "none"},
		{"a captive portal says nothing", func(n *platformtest.Net) {
			for _, s := range hosts {
				n.Gets[s.Host] = dateAt(now.Add(ahead), "Location", "http://login.portal.example/?u=1")
			}
		}, "none"},
		{"a redirect to the same site is the server's own", func(n *platformtest.Net) {
			for _, s := range hosts {
				n.Gets[s.Host] = dateAt(now.Add(ahead), "location", "https://"+s.Host+"/")
			}
		}, "http-date"},
		{"SNTP wins where one server answers", func(n *platformtest.Net) {
			n.Times["time.apple.com"] = ntp(0)
			for _, s := range hosts {
				n.Gets[s.Host] = dateAt(now.Add(ahead))
			}
		}, "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := allSilent(nil)
			c.set(n)
			h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(n))
			clock := gatherClock(t.Context(), h.View, Options{})
			if clock.Source != c.source {
				t.Fatalf("source = %q, want %q: %+v", clock.Source, c.source, clock.Samples)
			}
			if c.source == "http-date" && math.Abs(*clock.Offset-ahead.Seconds()) > 1.5 {
				t.Errorf("offset = %v", *clock.Offset)
			}
		})
	}
}

// Where no time server answers, the hosts that are asked anyway may know.
func TestClockFromTheEndpointsHosts(t *testing.T) {
	root := newCA(t, "Public Root", nil)
	names := []string{"mirror.example.org", "registry.example.net", "pypi.example.com"}
	n := &platformtest.Net{Handshakes: map[string]platformtest.Handshake{}, Gets: map[string]platformtest.Get{}}
	for _, h := range names {
		n.Handshakes[h] = served(root.Leaf(t, h))
		n.Gets[h] = dateAt(platformtest.DefaultNow, "Location", "https://"+h+"/")
	}
	h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(n), platformtest.Now(platformtest.DefaultNow.AddDate(-1, 0, 0)))
	for host := range n.Gets {
		g := n.Gets[host]
		g.Response.At = h.Now()
		n.Gets[host] = g
	}
	r := &Report{Clock: Clock{Source: "none"}, Options: Options{Targets: names, Refs: bundles.NewRoots(root.Cert)}}
	gatherEndpoints(t.Context(), h.View, r)
	if r.Clock.Source != "http-date" || len(r.Clock.Agreeing) != 3 || (r.Clock.True(h.Now()).Sub(platformtest.DefaultNow)).Abs() > 2*time.Second {
		t.Errorf("clock %+v", r.Clock)
	}
	for _, e := range r.Endpoints {
		if !e.Reference.OK {
			t.Errorf("%s is judged by the wrong clock: %v", e.URL, e.Reference.IDs())
		}
	}
}

// slowNet answers nothing before the caller gives up.
type slowNet struct{ *platformtest.Net }

func (slowNet) Time(ctx context.Context, _ string) (platform.Sample, error) {
	<-ctx.Done()
	return platform.Sample{}, ctx.Err()
}

func (slowNet) Get(ctx context.Context, _ platform.Request) (*platform.Response, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestSilenceDecidesNothing(t *testing.T) {
	h := platformtest.New(t, "", platformtest.OS("linux"), platformtest.Network(slowNet{&platformtest.Net{}}))
	if c := gatherClock(t.Context(), h.View, Options{}); c.Source != "none" || c.Offset != nil {
		t.Errorf("a silent network decided %+v", c)
	}
}

func TestOfflineAndRootedAskNobody(t *testing.T) {
	for name, opts := range map[string][]platformtest.Option{"offline": nil, "rooted": {platformtest.Rooted()}} {
		t.Run(name, func(t *testing.T) {
			n := &platformtest.Net{}
			h := platformtest.New(t, "", append(opts, platformtest.OS("linux"), platformtest.Network(n))...)
			c := gatherClock(t.Context(), h.View, Options{Offline: name == "offline", Refs: bundles.Reference()})
			if c.Source != "none" || len(n.Contacted()) > 0 {
				t.Errorf("source %q, contacted %v", c.Source, n.Contacted())
			}
		})
	}
}

func TestClockFindings(t *testing.T) {
	seconds := func(s float64) *float64 { return &s }
	good := TimeService{Name: "chrony", Enabled: true, Synchronized: true}
	three := []string{"aliyun", "tencent", "cloudflare"}
	now := platformtest.DefaultNow
	for _, c := range []struct {
		name  string
		clock Clock
		fault chain.Fault
		opts  []platformtest.Option
		want  string
	}{
		{"right", Clock{Offset: seconds(0.3), Source: "ntp", Service: good}, "", nil, ""},
		{"two seconds are worth a note", Clock{Offset: seconds(-3), Source: "ntp", Service: good, Agreeing: three}, "", nil, "clock-skew info auto"},
		{"a note becomes an error where a certificate fails", Clock{Offset: seconds(30), Source: "ntp", Service: good, Agreeing: three}, chain.FaultClock, nil, "clock-skew error auto"},
		{"over a minute", Clock{Offset: seconds(61), Source: "ntp", Service: good, Agreeing: three}, "", nil, "clock-skew error auto"},
		{"Date headers are not exact", Clock{Offset: seconds(2.5), Source: "http-date", Service: good, Agreeing: three}, "", nil, ""},
		{"not known", Clock{Source: "none", Service: good}, "", nil, ""},
		{"before the reference roots, offline", Clock{Source: "none", Service: good, Wrong: true, Floor: now, System: now.AddDate(-1, 0, 0)}, "", nil, "clock-skew error auto"},
		{"servers that say a time before the roots", Clock{Offset: seconds(-400 * 86400), System: now, Source: "ntp", Service: good, Floor: now.AddDate(0, -1, 0), Agreeing: three}, "", nil, "clock-skew error manual"},
		{"a container", Clock{Offset: seconds(3600), Source: "ntp", Service: good, Agreeing: three}, "", []platformtest.Option{platformtest.Container("docker")}, "clock-skew error manual"},
		{"WSL sets its own", Clock{Offset: seconds(3600), Source: "ntp", Service: good, Agreeing: three}, "", []platformtest.Option{platformtest.Container("wsl")}, "clock-skew error auto"},
		{"another system's tree", Clock{Offset: seconds(3600), Source: "ntp", Agreeing: three}, "", []platformtest.Option{platformtest.Rooted()}, ""},
		{"nobody keeps it", Clock{Offset: seconds(0), Source: "ntp"}, "", nil, "clock-unsynced info manual"},
		{"installed, off", Clock{Source: "none", Service: TimeService{Name: "chrony"}}, "", nil, "clock-unsynced info auto"},
		{"on, and waiting", Clock{Source: "none", Service: TimeService{Name: "chrony", Enabled: true}}, "", nil, "clock-unsynced info manual"},
		{"a container's host keeps it", Clock{Source: "none"}, "", []platformtest.Option{platformtest.Container("podman")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := append([]platformtest.Option{platformtest.OS("linux"), platformtest.Kernel(platform.KernelClock{Known: true})}, c.opts...)
			h := platformtest.New(t, "", opts...)
			if c.clock.System.IsZero() {
				c.clock.System = now
			}
			r := &Report{Clock: c.clock, Endpoints: []*Endpoint{{Fault: c.fault}}}
			got := ""
			for _, check := range clockChecks {
				fs, err := check.Run(t.Context(), h.View, r)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range fs {
					got += fmt.Sprintf("%s %s %s", f.ID, f.Severity, f.Action)
					if f.Summary.IsZero() || len(f.Evidence) == 0 {
						t.Errorf("%s says too little: %+v", f.ID, f)
					}
					if (f.Action == Auto) != (f.Fix != "") {
						t.Errorf("%s: action %s with fix %q", f.ID, f.Action, f.Fix)
					}
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
