package edit

import (
	"errors"
	"strings"
	"testing"
)

type entriesCase struct{ name, data, want string }

func testEntries(t *testing.T, f Format, cases []entriesCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := list(parse(t, f, c.data)); got != c.want {
				t.Errorf("%q\ngot\n%swant\n%s", c.data, got, c.want)
			}
			oracle(t, f, []byte(c.data))
			oracle(t, f, []byte(strings.ReplaceAll(c.data, "\n", "\r\n")))
		})
	}
}

func testRefused(t *testing.T, f Format, cases map[string]int) {
	t.Helper()
	for data, line := range cases {
		_, err := Parse(f, []byte(data))
		var se *SyntaxError
		if !errors.As(err, &se) || se.Line != line {
			t.Errorf("%.60q: %v, want line %d", data, err, line)
		}
	}
}

// testChange runs Set ("path = value"), Add ("+path = value") or RemoveItem
// ("path - item").
func testChange(t *testing.T, f Format, cases [][3]string) {
	t.Helper()
	for _, c := range cases {
		data, op, want := c[0], c[1], c[2]
		var got []byte
		var err error
		switch path, rest, _ := strings.Cut(strings.TrimPrefix(op, "+"), " = "); {
		case op[0] == '+':
			got, err = Add(f, []byte(data), strings.Split(path, "|"), rest)
		case strings.Contains(op, " - "):
			path, rest, _ = strings.Cut(op, " - ")
			got, err = RemoveItem(f, []byte(data), pick(t, f, data, path, 0), rest)
		default:
			got, err = Set(f, []byte(data), pick(t, f, data, path, 0), rest)
		}
		t.Run(op, func(t *testing.T) { checkEdit(t, string(got), err, want) })
	}
}

func TestCurlrc(t *testing.T) {
	testEntries(t, Curlrc, []entriesCase{
		{
			"every spelling of insecure", "insecure\n-k\n--insecure\n-kL\ninsecure = true\ninsecure:true\ninsecure # x\n  insecure\n",
			"1 insecure empty\n2 -k empty\n3 --insecure empty\n4 -k empty\n4 -L empty\n5 insecure = \"true\"\n6 insecure = \"true\"\n7 insecure empty # x\n8 insecure empty\n",
		},
		{
			"values", "# c\ncacert = \"/a b\\\"c\" # why\nproxy=http://p:1\n--cacert /x\n-xproxy:1\n-sx proxy:2\nuser = a:b\nurl http://x\n",
			"2 cacert = \"/a b\\\"c\" quoted # why\n3 proxy = \"http://p:1\"\n4 --cacert = \"/x\"\n5 -x = \"proxy:1\"\n6 -s empty\n6 -x = \"proxy:2\"\n7 user = \"a:b\"\n8 url = \"http://x\"\n",
		},
		{"no options", "\n# insecure\n   # -k\n", ""},
	})
	testDelete(t, Curlrc, []editCase{
		{"line", "a\ninsecure = true # x\nb\n", "insecure", "a\nb\n"},
		{"cluster", "-kL\n", "-k", "-L\n"},
		{"cluster, last", "-Lk\n", "-k", "-L\n"},
		{"alone", "-k\r\n-L\r\n", "-k", "-L\r\n"},
		{"with an argument in the cluster", "-kx proxy\n", "-x", unproven},
		{"no final newline", "a\n--insecure", "--insecure", "a\n"},
	})
	testChange(t, Curlrc, [][3]string{
		{"cacert = \"/x\"\n", "cacert = /a b", "cacert = \"/a b\"\n"},
		{"cacert=/x # c\n", "cacert = /y", "cacert=/y # c\n"},
		{"insecure\n", "insecure = no", unproven},
		{"a\r\n", "+cacert = /x", "a\r\ncacert = /x\r\n"},
		{"--cacert /x\n", "+cacert = /x", unproven},
	})
}

