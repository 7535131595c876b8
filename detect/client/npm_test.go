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
