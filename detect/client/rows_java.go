package client

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"trustfix/internal/edit"
)

// Java, Maven and Gradle (reference/clients.md §8). What Java's TLS trusts is
// a key store: of the system property javax.net.ssl.trustStore, else the
// file jssecacerts of the Java, else its cacerts.

// The options that say which store, and how it is opened.
const (
	trustStore = "-Djavax.net.ssl.trustStore="
	storeProps = "-Djavax.net.ssl.trustStore" // with Password, Type and Provider
)

// KeyStore is how Java opens a trust store: without a password a PKCS#12 store
// that has one shows no anchors.
type KeyStore struct{ Type, Password string }

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

// jvmVars are read by every program that runs on Java, around its own
// settings: the virtual machine's first and last word, and the launcher's.
func jvmVars(own ...Var) []Var {
	return jvmWords(Var{Role: RoleCA, Word: trustStore, KeyStore: true}, own...)
}

// jvmWords are the same for a word of another meaning.
func jvmWords(word Var, own ...Var) []Var {
	in := func(name string) Var { word.Name = name; return word }
	launcher := in("JDK_JAVA_OPTIONS")
	launcher.Applies = func(c *Client) bool { return c.Name != "java" || c.Version == "" || javaMajor(c.Version) >= 9 }
	return slices.Concat([]Var{in("JAVA_TOOL_OPTIONS"), launcher}, own, []Var{in("_JAVA_OPTIONS")})
}

// javaMajor is 8 for "1.8.0_392" and 17 for "17.0.9".
func javaMajor(version string) int {
	first, rest, _ := strings.Cut(version, ".")
	if first == "1" {
		first, _, _ = strings.Cut(rest, ".")
	}
	n, _ := strconv.Atoi(first)
	return n
}

var javaRow = &Row{
	Name:    "java",
	Find:    javas,
	Vars:    jvmVars(),
	Default: "file",
	Source:  func(s *scan, c *Client) string { return s.defaultStore(c.Path) },
	Pin:     &Pin{Whole: true, File: func(s *scan, c *Client) File { return s.ownStore(c.Path) }},
	Rules:   ruleSet("java"),
	Resolve: func(s *scan, c *Client, layers []layer) { s.javaTrust(c, layers) },
}

// javas are the Java homes: on the path, in the usual places, by variable.
func javas(s *scan) []*Client {
	homes := []string{s.getenv("JAVA_HOME")}
	if p := s.look("java"); p != "" {
		if real, err := s.v.Files.Resolve(p); err == nil {
			homes = append(homes, parent(real))
		}
	}
	for _, d := range []string{"/usr/lib/jvm", path.Join(s.home, ".sdkman/candidates/java"), "/Library/Java/JavaVirtualMachines"} {
		for _, n := range s.readDir(d) {
			homes = append(homes, path.Join(d, n), path.Join(d, n, "Contents/Home"))
		}
	}
	var out []*Client
	seen := map[string]bool{}
	for _, h := range homes {
		if !path.IsAbs(h) {
			continue
		}
		real, err := s.v.Files.Resolve(h)
		if err != nil {
			continue
		}
		if path.Base(real) == "jre" && s.isFile(path.Join(path.Dir(real), "bin/java")) {
			real = path.Dir(real) // Java 8's, inside its JDK
		}
		if seen[real] || !s.isFile(path.Join(real, "bin/java")) {
			continue
		}
		seen[real] = true
		c := &Client{Path: real, Program: path.Join(real, "bin/java")}
		if _, v, ok := strings.Cut(string(s.peek(path.Join(real, "release"))), `JAVA_VERSION="`); ok {
			c.Version, _, _ = strings.Cut(v, `"`)
		}
		out = append(out, c)
	}
	return out
}

// firstJava is the home of the Java that programs on it would run.
func (s *scan) firstJava() string {
	for _, c := range s.inv.Clients {
		if c.Name == "java" {
			return c.Path
		}
	}
	return ""
}

// ownStore is the file that a Java reads instead of its cacerts when it is
// there: Java's own way of being told of other anchors, whoever starts it.
func (s *scan) ownStore(home string) File {
	if home == "" {
		return File{}
	}
	d := path.Join(home, "lib/security")
	if jre := path.Join(home, "jre/lib/security"); !s.isDir(d) && s.isDir(jre) {
		d = jre
	}
	return File{Path: path.Join(d, "jssecacerts")}
}

// defaultStore is what a Java reads when no setting names a store, links
// followed; "" without a Java.
func (s *scan) defaultStore(home string) string {
	if home == "" {
		return ""
	}
	p := s.ownStore(home).Path
	if !s.isFile(p) {
		return s.cacerts(home)
	}
	return s.followed(p)
}

// cacerts is the store that comes with a Java, links followed.
func (s *scan) cacerts(home string) string {
	return s.followed(path.Join(path.Dir(s.ownStore(home).Path), "cacerts"))
}

