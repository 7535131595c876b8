package chain

import (
	"bufio"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"slices"
	"sort"
	"testing"
	"time"

	"trustfix/bundles"
)

// testCase is one line of testdata/x509/cases.jsonl.gz.
type testCase struct {
	ID, Suite, Expected, Label, Leaf string
	Scorable                         bool
	LabelsAny                        []string `json:"labels_any"`
	Untrusted, Trusted               []string
	Time                             *time.Time
	Host                             *struct{ Kind, Value string }
	Go                               struct{ Accept bool }
	Never                            bool   `json:"never_fix_by_adding_ca"`
	Purpose                          string `json:"key_purpose"`
	Engines                          map[string]json.RawMessage
}

func loadCases(tb testing.TB) []testCase {
	tb.Helper()
	f, err := os.Open("testdata/x509/cases.jsonl.gz")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	var out []testCase
	for s := bufio.NewReader(z); ; {
		line, err := s.ReadBytes('\n')
		if len(line) > 1 {
			var c testCase
			if err := json.Unmarshal(line, &c); err != nil {
				tb.Fatal(err)
			}
			out = append(out, c)
		}
		if err != nil {
			return out
		}
	}
}

func der(s string) []byte {
	b, _ := pem.Decode([]byte(s))
	if b == nil {
		return nil
	}
	return b.Bytes
}

func (c testCase) input() Input {
	in := Input{Time: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), Roots: &bundles.Roots{}}
	if c.Time != nil {
		in.Time = *c.Time
	}
	if c.Host != nil {
		in.Host = c.Host.Value
	}
	in.Served = append(in.Served, der(c.Leaf))
	for _, u := range c.Untrusted {
		in.Served = append(in.Served, der(u))
	}
	for _, t := range c.Trusted {
		if root, err := x509.ParseCertificate(der(t)); err == nil {
			in.Roots.Add(bundles.Root{Cert: root})
		} else {
			in.Broken = append(in.Broken, der(t))
		}
	}
	return in
}

// labelIDs says which of our ids and finer codes mean the same as a label of
// the data.
var labelIDs = map[string][]string{
	"expired":              {"server-expired"},
	"not_yet_valid":        {"server-not-yet-valid"},
	"unknown_issuer":       {"server-incomplete-chain", "server-private-ca", "server-self-signed"},
	"hostname_mismatch":    {"server-hostname"},
	"cn_only":              {"server-hostname"},
	"name_constraint":      {"name-constraint"},
	"wrong_eku":            {"eku"},
	"issuer_not_ca":        {"issuer-not-ca"},
	"issuer_key_usage":     {"issuer-key-usage"},
	"path_len":             {"path-length"},
	"unknown_critical_ext": {"critical-extension"},
	"bad_signature":        {"bad-signature"},
	"weak_key":             {"weak-key"},
	"weak_signature":       {"weak-signature"},
	"malformed":            {"server-malformed"},
	"strict_profile":       {"strict-ca"},
}

// A chain that is forged must never look like a matter of consent, whoever's
// rules it is judged by.
func TestNeverConsent(t *testing.T) {
	n := 0
	for _, c := range loadCases(t) {
		// The suite's own reading of its trust anchors decides the others.
		if !c.Never || !c.Scorable {
			continue
		}
		n++
		ref := Judge(c.input())
		if d := Decide(ref, ref, ref, false); d.Verdict != "fail" || d.Fault != FaultServer {
			t.Errorf("%s: %+v %v", c.ID, d, ref.IDs())
		}
		for _, cause := range ref.Causes {
			if unknownIssuer(cause.ID) {
				t.Errorf("%s: %s is among the causes", c.ID, cause.ID)
			}
		}
		for _, name := range RuleNames() {
			in := c.input()
			in.Rules, _ = RulesFor(name)
			if v := Judge(in); !v.OK && unknownIssuer(v.Cause()) {
				t.Errorf("%s: %s names %s", c.ID, name, v.Cause())
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d cases", n)
	}
}

func TestScore(t *testing.T) {
	type score struct{ cases, labels, verdicts, goVerdicts int }
	scores := map[string]*score{}
	for _, c := range loadCases(t) {
		if !c.Scorable {
			continue
		}
		v := Judge(c.input())
		s := scores[c.Suite]
		if s == nil {
			s = &score{}
			scores[c.Suite] = s
		}
		s.cases++
		want := c.Expected == "SUCCESS"
		if v.OK == want {
			s.verdicts++
		} else {
			t.Logf("%s: verdict ok=%v %v, expected %s %v", c.ID, v.OK, v.IDs(), c.Expected, c.LabelsAny)
		}
		if c.Go.Accept == want {
			s.goVerdicts++
		}
		right := v.OK && slices.Contains(c.LabelsAny, "ok")
		for _, l := range c.LabelsAny {
			right = right || slices.ContainsFunc(labelIDs[l], func(id string) bool { return v.Has(id) })
		}
		if right {
			s.labels++
		} else {
			t.Logf("%s: causes %v, expected %v", c.ID, v.IDs(), c.LabelsAny)
		}
	}
	var suites []string
	for s := range scores {
		suites = append(suites, s)
	}
	sort.Strings(suites)
	cases, labels := 0, 0
	for _, name := range suites {
		s := scores[name]
		t.Logf("%-14s %3d cases: %3d labels right, %3d verdicts right (crypto/x509: %d)", name, s.cases, s.labels, s.verdicts, s.goVerdicts)
		cases, labels = cases+s.cases, labels+s.labels
		if s.verdicts < s.goVerdicts {
			t.Errorf("%s: %d verdicts right, crypto/x509 has %d", name, s.verdicts, s.goVerdicts)
		}
	}
	t.Logf("all: %d of %d labels right", labels, cases)
	if labels*100 < cases*98 {
		t.Errorf("%d of %d labels right, below 98 %%", labels, cases)
	}
}
