package cli

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/fix"
	"trustfix/internal/text"
	"trustfix/platform"
)

// policy is the file of --config: what an administrator settles for a fleet.
type policy struct {
	Targets, TrustCA, NTP, Only, Skip      []string
	ReferenceRoots, Timeout, ReleaseSource string
	Offline, UpdateCheck                   bool
}

// field is where the value of a policy's key goes, and what is wrong with one
// word of it, if anything is.
func (p *policy) field(key string) (dest any, wrong func(string) text.Msg) {
	switch key {
	case "targets":
		return &p.Targets, wrongTarget
	case "trust-ca":
		return &p.TrustCA, wrongFingerprint
	case "ntp":
		return &p.NTP, nil
	case "only":
		return &p.Only, wrongID
	case "skip":
		return &p.Skip, wrongID
	case "reference-roots":
		return &p.ReferenceRoots, nil
	case "timeout":
		return &p.Timeout, wrongTimeout
	case "release-source":
		return &p.ReleaseSource, nil
	case "offline":
		return &p.Offline, nil
	case "update-check":
		return &p.UpdateCheck, nil
	}
	return nil, nil
}

// policyKeys are named where somebody wrote another one.
const policyKeys = "targets, trust-ca, ntp, only, skip, reference-roots, offline, timeout, update-check, release-source"

// read fills p from a file's content. Its error names the line.
func (p *policy) read(name string, data []byte) error {
	bad := func(line int, why text.Msg) error {
		return usage(text.M("cli.bad-config-line", "file", name, "line", line, "error", why))
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		line, why := yamlError(err)
		return bad(line, text.Raw(why))
	}
	if len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil // nothing, or nothing but comments
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return bad(root.Line, text.M("cli.policy-no-map", "known", policyKeys))
	}
	var seen []string
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		dest, wrong := p.field(key.Value)
		if dest == nil {
			return bad(key.Line, text.M("cli.policy-unknown", "key", key.Value, "known", policyKeys))
		}
		if slices.Contains(seen, key.Value) {
			return bad(key.Line, text.M("cli.policy-twice", "key", key.Value))
		}
		seen = append(seen, key.Value)
		if value.Decode(dest) != nil {
			return bad(value.Line, wanted(key.Value, dest))
		}
		words := value.Content
		if value.Kind == yaml.ScalarNode {
			words = []*yaml.Node{value}
		}
		for _, w := range words {
			if wrong == nil || w.Kind != yaml.ScalarNode || w.Tag == "!!null" {
				continue
			}
			if why := wrong(w.Value); !why.IsZero() {
				return bad(w.Line, why)
			}
		}
	}
	return nil
}

// wanted says what a key takes.
func wanted(key string, dest any) text.Msg {
	switch dest.(type) {
	case *[]string:
		return text.M("cli.policy-list", "key", key)
	case *bool:
		return text.M("cli.policy-bool", "key", key)
	}
	return text.M("cli.policy-word", "key", key)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlError is the line of a syntax error, 1 where the library names none, and
// what it says.
func yamlError(err error) (int, string) {
	msg := err.Error()
	m := yamlLine.FindStringSubmatch(msg)
	if m == nil {
		return 1, msg
	}
	line, _ := strconv.Atoi(m[1])
	return max(line, 1), strings.TrimPrefix(msg, m[0])
}

// merge adds what a policy file says; the command line wins where both speak
// of one thing, and lists add up.
func (f *flags) merge(name string, timeoutSet bool) error {
	data, err := platform.ReadInput(name, nil)
	if err != nil {
		return usage(text.M("cli.bad-config", "file", name, "error", err.Error()))
	}
	var p policy
	if err := p.read(name, data); err != nil {
		return err
	}
	f.targets = append(f.targets, p.Targets...)
	f.trustCA = append(f.trustCA, p.TrustCA...)
	f.only = append(f.only, p.Only...)
	f.skip = append(f.skip, p.Skip...)
	f.offline = f.offline || p.Offline
	f.updateCheck, f.releaseSource = p.UpdateCheck, p.ReleaseSource
	if len(f.ntp) == 0 {
		f.ntp = p.NTP
	}
	if f.refRoots == "" {
		f.refRoots = p.ReferenceRoots
	}
	if p.Timeout != "" && !timeoutSet {
		f.timeout, err = time.ParseDuration(p.Timeout)
	}
	return err
}

func wrongID(id string) text.Msg {
	if !detect.KnownID(id) && fix.ByID(id) == nil {
		return text.M("cli.unknown-id", "id", id)
	}
	return text.Msg{}
}

func wrongTarget(target string) text.Msg {
	if _, err := detect.ParseTarget(target); err != nil {
		return text.M("cli.bad-target", "error", err.Error())
	}
	return text.Msg{}
}

func wrongFingerprint(fp string) text.Msg {
	if _, err := bundles.ParseFingerprint(fp); err != nil {
		return text.M("cli.bad-fingerprint", "value", fp)
	}
	return text.Msg{}
}

func wrongTimeout(d string) text.Msg {
	if t, err := time.ParseDuration(d); err != nil || t <= 0 {
		return text.M("cli.bad-timeout")
	}
	return text.Msg{}
}

// check refuses what the command line and the policy file name and nobody knows.
func (f *flags) check() error {
	for _, c := range []struct {
		words []string
		wrong func(string) text.Msg
	}{{f.only, wrongID}, {f.skip, wrongID}, {f.targets, wrongTarget}, {f.trustCA, wrongFingerprint}} {
		for _, w := range c.words {
			if why := c.wrong(w); !why.IsZero() {
				return usage(why)
			}
		}
	}
	for i, fp := range f.trustCA {
		f.trustCA[i], _ = bundles.ParseFingerprint(fp) // it was read just now
	}
	if f.timeout <= 0 {
		return usage(text.M("cli.bad-timeout"))
	}
	return nil
}
