package client

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"trustfix/platform"
)

// BenchmarkThisMachine resolves the system that runs the test.
func BenchmarkThisMachine(b *testing.B) {
	h, err := platform.Open(platform.OpenOptions{Env: os.Environ(), StateDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		inv, err := Resolve(context.Background(), h.View)
		if err != nil {
			b.Fatal(err)
		}
		n = len(inv.Clients)
	}
	b.ReportMetric(float64(n), "clients")
}

// BenchmarkEnvironments resolves a home with n conda environments and 0.3 n
// virtual environments, each with its own certifi, plus a long condarc and npmrc.
func BenchmarkEnvironments(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			root := b.TempDir()
			manyEnvironments(b, root, n)
			h, err := platform.Open(platform.OpenOptions{Root: root, StateDir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := Resolve(context.Background(), h.View); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func manyEnvironments(t testing.TB, root string, n int) {
	write := func(name, data string) {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	bundle, err := os.ReadFile("../../bundles/testdata/some.pem")
	if err != nil {
		bundle = []byte("-----BEGIN CERTIFICATE-----\n")
	}
	python := func(dir, minor string) {
		site := dir + "/lib/python" + minor + "/site-packages/"
		for _, d := range []string{"certifi-2024.7.4", "requests-2.31.0", "urllib3-2.2.0", "pip-24.0", "numpy-1.26.0", "idna-3.6"} {
			write(site+d+".dist-info/METADATA", "")
		}
		write(site+"certifi/core.py", "def where(): pass\n")
		write(site+"certifi/cacert.pem", string(bundle))
		write(site+"pip/_vendor/certifi/cacert.pem", string(bundle))
	}
	base := "root/miniconda3"
	write(base+"/condabin/conda", "")
	for _, m := range []string{"conda-24.1.0-py311_0", "python-3.11.7-h1", "openssl-3.0.13-h1"} {
		write(base+"/conda-meta/"+m+".json", "{}")
	}
	write(base+"/conda-meta/history", "")
	python(base, "3.11")
	list := "/root/miniconda3\n"
	for i := range n {
		env := fmt.Sprintf("%s/envs/e%04d", base, i)
		write(env+"/conda-meta/history", "")
		write(env+"/conda-meta/python-3.10.13-h1.json", "{}")
		write(env+"/conda-meta/openssl-1.1.1w-h1.json", "{}")
		python(env, "3.10")
		list += "/" + env + "\n"
		if i%10 < 3 {
			v := fmt.Sprintf("root/.virtualenvs/v%04d", i)
			write(v+"/pyvenv.cfg", "home = /usr/bin\nversion = 3.11.2\n")
			python(v, "3.11")
		}
	}
	write("root/.conda/environments.txt", list)
	rc := "channels:\n"
	for i := range 5000 {
		rc += fmt.Sprintf("  - https://mirror.example/%d\n", i)
	}
	write("root/.condarc", rc+"ssl_verify: false\n")
	npmrc := ""
	for i := range 20000 {
		npmrc += fmt.Sprintf("key%d=value\n", i)
	}
	write("root/.npmrc", npmrc+"strict-ssl=false\n")
}
