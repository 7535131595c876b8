package edit

import (
	"errors"
	"strings"
	"testing"
)

func TestYAMLEntries(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{
			"condarc", "channels:\n  - defaults  # first\n  - conda-forge\n# off\nssl_verify: false #!final\n",
			"1-3 channels parent\n2 channels|0 = \"defaults\" # first\n3 channels|1 = \"conda-forge\"\n5 ssl_verify = \"false\" #!final\n",
		},
		{
			"verbatim", "a: no\nb: off\nc: \"no\"\nd: 'n''o'\ne: 0x0\nf: !!bool \"false\"\ng: ~\n",
			"1 a = \"no\"\n2 b = \"off\"\n3 c = \"no\" quoted\n4 d = \"n'o\" quoted\n5 e = \"0x0\"\n6 f = \"false\" quoted !!bool\n7 g = \"~\"\n",
		},
		{"empty key", "ssl_verify:\nchannels: []\n", "1 ssl_verify empty\n2 channels parent\n"},
		{"empty key, comment", "ssl_verify:  # off?\n", "1 ssl_verify empty # off?\n"},
		{"empty string", "a: \"\"\nb: ''\n", "1 a = \"\" quoted\n2 b = \"\" quoted\n"},
		{"BOM and CRLF", "\xef\xbb\xbfssl_verify: false\r\nchannels:\r\n- a\r\n", "1 ssl_verify = \"false\"\n2-3 channels parent\n3 channels|0 = \"a\"\n"},
		{
			"flow", "{ssl_verify: false, channels: [a, \"b\"]} # x\n",
			"1 ssl_verify = \"false\"\n1 channels parent\n1 channels|0 = \"a\"\n1 channels|1 = \"b\" quoted\n",
		},
		{"quoted keys", "\"ssl_verify\": false\n'a b': 1\n", "1 ssl_verify = \"false\"\n2 a b = \"1\"\n"},
		{"aliases", "a: &x false\nssl_verify: *x\n", "1 a = \"false\"\n2 ssl_verify = \"false\"\n"},
		{"merge", "base: &b\n  ssl_verify: no\n<<: *b\n", "1-2 base parent\n2 base|ssl_verify = \"no\"\n3 << parent\n2 ssl_verify = \"no\"\n"},
		{
			"scalars of several lines", "a: |\n  x\n  # y\n\nb: one\n  two\nc: \"one\n  two\" # z\n",
			"1-3 a = \"x\\n# y\\n\" quoted\n5-6 b = \"one two\"\n7-8 c = \"one two\" quoted # z\n",
		},
		{"nested", "proxy_servers:\n  http: http://p:1 # p\n  https: x\n", "1-3 proxy_servers parent\n2 proxy_servers|http = \"http://p:1\" # p\n3 proxy_servers|https = \"x\"\n"},
		{"parent with comment", "channels: #!final\n- a #!top\n", "1-2 channels parent #!final\n2 channels|0 = \"a\" #!top\n"},
		{"document marks", "%YAML 1.2\n---\na: 1\n...\n", "3 a = \"1\"\n"},
		{"only comments", "# nothing\n\n", ""},
		{"unicode", "ключ: значение # да\n\"é\": 1\n", "1 ключ = \"значение\" # да\n2 é = \"1\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := list(parse(t, YAML, c.data))
			if got != c.want {
				t.Errorf("%q\ngot\n%swant\n%s", c.data, got, c.want)
			}
			oracle(t, YAML, []byte(c.data))
		})
	}
}

func TestYAMLRefused(t *testing.T) {
	for _, c := range []struct {
		name, data string
		line       int
		says       string
	}{
		{"tab", "channels:\n\t- a\n", 2, "tab"},
		{"tab behind the colon", "a: 1\nssl_verify:\tfalse\n", 2, "tab"},
		{"tab on an empty line", "a: 1\n\t\nb: 2\n", 2, "tab"},
		{"duplicate key", "ssl_verify: false\na: 1\nssl_verify: true\n", 3, "line 1"},
		{"duplicate key below", "a:\n  b: 1\n  b: 2\n", 3, "line 2"},
		{"several documents", "a: 1\n---\nb: 2\n", 2, "second document"},
		{"UTF-16", "\xff\xfea\x00:\x00 \x001\x00", 1, "UTF-16"},
		{"UTF-16 without mark", "a\x00:\x00 \x001\x00\n\x00", 1, "UTF-16"},
		{"list", "- a\n", 1, "key: value"},
		{"scalar", "ssl_verify\n", 1, "key: value"},
		{"unclosed", "a: 1\nb: [1, 2\n", 2, ""},
		{"deep", "a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), 1, "deeper"},
		{"huge", "a: " + strings.Repeat("x", maxYAML), 1, "bytes"},
		{"not UTF-8", "a: \xff\n", 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(YAML, []byte(c.data))
			var se *SyntaxError
			if !errors.As(err, &se) || se.Line != c.line || !strings.Contains(se.Msg, c.says) {
				t.Errorf("got %v, want line %d: …%s…", err, c.line, c.says)
			}
		})
	}
}

