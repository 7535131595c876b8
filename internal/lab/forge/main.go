// Forge is a release server for rehearsals, on loopback https: plain
// directories, and as much of GitHub's API as goreleaser needs to publish and
// trustfix to update. What is published is kept in memory, and the files that
// are written into repositories (tap, bucket, winget) lie under -repos. It is
// test code: it asks for no credentials and must not leave this machine.
//
//	go run ./internal/lab/forge -cert CERT -key KEY -dir DIR -repos DIR
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// asset is a file of a release.
type asset struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Size int    `json:"size"`
	URL  string `json:"browser_download_url"`
	data []byte
}

// rel is a release as GitHub's API shows it.
type rel struct {
	ID         int64     `json:"id"`
	Tag        string    `json:"tag_name"`
	Name       string    `json:"name"`
	Body       string    `json:"body"`
	Draft      bool      `json:"draft"`
	Prerelease bool      `json:"prerelease"`
	Created    time.Time `json:"created_at"`
	Assets     []*asset  `json:"assets"`
	HTML       string    `json:"html_url"`
	repo       string
}

type forge struct {
	base, repos string

	mu       sync.Mutex
	last     int64
	releases []*rel
}

func main() {
	cert, key := flag.String("cert", "", "certificate"), flag.String("key", "", "its key")
	dir, repos := flag.String("dir", "", "plain directories to serve"), flag.String("repos", "", "where files written into repositories go")
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	f := &forge{base: "https://" + l.Addr().String(), repos: *repos}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(*dir)))
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /api/v3/repos/{owner}/{repo}":                            f.repository,
		"GET /api/v3/repos/{owner}/{repo}/releases":                   f.list,
		"POST /api/v3/repos/{owner}/{repo}/releases":                  f.create,
		"PATCH /api/v3/repos/{owner}/{repo}/releases/{id}":            f.edit,
		"GET /api/v3/repos/{owner}/{repo}/releases/{id}/{of}":         f.one,
		"POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets": f.upload,
		"GET /{owner}/{repo}/releases/download/{tag}/{name}":          f.download,
		"GET /{owner}/{repo}/releases/latest/download/{name}":         f.download,
		"GET /api/v3/repos/{owner}/{repo}/contents/{path...}":         notFound,
		"PUT /api/v3/repos/{owner}/{repo}/contents/{path...}":         f.put,
		"GET /api/v3/repos/{owner}/{repo}/branches/{branch}":          f.branch,
		"GET /api/v3/repos/{owner}/{repo}/git/ref/heads/{branch}":     f.branch,
		"POST /api/v3/repos/{owner}/{repo}/git/refs":                  f.branch,
	} {
		mux.HandleFunc(pattern, h)
	}
	fmt.Println(f.base)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	log.Fatal(srv.ServeTLS(l, *cert, *key))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(os.Stderr, "not found:", r.Method, r.URL)
	answer(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
}

func repo(r *http.Request) string { return r.PathValue("owner") + "/" + r.PathValue("repo") }

// of are the releases of a repository, the newest first.
func (f *forge) of(r *http.Request) []*rel {
	list := []*rel{}
	for _, one := range f.releases {
		if one.repo == repo(r) {
			list = append([]*rel{one}, list...)
		}
	}
	return list
}

func (f *forge) repository(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, map[string]any{"name": r.PathValue("repo"), "default_branch": "main"})
}

func (f *forge) branch(w http.ResponseWriter, r *http.Request) {
	sha := strings.Repeat("0", 40)
	answer(w, http.StatusOK, map[string]any{"name": r.PathValue("branch"), "ref": "refs/heads/main", "object": map[string]string{"sha": sha}, "commit": map[string]string{"sha": sha}})
}

func (f *forge) list(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.of(r)
	if r.URL.Query().Get("page") > "1" {
		list = []*rel{}
	}
	// An owner's token sees drafts; anybody else does not.
	if r.Header.Get("Authorization") == "" {
		public := []*rel{}
		for _, one := range list {
			if !one.Draft {
				public = append(public, one)
			}
		}
		list = public
	}
	answer(w, http.StatusOK, list)
}

func (f *forge) find(r *http.Request) *rel {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for _, one := range f.of(r) {
		if one.ID == id || r.PathValue("tag") != "" && one.Tag == r.PathValue("tag") {
			return one
		}
	}
	return nil
}

func (f *forge) create(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	one := &rel{ID: f.last, repo: repo(r), Assets: []*asset{}, Created: time.Now(), HTML: f.base}
	if err := json.NewDecoder(r.Body).Decode(one); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	f.releases = append(f.releases, one)
	answer(w, http.StatusCreated, one)
}

// one is /releases/tags/TAG, a release, or /releases/ID/assets, its files.
func (f *forge) one(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.PathValue("id") == "tags" {
		r.SetPathValue("tag", r.PathValue("of"))
	}
	switch found := f.find(r); {
	case found == nil:
		notFound(w, r)
	case r.PathValue("of") == "assets":
		answer(w, http.StatusOK, found.Assets)
	default:
		answer(w, http.StatusOK, found)
	}
}

func (f *forge) edit(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.find(r)
	if one == nil {
		notFound(w, r)
		return
	}
	kept := one.Assets
	if err := json.NewDecoder(r.Body).Decode(one); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	one.Assets = kept
	answer(w, http.StatusOK, one)
}

func (f *forge) upload(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.find(r)
	if one == nil || err != nil {
		notFound(w, r)
		return
	}
	f.last++
	name := r.URL.Query().Get("name")
	a := &asset{ID: f.last, Name: name, Size: len(data), data: data, URL: f.base + "/" + one.repo + "/releases/download/" + one.Tag + "/" + name}
	one.Assets = append(one.Assets, a)
	answer(w, http.StatusCreated, a)
}

func (f *forge) download(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.of(r) {
		if one.Draft || r.PathValue("tag") != "" && one.Tag != r.PathValue("tag") {
			continue
		}
		for _, a := range one.Assets {
			if a.Name == r.PathValue("name") {
				_, _ = w.Write(a.data)
				return
			}
		}
		break // only the latest, or the one of the tag
	}
	notFound(w, r)
}

// put writes a file into a repository.
func (f *forge) put(w http.ResponseWriter, r *http.Request) {
	var body struct{ Content []byte }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	file := filepath.Join(f.repos, repo(r), path.Clean("/"+r.PathValue("path")))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
		err = os.WriteFile(file, body.Content, 0o644)
		if err != nil {
			log.Print(err)
		}
	}
	answer(w, http.StatusCreated, map[string]any{"content": map[string]string{"path": r.PathValue("path")}, "commit": map[string]string{"sha": strings.Repeat("0", 40)}})
}
