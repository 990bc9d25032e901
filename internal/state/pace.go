package state

import "time"

// pace makes pauses in a long piece of work. While a large document is loaded, requests are decided by the old one; but
// the scheduler looks at the network only when a processor has nothing else to do, and with the work on one processor
// and the garbage collector on the other that is 10 ms later or, with one processor, 20 ms (measured). Yielding does not
// help, a pause does: it lasts about a millisecond, and no request waits longer than a stretch of work. A nil pace makes none.
type pace struct {
	steps int
	until time.Time // the end of the stretch
}

// step counts one step of the work and pauses where a stretch is over. Short work has no pause at all.
func (p *pace) step() {
	const look = 16 // steps between looks at the clock
	if p == nil {
		return
	}
	if p.steps++; p.steps%look == 0 {
		p.rest()
	}
}

// rest pauses where a stretch is over.
func (p *pace) rest() {
	const (
		first   = 5 * time.Millisecond
		stretch = 500 * time.Microsecond
		pause   = 50 * time.Microsecond
	)
	now := time.Now()
	switch {
	case p.until.IsZero():
		p.until = now.Add(first)
	case now.After(p.until):
		time.Sleep(pause)
		p.until = time.Now().Add(stretch)
	}
}
