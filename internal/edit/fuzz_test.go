package edit

import "testing"

func fuzz(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { oracle(t, format, data) })
}

func FuzzCurlrc(f *testing.F) {
	fuzz(f, Curlrc, "insecure # x\n-kL\n--cacert \"/a\\\"b\"\r\nproxy=x\n-sx p\n")
}

func FuzzWgetrc(f *testing.F) { fuzz(f, Wgetrc, "check_certificate = off\r\n# c\nca-certificate=\n") }

func FuzzProperties(f *testing.F) {
	fuzz(f, Properties, "a.b=c\n# d\n! e\nf : g\\u00e9 \\\r\n  h\ni j\n\\:k\nl\n")
}

func FuzzOptions(f *testing.F) {
	fuzz(f, Options, "-Xmx1g -Da=b\n# c\n\n -Dd \r\n-U")
}

func FuzzNpmrc(f *testing.F) {
	fuzz(f, Npmrc, "strict-ssl=false ; c\nca[]=\"x\\n\"\n[s]\nb\na='x'\r\ne=\\;\n")
}

func FuzzYarnrc(f *testing.F) {
	fuzz(f, Yarnrc, "strict-ssl false # c\n\"cafile\" \"/a\"\nm:\n  a 1\r\n")
}

func FuzzFish(f *testing.F) {
	fuzz(f, Fish, "set -gx A 'b' # c\nset -e B; set -x C \"d e\"\nif x; and set -gx E f\r\n")
}

func FuzzCsh(f *testing.F) {
	fuzz(f, Csh, "setenv A 'b' # c\nunsetenv B; setenv C\nif (x) setenv D e\r\n")
}

func FuzzGitConfig(f *testing.F) {
	fuzz(f, GitConfig, "[http \"x\\\"y\"]\n\tsslVerify = false ; c\n a = \"b\\n\" \\\n c\n[d.E] f\r\ng=\n")
}

func FuzzAptConf(f *testing.F) {
	fuzz(f, AptConf, "A::B \"c\"; // d\nE { F::G \"h\"; I { \"j\"; }; };\n#clear K;\n/* l */ M n; # o\r\n")
}

func FuzzJSON(f *testing.F) {
	fuzz(f, JSON, "{\"a\": [1, \"b\", {\"c\": null}],\r\n \"d\\u0065\": {},\n \"e\": true}\n")
}

func FuzzTOML(f *testing.F) {
	fuzz(f, TOML, "a = 1 # b\nc = [\"d\", # e\n 'f',\n]\n[g.\"h\"]\ni = {j = 1, k = \"\"\"l\n\"\"\"}\n[[m]]\nn = 2020-01-01\r\n")
}
