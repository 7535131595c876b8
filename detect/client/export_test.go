package client

import (
	"context"
	"slices"
	"strings"

	"trustfix/internal/edit"
	"trustfix/platform"
)

// FilesOf are the configuration files that the clients of a row read on a
// system, there or not.
func FilesOf(v *platform.View, r *Row) []File {
	s := newScan(context.Background(), v)
	s.readLocations()
	s.findConda()
	s.findPythons()
	s.readEnv()
	instances := []*Client{{}}
	if r.Find != nil {
		instances = append(instances, r.Find(s)...)
	}
	var out []File
	for _, c := range instances {
		if r.Files != nil {
			out = append(out, r.Files(s, c)...)
		}
	}
	return slices.CompactFunc(out, func(a, b File) bool { return a.Path == b.Path })
}

// Says is what an entry with this value means to a key of a row.
func (k *Key) Says(path []string, value string) (role Role, off bool) {
	// A path is a string in any file.
	return k.class(edit.Entry{Path: path, Value: value, Quoted: strings.HasPrefix(value, "/")})
}

// Says is what a value of a variable means; ok is false where it says nothing.
func (v *Var) Says(value string) (role Role, off, ok bool) {
	return v.class(edit.Entry{Value: value, Quoted: true})
}

// KeyOf finds the key of the row that an entry of a file speaks of.
func (r *Row) KeyOf(format edit.Format, e edit.Entry) *Key { return r.key(format, e) }
