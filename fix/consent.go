package fix

import (
	"slices"

	"trustfix/bundles"
	"trustfix/detect"
)

// consented says whether the user named, by SHA-256, a CA that the finding is
// about. A leaf is no CA: naming one consents to nothing.
func consented(f detect.Finding, o detect.Options) bool {
	if len(o.Consented) == 0 {
		return false
	}
	var cas []string
	if e := f.Endpoint; e != nil {
		for i, c := range e.Chain {
			if i > 0 || c.Subject == c.Issuer {
				cas = append(cas, c.SHA256)
			}
		}
		for _, c := range e.Fetched {
			cas = append(cas, bundles.Fingerprint(c.Raw))
		}
	}
	if f.Store != nil {
		for _, c := range f.Store.Certs {
			cas = append(cas, bundles.Fingerprint(c.Raw))
		}
	}
	return slices.ContainsFunc(o.Consented, func(ca string) bool { return slices.Contains(cas, ca) })
}
