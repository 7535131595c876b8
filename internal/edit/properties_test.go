package edit

import "testing"

func TestProperties(t *testing.T) {
	testEntries(t, Properties, []entriesCase{
		{
			"separators", "a=b\nc : d\ne f=g\n  h\ti\nj\nk=\n# l=m\n  ! n=o\n",
			"1 a = \"b\"\n2 c = \"d\"\n3 e = \"f=g\"\n4 h = \"i\"\n5 j empty\n6 k = \"\"\n",
		},
		{
			"escapes", "a\\:b=c\\\\d \\u00e9\\ud83d\\ude00\\t.\n",
			"1 a:b = \"c\\\\d \u00e9\U0001f600\\t.\"\n",
		},
		{
			"continuation", "org.gradle.jvmargs=-Xmx2g \\\n    -Djavax.net.ssl.trustStore=/x \\\n    -Da=b\nnext=1\n",
			"1-3 org.gradle.jvmargs = \"-Xmx2g -Djavax.net.ssl.trustStore=/x -Da=b\"\n4 next = \"1\"\n",
		},
		{"a backslash too many is none", "a=b\\\\\nc=d\n", "1 a = \"b\\\\\"\n2 c = \"d\"\n"},
	})
	testDelete(t, Properties, []editCase{
		{"line", "a=1\r\nb=2\r\nc=3\r\n", "b", "a=1\r\nc=3\r\n"},
		{"continued", "a=1\nb=2 \\\n  3\nc=4\n", "b", "a=1\nc=4\n"},
	})
	testChange(t, Properties, [][3]string{
		{"a = 1\n# b\n", "a = /x y", "a = /x y\n# b\n"},
		{"a=1", "+b = \u00e9\\", "a=1\nb=\\u00e9\\\\\n"},
		{"j=-Xmx1g -Dx=/a -Dy\n", "j - -Dx=/a", "j=-Xmx1g -Dy\n"},
		{"j=-Xmx1g \\\n  -Dx=/a\nk=1\n", "j - -Dx=/a", "j=-Xmx1g\nk=1\n"},
		{"j=-Xmx1g \\\n  -Dx=/a \\\n  -Dy\n", "j - -Dx=/a", "j=-Xmx1g \\\n  \\\n  -Dy\n"},
	})
}
