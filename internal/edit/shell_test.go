package edit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestShellEntries(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{
			"the usual", "# c\nexport A=1 # why\nB=\"$HOME/x y\"\nC='it'; export C\nexport D=~/ca.pem E='q' F\ndeclare -x G=7\n",
			"2 A = \"1\" # why\n3 B = \"$HOME/x y\" quoted\n4 C = \"it\" quoted\n5 D = \"~/ca.pem\"\n5 E = \"q\" quoted\n6 G = \"7\"\n",
		},
		{"prefix of a command sets nothing", "A=1 cmd\nenv B=2 cmd\necho C=3\nprintf D=4 > E=5\n", ""},
		{"unset", "unset A B\nunset -f C\nunset -v D\n", "1 unset|A empty\n1 unset|B empty\n3 unset|D empty\n"},
		{"here-documents", "cat <<EOF > x\nexport A=1\nEOF\ncat <<-'E O' <<X\n\tB=2\n\tE O\nC=3\nX\nexport D=4\n", "9 D = \"4\"\n"},
		{
			"bodies", "f() {\n  export A=1\n}\nif [ -f /x ]; then B=2; else\n C=3\nfi\ncase $x in a|b) D=4;; *) E=5\nesac\n(F=6)\n",
			"2 A = \"1\"\n4 B = \"2\"\n5 C = \"3\"\n7 D = \"4\"\n7 E = \"5\"\n9 F = \"6\"\n",
		},
		{"quoted text", "echo \"\nexport A=1\n\"\necho 'export B=2\n'\nx=$(cat <<E\nC=it's\nE\n)\n", "6-9 x = \"$(cat <<E\\nC=its\\nE\\n)\"\n"},
		{"twice", "A=1\nexport A=2\n", "1 A = \"1\"\n2 A = \"2\"\n"},
		{"empty", "export A=\nB=\"\"\n", "1 A empty\n2 B = \"\" quoted\n"},
		{"continued line", "export A=1 \\\n  B=2\n", "1 A = \"1\"\n2 B = \"2\"\n"},
		{"arrays and +=", "A=(1 2)\nB+=x\nC[1]=y\n", ""},
		{"tests and arithmetic", "[[ $a =~ (x|y) && b < c ]] && A=1\n(( x << 2 ))\nfor ((i=0;i<3;i++)); do B=2; done\n", "1 A = \"1\"\n3 B = \"2\"\n"},
		{"expansions", "A=${B:-\"x } y\"}\nC=`echo \"D=1\"`\nE=$((1<<2))\nF=a#b\n", "1 A = \"${B:-x } y}\"\n2 C = \"`echo D=1`\"\n3 E = \"$((1<<2))\"\n4 F = \"a#b\"\n"},
		{"CRLF is a part of the value", "A=1\r\n", "1 A = \"1\\r\"\n"},
		{"function words", "function f { A=1; }\nfunction g() { B=2; }\n! C=3\n", "1 A = \"1\"\n2 B = \"2\"\n3 C = \"3\"\n"},
		{"loops", "while read x; do A=1; done < f\nfor x in B=2 c; do\n  D=3\ndone\nselect y in 1; do E=4; done\n", "1 A = \"1\"\n3 D = \"3\"\n5 E = \"4\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := list(parse(t, Shell, c.data))
			if got != c.want {
				t.Errorf("%q\ngot\n%swant\n%s", c.data, got, c.want)
			}
			oracle(t, Shell, []byte(c.data))
			shellAccepts(t, c.data)
		})
	}
}

// shellAccepts asks the real bash whether it can read a script, and what is
// left of it after each deletion.
func shellAccepts(t *testing.T, data string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		return
	}
	check := func(script string) {
		t.Helper()
		cmd := exec.Command(bash, "-n")
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("bash cannot read %q: %s", script, out)
		}
	}
	check(data)
	for _, e := range parse(t, Shell, data) {
		if after, err := Delete(Shell, []byte(data), e); err == nil {
			check(string(after))
		}
	}
}

