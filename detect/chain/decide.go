package chain

// Judgement is PRODUCT §2 for one client and one endpoint.
type Judgement struct {
	Verdict string // "ok" or "fail"
	Fault   Fault
	Cause   string // finding id; "" where the fault is the client's and only its settings tell
}

// Decide compares what the reference says at true time with what a client
// says now and would say at true time. intercepted says that the unknown
// issuer is an interceptor's ([Intercepted]).
//
// A server's fault stays the server's whatever the client says; a client that
// accepts an issuer the reference does not know was told to trust it.
func Decide(ref, now, atTrue Verdict, intercepted bool) Judgement {
	fail := func(f Fault, cause string) Judgement { return Judgement{"fail", f, cause} }
	cause := ref.Cause()
	switch {
	case !ref.OK && clientsOwn(cause):
		return fail(FaultClient, cause)
	case !ref.OK && !unknownIssuer(cause):
		return fail(FaultServer, cause)
	case now.OK:
		return Judgement{"ok", FaultNone, ""}
	case atTrue.OK:
		return fail(FaultClock, "clock-skew")
	case ref.OK:
		if c := atTrue.Cause(); clientsOwn(c) {
			return fail(FaultClient, c)
		}
		return fail(FaultClient, "")
	case cause == "server-incomplete-chain":
		return fail(FaultServer, cause)
	case intercepted:
		return fail(FaultNetwork, "server-intercepted")
	}
	return fail(FaultPrivateCA, cause)
}

// clientsOwn are the causes that lie in how a client verifies or in what it
// trusts, not in the chain: they arise only from a client's rules.
func clientsOwn(cause string) bool {
	return cause == "strict-ca" || cause == "openssl-old" || cause == "ca-path-partial"
}

// Cause is the id of the most fundamental cause, "" for none.
func (v Verdict) Cause() string {
	if v.OK || len(v.Causes) == 0 {
		return ""
	}
	return v.Causes[0].ID
}

// Fault is whose fault a reference verdict is by itself.
func (v Verdict) Fault() Fault { return Decide(v, v, v, false).Fault }
