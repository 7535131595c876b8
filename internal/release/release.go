// Package release replaces trustfix by a newer signed release of itself, and
// goes back to the version before.
//
// It uses go-selfupdate's model of a source of releases and its unpacking; what
// is trusted, which version may replace which, and the swap are its own. The argument is the signature of a key that the build compiled
// in, never TLS, a host name or a checksum from the same place. It must not
// install anything else, whatever flag is given, nor read a token from the
// environment.
package release

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"trustfix/internal/text"
	"trustfix/platform"
)

// Refused is a reason not to update. Nothing was changed.
type Refused struct{ Reason text.Msg }

func (r *Refused) Error() string { return r.Reason.String() }

func refuse(m text.Msg) error { return &Refused{m} }

// Options say what is running and where releases are.
type Options struct {
	Version string // the running one
	Keys    string // compiled in: base64 minisign keys, separated by commas
	Source  string // https URL of a plain directory or of a releases API
	Files   *Files // instead of Source: no network

	Want           string // only this version
	AllowDowngrade bool   // … even if it is older; needs Want

	Refs    *x509.CertPool // reference roots, for where the machine's fail
	Timeout time.Duration  // for one answer; an archive may take 60 times as long; default 10 s
}

// Files are a release on disk: an archive, its manifest and that one's signature.
type Files struct{ Archive, Manifest, Signature []byte }

func (f *Files) load(_ context.Context, name string, _ int64) (*platform.Response, error) {
	data := f.Archive
	switch name {
	case ManifestName:
		data = f.Manifest
	case SignatureName:
		data = f.Signature
	}
	return &platform.Response{Body: data}, nil
}

// Offer is a release that its signature and the version rules allow.
type Offer struct {
	Version string
	Newer   bool // than the running one; otherwise it is the same, or was named
	Same    bool
	Notes   []text.Msg // what a person should know

	source   *source
	manifest *Manifest
	key      string
	asset    Asset
	chosen   *choice
	memory   *memory
}

// staleAfter is the age from which on a newest release is remarkable: whoever
// withholds releases shows an old one for ever.
const staleAfter = 90 * 24 * time.Hour

// Find asks the source for the release to install and judges it. It changes
// nothing. The error is a *Refused wherever somebody can do something about it.
func Find(ctx context.Context, h *platform.Host, o Options) (*Offer, error) {
	keys, err := ParseKeys(o.Keys)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, refuse(text.M("release.no-keys"))
	}
	if _, err := parseVersion(o.Version); err != nil {
		return nil, refuse(text.M("release.dev-build", "version", o.Version))
	}
	src, err := newSource(h, keys, o)
	if err != nil {
		return nil, err
	}
	mem, err := recall(h.State)
	if err != nil {
		return nil, err
	}
	f := &Offer{Notes: []text.Msg{}, source: src, memory: mem}
	if err := f.choose(ctx, h.View, o); err != nil {
		return nil, err
	}
	if err := f.read(ctx, h.View); err != nil {
		return nil, err
	}
	if err := mem.judge(f.key, keys, f.manifest, o); err != nil {
		return nil, err
	}
	f.Version = f.manifest.Version
	f.Newer, f.Same = older(o.Version, f.Version), o.Version == f.Version
	if age := h.Now().Sub(f.manifest.Released); age > staleAfter {
		f.Notes = append(f.Notes, text.M("release.stale", "version", f.Version, "days", int(age.Hours()/24)))
	} else if age < -24*time.Hour {
		f.Notes = append(f.Notes, text.M("release.future", "version", f.Version, "released", f.manifest.Released.UTC().Format(time.DateOnly)))
	}
	for _, v := range f.manifest.Revoked {
		if v == o.Version {
			f.Notes = append(f.Notes, text.M("release.running-revoked", "version", v))
		}
	}
	return f, nil
}

// choice is the release to install, by its files on the source.
type choice struct {
	version                      *semver.Version
	name                         string // of the archive
	archive, manifest, signature int64
}

// choose picks the newest release that has an archive of the exact name for
// this system; it must have a manifest and a signature too. go-selfupdate's
// Updater would choose by a name's ending, and it links the clients of three
// forges: 3.8 MB of a program that may have 20.
func (f *Offer) choose(ctx context.Context, v *platform.View, o Options) error {
	releases, err := f.source.ListReleases(ctx, nil)
	if err != nil {
		return err
	}
	var best *choice
	for _, r := range releases {
		version, err := parseVersion(strings.TrimPrefix(r.GetTagName(), "v"))
		if err != nil {
			continue
		}
		if o.Want != "" && version.String() != o.Want || o.Want == "" && (r.GetDraft() || r.GetPrerelease()) {
			continue
		}
		c := &choice{version: version, name: AssetName(version.String(), v.OS, v.Arch)}
		for _, a := range r.GetAssets() {
			switch a.GetName() {
			case c.name:
				c.archive = a.GetID()
			case ManifestName:
				c.manifest = a.GetID()
			case SignatureName:
				c.signature = a.GetID()
			}
		}
		if c.archive != 0 && (best == nil || best.version.LessThan(version)) {
			best = c
		}
	}
	switch {
	case best != nil && (best.manifest == 0 || best.signature == 0):
		return refuse(text.M("release.unsigned", "error", "no "+ManifestName+" and "+SignatureName+" in release "+best.version.String()))
	case best != nil:
		f.chosen = best
		return nil
	case o.Want == "":
		return refuse(text.M("release.no-archive", "os", v.OS, "arch", v.Arch))
	}
	if m := f.source.only(); m != "" {
		return refuse(text.M("release.other-version", "version", m, "want", o.Want))
	}
	return refuse(text.M("release.no-such-version", "want", o.Want, "os", v.OS, "arch", v.Arch))
}

