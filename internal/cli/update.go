package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"

	cli "github.com/urfave/cli/v2"

	"trustfix/detect"
	"trustfix/internal/release"
	"trustfix/internal/text"
	"trustfix/platform"
)

// updateFlags are the flags of the update command.
type updateFlags struct {
	source, fromFile, manifest, want string
	check, rollback, allowDowngrade  bool
}

func updateFlagList(s *session) []cli.Flag {
	str := func(name, value string, usage text.Msg) cli.Flag {
		return &cli.StringFlag{Name: name, Usage: "`" + value + "` " + s.say(usage)}
	}
	return []cli.Flag{
		&cli.BoolFlag{Name: "check", Usage: s.say(text.M("cli.flag-check"))},
		&cli.BoolFlag{Name: "rollback", Usage: s.say(text.M("cli.flag-update-rollback"))},
		str("source", "URL", text.M("cli.flag-source")),
		str("from-file", "ARCHIVE", text.M("cli.flag-from-file")),
		str("manifest", "FILE", text.M("cli.flag-manifest")),
		&cli.BoolFlag{Name: "allow-downgrade", Usage: s.say(text.M("cli.flag-allow-downgrade"))},
		str("version", "X", text.M("cli.flag-want-version")),
	}
}

func parseUpdate(c *cli.Context) updateFlags {
	return updateFlags{
		source: c.String("source"), fromFile: c.String("from-file"), manifest: c.String("manifest"),
		want: strings.TrimPrefix(c.String("version"), "v"), check: c.Bool("check"), rollback: c.Bool("rollback"),
		allowDowngrade: c.Bool("allow-downgrade"),
	}
}

// updateResult is the JSON document of update.
type updateResult struct {
	Schema  int        `json:"schema"`
	Running string     `json:"running"`
	Latest  string     `json:"latest,omitempty"`
	Newer   bool       `json:"newer"`
	Updated bool       `json:"updated"`
	Path    string     `json:"path,omitempty"`
	Notes   []text.Msg `json:"notes"`
	// Keys are those that this build believes; only --check lists them.
	Keys []release.KeyInfo `json:"keys,omitempty"`
}

// update replaces the running program, or says whether it could be.
func update(ctx context.Context, s *session, _ []string) error {
	f := s.flags.update
	if err := s.updateUsage(f); err != nil {
		return err
	}
	h, err := s.open()
	if err != nil {
		return err
	}
	if f.check {
		return s.checkUpdate(ctx, h)
	}
	if s.proc.Build.ReleaseKeys == "" && !f.rollback {
		return s.updateError(&release.Refused{Reason: text.M("release.no-keys")})
	}
	b, err := platform.RunningBinary()
	if err != nil {
		return err
	}
	defer b.Close()
	if err := s.mayReplace(ctx, h, b); err != nil {
		return s.updateError(err)
	}
	unlock, err := h.State.Lock()
	if err != nil {
		return s.engineError(err)
	}
	defer unlock()
	if f.rollback {
		return s.rollbackUpdate(ctx, b)
	}
	offer, err := s.findUpdate(ctx, h)
	if err != nil {
		return s.updateError(err)
	}
	res := updateResult{Schema: 1, Running: s.proc.Build.Version, Latest: offer.Version, Newer: offer.Newer, Path: b.Path, Notes: offer.Notes}
	if !offer.Same {
		if err := offer.Install(ctx, h, b); err != nil {
			return s.updateError(err)
		}
		res.Updated = true
	}
	if s.flags.json {
		return s.printJSON(res, exitOK)
	}
	s.printNotes(offer)
	if offer.Same {
		s.out.line("", text.M("release.newest", "version", offer.Version))
		return nil
	}
	s.out.line(s.out.sign(signDone)+" ", text.M("release.updated", "path", b.Path, "running", s.proc.Build.Version, "version", offer.Version))
	s.out.line("  ", text.M("release.go-back"))
	return nil
}

func (s *session) updateUsage(f updateFlags) error {
	switch {
	case s.flags.root != "":
		return usage(text.M("release.not-rooted"))
	case f.rollback && (f.check || f.source+f.fromFile+f.manifest+f.want != "" || f.allowDowngrade):
		return usage(text.M("release.rollback-alone"))
	case f.allowDowngrade && f.want == "":
		return usage(text.M("release.downgrade-what"))
	case (f.fromFile == "") != (f.manifest == ""), f.fromFile != "" && f.source != "":
		return usage(text.M("release.from-file-manifest"))
	case s.flags.offline && f.fromFile == "" && !f.rollback:
		return usage(text.M("release.offline"))
	}
	return nil
}

// mayReplace refuses where somebody else answers for the program's file.
func (s *session) mayReplace(ctx context.Context, h *platform.Host, b *platform.Binary) error {
	if err := release.Owned(ctx, h.View, b.Path); err != nil {
		return err
	}
	err := b.Replaceable()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission) && !h.Elevated && h.OS != "windows":
		return &release.Refused{Reason: text.M("release.place-rights", "path", b.Path, "command", strings.Join(append([]string{b.Path}, s.proc.Args[1:]...), " "))}
	}
	return &release.Refused{Reason: text.M("release.place", "error", err.Error())}
}

