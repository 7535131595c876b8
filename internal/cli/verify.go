package cli

import (
	"context"
	"crypto/tls"
	"strings"
	"time"

	"trustfix/detect"
	"trustfix/detect/chain"
	"trustfix/internal/text"
	"trustfix/platform"
)

// verify judges servers, or a saved chain.
func verify(ctx context.Context, s *session, args []string) error {
	f := s.flags
	targets := append(args, f.targets...)
	o, err := s.verifyOptions(targets)
	if err != nil {
		return err
	}
	h, err := s.open()
	if err != nil {
		return err
	}
	results, err := detect.Verify(ctx, h.View, targets, o)
	if err != nil && f.chain != "" {
		return usage(text.M("cli.unreadable", "file", f.chain, "error", err.Error()))
	}
	if err != nil {
		return usage(text.M("cli.bad-target", "error", err.Error()))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	code := exitOK
	for i, r := range results {
		results[i].Target = text.Redact(r.Target) // a password that stood in the URL is shown nowhere
		if r.Verdict != "ok" {
			code = exitFindings
		}
	}
	if f.json {
		return s.printJSON(struct {
			Schema  int                   `json:"schema"`
			Results []detect.VerifyResult `json:"results"`
		}{1, results}, code)
	}
	for i, r := range results {
		if i > 0 {
			s.out.printf("\n")
		}
		s.printResult(r)
	}
	return exit(code)
}

// verifyOptions reads what the flags of verify name, and refuses combinations
// that make no sense.
func (s *session) verifyOptions(targets []string) (detect.VerifyOptions, error) {
	f := s.flags
	o := detect.VerifyOptions{Host: f.host, NTP: f.ntp, Timeout: f.timeout, Revocation: f.revocation}
	switch {
	case f.chain == "" && len(targets) == 0:
		return o, usage(text.M("cli.verify-what"))
	case f.chain != "" && len(targets) > 0:
		return o, usage(text.M("cli.chain-and-targets"))
	case f.chain == "" && f.offline:
		return o, usage(text.M("cli.verify-offline"))
	case f.revocation && f.offline:
		return o, usage(text.M("cli.revocation-offline"))
	case (f.cert == "") != (f.key == ""):
		return o, usage(text.M("cli.key-without-cert"))
	}
	if f.client != "" {
		rules, ok := chain.RulesFor(f.client)
		if !ok {
			return o, usage(text.M("cli.bad-rules", "value", f.client, "known", strings.Join(chain.RuleNames(), ", ")))
		}
		o.Rules = rules
	}
	if f.at != "" {
		at, err := time.Parse(time.RFC3339Nano, f.at)
		if err != nil {
			return o, usage(text.M("cli.bad-time", "value", f.at))
		}
		if o.At = at; at.IsZero() {
			o.At = at.Add(time.Nanosecond) // zero stands for "now"
		}
	}
	if f.host != "" {
		host, err := detect.ParseHost(f.host)
		if err != nil {
			return o, usage(text.M("cli.bad-host", "error", err.Error()))
		}
		o.Host = host
	}
	for i, t := range targets {
		if f.startTLS != "" && !strings.Contains(t, "://") {
			targets[i] = f.startTLS + "://" + t
		}
	}
	var err error
	if f.roots != "" {
		var data []byte
		if data, err = platform.ReadInput(f.roots, s.proc.Stdin); err != nil {
			return o, usage(text.M("cli.unreadable", "file", f.roots, "error", err.Error()))
		}
		if o.Roots, o.Broken, err = detect.ReadAnchors(data); err != nil {
			return o, usage(text.M("cli.no-certificates", "file", f.roots, "why", ""))
		}
	} else {
		o.Roots, err = s.references()
	}
	if err != nil {
		return o, err
	}
	if f.chain != "" {
		if o.ChainPEM, err = platform.ReadInput(f.chain, s.proc.Stdin); err != nil {
			return o, usage(text.M("cli.unreadable", "file", f.chain, "error", err.Error()))
		}
		if len(o.ChainPEM) == 0 {
			return o, usage(text.M("cli.no-certificates", "file", f.chain, "why", ""))
		}
	}
	if f.cert != "" {
		o.Cert, err = s.clientCert()
	}
	return o, err
}

// clientCert reads --cert and --key.
func (s *session) clientCert() (*tls.Certificate, error) {
	var pems [2][]byte
	for i, name := range []string{s.flags.cert, s.flags.key} {
		data, err := platform.ReadInput(name, s.proc.Stdin)
		if err != nil {
			return nil, usage(text.M("cli.unreadable", "file", name, "error", err.Error()))
		}
		pems[i] = data
	}
	pair, err := tls.X509KeyPair(pems[0], pems[1])
	if err != nil {
		return nil, usage(text.M("cli.unreadable", "file", s.flags.cert, "error", err.Error()))
	}
	return &pair, nil
}

// printResult prints one judgement: the verdict, the chain, every cause with
// its evidence, and with --explain every path that was tried.
func (s *session) printResult(r detect.VerifyResult) {
	p := s.out
	target := shownTarget(r.Target)
	if target == "" {
		target = s.flags.chain
	}
	switch r.Verdict {
	case "ok":
		p.line(p.sign(signDone)+" ", text.M("cli.verify-ok", "target", target))
	case "unreachable":
		p.right(p.sign(signError)+" "+p.show(text.M("cli.verify-unreachable", "target", target)), r.Cause)
		if r.NetErr != nil {
			p.wrap("", 2, p.clean(r.NetErr.Error()))
		}
		return
	default:
		p.right(p.sign(signError)+" "+p.bold(p.show(text.M("cli.verify-fail", "target", target, "fault", faultText(r.Fault)))), r.Cause)
	}
	paths := r.Detail.Paths
	if len(paths) > 1 && !s.flags.explain && !s.flags.verbose {
		paths = paths[:1]
	}
	for i, path := range paths {
		if len(paths) > 1 {
			p.line("  ", text.M("cli.path", "n", i+1))
		}
		drawn := chain.DrawPath(path)
		if i == 0 { // with what the client at hand refuses in it
			drawn = chain.Draw(r.Detail)
		}
		for _, l := range drawn {
			s.printTreeLine(l)
		}
	}
	if r.Interception != nil && r.Interception.Vendor != "" {
		p.wrap("", 2, p.show(text.M("cli.looks-like", "vendor", r.Interception.Vendor)))
	}
	for _, c := range r.Detail.Causes {
		id := c.ID
		if c.Code != "" {
			id += " " + c.Code
		}
		p.printf("  %s\n", p.bold(id))
		for _, e := range c.Evidence {
			p.wrap("", 4, p.show(e))
		}
		if c.Text != "" && !mentions(c.Evidence, c.Text) {
			p.wrap("", 4, p.show(text.M("cli.client-says", "text", c.Text)))
		}
	}
	s.printRevocation(r.Revocation)
}

// printRevocation says what was learned where --revocation asked.
func (s *session) printRevocation(rs []detect.Revocation) {
	p := s.out
	for _, r := range rs {
		m := text.M("cli.revocation-unknown", "subject", r.Subject)
		switch {
		case r.Status == chain.RevocationGood && r.From == "":
			m = text.M("cli.revocation-stapled", "subject", r.Subject)
		case r.Status == chain.RevocationGood:
			m = text.M("cli.revocation-good", "subject", r.Subject, "from", r.From)
		case r.Status == chain.RevocationRevoked:
			continue // its cause says so
		}
		p.wrap("", 2, p.show(m))
		for _, n := range r.Notes {
			p.wrap("", 4, p.show(n))
		}
	}
}

// shownTarget is a target as it was typed, and a name of IDNA in both forms.
func shownTarget(target string) string {
	e, err := detect.ParseTarget(target)
	if err != nil {
		return target
	}
	host, both := e.Target.Host, chain.ShowHost(e.Target.Host)
	switch {
	case both == host:
		return target
	case strings.Contains(target, host):
		return strings.Replace(target, host, both, 1)
	}
	return target + " (" + host + ")"
}

// faultText says whose fault it is.
func faultText(f chain.Fault) text.Msg {
	switch f {
	case chain.FaultClient:
		return text.M("cli.fault-client")
	case chain.FaultClock:
		return text.M("cli.fault-clock")
	case chain.FaultNetwork:
		return text.M("cli.fault-network")
	case chain.FaultServer:
		return text.M("cli.fault-server")
	case chain.FaultPrivateCA:
		return text.M("cli.fault-private-ca")
	}
	return text.M("cli.fault-none")
}
