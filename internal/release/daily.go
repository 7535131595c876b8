package release

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"time"

	"trustfix/platform"
)

// dailyName is the file of the state directory with what Daily found.
const dailyName = "newest.json"

// dailyTime is all the time that a daily question may take.
const dailyTime = 2 * time.Second

// Newest is what is known of releases newer than the running one.
type Newest struct {
	Version string // "": nothing newer is known
	Revoked bool   // the running one was revoked by its makers
}

// daily is what the last question brought.
type daily struct {
	Schema  int       `json:"schema"`
	Asked   time.Time `json:"asked"`
	Latest  string    `json:"latest,omitempty"`
	Revoked []string  `json:"revoked,omitempty"`
}

// Daily says whether there is a newer release, for a diagnosis whose policy
// wants to know. It asks the source at most once in 24 hours, whether that
// succeeds or not, and for no longer than two seconds; in between, and where
// the question fails, it says what was found last. That stands in the state
// directory: where it cannot be written nobody is asked, since nothing would
// keep the next diagnosis from asking again. It never fails; what it says is
// only an advice, and trustfix update judges anew.
func Daily(ctx context.Context, h *platform.Host, o Options) Newest {
	ctx, cancel := context.WithTimeout(ctx, dailyTime)
	defer cancel()
	o.Timeout = dailyTime
	if _, err := parseVersion(o.Version); err != nil || o.Keys == "" || o.Source == "" {
		return Newest{} // this build cannot update itself
	}
	var d daily
	data, err := h.State.ReadFile(dailyName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Newest{}
	}
	if json.Unmarshal(data, &d) != nil || d.Schema != 1 {
		d = daily{Schema: 1}
	}
	// A time to come was written while the clock was wrong.
	now := h.Now().UTC()
	if age := now.Sub(d.Asked); age < 0 || age >= 24*time.Hour {
		d.Asked = now
		if d.write(h.State) != nil {
			return d.newest(o.Version)
		}
		if f, err := Find(ctx, h, o); err == nil {
			d.Latest, d.Revoked = f.Version, f.manifest.Revoked
			_ = d.write(h.State) // lost: the next question finds it again
		}
	}
	return d.newest(o.Version)
}

func (d daily) write(to platform.Dir) error { return save(to, dailyName, d) }

// newest compares with what runs now: it may have been updated since.
func (d daily) newest(running string) Newest {
	n := Newest{Revoked: slices.Contains(d.Revoked, running)}
	if older(running, d.Latest) {
		n.Version = d.Latest
	}
	return n
}
