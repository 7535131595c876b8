package fix

import (
	"context"
	"os"
	"testing"

	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// brokenTool is update-ca-certificates on a bad day.
type brokenTool struct {
	platform.Runner
	run func(c platform.Cmd) (platform.Output, error)
}

func (b brokenTool) Run(ctx context.Context, c platform.Cmd) (platform.Output, error) {
	if c.Argv[0] == "update-ca-certificates" {
		return b.run(c)
	}
	return b.Runner.Run(ctx, c)
}

// Row 43 of reliability.md §6: whatever the store's own tool does, a store is
// not worse afterwards, and a step that did not help is taken back.
func TestStoreToolFails(t *testing.T) {
	for _, fault := range []struct {
		name   string
		broken func(s *storeTree)
	}{
		{"bundle missing", func(s *storeTree) { s.remove(sysBundle) }},
		{"hash links gone", func(s *storeTree) { s.unlink(false) }},
	} {
		for name, tool := range map[string]func(s *storeTree, c platform.Cmd) (platform.Output, error){
			"empties the bundle and says nothing": func(s *storeTree, c platform.Cmd) (platform.Output, error) {
				out, err := debianTool(s.h, c)
				s.must(os.WriteFile(s.host(sysBundle), nil, 0o644))
				return out, err
			},
			"cuts the bundle short": func(s *storeTree, c platform.Cmd) (platform.Output, error) {
				out, err := debianTool(s.h, c)
				s.edit(sysBundle, func(d string) string { return d[:200] })
				return out, err
			},
			"drops half of the roots": func(s *storeTree, c platform.Cmd) (platform.Output, error) {
				out, err := debianTool(s.h, c)
				s.edit(sysBundle, func(string) string { return platformtest.PEM(s.roots[:2]...) })
				return out, err
			},
			"does nothing": func(*storeTree, platform.Cmd) (platform.Output, error) { return platform.Output{}, nil },
			"fails half-way": func(s *storeTree, c platform.Cmd) (platform.Output, error) {
				s.must(os.WriteFile(s.host(sysBundle), []byte("half"), 0o644))
				return platform.Output{}, &platform.ExitError{Argv: c.Argv, Code: 1, Stderr: "E: broken hook"}
			},
			"hangs": func(s *storeTree, _ platform.Cmd) (platform.Output, error) {
				s.unlink(true)
				return platform.Output{}, context.DeadlineExceeded
			},
		} {
			if fault.name == "bundle missing" && name == "drops half of the roots" {
				continue // there is nothing to compare with: that is a finding of the diagnosis which follows
			}
			t.Run(fault.name+", "+name, func(t *testing.T) {
				s := newStoreTree(t, "")
				fault.broken(s)
				broken := s.tree()
				r := s.diagnose(detect.Options{})
				p, err := Make(context.Background(), &Input{View: s.h.View, Report: r})
				s.must(err)
				if p.Possible() != 1 {
					t.Fatalf("plan\n%s", outline(p))
				}
				s.h.Run = brokenTool{s.h.Run, func(c platform.Cmd) (platform.Output, error) { return tool(s, c) }}
				run, err := Apply(context.Background(), s.h, p, ApplyOptions{
					Verify: func(ctx context.Context, v *platform.View, st *Step) ([]detect.Finding, error) {
						return detect.Recheck(ctx, v, r.Options, st.Of(r))
					},
				})
				s.must(err)
				if run.Count(Done) != 0 || run.Steps[0].Error.IsZero() {
					t.Errorf("run %s: %+v", run.State, run.Steps)
				}
				for p, now := range s.tree() {
					if broken[p] != now {
						t.Errorf("%s is %q, was %q", p, now, broken[p])
					}
					delete(broken, p)
				}
				for p := range broken {
					t.Errorf("%s is gone", p)
				}
			})
		}
	}
}