func TestShellRefused(t *testing.T) {
	for data, line := range map[string]int{
		"A=1\nexport B=\"x\nC=2\n": 2,
		"a\nb\nX=$(foo\n":          3,
		"x='":                      1,
		"\nA=${b":                  2,
		strings.Repeat("$(", 5000): 1,
	} {
		_, err := Parse(Shell, []byte(data))
		var se *SyntaxError
		if !errors.As(err, &se) || se.Line != line {
			t.Errorf("%.40q: %v, want line %d", data, err, line)
		}
	}
}

func TestShellDelete(t *testing.T) {
	testDelete(t, Shell, []editCase{
		{"line", "a\nexport N=x # c\nb\n", "N", "a\nb\n"},
		{"no final newline", "a\nN=x", "N", "a\n"},
		{"one of several", "export A=1 N=x B=2\n", "N", "export A=1 B=2\n"},
		{"last of several", "export A=1 N=x # c\n", "N", "export A=1 # c\n"},
		{"first of several", "N=x B=2\n", "N", "B=2\n"},
		{"with its export", "N=x; export N\nA=1\n", "N", "A=1\n"},
		{"with its export, and more", "N=x; export N; A=1\n", "N", "A=1\n"},
		{"its export elsewhere", "N=x\nexport N\n", "N", "export N\n"},
		{"in front of ;", "N=x; echo a\n", "N", "echo a\n"},
		{"behind ;", "echo a; N=x\n", "N", "echo a\n"},
		{"only command of an if", "if a; then\n  export N=x\nfi\n", "N", "if a; then\n  :\nfi\n"},
		{"one of two in an if", "if a; then\n  export N=x\n  b\nfi\n", "N", "if a; then\n  b\nfi\n"},
		{"one-line if", "if a; then N=x; fi\n", "N", "if a; then :; fi\n"},
		{"function", "f() { N=x; }\n", "N", "f() { :; }\n"},
		{"case", "case a in\n a) N=x ;;\n *) b ;;\nesac\n", "N", "case a in\n a) : ;;\n *) b ;;\nesac\n"},
		{"chain", "test -f /x && export N=x\n", "N", "test -f /x && :\n"},
		{"chain over lines", "test -f /x &&\n  export N=x\n", "N", "test -f /x &&\n  :\n"},
		{"start of a chain", "export N=x && b\n", "N", ": && b\n"},
		{"pipe", "N=x | b\n", "N", ": | b\n"},
		{"negated", "! N=x\n", "N", "! :\n"},
		{"subshell", "(N=x)\n", "N", "(:)\n"},
		{"redirected", "N=x > y\n", "N", unproven},
		{"unset", "unset N\na\n", "unset|N", "a\n"},
		{"one of two unset", "unset N M\n", "unset|N", "unset M\n"},
		{"declare with options", "declare -x N=x\na\n", "N", "a\n"},
		{"last on a continued line", "export A=1 \\\n  N=x\na\n", "N", "export A=1 \\\n\na\n"},
		{"in the middle of a continued line", "export A=1 \\\n  N=x \\\n  B=2\n", "N", "export A=1 \\\n \\\n  B=2\n"},
		{"value over lines", "N='a\nb'\nc\n", "N", "c\n"},
		{"structure not understood", "N=x\nfi\n", "N", unproven},
		{"condition", "while N=x; do a; done\n", "N", "while :; do a; done\n"},
	})
}

