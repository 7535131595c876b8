package fix

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"trustfix/bundles"
	"trustfix/detect"
	"trustfix/platform"
	"trustfix/platform/platformtest"
)

// Every family's package manager gets the reference roots for its own https,
// or the bundle first where it has no option for that.
func TestPackageManagersOverride(t *testing.T) {
	for _, tt := range []struct {
		release, program, repoFile, repo string
		want                             string
	}{
		{
			"fedora", "usr/bin/dnf", "etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://mirror.example/x\n",
			"$ dnf --setopt=sslcacert={roots} -y install ca-certificates\n$ update-ca-trust extract",
		},
		{
			"alpine", "sbin/apk", "etc/apk/repositories", "https://mirror.example/x\n",
			"$ apk add --no-cache ca-certificates ca-certificates-bundle SSL_CERT_FILE={roots}\n$ update-ca-certificates --fresh SSL_CERT_FILE={roots}",
		},
		{
			"arch", "usr/bin/pacman", "etc/pacman.d/mirrorlist", "Server = https://mirror.example/$repo\n",
			"file /etc/ca-certificates/extracted/tls-ca-bundle.pem\nlink /etc/ssl/cert.pem\n$ pacman -Sy --noconfirm ca-certificates-utils ca-certificates ca-certificates-mozilla\n$ update-ca-trust",
		},
	} {
		h := platformtest.New(t, fmt.Sprintf("mode 0755 /%s\n-- etc/os-release --\nID=%s\n-- etc/passwd --\nroot:x:0:0::/root:/bin/sh\n-- %s --\n-- %s --\n%s", tt.program, tt.release, tt.program, tt.repoFile, tt.repo),
			platformtest.Network(&platformtest.Net{Gets: map[string]platformtest.Get{"mirror.example": {Response: &platform.Response{}}}}))
		r := &detect.Report{Options: detect.Options{Refs: bundles.NewRoots(platformtest.Root(t, "A"))}}
		actions, err := installStore.Plan(context.Background(), &Input{View: h.View, Report: r}, []detect.Finding{{ID: "store-missing"}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range actions {
			if len(a.Do) == 0 {
				got = append(got, string(a.Kind)+" "+a.Target)
			}
			for _, c := range a.Do {
				if c.Argv[0] == "mkdir" {
					continue
				}
				line := "$ " + strings.Join(c.Argv, " ")
				for _, e := range c.Env {
					if strings.Contains(e, "{roots}") {
						line += " " + e
					}
				}
				got = append(got, line)
			}
		}
		want := strings.Replace(tt.want, "--fresh SSL_CERT_FILE={roots}", "--fresh", 1)
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.release, strings.Join(got, "\n"), want)
		}
	}
}

func TestLocalRepository(t *testing.T) {
	for s, want := range map[string]bool{"file:/srv/repo": true, "file:///srv": true, "copy:/x": true, "cdrom:[x]/": true, "http://x/": false, "https://x/": false} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if local(u) != want {
			t.Errorf("%s: %v", s, local(u))
		}
	}
}
