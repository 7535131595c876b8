package platformtest

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trustfix/platform"
)

// Tree renders everything below the root, one line a path: kind, mode, owner,
// link text, attributes, time and SHA-256. Two equal texts are two equal trees.
func Tree(h *platform.Host) string { return render(h, true) }

// Contents is Tree without the times of directories: what a change and its
// undo leave equal even where a directory was only written in.
func Contents(h *platform.Host) string { return render(h, false) }

func render(h *platform.Host, dirTimes bool) string {
	t := harnessOf(h).t
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(h.Root, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(h.Root, p)
		if err != nil {
			return err
		}
		name := "/" + filepath.ToSlash(rel)
		if rel == "." {
			name = "/"
		}
		img, err := h.Files.Snapshot(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s %s %04o %d:%d", name, img.Kind, img.Mode, img.UID, img.GID)
		if img.Kind == platform.Link {
			fmt.Fprintf(&out, " -> %s", img.Link)
		}
		if img.Kind != platform.DirKind || dirTimes {
			fmt.Fprintf(&out, " %s", img.MTime.Format(time.RFC3339Nano))
		}
		if img.NLink > 1 && img.Kind == platform.File {
			fmt.Fprintf(&out, " nlink=%d", img.NLink)
		}
		for _, k := range slices.Sorted(maps.Keys(img.XAttrs)) {
			fmt.Fprintf(&out, " %s=%s", k, hex.EncodeToString(img.XAttrs[k]))
		}
		if img.Kind == platform.File {
			fmt.Fprintf(&out, " %s", img.SHA256)
		}
		out.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatalf("platformtest: %v", err)
	}
	return out.String()
}

// Diff shows the lines that only one of two trees has, or "".
func Diff(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out strings.Builder
	for _, l := range a {
		if !slices.Contains(b, l) {
			fmt.Fprintln(&out, "-", l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			fmt.Fprintln(&out, "+", l)
		}
	}
	return out.String()
}
