package detect

import (
	"crypto/x509"
	"strings"

	"trustfix/bundles"
	"trustfix/internal/text"
)

// severityOf is error where a library loses the whole file.
func severityOf(ps []bundles.Problem) Severity {
	for _, p := range ps {
		switch {
		case p.Fatal(), p.Kind == bundles.ProblemHeadless, p.Kind == bundles.ProblemBOM:
			return Error
		}
	}
	if len(ps) == 0 {
		return Error // too large to be read at all
	}
	return Warning
}

// ProblemText says what is wrong with a bundle and who is hurt by it.
func ProblemText(p bundles.Problem) text.Msg {
	var what text.Msg
	switch p.Kind {
	case bundles.ProblemTruncated:
		what = text.M("bundle.truncated", "line", p.Line)
	case bundles.ProblemHeadless:
		what = text.M("bundle.headless", "line", p.Line)
	case bundles.ProblemGlued:
		what = text.M("bundle.glued", "line", p.Line)
	case bundles.ProblemBOM:
		what = text.M("bundle.bom", "line", p.Line)
	case bundles.ProblemUTF16:
		what = text.M("bundle.utf16")
	case bundles.ProblemDER:
		what = text.M("bundle.der", "line", p.Line)
	case bundles.ProblemPKCS7:
		what = text.M("bundle.pkcs7", "line", p.Line)
	case bundles.ProblemTrustedBlock:
		what = text.M("bundle.trusted", "line", p.Line)
	case bundles.ProblemBadBase64, bundles.ProblemBadDER:
		what = text.M("bundle.bad-block", "line", p.Line, "detail", p.Detail)
	case bundles.ProblemUnusual:
		what = text.M("bundle.unusual", "line", p.Line, "detail", p.Detail)
	case bundles.ProblemNone:
		what = text.M("bundle.none")
	case bundles.ProblemCRLF:
		return text.M("bundle.crlf", "line", p.Line)
	case bundles.ProblemDuplicate:
		return text.M("bundle.duplicate", "n", p.Detail)
	case bundles.ProblemPrivateKey:
		return text.M("bundle.private-key", "line", p.Line)
	default:
		what = text.M("bundle.junk", "line", p.Line, "detail", p.Detail)
	}
	switch breaks, hides := p.Breaks(), p.Hides(); {
	case len(breaks) > 0:
		return text.M("bundle.breaks", "what", what, "who", strings.Join(breaks, ", "))
	case len(hides) > 0:
		return text.M("bundle.hides", "what", what, "who", strings.Join(hides, ", "))
	}
	return what
}

// rootNames are the first names of certs, and how many more there are.
func rootNames(certs []*x509.Certificate) text.Msg {
	var names []string
	for _, c := range certs[:min(3, len(certs))] {
		names = append(names, bundles.Name(c))
	}
	list := strings.Join(names, ", ")
	if more := len(certs) - len(names); more > 0 {
		return text.M("store.names-more", "names", list, "n", more)
	}
	return text.Raw(list)
}
