package fix

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/detect/client"
	"trustfix/internal/edit"
	"trustfix/internal/text"
	"trustfix/platform"
)

// PinPlan plans `trustfix pin HOST…`: a bundle for every client that uses one
// of the hosts, with the CA certificates of the chain that the reference roots,
// or a CA the user named, verified just now. The report has to have the
// endpoints. A host that does not verify, or that no client uses, is a step
// for a person that says why.
// clients names those whose pins are planned; none: all.
func PinPlan(hosts []string, clients ...string) func(context.Context, *Input) (*Plan, error) {
	return func(ctx context.Context, in *Input) (*Plan, error) {
		f := *writePin
		f.Plan = func(context.Context, *Input, []detect.Finding) ([]Action, error) {
			return planHosts(in, hosts, clients)
		}
		var about []int
		for i, finding := range in.Report.Findings {
			if finding.Fix == writePin.ID && slices.ContainsFunc(hosts, func(h string) bool { return named(h, finding.Endpoint) }) {
				about = append(about, i)
			}
		}
		p, err := oneStep(ctx, in, &f, about)
		for _, e := range in.Report.Endpoints {
			if len(p.Steps) > 0 && slices.ContainsFunc(hosts, func(h string) bool { return named(h, e) }) {
				p.Steps[0].asked = append(p.Steps[0].asked, e)
			}
		}
		return p, err
	}
}

// UnpinPlan plans `trustfix unpin HOST…`: the hosts go out of the pins, and a
// pin without hosts goes with the setting that names it. No hosts: every pin.
// A configuration that cannot be read may name one too: a step for a person.
func UnpinPlan(hosts []string) func(context.Context, *Input) (*Plan, error) {
	return func(ctx context.Context, in *Input) (*Plan, error) {
		f := *writePin
		f.ID, f.Doc = "unpin", text.M("unpin.doc")
		f.Plan = func(context.Context, *Input, []detect.Finding) ([]Action, error) { return planUnpin(in, hosts) }
		p, err := oneStep(ctx, in, &f, nil)
		for _, u := range in.Report.Inventory.Unreadable {
			if row := client.ByName(u.Client); row != nil && row.Pin != nil {
				why := text.M("unpin.unread", "where", u.Where(), "error", text.Redact(u.Err.Error()))
				p.Steps = append(p.Steps, &Step{Fix: &f, Summary: why, Manual: &Manual{Why: why, Do: text.M("config-unreadable.advice", "where", u.Where())}})
			}
		}
		return p, err
	}
}

// oneStep is a plan of a single step, or of none when there is nothing to do.
func oneStep(ctx context.Context, in *Input, f *Fix, about []int) (*Plan, error) {
	p := &Plan{report: in.Report}
	if in.Rooted {
		p.root = in.Root
	}
	step, err := planStep(ctx, f, about, in)
	if err != nil || step == nil {
		return p, err
	}
	step.attempt = step.Manual == nil && (in.Elevated || !step.Elevated)
	p.Steps = []*Step{step}
	return p, nil
}

// named reports whether a word of the command line means an endpoint.
func named(word string, e *detect.Endpoint) bool {
	if e == nil {
		return false
	}
	t, err := detect.ParseTarget(word)
	return err == nil && t.Target.Host == e.Target.Host && t.Target.Port == e.Target.Port
}

func planHosts(in *Input, hosts, clients []string) ([]Action, error) {
	meant := func(c detect.ClientVerdict) bool { return len(clients) == 0 || slices.Contains(clients, c.Client.Name) }
	var needs []need
	for _, h := range hosts {
		used := false
		for _, e := range in.Report.Endpoints {
			if !named(h, e) || !slices.ContainsFunc(e.Clients, func(c detect.ClientVerdict) bool { return meant(c) && c.Client.Pinnable() }) {
				continue
			}
			used = true
			n, ok := verified(in, e)
			if !ok {
				return nil, unverified(e)
			}
			needs = append(needs, n)
		}
		if !used {
			return nil, &Manual{Why: text.M("write-pin.unused", "host", h), Do: text.M("write-pin.unused-do", "host", h)}
		}
	}
	return planPins(in, needs, meant)
}

// verified is what an endpoint needs, when its chain, served or completed, ends
// at a reference root, or at a CA that the user named or the system trusts.
func verified(in *Input, e *detect.Endpoint) (need, bool) {
	switch {
	case e.Reference.OK || detect.Completes(e.Reference):
		return needFor(e, e.Reference), true
	case e.CA != nil && (e.CAInStore || consentedTo(in, e.CA)):
		return needFor(e, e.ByCA), true
	}
	return need{}, false
}

