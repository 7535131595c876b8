package detect

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"

	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Run gathers what the checks need, at the same time where it can, and asks
// them in order. An error means that the diagnosis as a whole was cut short; a
// check that could not be told is a Failure in the report.
func Run(ctx context.Context, v *platform.View, o Options) (*Report, error) {
	r := &Report{Host: hostInfo(v), Options: o}
	gather(ctx, v, r)
	if !o.Offline {
		o.area("endpoints", func() { gatherEndpoints(ctx, v, r) })
	}
	if o.ProbeClients && !o.Offline {
		o.area("clients", func() { r.Probes = probeClients(ctx, v, r) })
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, c := range All {
		found, err := c.Run(ctx, v, r)
		if err != nil {
			r.Failed = append(r.Failed, Failure{Check: c.ID, Error: err.Error()})
		}
		for _, f := range found {
			if o.wants(f) {
				r.Findings = append(r.Findings, f)
			}
		}
	}
	order(r.Findings)
	return r, ctx.Err()
}

// gather fills in stores, clients and clock; they do not depend on each other.
func gather(ctx context.Context, v *platform.View, r *Report) {
	var wg sync.WaitGroup
	wg.Go(func() { r.Options.area("store", func() { r.Stores = gatherStores(ctx, v, r.Options.Refs) }) })
	wg.Go(func() { r.Options.area("clock", func() { r.Clock = gatherClock(ctx, v, r.Options) }) })
	var err error
	wg.Go(func() {
		r.Options.area("clients", func() {
			if r.Inventory, err = client.Resolve(ctx, v); err == nil {
				r.Clients = r.Inventory.Clients
			}
		})
	})
	wg.Wait()
	if err != nil {
		r.Failed = append(r.Failed, Failure{Check: "clients", Error: err.Error()})
	}
}

// Recheck diagnoses again and returns those of the given findings that are
// still there: the proof, or disproof, of a repair. It uses the network only
// where one of them depends on an endpoint.
func Recheck(ctx context.Context, v *platform.View, o Options, were []Finding) ([]Finding, error) {
	o.Progress, o.Probed, o.ProbeClients = nil, nil, false
	o.Offline = o.Offline || !slices.ContainsFunc(were, func(f Finding) bool {
		c := CheckFor(f.ID)
		return c == nil || c.Area != "settings" && c.Area != "store" || f.ID == "store-stale"
	})
	r, err := Run(ctx, v, o)
	if err != nil {
		return nil, err
	}
	if len(r.Failed) > 0 {
		return nil, fmt.Errorf("check %s could not be completed: %s", r.Failed[0].Check, r.Failed[0].Error)
	}
	var still []Finding
	for _, f := range r.Findings {
		if f.Severity != Info && slices.ContainsFunc(were, func(w Finding) bool { return w.identity() == f.identity() }) {
			still = append(still, f)
		}
	}
	if len(still) == 0 {
		still = r.worse(were)
	}
	return still, nil
}

// worse are findings about stores that a repair, or the program that it ran,
// left in another kind of trouble: a bundle that was made again, and is empty.
func (r *Report) worse(were []Finding) []Finding {
	for _, w := range were {
		i := slices.IndexFunc(r.Stores, func(s *Store) bool { return w.Store != nil && s.Path == w.Store.Path })
		if i < 0 {
			continue
		}
		s, was := r.Stores[i], w.Store
		if s.useless() && (was.usable() || w.ID == "store-"+string(was.Status)) {
			return []Finding{{ID: w.ID, Severity: Error, Where: s.Path, Store: s, Summary: text.M("store.useless", "path", s.Path)}}
		}
		lacked := map[string]bool{}
		for _, c := range was.Missing {
			lacked[string(c.Raw)] = true
		}
		lost := slices.DeleteFunc(slices.Clone(s.Missing), func(c *x509.Certificate) bool { return lacked[string(c.Raw)] })
		if was.usable() && len(lost) > 0 {
			return []Finding{{ID: w.ID, Severity: Error, Where: s.Path, Store: s, Summary: text.M("store.lost", "path", s.Path, "n", len(lost), "names", rootNames(lost))}}
		}
	}
	return nil
}

// useless says that programs get nothing, or a part, from the store.
func (s *Store) useless() bool {
	return !s.usable() && (s.Status != StoreCorrupt || severityOf(s.Content.Problems) == Error)
}

// area reports the start and the end of an area's work.
func (o Options) area(name string, work func()) {
	if o.Progress != nil {
		o.Progress(name, false)
		defer o.Progress(name, true)
	}
	work()
}

// wants applies --only and --skip, which take finding ids and fix ids.
func (o Options) wants(f Finding) bool {
	named := func(ids []string) bool {
		return slices.Contains(ids, f.ID) || f.Fix != "" && slices.Contains(ids, f.Fix)
	}
	return (len(o.Only) == 0 || named(o.Only)) && !named(o.Skip)
}

// order puts the most fundamental cause first: by the order of the checks,
// then by severity, then by place.
func order(fs []Finding) {
	rank := map[string]int{}
	for _, c := range All {
		for _, id := range append([]string{c.ID}, c.IDs...) {
			if _, ok := rank[id]; !ok {
				rank[id] = len(rank)
			}
		}
	}
	severity := map[Severity]int{Error: 0, Warning: 1, Info: 2}
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(severity[a.Severity]/2, severity[b.Severity]/2), // info last
			cmp.Compare(rank[a.ID], rank[b.ID]),
			cmp.Compare(severity[a.Severity], severity[b.Severity]),
			cmp.Compare(a.Where, b.Where),
			cmp.Compare(a.Subject, b.Subject),
		)
	})
}

func hostInfo(v *platform.View) HostInfo {
	return HostInfo{
		OS: v.OS, Arch: v.Arch, Distro: v.Distro.ID, Version: v.Distro.Version, Family: v.Distro.Family,
		Container: v.Container, Root: v.Root, Elevated: v.Elevated,
	}
}
