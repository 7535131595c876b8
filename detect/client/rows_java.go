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
