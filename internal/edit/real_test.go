package edit

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// These tests ask the programs that own the formats. They run where the
// programs are, with an empty environment and no files but their own.

func writeFile(t *testing.T, data string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func look(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here", name)
	}
	return path
}

func TestGitConfigAgreesWithGit(t *testing.T) {
	git := look(t, "git")
	for _, data := range []string{
		"[http]\n\tsslVerify = false ; off\n\tproxy = \"http://p # x\"\n\tbare\n\tempty =\n", "[http \"https://X/ \\\"q\\\"\"]\n\ta = /a \\\n  b\n",
		"[core.Sub] a = 1\n", "\xef\xbb\xbf[a]\r\nb = c\r\nd = \"e\" f \"g\" \r\n", "[a]\nb = \\t\\n\\\\\\\"x\n", "[a]\nb = x ; y\n[A]\nc=\"\"\n",
		"a = 1\n", "[a]\n\tb = \"c\n", "[a]\nb = \\x\n", "[a\nb=1\n", "[a]\n1 = 2\n", "[a]\nb c\n", "[a]b=1\n[c] ; x\n d\n", "[a]\nb = x\\\n\\\ny\n", "[a \"\"]\nb=1\n",
		"[a]\nb = x#y\n", "[a]\nb = \"x\\\ny\"\n", "[a]\nb = \\\n  x\n", "[a]\nb = \"\" x\n", "[a]\nb=\\\n \nc=1\n", "[a]\nb=1\n\n;c\n#d\n   e   =   f g   \n",
	} {
		cmd := exec.Command(git, "config", "-f", writeFile(t, data), "--list", "-z")
		cmd.Env = []string{"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1"}
		out, gitErr := cmd.Output()
		entries, err := Parse(GitConfig, []byte(data))
		if (gitErr != nil) != (err != nil) {
			t.Errorf("%q: git %v, we %v", data, gitErr, err)
			continue
		}
		var want, got []string
		if gitErr == nil {
			want = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		}
		for _, e := range entries {
			path := slices.Clone(e.Path)
			path[0], path[len(path)-1] = strings.ToLower(path[0]), strings.ToLower(path[len(path)-1])
			line := strings.Join(path, ".")
			if !e.Empty {
				line += "\n" + e.Value
			}
			got = append(got, line)
		}
		if gitErr == nil && !slices.Equal(got, want) {
			t.Errorf("%q\ngit %q\nwe  %q", data, want, got)
		}
	}
}

func TestNpmrcAgreesWithNpm(t *testing.T) {
	node := look(t, "node")
	npm, err := filepath.EvalSymlinks(look(t, "npm"))
	if err != nil {
		t.Fatal(err)
	}
	ini := filepath.Join(filepath.Dir(npm), "..", "node_modules", "ini")
	if _, err := os.Stat(ini); err != nil {
		t.Skip("npm keeps its ini parser elsewhere here")
	}
	const script = `
const ini = require(process.argv[1])
const out = []
const flat = (path, o) => { for (const k of Object.keys(o)) {
  const v = o[k]
  if (Array.isArray(v)) v.forEach(x => out.push([...path, k + "[]", String(x)]))
  else if (v && typeof v === "object") flat([...path, k], v)
  else out.push([...path, k, String(v)]) } }
flat([], ini.parse(require("fs").readFileSync(process.argv[2], "utf8")))
console.log(JSON.stringify(out))`
	for _, data := range []string{
		"; c\nstrict-ssl=false\ncafile = \"/a b\"\nregistry=https://r/ # y\n//r/:_authToken=${T}\nca[]=\"one\\ntwo\"\nca[]=x\nbare\na=b=c\ne=\nf=x\\;y\n",
		"a='b'\nc='\"d\"'\ne=\"\ng='\nh=''\ni=\"\"\nj=\"a\" b\nk=\\\nl=a\\\\b\\c\n", "x=1\n[s]\ny=2\n[t] # no header\n", "\xef\xbb\xbfa=1\r\nb = 2 ; c\r\n", "a=1\rb=2\n", "\"q k\"=v\n", " a = b \n\tc\n",
	} {
		cmd := exec.Command(node, "-e", script, ini, writeFile(t, data))
		cmd.Env = []string{}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var want [][]string
		if err := json.Unmarshal(out, &want); err != nil {
			t.Fatal(err)
		}
		var got [][]string
		for _, e := range parse(t, Npmrc, data) {
			value := e.Value
			if e.Empty {
				value = "true"
			}
			got = append(got, append(slices.Clone(e.Path), value))
		}
		if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("%q\nnpm %q\nwe  %q", data, want, got)
		}
	}
}

