package cli

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"trustfix/internal/text"
)

// progress is one status line on a terminal, erased at the end.
type progress struct {
	p     *printer
	mu    sync.Mutex
	busy  []string
	seen  int // servers that have been probed, of total
	total int
	quit  chan struct{}
	done  sync.WaitGroup
}

func newProgress(p *printer) *progress {
	g := &progress{p: p, quit: make(chan struct{})}
	g.done.Add(1)
	go g.spin()
	return g
}

// area notes that an area is being looked at, or is done.
func (g *progress) area(name string, done bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = slices.DeleteFunc(g.busy, func(s string) bool { return s == name })
	if !done {
		g.busy = append(g.busy, name)
	}
}

// probed notes how many servers have been asked.
func (g *progress) probed(done, total int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen, g.total = max(done, g.seen), total
}

func (g *progress) spin() {
	defer g.done.Done()
	frames := []rune(`|/-\`)
	tick := time.NewTicker(120 * time.Millisecond)
	defer tick.Stop()
	shown := 0 // cells of the line that stands there: blanks erase it on every terminal, also where escapes are unwanted
	erase := func() {
		if shown > 0 {
			g.p.printf("\r%s\r", strings.Repeat(" ", shown))
		}
	}
	for i := 0; ; i++ {
		select {
		case <-g.quit:
			erase()
			return
		case <-tick.C:
			g.mu.Lock()
			line := text.M("cli.checking", "areas", strings.Join(g.busy, ", "))
			if g.total > 0 {
				line = text.M("cli.checking-servers", "total", g.total, "done", g.seen)
			}
			busy := len(g.busy) > 0
			g.mu.Unlock()
			if busy {
				erase()
				now := string(frames[i%len(frames)]) + " " + g.p.show(line)
				shown = ansi.StringWidth(now)
				g.p.printf("%s", now)
			}
		}
	}
}

func (g *progress) stop() {
	close(g.quit)
	g.done.Wait()
}
