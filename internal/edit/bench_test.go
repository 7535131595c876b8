package edit

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func bigCondarc(lines int) []byte {
	var b strings.Builder
	b.WriteString("channels:\n")
	for i := range lines - 3 {
		fmt.Fprintf(&b, "  - https://host%d.example/conda # mirror\n", i)
	}
	b.WriteString("ssl_verify: false\nauto: true\n")
	return []byte(b.String())
}

func bigNpmrc(lines int) []byte {
	var b strings.Builder
	for i := range lines - 1 {
		fmt.Fprintf(&b, "@scope%d:registry=https://host%d.example/npm/\n", i, i)
	}
	b.WriteString("strict-ssl=false\n")
	return []byte(b.String())
}

func bigProfile(lines int) []byte {
	return []byte(strings.Repeat("export PATH=\"$HOME/bin:$PATH\" # c\n", lines-1) + "export SSL_CERT_FILE=/x\n")
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name   string
		format Format
		data   []byte
	}{
		{"condarc of 5000 lines", YAML, bigCondarc(5000)},
		{"npmrc of 20000 lines", Npmrc, bigNpmrc(20000)},
		{"profile of 5000 lines", Shell, bigProfile(5000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				if _, err := Parse(c.format, c.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDelete(b *testing.B) {
	data := bigCondarc(5000)
	entries, err := Parse(YAML, data)
	if err != nil {
		b.Fatal(err)
	}
	e, _ := findValue(entries, []string{"ssl_verify"}, "false")
	for b.Loop() {
		if _, err := Delete(YAML, data, e); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBadInputEnds reads the shapes that make careless parsers quadratic or
// overflow their stack. The limit is far above what any of them needs: it tells
// a second from an hour.
func TestBadInputEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 200 MB")
	}
	const size = 1 << 17
	shapes := []string{"a", "[", "{", "(", "$(", "\"", "'", "`", "a=1;", "a=1 ", "a\n", "\n", "\\\n", "\r", " ", "#", "# c\n", "[a]\n", "a{", "a=", "a: ", "- ", "? ", "&a ", "*a ", "\"\"", "{a: ", "[a, ", "a \\\n", "<<a\n", "a && ", "if a\n", "case a in\n", "a=\"$(", "${", "/*", "::", "\x00", "[[a]]\n", "a.", "a=[", "{\"a\":", "[1,", "1,", "f(){ ", "set -x A b;", "export A=1 ", "\tx\n", "  ", "!!a ", "\u2028", "a: 1\n", "a='''", "- a: |\n  "}
	for _, f := range []Format{YAML, INI, TOML, JSON, Npmrc, Yarnrc, Curlrc, Wgetrc, GitConfig, AptConf, Properties, Options, Shell, EnvFile, Fish, Csh} {
		for _, shape := range shapes {
			for _, data := range []string{strings.Repeat(shape, size/len(shape)), "[a]\nb=1\n" + strings.Repeat(shape, size/len(shape))} {
				start := time.Now()
				entries, err := Parse(f, []byte(data))
				if d := time.Since(start); d > 20*time.Second {
					t.Errorf("%s: %q repeated takes %v", f, shape, d)
				} else if d > time.Second {
					t.Logf("%s: %q repeated takes %v (%d entries, %v)", f, shape, d.Round(time.Millisecond), len(entries), err)
				}
			}
		}
	}
}
