package edit

import "testing"

func TestOptions(t *testing.T) {
	testEntries(t, Options, []entriesCase{
		{
			"lines", "-Xmx1g -Da=b\n\n  # c\n\t-Dd=e \r\n-U",
			"1 options = \"-Xmx1g -Da=b\"\n4 options = \"-Dd=e\"\n5 options = \"-U\"\n",
		},
	})
	testDelete(t, Options, []editCase{
		{"line", "-Xmx1g\r\n-Da=b\r\n", "options", "-Da=b\r\n"},
	})
	testChange(t, Options, [][3]string{
		{"-U -Dx=/a -Dy\n", "options - -Dx=/a", "-U -Dy\n"},
		{"# mine\n-U -Dx=/a\n", "options - -Dx=/a", "# mine\n-U\n"},
		{"# mine\n-Dx=/a\n", "options - -Dx=/a", "# mine\n"},
		{"-Dx=/a -U", "options = -Dx=/b -U", "-Dx=/b -U"},
		{"-U", "+options = -X", "-U\n-X\n"},
	})
}