// unverified refuses to pin what nothing vouches for.
func unverified(e *detect.Endpoint) error {
	m := &Manual{Why: text.M("write-pin.unverified", "host", e.Name(), "cause", e.Cause), Do: text.Raw("trustfix explain " + e.Cause)}
	if e.CA != nil {
		m.Do = text.Raw("trustfix pin " + e.Name() + " --trust-ca " + bundles.Fingerprint(e.CA.Raw))
	}
	return m
}

func consentedTo(in *Input, ca *x509.Certificate) bool {
	fp := bundles.Fingerprint(ca.Raw)
	return slices.ContainsFunc(in.Report.Options.Consented, func(s string) bool {
		named, err := bundles.ParseFingerprint(s)
		return err == nil && named == fp
	})
}

// planUnpin rewrites or removes the pins that clients read.
func planUnpin(in *Input, hosts []string) ([]Action, error) {
	var out []Action
	for _, p := range detect.Pins(in.View, in.Report.Clients) {
		gone := func(h string) bool {
			return len(hosts) == 0 || slices.ContainsFunc(hosts, func(w string) bool {
				t, err := detect.ParseTarget(w)
				return w == h || err == nil && t.Name() == h
			})
		}
		if !slices.ContainsFunc(p.Hosts, gone) {
			continue
		}
		if left := slices.DeleteFunc(slices.Clone(p.Hosts), gone); len(left) > 0 {
			a, err := shrink(in, p, left)
			if err != nil {
				return nil, err
			}
			out = append(out, a)
			continue
		}
		settings, err := unpoint(in, p)
		if err != nil {
			return nil, err
		}
		out = append(append(out, settings...), Action{
			Kind: FileAction, Target: resolved(in, p.Path), After: platform.Image{Kind: platform.Absent},
			Summary: text.M("unpin", "hosts", strings.Join(p.Hosts, ", "), "client", p.Client, "path", p.Path),
		})
	}
	return out, nil
}

// shrink keeps a pin for the hosts that are left.
func shrink(in *Input, p detect.Pin, left []string) (Action, error) {
	_, certs := readPin(in, p.Path)
	base := withoutPinned(p, certs)
	pinned := p.Pinned
	p.Hosts, p.Pinned = left, nil
	for _, c := range pinned {
		c.Hosts = slices.DeleteFunc(slices.Clone(c.Hosts), func(h string) bool { return !slices.Contains(left, h) })
		if len(c.Hosts) > 0 {
			p.Pinned = append(p.Pinned, c)
		}
	}
	data, err := render(p, base, nil, certs, storeOf(in, p.Path))
	return Action{
		Kind: FileAction, Target: resolved(in, p.Path), After: platform.Image{Kind: platform.File, Mode: 0o644, Data: data},
		Summary: text.M("unpin.keep", "hosts", strings.Join(left, ", "), "client", p.Client, "path", p.Path),
	}, err
}

// storeOf is how a pin that is a Java key store is opened; nil for PEM.
func storeOf(in *Input, pin string) *client.KeyStore {
	for _, c := range in.Report.Clients {
		if c.Trust.Path == pin {
			return c.Trust.KeyStore
		}
	}
	return nil
}

// unpoint puts back what the settings that name a pin said before, or deletes
// them where they said nothing.
func unpoint(in *Input, p detect.Pin) ([]Action, error) {
	var out []Action
	var seen []string
	for _, c := range in.Report.Clients {
		for _, s := range c.Settings {
			if s.Role != client.RoleCA || s.File == "" || s.Value != p.Path && s.Path != p.Path || slices.Contains(seen, s.Where()) {
				continue
			}
			seen = append(seen, s.Where())
			target := resolved(in, s.File)
			before, err := in.Files.Snapshot(target)
			if err != nil {
				return nil, err
			}
			e, ok, err := locate(s, before.Data)
			after := before
			switch {
			case err == nil && !ok:
				continue
			case err == nil && p.Was != "":
				after.Data, err = edit.Set(s.Format, before.Data, e, naming(s, e, p.Was))
			case err == nil:
				after.Data, err = without(s, before.Data)
			}
			if err != nil {
				return nil, &Manual{
					Why: text.M("setting.cannot-edit", "where", s.Where(), "error", text.Redact(err.Error())),
					Do:  text.M("setting.by-hand", "name", s.Name, "where", s.Where()),
				}
			}
			out = append(out, Action{
				Kind: FileAction, Target: target, Before: before, After: after,
				Summary: text.M("unpin.setting", "name", s.Name, "where", s.Where()),
			})
		}
	}
	return out, nil
}
