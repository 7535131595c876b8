package bundles

import "crypto/x509"

// Content is what a bundle file holds.
type Content struct {
	Certs    []Cert   // in file order, duplicates left out
	Opaque   [][]byte // DER of certificates that OpenSSL reads and Go cannot parse
	Problems []Problem
}

// Cert is one certificate of a bundle.
type Cert struct {
	*x509.Certificate
	DER     []byte // of the certificate alone; equals Raw
	Line    int    // 1-based line of its BEGIN
	Trusted bool   // stood in a TRUSTED CERTIFICATE block, which only OpenSSL reads
}

// Len is the number of different certificates.
func (c Content) Len() int { return len(c.Certs) + len(c.Opaque) }

// Fatal is the first problem that makes a library lose the file, or nil.
func (c Content) Fatal() *Problem {
	for i := range c.Problems {
		if c.Problems[i].Fatal() {
			return &c.Problems[i]
		}
	}
	return nil
}

// Find is the first problem of a kind, or nil.
func (c Content) Find(kind ProblemKind) *Problem {
	for i := range c.Problems {
		if c.Problems[i].Kind == kind {
			return &c.Problems[i]
		}
	}
	return nil
}

// Read reads a bundle the way the strictest of its readers would and reports
// what is wrong instead of skipping it. It never fails: a file without
// certificates is a Content with ProblemNone. Time is linear in len(data).
func Read(data []byte) Content {
	var c Content
	s := scanner{data: data, line: 1}
	s.found = func(der []byte, line int, trusted bool) bool {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			c.Opaque = append(c.Opaque, der)
			s.problem(ProblemUnusual, line, err.Error())
			return true
		}
		c.Certs = append(c.Certs, Cert{Certificate: cert, DER: der, Line: line, Trusted: trusted})
		return true
	}
	s.run()
	c.Problems = s.problems
	return c
}

// Scan is Read without parsing certificates: the SHA-256 fingerprints of what
// the file holds, and its problems but for ProblemUnusual. It costs a tenth of Read.
func Scan(data []byte) (prints []string, problems []Problem) {
	s := scanner{data: data, line: 1}
	s.print = func(fp string) { prints = append(prints, fp) }
	s.run()
	return prints, s.problems
}