func TestShellSet(t *testing.T) {
	for _, c := range []struct{ data, value, want string }{
		{"export N=x # c\n", "/etc/ca.pem", "export N=/etc/ca.pem # c\n"},
		{"export N=\"x\" M=1\n", "/a b", "export N=\"/a b\" M=1\n"},
		{"N='x'\n", "/a b", "N='/a b'\n"},
		{"N='x'\n", "it's", "N=\"it's\"\n"},
		{"N=x\n", "$HOME/ca.pem", "N=\"$HOME/ca.pem\"\n"},
		{"N=x\n", "~/ca.pem", "N=~/ca.pem\n"},
		{"N=x\n", "a`b\"c\\d", "N=\"a\\`b\\\"c\\\\d\"\n"},
		{"N=\n", "x", "N=x\n"},
		{"N=x\n", "a\nb", unproven},
		{"N=x\n", "~/a b", unproven},
	} {
		got, err := Set(Shell, []byte(c.data), pick(t, Shell, c.data, "N", 0), c.value)
		checkEdit(t, string(got), err, c.want)
	}
}

func TestShellAddAndRemoveItem(t *testing.T) {
	for _, c := range []struct{ data, value, want string }{
		{"", "/x", "export N=/x\n"},
		{"a", "/x y", "a\nexport N=\"/x y\"\n"},
		{"a\r\n", "/x", "a\r\nexport N=/x\n"},
		{"cat <<E\n", "/x", unproven},
		{"N=1\n", "/x", unproven},
	} {
		got, err := Add(Shell, []byte(c.data), []string{"N"}, c.value)
		checkEdit(t, string(got), err, c.want)
	}
	for _, c := range []struct{ data, want string }{
		{"export N=\"a b c\"\n", "export N=\"a c\"\n"},
		{"export N=\"b c\"\n", "export N=\"c\"\n"},
		{"export N=\"a b\"\n", "export N=\"a\"\n"},
		{"export N=b\n", ""},
		{"export N=a\\ b\n", unproven},
	} {
		got, err := RemoveItem(Shell, []byte(c.data), pick(t, Shell, c.data, "N", 0), "b")
		checkEdit(t, string(got), err, c.want)
	}
}

// TestShellAgreesWithBash sources files and compares what is exported.
func TestShellAgreesWithBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	for _, data := range []string{
		"export SSL_CERT_FILE=/a/b.pem\n", "SSL_CERT_FILE='/a b'; export SSL_CERT_FILE\n", "export SSL_CERT_FILE=\"a\\\"b\\\\c\"\n",
		"export SSL_CERT_FILE=a\\ b'c'\"d\"\n", "export A=1 SSL_CERT_FILE=/x # c\n", "export SSL_CERT_FILE=/x\r\n", "declare -x SSL_CERT_FILE=y\\\nz\n",
		"export SSL_CERT_FILE=/x; export SSL_CERT_FILE=/y\n", "if true; then export SSL_CERT_FILE=/t; fi\n", "cat <<E >/dev/null\nexport SSL_CERT_FILE=1\nE\n",
		"SSL_CERT_FILE=x true\n", "export SSL_CERT_FILE=a#b\n", "export SSL_CERT_FILE=\n",
	} {
		file := filepath.Join(t.TempDir(), "profile")
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bash, "--norc", "-c", `. "$0"; printf %s "${SSL_CERT_FILE-unset}"`, file)
		cmd.Env = []string{"PATH=/usr/bin:/bin"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		want := "unset"
		for _, e := range parse(t, Shell, data) {
			if e.Path[0] == "SSL_CERT_FILE" {
				want = e.Value
			}
		}
		if string(out) != want {
			t.Errorf("%q: bash %q, we %q", data, out, want)
		}
	}
}

