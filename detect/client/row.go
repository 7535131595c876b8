package client

import (
	"net/url"
	"strings"

	"trustfix/internal/edit"
)

// Row is everything that differs between two programs, as data: where it
// stands, what it reads, in which order, and what its own spelling of "do not
// verify" is. reference/clients.md is the source of every row; what could only
// be read and not run is marked Unverified. The secure default needs no field:
// it is an absent key, for every program.
type Row struct {
	Name string
	// Programs are the file names by which it is found on the search path. The
	// first that is found is the instance.
	Programs []string
	// Find lists the instances when Programs is not enough.
	Find func(s *scan) []*Client
	// Files are the configuration files of one instance, lowest precedence
	// first; c.Path is "" when no instance was found.
	Files func(s *scan, c *Client) []File
	// Layers are places that are neither a key of a file nor one variable; they
	// win over all others.
	Layers func(s *scan, c *Client) []layer
	// Normal brings a key to the form in which Keys name it; nil: as written.
	Normal func(string) string
	Keys   []Key
	// Vars are the environment variables, lowest precedence first.
	Vars []Var
	// Reads names rows whose files this program reads too, below its own.
	Reads []string
	// Default is the trust source when nothing is set; Source its path, if it
	// is not the system's.
	Default string
	Source  func(s *scan, c *Client) string
	// Resident: it runs on with the system's roots as they were when it started.
	Resident bool
	// Pin is how a bundle is given to it by a file.
	Pin *Pin
	// ByHand is the line by which a person gives it a CA, where Pin is nil: ca.pem
	// holds that CA alone, bundle.pem the public roots with it.
	ByHand string
	// Servers are the default endpoints that the program ships; Shipped reads
	// them from the installation where the program's own files state them.
	Servers []string
	// OnlyConfigured: Servers say whom it would ask, and are not judged unless
	// somebody configured them: who has Ruby does not thereby use RubyGems.
	OnlyConfigured bool
	Shipped        func(s *scan, c *Client) []string
	// Endpoints finds the servers where the keys and variables of RoleURL, and
	// Servers where they name none, are not all there is to it.
	Endpoints func(s *scan, c *Client, layers []layer)
	// Match weighs a setting for one server (Key.HostAt) against a URL, the more
	// special one higher; nil: the host has to be the same.
	Match func(pattern string, u *url.URL) (weight int, ok bool)
	// Server says where the client's roots for one server come from and would be
	// set, where no key names the server itself.
	Server func(s *scan, c *Client, layers []layer, e *Endpoint)
	// Ask is how the program itself is asked about a server, as a proof; nil:
	// it cannot be asked without changing something.
	Ask *Ask
	// Rules names the rule set of the judge.
	Rules func(c *Client) string
	// Resolve computes Verify and Trust where last-layer-wins is not the rule.
	Resolve func(s *scan, c *Client, layers []layer)
	// Versions reads the version from files.
	Versions func(s *scan, c *Client) string
	// Unverified says which part of the row was read in sources and not run.
	Unverified string
}

// File is a configuration file that a row reads.
type File struct {
	Path   string
	Format edit.Format
	// Ext makes Path a directory of which every file with this ending is read,
	// in order of names: ".yml,.yaml"; "*" reads all.
	Ext string
	// From and To limit it to lines from ≤ n < to; 0: no limit. What a file
	// includes in its middle stands between two parts of it.
	From, To int
	// Under limits it to the entries below a path, as if they stood alone:
	// {"tool", "uv"} in a pyproject.toml.
	Under []string
	// Aside: its settings do not count where trustfix was started, but elsewhere
	// they may.
	Aside bool
	// Here: it is read because of the working directory.
	Here bool
	// Above: it wins over variables.
	Above bool
	// Read parses what no editor knows; changes are then a person's.
	Read func(data []byte) []edit.Entry
}

