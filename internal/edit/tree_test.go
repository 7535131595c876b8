package edit

import "testing"

func TestJSON(t *testing.T) {
	const daemon = "{\n  \"insecure-registries\": [\"a:5000\", \"b\"],\n  \"debug\": true,\n  \"o\": {\"x\": null, \"y\": -1.5e3}\n}\n"
	testEntries(t, JSON, []entriesCase{
		{"daemon.json", daemon, "2 insecure-registries parent\n2 insecure-registries|0 = \"a:5000\" quoted\n2 insecure-registries|1 = \"b\" quoted\n3 debug = \"true\"\n4 o parent\n4 o|x = \"null\"\n4 o|y = \"-1.5e3\"\n"},
		{"byte order mark, escapes", "\xef\xbb\xbf{\"a\\u0062\": \"\\\"\\n\"}", "1 ab = \"\\\"\\n\" quoted\n"},
		{"empty", "{}\n", ""},
		{"lists of objects", "{\"a\": [{\"b\": 1}, [2, 3]]}", "1 a parent\n1 a|0 parent\n1 a|0|b = \"1\"\n1 a|1 parent\n1 a|1|0 = \"2\"\n1 a|1|1 = \"3\"\n"},
	})
	testRefused(t, JSON, map[string]int{"[1]": 1, "{\n\"a\": 1,\n}\n": 3, "{\"a\": }": 1, "{\n\"a\" 1}": 2, "{\"a\": 1": 1, "{} x": 1, "{\"a\": \"b}": 1, "{'a': 1}": 1, "{\"a\": tru}": 1})
	testDelete(t, JSON, []editCase{
		{"first", daemon, "insecure-registries", "{\n  \"debug\": true,\n  \"o\": {\"x\": null, \"y\": -1.5e3}\n}\n"},
		{"last", daemon, "o", "{\n  \"insecure-registries\": [\"a:5000\", \"b\"],\n  \"debug\": true\n}\n"},
		{"only", "{\n  \"a\": 1\n}\n", "a", "{\n}\n"},
		{"on one line", "{\"a\": 1, \"b\": 2, \"c\": 3}", "b", "{\"a\": 1, \"c\": 3}"},
		{"on one line, last", "{\"a\": 1, \"b\": 2}", "b", "{\"a\": 1}"},
		{"over lines", "{\r\n  \"a\": [\r\n    1\r\n  ],\r\n  \"b\": 2\r\n}", "a", "{\r\n  \"b\": 2\r\n}"},
		{"element", "{\"a\": [1, 2, 3]}", "a|0", "{\"a\": [2, 3]}"},
	})
	testChange(t, JSON, [][3]string{
		{daemon, "insecure-registries - a:5000", "{\n  \"insecure-registries\": [\"b\"],\n  \"debug\": true,\n  \"o\": {\"x\": null, \"y\": -1.5e3}\n}\n"},
		{"{\"a\": [\"x\"], \"b\": 1}", "a - x", "{\"b\": 1}"},
		{"{\"a\": \"x\"}", "a = y<\"", "{\"a\": \"y<\\\"\"}"},
		{"{\"a\": true}", "a = false", "{\"a\": false}"},
		{"{\n    \"a\": 1\n}\n", "+b = x", "{\n    \"a\": 1,\n    \"b\": \"x\"\n}\n"},
		{"{\"a\": 1}", "+b = true", "{\"a\": 1, \"b\": true}"},
		{"{\"e\": {\"a\": \"1\"}}", "+e|b = x", "{\"e\": {\"a\": \"1\", \"b\": \"x\"}}"},
		{"{}", "+b = x", "{\"b\": \"x\"}"},
		{"", "+b = x", "{\n  \"b\": \"x\"\n}\n"},
		{"{\"a\": 1}", "+e|b = x", unproven},
		{"{\"a\": 1}", "+a = x", unproven},
	})
}

