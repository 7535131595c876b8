//go:build linux

package lab

import "testing"

// Real clients that are told of a private CA by their own configuration: they
// trust its server after the consent, and neither before nor after the
// rollback; others they judge as ever. Docker has TestDocker.
func TestRowsPrivateCA(t *testing.T) {
	for _, c := range []struct {
		rowCase
		suite Suite
		told  string // the file by which it is told, "" after the rollback
	}{
		{
			rowCase{
				row: "gradle", file: "/root/.gradle/init.gradle", client: gradle,
				text: "allprojects { repositories {\n  maven { url \"https://" + privateHost + "/maven2/\" }\n} }\n",
			}, Bookworm, "/root/.gradle/gradle.properties",
		},
	} {
		t.Run(c.row, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Config{Suite: c.suite, Hosts: Hosts{rowGood: Good, rowEvil: Intercept, privateHost: Private}})
			if s.Exists("/usr/bin/keytool") {
				s.Must(javaStore)
			}
			s.projects()
			s.Write(c.file, c.text)
			if s.trusts(c.rowCase, privateHost) {
				t.Error("it trusts a CA that nobody named")
			}
			doc := s.Diagnose(0, "--apply", "--only", "server-private-ca", "--trust-ca", s.World.pki.CA("campus").SHA256())
			if doc.Run == nil || doc.Run.State != "applied" || c.told != "" && !s.Exists(c.told) || c.told == "" && s.Read(c.file) == c.text {
				t.Errorf("%s was not told: %s", c.row, doc)
			}
			if !s.trusts(c.rowCase, privateHost) || !s.trusts(c.rowCase, rowGood) || s.trusts(c.rowCase, rowEvil) {
				t.Errorf("told, and it does not judge as it should:\n%s\n%s\n%s", s.Exec(c.client(privateHost)), s.Exec(c.client(rowGood)), s.Exec(c.client(rowEvil)))
			}
			if r := s.Trustfix("rollback"); r.Code != 0 {
				t.Errorf("rollback: %s", r)
			}
			if s.Read(c.file) != c.text || c.told != "" && s.Exists(c.told) || s.trusts(c.rowCase, privateHost) {
				t.Error("rolled back, and it is not as before")
			}
		})
	}
}
