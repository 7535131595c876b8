package bundles

// ProblemKind is a way in which a bundle is not a clean PEM file.
type ProblemKind string

// The kinds of problem.
const (
	ProblemBOM          ProblemKind = "bom"             // a byte order mark hides the certificate after it
	ProblemCRLF         ProblemKind = "crlf"            // a note: every client reads it
	ProblemTruncated    ProblemKind = "truncated"       // BEGIN without its END
	ProblemHeadless     ProblemKind = "headless"        // END without its BEGIN: the head was cut off
	ProblemGlued        ProblemKind = "glued"           // no line break between END and BEGIN
	ProblemJunk         ProblemKind = "junk"            // binary data, or text before BEGIN on its line
	ProblemDER          ProblemKind = "der"             // a raw DER certificate
	ProblemUTF16        ProblemKind = "utf16"           // PowerShell's > and Out-File write this
	ProblemPKCS7        ProblemKind = "pkcs7"           // a PKCS#7 block instead of certificates
	ProblemTrustedBlock ProblemKind = "trusted-block"   // BEGIN TRUSTED CERTIFICATE: only OpenSSL reads it
	ProblemPrivateKey   ProblemKind = "private-key"     // a note for readers, a leak for the owner
	ProblemDuplicate    ProblemKind = "duplicate"       // a note
	ProblemNone         ProblemKind = "no-certificates" // nothing that any client would trust
	ProblemBadBase64    ProblemKind = "bad-base64"      // a block that does not decode
	ProblemBadDER       ProblemKind = "bad-der"         // a block that is no certificate
	ProblemUnusual      ProblemKind = "unusual"         // a certificate Go refuses to parse and OpenSSL reads (negative serial …)
)

// Problem is one thing wrong with a bundle.
type Problem struct {
	Kind   ProblemKind
	Line   int    // 1-based; of the first occurrence
	Detail string // checkable and untranslated: a label, a count, a parser's words
}

// Libraries that read bundles, as Breaks and Hides name them. Python, curl,
// wget and git follow the library they are linked with.
const (
	LibOpenSSL = "OpenSSL"
	LibGnuTLS  = "GnuTLS"
	LibGo      = "Go"
	LibNode    = "Node"
)

// Breaks names the libraries that lose more than the block with the problem:
// OpenSSL and GnuTLS refuse the whole file, Node keeps only what stands before.
// Measured: reference clients.md §7.4, os.md §2.
func (p Problem) Breaks() []string {
	switch p.Kind {
	case ProblemTruncated, ProblemBadBase64, ProblemBadDER:
		return []string{LibOpenSSL, LibGnuTLS, LibNode}
	case ProblemGlued:
		return []string{LibOpenSSL, LibNode, LibGo}
	case ProblemUTF16, ProblemNone:
		return []string{LibOpenSSL, LibGnuTLS, LibGo, LibNode}
	}
	return nil
}

// Hides names the libraries that silently go on without the certificate at
// the problem.
func (p Problem) Hides() []string {
	switch p.Kind {
	case ProblemBOM, ProblemJunk:
		return []string{LibOpenSSL, LibGo, LibNode}
	case ProblemDER, ProblemHeadless, ProblemPKCS7:
		return []string{LibOpenSSL, LibGnuTLS, LibGo, LibNode}
	case ProblemTrustedBlock:
		return []string{LibGnuTLS, LibGo, LibNode}
	case ProblemTruncated, ProblemBadBase64, ProblemBadDER, ProblemUnusual:
		return []string{LibGo}
	}
	return nil
}

// Fatal reports whether some library cannot use the file because of p.
func (p Problem) Fatal() bool { return len(p.Breaks()) > 0 }

// Harmless reports whether every library reads every certificate in spite of p.
func (p Problem) Harmless() bool { return len(p.Breaks()) == 0 && len(p.Hides()) == 0 }
