package client

import (
	"path"
	"runtime"
	"sync"
	"sync/atomic"
)

// ahead lists directories that are going to be asked for, as many at a time as
// there are processors: a thousand environments one by one would be a thousand
// waits on a slow disk.
func (s *scan) ahead(dirs []string) {
	lists := make([][]string, len(dirs))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(dirs)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(dirs); i = int(next.Add(1)) - 1 {
				lists[i], _ = s.v.Files.ReadDir(dirs[i]) // nil: nothing to see there
			}
		})
	}
	wg.Wait()
	for i, d := range dirs {
		s.dirs[d] = lists[i]
	}
}

// prefixesAhead is ahead for what addPrefix and addPy will ask of environments.
func (s *scan) prefixesAhead(prefixes []string) {
	dirs := make([]string, 0, 2*len(prefixes))
	for _, p := range prefixes {
		if _, ok := s.dirs[p]; !ok {
			dirs = append(dirs, p, path.Join(p, "conda-meta"))
		}
	}
	s.ahead(dirs)
}
