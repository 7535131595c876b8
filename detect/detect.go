// Package detect finds out what is there and what is wrong: View in, Report out.
//
// A [Check] is a literal with one pure function from what was gathered to
// findings. Gathering (stores, clients, clock, endpoints) happens once, at the
// same time where it can; the checks then read the Report. Nothing here
// changes the machine: package fix turns findings into plans.
package detect

import (
	"context"
	"crypto/x509"
	"net/url"
	"time"

	"trustfix/bundles"
	"trustfix/detect/chain"
	"trustfix/detect/client"
	"trustfix/internal/text"
	"trustfix/platform"
)

// Options are what the caller asks of a diagnosis.
type Options struct {
	Refs      *bundles.Roots // reference roots
	Targets   []string       // extra endpoints: URL, host, host:port, name@ip:port
	UsedBy    []string       // names of clients that are taken to use Targets
	Offline   bool           // no network at all
	NTP       []string       // time servers to ask instead of the default ones
	Only      []string       // finding or fix ids; empty: all. A fix id stands for the findings it repairs
	Skip      []string
	Consented []string      // SHA-256 of private CAs the user named
	Timeout   time.Duration // for one network operation; default 10 s
	Progress  func(area string, done bool)
	Probed    func(done, total int) // servers that have answered, or not, so far

	// ProbeClients has the clients' own programs confirm the judgement.
	ProbeClients bool

	Interrupted string // id of a run that did not end, as fix.Interrupted found it

	// Newest says which newer release of trustfix there is ("": none) and
	// whether the running one was revoked; nil where nobody wants to know. It is
	// called when all else has been gathered.
	Newest func() (version string, revoked bool)
}

// Check is one question about the machine.
type Check struct {
	ID    string   // finding id, or the area's name where one function yields several
	IDs   []string // the finding ids it can yield
	Area  string   // "clock", "store", "settings", "runtime", "endpoints", "pins", "self"
	Doc   text.Msg // why it happens, what trustfix does about it, how to undo that by hand
	After []*Check // causes: their findings explain this check's
	Run   func(ctx context.Context, v *platform.View, r *Report) ([]Finding, error)
}

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Action says who can do something about a finding.
type Action string

// The kinds of remedy.
const (
	Auto    Action = "auto"    // --apply repairs it
	Consent Action = "consent" // only with the user's word (--trust-ca SHA256)
	Manual  Action = "manual"  // the user or an administrator has to do it
	None    Action = "none"    // nothing on this machine can or should change
)

// Finding is one thing that is wrong, in one place.
type Finding struct {
	ID       string     `json:"id"`
	Severity Severity   `json:"severity"`
	Client   string     `json:"client"`
	Subject  string     `json:"subject"`
	Where    string     `json:"where"` // path:line, env:NAME, store path, URL
	Summary  text.Msg   `json:"summary"`
	Evidence []text.Msg `json:"evidence"`
	CausedBy string     `json:"causedBy"`
	Action   Action     `json:"action"`
	Fix      string     `json:"fix"`

	Advice   []text.Msg      `json:"-"` // what to do when trustfix does not: one line each
	Setting  *client.Setting `json:"-"` // the layer of a client's configuration that is wrong
	Store    *Store          `json:"-"`
	Endpoint *Endpoint       `json:"-"`
}

// Key identifies a finding from one diagnosis to the next.
func (f Finding) Key() string {
	return f.ID + "\x00" + f.Where + "\x00" + f.Client + "\x00" + f.Subject
}

// identity is Key without the line number where that can be told otherwise: an
// earlier step of the same run may have moved the lines of the file.
func (f Finding) identity() string {
	if f.Setting == nil || f.Setting.File == "" {
		return f.Key()
	}
	f.Where = f.Setting.File + "\x00" + f.Setting.Name + "\x00" + f.Setting.Value
	return f.Key()
}

// Report is a diagnosis. Its JSON is the contract of PRODUCT.md §4, less the plan and the run.
type Report struct {
	Host      HostInfo         `json:"host"`
	Clock     Clock            `json:"clock"`
	Stores    []*Store         `json:"stores"`
	Clients   []*client.Client `json:"clients"`
	Endpoints []*Endpoint      `json:"endpoints"`
	Findings  []Finding        `json:"findings"`
	Failed    []Failure        `json:"failed,omitempty"` // checks that could not be told
	Probes    []Probe          `json:"probes,omitempty"` // what the clients themselves said

	Options   Options          `json:"-"`
	Inventory client.Inventory `json:"-"`
}

// Failure is a check that could not be completed.
type Failure struct {
	Check string `json:"check"`
	Error string `json:"error"`
}

