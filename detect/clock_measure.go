package detect

import (
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"trustfix/platform"
)

// Limits of the measurement. Silent servers cost measureFor and no more; it
// runs while stores and clients are gathered.
const (
	askFor     = 1500 * time.Millisecond // one server
	hedgeAfter = 400 * time.Millisecond  // then the later servers and plain http are asked too
	measureFor = 1800 * time.Millisecond
	dateMargin = time.Second // a Date header has whole seconds
	leastDates = 3           // operators whose Date headers must agree
)

// answer is one source's word or why there is none.
type answer struct {
	src    timeSource
	date   bool // by the Date header of plain http
	sample platform.Sample
	err    error
}

// measurement is one round of asking.
type measurement struct {
	v      *platform.View
	named  int // servers that the user or the system names
	ntp    int // SNTP servers asked
	asked  int // sources asked
	got    []answer
	answer chan answer
}

// measureClock asks time servers and fills what they say into c: Offset,
// Source, Samples, Agreeing, Margin, Measured. The later servers, and Date
// headers where no SNTP server has answered, are asked as soon as the first
// ones leave it open.
func measureClock(ctx context.Context, v *platform.View, o Options, c *Clock) {
	ctx, cancel := context.WithTimeout(ctx, measureFor)
	defer cancel()
	first, later := timeSources(v, o)
	dates := dateSources(o.Targets)
	m := &measurement{v: v, answer: make(chan answer, len(first)+len(later)+len(dates))}
	for _, s := range first {
		if s.named {
			m.named++
		}
		m.askNTP(ctx, s)
	}
	hedge := time.NewTimer(hedgeAfter)
	defer hedge.Stop()
	widened := false
	widen := func() {
		if widened {
			return
		}
		widened = true
		for _, s := range later {
			m.askNTP(ctx, s)
		}
		if _, _, answered := m.majority(false); len(answered) == 0 {
			for _, s := range dates {
				m.askDate(ctx, s)
			}
		}
	}
	for waiting := true; waiting; {
		select {
		case a := <-m.answer:
			m.got = append(m.got, a)
			if m.certain() {
				waiting = false
			} else if len(m.got) == m.asked {
				if !m.decided() {
					widen()
				}
				waiting = len(m.got) < m.asked
			}
		case <-hedge.C:
			widen()
		case <-ctx.Done():
			waiting = false
		}
	}
	m.settle(c)
}

func (m *measurement) askNTP(ctx context.Context, src timeSource) {
	m.asked++
	m.ntp++
	go func() {
		ctx, cancel := context.WithTimeout(ctx, askFor)
		defer cancel()
		s, err := m.v.Net.Time(ctx, src.server)
		m.answer <- answer{src: src, sample: s, err: err}
	}()
}

func (m *measurement) askDate(ctx context.Context, src timeSource) {
	m.asked++
	go func() { m.answer <- askDate(ctx, m.v, src) }()
}

// certain reports whether those still silent can change nothing any more:
// enough operators agree, and they are more than half of all that were asked.
func (m *measurement) certain() bool {
	a, ok, from := m.majority(false)
	return ok && len(operators(from, a)) >= 3 && 2*a.Count > m.ntp
}

// majority is the agreement of the sources of one kind that answered.
func (m *measurement) majority(date bool) (a Agreement, ok bool, from []answer) {
	var samples []platform.Sample
	for _, g := range m.got {
		if g.date == date && g.err == nil {
			samples, from = append(samples, g.sample), append(from, g)
		}
	}
	a, ok = Agree(samples)
	return a, ok, from
}

// operators are those whose sources agree, each once.
func operators(from []answer, a Agreement) []string {
	var out []string
	for i, g := range from {
		if a.Agrees[i] && !slices.Contains(out, g.src.operator) {
			out = append(out, g.src.operator)
		}
	}
	return out
}

// decided reports whether the SNTP answers say what time it is: two operators
// that agree in a majority, or the only server that the user or the system
// names, when no other answers.
func (m *measurement) decided() bool {
	a, ok, from := m.majority(false)
	return ok && (len(operators(from, a)) >= 2 || m.named == 1 && len(from) == 1 && from[0].src.named)
}