func TestWgetrc(t *testing.T) {
	testEntries(t, Wgetrc, []entriesCase{{
		"spellings", "# c\ncheck_certificate = off\nCheck-Certificate=no\n checkcertificate = 0 # x\nca_certificate=\n",
		"2 check_certificate = \"off\"\n3 Check-Certificate = \"no\"\n4 checkcertificate = \"0 # x\"\n5 ca_certificate empty\n",
	}})
	testRefused(t, Wgetrc, map[string]int{"a = 1\ninsecure\n": 2, "= x\n": 1, "a b = c\n": 1})
	testDelete(t, Wgetrc, []editCase{{"line", "a = 1\r\ncheck_certificate = off\r\n", "check_certificate", "a = 1\r\n"}})
	testChange(t, Wgetrc, [][3]string{
		{"check_certificate = off\r\n", "check_certificate = on", "check_certificate = on\r\n"},
		{"ca_certificate =\n", "ca_certificate = /x", "ca_certificate = /x\n"},
		{"a = 1", "+ca_certificate = /x", "a = 1\nca_certificate = /x\n"},
		{"CA-Certificate = 1", "+ca_certificate = /x", unproven},
	})
}

func TestNpmrc(t *testing.T) {
	testEntries(t, Npmrc, []entriesCase{
		{
			"values", "; c\n# c\nstrict-ssl=false\ncafile = \"/a b\" ; x\nregistry=https://r/ # y\n//r/:_authToken=${T}\nca[]=\"one\\ntwo\"\nbare\na=b=c\ne=\nf=x\\;y\n",
			"3 strict-ssl = \"false\"\n4 cafile = \"\\\"/a b\\\"\" ; x\n5 registry = \"https://r/\" # y\n6 //r/:_authToken = \"${T}\"\n7 ca[] = \"one\\ntwo\" quoted\n8 bare empty\n9 a = \"b=c\"\n10 e = \"\"\n11 f = \"x;y\"\n",
		},
		{"below a section nothing is a setting", "a=1\n[x]\nstrict-ssl=false\n", "1 a = \"1\"\n3 x|strict-ssl = \"false\"\n"},
	})
	testDelete(t, Npmrc, []editCase{
		{"line", "a=1\r\nstrict-ssl = false ; off\r\nb=2", "strict-ssl", "a=1\r\nb=2"},
		{"byte order mark", "\xef\xbb\xbfstrict-ssl=false\nb=2", "strict-ssl", "\xef\xbb\xbfb=2"},
	})
	testChange(t, Npmrc, [][3]string{
		{"cafile=/x ; c\r\n", "cafile = /a b", "cafile=/a b ; c\r\n"},
		{"cafile=\"/x\"\n", "cafile = /y", "cafile=\"/y\"\n"},
		{"cafile=/x\n", "cafile = /y#z", "cafile=/y\\#z\n"},
		{"cafile=\n", "cafile = /y", "cafile=/y\n"},
		{"a=1\n[x]\nb=2\n", "+cafile = /y", "a=1\ncafile=/y\n[x]\nb=2\n"},
		{"[x]\nb=2\n", "+cafile = /y", "cafile=/y\n[x]\nb=2\n"},
		{"", "+cafile = /y", "cafile=/y\n"},
	})
}

func TestYarnrc(t *testing.T) {
	testEntries(t, Yarnrc, []entriesCase{{
		"values", "# c\nstrict-ssl false\n\"cafile\" \"/a b\" # x\nregistry \"https://r/\"\n--install.x true\nmap:\n  a 1\n  b \"2\"\nlast yes\n",
		"2 strict-ssl = \"false\"\n3 cafile = \"/a b\" quoted # x\n4 registry = \"https://r/\" quoted\n5 --install.x = \"true\"\n6 map parent\n7 map|a = \"1\"\n8 map|b = \"2\" quoted\n9 last = \"yes\"\n",
	}})
	testRefused(t, Yarnrc, map[string]int{"a 1\n b 2\n": 2, "a 1\n    b 2\n": 2, "\"a 1\n": 1})
	testDelete(t, Yarnrc, []editCase{{"line", "a 1\r\nstrict-ssl false\r\n", "strict-ssl", "a 1\r\n"}})
	testChange(t, Yarnrc, [][3]string{
		{"strict-ssl false # x\n", "strict-ssl = true", "strict-ssl true # x\n"},
		{"cafile \"/x\"\n", "cafile = /y z", "cafile \"/y z\"\n"},
		{"a 1\n", "+cafile = ~/x", "a 1\ncafile \"~/x\"\n"},
	})
}