func TestAptConfAgreesWithApt(t *testing.T) {
	apt := look(t, "apt-config")
	for _, data := range []string{
		"// c\nZz::https::Verify-Peer \"false\"; // off\nZz {\n  https::host { Verify-Host \"no\"; };\n  http { Proxy \"http://p\"; # p\n  };\n};\n/* Zz::a \"b\"; */\n# c\nZz::z \"1\";\n",
		"Zz { a \"1\"; b { c \"2\"; }; };\n", "Zz::a { b \"c\"; }\nZz::d \"e\" ;\n", "Zz::a \"b;c // d\";\n", "Zz::a 1;\nZz::b \"x\"; Zz::c \"y\";\n",
		"Zz::a \"1\";\r\nZz::b \"2\";\r\n",
		"Zz::a \"b\"\n", "Zz { a \"b\";\n", "Zz::a\n\"b\";\n",
	} {
		// no configuration of this machine: only the named file's names are asked for
		cmd := exec.Command(apt, "dump", "--no-empty", "Zz")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "APT_CONFIG=" + writeFile(t, data)}
		out, aptErr := cmd.Output()
		entries, err := Parse(AptConf, []byte(data))
		if (aptErr != nil) != (err != nil) {
			t.Errorf("%q: apt %v, we %v", data, aptErr, err)
			continue
		}
		want := strings.Split(strings.TrimSpace(string(out)), "\n")
		if aptErr != nil {
			continue
		}
		var got []string
		for _, e := range entries {
			got = append(got, strings.Join(e.Path, "::")+` "`+e.Value+`";`)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q\napt %q\nwe  %q", data, want, got)
		}
	}
}

// TestWgetrcAgreesWithWget asks wget only whether it can read the file: with no
// address to fetch it stops right after.
func TestWgetrcAgreesWithWget(t *testing.T) {
	wget := look(t, "wget")
	for _, data := range []string{
		"# c\ncheck_certificate = off\nCheck-Certificate=no\n checkcertificate = 0\nca_certificate=/x\n", "tries = 3 \t\n\n",
		"insecure\n", "tries\n", "a b = c\n", "= x\n",
	} {
		cmd := exec.Command(wget, "--config="+writeFile(t, data))
		cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
		out, _ := cmd.CombinedOutput()
		refused := strings.Contains(string(out), "Exiting due to error")
		if _, err := Parse(Wgetrc, []byte(data)); (err != nil) != refused {
			t.Errorf("%q: wget %q, we %v", data, out, err)
		}
	}
}

// TestCurlrcAgreesWithCurl reads which roots curl would use, and whether it
// verifies, from what it says while it fails to connect to a closed port.
func TestCurlrcAgreesWithCurl(t *testing.T) {
	curl := look(t, "curl")
	for _, data := range []string{
		"cacert = \"/nonexistent/a b\"\n", "cacert=/nonexistent/x # c\n", "--cacert /nonexistent/y\n", "cacert:/nonexistent/z\n", "  cacert  /nonexistent/w\r\n", "cacert \"/nonexistent/q\\\\\\\"\" # c\n",
	} {
		cmd := exec.Command(curl, "-q", "-sS", "-m", "2", "-K", writeFile(t, data), "--resolve", "x.test:9:127.0.0.1", "--connect-to", "::127.0.0.1:9", "-w", "%{onerror}%{errormsg}", "--libcurl", "-", "https://x.test:9/")
		cmd.Env = []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin"}
		out, _ := cmd.Output()
		entries := parse(t, Curlrc, data)
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(entries[0].Value)
		if want := `CURLOPT_CAINFO, "` + quoted + `"`; !strings.Contains(string(out), want) {
			t.Errorf("%q: curl does not say %s:\n%s", data, want, out)
		}
	}
	for _, data := range []string{"insecure\n", "-k\n", "--insecure\n", "-kL\n", "insecure = true\n", "insecure:true\n", "insecure # x\n", "-Lk\n", "# insecure\n", "\n"} {
		cmd := exec.Command(curl, "-q", "-sS", "-m", "2", "-K", writeFile(t, data), "--connect-to", "::127.0.0.1:9", "--libcurl", "-", "https://x.test:9/")
		cmd.Env = []string{"HOME=/nonexistent", "PATH=/usr/bin:/bin"}
		out, _ := cmd.Output()
		off := strings.Contains(string(out), "CURLOPT_SSL_VERIFYPEER, 0L")
		ours := slices.ContainsFunc(parse(t, Curlrc, data), func(e Entry) bool { return slices.Contains([]string{"insecure", "--insecure", "-k"}, e.Path[0]) })
		if off != ours {
			t.Errorf("%q: curl verifies: %v, we found the switch: %v", data, !off, ours)
		}
	}
}

