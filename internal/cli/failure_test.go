package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// An interrupted program says so in its document, not in a library's words.
func TestInterruptedDocument(t *testing.T) {
	var out, errs bytes.Buffer
	s := newSession(Process{Args: []string{"trustfix", "--json"}, Stdout: &out, Stderr: &errs})
	err := context.Canceled
	s.fail(s.report(err), err)
	if got := out.String(); !strings.Contains(got, `"code": 130`) || !strings.Contains(got, `"message": "interrupted"`) {
		t.Errorf("got %s", got)
	}
}