func TestFish(t *testing.T) {
	testEntries(t, Fish, []entriesCase{{
		"spellings", "set -gx SSL_CERT_FILE /a # c\nset -x A 'b c'; set --export --global B $HOME/x\nset local v\nset -Ux P a b\nset -e Q\nif test 1\n  set -gx C \"d\"\nend\nand set -gx E 1\nset -q F; or set -gx F 2\nset -gx G\n",
		"1 SSL_CERT_FILE = \"/a\" # c\n2 A = \"b c\" quoted\n2 B = \"$HOME/x\"\n4 P = \"a b\"\n5 unset|Q empty\n7 C = \"d\" quoted\n9 E = \"1\"\n10 F = \"2\"\n11 G empty\n",
	}})
	testRefused(t, Fish, map[string]int{"a\nset -gx A 'b\n": 2})
	testDelete(t, Fish, []editCase{
		{"line", "a\nset -gx N x # c\nb\n", "N", "a\nb\n"},
		{"behind ;", "a; set -gx N x\n", "N", "a\n"},
		{"in front of ;", "set -gx N x; a\n", "N", "a\n"},
		{"conditional", "and set -gx N x\n", "N", unproven},
	})
	testChange(t, Fish, [][3]string{
		{"set -gx N x # c\n", "N = /a b", "set -gx N \"/a b\" # c\n"},
		{"set -gx N 'x'\n", "N = /y", "set -gx N '/y'\n"},
		{"a\n", "+N = /y", "a\nset -gx N /y\n"},
	})
}

func TestCsh(t *testing.T) {
	testEntries(t, Csh, []entriesCase{{
		"spellings", "setenv SSL_CERT_FILE /a # c\nsetenv B \"c d\"; setenv E\nunsetenv F\nif ($?x) setenv G 1\nset h = 1\n",
		"1 SSL_CERT_FILE = \"/a\" # c\n2 B = \"c d\" quoted\n2 E empty\n3 unset|F empty\n4 G = \"1\"\n",
	}})
	testDelete(t, Csh, []editCase{
		{"line", "a\nsetenv N x\nb\n", "N", "a\nb\n"},
		{"conditional", "if ($?x) setenv N 1\n", "N", unproven},
	})
	testChange(t, Csh, [][3]string{
		{"setenv N x\n", "N = /y", "setenv N /y\n"},
		{"setenv N x\n", "N = a!b", unproven},
		{"", "+N = /y z", "setenv N \"/y z\"\n"},
	})
}

func TestGitConfig(t *testing.T) {
	testEntries(t, GitConfig, []entriesCase{
		{
			"values", "# c\n[http]\n\tsslVerify = false ; off\n\tproxy = \"http://p # x\"\n\tbare\n\tempty =\n[http \"https://X/\"]\n\tsslCAInfo = /a \\\n  b\n[core.Sub] a = 1\n[include]\n\tpath = ~/x\n",
			"3 http|sslVerify = \"false\" ; off\n4 http|proxy = \"http://p # x\" quoted\n5 http|bare empty\n6 http|empty = \"\"\n8-9 http|https://X/|sslCAInfo = \"/a   b\"\n10 core|sub|a = \"1\"\n12 include|path = \"~/x\"\n",
		},
	})
	testRefused(t, GitConfig, map[string]int{"[a]\n\tb = \"c\n": 2, "[a]\nb = \\x\n": 2, "[a\nb=1\n": 1, "[a]\n1 = 2\n": 2, "[a]\nb c\n": 2})
	testDelete(t, GitConfig, []editCase{
		{"line", "[http]\r\n\tsslVerify = false # x\r\n\ta = 1\r\n", "http|sslVerify", "[http]\r\n\ta = 1\r\n"},
		{"continued", "[http]\n\tproxy = a \\\n\t b\n\ta = 1\n", "http|proxy", "[http]\n\ta = 1\n"},
		{"behind its header", "[http] sslVerify = false\n", "http|sslVerify", "[http] \n"},
		{"the only key", "[http]\n\tsslVerify = no\n[a]\n", "http|sslVerify", "[http]\n[a]\n"},
	})
	testChange(t, GitConfig, [][3]string{
		{"[http]\n\tsslCAInfo = /x # c\n", "http|sslCAInfo = /y z", "[http]\n\tsslCAInfo = /y z # c\n"},
		{"[http]\n\tsslCAInfo = \"/x\"\r\n", "http|sslCAInfo = C:\\y", "[http]\n\tsslCAInfo = \"C:\\\\y\"\r\n"},
		{"[http]\n\tsslCAInfo =\n", "http|sslCAInfo = a;b", "[http]\n\tsslCAInfo = \"a;b\"\n"},
		{"[http]\n\ta = 1\n[b]\n\tc = 2\n", "+http|sslCAInfo = /x", "[http]\n\ta = 1\n\tsslCAInfo = /x\n[b]\n\tc = 2\n"},
		{"[http]\n", "+http|sslCAInfo = /x", "[http]\n\tsslCAInfo = /x\n"},
		{"[a]\r\n", "+http|https://h/|sslCAInfo = /x", "[a]\r\n[http \"https://h/\"]\r\n\tsslCAInfo = /x\r\n"},
		{"[HTTP]\n\tsslcainfo = 1\n", "+http|sslCAInfo = /x", unproven},
	})
}

