package edit

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestINIEntries(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{
			"pip.conf", "[global]\ntrusted-host = a\n    b\nindex-url: https://x/simple ; note\n# c\n; c\n[install]\ncert=\n",
			"2-3 global|trusted-host = \"a\\nb\"\n4 global|index-url = \"https://x/simple ; note\"\n8 install|cert empty\n",
		},
		{"percent", "[global]\nproxy = http://u:%40@p:1\n", "2 global|proxy = \"http://u:%40@p:1\"\n"},
		{"comment and blank line in a value", "[g]\na = 1\n# c\n  2\n\n  3\nb = 4\n", "2-6 g|a = \"1\\n2\\n\\n3\"\n7 g|b = \"4\"\n"},
		{"value on the next line", "[g]\na =\n  x\n", "2-3 g|a = \"\\nx\"\n"},
		{"indented keys", "[g]\n  a = 1\n  b = 2\n", "2 g|a = \"1\"\n3 g|b = \"2\"\n"},
		{"CRLF", "[g]\r\na = 1\r\n", "2 g|a = \"1\"\n"},
		{"key as written", "[g]\nTrusted_Host = a\n", "2 g|Trusted_Host = \"a\"\n"},
		{"DEFAULT twice", "[DEFAULT]\na=1\n[x]\na=2\n[DEFAULT]\nb=3\n", "2 DEFAULT|a = \"1\"\n4 x|a = \"2\"\n6 DEFAULT|b = \"3\"\n"},
		{"text behind the header", "[g] # c\na = 1\n", "2 g|a = \"1\"\n"},
		{"lone CR", "[g]\ra = 1\rb = 2\r", "2 g|a = \"1\"\n3 g|b = \"2\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := list(parse(t, INI, c.data)); got != c.want {
				t.Errorf("%q\ngot\n%swant\n%s", c.data, got, c.want)
			}
			if c.name != "lone CR" {
				oracle(t, INI, []byte(c.data))
			}
		})
	}
}

func TestINIRefused(t *testing.T) {
	for _, c := range []struct {
		name, data string
		line       int
		says       string
	}{
		{"section twice", "[global]\na=1\n\n[global]\nb=1\n", 4, "line 1"},
		{"key twice", "[global]\ncert=1\nCert=2\n", 3, "line 2"},
		{"no section", "cert = x\n", 1, "[section]"},
		{"byte order mark", "\xef\xbb\xbf[global]\n", 1, "byte order mark"},
		{"no delimiter", "[g]\na = 1\n\nb\n", 4, "key = value"},
		{"UTF-16", "\xff\xfe[\x00g\x00]\x00", 1, "UTF-16"},
		{"not UTF-8", "[g]\na = \xff\n", 2, "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(INI, []byte(c.data))
			var se *SyntaxError
			if !errors.As(err, &se) || se.Line != c.line || !strings.Contains(se.Msg, c.says) {
				t.Errorf("got %v, want line %d: …%s…", err, c.line, c.says)
			}
		})
	}
}

func TestINIDelete(t *testing.T) {
	testDelete(t, INI, []editCase{
		{"with its continuation", "[g]\na = 1\ntrusted-host = x\n    y\n\nb = 2\n", "g|trusted-host", "[g]\na = 1\n\nb = 2\n"},
		{"the only key", "[g]\ncert = x\n", "g|cert", "[g]\n"},
		{"CRLF, no final newline", "[g]\r\na = 1\r\ncert = x", "g|cert", "[g]\r\na = 1\r\n"},
		{"comment above stays", "[g]\n# why\ncert = x\na = 1\n", "g|cert", "[g]\n# why\na = 1\n"},
	})
}

