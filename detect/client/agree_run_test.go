package client

import (
	"maps"
	"slices"
	"testing"
)

// configurations is how many of them each client's own view is compared over.
const configurations = 48

// agree compares over n generated configurations. compare reports differences
// to t and returns the kind of the client's answer: a generator that only ever
// draws one answer compares nothing.
func agree(t *testing.T, n int, compare func(i int) (kind string)) {
	t.Helper()
	kinds := map[string]int{}
	for i := range n {
		kinds[compare(i)]++
	}
	t.Logf("%d configurations compared, %d kinds of answers: %q", n, len(kinds), slices.Sorted(maps.Keys(kinds)))
	if n < 40 && !testing.Short() {
		t.Errorf("%d configurations are too few", n)
	}
	if len(kinds) < 2 {
		t.Errorf("%d configurations draw one answer: %v", n, kinds)
	}
}

// configurationsIn is how many a test draws: with -short only some.
func configurationsIn(t *testing.T) int {
	if testing.Short() {
		return configurations / 6
	}
	return configurations
}