const readYAML = `
import json, sys, yaml
out = []
def flat(path, v):
    if isinstance(v, dict):
        for k, x in v.items(): flat(path + [k], x)
    elif isinstance(v, list):
        for i, x in enumerate(v): flat(path + [str(i)], x)
    else: out.append(path + [v])
try:
    doc = yaml.load(open(sys.argv[1], "rb").read(), yaml.BaseLoader)
    flat([], doc if doc else {})
except yaml.YAMLError as e:
    print("null")
else:
    print(json.dumps(out))
`

// TestYAMLAgreesWithPyYAML compares the scalars with a second implementation,
// in its mode that leaves them text.
func TestYAMLAgreesWithPyYAML(t *testing.T) {
	py := python(t)
	if py == "" || exec.Command(py, "-I", "-c", "import yaml").Run() != nil {
		t.Skip("no python3 with yaml here")
	}
	for _, data := range []string{
		"ssl_verify: no # c\nchannels:\n- a\n-   b\n-\n  c\n", "a:\tb\n", "a: b\t# c\n", "a:\n\tb\n", "a: b\n\t\nc: d\n", "a: b # \tc\n#\td\n", "a: b\tc\nd: 'e\tf'\n", "a: |\n  b\tc\nd: e\n", "[\ta]\n", "a: [b,\tc]\n", "a: \"b\"\t\n", "a: b\t\n", "{a: [b, 'c d', {e: f}], g: \"h\\n\"}\n",
		"a: |\n  x\n   y\n\n  z\nb: >-\n  p\n  q\n\n  r\nc: |+\n  k\n\n", "a: 'it''s'\nb: one\n  two\n\n  three\n", "a: http://x:1/#y\nb: a#b\nc: \"#\"\n",
		"? a\n: b\n", "a: b: c\n", "a: [b\nc: d\n", "- a\nb: c\n", "a: !!str no\nb: ! x\nc: &k v\nd: *k\n", "a: *k\n", "'a': 1\n\"b\" : 2\nc : 3\n",
		"\xef\xbb\xbfa: 1\r\nb:\r\n  c: d\r\n", "a: @x\n", "a: `x\n", "a: %x\n", "a: -x\nb: - x\n", "a: ,\n", "a: ]\n", "...\n", "--- {a: b}\n", "a: b\n c\nd: e\n", " a: b\n c: d\n", "a: b\n c: d\n",
		"p:\n- x: 1\n  y: 2\n-\n  z: 3\n- - q\n  - r\n", "a: \"b\n  c\\\n  d\"\n", "é: ü\n日本: x\n", "a: \"\\u00e9\\x41\"\n",
	} {
		cmd := exec.Command(py, "-I", "-c", readYAML, writeFile(t, data))
		cmd.Env = []string{"LC_ALL=C.UTF-8"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var want [][]string
		if err := json.Unmarshal(out, &want); err != nil {
			t.Fatal(err)
		}
		entries, err := Parse(YAML, []byte(data))
		if (err != nil) != (want == nil) {
			t.Errorf("%q: PyYAML %q, we %v", data, want, err)
			continue
		}
		var got [][]string
		for _, e := range entries {
			if !e.Parent {
				got = append(got, append(slices.Clone(e.Path), e.Value))
			}
		}
		if err == nil && !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("%q\nPyYAML %q\nwe     %q", data, want, got)
		}
	}
}
