package detect

import (
	"slices"
	"time"

	"trustfix/platform"
)

// leastDistance is the narrowest interval a time server is granted: servers
// claim microseconds, but nothing here needs better than a tenth of a second,
// and a loaded machine delays packets one way only.
const leastDistance = 100 * time.Millisecond

// Agreement is what a majority of time sources say.
type Agreement struct {
	Offset time.Duration // true time minus system time, the middle of the common interval
	Margin time.Duration // half width of the common interval
	Agrees []bool        // for each sample, whether its interval reaches the common one
	Count  int           // number that agree
}

// Agree finds the interval that more than half of the samples share, by the
// intersection algorithm of RFC 5905 §11.2.1: the smallest number f of
// falsetickers such that len(samples)-f intervals have a point in common and at
// most f middles lie outside. ok is false without such a majority: two that
// disagree decide nothing. A single sample agrees with itself; whether that is
// enough is for the caller to say.
func Agree(samples []platform.Sample) (a Agreement, ok bool) {
	type edge struct {
		at   time.Duration
		kind int // -1 lower end, 0 middle, +1 upper end
	}
	m := len(samples)
	edges := make([]edge, 0, 3*m)
	for _, s := range samples {
		d := distance(s)
		edges = append(edges, edge{s.Offset - d, -1}, edge{s.Offset, 0}, edge{s.Offset + d, 1})
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if a.at != b.at {
			if a.at < b.at {
				return -1
			}
			return 1
		}
		return a.kind - b.kind // touching intervals overlap
	})
	for f := 0; 2*f < m; f++ {
		outside := 0
		// reach walks from one end until m-f intervals are open at once.
		reach := func(i, step, opens int) (time.Duration, bool) {
			open := 0
			for ; i >= 0 && i < len(edges); i += step {
				switch edges[i].kind {
				case opens:
					if open++; open >= m-f {
						return edges[i].at, true
					}
				case 0:
					outside++
				default:
					open--
				}
			}
			return 0, false
		}
		low, okLow := reach(0, 1, -1)
		high, okHigh := reach(len(edges)-1, -1, 1)
		if !okLow || !okHigh || low > high || outside > f {
			continue
		}
		a = Agreement{Offset: low + (high-low)/2, Margin: (high - low) / 2, Agrees: make([]bool, m)}
		for i, s := range samples {
			if d := distance(s); s.Offset-d <= high && s.Offset+d >= low {
				a.Agrees[i], a.Count = true, a.Count+1
			}
		}
		return a, 2*a.Count > m
	}
	return Agreement{Agrees: make([]bool, m)}, false
}

func distance(s platform.Sample) time.Duration { return max(s.RootDistance, leastDistance) }
