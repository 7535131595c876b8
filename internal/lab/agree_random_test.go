//go:build linux

package lab

import (
	"strings"
	"testing"
	"time"

	"trustfix/detect/chain/chaintest"
)

// How many random chains, and of which seed: detect/chain tries more of them.
const (
	randomChains = 200
	randomSeed   = 3
)

// quick are the clients that answer hundreds of questions, one for each set of rules.
var quick = []string{"Python", "openssl", "curl", "wget", "node", "java", "Go", "deno"}

// Random chains, with several faults at once and several ways to a root: the
// clients do what their rules predict.
func TestAgreementRandom(t *testing.T) {
	need(t)
	needStep(t, true)
	now := time.Now().UTC().Truncate(time.Second)
	var faults []chaintest.Fault
	for _, r := range chaintest.Randoms(t, now, randomSeed, randomChains) {
		faults = append(faults, r.Fault)
	}
	for _, system := range []Suite{Machine, Bullseye, Trixie} {
		t.Run(strings.TrimSpace("system "+string(system)), func(t *testing.T) {
			t.Parallel()
			agree, excused := 0, 0
			for _, c := range ask(t, system, faults, now, quick) {
				switch {
				case c.ok == c.want.OK:
					agree++
				case peculiar(c):
					excused++
				default:
					t.Errorf("%s: its rules say ok=%v %v, really %v, %q", c, c.want.OK, c.want.IDs(), c.ok, c.words)
				}
			}
			t.Logf("%d agree, %d are known", agree, excused)
		})
	}
}

// peculiar are ways of single clients that their rules leave out, and why.
func peculiar(c cell) bool {
	said := func(what string) bool { return strings.Contains(c.fault.Name, what) }
	switch {
	case strings.HasPrefix(c.client, "Python 2.7") && said("asked for 127.0.0.1"):
		return true // it takes an address for a name
	case strings.HasPrefix(c.client, "wget") && said("the leaf is sent twice"):
		return true // not the same in all versions of GnuTLS
	case strings.HasPrefix(c.client, "Python 2.7"), strings.HasPrefix(c.client, "Python 3.6"):
		// ssl.match_hostname: "*" stands for any name of one label, and the host
		// is compared after its IDNA has been read.
		return said("DNS [*]") || said("xn--")
	case strings.HasPrefix(c.client, "java"):
		// "*.test": it asks a list of public suffixes, which does not have this one.
		return said("DNS [*.test]")
	}
	return false
}