func (s *scan) followed(p string) string {
	if real, err := s.v.Files.Resolve(p); err == nil {
		return real
	}
	return p
}

// javaOrder is the order in which Java's words count where it is not the one
// of files and variables; a tool's own stand between. What a tool takes for
// itself it sets when it runs, over all that Java was started with.
var javaOrder = map[string]int{
	"JAVA_TOOL_OPTIONS": -4, "JDK_JAVA_OPTIONS": -3, gradleArgs: -2, "JAVA_OPTS": -1,
	"_JAVA_OPTIONS": 1, gradleStore: 2, "MAVEN_ARGS": 3,
}

func javaRank(l layer) int {
	switch {
	case strings.HasSuffix(l.File, "/.mvn/jvm.config"):
		return -2
	case strings.HasSuffix(l.File, "/.mvn/maven.config"):
		return 2
	}
	return javaOrder[l.Name]
}

// javaTrust settles where a program on Java takes its roots from. A store that
// is not there Java passes over: it reads its cacerts then, not its own
// jssecacerts, and opens that as it was told to open the other.
func (s *scan) javaTrust(c *Client, layers []layer) {
	w := s.storeTrust(c, layers)
	if w == nil || c.Trust.Builtin || c.Trust.Path == "" || s.isFile(c.Trust.Path) {
		return
	}
	home := s.firstJava()
	if c.Name == "java" {
		home = c.Path
	}
	if home == "" {
		return
	}
	s.shippedStore(c, s.cacerts(home))
	if c.Trust.KeyStore = w.KeyStore; w.KeyStore.Password != "" {
		c.Trust.SetBy = w.Where()
	}
}

// shippedStore makes a Java's own store the trust source.
func (s *scan) shippedStore(c *Client, store string) {
	c.Trust.Kind, c.Trust.Path, c.Trust.SetBy, c.Trust.KeyStore = "file", store, "", &KeyStore{}
	if path.Base(store) == "jssecacerts" {
		c.Trust.SetBy = store
	}
	if s.fromSystem(store) {
		c.Trust.Owner = OwnerDistro
	}
}

// storeTrust settles it for a program that opens itself the store that it is
// told of, and returns what tells it; nil where nothing does.
func (s *scan) storeTrust(c *Client, layers []layer) *Setting {
	s.shippedStore(c, c.Trust.Path)
	layers = slices.Clone(layers)
	slices.SortStableFunc(layers, func(a, b layer) int { return cmp.Compare(javaRank(a), javaRank(b)) })
	s.verifyOf(c, layers)
	var w *Setting
	password, kind := "", ""
	for _, l := range layers {
		switch {
		case l.Name == gradleStore+"Password":
			password = l.Value
		case l.Name == gradleStore+"Type":
			kind = l.Value
		case l.role == RoleCA && l.Value != "":
			w = l.Setting
		}
	}
	if w == nil {
		return nil
	}
	if w.KeyStore == nil {
		w.KeyStore = &KeyStore{}
	}
	if w.Name == gradleStore {
		w.KeyStore = &KeyStore{Type: kind, Password: password}
	}
	s.replace(c, w, false)
	c.Trust.KeyStore = w.KeyStore
	switch k := w.KeyStore; {
	case strings.HasPrefix(strings.ToUpper(k.Type), "WINDOWS-ROOT"), strings.HasPrefix(strings.ToUpper(k.Type), "KEYCHAINSTORE"):
		c.Trust.Kind, c.Trust.Path, c.Trust.KeyStore = "os", "", nil
	case k.Type != "" && !oneOf("JKS", "PKCS12", "JCEKS")(k.Type):
		c.Trust.Builtin = true // a token or a provider's own: nothing to read here
	case c.Trust.Path == "NONE":
		c.Trust.Kind, c.Trust.Path = "none", ""
	}
	return w
}

// fromSystem reports whether the distribution makes a store from the system's
// whenever that is rebuilt.
func (s *scan) fromSystem(store string) bool {
	switch store {
	case "/etc/pki/ca-trust/extracted/java/cacerts", "/var/lib/ca-certificates/java-cacerts":
		return true
	case "/etc/ssl/certs/java/cacerts":
		if s.isFile("/etc/ca-certificates/update.d/jks-keystore") {
			return strings.Contains("\n"+string(s.peek("/etc/default/cacerts")), "\ncacerts_updates=yes")
		}
		return s.isFile("/etc/ca-certificates/update.d/java-cacerts") || s.isFile("/usr/share/libalpm/hooks/update-ca-trust.hook")
	}
	return false
}

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

// javaStore is how Java opens the store that a list of options names.
func javaStore(options string) *KeyStore {
	k := &KeyStore{}
	k.Password, _ = wordOf(options, storeProps+"Password=")
	k.Type, _ = wordOf(options, storeProps+"Type=")
	return k
}

// options are all lines of a file of options as one list.
func options(lines []edit.Entry) string {
	var out []string
	for _, e := range lines {
		out = append(out, e.Value)
	}
	return strings.Join(out, " ")
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
