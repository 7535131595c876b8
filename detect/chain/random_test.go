package chain

import (
	"crypto/rsa"
	"crypto/x509"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trustfix/detect/chain/chaintest"
)

// truth is what a verifier that tries every path says of a random chain, from
// what was put into it and not from what can be read in it.
type truth struct {
	*chaintest.Random
	golang bool // crypto/x509's ways, else RFC 5280's
}

func (r truth) stands() bool {
	return (r.Matches || r.golang && r.Host == "good.test" && r.Names[0] == "*.test") && r.reaches([]*chaintest.Made{r.Shown[0]})
}

func (r truth) reaches(path []*chaintest.Made) bool {
	last := path[len(path)-1]
	if slices.ContainsFunc(r.Trusted, func(m *chaintest.Made) bool { return m.Equal(last.Certificate) }) && r.allows(path) {
		return true
	}
	for _, m := range slices.Concat(r.Shown[1:], r.Trusted) {
		if m.Subject != last.Issuer || m.Holder != last.Signer || last.Forged || r.golang && last.Respelt ||
			slices.ContainsFunc(path, func(p *chaintest.Made) bool { return p.Subject == m.Subject && p.Holder == m.Holder }) {
			continue
		}
		if r.reaches(append(path[:len(path):len(path)], m)) {
			return true
		}
	}
	return false
}

// allows: to RFC 5280 an anchor is taken as it stands; crypto/x509 holds it to
// everything but its own signature, and does not know self-issued certificates.
func (r truth) allows(path []*chaintest.Made) bool {
	below := 0
	for i, m := range path {
		anchor := i == len(path)-1
		for _, w := range m.Wrong {
			if !anchor || i == 0 && !r.golang || r.golang && w != "weak-signature" && (i == 0 || w != "weak-key" && w != "policy") {
				return false
			}
		}
		if m.PathLen >= 0 && i > 0 && below > m.PathLen {
			return false
		}
		if i > 0 && (!m.Own() || r.golang) {
			below++
		}
		for _, n := range r.Names {
			n = strings.ToLower(n)
			inside := func(tree string) bool { return n == tree || strings.HasSuffix(n, "."+tree) }
			if i > 0 && (m.Permits != "" && !inside(m.Permits) || m.Exclude != "" && inside(m.Exclude)) {
				return false
			}
		}
	}
	return true
}

// shows reports whether a fault that was put in can be seen: a name has to be
// there for a constraint, and the issuer for a signature.
func (r truth) shows(id string) bool {
	switch id {
	case "name-constraint":
		return len(r.Names) > 0
	case "bad-signature":
		return slices.ContainsFunc(r.Shown, func(m *chaintest.Made) bool {
			return m.Forged && slices.ContainsFunc(slices.Concat(r.Shown, r.Trusted), func(i *chaintest.Made) bool { return i.Holder == m.Signer })
		})
	}
	return true
}

// randoms are the chains that every run tries; TRUSTFIX_RANDOM says how many,
// and TRUSTFIX_SEED of which seed.
func randoms(tb testing.TB) []chaintest.Random {
	tb.Helper()
	if made == nil {
		made = chaintest.Randoms(tb, now, setting("TRUSTFIX_SEED", 1), int(setting("TRUSTFIX_RANDOM", 200)))
	}
	return made
}

var made []chaintest.Random // takes longer than judging them

func setting(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 31); err == nil {
		return n
	}
	return otherwise
}

func inputOf(r chaintest.Random) Input {
	return Input{Served: r.Served, Roots: roots(r.Roots...), Host: r.Host, Time: now}
}

func TestRandom(t *testing.T) {
	good := 0
	for _, r := range randoms(t) {
		want := truth{&r, false}.stands()
		if want {
			good++
		}
		v := Judge(inputOf(r))
		if v.OK != want {
			t.Errorf("%s: ok = %v %v", r.Name, v.OK, v.IDs())
		}
		if got, want := goAccepts(r), (truth{&r, true}).stands(); got != want {
			t.Errorf("%s: crypto/x509 says ok = %v: what is known of the chain is wrong", r.Name, got)
		}
		if !r.Plain {
			continue
		}
		for _, id := range r.Put {
			if !v.Has(id) && (truth{&r, false}).shows(id) {
				t.Errorf("%s: %v, without %s", r.Name, v.IDs(), id)
			}
		}
	}
	t.Logf("%d stand", good)
}

// goAccepts: crypto/x509 takes the chain, along a path without weak keys.
func goAccepts(r chaintest.Random) bool {
	more := x509.NewCertPool()
	for _, m := range r.Shown[1:] {
		more.AddCert(m.Certificate)
	}
	paths, err := r.Shown[0].Verify(x509.VerifyOptions{Roots: roots(r.Roots...).Pool(), Intermediates: more, CurrentTime: now})
	if err != nil || r.Shown[0].VerifyHostname(r.Host) != nil {
		return false
	}
	return slices.ContainsFunc(paths, func(p []*x509.Certificate) bool {
		return !slices.ContainsFunc(p[:max(len(p)-1, 1)], func(c *x509.Certificate) bool {
			k, ok := c.PublicKey.(*rsa.PublicKey)
			return ok && k.N.BitLen() < 2048
		})
	})
}
