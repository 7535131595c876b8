package chain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain/chaintest"
)

// What says nothing about a chain changes nothing in its verdict: the order of
// what is sent after the server's own certificate, repetitions, certificates of
// others, another time zone. One more root never makes a good chain bad.
func TestMeaninglessChanges(t *testing.T) {
	other := mint(t, "Somebody Else", nil, asCA)
	junk := mint(t, "Nobody", other, asCA)
	for i, r := range randoms(t) {
		in := inputOf(r)
		want := Judge(in)
		dice := rand.New(rand.NewPCG(7, uint64(i)))
		for _, change := range []struct {
			name string
			do   func(*Input)
		}{
			{"shuffled", func(in *Input) {
				in.Served = slices.Clone(in.Served)
				cas := in.Served[1:]
				dice.Shuffle(len(cas), func(i, k int) { cas[i], cas[k] = cas[k], cas[i] })
			}},
			{"all sent twice", func(in *Input) { in.Served = slices.Concat(in.Served, in.Served) }},
			{"junk in between", func(in *Input) {
				if len(in.Served) > 1 { // the server's own alone is incomplete, more of it is somebody's own
					in.Served = slices.Insert(slices.Clone(in.Served), 1+dice.IntN(len(in.Served)), junk.Raw, other.Raw)
				}
			}},
			{"elsewhere", func(in *Input) { in.Time = in.Time.In(time.FixedZone("", 14*3600)) }},
		} {
			changed := in
			change.do(&changed)
			if got := Judge(changed); got.OK != want.OK || got.Fault() != want.Fault() || got.Cause() != want.Cause() {
				t.Errorf("%s: %s: %v %s, not %v %s", r.Name, change.name, got.IDs(), got.Fault(), want.IDs(), want.Fault())
			}
		}
		if !want.OK {
			continue
		}
		for _, e := range append([]*entity{other}, entities(r)...) {
			more := in
			more.Roots = &bundles.Roots{}
			for _, known := range in.Roots.All() {
				more.Roots.Add(known)
			}
			more.Roots.Add(bundles.Root{Cert: e.Certificate})
			if got := Judge(more); !got.OK {
				t.Errorf("%s: with %s trusted: %v", r.Name, e.Subject, got.IDs())
			}
		}
	}
}

func entities(r chaintest.Random) []*entity {
	var out []*entity
	for _, m := range r.Shown {
		out = append(out, m.Entity)
	}
	return out
}

// Trust is offered only where it is all that lacks: with the CA at the end of
// the path trusted, the chain stands, and nothing of it was forged.
func TestConsentHelps(t *testing.T) {
	offered := 0
	for _, r := range randoms(t) {
		in := inputOf(r)
		v := Judge(in)
		if v.Fault() != FaultPrivateCA {
			continue
		}
		links := v.Paths[0].Certs
		last := links[len(links)-1].Cert
		if last == nil {
			continue // its issuer is not to be had: there is nothing to trust
		}
		offered++
		in.Roots = roots(r.Roots...)
		in.Roots.Add(bundles.Root{Cert: last})
		if after := Judge(in); !after.OK {
			t.Errorf("%s: offered for %v, afterwards %v", r.Name, v.IDs(), after.IDs())
		}
	}
	t.Logf("offered %d times", offered)
}

// Any two faults are both named, each is the server's whoever else is unknown,
// and to take one away adds nothing.
func TestFaultsTogether(t *testing.T) {
	type place struct {
		at int
		id string
	}
	var places []place
	for at := range 3 {
		for _, id := range chaintest.FaultsAt(at) {
			places = append(places, place{at, id})
		}
	}
	judged := func(trusted bool, put ...place) Verdict {
		at := map[int][]string{}
		for _, p := range put {
			at[p.at] = append(at[p.at], p.id)
		}
		in := inputOf(chaintest.Faulty(t, now, at))
		if !trusted {
			in.Roots = nil
		}
		v := Judge(in)
		for _, p := range put {
			seen := trusted || p.id != "bad-signature" || p.at < 2 // the root's key is not there
			if seen && !v.Has(p.id) {
				t.Errorf("%v, trusted %v: %v", put, trusted, v.IDs())
			}
			if seen && v.Fault() != FaultServer {
				t.Errorf("%v, trusted %v: fault %s, %v", put, trusted, v.Fault(), v.IDs())
			}
		}
		if trusted && slices.ContainsFunc(v.Causes, func(c Cause) bool { return unknownIssuer(c.ID) }) {
			t.Errorf("%v: %v", put, v.IDs())
		}
		return v
	}
	alone := map[string][]string{}
	for _, p := range places {
		alone[fmt.Sprint(p)] = judged(true, p).IDs()
		judged(false, p)
	}
	for i, a := range places {
		for _, b := range places[i+1:] {
			if a.at == b.at && chaintest.Clash(a.id, b.id) {
				continue
			}
			both := judged(true, a, b).IDs()
			for _, one := range slices.Concat(alone[fmt.Sprint(a)], alone[fmt.Sprint(b)]) {
				if !slices.Contains(both, one) {
					t.Errorf("%v and %v: %v, but without the other %s", a, b, both, one)
				}
			}
			if i%3 == 0 {
				judged(false, a, b)
			}
		}
	}
}
