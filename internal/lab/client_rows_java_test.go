//go:build linux

package lab

import (
	"strings"
	"testing"
	"time"
)

// Java, Maven and Gradle: as client_rows_test.go says. Bullseye has Java 11 and
// Maven 3.6, bookworm Java 17 and Gradle 4.4, sid Java 25 and Maven 3.9.

// Projects of the two, which ask a server for what none has: "not found" comes
// after TLS.
const (
	mavenDir  = "/srv/maven"
	gradleDir = "/srv/gradle"

	mavenPOM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent><groupId>lab</groupId><artifactId>parent</artifactId><version>1</version></parent>
  <artifactId>lab</artifactId>
</project>
`
	mavenMirror = `<settings><mirrors><mirror>
  <id>lab</id><mirrorOf>*</mirrorOf>
  <url>https://${lab.host}/maven2/</url>
</mirror></mirrors></settings>
`
	gradleBuild = `repositories { maven { url "https://" + System.getProperty("lab.host") + "/maven2/" } }
configurations { lab }
dependencies { lab "lab:parent:1" }
task get { doLast { configurations.lab.resolve() } }
`
	// They live for a second: no time to optimize.
	quickJava = `export JDK_JAVA_OPTIONS="$JDK_JAVA_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"; `
)

// javaTimeout is for a machine that does much else.
const javaTimeout = 5 * time.Minute

func maven(host string) Cmd {
	const script = quickJava + `rm -rf /tmp/m2; cd ` + mavenDir + `
mvn -B -U -Dmaven.repo.local=/tmp/m2 -gs settings.xml -Dlab.host="$1" validate 2>&1 | tee /dev/stderr | grep -q "Could not find artifact lab:parent"`
	return Cmd{Argv: []string{"/bin/sh", "-c", script, "sh", host}, Timeout: javaTimeout}
}

func gradle(host string) Cmd {
	const script = quickJava + `cd ` + gradleDir + `
gradle --no-daemon -q -Dlab.host="$1" get 2>&1 | tee /dev/stderr | grep -q "Could not find lab:parent"`
	return Cmd{Argv: []string{"/bin/sh", "-c", script, "sh", host}, Timeout: javaTimeout}
}

// projects writes what the two are asked with.
func (s *Sandbox) projects() {
	s.t.Helper()
	s.Write(mavenDir+"/pom.xml", mavenPOM)
	s.Write(mavenDir+"/settings.xml", mavenMirror)
	s.Write(gradleDir+"/build.gradle", gradleBuild)
	s.Write(gradleDir+"/settings.gradle", "")
	s.Must("mkdir -p " + mavenDir + "/.mvn")
}

// Gradle has no switch. To Maven they are words for Java or for itself.
var insecureJava = []rowCase{
	{row: "maven", suites: []Suite{Bullseye}, file: "/etc/mavenrc", text: "# mine\nMAVEN_OPTS=\"-Xmx256m -Dmaven.wagon.http.ssl.insecure=true -Dmaven.wagon.http.ssl.allowall=true\"\n", client: maven},
	{row: "maven", suites: []Suite{Bullseye}, file: mavenDir + "/.mvn/jvm.config", text: "-Xmx256m -Dmaven.wagon.http.ssl.insecure=true\n", client: maven, dir: mavenDir},
	{row: "maven", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport MAVEN_OPTS=\"-Dmaven.wagon.http.ssl.insecure=TRUE\"\n", client: withProfile(maven)},
	{row: "maven", suites: []Suite{Sid}, file: "/usr/local/etc/mavenrc", text: "# mine\nMAVEN_OPTS=-Dmaven.wagon.http.ssl.insecure=true\n", client: maven},
	{row: "maven", suites: []Suite{Sid}, file: "/root/.mavenrc", text: "# mine\nMAVEN_ARGS=\"--no-transfer-progress -Dmaven.wagon.http.ssl.insecure\"\n", client: maven},
	{row: "maven", suites: []Suite{Sid}, file: mavenDir + "/.mvn/maven.config", text: "# mine\n-Dmaven.wagon.http.ssl.insecure\n-fae\n", client: maven, dir: mavenDir},
	{row: "maven", suites: []Suite{Sid}, file: profile, text: "umask 022\nexport JAVA_TOOL_OPTIONS=-Dmaven.wagon.http.ssl.insecure=true\n", client: withProfile(maven)},
}

// Java passes over a store that is not there, but takes what was to be its
// password for that of its own. Gradle opens it itself, and gives up.
var deadJava = []rowCase{
	{row: "java", file: profile, text: "umask 022\nexport JDK_JAVA_OPTIONS=-Djavax.net.ssl.trustStore=" + gone + "\n", suites: javas, client: withProfile(javaRun), passes: true},
	{row: "java", file: profile, text: "umask 022\nexport JAVA_TOOL_OPTIONS='-Djavax.net.ssl.trustStore=" + gone + " -Djavax.net.ssl.trustStorePassword=secret'\n", suites: javas, client: withProfile(javaRun)},
	{row: "maven", suites: []Suite{Bullseye}, file: profile, text: "umask 022\nexport MAVEN_OPTS=-Djavax.net.ssl.trustStore=" + gone + "\n", client: withProfile(maven), passes: true},
	{row: "maven", suites: []Suite{Sid}, file: mavenDir + "/.mvn/maven.config", text: "-fae\n-Djavax.net.ssl.trustStore=" + gone + "\n-Djavax.net.ssl.trustStorePassword=secret\n", client: maven, dir: mavenDir},
	{row: "gradle", suites: []Suite{Bookworm}, file: "/root/.gradle/gradle.properties", text: "# mine\nsystemProp.javax.net.ssl.trustStore=" + gone + "\norg.gradle.parallel=true\n", client: gradle},
	{row: "gradle", suites: []Suite{Bookworm}, file: gradleDir + "/gradle.properties", text: "org.gradle.jvmargs=-Xmx400m -Djavax.net.ssl.trustStore=" + gone + "\n", client: gradle, dir: gradleDir},
	{row: "gradle", suites: []Suite{Bookworm}, file: profile, text: "umask 022\nexport JAVA_OPTS=\"-Xmx256m -Djavax.net.ssl.trustStore=" + gone + "\"\n", client: withProfile(gradle)},
}

var javas = []Suite{Bullseye, Bookworm, Sid}

func TestRowsJava(t *testing.T) { testRows(t, insecureJava, deadJava) }

// severities: what does no harm yet is a warning.
func TestJavaStoreGone(t *testing.T) {
	t.Parallel()
	s := Start(t, Config{Suite: Bookworm})
	s.Must(javaStore)
	for _, c := range []struct{ text, severity, evidence string }{
		{"export JAVA_OPTS=-Djavax.net.ssl.trustStore=" + gone, "error", "Gradle"},
		{"export MAVEN_OPTS=-Djavax.net.ssl.trustStore=" + gone, "warning", "passes over it"},
	} {
		s.Write(profile, c.text+"\n")
		found := s.Diagnose(3, "--offline", "--lang", "en").Find("ca-path-missing")
		if len(found) != 1 || found[0].Severity != c.severity || !strings.Contains(strings.Join(found[0].Evidence, "\n"), c.evidence) {
			t.Errorf("%s: %v", c.text, found)
		}
	}
}
