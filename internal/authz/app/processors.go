package app

import (
	"context"
	"os"
	"runtime"
	"sync"
	"time"
)

// When processors are added and taken away; the shares are of one processor.
const (
	lookEvery  = 200 * time.Millisecond
	busyShare  = 0.85
	calmShare  = 0.3
	calmBefore = time.Second
)

// processors keeps Go's scheduler at one processor while one is enough. With several, each check that finds the process
// idle wakes a second thread to look for more work; at everyday rates that costs more than the checks. One is not
// enough when checks or anything else keep it busy, or when a document is loaded, of which the source warns in advance.
type processors struct {
	all   int                  // what the runtime would use; zero leaves everything alone
	set   func(n int)          // stops the world for a moment
	spent func() time.Duration // processor time of this process

	mu    sync.Mutex
	now   int
	until time.Time // of the hold
}

// newProcessors is told whether the process is ours alone. Where the operator set GOMAXPROCS, that is left alone.
func newProcessors(own bool) *processors {
	p := &processors{set: func(n int) { runtime.GOMAXPROCS(n) }, spent: processorTime}
	if own && spentKnown && os.Getenv("GOMAXPROCS") == "" {
		p.all = runtime.GOMAXPROCS(0)
		p.now = p.all
	}
	return p
}

// hold has all processors ready for a time from now on, in the place of what was said before. A moment is not worth it.
func (p *processors) hold(d time.Duration) {
	if p.all == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = time.Now().Add(d)
	if d >= lookEvery {
		p.become(p.all)
	}
}

// become changes the number. The lock is held.
func (p *processors) become(n int) {
	if p.now != n {
		p.now = n
		p.set(n)
	}
}

// run looks at what the process uses until ctx ends; then all processors are there again.
func (p *processors) run(ctx context.Context) {
	if p.all == 0 {
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	began := time.Now()
	last, spent, calmSince := began, p.spent(), began
	for {
		select {
		case <-ctx.Done():
			p.mu.Lock()
			p.become(p.all)
			p.mu.Unlock()
			return
		case <-tick.C:
		}
		now, total := time.Now(), p.spent()
		share := float64(total-spent) / float64(now.Sub(last))
		last, spent = now, total
		if share > calmShare {
			calmSince = now
		}
		p.look(now, share, now.Sub(calmSince))
	}
}

// look decides by what the process used of one processor since the last look, and for how long it has been calm.
func (p *processors) look(now time.Time, share float64, calm time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case now.Before(p.until):
	case p.now == 1 && share > busyShare:
		p.become(p.all)
	case p.now > 1 && calm >= calmBefore:
		p.become(1)
	}
}
