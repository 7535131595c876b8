// Package chain is the judge: a served chain, roots, a time, a name and the
// rules of a client go in; every cause of refusal comes out, with evidence.
//
// It is pure: no I/O, no clock, no process-wide roots. "Unknown authority"
// alone proves nothing: forged signatures, issuers that are no CA and bad key
// usage look the same to most libraries and are told apart here. It never
// proposes a change; the callers do, by the fault it names.
package chain

import (
	"time"

	"trustfix/bundles"
)

// Input is one question to the judge.
type Input struct {
	Served  [][]byte       // DER as sent, leaf first
	Fetched [][]byte       // DER fetched by AIA or known otherwise; completes paths, is not trusted
	Roots   *bundles.Roots // trust anchors as they stand, with their constraints
	Host    string         // DNS name or IP literal; "" leaves the name unchecked
	Time    time.Time
	Rules   *Rules // nil: RFC 5280 for a TLS server
}

// Fault is whose fault a failure is.
type Fault string

// The faults.
const (
	FaultNone      Fault = "none"
	FaultClient    Fault = "client"
	FaultClock     Fault = "clock"
	FaultNetwork   Fault = "network"
	FaultServer    Fault = "server"
	FaultPrivateCA Fault = "private-ca"
)

// Info is a certificate as the JSON contract shows it.
type Info struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	SHA256    string    `json:"sha256"`
}