// HostInfo is the machine's identity in the JSON document.
type HostInfo struct {
	OS        string          `json:"os"`
	Arch      string          `json:"arch"`
	Distro    string          `json:"distro"`
	Version   string          `json:"version"`
	Family    platform.Family `json:"family"`
	Container string          `json:"container"`
	Root      string          `json:"root"`
	Elevated  bool            `json:"elevated"`
}

// Clock is what is known of the time. Offset is true time minus system time.
type Clock struct {
	System  time.Time    `json:"system"`
	Offset  *float64     `json:"offsetSeconds"`
	Source  string       `json:"source"` // ntp, http-date, none
	Service TimeService  `json:"service"`
	Samples []TimeSample `json:"samples,omitempty"`

	Agreeing []string  `json:"-"` // operators whose servers agree on Offset, each once
	Margin   float64   `json:"-"` // half width of the interval that holds the offset, seconds
	Floor    time.Time `json:"-"` // no true time is before it: date of the reference roots; zero when unknown
	Wrong    bool      `json:"-"` // System is before Floor: wrong for certain, whoever answers
	Measured time.Time `json:"-"` // system clock when Offset was measured, with its monotonic reading
}

// True is the true time as far as known: system time plus a known offset.
func (c Clock) True(now time.Time) time.Time {
	if c.Offset == nil {
		return now
	}
	return now.Add(time.Duration(*c.Offset * float64(time.Second)))
}

// TimeService is the service that keeps the clock.
type TimeService struct {
	Name         string `json:"name"`
	Enabled      bool   `json:"enabled"`
	Synchronized bool   `json:"synchronized"`
}

// TimeSample is one source's word.
type TimeSample struct {
	Server   string  `json:"server"`
	Operator string  `json:"operator"`
	Offset   float64 `json:"offsetSeconds"`
	Error    string  `json:"error,omitempty"`
	Agrees   bool    `json:"agrees"`
}

// Store is one trust store of the operating system.
type Store struct {
	Name   string      `json:"name"` // "system"
	Path   string      `json:"path"`
	Roots  int         `json:"roots"`
	Status StoreStatus `json:"status"`

	Content    bundles.Content       `json:"-"`
	Certs      []*x509.Certificate   `json:"-"`
	Layout     *platform.StoreLayout `json:"-"`
	Missing    []*x509.Certificate   `json:"-"` // reference roots that it lacks and nobody deselected
	Needed     []*x509.Certificate   `json:"-"` // those of Missing that a configured endpoint's chain ends at
	Deselected []Deselected          `json:"-"` // reference roots that the machine's own configuration refuses

	state storeState // how gatherStores found it
}

// StoreStatus is the worst thing that is true of a store.
type StoreStatus string

// The states of a store.
const (
	StoreOK         StoreStatus = "ok"
	StoreMissing    StoreStatus = "missing"
	StoreEmpty      StoreStatus = "empty"
	StoreCorrupt    StoreStatus = "corrupt"
	StoreUnreadable StoreStatus = "unreadable"
	StoreUnindexed  StoreStatus = "unindexed"
	StoreDeselected StoreStatus = "deselected"
	StoreStale      StoreStatus = "stale"
)

// Endpoint is one server that a client is configured to use, and the judgement on it.
type Endpoint struct {
	URL     string       `json:"url"`
	UsedBy  []string     `json:"usedBy"`  // "conda:/opt/conda"
	Verdict string       `json:"verdict"` // ok, fail, unreachable
	Fault   chain.Fault  `json:"fault"`
	Cause   string       `json:"cause"`
	Chain   []chain.Info `json:"chain"`

	Parsed    *url.URL            `json:"-"`
	Target    platform.Endpoint   `json:"-"`
	Served    *platform.Served    `json:"-"`
	NetErr    *platform.NetError  `json:"-"`
	Reference chain.Verdict       `json:"-"` // reference roots at true time
	Clients   []ClientVerdict     `json:"-"`
	Fetched   []*x509.Certificate `json:"-"` // by AIA, verified to a reference root
	SetBy     []string            `json:"-"` // where it is configured; empty for a client's own default
	Named     bool                `json:"-"` // by the user, as a target
	CA        *x509.Certificate   `json:"-"` // self-signed CA (or server certificate) that would complete an unknown chain; not trusted
	CAInStore bool                `json:"-"` // the system store trusts CA already
	ByCA      chain.Verdict       `json:"-"` // the chain judged with CA alone as root, at true time
	fetched   [][]byte            // whatever AIA gave, unverified

	intercepted bool // its unknown issuer looks like an interceptor
}

// ClientVerdict is how one client sees an endpoint.
type ClientVerdict struct {
	Client *client.Client
	Now    chain.Verdict // its own trust source, system time
	True   chain.Verdict // its own trust source, true time
	Fault  chain.Fault
	Cause  string
}
