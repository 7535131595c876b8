package fix

import (
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/platform/platformtest"
)

// Trust is added for the one CA whose SHA-256 the user named, and for no other
// word: not for none, another CA's, the server's own, or a part of it.
func TestConsentIsForOneCA(t *testing.T) {
	private, other := platformtest.NewCA(t, "Campus Root", nil), platformtest.NewCA(t, "Campus Root", nil)
	leaf := private.Leaf(t, pinHost)
	print := bundles.Fingerprint(private.Cert.Raw)
	for _, tc := range []struct {
		name  string
		words []string
		trust bool
	}{
		{"nothing", nil, false},
		{"an empty word", []string{""}, false},
		{"another CA of that name", []string{bundles.Fingerprint(other.Cert.Raw)}, false},
		{"the server's certificate", []string{bundles.Fingerprint(leaf)}, false},
		{"the beginning of it", []string{print[:32]}, false},
		{"it", []string{print}, true},
	} {
		for _, elevated := range []platformtest.Option{nil, platformtest.NotElevated()} {
			t.Run(tc.name, func(t *testing.T) {
				var opts []platformtest.Option
				if elevated != nil {
					opts = append(opts, elevated)
				}
				c := newCampus(t, "")
				c = c.again("", "-- etc/ssl/certs/ca-certificates.crt --\n"+c.read("/opt/conda/ssl/cacert.pem")+"-- root/.condarc --\nchannels: [https://"+pinHost+"/c]\n", opts...)
				c.serve(leaf, private.Cert.Raw)
				c.options.Consented = tc.words
				added := ""
				for _, s := range c.plan(Make).Steps {
					for _, a := range s.Actions {
						if strings.Contains(string(a.After.Data), string(bundles.Assemble(nil, private.Cert))) {
							added += " " + a.Target
						}
					}
				}
				if (added != "") != tc.trust {
					t.Errorf("it is added to%s", added)
				}
			})
		}
	}
}
