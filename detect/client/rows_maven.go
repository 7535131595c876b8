package client

import (
	"path"
	"slices"
	"strings"

	"trustfix/internal/edit"
)

// mavenWords are Maven's switches as Java's properties: of wagon, by which it
// fetches up to 3.8 and as Debian builds it, and of its own transport since.
const mavenWords = "-Dmaven.wagon.http.ssl.insecure=|-Daether.connector.https.securityMode="

func mavenInsecure(v string) bool { return oneOf("true", "insecure")(v) }

// mavenArgWords are the same as arguments of Maven itself: there a property
// without a value is true, where Java takes it for empty.
const mavenArgWords = mavenWords + "|-Dmaven.wagon.http.ssl.insecure"

// mavenAlso are all that go with them. By itself allowall switches nothing off.
const mavenAlso = mavenArgWords + "|-Dmaven.wagon.http.ssl.allowall|-Dmaven.wagon.http.ssl.ignore.validity.dates"

func mavenArgInsecure(v string) bool { return oneOf("", "=true", "insecure")(v) }

var mavenRow = &Row{
	Name:     "maven",
	Programs: []string{"mvn"},
	Files: func(s *scan, _ *Client) []File {
		var out []File
		if d := s.nearest(".mvn"); d != "" {
			out = append(out, File{Path: path.Join(d, ".mvn/jvm.config"), Format: edit.Options}, File{Path: path.Join(d, ".mvn/maven.config"), Format: edit.Options})
		}
		out = append(out, File{Path: path.Join(s.home, ".m2/settings.xml"), Read: readMavenSettings})
		for _, p := range []string{"/usr/local/etc/mavenrc", "/etc/mavenrc", path.Join(s.home, ".mavenrc")} {
			out = append(out, File{Path: p, Format: edit.Shell, Above: true})
		}
		return out
	},
	Keys: []Key{
		{Path: []string{"MAVEN_OPTS"}, Role: RoleVerify, Off: value(mavenInsecure), Word: mavenWords},
		{Path: []string{"MAVEN_OPTS"}, Role: RoleCA, Word: trustStore, KeyStore: true},
		{Path: []string{"MAVEN_ARGS"}, Role: RoleVerify, Off: value(mavenArgInsecure), Word: mavenArgWords},
		{Path: []string{"MAVEN_ARGS"}, Role: RoleCA, Word: trustStore, KeyStore: true},
		{Path: []string{"options"}, Only: edit.Options, Role: RoleVerify, Off: value(mavenArgInsecure), Word: mavenArgWords},
		{Path: []string{"options"}, Only: edit.Options, Role: RoleCA, Word: trustStore, KeyStore: true},
		{Path: []string{"url"}, Role: RoleURL},
	},
	Vars: slices.Concat(
		jvmVars(Var{Name: "MAVEN_OPTS", Role: RoleCA, Word: trustStore, KeyStore: true}, Var{Name: "MAVEN_ARGS", Role: RoleCA, Word: trustStore, KeyStore: true}),
		jvmWords(Var{Role: RoleVerify, Off: mavenInsecure, Word: mavenWords, OffOnly: true},
			Var{Name: "MAVEN_OPTS", Role: RoleVerify, Off: mavenInsecure, Word: mavenWords, OffOnly: true},
			Var{Name: "MAVEN_ARGS", Role: RoleVerify, Off: mavenArgInsecure, Word: mavenArgWords, OffOnly: true}),
	),
	Default: "file",
	Servers: []string{"https://repo.maven.apache.org/maven2/"}, OnlyConfigured: true,
	Source:  func(s *scan, _ *Client) string { return s.defaultStore(s.firstJava()) },
	Pin:     &Pin{Key: []string{"MAVEN_OPTS"}, Word: trustStore, Dir: ".m2"}, // the last file, the person's own
	Rules:   ruleSet("java"),
	Resolve: func(s *scan, c *Client, layers []layer) { s.javaTrust(c, layers) },

	Unverified: "-Daether.connector.https.securityMode in MAVEN_OPTS: Maven's own arguments were run",
}

