package state

import "time"

// Bounds of an admin's signs of life.
const (
	// BeatEvery is how often a living admin beats.
	BeatEvery = time.Second
	// BeatWithin is how long ago the last beat of a living admin can be.
	BeatWithin = 5 * time.Second
)

// AdminAlive reports whether an admin gave a sign of life lately.
func (p *Pulse) AdminAlive() bool { return !p.Beat.IsZero() && p.Now.Sub(p.Beat) <= BeatWithin }
