package webhook

import (
	"sync"
	"sync/atomic"
	"time"
)

// counts are what a dispatcher tells of itself. They are of this admin and since its start.
type counts struct {
	delivered, refused, gone, failed, dead atomic.Uint64

	mu   sync.Mutex
	runs map[string]backlog
}

// backlog is what one endpoint still has to be sent, while this admin holds its lease.
type backlog struct {
	pending int
	oldest  time.Time // when the oldest of them happened
	dead    int
}

func (c *counts) attempt(o Outcome) {
	switch o {
	case OutcomeDelivered:
		c.delivered.Add(1)
	case OutcomeRefused:
		c.refused.Add(1)
	case OutcomeGone:
		c.gone.Add(1)
	case OutcomeFailed:
		c.failed.Add(1)
	}
}

// holds tells the backlog of an endpoint; nil once the lease is gone.
func (c *counts) holds(id string, b *backlog) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.runs == nil {
		c.runs = map[string]backlog{}
	}
	if b == nil {
		delete(c.runs, id)
		return
	}
	c.runs[id] = *b
}

// Attempts counts attempts that this admin made, by outcome.
func (d *Dispatcher) Attempts() map[Outcome]uint64 {
	return map[Outcome]uint64{
		OutcomeDelivered: d.counts.delivered.Load(), OutcomeRefused: d.counts.refused.Load(),
		OutcomeGone: d.counts.gone.Load(), OutcomeFailed: d.counts.failed.Load(),
	}
}

// Died counts events that became dead letters on this admin.
func (d *Dispatcher) Died() uint64 { return d.counts.dead.Load() }

// Pending is how many events are still to be delivered, of the endpoints whose lease this admin holds.
func (d *Dispatcher) Pending() int {
	n := 0
	d.counts.each(func(b backlog) { n += b.pending })
	return n
}

// DeadLetters is how many dead letters there are, of the endpoints whose lease this admin holds.
func (d *Dispatcher) DeadLetters() int {
	n := 0
	d.counts.each(func(b backlog) { n += b.dead })
	return n
}

// OldestPending is how long ago the oldest event happened that is still to be delivered; zero when none is.
func (d *Dispatcher) OldestPending() time.Duration {
	oldest := time.Duration(0)
	d.counts.each(func(b backlog) {
		if !b.oldest.IsZero() {
			oldest = max(oldest, time.Since(b.oldest))
		}
	})
	return oldest
}

// Holds lists the endpoints whose lease this admin holds.
func (d *Dispatcher) Holds() []string {
	d.counts.mu.Lock()
	defer d.counts.mu.Unlock()
	var ids []string
	for id := range d.counts.runs {
		ids = append(ids, id)
	}
	return ids
}

func (c *counts) each(see func(backlog)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.runs {
		see(b)
	}
}
