package fix

import "slices"

// All is every fix in the order in which a plan carries them out: the clock
// first, since a wrong one makes every other judgement doubtful; then the
// store, then what clients are told, then pins.
var All = []*Fix{
	syncClock,
	reselectRoots,
	distrustRoot,
	installStore,
	reinstallStore,
	rebuildStore,
	restoreVerify,
	repairCAPath,
	protectKey,
	upgradeCertifi,
	refreshBundle,
	writePin,
	addPrivateCA,
}

// ByID is the fix with that id, or nil.
func ByID(id string) *Fix {
	i := slices.IndexFunc(All, func(f *Fix) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return All[i]
}