func TestBlock(t *testing.T) {
	lines := []string{"export A=1", "export B=2"}
	const block = "# >>> trustfix >>>\nexport A=1\nexport B=2\n# <<< trustfix <<<\n"
	for _, c := range []struct{ data, want, removed string }{
		{"", block, ""},
		{"x=1\n", "x=1\n" + block, "x=1\n"},
		{"x=1", "x=1\n" + block, "x=1\n"},
		{"x=1\n# >>> trustfix >>>\nexport OLD=1\n# <<< trustfix <<<\ny=2\n", "x=1\n" + block + "y=2\n", "x=1\ny=2\n"},
		{"x=1\n# >>> trustfix >>>\ny=2\n", unproven, unproven},
		{"# <<< trustfix <<<\n", unproven, unproven},
		{block + block, unproven, unproven},
		{"N=1 cat <<E\n", unproven, "N=1 cat <<E\n"},
	} {
		got, err := SetBlock(Shell, []byte(c.data), lines)
		checkEdit(t, string(got), err, c.want)
		if err == nil {
			again, err := SetBlock(Shell, got, lines)
			checkEdit(t, string(again), err, c.want)
			c.data = string(got)
		}
		removed, err := RemoveBlock(Shell, []byte(c.data))
		checkEdit(t, string(removed), err, c.removed)
	}
	if got, err := RemoveBlock(Shell, []byte("x=1")); err != nil || string(got) != "x=1" {
		t.Errorf("a file without a block: %q, %v", got, err)
	}
	if _, err := SetBlock(Shell, nil, []string{"a\nb"}); !errors.Is(err, ErrUnproven) {
		t.Errorf("two lines in one: %v", err)
	}
}

func TestEnvFile(t *testing.T) {
	const data = "# c\nPATH=\"/usr/bin:/bin\"\nexport SSL_CERT_FILE=/x # why\n  A='b c'\nnot a line\nEMPTY=\nE2= # c\nQ=\"a\"b\nSSL_CERT_FILE=/y\n"
	const want = "2 PATH = \"/usr/bin:/bin\" quoted\n3 SSL_CERT_FILE = \"/x\" # why\n4 A = \"b c\" quoted\n6 EMPTY empty\n7 E2 empty # c\n8 Q = \"\\\"a\\\"b\"\n9 SSL_CERT_FILE = \"/y\"\n"
	if got := list(parse(t, EnvFile, data)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	oracle(t, EnvFile, []byte(data))
	oracle(t, EnvFile, []byte(strings.ReplaceAll(data, "\n", "\r\n")))
	testDelete(t, EnvFile, []editCase{
		{"line", "A=1\r\nN=x\r\nB=2\r\n", "N", "A=1\r\nB=2\r\n"},
		{"last without newline", "A=1\nN=x", "N", "A=1\n"},
		{"byte order mark", "\xef\xbb\xbfN=x\nA=1\n", "N", "\xef\xbb\xbfA=1\n"},
	})
	for _, c := range []struct{ data, value, want string }{
		{"N=\"x\"\r\n", "/y z", "N=\"/y z\"\r\n"},
		{"N=x # c\n", "/y", "N=/y # c\n"},
		{"N=\n", "/y", "N=/y\n"},
		{"N=x\n", "a\"b", unproven},
	} {
		got, err := Set(EnvFile, []byte(c.data), pick(t, EnvFile, c.data, "N", 0), c.value)
		checkEdit(t, string(got), err, c.want)
	}
	got, err := Add(EnvFile, []byte("A=1\r\n"), []string{"N"}, "/y")
	checkEdit(t, string(got), err, "A=1\r\nN=/y\r\n")
	_, err = Add(EnvFile, []byte("A=1\r\n"), []string{"N-O"}, "/y")
	checkEdit(t, "", err, unproven)
}

func FuzzShell(f *testing.F) {
	for _, s := range []string{
		"export A=1 N=x # c\nif a; then N=y; fi\n", "f() { N=x; }\ncase a in b) N=1;; esac\n", "N=x; export N\ncat <<E\nN=y\nE\n",
		"N=$(a \"$(b)\") && N=${x:-'y'}\n", "unset N M\n(N=1)\nwhile N=x; do N=y; done\n", "export A=1 \\\n N=2\n[[ a < b ]] && N=1\n((1))\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { oracle(t, Shell, data) })
}

func FuzzEnvFile(f *testing.F) {
	f.Add([]byte("A=1\nexport N='x y' # c\nB=\"q\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) { oracle(t, EnvFile, data) })
}