func TestAptConf(t *testing.T) {
	testEntries(t, AptConf, []entriesCase{
		{"one line", "Acquire { https { Verify-Peer \"false\"; }; };\n", "1 Acquire|https|Verify-Peer = \"false\" quoted\n"},
		{"list", "DPkg::Post-Invoke { \"cmd; x\"; };\nA::B:: \"l\";\n#clear A::B;\n", "1 DPkg|Post-Invoke| = \"cmd; x\" quoted\n2 A|B| = \"l\" quoted\n3 #clear = \"A::B\"\n"},
	})
	data := "// c\nAcquire::https::Verify-Peer \"false\"; // off\nAcquire {\n  https::host { Verify-Host \"no\"; };\n  http { Proxy \"http://p\"; # p\n  };\n};\n/* A \"b\"; */\n# c\nZ \"1\";\n"
	testEntries(t, AptConf, []entriesCase{{
		"scopes and comments", data,
		"2 Acquire|https|Verify-Peer = \"false\" quoted // off\n4 Acquire|https|host|Verify-Host = \"no\" quoted\n5 Acquire|http|Proxy = \"http://p\" quoted # p\n10 Z = \"1\" quoted\n",
	}})
	testRefused(t, AptConf, map[string]int{"A \"b\n": 1, "a\n};\n": 1, "A \"b\"\n": 1, "A \"b\"; }\n": 1})
	testDelete(t, AptConf, []editCase{
		{"line", "A \"1\";\nAcquire::https::Verify-Peer \"false\"; // off\nB \"2\";\n", "Acquire|https|Verify-Peer", "A \"1\";\nB \"2\";\n"},
		{"nested", "Acquire {\r\n  https {\r\n    Verify-Peer \"false\";\r\n    A \"1\";\r\n  };\r\n};\r\n", "Acquire|https|Verify-Peer", "Acquire {\r\n  https {\r\n    A \"1\";\r\n  };\r\n};\r\n"},
		{"on one line", "Acquire::https { Verify-Peer \"false\"; A \"1\"; };\n", "Acquire|https|Verify-Peer", "Acquire::https { A \"1\"; };\n"},
		{"the only one", "Acquire::https { Verify-Peer \"false\"; };\n", "Acquire|https|Verify-Peer", "Acquire::https { };\n"},
	})
	testChange(t, AptConf, [][3]string{
		{"Acquire::https::CaInfo \"/x\"; // c\n", "Acquire|https|CaInfo = /y z", "Acquire::https::CaInfo \"/y z\"; // c\n"},
		{"A \"1\";\r\n", "+Acquire|https|CaInfo = /y", "A \"1\";\r\nAcquire::https::CaInfo \"/y\";\r\n"},
		{"A \"1\";\n", "A = a\"b", unproven},
	})
}
