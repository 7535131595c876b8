package fix

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/platform/platformtest"
)

const (
	javaHome = "/usr/lib/jvm/java-17"
	ownStore = javaHome + "/lib/security/jssecacerts"
)

// javaTree is a Java with a store of its own.
func javaTree(t *testing.T, roots ...*x509.Certificate) string {
	t.Helper()
	store, err := keyStore("first", roots, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return "-- usr/lib/jvm/java-17/bin/java --\n-- usr/lib/jvm/java-17/release --\nJAVA_VERSION=\"17.0.9\"\n" +
		"-- usr/lib/jvm/java-17/lib/security/cacerts --\n" + string(store) + "\n"
}

// anchors requires that a key store in the tree has exactly these.
func (c *campus) anchors(name, password string, want ...*x509.Certificate) {
	c.t.Helper()
	store, err := bundles.ReadKeyStore([]byte(c.read(name)), password)
	if err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	for _, w := range want {
		if !slices.ContainsFunc(store.Certs, w.Equal) {
			c.t.Errorf("%s lacks %s", name, bundles.Name(w))
		}
	}
	if len(store.Certs) != len(want) {
		c.t.Errorf("%s has %d anchors, want %d", name, len(store.Certs), len(want))
	}
}

// A server that forgets its intermediate: what runs on Java gets a key store of
// its own with the roots of that Java, by its own setting.
func TestPinForJava(t *testing.T) {
	const mirror = "-- root/.m2/settings.xml --\n<mirror><url>https://" + pinHost + "/maven2</url></mirror>\n"
	const initGradle = "-- root/.gradle/init.gradle --\nmaven { url 'https://" + pinHost + "/maven2' }\n"
	for _, tc := range []struct {
		name, client, tree  string
		file, before, after string // PIN stands for the pin
		pin                 string
		usedBy              []string
		password            string
	}{
		{"java's own store", "java", "", "", "", "", ownStore, []string{"java"}, ""},
		{"maven", "maven", mirror, "/root/.mavenrc", "", "export MAVEN_OPTS=\"$MAVEN_OPTS -Djavax.net.ssl.trustStore=PIN\"\n", "/root/.m2/trustfix-pin.jks", nil, ""},
		{
			"maven with options", "maven", mirror, "/root/.mavenrc", "# more\nMAVEN_OPTS=\"-Xmx1g\"\n", "# more\nMAVEN_OPTS=\"-Xmx1g -Djavax.net.ssl.trustStore=PIN\"\n",
			"/root/.m2/trustfix-pin.jks", nil, "",
		},
		{"gradle", "gradle", initGradle, "/root/.gradle/gradle.properties", "a=b\n", "a=b\nsystemProp.javax.net.ssl.trustStore=PIN\n", "/root/.gradle/trustfix-pin.jks", nil, ""},
		{
			"gradle with a store", "gradle", initGradle, "/root/.gradle/gradle.properties",
			"systemProp.javax.net.ssl.trustStore=" + javaHome + "/lib/security/cacerts\nsystemProp.javax.net.ssl.trustStorePassword=changeit\n",
			"systemProp.javax.net.ssl.trustStore=PIN\nsystemProp.javax.net.ssl.trustStorePassword=changeit\n",
			"/root/.gradle/trustfix-pin.jks", nil, "changeit",
		},
		{
			"gradle by jvmargs", "gradle", initGradle, "/root/.gradle/gradle.properties",
			"org.gradle.jvmargs=-Xmx1g -Djavax.net.ssl.trustStore=" + javaHome + "/lib/security/cacerts -Da=b\n",
			"org.gradle.jvmargs=-Xmx1g -Djavax.net.ssl.trustStore=PIN -Da=b\n",
			"/root/.gradle/trustfix-pin.jks", nil, "",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampus(t, "")
			tree := javaTree(t, c.root.Cert, c.other.Cert) + tc.tree + "-- usr/bin/mvn --\n-- usr/bin/gradle --\n"
			if tc.before != "" {
				tree += "-- " + tc.file[1:] + " --\n" + tc.before
			}
			c = c.again("mode 0755 /usr/bin/mvn\nmode 0755 /usr/bin/gradle\n", tree)
			c.forgetful()
			if tc.usedBy != nil {
				c.options.Targets, c.options.UsedBy = []string{pinHost}, tc.usedBy
			}
			if f := c.findingOf(pinHost); f.ID != "server-incomplete-chain" || f.Fix != "write-pin" || !strings.Contains(f.Client, tc.client) {
				t.Fatalf("%s: fix %q for %q", f.ID, f.Fix, f.Client)
			}
			c.apply(Make)
			want := strings.ReplaceAll(tc.after, "PIN", tc.pin)
			if tc.file != "" && c.read(tc.file) != want {
				t.Errorf("%s reads\n%s\nwant\n%s", tc.file, c.read(tc.file), want)
			}
			c.anchors(tc.pin, tc.password, c.root.Cert, c.other.Cert, c.inter.Cert)
			if again := c.plan(Make); again.Possible() != 0 {
				t.Errorf("a second apply would do:\n%s", dryRun(again))
			}
			c.apply(UnpinPlan(nil))
			if exists(c.host.View, tc.pin) || tc.file != "" && tc.before != "" && c.read(tc.file) != tc.before {
				t.Errorf("unpin leaves %s:\n%s", tc.file, c.read(tc.file))
			}
			if _, err := Rollback(t.Context(), c.host, "", false); err != nil {
				t.Fatal(err)
			}
			c.rollback()
		})
	}
}

