package chain

import (
	"crypto/sha256"
	"crypto/x509"
	"net/netip"
	"slices"

	"golang.org/x/net/publicsuffix"
)

// Interception is the suspicion that somebody re-signs the traffic.
type Interception struct {
	Vendor string            // by name only: a hint, never proof
	Root   *x509.Certificate // highest certificate served
	Served bool              // Root is the unknown CA itself, not only issued by it
	Hosts  []string          // that end at the same unknown CA
	Spread bool              // the hosts have nothing else in common: strong evidence
}

// Intercepted looks at the reference verdicts of several hosts for one
// unknown issuer that speaks for unrelated ones, or that is called like a
// known product. vendor tells a product by a certificate's names. The result
// has an entry for each host concerned.
func Intercepted(verdicts map[string]Verdict, vendor func(*x509.Certificate) (string, bool)) map[string]*Interception {
	groups := map[[32]byte]*Interception{}
	sites := map[[32]byte]map[string]bool{}
	found := map[string]*Interception{}
	hosts := make([]string, 0, len(verdicts))
	for h := range verdicts {
		hosts = append(hosts, h)
	}
	slices.Sort(hosts)
	for _, host := range hosts {
		v := verdicts[host]
		if v.OK || len(v.Paths) == 0 || v.Paths[0].Anchored {
			continue
		}
		var certs []*x509.Certificate
		for _, l := range v.Paths[0].Certs {
			if l.Cert != nil {
				certs = append(certs, l.Cert)
			}
		}
		top := certs[len(certs)-1]
		self := string(top.RawSubject) == string(top.RawIssuer)
		if self && len(certs) == 1 {
			if _, known := vendor(top); !known {
				continue // a server's own certificate speaks for nobody else
			}
		}
		key := sha256.Sum256(slices.Concat(top.RawIssuer, top.AuthorityKeyId))
		if self {
			key = sha256.Sum256(slices.Concat(top.RawIssuer, top.SubjectKeyId))
		}
		g := groups[key]
		if g == nil {
			g = &Interception{Root: top, Served: self}
			groups[key], sites[key] = g, map[string]bool{}
		}
		for i := len(certs) - 1; i >= 0 && g.Vendor == ""; i-- {
			if name, ok := vendor(certs[i]); ok {
				g.Vendor = name
			}
		}
		g.Hosts = append(g.Hosts, host)
		if site, ok := site(host); ok {
			sites[key][site] = true
		}
		found[host] = g
	}
	for key, g := range groups {
		g.Spread = len(sites[key]) > 1
		if !g.Spread && g.Vendor == "" {
			for _, h := range g.Hosts {
				delete(found, h)
			}
		}
	}
	return found
}

// site is the registrable domain of a public host name; names of a private
// network say nothing about who else may speak for them.
func site(host string) (string, bool) {
	if _, err := netip.ParseAddr(host); err == nil {
		return "", false
	}
	if _, icann := publicsuffix.PublicSuffix(host); !icann {
		return "", false
	}
	s, err := publicsuffix.EffectiveTLDPlusOne(host)
	return s, err == nil
}
