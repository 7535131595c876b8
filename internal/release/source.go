package release

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/creativeprojects/go-selfupdate"

	"trustfix/internal/text"
	"trustfix/platform"
)

// source lists and loads releases for go-selfupdate: from a plain directory
// served over https, from GitHub's API or one that answers alike (Gitea,
// Forgejo), or from files. It asks without any credentials: what it brings is
// believed for its signature, not for where it came from.
type source struct {
	o    Options
	keys Keys
	load func(ctx context.Context, name string, limit int64) (*platform.Response, error)
	base *url.URL // nil for files
	api  bool

	releases []selfupdate.SourceRelease // listed once
	assets   []*remote                  // by id-1
}

// remote is one file of a release.
type remote struct {
	id        int64
	name, url string
	size      int64
	data      []byte // once it is loaded
}

func (a *remote) GetID() int64                  { return a.id }
func (a *remote) GetName() string               { return a.name }
func (a *remote) GetSize() int                  { return int(a.size) }
func (a *remote) GetBrowserDownloadURL() string { return a.url }

// listed is one release.
type listed struct {
	id        int64
	tag       string
	draft     bool
	pre       bool
	published time.Time
	assets    []selfupdate.SourceAsset
}

func (r *listed) GetID() int64                        { return r.id }
func (r *listed) GetTagName() string                  { return r.tag }
func (r *listed) GetDraft() bool                      { return r.draft }
func (r *listed) GetPrerelease() bool                 { return r.pre }
func (r *listed) GetPublishedAt() time.Time           { return r.published }
func (r *listed) GetReleaseNotes() string             { return "" }
func (r *listed) GetName() string                     { return r.tag }
func (r *listed) GetURL() string                      { return "" }
func (r *listed) GetAssets() []selfupdate.SourceAsset { return r.assets }

var (
	apiPath    = regexp.MustCompile(`^(.*/repos/[^/]+/[^/]+)(/releases(/latest)?)?/?$`)
	githubPath = regexp.MustCompile(`^/([^/]+)/([^/]+?)(\.git)?(/releases(/latest)?)?/?$`)
)

