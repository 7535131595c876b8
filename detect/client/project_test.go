package client

import (
	"os"
	"slices"
	"testing"

	"trustfix/platform/platformtest"
)

// What somebody else left where an administrator happens to stand is not read;
// root's own, and the examined user's, are. Who is no administrator reads what
// the program reads.
func TestProjectOfSomebodyElse(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of other owners need root")
	}
	const tree = `
mode 0755 /usr/bin/npm
mode 0755 /usr/bin/git
owner 1000:1000 /srv/hers
owner 1001:1001 /srv/mixed/.npmrc
link /srv/linked/.npmrc -> /etc/hostile
owner 1001:1001 /srv/linked
-- etc/passwd --
root:x:0:0:root:/root:/bin/sh
lin:x:1000:1000:Lin:/home/lin:/bin/sh
-- home/lin/x --
-- etc/hostile --
registry=https://hostile.example/
-- usr/bin/npm --
-- usr/bin/git --
-- srv/hers/.npmrc --
registry=https://hers.example/
-- srv/hers/.git/config --
[http]
	sslVerify = false
-- srv/mixed/.npmrc --
registry=https://mixed.example/
-- srv/roots/.npmrc --
registry=https://roots.example/
`
	for _, tc := range []struct {
		dir, user string
		ordinary  bool
		want      bool // its file is read
	}{
		{"/srv/roots", "root", false, true},
		{"/srv/roots", "lin", false, true},
		{"/srv/hers", "root", false, false},
		{"/srv/hers", "lin", false, true},
		{"/srv/hers", "lin", true, true},
		{"/srv/mixed", "root", false, false},
		{"/srv/mixed", "lin", true, true},
		{"/srv/linked", "root", false, false},
	} {
		opts := []platformtest.Option{platformtest.Dir(tc.dir), platformtest.User(tc.user)}
		if tc.ordinary {
			opts = append(opts, platformtest.NotElevated())
		}
		inv, err := Resolve(t.Context(), platformtest.New(t, tree, opts...).View)
		if err != nil {
			t.Fatal(err)
		}
		c := one(t, inv, "npm", "/usr/bin/npm")
		if got := len(c.Endpoints) > 0; got != tc.want {
			t.Errorf("%s of %s for %s: read: %v", tc.dir, c.Path, tc.user, got)
		}
		if g := one(t, inv, "git", "/usr/bin/git"); (g.Verify == "off") != (tc.want && tc.dir == "/srv/hers") {
			t.Errorf("git in %s for %s: verify=%s", tc.dir, tc.user, g.Verify)
		}
		if tc.ordinary && tc.dir == "/srv/hers" && slices.ContainsFunc(c.Settings, func(x *Setting) bool { return x.Elevated }) {
			t.Error("her own project needs no administrator")
		}
	}
}

// wildmatch is git's way with conditions and npm's with workspaces.
func TestWildmatch(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		fold, want    bool
	}{
		{"/home/lin/work/**", "/home/lin/work/app/.git", false, true},
		{"/home/lin/work/**", "/home/lin/workshop/.git", false, false},
		{"**/app/.git", "/home/lin/app/.git", false, true},
		{"**/app/.git", "/home/lin/myapp/.git", false, false},
		{"/home/*/app/**", "/home/lin/app/.git", false, true},
		{"/home/*/app/**", "/home/lin/x/app/.git", false, false},
		{"/home/LIN/**", "/home/lin/x", true, true},
		{"/home/LIN/**", "/home/lin/x", false, false},
		{"release/?", "release/1", false, true},
		{"release.x", "release1x", false, false},
		{"packages/*", "packages/a", false, true},
		{"packages/*", "packages/a/b", false, false},
	} {
		if got := wildmatch(tc.pattern, tc.name, tc.fold); got != tc.want {
			t.Errorf("%s %s: %v", tc.pattern, tc.name, got)
		}
	}
}
