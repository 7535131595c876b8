package detect

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"trustfix/detect/chain"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Thresholds of clock-skew, in seconds of distance from the true time.
const (
	skewError = 60
	skewInfo  = 2
)

// gatherClock measures the system clock against agreeing time sources and
// finds the service that keeps it. Another system's tree has no clock: under
// --root only the current time is filled in. It takes at most two seconds.
func gatherClock(ctx context.Context, v *platform.View, o Options) Clock {
	c := Clock{System: v.Now(), Source: "none"}
	if v.Rooted {
		return c
	}
	if o.Refs != nil && !o.Refs.Date.IsZero() {
		c.Floor = o.Refs.Date
		c.Wrong = c.System.Before(c.Floor)
	}
	service := make(chan TimeService, 1)
	go func() { service <- timeService(ctx, v) }()
	if !o.Offline {
		measureClock(ctx, v, o, &c)
	}
	c.Service = <-service
	return c
}

func timeService(ctx context.Context, v *platform.View) TimeService {
	var s TimeService
	if k := Keeper(TimeServiceStates(ctx, v)); k != nil {
		s.Name, s.Enabled = k.Service.Name, (k.Enabled || k.Active) && !k.Masked
	}
	if v.Kernel != nil {
		k := v.Kernel()
		s.Synchronized = k.Known && k.Synchronized
	}
	return s
}

// HostClock reports whether the system clock belongs to the machine outside:
// time namespaces do not cover CLOCK_REALTIME, so a container has none of its
// own, and the kernel refuses even its root. WSL's virtual machine has one.
func HostClock(v *platform.View) bool {
	return v.Container != "" && v.Container != "wsl" || v.Elevated && v.Kernel != nil && v.Kernel().Denied
}

var clockChecks = []*Check{clockSkew, clockUnsynced}

var clockSkew = &Check{
	ID: "clock-skew", IDs: []string{"clock-skew"}, Area: "clock",
	Doc: text.M("clock-skew.doc"),
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		c := r.Clock
		if v.Rooted || c.Offset == nil && !c.Wrong {
			return nil, nil
		}
		f := Finding{ID: "clock-skew", Severity: Error, Where: "clock", Action: Auto, Fix: "sync-clock"}
		hit := 0
		for _, e := range r.Endpoints {
			if e.Fault == chain.FaultClock {
				hit++
			}
		}
		if c.Offset == nil {
			f.Summary = text.M("clock-skew.floor", "clock", c.System.UTC().Format(time.DateOnly), "floor", c.Floor.UTC().Format(time.DateOnly))
			f.Evidence = append(f.Evidence, text.M("clock-skew.floor-evidence", "floor", c.Floor.UTC().Format(time.DateOnly)))
		} else {
			off := math.Abs(*c.Offset)
			switch {
			case off < skewInfo || c.Source == "http-date" && off < skewInfo+dateMargin.Seconds():
				return nil, nil
			case off <= skewError && hit == 0:
				f.Severity = Info
			}
			if *c.Offset > 0 {
				f.Summary = text.M("clock-skew.behind", "amount", Span(off))
			} else {
				f.Summary = text.M("clock-skew.ahead", "amount", Span(off))
			}
			f.Evidence = append(f.Evidence, agreement(c))
			if !c.Floor.IsZero() && c.True(c.System).Before(c.Floor) {
				f.Action, f.Fix = Manual, ""
				f.Evidence = append(f.Evidence, text.M("clock-skew.before-floor", "floor", c.Floor.UTC().Format(time.DateOnly)))
				f.Advice = append(f.Advice, text.M("clock-skew.doubt"))
			}
		}
		if hit > 0 {
			f.Evidence = append(f.Evidence, text.M("clock-skew.explains", "n", hit))
		}
		f.Evidence = append(f.Evidence, serviceWord(c.Service))
		if HostClock(v) {
			f.Action, f.Fix = Manual, ""
			f.Advice = append(f.Advice, text.M("clock-skew.host"))
		}
		return []Finding{f}, nil
	},
}

var clockUnsynced = &Check{
	ID: "clock-unsynced", IDs: []string{"clock-unsynced"}, Area: "clock",
	Doc: text.M("clock-unsynced.doc"), After: []*Check{clockSkew},
	Run: func(_ context.Context, v *platform.View, r *Report) ([]Finding, error) {
		s := r.Clock.Service
		if v.Rooted || HostClock(v) || s.Synchronized || s.Enabled && (v.Kernel == nil || !v.Kernel().Known) {
			return nil, nil
		}
		f := Finding{
			ID: "clock-unsynced", Severity: Info, Where: "clock", Subject: s.Name, Action: Auto, Fix: "sync-clock",
			Evidence: []text.Msg{serviceWord(s)},
		}
		switch {
		case s.Name == "":
			f.Summary, f.Action, f.Fix = text.M("clock-unsynced.none"), Manual, ""
			f.Advice = []text.Msg{text.M("clock-unsynced.install")}
		case !s.Enabled:
			f.Summary = text.M("clock-unsynced.disabled", "service", s.Name)
		default:
			f.Summary, f.Action, f.Fix = text.M("clock-unsynced.waiting", "service", s.Name), Manual, ""
			f.Advice = []text.Msg{text.M("clock-unsynced.reach", "service", s.Name)}
		}
		return []Finding{f}, nil
	},
}

// agreement is the evidence for an offset: who says so, and how exactly.
func agreement(c Clock) text.Msg {
	answered, agree := 0, 0
	for _, s := range c.Samples {
		if s.Error == "" && strings.HasPrefix(s.Server, "http://") == (c.Source == "http-date") {
			answered++
		}
		if s.Agrees {
			agree++
		}
	}
	who := strings.Join(c.Agreeing, ", ")
	within := fmt.Sprintf("%.1f", max(0.1, c.Margin))
	switch {
	case c.Source == "http-date":
		return text.M("clock-skew.dates", "agree", agree, "answered", answered, "who", who)
	case len(c.Agreeing) == 1:
		return text.M("clock-skew.one", "who", who, "within", within)
	}
	return text.M("clock-skew.agree", "agree", agree, "answered", answered, "who", who, "within", within)
}

func serviceWord(s TimeService) text.Msg {
	switch {
	case s.Name == "":
		return text.M("clock.service-none")
	case !s.Enabled:
		return text.M("clock.service-off", "service", s.Name)
	case !s.Synchronized:
		return text.M("clock.service-waiting", "service", s.Name)
	}
	return text.M("clock.service-on", "service", s.Name)
}

// Span is a length of time in words, in the largest unit of which there are two.
func Span(seconds float64) text.Msg {
	s := math.Abs(seconds)
	switch {
	case s >= 2*86400:
		return text.M("clock.days", "n", int(s/86400+0.5))
	case s >= 2*3600:
		return text.M("clock.hours", "n", int(s/3600+0.5))
	case s >= 120:
		return text.M("clock.minutes", "n", int(s/60+0.5))
	}
	return text.M("clock.seconds", "n", fmt.Sprintf("%.1f", s))
}
