package fix

import (
	"crypto/x509"
	"errors"
	"slices"

	"trustfix/detect"
)

// planJava adds a consented CA to the Javas that do not take their roots from
// the system's store: what runs on them is told by nobody, so all that is known
// is that the person trusts the CA on this machine. A Java that a setting sends
// to another store is left to that setting.
func planJava(in *Input, e *detect.Endpoint, ca *x509.Certificate) ([]Action, error) {
	var out []Action
	for _, c := range in.Report.Clients {
		if c.Name != "java" || !c.Pinnable() || c.Trust.FromSystem() || c.Trust.SetBy != "" && c.Trust.SetBy != c.Site.File {
			continue
		}
		_, certs, _ := detect.SourceOf(in.View, in.Report, c)
		_, pinned := readPin(in, c.Trust.Path)
		if len(certs)+len(pinned) == 0 || slices.ContainsFunc(slices.Concat(certs, pinned), ca.Equal) {
			continue // it trusts nobody today, or the CA already
		}
		s, err := findSite(in, c)
		if errors.As(err, new(*Manual)) || s.elevated && !in.Elevated {
			continue
		}
		if err != nil {
			return nil, err
		}
		j := &pinJob{site: s, name: c.Name}
		j.add(c, s, need{endpoint: e, certs: []*x509.Certificate{ca}})
		actions, err := j.plan(in)
		if err != nil {
			return nil, err
		}
		out = append(out, actions...)
	}
	return out, nil
}

// rebuildJava lets the distribution's tool make the store of its Javas again.
func rebuildJava(in *Input) ([]Action, error) {
	_, l, err := systemStore(in)
	if err != nil {
		return nil, err
	}
	a, err := rebuildAction(in, l)
	return []Action{a}, err
}
