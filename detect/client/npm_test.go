package client

import (
	"context"
	"testing"

	"trustfix/platform/platformtest"
)

// The default registry is judged where the installed npm's own files state
// it, and only there.
func TestNpmRegistryIsReadFromNpm(t *testing.T) {
	const program = `
-- usr/lib/node_modules/npm/bin/npm-cli.js --
#!/usr/bin/env node
-- usr/lib/node_modules/npm/package.json --
{"name": "npm", "version": "11.0.0"}
`
	const definitions = `-- usr/lib/node_modules/npm/node_modules/@npmcli/config/lib/definitions/definitions.js --
  registry: new Definition('registry', {
    default: 'https://registry.example/',
    type: url,
`
	for _, c := range []struct{ name, tree, want string }{
		{"stated", program + definitions, "https://registry.example/"},
		{"not stated", program, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := platformtest.New(t, "link /usr/bin/npm -> ../lib/node_modules/npm/bin/npm-cli.js\nmode 0755 /usr/lib/node_modules/npm/bin/npm-cli.js\n"+c.tree)
			inv, err := Resolve(context.Background(), h.View)
			if err != nil {
				t.Fatal(err)
			}
			got, found := "", false
			for _, cl := range inv.Clients {
				if cl.Name != "npm" {
					continue
				}
				found = true
				for _, e := range cl.Endpoints {
					got += e.URL.String()
				}
			}
			if !found || got != c.want {
				t.Errorf("npm found: %v, asks %q, want %q", found, got, c.want)
			}
		})
	}
}

// Debian's node, and with it npm, trusts the system's store and heeds OpenSSL's
// variables; a node of the same path from nodejs.org's packagers does not.
func TestRootsOfDebiansNode(t *testing.T) {
	const programs = "-- usr/bin/node --\n-- usr/bin/npm --\n-- etc/ssl/certs/ca-certificates.crt --\n-- srv/own.pem --\n"
	for _, c := range []struct{ name, version, profile, want string }{
		{"debian", "12.22.12~dfsg-1~deb11u4", "", "os /etc/ssl/certs/ca-certificates.crt"},
		{"debian with SSL_CERT_FILE", "24.22.2+dfsg+~cs24.19.2-1", "export SSL_CERT_FILE=/srv/own.pem\n", "file /srv/own.pem"},
		{"nodesource", "20.11.0-1nodesource1", "export SSL_CERT_FILE=/srv/own.pem\n", "certifi "},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := platformtest.New(t, "mode 0755 /usr/bin/node\nmode 0755 /usr/bin/npm\n-- var/lib/dpkg/status --\nPackage: nodejs\nVersion: "+c.version+"\n\n-- root/.profile --\n"+c.profile+programs)
			inv, err := Resolve(context.Background(), h.View)
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, cl := range inv.Clients {
				if cl.Name == "node" || cl.Name == "npm" {
					found++
					if got := cl.Trust.Kind + " " + cl.Trust.Path; got != c.want {
						t.Errorf("%s: %s, want %s", cl.Name, got, c.want)
					}
				}
			}
			if found != 2 {
				t.Errorf("found %d programs", found)
			}
		})
	}
}