// only is the version of a source that has just one.
func (s *source) only() string {
	if len(s.releases) != 1 {
		return ""
	}
	return strings.TrimPrefix(s.releases[0].GetTagName(), "v")
}

// read loads the manifest of the chosen release and checks its signature, then
// that it is of this release: an old manifest under a new tag is a replay.
func (f *Offer) read(ctx context.Context, v *platform.View) error {
	signature, err := f.load(ctx, f.chosen.signature)
	if err != nil {
		return err
	}
	manifest, err := f.load(ctx, f.chosen.manifest)
	if err != nil {
		return err
	}
	if f.manifest, f.key, err = f.source.verified(manifest, signature); err != nil {
		return err
	}
	if f.manifest.Version != f.chosen.version.String() {
		return refuse(text.M("release.wrong-tag", "tag", f.chosen.version.String(), "version", f.manifest.Version))
	}
	asset, ok := f.manifest.asset(v.OS, v.Arch)
	if !ok || asset.Name != f.chosen.name {
		return refuse(text.M("release.no-archive", "os", v.OS, "arch", v.Arch))
	}
	f.asset = asset
	return nil
}

func (f *Offer) load(ctx context.Context, id int64) ([]byte, error) {
	r, err := f.source.DownloadReleaseAsset(ctx, nil, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// intact checks an archive against what the signed manifest says of it.
func (f *Offer) intact(data []byte) error {
	if int64(len(data)) != f.asset.Size {
		return refuse(text.M("release.wrong-size", "name", f.asset.Name, "size", len(data), "want", f.asset.Size))
	}
	if !strings.EqualFold(sum(data), f.asset.SHA256) {
		return refuse(text.M("release.wrong-sum", "name", f.asset.Name))
	}
	return nil
}

// SelfTest is what a program says of itself when asked with __selftest.
type SelfTest struct {
	Version string   `json:"version"`
	Roots   int      `json:"roots"`
	Keys    []string `json:"keys"`
}

// testTime is what a self-test may take; a variable for the test of the limit.
var testTime = 10 * time.Second

// selfTest runs a program beside b and lets it say what it is.
func selfTest(ctx context.Context, b *platform.Binary, name string) (t SelfTest, err error) {
	out, err := b.Run(ctx, name, testTime, "__selftest")
	if err == nil {
		err = json.Unmarshal([]byte(out.Stdout), &t)
	}
	if err == nil && (t.Version == "" || t.Roots == 0) {
		err = errors.New("it does not say which version it is and how many roots it has")
	}
	return t, err
}

// Install puts an offer in b's place: all is verified, written and tried out
// beside it before one rename, and tried out again after it.
func (f *Offer) Install(ctx context.Context, h *platform.Host, b *platform.Binary) error {
	data, err := f.load(ctx, f.chosen.archive)
	if err != nil {
		return err
	}
	if err := f.intact(data); err != nil {
		return err
	}
	program, err := unpack(data, f.asset)
	if err != nil {
		return err
	}
	if err := b.Sweep(); err != nil {
		return err
	}
	staged, err := b.Stage(program)
	if err != nil {
		return err
	}
	defer b.Discard(staged) // once it is swapped, the name is gone
	t, err := selfTest(ctx, b, staged)
	if err == nil && t.Version != f.Version {
		err = fmt.Errorf("it says that it is version %s", t.Version)
	}
	if err != nil {
		return refuse(text.M("release.self-test", "version", f.Version, "error", err.Error()))
	}
	f.memory.note(f.key, f.source.keys, f.manifest)
	if err := f.memory.write(h.State); err != nil {
		return fmt.Errorf("cannot remember which release was seen: %w", err)
	}
	if err := b.Swap(staged); err != nil {
		return err
	}
	// From here on a whole program stands there; an interrupt must not keep a
	// broken one.
	if _, err := selfTest(context.WithoutCancel(ctx), b, b.Current()); err != nil {
		if rerr := b.Restore(); rerr != nil {
			return errors.Join(err, rerr)
		}
		return refuse(text.M("release.self-test-after", "version", f.Version, "error", err.Error()))
	}
	return nil
}

// Rollback puts the version before back and returns what it says it is.
func Rollback(ctx context.Context, b *platform.Binary) (version string, err error) {
	name, err := b.Previous()
	if errors.Is(err, fs.ErrNotExist) {
		return "", refuse(text.M("release.no-previous", "path", b.Path))
	}
	if err != nil {
		return "", err
	}
	t, err := selfTest(ctx, b, name)
	if err != nil {
		return "", refuse(text.M("release.self-test", "version", b.Path+".prev", "error", err.Error()))
	}
	if err := b.Restore(); err != nil {
		return "", err
	}
	return t.Version, b.Sweep()
}