func TestINISetAddRemove(t *testing.T) {
	set := func(data, path, value, want string) {
		t.Helper()
		got, err := Set(INI, []byte(data), pick(t, INI, data, path, 0), value)
		checkEdit(t, string(got), err, want)
	}
	set("[g]\r\ncert = x\r\nb=1\r\n", "g|cert", "/y z", "[g]\r\ncert = /y z\r\nb=1\r\n")
	set("[g]\ncert =\n", "g|cert", "y", "[g]\ncert = y\n")
	set("[g]\ncert=\n", "g|cert", "y", "[g]\ncert=y\n")
	set("[g]\nh = a\n  b\n  c\nz=1\n", "g|h", "c\nd", "[g]\nh = c\n  d\nz=1\n")
	set("[g]\nh = a\n", "g|h", " x", unproven)
	add := func(data, path, value, want string) {
		t.Helper()
		got, err := Add(INI, []byte(data), strings.Split(path, "|"), value)
		checkEdit(t, string(got), err, want)
	}
	add("", "global|cert", "/x", "[global]\ncert = /x\n")
	add("[a]\r\nb=1\r\n[c]\r\n", "a|d", "2", "[a]\r\nb=1\r\nd=2\r\n[c]\r\n")
	add("[a]\nb = 1\n    2\n\n[c]", "c|d", "2", "[a]\nb = 1\n    2\n\n[c]\nd = 2\n")
	add("[a]\nb = 1", "c|d", "2", "[a]\nb = 1\n\n[c]\nd = 2\n")
	add("[a]\nb = 1\n", "a|B", "2", unproven)
	remove := func(data, item, want string) {
		t.Helper()
		got, err := RemoveItem(INI, []byte(data), pick(t, INI, data, "g|trusted-host", 0), item)
		checkEdit(t, string(got), err, want)
	}
	remove("[g]\ntrusted-host = a b c\nx=1\n", "b", "[g]\ntrusted-host = a c\nx=1\n")
	remove("[g]\ntrusted-host = a b c\nx=1\n", "c", "[g]\ntrusted-host = a b\nx=1\n")
	remove("[g]\ntrusted-host = a\n", "a", "[g]\n")
	remove("[g]\r\ntrusted-host =\r\n    a\r\n    b\r\nx=1\r\n", "a", "[g]\r\ntrusted-host =\r\n    b\r\nx=1\r\n")
	remove("[g]\ntrusted-host =\n    a\n    b\nx=1\n", "b", "[g]\ntrusted-host =\n    a\nx=1\n")
	remove("[g]\ntrusted-host = ab\n    b\n    a\n    b\nx=1\n", "b", "[g]\ntrusted-host = ab\n    a\nx=1\n")
	remove("[g]\ntrusted-host = a.b\n", "a", unproven)
}

// python is a Python 3 to compare with; "" where there is none.
func python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3.11", "python3.12", "python3.13", "python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-I", "-c", "import configparser").Run() == nil {
			return path
		}
	}
	return ""
}

const readINI = `
import configparser, json, sys
p = configparser.RawConfigParser()
try:
    with open(sys.argv[1], encoding="utf-8") as f:
        p.read_file(f)
except (configparser.Error, UnicodeDecodeError) as e:
    print(json.dumps({"error": type(e).__name__, "line": getattr(e, "lineno", None)}))
else:
    print(json.dumps({"values": [[s, k, v] for s, d in [("DEFAULT", p._defaults), *p._sections.items()] for k, v in d.items()]}))
`

// TestINIAgreesWithConfigparser reads the files of all ini tests with the real
// program.
func TestINIAgreesWithConfigparser(t *testing.T) {
	py := python(t)
	if py == "" {
		t.Skip("no python3 here")
	}
	for _, data := range []string{
		"[global]\ntrusted-host = a\n    b\nindex-url: https://x/simple ; note\n# c\n; c\n[install]\ncert=\n",
		"[g]\na = 1\n# c\n  2\n\n  3\nb = 4\n", "[g]\na =\n  x\n", "[g]\n  a = 1\n  b = 2\n", "[g]\r\na = 1\r\n",
		"[g] # c\na = 1\n", "[g]\ra = 1\rb = 2\r", "[global]\na=1\n[global]\n", "[g]\na=1\nA=2\n", "a=1\n", "\xef\xbb\xbf[g]\n",
		"[g]\nb\n", "[DEFAULT]\na=1\n[DEFAULT]\nb=2\n", "[g]\na = 1\n\n\n\n", "[g]\n= x\n", "[g]\n[]\n", "[g]]\na=[x]\n", "[g]\na=%(x)s\n",
		"[g]\nx y = z : w\n\u00a0b = 1\n", "[g]\na=1\n\tb=2\n c\n#d\n ;e\n f", "[g]\na = \xff\n", "[g]\na: b = c\nd = e: f\n", "[g]\nA.b-C_d = 1\n",
	} {
		file := filepath.Join(t.TempDir(), "x.ini")
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(py, "-I", "-c", readINI, file)
		cmd.Env = []string{"LC_ALL=C.UTF-8"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var py struct {
			Error  string
			Values [][3]string
		}
		if err := json.Unmarshal(out, &py); err != nil {
			t.Fatal(err)
		}
		entries, err := Parse(INI, []byte(data))
		if (err != nil) != (py.Error != "") {
			t.Errorf("%q: configparser %q, we %v", data, py.Error, err)
			continue
		}
		if len(entries) != len(py.Values) {
			t.Errorf("%q: configparser %q, we\n%s", data, py.Values, list(entries))
			continue
		}
		for _, v := range py.Values {
			found := false
			for _, e := range entries {
				found = found || e.Path[0] == v[0] && strings.ToLower(e.Path[1]) == v[1] && e.Value == v[2]
			}
			if !found {
				t.Errorf("%q: configparser has %q, we\n%s", data, v, list(entries))
			}
		}
	}
}

func FuzzINI(f *testing.F) {
	for _, s := range []string{"[global]\ntrusted-host = a\n    b\n# c\n\n d\ncert: x\n", "[a]\r\nb=1\r\n[DEFAULT]\r\nc\r\n", " [a]\n  b=1\n c=2\n d\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { oracle(t, INI, data) })
}
