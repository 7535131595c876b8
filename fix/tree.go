package fix

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"

	"trustfix/platform"
)

// Limits of what a program's undo records: far above any trust store.
const (
	maxPaths = 50_000
	maxBytes = 64 << 20
)

// scan records every path at and under roots.
func scan(files platform.Files, roots []string) (map[string]platform.Image, error) {
	images := map[string]platform.Image{}
	var size int64
	var visit func(p string) error
	visit = func(p string) error {
		if _, ok := images[p]; ok {
			return nil
		}
		img, err := files.Snapshot(p)
		if errors.Is(err, syscall.ELOOP) || err == nil && img.Kind == platform.Absent {
			return nil // behind links that lead nowhere
		}
		if err != nil {
			return err
		}
		images[p] = img
		if size += int64(len(img.Data)); size > maxBytes || len(images) > maxPaths {
			return fmt.Errorf("%s: too much to back up", p)
		}
		if img.Kind != platform.DirKind {
			return nil
		}
		names, err := files.ReadDir(p)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := visit(path.Join(p, name)); err != nil {
				return err
			}
		}
		return nil
	}
	for _, root := range roots {
		if err := visit(path.Clean(root)); err != nil {
			return nil, err
		}
	}
	return images, nil
}

// differences are the paths of after that are not as in before, times
// included, and as Absent those that are gone.
func differences(before, after map[string]platform.Image) map[string]platform.Image {
	out := map[string]platform.Image{}
	for p, img := range after {
		if old, ok := before[p]; !ok || !identical(old, img) {
			img.Data = nil
			out[p] = img
		}
	}
	for p, old := range before {
		if _, ok := after[p]; !ok && old.Kind != platform.Absent {
			out[p] = platform.Image{Kind: platform.Absent}
		}
	}
	return out
}

// durable synchronises paths and the directories they are in. Programs do not
// do that for what they write, and a record of it must not outlive it.
func durable[V any](w platform.Writer, paths map[string]V) error {
	all := map[string]bool{}
	for p := range paths {
		all[p], all[path.Dir(p)] = true, true
	}
	for _, p := range deepestFirst(all) {
		if err := w.Sync(p); err != nil && !errors.Is(err, fs.ErrNotExist) { // its directory is gone as well
			return err
		}
	}
	return nil
}

// identical is Same with the time of files and links. A directory's time
// follows from its names and is handled with them.
func identical(a, b platform.Image) bool {
	return a.Same(b) && (a.Kind != platform.File && a.Kind != platform.Link || a.MTime.Equal(b.MTime))
}

// dirStates records the times of the directories whose entries may change:
// the parents of paths, and directories among the images themselves.
func dirStates(files platform.Files, paths []string, images map[string]platform.Image) (map[string]dirState, error) {
	want := map[string]bool{}
	for _, p := range paths {
		want[path.Dir(p)] = true
	}
	for p, img := range images {
		if img.Kind == platform.DirKind {
			want[p] = true
		}
	}
	out := map[string]dirState{}
	for d := range want {
		img, err := files.Snapshot(d)
		if err != nil {
			return nil, err
		}
		if img.Kind != platform.DirKind {
			continue // made by the step, or a link whose target is not ours to time
		}
		names, err := listing(files, d)
		if err != nil {
			return nil, err
		}
		out[d] = dirState{MTime: img.MTime, Names: names}
	}
	return out, nil
}

// listing is a hash of the names in a directory.
func listing(files platform.Files, dir string) (string, error) {
	names, err := files.ReadDir(dir)
	if err != nil {
		return "", err
	}
	return hash([]byte(strings.Join(names, "\x00"))), nil
}

// deepestFirst sorts the paths of a map so that what is in a directory comes
// before it.
func deepestFirst[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Compare(b, a) })
}
