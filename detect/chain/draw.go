package chain

import (
	"slices"

	"trustfix/internal/text"
)

// DrawLine is one line of the tree of a path, from the root down.
type DrawLine struct {
	Indent int        // 0 is the root
	Name   string     // of the certificate
	Notes  []text.Msg // short; what is wrong comes first
	Broken bool       // the path breaks here: marked ✗
	Lost   bool       // the certificate itself is not there
	SHA256 string     // "" where there is no certificate
}

// Draw is the tree of the path that the verdict speaks for.
func Draw(v Verdict) []DrawLine {
	if len(v.Paths) == 0 {
		return nil
	}
	return draw(v.Paths[0], v.Causes, v.OK)
}

// DrawPath is the tree of one of the paths that were tried.
func DrawPath(p Path) []DrawLine { return draw(p, p.Causes, p.OK()) }

func draw(p Path, causes []Cause, ok bool) []DrawLine {
	var lines []DrawLine
	n := len(p.Certs)
	for i := n - 1; i >= 0; i-- {
		l := p.Certs[i]
		line := DrawLine{Indent: n - 1 - i, Name: l.Name}
		say := func(m text.Msg) {
			if !slices.ContainsFunc(line.Notes, func(o text.Msg) bool { return o.Key == m.Key }) {
				line.Notes = append(line.Notes, m)
			}
		}
		bad := func(m text.Msg) {
			line.Broken = true
			say(m)
		}
		if l.Cert == nil {
			line.Lost = true
			bad(text.M("chain.draw-missing"))
			lines = append(lines, line)
			continue
		}
		line.SHA256 = printOf(l.Cert)
		if l.Origin == FromFetched && !l.Anchor {
			line.Lost = true
			bad(text.M("chain.draw-not-sent"))
		}
		if l.Forged {
			bad(text.M("chain.draw-forged"))
		}
		for _, c := range causes {
			if m, known := drawNote(c, l); known && c.Depth == i && c.Subject == l.Name {
				line.Broken = line.Broken || !ok
				say(m)
			}
		}
		if l.Anchor {
			say(text.M("chain.draw-trusted"))
		}
		if i == 0 && !line.Broken {
			say(text.M("chain.draw-until", "day", day(l.Cert.NotAfter)))
		}
		lines = append(lines, line)
	}
	return lines
}

// drawNote is a cause in two or three words.
func drawNote(c Cause, l Link) (text.Msg, bool) {
	switch id := c.Code; {
	case c.ID == "server-expired":
		return text.M("chain.draw-expired", "day", day(l.Cert.NotAfter)), true
	case c.ID == "server-not-yet-valid":
		return text.M("chain.draw-not-yet", "day", day(l.Cert.NotBefore)), true
	case c.ID == "server-hostname":
		return text.M("chain.draw-hostname"), true
	case c.ID == "server-self-signed":
		return text.M("chain.draw-self-signed"), true
	case c.ID == "server-private-ca" && isSelfIssued(l.Cert):
		return text.M("chain.draw-untrusted"), true
	case id == "issuer-not-ca":
		return text.M("chain.draw-not-ca"), true
	case id == "issuer-key-usage":
		return text.M("chain.draw-key-usage"), true
	case id == "path-length":
		return text.M("chain.draw-path-length"), true
	case id == "name-constraint":
		return text.M("chain.draw-constraint"), true
	case id == "eku":
		return text.M("chain.draw-eku"), true
	case id == "critical-extension":
		return text.M("chain.draw-critical"), true
	case id == "distrusted":
		return text.M("chain.draw-distrusted"), true
	case id == "weak-key":
		return text.M("chain.draw-weak-key"), true
	case id == "weak-signature":
		return text.M("chain.draw-weak-signature"), true
	case c.ID == "server-revoked":
		return text.M("chain.draw-revoked"), true
	case c.ID == "strict-ca":
		return text.M("chain.draw-strict"), true
	}
	return text.Msg{}, false
}
