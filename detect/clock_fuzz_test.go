package detect

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"trustfix/platform"
)

// textFiles is a tree of regular files.
type textFiles struct {
	platform.Files
	data map[string]string
	read int
}

func (t *textFiles) ReadFile(name string) ([]byte, error) {
	t.read++
	if data, ok := t.data[path.Clean(name)]; ok {
		return []byte(data), nil
	}
	return nil, fs.ErrNotExist
}

func (t *textFiles) Stat(name string) (platform.Image, error) {
	if _, ok := t.data[path.Clean(name)]; ok {
		return platform.Image{Kind: platform.File}, nil
	}
	return platform.Image{}, fs.ErrNotExist
}

func (t *textFiles) ReadDir(dir string) ([]string, error) {
	var out []string
	for name := range t.data {
		if path.Dir(name) == path.Clean(dir) {
			out = append(out, path.Base(name))
		}
	}
	slices.Sort(out)
	return out, nil
}

// A configuration of a time service names servers or does not; it costs no
// more than its length, whatever it includes, and a name is one word.
func FuzzTimeServers(f *testing.F) {
	for _, seed := range []string{
		"pool a.example iburst\nserver b port 1123\nconfdir /etc/chrony/conf.d\n", "[Time]\nNTP=a b\nNTP=\nFallbackNTP=c\n",
		strings.Repeat("include /etc/chrony/chrony.conf\nconfdir /etc/chrony\n", 50), "include /etc/chrony/[\n", "servers -4 127.127.1.0\n",
	} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		files := &textFiles{data: map[string]string{
			"/etc/chrony/chrony.conf": a, "/etc/chrony/conf.d/b.conf": b, "/etc/systemd/timesyncd.conf": a, "/etc/systemd/timesyncd.conf.d/b.conf": b,
		}}
		began := time.Now()
		for _, s := range configuredServers(&platform.View{OS: "linux", Files: files}) {
			if len(strings.Fields(s)) != 1 || operatorOf(s) == "" && strings.Trim(s, ".[]:") != "" && s == strings.TrimLeft(s, ".") {
				t.Errorf("server %q of %q", s, operatorOf(s))
			}
		}
		if files.read > 100 || time.Since(began) > 10*time.Second {
			t.Errorf("%d reads, %v", files.read, time.Since(began))
		}
	})
}