// settle writes down what was found.
func (m *measurement) settle(c *Clock) {
	ntp, _, ntpFrom := m.majority(false)
	dates, ok, dateFrom := m.majority(true)
	var use Agreement
	var from []answer
	switch {
	case m.decided():
		c.Source, use, from = "ntp", ntp, ntpFrom
	case len(ntpFrom) == 0 && ok && len(operators(dateFrom, dates)) >= leastDates:
		c.Source, use, from = "http-date", dates, dateFrom
	}
	if from != nil {
		s := use.Offset.Seconds()
		c.Offset, c.Margin, c.Agreeing, c.Measured = &s, use.Margin.Seconds(), operators(from, use), m.v.Now()
	}
	for _, g := range m.got {
		t := TimeSample{Server: g.src.server, Operator: g.src.operator}
		if g.err != nil {
			t.Error = g.err.Error()
		} else {
			t.Offset = g.sample.Offset.Seconds()
		}
		if i := slices.IndexFunc(from, func(f answer) bool { return f.src == g.src }); i >= 0 {
			t.Agrees = use.Agrees[i]
		}
		c.Samples = append(c.Samples, t)
	}
	slices.SortStableFunc(c.Samples, func(a, b TimeSample) int { return strings.Compare(a.Server, b.Server) })
}

// dateSources are the hosts asked for a Date header: the built-in ones and
// those the user named as targets.
func dateSources(targets []string) []timeSource {
	var out []timeSource
	for _, s := range platform.DateServers {
		out = append(out, timeSource{server: "http://" + s.Host + "/", operator: s.Operator})
	}
	for _, t := range targets {
		if e, err := ParseTarget(t); err == nil && e.Target.Addr == "" {
			out = append(out, dateSource(e.Target.Host))
		}
	}
	return out
}

func dateSource(host string) timeSource {
	u := url.URL{Scheme: "http", Host: host, Path: "/"}
	if strings.Contains(host, ":") {
		u.Host = net.JoinHostPort(host, "80")
	}
	return timeSource{server: u.String(), operator: operatorOf(host)}
}

// askDate reads the clock of a web server from the Date header of one HEAD
// request. Caches and captive portals are refused: an answer with an age, one
// that came through a cache, or a redirect to another site says nothing.
func askDate(ctx context.Context, v *platform.View, src timeSource) answer {
	a := answer{src: src, date: true}
	u, err := url.Parse(src.server)
	if err != nil {
		a.err = err
		return a
	}
	sent := v.Now()
	r, err := v.Net.Get(ctx, platform.Request{
		URL: src.server, Method: "HEAD", Proxy: v.Net.ProxyFor(u), Limit: 1, Timeout: askFor, NoFollow: true,
	})
	if err != nil {
		a.err = err
		return a
	}
	date, err := originDate(u, r)
	if err != nil {
		a.err = err
		return a
	}
	trip := max(0, r.At.Sub(sent))
	a.sample = platform.Sample{
		Server:       src.server,
		Offset:       date.Add(500 * time.Millisecond).Sub(sent.Add(trip / 2)),
		RootDistance: dateMargin + trip/2,
	}
	return a
}

// originDate is the Date header of an answer that the asked server itself gave just now.
func originDate(u *url.URL, r *platform.Response) (time.Time, error) {
	header := func(name string) string {
		for k, vs := range r.Header {
			if strings.EqualFold(k, name) && len(vs) > 0 {
				return vs[0]
			}
		}
		return ""
	}
	switch {
	case r.Status == 407 || r.Status == 511:
		return time.Time{}, errors.New("the network answered instead of the server")
	case header("Via") != "", header("Age") != "" && header("Age") != "0", strings.HasPrefix(strings.ToUpper(header("X-Cache")), "HIT"):
		return time.Time{}, errors.New("the answer came through a cache")
	}
	if to := header("Location"); to != "" {
		l, err := u.Parse(to)
		if err != nil || domain(strings.Split(l.Hostname(), ".")) != domain(strings.Split(u.Hostname(), ".")) {
			return time.Time{}, errors.New("redirected to another site, as captive portals do")
		}
	}
	t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", header("Date"))
	if err != nil {
		return time.Time{}, errors.New("no usable Date header")
	}
	return t.UTC(), nil
}
