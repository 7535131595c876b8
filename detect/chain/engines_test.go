package chain

import (
	"encoding/json"
	"fmt"
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

// exceptions are where a rule set may differ from its engine, and why.
var exceptions = map[string]string{
	"pathlen::max-chain-depth-0-exhausted":                                      "the run set a depth limit",
	"pathlen::max-chain-depth-1-exhausted":                                      "the run set a depth limit",
	"pathlen::max-chain-depth-1-self-issued":                                    "the run set a depth limit",
	"webpki::malformed-aia":                                                     "Go's parser refuses the certificate",
	"webpki::forbidden-p192-leaf":                                               "Go's parser refuses the certificate",
	"webpki::forbidden-p192-root":                                               "Go's parser refuses the certificate",
	"rfc5280::serial::negative":                                                 "Go's parser refuses the certificate",
	"webpki::nc::intermediate-permitted-excluded-subtrees-both-null":            "Go's parser refuses the certificate",
	"webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences": "Go's parser refuses the certificate",
}

// Each rule set against the verdicts of the engine it stands for.
func TestEngines(t *testing.T) {
	goRules, _ := RulesFor("go")
	engines := []struct {
		name  string
		rules *Rules
		codes int // at least so many first error numbers are the same
	}{
		{"openssl3.0.19", bareOpenSSL("openssl-3"), 490},
		{"openssl3.5.7", bareOpenSSL("openssl-3"), 490},
		{"python3.13_strict", bareOpenSSL("python-3.13"), 490},
		{"go1.26.8", goRules, 0},
	}
	cases := loadCases(t)
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
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
				v := Judge(in)
				n++
				if v.OK == want.OK {
					agree++
				} else if exceptions[c.ID] == "" {
					t.Errorf("%s: ok=%v %v, really ok=%v %v", c.ID, v.OK, v.IDs(), want.OK, want.Errs)
				}
				if len(want.Errs) > 0 && !v.OK && v.Causes[0].ErrCode == fmt.Sprint(want.Errs[0][0]) || v.OK && want.OK {
					codes++
				}
			}
			t.Logf("%d of %d verdicts agree, %d with the same first error", agree, n, codes)
			if codes < e.codes {
				t.Errorf("%d first errors are the same, expected %d", codes, e.codes)
			}
		})
	}
}