// readMavenSettings finds the servers that a settings.xml names.
func readMavenSettings(data []byte) []edit.Entry {
	var out []edit.Entry
	comment := false
	for i, line := range strings.Split(string(data), "\n") {
		code := ""
		for rest := line; rest != ""; {
			if comment {
				_, after, found := strings.Cut(rest, "-->")
				comment, rest = !found, after
				continue
			}
			text, after, found := strings.Cut(rest, "<!--")
			code, comment, rest = code+text, found, after
		}
		if _, v, ok := strings.Cut(code, "<url>"); ok {
			v, _, _ = strings.Cut(v, "</url>")
			out = append(out, edit.Entry{Path: []string{"url"}, Value: strings.TrimSpace(v), Line: i + 1, EndLine: i + 1})
		}
	}
	return out
}

const (
	gradleStore = "systemProp.javax.net.ssl.trustStore"
	gradleArgs  = "org.gradle.jvmargs"
)

var gradleRow = &Row{
	Name:     "gradle",
	Programs: []string{"gradle"},
	Files: func(s *scan, _ *Client) []File {
		home := s.gradleHome()
		out := s.inProject("gradle.properties", edit.Properties, "settings.gradle", "settings.gradle.kts", "gradlew")
		return append(out, File{Path: path.Join(home, "gradle.properties"), Format: edit.Properties},
			File{Path: path.Join(home, "init.gradle"), Read: readGradle}, File{Path: path.Join(home, "init.d"), Ext: ".gradle,.kts", Read: readGradle})
	},
	Keys: []Key{
		{Path: []string{gradleStore}, Role: RoleCA, KeyStore: true},
		{Path: []string{gradleStore + "Password"}},
		{Path: []string{gradleStore + "Type"}},
		{Path: []string{gradleArgs}, Role: RoleCA, Word: trustStore, KeyStore: true},
		{Path: []string{"url"}, Role: RoleURL},
	},
	Vars: jvmVars(
		Var{Name: "JAVA_OPTS", Role: RoleCA, Word: trustStore, KeyStore: true, Below: true},
		Var{Name: "GRADLE_OPTS", Role: RoleCA, Word: trustStore, KeyStore: true, Below: true},
	),
	Default: "file",
	Servers: []string{"https://repo.maven.apache.org/maven2/"}, OnlyConfigured: true,
	Source: func(s *scan, _ *Client) string { return s.defaultStore(s.firstJava()) },
	Pin: &Pin{Key: []string{gradleStore}, Dir: ".gradle", File: func(s *scan, _ *Client) File {
		return File{Path: path.Join(s.gradleHome(), "gradle.properties"), Format: edit.Properties}
	}},
	Rules:      ruleSet("java"),
	Resolve:    func(s *scan, c *Client, layers []layer) { s.storeTrust(c, layers) }, // it gives up where the store is not there
	Unverified: "Gradle's daemon of 5 and newer (measured with 4.4.1); build scripts are programs and not read",
}

func (s *scan) gradleHome() string {
	if d := s.getenv("GRADLE_USER_HOME"); path.IsAbs(d) {
		return d
	}
	return path.Join(s.home, ".gradle")
}

// readGradle finds the servers that an init script names: it is a program, so
// its lines are found by their words and changed by a person.
func readGradle(data []byte) []edit.Entry {
	var out []edit.Entry
	for i, line := range strings.Split(string(data), "\n") {
		code := strings.TrimSpace(line)
		if strings.HasPrefix(code, "//") || !strings.Contains(code, "url") && !strings.Contains(code, "uri") {
			continue
		}
		at := strings.Index(code, "http")
		if at < 1 || !strings.ContainsRune(`"'`, rune(code[at-1])) {
			continue
		}
		v, _, _ := strings.Cut(code[at:], code[at-1:at])
		out = append(out, edit.Entry{Path: []string{"url"}, Value: v, Line: i + 1, EndLine: i + 1})
	}
	return out
}

// alongside are the words of a list that go when one of them goes: how the
// store is opened that it names, the same said in other words.
func alongside(list, word string) []string {
	var out []string
	for _, w := range strings.Fields(list) {
		store := strings.HasPrefix(word, storeProps) && strings.HasPrefix(w, storeProps)
		maven := !store && hasAny(word, mavenAlso) && hasAny(w, mavenAlso)
		if (store || maven) && w != word && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// hasAny matches a word with a Word of the table.
func hasAny(word, prefixes string) bool {
	return slices.ContainsFunc(strings.Split(prefixes, "|"), func(p string) bool { return strings.HasPrefix(word, p) })
}
