package chain

import (
	"encoding/json"
	"testing"
)

// engineResult is what an engine said in the data.
type engineResult struct {
	OK   bool
	Errs [][3]any
}

// The suites' runs called X509_verify_cert itself: no security level, and the
// library's default for wildcards. Programs set both.
func bareOpenSSL(name string) *Rules {
	r, _ := RulesFor(name)
	r.SecurityLevel, r.PartialWildcard = 0, true
	return r
}

func TestEngines(t *testing.T) {
	goRules, _ := RulesFor("go")
	engines := []struct {
		name  string
		rules *Rules
	}{
		{"openssl3.0.19", bareOpenSSL("openssl-3")},
		{"openssl3.5.7", bareOpenSSL("openssl-3")},
		{"python3.13_strict", bareOpenSSL("python-3.13")},
		{"go1.26.8", goRules},
	}
	cases := loadCases(t)
	for _, e := range engines {
		n, agree, codes := 0, 0, 0
		for _, c := range cases {
			raw, ok := c.Engines[e.name]
			if !ok {
				continue
			}
			var want engineResult
			var class string
			if json.Unmarshal(raw, &class) == nil {
				want.OK = class == "ok"
			} else if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			in := c.input()
			in.Rules = e.rules
			j := newJudge(in)
			v := Judge(in)
			n++
			var got []osslError
			if j.leaf != nil && e.rules.engine == engineOpenSSL {
				got = j.openssl(e.rules).errs
			}
			if v.OK == want.OK {
				agree++
				if len(want.Errs) > 0 && len(got) > 0 && int(want.Errs[0][0].(float64)) == got[0].code {
					codes++
				} else if len(want.Errs) > 0 {
					t.Logf("%s: %s: code %v, really %v", e.name, c.ID, got, want.Errs)
				} else {
					codes++
				}
			} else {
				t.Logf("%s: %s: ok=%v %v %v, really ok=%v %v", e.name, c.ID, v.OK, v.IDs(), got, want.OK, want.Errs)
			}
		}
		t.Logf("%-18s %d of %d agree, %d with the same first code", e.name, agree, n, codes)
	}
}
