//go:build linux

package lab

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The machine's clock is 400 days behind the world's: every certificate is
// "not yet valid", and none of them is to blame.
func TestClockIsWrong(t *testing.T) {
	t.Parallel()
	const offset = 400 * day
	s := Start(t, Config{Offset: offset})
	s.Clients(false, Curl("pypi.org"), Pip(""))
	before := s.Snapshot()
	doc := s.Diagnose(3)
	skew := doc.Find("clock-skew")
	if len(skew) != 1 || skew[0].Severity != "error" || doc.Clock.OffsetSeconds == nil ||
		math.Abs(*doc.Clock.OffsetSeconds-offset.Seconds()) > 5 || doc.Clock.Source != "ntp" {
		t.Fatalf("clock: %+v\n%s", doc.Clock, doc)
	}
	for _, f := range doc.Errors() {
		if f.ID != "clock-skew" && f.CausedBy != "clock-skew" {
			t.Errorf("blamed besides the clock: %s", f)
		}
	}
	for _, e := range doc.Endpoints {
		if e.Fault != "clock" {
			t.Errorf("endpoint: %+v", e)
		}
	}
	text := s.Trustfix("--lang", "en")
	if !strings.Contains(text.Stdout, "400 days behind") || !strings.Contains(text.Stdout, "clock-skew") {
		t.Errorf("for people: %s", text)
	}
	if d := s.Changes(before); len(d) > 0 {
		t.Errorf("changed:\n%s", strings.Join(d, "\n"))
	}
	// Here the clock cannot be set (no namespace has one of its own): that is
	// said, and nothing else is done instead.
	if doc := s.Diagnose(3, "--apply"); len(doc.Find("clock-skew")) != 1 {
		t.Errorf("after apply:\n%s", doc)
	}
	if d := s.Changes(before, "/var/lib/trustfix"); len(d) > 0 {
		t.Errorf("apply changed:\n%s", strings.Join(d, "\n"))
	}
}

// Three servers agree on a time before trustfix was made: whoever runs them,
// that cannot be, and the clock is not set to it.
func TestTimeThatCannotBe(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Offset: -400 * day})
	now := time.Now()
	r := s.Exec(s.Clock(0, Cmd{Argv: append([]string{"/bin/sh", "-c", `"$@"; date +%s`, "sh"}, TrustfixCmd("--apply", "--json", "--only", "clock-skew,sync-clock").Argv...)}))
	doc, date, _ := strings.Cut(strings.TrimSpace(r.Stdout), "\n}\n")
	if at, err := strconv.ParseInt(date, 10, 64); err != nil || at < now.Unix() || at > time.Now().Unix()+5 {
		t.Errorf("the clock was set: %s", r)
	}
	if !strings.Contains(doc, "clock-skew") || !strings.Contains(doc, `"run": null`) {
		t.Errorf("%s", r)
	}
}

// Sources that do not agree decide nothing.
func TestTimeServersThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		times    map[int]Ticker // by the order asked
		measured bool
	}{
		"one false ticker among four": {map[int]Ticker{0: Plus1h, 1: True1, 2: True2, 3: True3}, true},
		"two that disagree":           {map[int]Ticker{0: Plus1h, 1: Minus1h}, false},
		"kiss of death":               {map[int]Ticker{0: KissRate, 1: True1, 2: True2, 3: True3}, true},
		"unsynchronised":              {map[int]Ticker{0: Unsynced, 1: True1, 2: True2, 3: True3}, true},
		"answers nobody asked for":    {map[int]Ticker{0: Forgery, 1: True1, 2: True2, 3: True3}, true},
		"only silence":                {map[int]Ticker{0: Silent, 1: Silent, 2: Silent}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			var args []string
			times := TimeServers{}
			for i, tick := range c.times {
				host := "time" + string(rune('0'+i)) + ".example" + string(rune('a'+i)) + ".org"
				times[host] = tick
				args = append(args, "--ntp", host)
			}
			s.Map(nil, times)
			doc := s.Diagnose(0, args...)
			if len(doc.Find("clock-skew")) != 0 {
				t.Errorf("the clock is right:\n%s", doc)
			}
			measured := doc.Clock.OffsetSeconds != nil && doc.Clock.Source == "ntp"
			if measured != c.measured {
				t.Errorf("measured: %v, %+v\n%s", measured, doc.Clock, doc)
			}
			if measured && math.Abs(*doc.Clock.OffsetSeconds) > 1 {
				t.Errorf("offset %v", *doc.Clock.OffsetSeconds)
			}
		})
	}
}

// The clock is really set: seen from programs that have a clock of their own,
// curl fails, trustfix sets the time by agreement, curl succeeds. The
// machine's clock is not the one that moves.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shift time.Duration
		says  string
	}{"behind": {-400 * day, "not yet valid"}, "ahead": {400 * day, "has expired"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{})
			machine := time.Now()
			script := "date +%s; curl -sS https://pypi.org/ 2>&1; " + strings.Join(TrustfixCmd("--apply", "--lang", "en").Argv, " ") + "; echo exit $?; date +%s; curl -sS https://pypi.org/ 2>&1"
			r := s.Exec(s.Clock(c.shift, Cmd{Argv: []string{"/bin/sh", "-c", script}}))
			if !strings.Contains(r.Stdout, c.says) || !strings.Contains(r.Stdout, "\nexit 0\n") || !strings.HasSuffix(r.Stdout, "hello from pypi.org\n") {
				t.Errorf("%s", r)
			}
			var dates []int64
			for line := range strings.Lines(r.Stdout) {
				if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
					dates = append(dates, n)
				}
			}
			if len(dates) != 2 || math.Abs(float64(dates[0]-machine.Add(c.shift).Unix())) > 60 || math.Abs(float64(dates[1]-time.Now().Unix())) > 60 {
				t.Errorf("dates before and after: %v", dates)
			}
			wall, monotonic := time.Now().Round(0).Sub(machine.Round(0)), time.Since(machine)
			if d := (wall - monotonic).Abs(); d > time.Minute {
				t.Fatalf("the machine's clock moved by %v", d)
			}
		})
	}
}

// What the traced clock promises, by programs that ask in different ways.
func TestTracedClock(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{})
	at := time.Now().Add(-400 * day).UTC().Format("2006-01")
	r := s.Exec(s.Clock(-400*day, Cmd{Argv: []string{"/bin/sh", "-c", "date -u +%Y-%m; python3 -c 'import time; print(time.strftime(\"%Y-%m\", time.gmtime()))'; date -u -s '2031-05-06 07:08:09' >/dev/null; date -u +%Y-%m-%dT%H:%M; python3 -c 'import time; time.clock_settime(0, 86400*366); print(int(time.time())//100)'"}}))
	if want := at + "\n" + at + "\n2031-05-06T07:08\n316224\n"; r.Stdout != want {
		t.Errorf("%s", r)
	}
	if time.Now().UTC().Format("2006") == "2031" {
		t.Fatal("the machine's clock was set")
	}
}