// A CA that the person named goes to the Javas that do not read the system's
// store; a store that somebody made for a Java is theirs to change, and one that
// the distribution makes from the system's needs nothing.
func TestPrivateCAForJava(t *testing.T) {
	private := platformtest.NewCA(t, "Campus Root", nil)
	for _, tc := range []struct {
		name, directives, tree string
		want                   bool
	}{
		{"a Java with roots of its own", "", "", true},
		{"a key store that somebody made", "", "-- usr/lib/jvm/java-17/lib/security/jssecacerts --\nSTORE", false},
		{
			"Debian's", "link " + javaHome + "/lib/security/cacerts -> /etc/ssl/certs/java/cacerts\n",
			"-- etc/ssl/certs/java/cacerts --\nSTORE-- etc/ca-certificates/update.d/jks-keystore --\n-- etc/default/cacerts --\ncacerts_updates=yes\n", false,
		},
		{
			"Debian's, switched off", "link " + javaHome + "/lib/security/cacerts -> /etc/ssl/certs/java/cacerts\n",
			"-- etc/ssl/certs/java/cacerts --\nSTORE-- etc/ca-certificates/update.d/jks-keystore --\n-- etc/default/cacerts --\ncacerts_updates=no\n", true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCampus(t, "")
			all := javaTree(t, c.root.Cert, c.other.Cert)
			java, store, _ := strings.Cut(all, "-- usr/lib/jvm/java-17/lib/security/cacerts --\n")
			tree := java + strings.ReplaceAll(tc.tree, "STORE", store)
			if tc.directives == "" {
				tree = all + strings.ReplaceAll(tc.tree, "STORE", store)
			}
			c = c.again(tc.directives, tree+"-- root/.condarc --\nchannels: [https://"+pinHost+"/c]\n-- etc/ssl/certs/ca-certificates.crt --\n"+c.read("/opt/conda/ssl/cacert.pem"))
			c.serve(private.Leaf(t, pinHost), private.Cert.Raw)
			c.options.Consented = []string{bundles.Fingerprint(private.Cert.Raw)}
			p := c.plan(Make)
			var java17 []Action
			for _, s := range p.Steps {
				for _, a := range s.Actions {
					if strings.HasPrefix(a.Target, javaHome) {
						java17 = append(java17, a)
					}
				}
			}
			if (len(java17) == 1) != tc.want {
				t.Fatalf("plan:\n%s", dryRun(p))
			}
			if !tc.want {
				return
			}
			if java17[0].Target != ownStore {
				t.Errorf("it writes %s", java17[0].Target)
			}
			k, err := bundles.ReadKeyStore(java17[0].After.Data, "")
			if err != nil || len(k.Certs) != 3 || !slices.ContainsFunc(k.Certs, private.Cert.Equal) {
				t.Errorf("%d anchors, %v", len(k.Certs), err)
			}
		})
	}
}

// A store of private CAs alone is completed under its password, and the word of
// the options that named it names the complete one.
func TestPartialStore(t *testing.T) {
	corp, public := newCA(t, "Corp Root"), newCA(t, "Public Root")
	store, err := keyStore("corp", []*x509.Certificate{corp}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ file, before, after string }{
		"a word": {
			"/root/.profile", "export JAVA_TOOL_OPTIONS=\"-Xmx1g -Djavax.net.ssl.trustStore=/srv/corp.jks -Djavax.net.ssl.trustStorePassword=changeit\"\n",
			"export JAVA_TOOL_OPTIONS=\"-Xmx1g -Djavax.net.ssl.trustStore=/srv/corp-and-public.jks -Djavax.net.ssl.trustStorePassword=changeit\"\n",
		},
		"a key": {
			"/root/.gradle/gradle.properties", "systemProp.javax.net.ssl.trustStore=/srv/corp.jks\n", "systemProp.javax.net.ssl.trustStore=/srv/corp-and-public.jks\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCampus(t, "")
			c.options.Refs = bundles.NewRoots(public)
			c.options.Offline = true
			c = c.again("", javaTree(t, public)+"-- "+tc.file[1:]+" --\n"+tc.before+"-- srv/corp.jks --\n"+string(store)+"\n"+
				"-- root/.gradle/init.gradle --\nmaven { url 'https://repo.maven.apache.org/maven2' }\n")
			c.options.Only = []string{"ca-path-partial"}
			c.apply(Make)
			if got := c.read(tc.file); got != tc.after {
				t.Errorf("got\n%s\nwant\n%s", got, tc.after)
			}
			c.anchors("/srv/corp-and-public.jks", "changeit", corp, public)
			if again := c.plan(Make); again.Possible() != 0 {
				t.Errorf("a second apply would do:\n%s", dryRun(again))
			}
			c.rollback()
		})
	}
}
