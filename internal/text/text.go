// Package text holds every sentence that a person reads, in English and in
// Simplified Chinese, side by side.
//
// Other packages name a sentence by its key and give named arguments, so that
// findings and plans stay data: the same [Msg] is English in JSON and either
// language on a terminal. Ids, paths and commands are arguments and never
// translated. This package imports nothing of trustfix.
package text

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Lang is a language people can read the output in.
type Lang string

// The languages.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Msg is a sentence: the key of a catalogue entry and what stands for its
// {placeholders}. It marshals to its English text.
type Msg struct {
	Key  string
	Args Args
}

// Args are the values of the placeholders, by name. A value that is itself a
// Msg is rendered in the same language.
type Args map[string]any

// entry is one sentence in both languages.
type entry struct{ en, zh string }

// M makes a Msg from a key and name/value pairs. Keys must be string literals:
// a test reads the source and fails for one that no catalogue has.
func M(key string, pairs ...any) Msg {
	m := Msg{Key: key}
	if len(pairs) > 0 {
		m.Args = make(Args, len(pairs)/2)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Args[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// Raw is a Msg without a catalogue entry: a path, a command, another
// program's own words.
func Raw(s string) Msg { return Msg{Key: "raw", Args: Args{"text": s}} }

// Lookup is the Msg of a key made at run time (a finding's id and ".doc"), if
// a catalogue has it.
func Lookup(key string) (Msg, bool) {
	_, ok := entries[key]
	return Msg{Key: key}, ok
}

// catalogs are the areas' entries; each area keeps its own file.
var catalogs = []map[string]entry{
	storeTexts,
	cliTexts,
	settingsTexts,
	javaTexts,
	chainTexts,
	classifyTexts,
	clockTexts,
	endpointTexts,
	engineTexts,
	pinTexts,
	probeTexts,
	releaseTexts,
	watchTexts,
}

// entries is all of them. A key that stands twice is caught by a test.
var entries = func() map[string]entry {
	all := map[string]entry{"raw": {"{text}", "{text}"}}
	for _, c := range catalogs {
		maps.Copy(all, c)
	}
	return all
}()

// In renders m in a language.
func (m Msg) In(l Lang) string {
	if m.Key == "" {
		return ""
	}
	e, ok := entries[m.Key]
	if !ok {
		return m.Key + fmt.Sprint(m.Args)
	}
	s := e.en
	if l == Chinese {
		s = e.zh
	}
	if !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '{')
		j := strings.IndexByte(s, '}')
		if i < 0 || j < i {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		switch v := m.Args[s[i+1:j]].(type) {
		case Msg:
			b.WriteString(v.In(l))
		case nil:
		default:
			fmt.Fprint(&b, v)
		}
		s = s[j+1:]
	}
}

// String is the English text.
func (m Msg) String() string { return m.In(English) }

// IsZero reports whether there is nothing to say.
func (m Msg) IsZero() bool { return m.Key == "" }

// MarshalJSON gives the English text: JSON is never translated.
func (m Msg) MarshalJSON() ([]byte, error) { return json.Marshal(m.String()) }