// findUpdate asks the source that was named, or that the build has.
func (s *session) findUpdate(ctx context.Context, h *platform.Host) (*release.Offer, error) {
	refs, err := s.references()
	if err != nil {
		return nil, err
	}
	f := s.flags.update
	o := release.Options{
		Version: s.proc.Build.Version, Keys: s.proc.Build.ReleaseKeys, Source: cmp.Or(f.source, s.flags.releaseSource, s.proc.Build.ReleaseSource),
		Want: f.want, AllowDowngrade: f.allowDowngrade, Refs: refs.Pool(), Timeout: s.flags.timeout,
	}
	if f.fromFile != "" {
		o.Files = &release.Files{}
		for _, in := range []struct {
			name string
			data *[]byte
		}{{f.fromFile, &o.Files.Archive}, {f.manifest, &o.Files.Manifest}, {f.manifest + ".minisig", &o.Files.Signature}} {
			if *in.data, err = platform.ReadInput(in.name, nil); err != nil {
				return nil, usage(text.M("cli.unreadable", "file", in.name, "error", err.Error()))
			}
		}
	}
	return release.Find(ctx, h, o)
}

// newest asks beside a diagnosis, as its policy file wants, which newer
// release there is; the answer is waited for when all else has been gathered.
func (s *session) newest(ctx context.Context, h *platform.Host, o detect.Options) (answer func() (version string, revoked bool), stop func()) {
	ctx, stop = context.WithCancel(ctx)
	b := s.proc.Build
	ro := release.Options{Version: b.Version, Keys: b.ReleaseKeys, Source: cmp.Or(s.flags.releaseSource, b.ReleaseSource), Refs: o.Refs.Pool()}
	found := make(chan release.Newest, 1)
	go func() { found <- release.Daily(ctx, h, ro) }()
	return sync.OnceValues(func() (string, bool) {
		n := <-found
		return n.Version, n.Revoked
	}), stop
}

// checkUpdate only says what there is.
func (s *session) checkUpdate(ctx context.Context, h *platform.Host) error {
	offer, err := s.findUpdate(ctx, h)
	if err != nil {
		return s.updateError(err)
	}
	keys, err := release.ParseKeys(s.proc.Build.ReleaseKeys)
	if err != nil {
		return err
	}
	code := exitOK
	if offer.Newer {
		code = exitFindings
	}
	if s.flags.json {
		return s.printJSON(updateResult{Schema: 1, Running: s.proc.Build.Version, Latest: offer.Version, Newer: offer.Newer, Notes: offer.Notes, Keys: keys.Infos()}, code)
	}
	s.printNotes(offer)
	if offer.Newer {
		s.out.line("", text.M("release.available", "version", offer.Version, "running", s.proc.Build.Version))
	} else {
		s.out.line("", text.M("release.newest", "version", s.proc.Build.Version))
	}
	s.printKeys(keys)
	return exit(code)
}

// printKeys prints what to compare with the README: the ids and SHA-256 of the
// keys that this build believes.
func (s *session) printKeys(keys release.Keys) {
	if len(keys) == 0 {
		s.out.line("", text.M("cli.no-release-keys"))
		return
	}
	s.out.line("", text.M("cli.release-keys"))
	for _, k := range keys.Infos() {
		s.out.printf("  %s  sha256:%s\n", k.ID, k.SHA256)
	}
}

func (s *session) rollbackUpdate(ctx context.Context, b *platform.Binary) error {
	v, err := release.Rollback(ctx, b)
	if err != nil {
		return s.updateError(err)
	}
	if s.flags.json {
		return s.printJSON(updateResult{Schema: 1, Running: s.proc.Build.Version, Latest: v, Updated: true, Path: b.Path, Notes: []text.Msg{}}, exitOK)
	}
	s.out.line(s.out.sign(signDone)+" ", text.M("release.rolled-back", "path", b.Path, "version", v))
	return nil
}

func (s *session) printNotes(o *release.Offer) {
	for _, n := range o.Notes {
		s.out.line(s.out.sign(signWarning)+" ", n)
	}
}

// updateError gives a refusal its exit code.
func (s *session) updateError(err error) error {
	var r *release.Refused
	if errors.As(err, &r) {
		return &exitError{code: exitFailed, msg: r.Reason}
	}
	return err
}

// selfTest is what an update asks a new program: that it starts, what it is,
// and what it carries.
func selfTest(_ context.Context, s *session, _ []string) error {
	refs, err := s.references()
	if err != nil {
		return err
	}
	keys, err := release.ParseKeys(s.proc.Build.ReleaseKeys)
	if err != nil {
		return err
	}
	return s.printJSON(release.SelfTest{Version: s.proc.Build.Version, Roots: refs.Len(), Keys: keys.IDs()}, exitOK)
}
