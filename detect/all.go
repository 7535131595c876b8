package detect

import (
	"slices"

	"trustfix/internal/text"
)

// All is every check, the most fundamental cause first: a wrong clock explains
// a broken store's symptoms, a broken store explains a client's, and all of
// them explain an endpoint's.
var All = slices.Concat(
	selfChecks,
	clockChecks,
	storeChecks,
	settingsChecks,
	runtimeChecks,
	endpointChecks,
	pinChecks,
)

// CheckFor is the check that yields the finding id, or nil.
func CheckFor(id string) *Check {
	for _, c := range All {
		if c.ID == id || slices.Contains(c.IDs, id) {
			return c
		}
	}
	return nil
}

// KnownID reports whether id is a finding id.
func KnownID(id string) bool { return slices.Contains(IDs(), id) }

// IDs is every finding id, in the order of the checks.
func IDs() []string {
	var ids []string
	for _, c := range All {
		if len(c.IDs) == 0 {
			ids = append(ids, c.ID)
		}
		ids = append(ids, c.IDs...)
	}
	return ids
}

// DocFor says why a finding happens, what trustfix does about it, and how to
// do or undo that by hand.
func DocFor(id string) text.Msg {
	if m, ok := text.Lookup(id + ".doc"); ok {
		return m
	}
	if c := CheckFor(id); c != nil {
		return c.Doc
	}
	return text.Msg{}
}
