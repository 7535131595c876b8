package detect

import "testing"

// Who does not fetch a missing intermediate is named by who refuses here.
func TestWhoDoesNotFetch(t *testing.T) {
	for want, names := range map[string][]string{
		"most other programs": {"system"},
		"gem, uv":             {"gem", "uv"},
	} {
		if got := whoDoesNotFetch(names).String(); got != want {
			t.Errorf("%v: %q, want %q", names, got, want)
		}
	}
}
