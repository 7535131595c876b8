package detect

import (
	"slices"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
)

// willRefuse says which servers clients will refuse once a switch stops
// hiding it, and what the choices are. What this machine can repair is no such
// refusal.
func willRefuse(r *Report, s *client.Setting) []text.Msg {
	var out, choices []text.Msg
	said := map[string]bool{}
	for _, e := range r.Endpoints {
		why, choose := text.M("verify-off.why-server"), text.M("verify-off.choose-server")
		switch e.Fault {
		case chain.FaultServer:
		case chain.FaultPrivateCA, chain.FaultNetwork:
			choose = text.M("verify-off.choose-ca")
		default:
			continue
		}
		consented := e.CA != nil && (e.CAInStore || slices.Contains(r.Options.Consented, bundles.Fingerprint(e.CA.Raw)))
		if consented || e.Cause == "server-incomplete-chain" && len(e.Fetched) > 0 {
			continue
		}
		for _, cv := range e.Clients {
			if cv.Now.OK || cv.True.OK || len(e.Chain) == 0 || said[e.host()] || !switchedBy(s, cv.Client) {
				continue
			}
			said[e.host()] = true
			if e.Fault != chain.FaultServer {
				why = text.M("verify-off.why-ca", "client", cv.Client.Name)
			}
			out = append(out, text.M("verify-off.will-refuse", "client", cv.Client.Name, "host", e.host(), "why", why, "cause", e.Cause))
			if !slices.ContainsFunc(choices, func(m text.Msg) bool { return m.Key == choose.Key }) {
				choices = append(choices, choose)
			}
		}
	}
	return append(out, choices...)
}

// switchedBy reports whether a switch is one of a client's layers.
func switchedBy(s *client.Setting, c *client.Client) bool {
	return slices.Contains(c.Settings, s) || s.Env && (s.Client == c.Name || slices.Contains(s.Affects, c.Name))
}
