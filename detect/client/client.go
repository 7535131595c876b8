// Package client knows who reads what: one typed row for each program that
// verifies TLS with a trust source of its own, and the resolution of every
// instance on a machine to its effective state, with the layer that set it.
//
// A new client is a row of the table in All and, at most, a function that
// finds its instances. This package reads (platform.View, internal/edit) and
// never judges a certificate, never writes, and never runs a program that the
// caller did not allow.
package client

import (
	"net/url"

	"trustfix/detect/chain"
	"trustfix/internal/edit"
)

// Client is one instance of a program on the machine.
type Client struct {
	Name    string `json:"name"`    // row name: "conda"
	Path    string `json:"path"`    // installation, environment or program
	Version string `json:"version"` // "" when it could not be read from files
	Verify  string `json:"verify"`  // "on" or "off"
	Trust   Trust  `json:"trust"`

	Row       *Row            `json:"-"`
	Settings  []*Setting      `json:"-"` // every layer that says something, lowest precedence first
	won       []*Setting      // of Settings
	Endpoints []Endpoint      `json:"-"` // what it is configured to talk to
	Rules     *chain.Rules    `json:"-"` // how its TLS library verifies
	Elevated  bool            `json:"-"` // its files belong to root
	Program   string          `json:"-"` // the executable, for a proof by the client itself; "" when not found
	Dir       string          `json:"-"` // where it has to be started for its settings to count; "" anywhere
	OpenSSL   string          `json:"-"` // version of the library it uses, as far as files tell
	urls      map[string]bool // of Endpoints
	Site      *Site           `json:"-"` // where it would be told of a bundle; nil where no file of its own can
	own       []*Setting      // settings for one server that count: see For
	py        *pyEnv          // the Python it lives in

	judge func(*Endpoint) // finds Trust and Site of an endpoint
}

// Trust is where a client takes its roots from.
type Trust struct {
	Kind  string   `json:"kind"`           // os, certifi, file, dir, none
	Path  string   `json:"path"`           // of the bundle that is read in the end
	SetBy string   `json:"setBy"`          // "/root/.condarc:4", "env:SSL_CERT_FILE", "" for the default
	Adds  []string `json:"adds,omitempty"` // bundles read besides (an override that adds)
	// Builtin: the roots are compiled into the program, or belong to a program
	// that is not on this system; the reference roots stand for them.
	Builtin bool `json:"-"`
	// KeyStore says how the Java key store at Path is opened; nil: PEM.
	KeyStore *KeyStore `json:"-"`
	// Group names the package and version that the bundle at Path comes with:
	// copies of one version and size have one content.
	Group string `json:"-"`
	Owner Owner  `json:"-"`
}

// FromSystem reports whether the distribution makes the source, a Java key
// store, from the system's own store.
func (t Trust) FromSystem() bool { return t.KeyStore != nil && t.Owner == OwnerDistro }

// Owner says which tool brings the bundle at Trust.Path up to date.
type Owner string

// The owners of a bundle.
const (
	OwnerNone   Owner = ""       // a file that somebody put there
	OwnerPip    Owner = "pip"    // certifi, installed by pip
	OwnerVendor Owner = "vendor" // the copy inside pip
	OwnerConda  Owner = "conda"
	OwnerDistro Owner = "distro"
)

// Endpoint is a server a client is configured to use.
type Endpoint struct {
	URL   *url.URL
	Proxy *url.URL // as this client would use it; nil for a direct connection
	SetBy string
	Plain bool // http: nothing to judge, but to report (insecure-url)

	// Trust and Site are for this server, where the client knows settings for
	// one alone; nil: the client's own.
	Trust *Trust
	Site  *Site
	// own are those settings, the one that counts last.
	own []*Setting
}

// For is the client as it talks to one of its servers: itself, or a copy that
// takes its roots from where a setting for that server says.
func (c *Client) For(e Endpoint) *Client {
	if e.Trust == nil && e.Site == nil {
		return c
	}
	own := *c
	own.own = e.own
	if e.Trust != nil {
		own.Trust = *e.Trust
	}
	if e.Site != nil {
		own.Site = e.Site
	}
	return &own
}

// At is an endpoint of the client at a URL that it may not be configured to use.
func (c *Client) At(u *url.URL) Endpoint {
	e := Endpoint{URL: u}
	if c.judge != nil {
		c.judge(&e)
	}
	return e
}

// Trusts are the client's own trust source and those for one server alone.
func (c *Client) Trusts() []Trust {
	out := []Trust{c.Trust}
	for _, e := range c.Endpoints {
		if e.Trust != nil {
			out = append(out, *e.Trust)
		}
	}
	return out
}

// Role is what a setting decides.
type Role string

// The roles of a setting.
const (
	RoleVerify Role = "verify" // switches verification off or on
	RoleCA     Role = "ca"     // names a bundle or a directory of roots
	RoleURL    Role = "url"    // names a server
	RoleProxy  Role = "proxy"
	RoleCert   Role = "cert" // client certificate
	RoleKey    Role = "key"  // client key
	roleOther  Role = ""     // decides something in the resolution and is never judged itself
)

// Setting is one layer's word: a key in a file, or an environment variable.
type Setting struct {
	// Aside: it decides for something else than the client's servers here: for a
	// proxy's own certificate, one repository, or another directory.
	Aside bool
	// Instead is what to write where the key cannot be left out (RoleVerify).
	Instead string

	Client   string
	Role     Role
	Name     string         // key or variable as the client knows it: "ssl_verify", "SSL_CERT_FILE"
	Value    string         // effective text of the value
	Off      bool           // RoleVerify: this layer disables verification
	File     string         // logical path; "" for a variable whose origin was not found
	Format   edit.Format    // of File
	Entry    edit.Entry     // where in File
	Registry *RegistryValue // instead of File, on Windows
	Env      bool           // it is (or sets) an environment variable
	Process  bool           // seen in the process environment
	Wins     bool           // this layer is the effective one
	Elevated bool           // File belongs to root
	Hosts    []string       // RoleVerify: only these hosts (pip trusted-host)
	Affects  []string       // names of the clients it reaches, for shared variables
	Scope    string         // conda environment whose activation sets it; "" everywhere
	Inert    bool           // no program that was found heeds it (a switch that newer versions ignore)
	// WholeLine: Entry's line holds this setting and nothing else; Format knows no editor.
	WholeLine bool
	Word      string    // the word of a list of options that it is about: "-Djavax.net.ssl.trustStore=/x"
	Also      []string  // words of that list that go with Word
	KeyStore  *KeyStore // RoleCA: a Java key store, and how it is opened; nil: PEM
	Signed    bool      // RoleURL: what comes from there carries signatures of its own
	ByHand    bool      // only a person should change it
	Adds      bool      // RoleCA: read besides the default roots, not instead of them
	Dir       bool      // RoleCA: names a directory
	Beside    bool      // a relative path is meant from the directory of File
	Path      string    // RoleCA, RoleCert, RoleKey: Value as an absolute path; "" when it cannot be known from here
}