func TestTOML(t *testing.T) {
	const uv = "# c\nnative-tls = true # why\nallow-insecure-host = [\"a\", 'b']\nu = \"\"\"x\ny\"\"\"\n[pip]\ncert.\"x.y\" = 'C:\\z'\ni = {a = 1, b = \"c\"}\n[[index]]\nurl = \"u1\"\n[[index]]\nurl = \"u2\"\n[index.sub]\nk = 1\n"
	testEntries(t, TOML, []entriesCase{
		{"uv.toml", uv, "2 native-tls = \"true\" # why\n3 allow-insecure-host parent\n3 allow-insecure-host|0 = \"a\" quoted\n3 allow-insecure-host|1 = \"b\" quoted\n4-5 u = \"x\\ny\" quoted\n7 pip|cert|x.y = \"C:\\\\z\" quoted\n8 pip|i parent\n8 pip|i|a = \"1\"\n8 pip|i|b = \"c\" quoted\n10 index|0|url = \"u1\" quoted\n12 index|1|url = \"u2\" quoted\n14 index|1|sub|k = \"1\"\n"},
		{"list over lines", "a = [\n  \"x\", # one\n  \"y\",\n]\nb = 1979-05-27 07:32:00\n", "1-4 a parent\n2 a|0 = \"x\" quoted\n3 a|1 = \"y\" quoted\n5 b = \"1979-05-27 07:32:00\"\n"},
	})
	testRefused(t, TOML, map[string]int{"a = 1\na = 2\n": 2, "a = \n": 1, "[a]\nb = \"x\n": 2, "\xff": 1})
	testDelete(t, TOML, []editCase{
		{"line", "a = 1\nn = true # x\nb = 2\n", "n", "a = 1\nb = 2\n"},
		{"list over lines", "a = [\n 1,\n]\nb = 2\n", "a", "b = 2\n"},
		{"element on its line", "a = [\n  \"x\", # one\n  \"y\",\n]\n", "a|0", "a = [\n  \"y\",\n]\n"},
		{"last element on its line", "a = [\n  \"x\", # one\n  \"y\"\n]\n", "a|1", "a = [\n  \"x\", # one\n]\n"},
		{"only element", "a = [\"x\"]\n", "a|0", "a = []\n"},
		{"inline table", "a = {b = 1, c = 2}\n", "a|c", "a = {b = 1}\n"},
		{"the only key of a table", "[t]\nn = 1\n", "t|n", "[t]\n"},
		{"CRLF", "[t]\r\nn = 1\r\nm = 2\r\n", "t|n", "[t]\r\nm = 2\r\n"},
	})
	testChange(t, TOML, [][3]string{
		{"h = [\"a\", \"b\", \"a\"]\n", "h - a", "h = [\"b\"]\n"},
		{"h = [\"a\"]\nb = 1\n", "h - a", "b = 1\n"},
		{"n = false # x\n", "n = true", "n = true # x\n"},
		{"n = 'x'\n", "n = C:\\y", "n = 'C:\\y'\n"},
		{"n = \"x\"\n", "n = C:\\y", "n = \"C:\\\\y\"\n"},
		{"n = \"x\"\n", "n = true", "n = \"true\"\n"},
		{"a = 1\n\n[t]\nb = 2\n", "+n = true", "a = 1\nn = true\n\n[t]\nb = 2\n"},
		{"[t]\r\nb = 2\r\n[u]\r\n", "+t|n = x", "[t]\r\nb = 2\r\nn = \"x\"\r\n[u]\r\n"},
		{"[t]\n", "+t|n = x", "[t]\nn = \"x\"\n"},
		{"[t]\n", "+n = x", "n = \"x\"\n[t]\n"},
		{"a = 1\n", "+http|cainfo = /x", "a = 1\n\n[http]\ncainfo = \"/x\"\n"},
		{"a = 1\n", "+a = /x", unproven},
	})
}