// Key is a key of a configuration file.
type Key struct {
	// Path is the key as the row's Normal spells it; "*" stands for any one
	// element. Elements of the entry in front of it are sections.
	Path []string
	Role Role
	// Off reports whether a value switches verification off (RoleVerify).
	Off func(e edit.Entry) bool
	// Class tells the role by the value, where one key has several meanings.
	Class func(e edit.Entry) (role Role, off bool)
	// Adds: the bundle is read besides the default roots, not instead of them.
	Adds bool
	// Dir: the value is a directory of roots.
	Dir bool
	// Beside: a relative path is meant from the directory of the file.
	Beside bool
	// Hosts: the value lists the hosts that are not verified.
	Hosts bool
	// HostAt is the index of the path element that is a host, a URL or, for a
	// proxy, a scheme, plus one.
	HostAt int
	// Scheme limits a proxy key to one scheme of URLs.
	Scheme string
	// Aside: it is judged, but does not decide how servers are verified: for a
	// proxy's own certificate, DNS over https, a directory read in addition.
	Aside bool
	// Only limits the key to files of one format.
	Only edit.Format
	// Signed: what comes from the URL carries signatures of its own.
	Signed bool
	// ByHand: changing it has consequences that only a person can weigh.
	ByHand bool
	// Word: the value is a list of words, and the one that begins so counts;
	// "|" parts several beginnings.
	Word string
	// KeyStore: the bundle is a Java key store.
	KeyStore bool
}

// Var is an environment variable.
type Var struct {
	Name  string
	Role  Role
	Off   func(value string) bool
	Class func(e edit.Entry) (role Role, off bool)
	Adds  bool
	Dir   bool
	Hosts bool
	Aside bool
	Word  string
	// KeyStore: the bundle is a Java key store.
	KeyStore bool
	// Below: files win over it.
	Below bool
	// Between: it wins over the files of Reads and loses to the row's own.
	Between bool
	// Applies says for which instances the variable counts; nil: all.
	Applies func(c *Client) bool
	// EmptyCounts: set but empty means something to this program.
	EmptyCounts bool
	// OffOnly: a value that does not switch verification off says nothing.
	OffOnly bool
}

// All is every client, in the order of output.
func All() []*Row {
	return []*Row{
		condaRow, mambaRow, pixiRow,
		pipRow, uvRow, poetryRow, pdmRow, pipxRow,
		pythonRow, requestsRow, httpxRow, aiohttpRow,
		curlRow, wgetRow, gitRow,
		nodeRow, npmRow, pnpmRow, yarnRow, berryRow,
		javaRow, mavenRow, gradleRow, goRow, rubyRow, gemRow, bundlerRow, cargoRow, rRow,
		dockerRow, aptRow, dnfRow("dnf"), dnfRow("yum"), awsRow, gcloudRow,
	}
}

// ByName is the row of a client, or nil.
func ByName(name string) *Row {
	for _, r := range All() {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// key finds what an entry means to the row.
func (r *Row) key(format edit.Format, e edit.Entry) *Key {
	for i := range r.Keys {
		if w := r.Keys[i].Word; w != "" {
			if _, word := wordOf(e.Value, w); word == "" {
				continue
			}
		}
		if only := r.Keys[i].Only; (only == "" || only == format) && r.matches(r.Keys[i].Path, e.Path) {
			return &r.Keys[i]
		}
	}
	return nil
}

func (r *Row) matches(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i, p := range pattern {
		el := path[i]
		if r.Normal != nil {
			el = r.Normal(el)
		}
		if p != "*" && p != el {
			return false
		}
	}
	return true
}

// Spellings of "off" that several programs share.

func oneOf(words ...string) func(string) bool {
	return func(v string) bool {
		for _, w := range words {
			if strings.EqualFold(strings.TrimSpace(v), w) {
				return true
			}
		}
		return false
	}
}

func value(f func(string) bool) func(edit.Entry) bool {
	return func(e edit.Entry) bool { return f(e.Value) }
}

func always(string) bool { return true }

func never(string) bool { return false }

// wordOf is the value of the last word of a list that begins with one of
// prefixes ("|" parts them), and the word itself.
func wordOf(list, prefixes string) (value, word string) {
	for _, w := range strings.Fields(list) {
		for p := range strings.SplitSeq(prefixes, "|") {
			if v, ok := strings.CutPrefix(w, p); ok {
				value, word = v, w
			}
		}
	}
	return value, word
}

// Default trust sources of programs with roots of their own.
const (
	builtIn = "built-in" // Mozilla's, compiled into the program
	ofNode  = "node"     // those of the Node that runs it
)

func is(word string) func(string) bool { return func(v string) bool { return v == word } }