// unproven in the place of a result.
const unproven = "\x00unproven"

type editCase struct {
	name, data, path string
	want             string
}

func testDelete(t *testing.T, f Format, cases []editCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Delete(f, []byte(c.data), pick(t, f, c.data, c.path, 0))
			checkEdit(t, string(got), err, c.want)
		})
	}
}

func checkEdit(t *testing.T, got string, err error, want string) {
	t.Helper()
	switch {
	case want == unproven && !errors.Is(err, ErrUnproven):
		t.Errorf("got %q, %v; want ErrUnproven", got, err)
	case want != unproven && err != nil:
		t.Error(err)
	case want != unproven && got != want:
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestYAMLDelete(t *testing.T) {
	testDelete(t, YAML, []editCase{
		{"line with its comment", "a: 1\n# why\nssl_verify: false # off\nb: 2\n", "ssl_verify", "a: 1\n# why\nb: 2\n"},
		{"CRLF", "a: 1\r\nssl_verify: no\r\nb: 2\r\n", "ssl_verify", "a: 1\r\nb: 2\r\n"},
		{"first, BOM", "\xef\xbb\xbfssl_verify: no\nb: 2\n", "ssl_verify", "\xef\xbb\xbfb: 2\n"},
		{"no final newline", "a: 1\nssl_verify: no", "ssl_verify", "a: 1\n"},
		{"empty value", "ssl_verify:\nb: 2\n", "ssl_verify", "b: 2\n"},
		{"the only key", "ssl_verify: no\n", "ssl_verify", ""},
		{"the only key, comment stays", "# mine\nssl_verify: no\n", "ssl_verify", "# mine\n"},
		{"flow, first", "{ssl_verify: false, channels: [a]}\n", "ssl_verify", "{channels: [a]}\n"},
		{"flow, last", "{channels: [a], ssl_verify: false}\n", "ssl_verify", "{channels: [a]}\n"},
		{"flow, only", "{ssl_verify: false}\n", "ssl_verify", "{}\n"},
		{"flow over lines", "{\n  a: 1,\n  ssl_verify: false\n}\n", "ssl_verify", "{\n  a: 1,\n}\n"},
		{"flow over lines, middle", "{\n  a: 1, # x\n  ssl_verify: false, # off\n  b: 2\n}\n", "ssl_verify", "{\n  a: 1, # x\n  b: 2\n}\n"},
		{"flow list element", "channels: [a, b, c]\n", "channels|1", "channels: [a, c]\n"},
		{"flow list, last element", "channels: [a]\n", "channels|0", "channels: []\n"},
		{"block list element", "channels:\n- a\n- b\n- c\n", "channels|1", "channels:\n- a\n- c\n"},
		{"block list, only element", "channels:\n- a\nb: 1\n", "channels|0", "channels:\n  []\nb: 1\n"},
		{"whole list", "channels:\n  - a\n  # mid\n  - b\n\nb: 1\n", "channels", "\nb: 1\n"},
		{"nested", "p:\n  http: a\n  https: b\n", "p|http", "p:\n  https: b\n"},
		{"nested, only", "p:\n  http: a\nq: 1\n", "p|http", "p:\n  {}\nq: 1\n"},
		{"map in a list, first key", "l:\n- a: 1\n  b: 2\n", "l|0|a", "l:\n- b: 2\n"},
		{"block scalar", "a: |\n  x\n\n  y\nb: 1\n", "a", "b: 1\n"},
		{"folded in quotes", "a: \"x\n  y\"\nb: 1\n", "a", "b: 1\n"},
		{"anchor used elsewhere", "a: &x no\nssl_verify: *x\n", "a", unproven},
		{"alias", "a: &x no\nssl_verify: *x\n", "ssl_verify", "a: &x no\n"},
		{"anchor used nowhere", "a: &x no\nb: 1\n", "a", "b: 1\n"},
		{"behind ---", "---\nssl_verify: no\n", "ssl_verify", "---\n"},
		{"explicit key", "? ssl_verify\n: no\n", "ssl_verify", unproven},
		{"merge key base", "base: &b\n  ssl_verify: no\n  x: 1\n<<: *b\n", "base|ssl_verify", unproven},
	})
	data := "base: &b\n  ssl_verify: no\n<<: *b\n"
	_, err := Delete(YAML, []byte(data), pick(t, YAML, data, "ssl_verify", 0))
	checkEdit(t, "", err, unproven)
}

func TestYAMLSet(t *testing.T) {
	for _, c := range []struct{ data, path, value, want string }{
		{"ssl_verify: false  # off\r\nb: 1\r\n", "ssl_verify", "true", "ssl_verify: true  # off\r\nb: 1\r\n"},
		{"ssl_verify:\n", "ssl_verify", "/etc/ca.pem", "ssl_verify: /etc/ca.pem\n"},
		{"ssl_verify: # off\n", "ssl_verify", "true", "ssl_verify: true # off\n"},
		{"ssl_verify: 'no'\n", "ssl_verify", "/a b/it's.pem", "ssl_verify: '/a b/it''s.pem'\n"},
		{"ssl_verify: \"no\"\n", "ssl_verify", `C:\ca.pem`, "ssl_verify: \"C:\\\\ca.pem\"\n"},
		{"ssl_verify: no\n", "ssl_verify", "a: b # c", "ssl_verify: \"a: b # c\"\n"},
		{"ssl_verify: !!bool \"false\"\n", "ssl_verify", "true", "ssl_verify: \"true\"\n"},
		{"{ssl_verify: no, b: 1}", "ssl_verify", "a, b", "{ssl_verify: \"a, b\", b: 1}"},
		{"ssl_verify: |\n  no\nb: 1\n", "ssl_verify", "true", "ssl_verify: true\nb: 1\n"},
		{"a: &x no\nb: *x\n", "a", "yes", unproven},
		{"a: &x no\nb: *x\n", "b", "yes", "a: &x no\nb: yes\n"},
		{"a:\n- x\n- y\n", "a|1", "z", "a:\n- x\n- z\n"},
		{"a: [x]\n", "a", "z", unproven},
	} {
		got, err := Set(YAML, []byte(c.data), pick(t, YAML, c.data, c.path, 0), c.value)
		checkEdit(t, string(got), err, c.want)
	}
}

func TestYAMLAdd(t *testing.T) {
	for _, c := range []struct{ data, path, value, want string }{
		{"", "ssl_verify", "/ca.pem", "ssl_verify: /ca.pem\n"},
		{"# c\n", "ssl_verify", "true", "# c\nssl_verify: true\n"},
		{"a: 1\r\n", "ssl_verify", "true", "a: 1\r\nssl_verify: true\r\n"},
		{"a: 1", "ssl_verify", "true", "a: 1\nssl_verify: true\n"},
		{"---\na: 1\n...\n", "ssl_verify", "true", "---\na: 1\nssl_verify: true\n...\n"},
		{"{a: 1}\n", "ssl_verify", "true", "{a: 1, ssl_verify: true}\n"},
		{"{}\n", "ssl_verify", "true", "{ssl_verify: true}\n"},
		{"a: 1\np:\n    http: x\nb: 2\n", "p|https", "http://y:1", "a: 1\np:\n    http: x\n    https: http://y:1\nb: 2\n"},
		{"a: 1\n", "p|https", "y", "a: 1\np:\n  https: y\n"},
		{"p: {}\n", "p|https", "y", "p: {https: y}\n"},
		{"p: {a: 1}\n", "p|https", "y", "p: {a: 1, https: y}\n"},
		{"a: 1\n", "a", "2", unproven},
		{"a:\n- b\n", "a|c", "2", unproven},
	} {
		got, err := Add(YAML, []byte(c.data), strings.Split(c.path, "|"), c.value)
		checkEdit(t, string(got), err, c.want)
	}
}

func TestYAMLRemoveItem(t *testing.T) {
	for _, c := range []struct{ data, item, want string }{
		{"l: [a, b]\nc: 1\n", "a", "l: [b]\nc: 1\n"},
		{"l:\n- a\n- b\n- a\nc: 1\n", "a", "l:\n- b\nc: 1\n"},
		{"l:\n- a\nc: 1\n", "a", "c: 1\n"},
		{"l:\n- a\nc: 1\n", "z", unproven},
	} {
		got, err := RemoveItem(YAML, []byte(c.data), pick(t, YAML, c.data, "l", 0), c.item)
		checkEdit(t, string(got), err, c.want)
	}
}

func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"channels:\n  - a  # first\n  - b\nssl_verify: false #!final\n", "{a: 1, b: [x, \"y\"]}\n", "a: &x no\nb: *x\n<<: {c: 1}\n",
		"a: |\n  x\n\nb: >-\n  y\n z: 1\n", "\xef\xbb\xbfa: 'it''s'\r\nb: \"\\\"\"\r\n", "---\n? a\n: b\n...\n", "a:\n- b: 1\n  c: 2\n- - d\n", "a: !!str\nb: ! x\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { oracle(t, YAML, data) })
}