// newSource understands a release source's URL.
func newSource(h *platform.Host, keys Keys, o Options) (*source, error) {
	s := &source{o: o, keys: keys}
	if o.Files != nil {
		s.load = o.Files.load
		return s, nil
	}
	if o.Source == "" {
		return nil, refuse(text.M("release.no-source"))
	}
	u, err := url.Parse(o.Source)
	if err != nil || u.Host == "" || u.Scheme != "https" {
		return nil, refuse(text.M("release.not-https", "source", o.Source))
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	if m := githubPath.FindStringSubmatch(u.Path); m != nil && strings.EqualFold(u.Host, "github.com") {
		u.Host, u.Path = "api.github.com", "/repos/"+m[1]+"/"+m[2]
	}
	if m := apiPath.FindStringSubmatch(u.Path); m != nil {
		u.Path, s.api = m[1], true
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"+ManifestName), ""
	s.base = u
	s.load = (&fetcher{h: h, refs: o.Refs, timeout: cmp.Or(o.Timeout, 10*time.Second)}).get
	return s, nil
}

// add makes a file known and returns it.
func (s *source) add(name, at string, size int64) *remote {
	a := &remote{id: int64(len(s.assets)) + 1, name: name, url: at, size: size}
	s.assets = append(s.assets, a)
	return a
}

// beside is where a file of a plain directory stands.
func (s *source) beside(name string) string {
	if s.base == nil {
		return name
	}
	// Not JoinPath: a mirror's path may be a whole address, with its two slashes.
	return strings.TrimSuffix(s.base.String(), "/") + "/" + name
}

// ListReleases implements selfupdate.Source.
func (s *source) ListReleases(ctx context.Context, _ selfupdate.Repository) ([]selfupdate.SourceRelease, error) {
	if s.releases != nil {
		return s.releases, nil
	}
	var err error
	if s.api {
		s.releases, err = s.listAPI(ctx)
	} else {
		s.releases, err = s.listDirectory(ctx)
	}
	if err == nil && len(s.releases) == 0 {
		err = refuse(text.M("release.none", "source", s.o.Source))
	}
	return s.releases, err
}

// listDirectory is the one release of a plain directory. Its list is the
// manifest, so the manifest is verified before it is parsed, here already.
func (s *source) listDirectory(ctx context.Context) ([]selfupdate.SourceRelease, error) {
	manifest := s.add(ManifestName, s.beside(ManifestName), 0)
	signature := s.add(SignatureName, s.beside(SignatureName), 0)
	for _, a := range []*remote{manifest, signature} {
		if _, err := s.read(ctx, a); err != nil {
			return nil, err
		}
	}
	m, _, err := s.verified(manifest.data, signature.data)
	if err != nil {
		return nil, err
	}
	r := &listed{id: 1, tag: "v" + m.Version, published: m.Released, assets: []selfupdate.SourceAsset{manifest, signature}}
	for _, a := range m.Assets {
		r.assets = append(r.assets, s.add(a.Name, s.beside(a.Name), a.Size))
	}
	return []selfupdate.SourceRelease{r}, nil
}

// verified is the manifest, once its signature has been checked.
func (s *source) verified(manifest, signature []byte) (m *Manifest, key string, err error) {
	if key, err = s.keys.verify(manifest, signature); err != nil {
		return nil, "", err
	}
	if m, err = parseManifest(manifest); err != nil {
		return nil, "", refuse(text.M("release.bad-manifest", "error", err.Error()))
	}
	return m, key, nil
}

const (
	pageSize = 100
	maxPages = 20
	maxList  = 4 << 20
)

// listAPI reads every page of /repos/OWNER/NAME/releases.
func (s *source) listAPI(ctx context.Context) (out []selfupdate.SourceRelease, err error) {
	known := map[int64]bool{}
	for page := 1; page <= maxPages; page++ {
		u := s.base.JoinPath("releases")
		// per_page is GitHub's word, limit is Gitea's.
		u.RawQuery = fmt.Sprintf("per_page=%d&limit=%d&page=%d", pageSize, pageSize, page)
		resp, err := s.load(ctx, u.String(), maxList)
		if err != nil {
			return nil, err
		}
		var list []struct {
			ID         int64     `json:"id"`
			Tag        string    `json:"tag_name"`
			Draft      bool      `json:"draft"`
			Prerelease bool      `json:"prerelease"`
			Published  time.Time `json:"published_at"`
			Assets     []struct {
				Name string `json:"name"`
				Size int64  `json:"size"`
				URL  string `json:"browser_download_url"`
			} `json:"assets"`
		}
		if err := json.Unmarshal(resp.Body, &list); err != nil {
			return nil, refuse(text.M("release.not-api", "source", u.Redacted(), "error", err.Error()))
		}
		fresh := false
		for _, r := range list {
			if known[r.ID] {
				continue
			}
			known[r.ID], fresh = true, true
			rel := &listed{id: r.ID, tag: r.Tag, draft: r.Draft, pre: r.Prerelease, published: r.Published}
			for _, a := range r.Assets {
				rel.assets = append(rel.assets, s.add(a.Name, a.URL, a.Size))
			}
			out = append(out, rel)
		}
		more := strings.Contains(http.Header(resp.Header).Get("Link"), `rel="next"`)
		if !fresh || !more && len(list) < 30 {
			break
		}
	}
	return out, nil
}

// DownloadReleaseAsset implements selfupdate.Source.
func (s *source) DownloadReleaseAsset(ctx context.Context, _ *selfupdate.Release, id int64) (io.ReadCloser, error) {
	if id < 1 || id > int64(len(s.assets)) {
		return nil, selfupdate.ErrAssetNotFound
	}
	data, err := s.read(ctx, s.assets[id-1])
	return io.NopCloser(bytes.NewReader(data)), err
}

// read loads a file of a release once, and never more than it may have.
func (s *source) read(ctx context.Context, a *remote) ([]byte, error) {
	if a.data != nil {
		return a.data, nil
	}
	limit := int64(maxArchive)
	switch {
	case a.name == ManifestName:
		limit = maxManifest
	case a.name == SignatureName:
		limit = maxSignature
	case a.size > 0:
		limit = a.size
	}
	resp, err := s.load(ctx, a.url, limit)
	if err != nil {
		return nil, err
	}
	a.data = resp.Body
	return a.data, nil
}

// fetcher is the https client: the machine's roots, then the reference roots,
// since this machine's may be what is broken.
type fetcher struct {
	h       *platform.Host
	refs    *x509.CertPool
	timeout time.Duration
}

// archiveTime is how much longer than one answer an archive may take: a slow
// mirror is no reason to give up. A variable for the test of the limit.
var archiveTime = time.Duration(60)

func (f *fetcher) get(ctx context.Context, at string, limit int64) (*platform.Response, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" {
		return nil, refuse(text.M("release.not-https", "source", at))
	}
	req := platform.Request{URL: at, Proxy: f.h.Net.ProxyFor(u), Limit: limit, Timeout: f.timeout}
	if limit != maxManifest && limit != maxSignature && limit != maxList {
		req.Timeout *= archiveTime
	}
	var resp *platform.Response
	var cert *tls.CertificateVerificationError
	for _, roots := range []*x509.CertPool{platform.SystemRoots(), f.refs} {
		if req.Roots = roots; roots == nil {
			continue
		}
		if resp, err = f.h.Net.Get(ctx, req); err == nil || !errors.As(err, &cert) {
			break
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &cert):
		return nil, f.untrusted(u, cert)
	case err != nil:
		return nil, refuse(text.M("release.unreachable", "error", err.Error()))
	case resp.Status == http.StatusNotFound:
		return nil, refuse(text.M("release.not-found", "url", at))
	case rateLimited(resp):
		return nil, refuse(text.M("release.rate-limit", "host", u.Host, "until", limitedUntil(resp)))
	case resp.Status != http.StatusOK:
		return nil, refuse(text.M("release.status", "url", at, "status", fmt.Sprintf("%d %s", resp.Status, http.StatusText(resp.Status))))
	case resp.Truncated:
		return nil, refuse(text.M("release.too-large", "url", at, "limit", limit))
	}
	return resp, nil
}

// untrusted says who stands where the release source should.
func (f *fetcher) untrusted(u *url.URL, cert *tls.CertificateVerificationError) error {
	issuer := ""
	if len(cert.UnverifiedCertificates) > 0 {
		issuer = cert.UnverifiedCertificates[0].Issuer.String()
	}
	return refuse(text.M("release.untrusted", "host", u.Host, "issuer", issuer, "error", cert.Err.Error()))
}

func rateLimited(r *platform.Response) bool {
	h := http.Header(r.Header)
	return r.Status == http.StatusTooManyRequests ||
		r.Status == http.StatusForbidden && (h.Get("X-RateLimit-Remaining") == "0" || h.Get("Retry-After") != "")
}

func limitedUntil(r *platform.Response) string {
	if sec, err := strconv.ParseInt(http.Header(r.Header).Get("X-RateLimit-Reset"), 10, 64); err == nil {
		return time.Unix(sec, 0).UTC().Format(time.RFC3339)
	}
	return cmp.Or(http.Header(r.Header).Get("Retry-After"), "?")
}
