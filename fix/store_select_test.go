package fix

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

func TestReselectOnlyWhatWasNamed(t *testing.T) {
	s := newStoreTree(t, "")
	s.edit(sysConf, func(d string) string {
		d = strings.Replace(d, "\nmozilla/Root_0", "\n!mozilla/Root_0", 1)
		return strings.Replace(d, "\nmozilla/Root_1.crt\n", "\n!mozilla/Root_1.crt\r\n", 1) + "# end, no newline"
	})
	r := s.diagnose(detect.Options{})
	p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
	s.must(err)
	if len(p.Steps) != 0 || len(r.Findings) != 2 {
		t.Errorf("without consent: %d findings, plan %q", len(r.Findings), outline(p))
	}
	before, err := s.h.Files.ReadFile(sysConf)
	s.must(err)
	r = s.diagnose(detect.Options{Consented: []string{bundles.Fingerprint(s.roots[1].Raw)}})
	p, err = Make(context.Background(), &Input{View: s.h.View, Report: r})
	s.must(err)
	if len(p.Steps) != 1 {
		t.Fatalf("plan %q", outline(p))
	}
	want := strings.Replace(string(before), "!mozilla/Root_1", "mozilla/Root_1", 1)
	if got := string(p.Steps[0].Actions[0].After.Data); got != want {
		t.Errorf("conf becomes\n%s\nwant\n%s", got, want)
	}
}

func TestDistrustRoot(t *testing.T) {
	bad, err := os.ReadFile("../bundles/testdata/trustcor-eca-1.crt")
	if err != nil {
		t.Fatal(err)
	}
	superfish, err := os.ReadFile("../bundles/testdata/badssl/ca-superfish.crt")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		broken func(s *storeTree)
		want   string
	}{
		{
			"among the administrator's own", func(s *storeTree) { platformtest.WriteFile(s.h, sysOwn+"sf.crt", string(superfish)) },
			"distrust-root: file " + sysOwn + "sf.crt\ndistrust-root: $ update-ca-certificates --fresh",
		},
		{"in a file with others", func(s *storeTree) {
			platformtest.WriteFile(s.h, sysOwn+"own.crt", platformtest.PEM(platformtest.Root(s.t, "Own CA"))+string(superfish))
		}, "distrust-root: file " + sysOwn + "own.crt\ndistrust-root: $ update-ca-certificates --fresh"},
		{"in the package", func(s *storeTree) {
			platformtest.WriteFile(s.h, sysSource+"mozilla/Superfish.crt", string(superfish))
			s.edit(sysConf, func(d string) string { return d + "mozilla/Superfish.crt\n" })
		}, "distrust-root: file " + sysConf + "\ndistrust-root: $ update-ca-certificates --fresh"},
		{"only in the bundle", func(s *storeTree) {}, "distrust-root: file " + sysBundle},
		{
			"removed for cause, put there by somebody", func(s *storeTree) { platformtest.WriteFile(s.h, sysOwn+"tc.crt", string(bad)) },
			"distrust-root: file " + sysOwn + "tc.crt\ndistrust-root: $ update-ca-certificates --fresh",
		},
		{"removed for cause, still in the package", func(s *storeTree) {
			platformtest.WriteFile(s.h, sysSource+"mozilla/TrustCor.crt", string(bad))
			s.edit(sysConf, func(d string) string { return d + "mozilla/TrustCor.crt\n" })
		}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStoreTree(t, "")
			tt.broken(s)
			s.unlink(true)
			_, err := debianTool(s.h, platform.Cmd{})
			s.must(err)
			if tt.name == "only in the bundle" {
				s.edit(sysBundle, func(d string) string { return d + string(superfish) })
			}
			r := s.diagnose(detect.Options{})
			if len(r.Findings) == 0 || r.Findings[0].ID != "store-compromised-root" {
				t.Fatalf("findings: %v", r.Findings)
			}
			p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
			s.must(err)
			if got := outline(p); got != tt.want {
				t.Fatalf("plan\n%s\nwant\n%s", got, tt.want)
			}
			if tt.want == "" {
				return
			}
			run, err := Apply(context.Background(), s.h, p, ApplyOptions{
				Verify: func(ctx context.Context, v *platform.View, st *Step) ([]detect.Finding, error) {
					return detect.Recheck(ctx, v, r.Options, st.Of(r))
				},
			})
			s.must(err)
			if run.State != RunApplied {
				t.Fatalf("run %s: %+v", run.State, run.Steps)
			}
			after := s.diagnose(detect.Options{}).Stores[0]
			if own := slices.ContainsFunc(after.Certs, func(c *x509.Certificate) bool { return c.Subject.CommonName == "Own CA" }); !own || after.Roots != 6 {
				t.Errorf("%d roots, own CA %v", after.Roots, own)
			}
		})
	}
}

func TestOSStoreAddCA(t *testing.T) {
	s := newStoreTree(t, "")
	corp := platformtest.Root(t, "Ünï Corp / CA")
	in := &Input{View: s.h.View, Report: s.diagnose(detect.Options{})}
	actions, err := osStoreAddCA(in, corp)
	s.must(err)
	if len(actions) != 2 || !strings.HasPrefix(actions[0].Target, sysOwn+"trustfix-n-corp--ca-") || !strings.HasSuffix(actions[0].Target, ".crt") {
		t.Errorf("actions %+v", actions)
	}
	superfish, err := os.ReadFile("../bundles/testdata/badssl/ca-superfish.crt")
	s.must(err)
	if c := bundles.Read(superfish).Certs; len(c) > 0 {
		var manual *Manual
		if _, err := osStoreAddCA(in, c[0].Certificate); !errors.As(err, &manual) {
			t.Errorf("a compromised root was accepted: %v", err)
		}
	}
	// Row 23: nor one that is too weak to be a root.
	ca := platformtest.NewCA(t, "Old Corp", nil)
	weak, err := x509.ParseCertificate(ca.LeafFor(t, platformtest.WeakRSA(t), "Old Corp"))
	s.must(err)
	md5 := *corp
	md5.SignatureAlgorithm = x509.MD5WithRSA
	for _, c := range []*x509.Certificate{weak, &md5} {
		var manual *Manual
		if _, err := osStoreAddCA(in, c); !errors.As(err, &manual) || !strings.Contains(manual.Why.String(), "too weak for a root") {
			t.Errorf("a weak root was accepted: %v", err)
		}
	}
	view := *s.h.View
	view.OS = "windows"
	actions, err = osStoreAddCA(&Input{View: &view, Report: in.Report}, corp)
	s.must(err)
	if got := strings.Join(actions[0].Do[0].Argv, " "); got != "certutil -addstore -f ROOT {ca.crt}" || actions[0].Kind != CertAction {
		t.Errorf("windows: %s", got)
	}
	view.OS = "darwin"
	var manual *Manual
	if _, err := osStoreAddCA(&Input{View: &view, Report: in.Report}, corp); !errors.As(err, &manual) {
		t.Errorf("macOS: %v", err)
	}
}
