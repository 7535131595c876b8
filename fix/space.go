package fix

import (
	"fmt"
	"path"

	"trustfix/internal/text"
	"trustfix/platform"
)

// What is left free besides the contents: for the journal's own records, and
// for what a file system spends on names.
const (
	journalRoom = 32 << 10
	namesRoom   = 8 << 10
)

// NoSpace is a file system without room for a step, found out before anything
// was touched.
type NoSpace struct {
	Path       string // a directory on it
	Need, Free int64  // bytes
}

func (e *NoSpace) Error() string { return e.Msg().String() }

// Msg is the error for a person.
func (e *NoSpace) Msg() text.Msg {
	return text.M("engine.no-space", "path", e.Path, "need", kilobytes(e.Need), "free", kilobytes(e.Free))
}

func kilobytes(n int64) string { return fmt.Sprintf("%d KB", (n+1023)/1024) }

// journalNotes say how long, or from where, there is a way back, where that is
// not as everybody would expect.
func journalNotes(state platform.Dir) []text.Msg {
	switch kind := state.Medium(); kind {
	case "":
		return nil
	case "tmpfs", "ramfs":
		return []text.Msg{text.M("engine.journal-volatile", "path", state.Path(), "kind", kind)}
	default:
		return []text.Msg{text.M("engine.journal-remote", "path", state.Path(), "kind", kind)}
	}
}

// fits says whether there is room for the backups of a step, for what it
// writes, and for the temporary beside each file. What programs will write is
// not known; what stands where they write is taken for it.
func fits(h *platform.Host, rec *stepRecord) error {
	var backups, writes int64
	for p, img := range rec.Before {
		backups += img.Size
		if under(p, rec.Touches) {
			writes += img.Size
		}
	}
	dirs := map[string]bool{}
	for _, c := range rec.Changes {
		writes += c.After.Size
		dirs[path.Dir(c.Path)] = true
	}
	for _, c := range rec.Temps {
		writes += c.After.Size
		dirs[path.Dir(c.Path)] = true
	}
	for _, p := range rec.Touches {
		dirs[p] = true
	}
	if free, need := h.State.Free(), backups+writes+journalRoom; free >= 0 && free < need {
		return &NoSpace{h.State.Path(), need, free}
	}
	for _, d := range deepestFirst(dirs) {
		if free, need := h.Files.Free(d), writes+namesRoom; free >= 0 && free < need {
			return &NoSpace{d, need, free}
		}
	}
	return nil
}
