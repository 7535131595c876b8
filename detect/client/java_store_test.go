package client

import (
	"testing"

	"trustfix/platform/platformtest"
)

// Who says last which store it is, and what a Java reads where that is not
// there: its cacerts, not its jssecacerts. Java 11, 17 and 25, Maven 3.6 and 3.9
// and Gradle 4.4 were asked.
func TestJavaStores(t *testing.T) {
	const store = "-Djavax.net.ssl.trustStore=/srv/"
	const tree = `
mode 0755 /usr/bin/mvn
mode 0755 /usr/bin/gradle
-- usr/bin/mvn --
-- usr/bin/gradle --
-- usr/lib/jvm/java-17/bin/java --
-- usr/lib/jvm/java-17/release --
JAVA_VERSION="17.0.9"
-- usr/lib/jvm/java-17/lib/security/cacerts --
-- usr/lib/jvm/java-17/lib/security/jssecacerts --
-- srv/a.jks --
-- srv/b.jks --
-- srv/shop/settings.gradle --
`
	const cacerts, own = "/usr/lib/jvm/java-17/lib/security/cacerts", "/usr/lib/jvm/java-17/lib/security/jssecacerts"
	for _, tc := range []struct {
		client string
		env    map[string]string
		files  string
		want   string
		setBy  string
	}{
		{client: "java", want: own, setBy: own},
		{client: "java", env: map[string]string{"JAVA_TOOL_OPTIONS": store + "a.jks", "JDK_JAVA_OPTIONS": store + "b.jks"}, want: "/srv/b.jks", setBy: "env:JDK_JAVA_OPTIONS"},
		{client: "java", env: map[string]string{"JAVA_TOOL_OPTIONS": store + "gone.jks"}, want: cacerts},
		{client: "java", env: map[string]string{"JAVA_TOOL_OPTIONS": store + "gone.jks -Djavax.net.ssl.trustStorePassword=x"}, want: cacerts, setBy: "env:JAVA_TOOL_OPTIONS"},
		{client: "java", env: map[string]string{"JAVA_TOOL_OPTIONS": "-Djavax.net.ssl.trustStore=/srv"}, want: cacerts},
		{client: "maven", env: map[string]string{"MAVEN_OPTS": store + "gone.jks"}, want: cacerts},
		{client: "maven", env: map[string]string{"MAVEN_OPTS": store + "a.jks"}, files: "-- srv/shop/.mvn/jvm.config --\n" + store + "b.jks\n", want: "/srv/a.jks", setBy: "env:MAVEN_OPTS"},
		{client: "maven", env: map[string]string{"_JAVA_OPTIONS": store + "a.jks"}, files: "-- srv/shop/.mvn/maven.config --\n" + store + "b.jks\n", want: "/srv/b.jks", setBy: "/srv/shop/.mvn/maven.config:1"},
		{client: "maven", env: map[string]string{"MAVEN_ARGS": store + "a.jks"}, files: "-- srv/shop/.mvn/maven.config --\n" + store + "b.jks\n", want: "/srv/a.jks", setBy: "env:MAVEN_ARGS"},
		{client: "gradle", env: map[string]string{"GRADLE_OPTS": store + "gone.jks"}, want: "/srv/gone.jks", setBy: "env:GRADLE_OPTS"},
		{client: "gradle", env: map[string]string{"JAVA_OPTS": store + "a.jks", "GRADLE_OPTS": store + "b.jks"}, want: "/srv/b.jks", setBy: "env:GRADLE_OPTS"},
		{client: "gradle", env: map[string]string{"GRADLE_OPTS": store + "b.jks"}, files: "-- root/.gradle/gradle.properties --\norg.gradle.jvmargs=" + store + "a.jks\n", want: "/srv/b.jks", setBy: "env:GRADLE_OPTS"},
		{client: "gradle", env: map[string]string{"GRADLE_OPTS": store + "b.jks"}, files: "-- srv/shop/gradle.properties --\nsystemProp.javax.net.ssl.trustStore=/srv/a.jks\n", want: "/srv/a.jks", setBy: "/srv/shop/gradle.properties:1"},
		{
			client: "gradle", want: "/srv/b.jks", setBy: "/root/.gradle/gradle.properties:1",
			files: "-- srv/shop/gradle.properties --\nsystemProp.javax.net.ssl.trustStore=/srv/a.jks\n-- root/.gradle/gradle.properties --\nsystemProp.javax.net.ssl.trustStore=/srv/b.jks\n",
		},
	} {
		inv, err := Resolve(t.Context(), platformtest.New(t, tree+tc.files, platformtest.Env(tc.env), platformtest.Dir("/srv/shop")).View)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range inv.Clients {
			if c.Name == tc.client && (c.Trust.Path != tc.want || c.Trust.SetBy != tc.setBy || c.Trust.KeyStore == nil) {
				t.Errorf("%s with %v and\n%s: %s set by %q, want %s by %q", tc.client, tc.env, tc.files, c.Trust.Path, c.Trust.SetBy, tc.want, tc.setBy)
			}
		}
	}
}

// Maven's switch in all its spellings, and what looks like it.
func TestMavenInsecure(t *testing.T) {
	const tree = "mode 0755 /usr/bin/mvn\n-- usr/bin/mvn --\n-- srv/shop/pom.xml --\n"
	for _, tc := range []struct {
		name, value string
		off         bool
	}{
		{"MAVEN_OPTS", "-Xmx1g -Dmaven.wagon.http.ssl.insecure=TRUE", true},
		{"MAVEN_OPTS", "-Dmaven.wagon.http.ssl.insecure", false}, // empty to Java
		{"MAVEN_OPTS", "-Dmaven.wagon.http.ssl.allowall=true", false},
		{"MAVEN_OPTS", "-Daether.connector.https.securityMode=insecure", true},
		{"MAVEN_ARGS", "-Dmaven.wagon.http.ssl.insecure", true},
		{"MAVEN_ARGS", "-Dmaven.wagon.http.ssl.insecure=true -B", true},
		{"MAVEN_ARGS", "-Dmaven.wagon.http.ssl.insecure=false", false},
		{"MAVEN_ARGS", "-Dmaven.wagon.http.ssl.insecuretrue", false},
		{"_JAVA_OPTIONS", "-Dmaven.wagon.http.ssl.insecure=true", true},
	} {
		h := platformtest.New(t, tree, platformtest.Env(map[string]string{tc.name: tc.value}))
		inv, err := Resolve(t.Context(), h.View)
		if err != nil {
			t.Fatal(err)
		}
		if c := one(t, inv, "maven", "/usr/bin/mvn"); (c.Verify == "off") != tc.off {
			t.Errorf("%s=%q: verify=%s", tc.name, tc.value, c.Verify)
		}
	}
}
