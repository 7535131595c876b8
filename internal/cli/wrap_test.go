package cli

import (
	"slices"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestWrapWords(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  []string
	}{
		{"", 20, []string{""}},
		{"short", 20, []string{"short"}},
		{"the file /etc/ssl/ca-certificates.crt is missing", 36, []string{"the file", "/etc/ssl/ca-certificates.crt is", "missing"}},
		{"nothing can change that (server-expired)", 30, []string{"nothing can change that", "(server-expired)"}},
		{"a /very/long/path/that-does/not-fit/into/one x", 20, []string{"a", "/very/long/path/", "that-does/not-fit/", "into/one x"}},
		{"0123456789012345678901234", 10, []string{"0123456789", "0123456789", "01234"}},
		{"conda 会拒绝：对方的证书无效（server-expired）。", 20, []string{"conda 会拒绝：对方的", "证书无效", "（server-expired）。"}},
		{"请检查 /etc/resolv.conf 中的服务器。", 16, []string{"请检查", "/etc/resolv.conf", "中的服务器。"}},
		{"一二三四五，六", 10, []string{"一二三四", "五，六"}},
		{"\x1b[1mbold words\x1b[m here", 10, []string{"\x1b[1mbold words\x1b[m", "here"}},
		{"one\ntwo three", 5, []string{"one", "two", "three"}},
	} {
		got := wrapWords(c.in, c.width)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: %q, not %q", c.in, c.width, got, c.want)
		}
		for _, l := range got {
			if ansi.StringWidth(l) > c.width {
				t.Errorf("%q in %d: %q is too wide", c.in, c.width, l)
			}
		}
	}
}
