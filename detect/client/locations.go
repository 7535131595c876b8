package client

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"
)

// locations are the variables that say where programs keep their files. Who
// sets one in a profile has those files read in every shell, so they count
// also where this process was started without that profile: by sudo, by a
// timer, or for another system's tree.
var locations = []string{
	"CONDARC", "CONDA_ROOT", "MAMBARC", "MAMBA_ROOT_PREFIX", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS",
	"PIP_CONFIG_FILE", "UV_CONFIG_FILE", "PIXI_HOME", "PIXI_CONFIG_FILE", "POETRY_CONFIG_DIR", "PYENV_ROOT",
	"CURL_HOME", "WGETRC", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
	"npm_config_userconfig", "npm_config_globalconfig", "npm_config_prefix",
	"JAVA_HOME", "GOENV", "GOROOT", "GEMRC", "BUNDLE_CONFIG", "BUNDLE_USER_CONFIG", "BUNDLE_USER_HOME", "CARGO_HOME", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
	"CLOUDSDK_CONFIG", "R_ENVIRON", "R_ENVIRON_USER", "R_PROFILE", "R_PROFILE_USER",
}

// getenv is a variable of the process, or one of locations as a profile sets
// it; npm's in any case.
func (s *scan) getenv(name string) string {
	if v, ok := s.v.Env[name]; ok {
		return v
	}
	if strings.HasPrefix(name, "npm_config_") {
		for _, k := range slices.Sorted(maps.Keys(s.v.Env)) {
			if canon(k) == name {
				return s.v.Env[k]
			}
		}
	}
	return s.located[name]
}

// readLocations collects what profiles say about locations, before the files
// that they name are looked for.
func (s *scan) readLocations() {
	found := map[string]string{}
	for _, src := range s.envSources() {
		if src.kind != envEdit {
			continue
		}
		for _, f := range s.expandFiles([]File{src.File}) {
			data := s.readRaw("environment", f.Path)
			if !slices.ContainsFunc(locations, func(n string) bool {
				return bytes.Contains(data, []byte(n)) || bytes.Contains(data, []byte(strings.ToUpper(n)))
			}) {
				continue
			}
			for _, e := range s.parse("environment", f.Path, f.Format) {
				if len(e.Path) != 1 || !slices.Contains(locations, canon(e.Path[0])) {
					continue
				}
				var parts []string
				for _, p := range strings.Split(e.Value, ":") {
					if p, ok := s.expand(p); ok {
						parts = append(parts, path.Clean(p))
					}
				}
				if v := strings.Join(parts, ":"); v != "" {
					found[canon(e.Path[0])] = v
				}
			}
		}
	}
	s.located = found
}
